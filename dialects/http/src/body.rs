//! Reading what a client sends, up to a limit.

use std::{fmt::Display, pin::Pin, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body_util::BodyExt;
use hyper::body::Body;

use crate::Problem;

/// How much of an unread body is taken in and thrown away before an early refusal.
const DISCARD_BYTES: usize = 16 << 20;
/// How long that may take.
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// The whole body. One that comes in one piece, as most do, is not copied.
pub(crate) async fn read<B>(body: &mut B, limit: usize) -> Result<Bytes, Problem>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    let too_large = || Problem::BodyTooLarge { limit };
    let announced = body.size_hint();
    if announced.lower() > limit as u64 {
        return Err(too_large());
    }
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(piece) = next(body).await? {
        if first.len().max(all.len()) + piece.len() > limit {
            return Err(too_large());
        }
        if first.is_empty() && all.is_empty() {
            first = piece;
            continue;
        }
        if all.is_empty() {
            let expected =
                announced.upper().map_or(first.len() + piece.len(), |upper| upper.min(limit as u64) as usize);
            all.reserve(expected);
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&piece);
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

/// Takes in what is left of a body nobody will read. Without it the connection is reset while the client still sends, and
/// many clients then never see the answer that says why.
pub(crate) async fn discard<B>(mut body: B, headers: &HeaderMap)
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    // A client that waits for `100 Continue` sends nothing yet, and reading would ask it to.
    if body.is_end_stream() || headers.contains_key(header::EXPECT) || body.size_hint().lower() > DISCARD_BYTES as u64 {
        return;
    }
    let drain = async {
        let mut taken = 0;
        while let Ok(Some(piece)) = next(&mut body).await {
            taken += piece.len();
            if taken > DISCARD_BYTES {
                break;
            }
        }
    };
    if tokio::time::timeout(DISCARD_TIME, drain).await.is_err() {
        tracing::debug!("a refused body was still being sent");
    }
}

/// The next piece of data; trailers are skipped.
async fn next<B>(body: &mut B) -> Result<Option<Bytes>, Problem>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Display,
{
    while let Some(frame) = Pin::new(&mut *body).frame().await {
        let frame = frame.map_err(|error| Problem::BadRequest(format!("The body could not be read: {error}.")))?;
        if let Ok(data) = frame.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;
    use http_body_util::StreamBody;
    use hyper::body::Frame;

    use super::*;

    async fn pieces(pieces: &[&'static str], limit: usize) -> Result<Bytes, Problem> {
        let frames: Vec<_> =
            pieces.iter().map(|piece| Ok::<_, Infallible>(Frame::data(Bytes::from_static(piece.as_bytes())))).collect();
        read(&mut StreamBody::new(stream::iter(frames)), limit).await
    }

    #[tokio::test]
    async fn a_body_in_pieces_is_put_together_up_to_the_limit() {
        assert_eq!(pieces(&["ab", "", "cd", "e"], 5).await.unwrap(), "abcde");
        assert_eq!(pieces(&[], 5).await.unwrap(), "");
        assert!(matches!(pieces(&["ab", "cd", "ef"], 5).await, Err(Problem::BodyTooLarge { limit: 5 })));
        assert!(matches!(pieces(&["abcdef"], 5).await, Err(Problem::BodyTooLarge { .. })));
    }
}

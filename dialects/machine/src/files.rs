//! Files that machines fetch: the installation system, programs that start it, images.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{StatusCode, header};
use meetme_http::{Content, Problem, Reply};
use tokio::{fs::File, io::AsyncReadExt as _};

/// How much is read and sent at once.
const PART: usize = 256 * 1024;

/// A file of the directory. Only plain names: nothing outside of it can be named.
pub async fn send(directory: Option<&Path>, name: &str) -> Result<Reply, Problem> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
        return Err(Problem::NoRoute);
    }
    let path = directory.ok_or(Problem::NoRoute)?.join(name);
    let Ok(file) = File::open(&path).await else { return Err(Problem::NoRoute) };
    let length = match file.metadata().await {
        Ok(about) if about.is_file() => about.len(),
        _ => return Err(Problem::NoRoute),
    };
    let parts = stream::unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return None;
        }
        let mut part = BytesMut::with_capacity(PART);
        // A file that is cut short while it is read ends the connection, because its length was promised.
        let read = file.read_buf(&mut part).await.ok().filter(|read| *read > 0)?;
        part.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        let left = left.saturating_sub(u64::try_from(read).unwrap_or(0));
        Some((Bytes::from(part), (file, left)))
    });
    let mut reply = Reply::empty(StatusCode::OK)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_LENGTH, length.to_string());
    reply.content = Content::Stream(Box::pin(parts));
    Ok(reply)
}

//! What a handler answers.

use std::{
    convert::Infallible,
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use hyper::body::{Body, Frame, SizeHint};
use serde::Serialize;

/// An answer: status, headers and content.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers. Length, date and request id are added by the server.
    pub headers: HeaderMap,
    /// The body.
    pub content: Content,
    /// Why this answer could not be built; the server then answers a [`meetme_app::Error::Bug`] in its place.
    pub(crate) fault: Option<String>,
}

/// The body of an answer.
pub enum Content {
    /// No body.
    Empty,
    /// A whole body.
    Full(Bytes),
    /// A body that grows while the client reads; ended when the server stops.
    Stream(Pin<Box<dyn Stream<Item = Bytes> + Send>>),
}

/// One server-sent event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// What a client that reconnects sends back as `Last-Event-ID`. Line breaks are dropped.
    pub id: Option<String>,
    /// The event's type; `message` when absent. Line breaks are dropped.
    pub event: Option<String>,
    /// The text, of any number of lines.
    pub data: String,
}

/// How long an event stream may be silent before a comment is sent: below the idle limit of common proxies.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

impl Reply {
    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), content: Content::Empty, fault: None }
    }
    /// A body of this content type.
    pub fn bytes(status: StatusCode, media: &'static str, body: impl Into<Bytes>) -> Self {
        let mut reply = Self::empty(status);
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
        reply.content = Content::Full(body.into());
        reply
    }
    /// A value as JSON. A value that has no JSON form (a map whose keys are no texts) becomes our own error when it is sent.
    pub fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::bytes(status, "application/json", body),
            Err(error) => Self {
                fault: Some(format!("an answer has no JSON form: {error}")),
                ..Self::empty(StatusCode::INTERNAL_SERVER_ERROR)
            },
        }
    }
    /// A value as JSON with status 200.
    pub fn ok<T: Serialize + ?Sized>(value: &T) -> Self {
        Self::json(StatusCode::OK, value)
    }
    /// A new object as JSON with status 201 and where to find it.
    pub fn created<T: Serialize + ?Sized>(location: impl AsRef<str>, value: &T) -> Self {
        Self::json(StatusCode::CREATED, value).header(header::LOCATION, location)
    }
    /// Text for people, in UTF-8.
    pub fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self::bytes(status, "text/plain; charset=utf-8", text.into())
    }
    /// A stream of server-sent events with status 200. Silence is filled with comments, so that a dead client is noticed.
    pub fn sse(events: impl Stream<Item = Event> + Send + 'static) -> Self {
        let pulse = tokio::time::interval_at(tokio::time::Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
        let content = Content::Stream(Box::pin(Pulsed { events: Box::pin(events.map(|event| event.wire())), pulse }));
        let mut reply = Self { content, ..Self::empty(StatusCode::OK) };
        reply.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        reply.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        reply
    }
    /// Sets a header in place of one of the same name. A value that no header can carry becomes our own error.
    #[must_use]
    pub fn header(mut self, name: impl TryInto<HeaderName>, value: impl AsRef<str>) -> Self {
        match (name.try_into(), HeaderValue::from_str(value.as_ref())) {
            (Ok(name), Ok(value)) => {
                self.headers.insert(name, value);
            }
            _ => self.fault = Some(format!("a header of an answer cannot carry {:?}", value.as_ref())),
        }
        self
    }
    /// Turns it into what the connection sends.
    pub(crate) fn into_response(self) -> http::Response<Content> {
        let mut response = http::Response::new(self.content);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

impl Event {
    /// The event in the form of the HTML standard, section 9.2.
    fn wire(&self) -> Bytes {
        let mut text = String::with_capacity(self.data.len() + 32);
        for (name, value) in [("id", &self.id), ("event", &self.event)] {
            if let Some(value) = value {
                text.push_str(name);
                text.push_str(": ");
                text.extend(value.chars().filter(|c| !matches!(c, '\r' | '\n' | '\0')));
                text.push('\n');
            }
        }
        for line in self.data.replace("\r\n", "\n").split(['\n', '\r']) {
            text.push_str("data: ");
            text.push_str(line);
            text.push('\n');
        }
        text.push('\n');
        text.into()
    }
}

/// Events, and a comment whenever there was none for a while.
struct Pulsed {
    events: stream::BoxStream<'static, Bytes>,
    pulse: tokio::time::Interval,
}

impl Stream for Pulsed {
    type Item = Bytes;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Poll::Ready(event) = self.events.poll_next_unpin(cx) {
            self.pulse.reset();
            return Poll::Ready(event);
        }
        self.pulse.poll_tick(cx).map(|_| Some(Bytes::from_static(b": alive\n\n")))
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;
    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Empty;
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Self::Stream(stream) => stream.as_mut().poll_next(cx).map(|item| item.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }
    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_empty(),
            Self::Stream(_) => false,
        }
    }
    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Full(bytes) => write!(f, "Full({} bytes)", bytes.len()),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_several_lines_has_a_data_line_for_each() {
        let event = Event { id: Some("7\n8".into()), event: Some("change".into()), data: "a\r\nb\nc".into() };
        assert_eq!(event.wire(), "id: 78\nevent: change\ndata: a\ndata: b\ndata: c\n\n");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_event_stream_sends_a_comment() {
        let Content::Stream(mut stream) = Reply::sse(stream::pending()).content else { panic!("not a stream") };
        let before = tokio::time::Instant::now();
        assert_eq!(stream.next().await.unwrap(), ": alive\n\n");
        assert_eq!(before.elapsed().as_secs(), KEEP_ALIVE.as_secs());
    }

    #[test]
    fn a_value_without_a_json_form_is_marked_as_our_mistake() {
        let map = std::collections::BTreeMap::from([((1, 2), 3)]);
        assert!(Reply::ok(&map).fault.is_some());
        assert!(Reply::created("/a\nb", &1).fault.is_some());
    }
}

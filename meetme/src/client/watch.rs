//! Following changes. A connection that breaks is opened again from the last event that came.

use std::{io::Write, time::Duration};

use anyhow::bail;
use futures_util::StreamExt as _;
use serde_json::Value;

use super::{
    Output, WatchArgs,
    api::{Api, Call, Failure},
    table,
};

/// How long the server may be silent; it sends a comment every 15 seconds.
const SILENCE: Duration = Duration::from_secs(45);
/// How long to wait before the first new attempt, and at most.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Shows changes until the credential ends or nothing can be written.
///
/// # Errors
/// [`Failure`] when the server refuses.
pub async fn run(args: WatchArgs, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let api = Api::new(&args.connection)?;
    let json = args.connection.output == Output::Json;
    let mut last = args.cursor;
    let mut wait = FIRST_WAIT;
    loop {
        let mut call = Call::get(args.kind.iter().map(String::as_str).chain(["watch"]));
        call.query.extend(args.filter.clone().map(|filter| ("filter".to_owned(), filter)));
        call.headers.extend(last.clone().map(|last| ("last-event-id", last)));
        match api.open(call).await {
            Ok(response) => {
                let mut stream = response.bytes_stream();
                let mut buffer = Buffer::default();
                while let Ok(Some(Ok(bytes))) = tokio::time::timeout(SILENCE, stream.next()).await {
                    buffer.bytes.extend_from_slice(&bytes);
                    while let Some(event) = buffer.take() {
                        wait = FIRST_WAIT;
                        let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
                        match event.name.as_str() {
                            "change" => show(out, json, &data)?,
                            "end" => bail!("{}", table::text(&data["detail"])),
                            _ => {}
                        }
                        if !event.id.is_empty() {
                            last = Some(event.id);
                        }
                    }
                }
            }
            Err(error) => match error.downcast_ref::<Failure>() {
                Some(failure) if failure.status < 500 && failure.status != 429 => return Err(error),
                // The first attempt fails aloud; later ones are tried again.
                _ if last.is_none() => return Err(error),
                _ => tracing::warn!(error = format!("{error:#}"), "the stream broke"),
            },
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

fn show(out: &mut impl Write, json: bool, change: &Value) -> anyhow::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, change)?;
        writeln!(out)?;
    } else {
        let [at, verb, kind, id] = ["at", "verb", "kind", "id"].map(|name| table::text(&change[name]));
        let [title, note, actor] = [&change["title"], &change["note"], &change["actor"]["name"]].map(table::text);
        let fields = changed(change);
        let parts = [note, fields].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
        writeln!(out, "{}", format!("{at}  {verb:6}  {kind} {id}  {title}  by {actor}  {parts}").trim_end())?;
    }
    Ok(out.flush()?)
}

/// The names of the fields that an update changed.
fn changed(change: &Value) -> String {
    let (Some(before), Some(after)) = (change["before"].as_object(), change["after"].as_object()) else {
        return String::new();
    };
    let mut names: Vec<&str> = before.keys().chain(after.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| before.get(*name) != after.get(*name));
    names.join(",")
}

/// What came and was not yet read.
#[derive(Default)]
struct Buffer {
    bytes: Vec<u8>,
}

/// A server-sent event (HTML standard, section 9.2).
#[derive(Debug, Default, PartialEq, Eq)]
struct Event {
    id: String,
    name: String,
    data: String,
}

impl Buffer {
    /// The next whole event; comments are none.
    fn take(&mut self) -> Option<Event> {
        loop {
            let end = self.bytes.windows(2).position(|two| two == b"\n\n")?;
            let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
            let text = String::from_utf8_lossy(&block);
            let mut event = Event::default();
            for line in text.lines() {
                let Some((name, value)) = line.split_once(':') else { continue };
                let value = value.strip_prefix(' ').unwrap_or(value);
                match name {
                    "id" => event.id = value.to_owned(),
                    "event" => event.name = value.to_owned(),
                    "data" => {
                        if !event.data.is_empty() {
                            event.data.push('\n');
                        }
                        event.data.push_str(value);
                    }
                    _ => {}
                }
            }
            if event != Event::default() {
                return Some(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_however_they_are_cut_into_pieces() {
        let text = ": alive\n\nid: 1-2\nevent: change\ndata: {\"a\":\ndata: 1}\n\nid: 3";
        let mut buffer = Buffer::default();
        let mut events = Vec::new();
        for byte in text.bytes() {
            buffer.bytes.push(byte);
            events.extend(std::iter::from_fn(|| buffer.take()));
        }
        let wanted = Event { id: "1-2".into(), name: "change".into(), data: "{\"a\":\n1}".into() };
        assert_eq!(events, [wanted]);
    }
}

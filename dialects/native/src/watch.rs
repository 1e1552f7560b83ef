//! The change log: asked in pages, or followed as server-sent events.
//!
//! A stream begins after a cursor, or at the end, and says so in its first event (`ready`), so that a client that loses the
//! connection before anything happened can still go on from there without loss. Each later event is a `change` whose `id` is its
//! cursor. A stream ends when the credential it was opened with does; the last event (`end`) says why.

use std::{collections::VecDeque, time::Duration};

use futures_util::{Stream, stream};
use meetme_app::{
    App, Error,
    identity::{self, Credential, Door},
    resources::follow,
};
use meetme_base::{Kind, Secret};
use meetme_http::{Cx, Event, Problem, Reply};
use meetme_store::{Change, ChangeQuery, Cursor, Filter, Verb};
use serde_json::{Value as Json, json};

use crate::{auth, convert, query, rows, wire};

/// How long to sleep when nothing is heard: commits of other processes are found this late.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How many lines are read at once.
const BATCH: u32 = 200;

/// Lines of the log.
///
/// # Errors
/// When the query cannot be understood.
pub async fn changes(cx: Cx) -> Result<Reply, Problem> {
    let asked = query::changes(cx.app.store().registry(), &cx.query)?;
    let (follows, limit, offset) = (asked.after.is_some(), asked.limit as usize, asked.offset);
    let caller = cx.caller().clone();
    let part = cx.app.read(cx.caller(), move |tx| follow::changes(tx, &caller, &asked)).await?;
    let next = (!follows && part.read == limit).then_some(offset + part.read as u64);
    let cursor = follows.then(|| part.cursor.to_string());
    Ok(Reply::ok(&wire::ChangeList { items: part.changes.into_iter().map(convert::change).collect(), next, cursor }))
}

/// Every change.
///
/// # Errors
/// When the query cannot be understood.
pub async fn all(cx: Cx) -> Result<Reply, Problem> {
    query::only(&cx.query, query::WATCH)?;
    let kinds = query::kinds(cx.app.store().registry(), &cx.query)?;
    open(cx, kinds, None).await
}

/// The changes of one kind.
///
/// # Errors
/// When the query cannot be understood.
pub async fn of_kind(cx: Cx, name: &'static str) -> Result<Reply, Problem> {
    query::only(&cx.query, query::WATCH_KIND)?;
    let registry = cx.app.store().registry();
    let kind = rows::kind(registry, name)?;
    let filter = cx.query.get("filter").map(|text| query::json_filter(registry, kind, text)).transpose()?;
    let kinds = vec![kind.kind];
    open(cx, kinds, filter).await
}

async fn open(cx: Cx, kinds: Vec<Kind>, filter: Option<Filter>) -> Result<Reply, Problem> {
    let start = match cx.header("last-event-id").or(cx.query.get("cursor")) {
        Some(text) => query::cursor(text)?,
        None => cx.app.read(cx.caller(), |tx| Ok(tx.last_cursor()?)).await?,
    };
    let token = auth::token(&cx.parts).map_err(Error::Unauthenticated)?;
    let follower = Follower {
        app: cx.app.clone(),
        token: Secret::new(token.to_owned()),
        door: auth::door(&cx.parts),
        kinds,
        filter,
        cursor: start,
        ready: VecDeque::from([event("ready", start, &json!({ "cursor": start.to_string() }))]),
        ended: false,
    };
    Ok(Reply::sse(follower.events()))
}

/// Somebody who follows the log.
struct Follower {
    app: App,
    token: Secret<String>,
    door: Door,
    kinds: Vec<Kind>,
    filter: Option<Filter>,
    cursor: Cursor,
    ready: VecDeque<Event>,
    ended: bool,
}

impl Follower {
    fn events(self) -> impl Stream<Item = Event> + Send {
        stream::unfold(self, async |mut follower| {
            let event = follower.next().await?;
            Some((event, follower))
        })
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.ended {
                return None;
            }
            // Asked for before looking: a commit in between is then not slept through.
            let commit = self.app.commits().next();
            let read = match self.look().await {
                Ok(read) => read,
                // The database may come back; the client keeps its place meanwhile.
                Err(Error::Unavailable(_)) => 0,
                Err(error) => {
                    self.ended = true;
                    let why = json!({ "detail": error.to_string() });
                    return Some(event("end", self.cursor, &why));
                }
            };
            if read == 0 {
                // Whether it was a commit or the time that ended the sleep, the log is what tells.
                drop(tokio::time::timeout(LOOK_AGAIN, commit).await);
            }
        }
    }

    /// Reads on from the cursor; answers how many lines there were. The caller is recognised anew each time, because rights change
    /// while a stream is open.
    async fn look(&mut self) -> Result<usize, Error> {
        let caller = identity::authenticate(&self.app, self.door, Credential::Session(self.token.expose())).await?;
        let asked =
            ChangeQuery { after: Some(self.cursor), kinds: self.kinds.clone(), limit: BATCH, ..ChangeQuery::default() };
        let filter = self.filter.clone();
        let reader = caller.clone();
        let read = self.app.read(&caller, move |tx| {
            let part = follow::changes(tx, &reader, &asked)?;
            let now = match (&filter, asked.kinds.first()) {
                (Some(filter), Some(kind)) => {
                    let kind = rows::kind(tx.registry(), kind.name())?;
                    Some(follow::matching(tx, kind, &part.changes, filter)?)
                }
                _ => None,
            };
            Ok((part, now))
        });
        let (part, now) = read.await?;
        if part.read > 0 {
            self.cursor = part.cursor;
        }
        for line in part.changes {
            let row = now.as_ref().map(|rows| rows.get(&line.id).filter(|_| line.verb != Verb::Remove));
            self.ready.push_back(changed(line, row.map(|row| row.map(convert::row))));
        }
        Ok(part.read)
    }
}

fn changed(line: Change, row: Option<Option<Json>>) -> Event {
    let cursor = line.cursor;
    let mut data = json!(convert::change(line));
    if let Some(row) = row {
        data["matches"] = json!(row.is_some());
        if let Some(row) = row {
            data["row"] = row;
        }
    }
    event("change", cursor, &data)
}

fn event(name: &str, cursor: Cursor, data: &Json) -> Event {
    Event { id: Some(cursor.to_string()), event: Some(name.to_owned()), data: data.to_string() }
}

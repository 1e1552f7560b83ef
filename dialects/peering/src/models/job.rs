//! Jobs, to be read: they come from the operations whose work they are.

use meetme_base::Time;
use meetme_model::{
    access::User,
    ops::{Job, JobState, LogEntry, LogLevel},
};
use meetme_store::{Object, Resource as _};
use serde_json::json;

use super::user;
use crate::{
    json as wire,
    model::{About, Field, How, Model, Sieve, Words, everything},
    query,
};

type Of = Job;
type F = Field<Of>;

/// The states: wire word and label.
const STATES: Words = &[
    ("pending", "Pending"),
    ("running", "Running"),
    ("completed", "Completed"),
    ("errored", "Errored"),
    ("failed", "Failed"),
];

/// The same for filters: wire word and the core's.
const STATE_FILTER: Words =
    &[("pending", "queued"), ("running", "running"), ("completed", "ok"), ("errored", "aborted"), ("failed", "failed")];

const fn state(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "pending",
        JobState::Running => "running",
        JobState::Ok => "completed",
        JobState::Failed => "failed",
        JobState::Aborted => "errored",
    }
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Job",
        verbose: "job",
        app: "core",
        path: "jobs",
        old: &["extras/job-results"],
        number: 16,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "created", "completed", "user", "status"],
        order: &["-created"],
        filters: &[
            Sieve::new("name", How::Text("what")),
            Sieve::new("object_id", How::Number("subject")),
            Sieve::new("object_type", How::Type("about")),
            Sieve::new("status", How::Choice("state", STATE_FILTER)),
            Sieve::new("started", How::Moment("started")),
            Sieve::new("completed", How::Moment("ended")),
            Sieve::new("user", How::Row("by", User::KIND, "username")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["what", "name"], text),
    },
    needs: &[],
    display: |row, _| row.spec.name.clone(),
    fresh: None,
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::made("object_type", "field", |r, _, _, out| wire::text(out, &object_type(r))),
        F::integer("object_id", "subject", 0, i64::MAX, |r| r.spec.subject.map(|id| id.get()), |_, _| {}).nullable(),
        F::text("name", "what", 200, |s| Some(&s.what), |_, _| {}),
        F::choice("status", "state", STATES, |r| Some(state(r.status.state)), |_, _| {}).labelled(),
        F::created(),
        F::moment("started", "started", |r| r.status.started, None),
        F::moment("completed", "ended", |r| r.status.ended, None),
        F::one("user", "by", &user::MODEL, |s| s.by, |_, _| {}).nullable(),
        F::made("data", "field", |r, _, _, out| data(r, out)),
        F::made("job_id", "string", |r, _, _, out| wire::text(out, &r.uid.to_string())),
        F::made("output", "string", |r, _, _, out| wire::text(out, &r.status.output)),
    ],
};

/// The type of the object it is about; empty when it is about none, or about one that this dialect does not show.
fn object_type(job: &Object<Of>) -> String {
    let models = super::ALL.iter().map(|model| model.about());
    let about = job.spec.about.as_deref().and_then(|kind| models.into_iter().find(|about| about.kind.name() == kind));
    about.map(About::content_type).unwrap_or_default()
}

/// The log as rows of time, level, object, link and words, and the answer in the same form.
fn data(job: &Object<Of>, out: &mut Vec<u8>) {
    let row = |at: Time, level: &str, text: &str| json!([at.to_string(), level, null, null, text]);
    let level = |level: LogLevel| match level {
        LogLevel::Info => "info",
        LogLevel::Success => "success",
        LogLevel::Warning => "warning",
        LogLevel::Failure => "failure",
    };
    let log: Vec<_> = job.status.log.iter().map(|LogEntry { at, level: l, text }| row(*at, level(*l), text)).collect();
    if log.is_empty() && job.status.output.is_empty() {
        return wire::null(out);
    }
    let at = job.status.ended.unwrap_or(job.updated);
    let output: Vec<_> = job.status.output.lines().map(|line| row(at, "info", line)).collect();
    wire::value(out, &json!({"main": {"log": log}, "output": {"log": output}}));
}

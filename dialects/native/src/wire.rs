//! The shapes that are not a kind's own.

use meetme_base::{Invalid, RawId, Time, Uid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The content type of problems, RFC 9457.
pub const PROBLEM: &str = "application/problem+json";
/// The content type of patches, RFC 7396.
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// What went wrong.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status in words.
    pub title: String,
    /// The status.
    pub status: u16,
    /// A fixed word.
    pub code: String,
    /// One or more sentences for people.
    pub detail: String,
    /// The values that cannot be accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// The version the row has now, when the one in `If-Match` is old.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Up to ten objects that refer to the row and keep it from going.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrers: Option<Vec<Json>>,
    /// The request's id, as in the log.
    pub request: Uid,
}

/// A value that cannot be accepted.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FieldError {
    /// Its place in the body or its name in the query, with dots; empty when the whole is meant.
    pub field: String,
    /// A fixed word.
    pub code: String,
    /// One sentence.
    pub message: String,
}

impl From<Invalid> for FieldError {
    fn from(bad: Invalid) -> Self {
        Self { field: bad.field, code: bad.code.to_owned(), message: bad.message }
    }
}

/// A kind, described.
#[derive(Debug, Serialize, JsonSchema)]
pub struct KindDescription {
    /// Its name, which is its path.
    pub kind: &'static str,
    /// Its area of the model.
    pub area: &'static str,
    /// `own`: seen by the tenant that owns a row and those above. `shared`: also by those below.
    pub reach: &'static str,
    /// Whether its rows are nodes of the tenant tree.
    pub node: bool,
    /// What can be filtered and ordered by.
    pub fields: Vec<FieldDescription>,
    /// References to other objects.
    pub edges: Vec<EdgeDescription>,
    /// Sets of fields that no two rows share.
    pub unique: Vec<Vec<&'static str>>,
    /// Further indexes, each a list of fields.
    pub indexes: Vec<Vec<&'static str>>,
    /// How its rows are made, changed and removed.
    pub writes: Writes,
    /// JSON schemas; left out with `?schemas=false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schemas: Option<Schemas>,
}

/// How the rows of a kind are written: `plain` as sent, `operation` by the rules of an operation, `words` names and notes only,
/// `refused` not here.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Writes {
    /// New rows.
    pub create: &'static str,
    /// Changes.
    pub replace: &'static str,
    /// Removals.
    pub remove: &'static str,
    /// Where writes that are refused here are made instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// The JSON schemas of a kind.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Schemas {
    /// What is wished.
    pub spec: Json,
    /// What was observed.
    pub status: Json,
    /// What makes a new row, where that is not the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create: Option<Json>,
}

/// A field, described.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FieldDescription {
    /// Its name in filters and orders.
    pub name: &'static str,
    /// Its type: `boolean`, `integer`, `text`, `ip`, `cidr`, `time`, `texts` or `reference`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it belongs to the `spec` or the `status`.
    pub of: &'static str,
    /// Whether filters by it are quick on large kinds.
    pub indexed: bool,
    /// Whether `q` finds its text.
    pub searchable: bool,
    /// The words it is limited to.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub words: &'static [&'static str],
}

/// A reference, described.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EdgeDescription {
    /// Its name.
    pub name: &'static str,
    /// The kinds it may point to; empty means any.
    pub to: Vec<&'static str>,
    /// Whether it is a list.
    pub many: bool,
    /// What the removal of the target does to this row: `refuse`, `cascade` or `detach`.
    pub on_delete: &'static str,
}

/// A line of the change log.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeLine {
    /// Its place in the stream, for `cursor`.
    pub cursor: String,
    /// Its number.
    pub seq: i64,
    /// The kind of the row.
    pub kind: &'static str,
    /// The row.
    pub id: RawId,
    /// The node the row hangs on.
    pub tenant: RawId,
    /// The version after the change.
    pub version: u64,
    /// `create`, `update`, `remove`, or `moved` for a named step of the status.
    pub verb: &'static str,
    /// What the row was called then.
    pub title: String,
    /// When.
    pub at: Time,
    /// Who did it.
    pub actor: Actor,
    /// Through which door.
    pub dialect: String,
    /// In which request.
    pub request: Uid,
    /// The code of a named step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The text of a named step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The spec before; secrets show only whether they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Json>,
    /// The spec after; secrets show only whether they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Json>,
}

/// Who did something.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Actor {
    /// The user or key.
    pub id: Option<RawId>,
    /// What they were called then.
    pub name: String,
}

/// A list of lines of the log.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChangeList {
    /// The lines.
    pub items: Vec<ChangeLine>,
    /// The `offset` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// With `cursor`: where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A login.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user's name or e-mail address.
    pub username: String,
    /// The password.
    pub password: String,
}

/// A session just opened or renewed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LoggedIn {
    /// The token to send with each request.
    pub token: String,
    /// The token that renews the session.
    pub refresh: String,
    /// For how long the token is good, in seconds.
    pub seconds: i64,
    /// When it ends.
    pub expires_at: Time,
}

/// The token that renews a session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// The token given with the session.
    pub refresh: String,
}

/// Who the caller is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WhoAmI {
    /// What the log calls the caller.
    pub name: String,
    /// The user, for a person.
    pub user: Option<RawId>,
    /// The key in use, if one is.
    pub key: Option<RawId>,
    /// The organization the caller belongs to: where new rows hang unless `tenant` says otherwise.
    pub home: RawId,
    /// The project meant when none is named.
    pub project: Option<RawId>,
    /// Whether the credential may only read.
    pub read_only: bool,
    /// Whether the caller may do everything in the home organization and below.
    pub superuser: bool,
    /// The nodes with a membership, the home first.
    pub nodes: Vec<RawId>,
}

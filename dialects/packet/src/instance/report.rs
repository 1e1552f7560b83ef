//! What machines say of themselves.

use std::sync::Arc;

use http::StatusCode;
use meetme_app::devices::machine::{self, Report};
use meetme_base::Invalid;
use meetme_http::{Cx, Problem, Query, Reply};
use serde_json::Value;

use super::{Settings, door};

/// The longest thing a machine has to say.
pub const LONGEST: usize = 16 * 1024;
/// The states of a machine's programs.
const STATES: &[&str] = &["running", "succeeded", "failed"];
/// Their codes.
const CODES: std::ops::RangeInclusive<u64> = 1000..=1099;
/// The longest message of a machine's programs.
const LONGEST_MESSAGE: usize = 1000;
/// What a machine that runs its owner's script says in place of everything else.
const SCRIPT: &str = "provisioning.104.01";

/// `POST /phone-home`. Nothing, or its own id, means that its system has started.
pub async fn phone_home(cx: Cx, settings: Arc<Settings>) -> Result<Reply, Problem> {
    let said = fields(&cx)?;
    let mut reports = Vec::new();
    if let Some(code) = text(&said, "type")? {
        let is_end = code == SCRIPT;
        reports.push(Report::Step(code));
        if is_end {
            reports.push(Report::CalledHome);
        }
    }
    if let Some(password) = text(&said, "password")? {
        reports.push(Report::Password(password));
    }
    if reports.is_empty() {
        reports.push(Report::CalledHome);
    }
    keep(cx, settings, reports).await
}

/// `POST /events`.
pub async fn user_state(cx: Cx, settings: Arc<Settings>) -> Result<Reply, Problem> {
    let said = fields(&cx)?;
    let state = text(&said, "state")?.ok_or_else(|| Invalid::required("state"))?;
    if !STATES.contains(&state.as_str()) {
        return Err(Invalid::choice("state", state).into());
    }
    let code = match said.get("code") {
        None | Some(Value::Null) => None,
        Some(code) => {
            let number = code.as_u64().or_else(|| code.as_str().and_then(|text| text.parse().ok()));
            let number = number.filter(|n| CODES.contains(n)).and_then(|n| u32::try_from(n).ok());
            Some(number.ok_or_else(|| Invalid::range("code", CODES.start(), CODES.end()))?)
        }
    };
    let message = text(&said, "message")?.unwrap_or_default();
    if message.chars().count() > LONGEST_MESSAGE {
        let why = format!("A message has no more than {LONGEST_MESSAGE} characters.");
        return Err(Invalid::new("message", "max_length", why).into());
    }
    keep(cx, settings, vec![Report::State { state, code, message }]).await
}

async fn keep(cx: Cx, settings: Arc<Settings>, reports: Vec<Report>) -> Result<Reply, Problem> {
    let app = cx.app.clone();
    let kept = machine::write(&cx.app, door(&cx, &settings), move |tx, device| {
        let id = device.id;
        for report in &reports {
            let device = tx.get(id)?;
            machine::report(&app, tx, device, report)?;
        }
        Ok(())
    });
    kept.await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// The body: JSON, a form as iPXE and cloud-init send it, or nothing.
fn fields(cx: &Cx) -> Result<Value, Problem> {
    let body = String::from_utf8_lossy(&cx.body);
    let body = body.trim();
    if body.is_empty() {
        return Ok(Value::Null);
    }
    if body.starts_with('{') {
        return cx.json();
    }
    let is_form = cx.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    // busybox sends forms without saying so.
    if is_form || !body.contains(['{', '\n', ' ']) {
        let form = Query::parse(body);
        let pairs = form.iter().map(|(name, value)| (name.to_owned(), Value::from(value.to_owned())));
        return Ok(pairs.collect::<serde_json::Map<_, _>>().into());
    }
    Err(Problem::BadRequest("The body is neither JSON nor a form.".to_owned()))
}

fn text(said: &Value, name: &str) -> Result<Option<String>, Invalid> {
    match said.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Invalid::format(name, "a text")),
    }
}

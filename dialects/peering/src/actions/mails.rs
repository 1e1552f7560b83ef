//! What is written to the people of other networks.

use http::Method;
use meetme_app::mails;
use meetme_base::{Id, Invalid};
use meetme_http::{Cx, Problem, Reply, Shape};
use serde_json::Value as Json;

use super::{Action, enqueue, id};
use crate::{lookup::python_type, models::autonomous_system, serve};

/// The actions.
pub const ACTIONS: &[Action] = &[Action {
    // Ours: the application whose dialect this is sends mail from its own pages only.
    id: "peering_autonomous_systems_send_email",
    method: Method::POST,
    model: &autonomous_system::MODEL,
    one: true,
    end: "send-email",
    success: 202,
    takes: Shape::Nothing,
    gives: Shape::Named("Job"),
    run: |cx| Box::pin(send(cx)),
}];

/// Sends a finished mail, `{"subject": "...", "body": "...", "contacts": [ids]}`, to contacts of an AS: to those that are named, or to
/// all that are assigned to it.
async fn send(cx: Cx) -> Result<Reply, Problem> {
    let system = id(&cx, &autonomous_system::MODEL)?.of();
    // The right is asked for before the body is looked at.
    cx.app.read(cx.caller(), move |tx| Ok(mails::correspondent(tx, system)?.id)).await?;
    let sent = serve::body(&cx)?;
    let mut bad = Vec::new();
    let mut text = |name: &str| match &sent[name] {
        Json::String(text) if !text.trim().is_empty() => text.clone(),
        Json::Null => {
            bad.push(Invalid::new(name, "wire", "This field is required."));
            String::new()
        }
        Json::String(_) => {
            bad.push(Invalid::new(name, "wire", "This field may not be blank."));
            String::new()
        }
        _ => {
            bad.push(Invalid::new(name, "wire", "Not a valid string."));
            String::new()
        }
    };
    let (subject, body) = (text("subject"), text("body"));
    let contacts: Vec<_> = match &sent["contacts"] {
        Json::Null => Vec::new(),
        Json::Array(list) if list.iter().all(Json::is_i64) => {
            list.iter().filter_map(Json::as_i64).map(Id::new).collect()
        }
        Json::Array(_) => {
            bad.push(Invalid::new("contacts", "wire", "Contacts are named by their ids."));
            Vec::new()
        }
        other => {
            let text = format!("Expected a list of items but got type \"{}\".", python_type(other));
            bad.push(Invalid::new("contacts", "wire", text));
            Vec::new()
        }
    };
    if !bad.is_empty() {
        return Err(meetme_app::Error::Invalid(bad).into());
    }
    enqueue(cx, move |tx| mails::send(tx, system, &contacts, &subject, &body)).await
}

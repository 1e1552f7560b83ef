//! What is written to the people of other networks.

use http::{Method, StatusCode};
use meetme_app::{Error, mails};
use meetme_base::{Id, Invalid};
use meetme_http::{Cx, Problem, Reply, Shape};
use meetme_model::{
    mirror::PdbNetwork,
    routing::{AutonomousSystem, Template},
};
use meetme_store::{Resource as _, Tx};
use serde_json::{Value as Json, json};

use super::{Action, enqueue, id};
use crate::{
    lookup::python_type,
    models::{autonomous_system, peeringdb},
    serve,
};

/// The actions.
pub const ACTIONS: &[Action] = &[
    Action {
        id: "peering_autonomous_systems_render_email",
        method: Method::POST,
        model: &autonomous_system::MODEL,
        one: true,
        end: "generate-email",
        success: 200,
        takes: Shape::Named("EmailSending"),
        gives: Shape::Named("RenderedEmail"),
        run: |cx| Box::pin(of_system(cx)),
    },
    Action {
        id: "peeringdb_networks_render_email",
        method: Method::POST,
        model: &peeringdb::network::MODEL,
        one: false,
        end: "render-email",
        success: 200,
        takes: Shape::Named("EmailSending"),
        gives: Shape::Named("RenderedEmail"),
        run: |cx| Box::pin(of_network(cx)),
    },
    Action {
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
    },
];

/// A row that is named by its number.
fn numbered(sent: &Json, name: &str, bad: &mut Vec<Invalid>) -> i64 {
    let number = match &sent[name] {
        Json::Null => Err("This field is required."),
        Json::String(text) => text.trim().parse().map_err(|_| "A valid integer is required."),
        other => other.as_i64().ok_or("A valid integer is required."),
    };
    number.unwrap_or_else(|text| {
        bad.push(Invalid::new(name, "wire", text));
        0
    })
}

/// A mail to the people of the AS in the path.
async fn of_system(cx: Cx) -> Result<Reply, Problem> {
    let system = id(&cx, &autonomous_system::MODEL)?.of();
    cx.app.read(cx.caller(), move |tx| Ok(mails::correspondent(tx, system)?.id)).await?;
    let (sent, mut bad) = (serve::body(&cx)?, Vec::new());
    let email = numbered(&sent, "email", &mut bad);
    if bad.is_empty() { made(cx, email, system, None).await } else { Err(Error::Invalid(bad).into()) }
}

/// A mail to the people of an AS about a network of the public peering database.
async fn of_network(cx: Cx) -> Result<Reply, Problem> {
    let (sent, mut bad) = (serve::body(&cx)?, Vec::new());
    let [email, system, network] =
        ["email", "autonomous_system", "network"].map(|name| numbered(&sent, name, &mut bad));
    if bad.is_empty() { made(cx, email, Id::new(system), Some(network)).await } else { Err(Error::Invalid(bad).into()) }
}

async fn made(cx: Cx, email: i64, system: Id<AutonomousSystem>, network: Option<i64>) -> Result<Reply, Problem> {
    let app = cx.app.clone();
    let draft = move |tx: &mut Tx<'_>| mails::draft(&app, tx, Id::new(email), system, network);
    let missing = |name: &str, id: i64| {
        let text = format!("Related object not found using the provided numeric ID: {id}");
        Error::from(Invalid::new(name, "reference", text))
    };
    let prepared = match cx.app.read(cx.caller(), draft).await {
        Ok(prepared) => prepared,
        // A template that is not there has always been answered so.
        Err(Error::Missing { kind, .. }) if kind == Template::KIND => return Ok(Reply::empty(StatusCode::NOT_FOUND)),
        Err(Error::Missing { kind, .. }) if kind == AutonomousSystem::KIND && network.is_some() => {
            return Err(missing("autonomous_system", system.get()).into());
        }
        Err(Error::Missing { kind, .. }) if kind == PdbNetwork::KIND => {
            return Err(missing("network", network.unwrap_or_default()).into());
        }
        Err(other) => return Err(other.into()),
    };
    let (subject, body) = prepared.mail_apart().await?;
    Ok(Reply::ok(&json!({"subject": subject, "body": body})))
}

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
        return Err(Error::Invalid(bad).into());
    }
    enqueue(cx, move |tx| mails::send(tx, system, &contacts, &subject, &body)).await
}

//! The peering portal, for networks that ask to peer with us: what can be asked for, asking, looking and taking back. Paths and names
//! are those of the application's coming release, which follow draft-ramseyer-grow-peering-api: `local` is whoever asks, `peer` is us.
//! Its paths have no slash at their end.

use std::net::IpAddr;

use http::{Method, StatusCode};
use meetme_app::{
    Error,
    peering::portal::{self, Shown, Wish, WishedSession},
};
use meetme_base::{Asn, Invalid, Secret, Uid};
use meetme_http::{Cx, Op, Problem, QueryParam, Reply};
use meetme_model::{
    BgpState,
    routing::{AutonomousSystem, RequestState, RequestedSession},
};
use meetme_store::{Filter, Object, Resource as _};
use serde_json::{Map, Value as Json, json};

use crate::{lookup::python_type, models, negotiate, ops, serve};

/// How the ids of all these operations begin: they are open to callers without a token where the portal is.
pub const OPERATIONS: &str = "peering_portal_";

/// The longest page of sessions.
const MOST: u32 = 100;

/// The operations. The contract has none of them.
pub fn ops() -> Vec<Op> {
    let at = |end: &str| ops::keep(format!("/api/peering/portal/{end}"));
    let one = at("sessions/{uuid}");
    let filters = ["asn", "request_id", "limit", "offset"].map(QueryParam::text);
    vec![
        Op::get("peering_portal_affiliated", at("affiliated")).group("peering").run(affiliated),
        Op::get("peering_portal_network", at("network/{asn}")).group("peering").run(network),
        Op::get("peering_portal_locations", at("locations"))
            .group("peering")
            .query(Vec::from(["asn", "location_type"].map(QueryParam::text)))
            .run(locations),
        Op::on(Method::POST, "peering_portal_sessions_create", at("sessions"))
            .group("peering")
            .success(201)
            .run(submit),
        Op::get("peering_portal_sessions_list", at("sessions/list"))
            .group("peering")
            .query(Vec::from(filters))
            .run(list),
        Op::get("peering_portal_sessions_retrieve", one).group("peering").run(session),
        Op::on(Method::DELETE, "peering_portal_sessions_cancel", one).group("peering").success(204).run(cancel),
    ]
}

async fn affiliated(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let (app, by) = (cx.app.clone(), cx.caller().clone());
    let ours = cx.app.read(cx.caller(), move |tx| portal::affiliated(&app, tx, &by)).await?;
    Ok(Reply::ok(&ours.iter().map(known).collect::<Vec<_>>()))
}

async fn network(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let asn = cx.param_as::<i64>("asn").and_then(|n| Asn::try_from(n).ok());
    let asn = asn.ok_or_else(|| Error::missing(AutonomousSystem::KIND, cx.param("asn")))?;
    let (app, by) = (cx.app.clone(), cx.caller().clone());
    let found = cx.app.read(cx.caller(), move |tx| portal::network(&app, tx, &by, asn)).await?;
    Ok(Reply::ok(&known(&found)))
}

fn known(network: &Object<AutonomousSystem>) -> Json {
    let spec = &network.spec;
    json!({
        "asn": spec.asn.get(),
        "name": spec.name,
        "irr_as_set": spec.as_set,
        "ipv4_max_prefixes": spec.max4,
        "ipv6_max_prefixes": spec.max6,
        "affiliated": spec.ours,
    })
}

async fn locations(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let kind = cx.query.last("location_type").unwrap_or_default().to_owned();
    let asn = asn_of(&cx)?;
    if !matches!(kind.as_str(), "" | "public" | "private") {
        return Err(Invalid::choice("location_type", &kind).into());
    }
    let (app, by) = (cx.app.clone(), cx.caller().clone());
    let all = cx.app.read(cx.caller(), move |tx| portal::locations(&app, tx, &by)).await?;
    // Sessions over private links are agreed on otherwise.
    let shown = all.iter().filter(|at| kind != "private" && asn.is_none_or(|asn| at.asn != asn)).map(|at| {
        json!({
            "id": at.id, "name": at.name, "type": "public", "peer_asn": at.asn.get(), "peer_ips": at.addresses,
        })
    });
    Ok(Reply::ok(&json!({ "items": shown.collect::<Vec<_>>() })))
}

/// The AS number in the query, if there is one.
fn asn_of(cx: &Cx) -> Result<Option<Asn>, Invalid> {
    let Some(text) = cx.query.last("asn").filter(|text| !text.is_empty()) else { return Ok(None) };
    let asn = text.trim().parse::<i64>().ok().and_then(|n| Asn::try_from(n).ok());
    asn.map(Some).ok_or_else(|| Invalid::new("asn", "wire", "Enter a valid AS number."))
}

async fn submit(cx: Cx) -> Result<Reply, Problem> {
    let wish = wish(&serve::body(&cx)?).map_err(Error::Invalid)?;
    let count = wish.sessions.len();
    let (app, by) = (cx.app.clone(), cx.caller().clone());
    let made = cx.app.write(cx.caller(), move |tx| portal::submit(&app, tx, &by, &wish)).await?;
    let body = json!({
        "request_id": made.uid.to_string(), "status": made.spec.state.word(), "sessions_count": count,
    });
    Ok(Reply::json(StatusCode::CREATED, &body))
}

async fn list(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let number = |name: &str, usual: u64| match cx.query.last(name).filter(|text| !text.is_empty()) {
        None => Ok(usual),
        Some(text) => text.parse::<u64>().map_err(|_| Invalid::new(name, "wire", "Enter a whole number.")),
    };
    let limit = u32::try_from(number("limit", MOST.into())?).unwrap_or(MOST).clamp(1, MOST);
    let offset = number("offset", 0)?.min(i64::MAX as u64);
    let asn = asn_of(&cx)?;
    let request = match cx.query.last("request_id").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => {
            let uid = text.parse::<Uid>().map_err(|()| Invalid::new("request_id", "wire", "Enter a valid UUID."))?;
            Some(uid)
        }
    };
    let by = cx.caller().clone();
    let read = cx.app.read(cx.caller(), move |tx| {
        let mut filter = asn.map_or(Filter::All, |asn| Filter::eq("asn", asn));
        if let Some(uid) = request {
            filter = filter.and(Filter::eq("request", tx.by_uid::<meetme_model::routing::PeeringRequest>(uid)?.id));
        }
        portal::sessions(tx, &by, filter, limit, offset)
    });
    let (count, rows) = read.await?;
    Ok(Reply::ok(&json!({ "count": count, "items": rows.iter().map(shown).collect::<Vec<_>>() })))
}

async fn session(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let uid = uid(&cx)?;
    let (app, by) = (cx.app.clone(), cx.caller().clone());
    let found = cx.app.read(cx.caller(), move |tx| portal::session(&app, tx, &by, uid)).await?;
    Ok(Reply::ok(&shown(&found)))
}

async fn cancel(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let uid = uid(&cx)?;
    let (app, by) = (cx.app.clone(), cx.caller().clone());
    cx.app.write(cx.caller(), move |tx| portal::withdraw(&app, tx, &by, uid)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

fn uid(cx: &Cx) -> Result<Uid, Error> {
    cx.param("uuid").parse().map_err(|()| Error::missing(RequestedSession::KIND, cx.param("uuid")))
}

/// A session as who asked for it sees it. What it is called while it waits is what the draft calls it; once there is a session, its
/// own state is told.
fn shown(of: &Shown) -> Json {
    json!({
        "session_id": of.uid.to_string(),
        "request_id": of.request.to_string(),
        "local_asn": of.asn.get(),
        "local_ip": of.theirs,
        "peer_asn": of.our_asn.map(Asn::get),
        "peer_ip": of.ours,
        "peer_type": "public",
        "location": of.location,
        "status": models::named_state(of.state),
        "reason": of.reason,
        "session_state": match of.state {
            RequestState::Accepted => of.bgp.map(BgpState::word),
            _ => None,
        },
    })
}

/// What a body asks for; everything in it that cannot be understood, by field.
fn wish(body: &Json) -> Result<Wish, Vec<Invalid>> {
    let Json::Object(body) = body else {
        let text = format!("Invalid data. Expected a dictionary, but got {}.", python_type(body));
        return Err(vec![Invalid::new("", "wire", text)]);
    };
    let mut wrong = Vec::new();
    let asn = match body.get("local_asn") {
        None | Some(Json::Null) => Err(Invalid::new("local_asn", "wire", "This field is required.")),
        Some(value) => {
            let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
            let asn = number.and_then(|n| Asn::try_from(n).ok());
            asn.ok_or_else(|| Invalid::new("local_asn", "wire", "Enter a valid AS number."))
        }
    };
    match text(body, "peer_type").as_deref() {
        Ok("" | "public") => {}
        Ok("private") => wrong.push(Invalid::new("peer_type", "wire", "Only public peering can be asked for here.")),
        Ok(other) => wrong.push(Invalid::new("peer_type", "wire", format!("\"{other}\" is not a valid choice."))),
        Err(bad) => wrong.push(bad.clone()),
    }
    let email = text(body, "email").map_err(|bad| wrong.push(bad)).unwrap_or_default();
    let mut sessions = Vec::new();
    match body.get("sessions") {
        Some(Json::Array(rows)) if rows.len() > portal::MOST_SESSIONS => {
            let text = format!("Ensure this field has no more than {} elements.", portal::MOST_SESSIONS);
            wrong.push(Invalid::new("sessions", "wire", text));
        }
        Some(Json::Array(rows)) if !rows.is_empty() => {
            for (n, row) in rows.iter().enumerate() {
                match wished(row) {
                    Ok(session) => sessions.push(session),
                    Err(bad) => wrong.extend(bad.into_iter().map(|bad| bad.under(&format!("sessions.{n}")))),
                }
            }
        }
        Some(Json::Array(_)) => wrong.push(Invalid::new("sessions", "wire", "This list may not be empty.")),
        None | Some(Json::Null) => wrong.push(Invalid::new("sessions", "wire", "This field is required.")),
        Some(other) => {
            let text = format!("Expected a list of items but got type \"{}\".", python_type(other));
            wrong.push(Invalid::new("sessions", "wire", text));
        }
    }
    match asn {
        Ok(asn) if wrong.is_empty() => Ok(Wish { asn, email, sessions }),
        Ok(_) => Err(wrong),
        Err(bad) => Err(std::iter::once(bad).chain(wrong).collect()),
    }
}

fn wished(row: &Json) -> Result<WishedSession, Vec<Invalid>> {
    let Json::Object(row) = row else {
        let text = format!("Invalid data. Expected a dictionary, but got {}.", python_type(row));
        return Err(vec![Invalid::new("", "wire", text)]);
    };
    let mut wrong = Vec::new();
    let mut address = |name: &str| {
        let text = text(row, name).map_err(|bad| wrong.push(bad)).ok()?;
        if text.is_empty() {
            return None;
        }
        let address = text.parse::<IpAddr>();
        address.map_err(|_| wrong.push(Invalid::new(name, "wire", "Enter a valid IPv4 or IPv6 address."))).ok()
    };
    let (theirs, ours) = (address("local_ip"), address("peer_ip"));
    if theirs.is_none() && !wrong.iter().any(|bad| bad.field == "local_ip") {
        wrong.push(Invalid::new("local_ip", "wire", "This field is required."));
    }
    let location = text(row, "location").map_err(|bad| wrong.push(bad)).unwrap_or_default();
    if location.is_empty() && !wrong.iter().any(|bad| bad.field == "location") {
        wrong.push(Invalid::new("location", "wire", "This field is required."));
    }
    let secret = text(row, "session_secret").map_err(|bad| wrong.push(bad)).unwrap_or_default();
    let secret = (!secret.is_empty()).then(|| Secret::new(secret));
    match theirs {
        Some(theirs) if wrong.is_empty() => Ok(WishedSession { theirs, ours, location, secret }),
        _ => Err(wrong),
    }
}

/// A text, trimmed; empty when it is absent or null.
fn text(of: &Map<String, Json>, name: &str) -> Result<String, Invalid> {
    match of.get(name) {
        None | Some(Json::Null) => Ok(String::new()),
        Some(Json::String(text)) => Ok(text.trim().to_owned()),
        Some(_) => Err(Invalid::new(name, "wire", "Not a valid string.")),
    }
}

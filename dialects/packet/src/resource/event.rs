//! Events: the change log as this dialect shows it. Every named step of a status is an event, and so is every row that was made.

use meetme_app::Error;
use meetme_base::{Kind, RawId, Uid};
use meetme_model::{
    access::{Key, Membership, Organization, Project, SshKey, User},
    fabric::Block,
    metal::{Attachment, Batch, Device, Reservation, SpotRequest, Volume},
    routing::{BgpConfig, DirectSession},
};
use meetme_store::{Change, ChangeQuery, Filter, Object, Resource, Verb};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

use super::device::step_id;
use crate::{
    page::{Link, Page},
    show::{Show, at},
    work::{Gives, Out, Row, Work},
};

const LIST: Gives = Gives::Pages("events", "Event");

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_device_events", "/devices/{id}/events", LIST, list_of_device),
        Row::get("list_volume_events", "/volumes/{id}/events", LIST, list_of_volume),
        Row::get("list_project_events", "/projects/{id}/events", LIST, list_of_project),
        Row::get("list_organization_events", "/organizations/{id}/events", LIST, list_of_organization),
        Row::get("list_events", "/events", LIST, list),
        Row::get("get_event", "/events/{id}", Gives::One("Event"), get),
    ]
}

/// What is shown of the log: the kind, where its rows are found, the type of the event of its making, and a text before its name.
const SHOWN: &[(Kind, &str, &str, &str)] = &[
    (Device::KIND, "/devices", "instance.queued", "Queued device"),
    (Volume::KIND, "/storage", "volume.queued", "Queued volume"),
    (Attachment::KIND, "/storage/attachments", "volume.attached", "Attached"),
    (Project::KIND, "/projects", "project.created", "Created project"),
    (Organization::KIND, "/organizations", "organization.created", "Created organization"),
    (SshKey::KIND, "/ssh-keys", "ssh_key.created", "Added SSH key"),
    (Key::KIND, "/api-keys", "api_key.created", "Created API key"),
    (Membership::KIND, "/memberships", "membership.created", "Added member"),
    (Block::KIND, "/ips", "ip_reservation.created", "Allotted IP block"),
    (Batch::KIND, "/batches", "batch.created", "Queued batch of"),
    (Reservation::KIND, "/hardware-reservations", "hardware_reservation.created", "Reserved"),
    (SpotRequest::KIND, "/spot-market-requests", "spot_market_request.created", "Requested on the spot market"),
    (BgpConfig::KIND, "/bgp-configs", "bgp_config.requested", "Requested BGP as"),
    (DirectSession::KIND, "/bgp/sessions", "bgp_session.created", "Created BGP session"),
];

/// The fields of an event.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    state: Option<&'static str>,
    #[serde(rename = "type")]
    code: String,
    body: String,
    relationships: Vec<Link>,
    interpolated: String,
    /// Null for what has not happened yet.
    created_at: Option<String>,
    href: String,
    ip: Option<String>,
    modified_by: Option<Value>,
    context: Option<Value>,
}

/// The schema of an event, which is no row.
pub fn schema(generator: &mut SchemaGenerator) -> Value {
    Wire::json_schema(generator).to_value()
}

/// The steps of a device as events: those that were done, and those to come.
pub fn steps(show: &Show<'_, '_>, device: &Object<Device>) -> Vec<Wire> {
    let link = || Link { href: show.href::<Device>(device.uid) };
    let each = |(number, step): (usize, &meetme_model::metal::DeviceStep)| {
        let id = step_id(device.uid, number);
        Wire {
            id: id.to_string(),
            state: step.at.is_none().then_some("pending"),
            code: step.code.clone(),
            body: step.text.clone(),
            relationships: vec![link()],
            interpolated: step.text.clone(),
            created_at: step.at.map(at),
            href: format!("#{id}"),
            ip: None,
            modified_by: None,
            context: None,
        }
    };
    device.status.steps.iter().enumerate().map(each).collect()
}

fn query(ids: Vec<RawId>, below: Option<RawId>) -> ChangeQuery {
    ChangeQuery {
        kinds: SHOWN.iter().map(|(kind, ..)| *kind).collect(),
        ids,
        // Every line of a step has a code, and no other line has one.
        verbs: vec![Verb::Create, Verb::Moved],
        below,
        newest: true,
        ..ChangeQuery::default()
    }
}

fn page(work: &mut Work<'_, '_>, query: ChangeQuery) -> Result<Out, Error> {
    let page = Page::of(&work.ask.query)?;
    let total = work.tx.count_changes(&query)?;
    let query = ChangeQuery { limit: page.limit(), offset: page.offset(), ..query };
    let changes = work.tx.changes(&query)?;
    let events = draw(work, &changes)?;
    let meta = page.meta(&work.ask.path, &work.ask.query, total);
    Ok(Out::Json(json!({ "events": events, "meta": meta })))
}

fn list_of_device(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device = work.id::<Device>("id")?;
    page(work, query(vec![device.any()], None))
}

/// The volume's own, and those of its use.
fn list_of_volume(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let volume = work.id::<Volume>("id")?;
    let held = work.tx.ids::<Attachment>(&Filter::eq("volume", volume))?;
    let ids = std::iter::once(volume.any()).chain(held.into_iter().map(|id| id.any())).collect();
    page(work, query(ids, None))
}

fn list_of_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project = work.id::<Project>("id")?;
    page(work, query(Vec::new(), Some(project.any())))
}

fn list_of_organization(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization = work.id::<Organization>("id")?;
    page(work, query(Vec::new(), Some(organization.any())))
}

/// What the caller did.
fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let subject = &work.ask.subject;
    let actor = subject.user.map(|user| user.any()).or(subject.key.map(|key| key.any()));
    page(work, ChangeQuery { actor, ..query(Vec::new(), None) })
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let text = work.param("id")?.to_owned();
    let missing = || Error::missing(meetme_store::Tx::CHANGES, &text);
    let seq = seq(work, &text).ok_or_else(missing)?;
    let found = work.tx.changes(&ChangeQuery { seq: Some(seq), limit: 1, ..query(Vec::new(), None) })?;
    let event = draw(work, &found)?.pop().ok_or_else(missing)?;
    serde_json::to_value(event).map(Out::Json).map_err(|e| Error::Bug(e.to_string()))
}

fn draw(work: &mut Work<'_, '_>, changes: &[Change]) -> Result<Vec<Wire>, Error> {
    let mut out = Vec::with_capacity(changes.len());
    let people = work.tx.many(changes.iter().filter_map(|c| c.actor).map(|id| id.of::<User>()))?;
    for change in changes {
        let id = id(work, change.seq);
        let (text, code) = words(change);
        let link = link(work, change)?;
        let base = work.ask.base;
        let by = change.actor.and_then(|id| people.get(&id.of())).map(|user| {
            json!({ "id": user.uid, "href": format!("{base}/users/{}", user.uid), "full_name": user.spec.title() })
        });
        out.push(Wire {
            id: id.to_string(),
            state: None,
            code,
            body: text.clone(),
            relationships: link.into_iter().collect(),
            interpolated: text,
            created_at: Some(at(change.at)),
            href: format!("{base}/events/{id}"),
            ip: None,
            modified_by: by,
            context: None,
        });
    }
    Ok(out)
}

fn words(change: &Change) -> (String, String) {
    if let (Some(code), Some(note)) = (&change.code, &change.note) {
        return (note.clone(), code.clone());
    }
    let row = SHOWN.iter().find(|(kind, ..)| *kind == change.kind);
    let (code, before) = row.map_or(("event", ""), |(_, _, code, before)| (*code, *before));
    (format!("{before} {}", change.title), code.to_owned())
}

/// The link to what changed, as long as it is there and the caller may see it.
fn link(work: &mut Work<'_, '_>, change: &Change) -> Result<Option<Link>, Error> {
    let registry = work.tx.registry();
    let Some((_, path, ..)) = SHOWN.iter().find(|(kind, ..)| *kind == change.kind) else { return Ok(None) };
    let Some(kind) = registry.kind(change.kind.name()) else { return Ok(None) };
    match work.tx.get_any(kind, change.id) {
        Ok(row) => Ok(Some(Link { href: format!("{}{path}/{}", work.ask.base, row.uid) })),
        Err(meetme_store::Error::Missing { .. }) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// An event's id: an upper half that is this installation's own, and the line's number.
fn id(work: &Work<'_, '_>, seq: i64) -> Uid {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&upper(work));
    bytes[8..].copy_from_slice(&seq.to_be_bytes());
    Uid::from_bytes(bytes)
}

fn seq(work: &Work<'_, '_>, text: &str) -> Option<i64> {
    let uid: Uid = text.parse().ok()?;
    let mut low = [0; 8];
    low.copy_from_slice(&uid.bytes()[8..]);
    // The two highest bits are the variant's.
    let seq = i64::from_be_bytes(low) & (i64::MAX >> 1);
    (id(work, seq) == uid).then_some(seq)
}

fn upper(work: &Work<'_, '_>) -> [u8; 8] {
    let print = work.app.sealer().hash("events");
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&print.as_bytes()[..8]);
    bytes
}

//! What a port carries, one virtual network at a time, and several changes of it at once.

use std::collections::HashMap;

use meetme_app::{
    Error,
    nics::{self, Change},
};
use meetme_base::{Id, Invalid, Time, Uid};
use meetme_http::ValueKind::Text;
use meetme_model::{
    Phase, Wanted,
    access::Project,
    fabric::{Landing, Port, Segment},
    living,
    ops::Job,
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Value, json};

use super::port;
use crate::{
    page::Link,
    show::at,
    work::{Gives, Out, Row, Work},
};

const BATCH: &str = "VlanAssignmentBatch";

pub fn rows() -> Vec<Row> {
    let batches = "/ports/{id}/vlan-assignments/batches";
    vec![
        Row::get(
            "list_port_vlan_assignments",
            "/ports/{id}/vlan-assignments",
            Gives::Pages("vlan_assignments", "VlanAssignment"),
            list,
        ),
        Row::get(
            "get_port_vlan_assignment",
            "/ports/{id}/vlan-assignments/{assignment_id}",
            Gives::One("VlanAssignment"),
            get,
        ),
        Row::get("list_port_vlan_batches", batches, Gives::Pages("batches", BATCH), list_of_batches),
        Row::post("create_port_vlan_batch", batches, Gives::One(BATCH), create).takes(&[("vlan_assignments", Text)]),
        Row::get(
            "get_port_vlan_batch",
            "/ports/{id}/vlan-assignments/batches/{batch_id}",
            Gives::One(BATCH),
            get_batch,
        ),
    ]
}

/// A virtual network on a port.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    created_at: String,
    updated_at: String,
    native: bool,
    state: &'static str,
    vlan: u16,
    port: Link,
    virtual_network: Link,
}

/// Several changes of what a port carries.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BatchWire {
    id: String,
    created_at: String,
    updated_at: String,
    error_messages: Vec<String>,
    quantity: usize,
    state: &'static str,
    port: Link,
    project: Link,
    vlan_assignments: Vec<Value>,
}

/// The schema of a virtual network on a port.
pub fn schema(generator: &mut SchemaGenerator) -> Value {
    Wire::json_schema(generator).to_value()
}

/// The schema of several changes.
pub fn batch_schema(generator: &mut SchemaGenerator) -> Value {
    BatchWire::json_schema(generator).to_value()
}

/// Everything on a port, with what is being taken off it.
fn on(work: &mut Work<'_, '_>, port: Id<Port>) -> Result<Vec<Object<Landing>>, Error> {
    let mut all = work.tx.all::<Landing>(Filter::eq("port", port).and(living()))?;
    all.sort_by_key(|landing| landing.id);
    Ok(all)
}

fn draw(work: &mut Work<'_, '_>, port: &Object<Port>, landings: &[Object<Landing>]) -> Result<Vec<Wire>, Error> {
    let segments = work.tx.many(landings.iter().map(|landing| landing.spec.segment))?;
    let show = work.show();
    let wire = |landing: &Object<Landing>| {
        let segment = segments.get(&landing.spec.segment)?;
        Some(Wire {
            id: landing.uid.to_string(),
            created_at: at(landing.created),
            updated_at: at(landing.updated),
            native: landing.spec.native,
            state: if landing.spec.life.wanted == Wanted::Gone { "unassigning" } else { "assigned" },
            vlan: segment.spec.vlan.get(),
            port: Link { href: show.href::<Port>(port.uid) },
            virtual_network: Link { href: show.href::<Segment>(segment.uid) },
        })
    };
    Ok(landings.iter().filter_map(wire).collect())
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = port::named(work)?;
    let landings = on(work, port.id)?;
    let drawn = draw(work, &port, &landings)?;
    work.page_of("vlan_assignments", drawn)
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = port::named(work)?;
    let text = work.param("assignment_id")?.to_owned();
    let missing = || Error::missing(Landing::KIND, &text);
    let uid: Uid = text.parse().map_err(|()| missing())?;
    let landings: Vec<_> = on(work, port.id)?.into_iter().filter(|landing| landing.uid == uid).collect();
    let drawn = draw(work, &port, &landings)?.pop().ok_or_else(missing)?;
    json(&drawn)
}

fn json(value: &impl Serialize) -> Result<Out, Error> {
    serde_json::to_value(value).map(Out::Json).map_err(|e| Error::Bug(e.to_string()))
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = port::named(work)?;
    let input = &work.ask.input;
    let list = input.list("vlan_assignments")?.ok_or_else(|| Invalid::required("vlan_assignments"))?;
    let mut changes = Vec::with_capacity(list.len());
    for (i, each) in list.iter().enumerate() {
        let field = |name: &str| format!("vlan_assignments.{i}.{name}");
        let text = each.words("vlan")?.ok_or_else(|| Invalid::required(field("vlan")))?;
        let assigned = match each.words("state")?.as_deref() {
            None | Some("assigned") => true,
            Some("unassigned") => false,
            Some(other) => return Err(Invalid::choice(field("state"), other).into()),
        };
        let segment = port::segment(work, port.id, &field("vlan"), &text)?;
        changes.push(Change { segment, assigned, native: each.flag("native")? });
    }
    let batch = nics::batch(work.tx, port.id, &changes)?;
    let drawn = draw_batch(work, &port, &batch)?;
    json(&drawn)
}

/// The batches of a port, the newest first.
fn batches(port: &Object<Port>) -> Filter {
    Filter::eq("subject", port.id).and(Filter::eq("what", nics::VLANS))
}

fn list_of_batches(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = port::named(work)?;
    let query = meetme_store::Query::of(batches(&port)).order(vec![Order::down("created"), Order::down("id")]);
    let rows = work.tx.list::<Job>(&query)?;
    let mut drawn = Vec::with_capacity(rows.len());
    for row in &rows {
        drawn.push(draw_batch(work, &port, row)?);
    }
    work.page_of("batches", drawn)
}

fn get_batch(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = port::named(work)?;
    let text = work.param("batch_id")?.to_owned();
    let missing = || Error::missing(Job::KIND, &text);
    let uid: Uid = text.parse().map_err(|()| missing())?;
    let batch = work.tx.by_uid::<Job>(uid)?;
    if batch.spec.subject != Some(port.id.any()) || batch.spec.what != nics::VLANS {
        return Err(missing());
    }
    let drawn = draw_batch(work, &port, &batch)?;
    json(&drawn)
}

/// The changes were decided when they were asked for; how far the equipment is with them is seen from the port. A change that was
/// taken back since then counts as done.
fn draw_batch(work: &mut Work<'_, '_>, port: &Object<Port>, batch: &Object<Job>) -> Result<BatchWire, Error> {
    let landings = on(work, port.id)?;
    let segments = work.tx.many(landings.iter().map(|landing| landing.spec.segment))?;
    let by_segment: HashMap<String, &Object<Landing>> = landings
        .iter()
        .filter_map(|landing| Some((segments.get(&landing.spec.segment)?.uid.to_string(), landing)))
        .collect();
    let project = work.tx.get::<Project>(port.tenant.of())?.uid;
    let items = batch.spec.inputs.as_array().cloned().unwrap_or_default();
    let (mut open, mut errors, mut drawn) = (false, Vec::new(), Vec::with_capacity(items.len()));
    let mut last: Option<Time> = None;
    for item in &items {
        let landing = item["segment"].as_str().and_then(|uid| by_segment.get(uid));
        let assigned = item["assigned"] == true;
        if let Some(landing) = landing {
            let is_as_asked = assigned == (landing.spec.life.wanted != Wanted::Gone);
            let life = &landing.status.life;
            match life.phase {
                Phase::Failed if is_as_asked => {
                    let text = life.reason.as_ref().map(|reason| reason.text.clone());
                    errors.push(text.unwrap_or_else(|| "The equipment refuses.".to_owned()));
                }
                phase => open |= is_as_asked && phase != Phase::Up,
            }
            last = last.max(life.since);
        }
        drawn.push(json!({
            "id": landing.map(|landing| landing.uid),
            "vlan": item["vlan"],
            "native": item["native"],
            "state": if assigned { "assigned" } else { "unassigned" },
        }));
    }
    let show = work.show();
    Ok(BatchWire {
        id: batch.uid.to_string(),
        created_at: at(batch.created),
        updated_at: at(last.unwrap_or(batch.created).max(batch.created)),
        state: match (errors.is_empty(), open) {
            (false, _) => "failed",
            (true, true) => "in_progress",
            (true, false) => "completed",
        },
        error_messages: errors,
        quantity: items.len(),
        port: Link { href: show.href::<Port>(port.uid) },
        project: Link { href: show.href::<Project>(project) },
        vlan_assignments: drawn,
    })
}

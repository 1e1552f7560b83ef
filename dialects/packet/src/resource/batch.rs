//! Batches: several devices ordered together.

use meetme_app::{Error, devices::batches};
use meetme_base::{Id, Invalid};
use meetme_http::ValueKind::{Boolean, Text};
use meetme_model::{
    access::Project,
    metal::{Batch, Device},
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use super::new_device;
use crate::{
    input::Input,
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Work},
};

const LIST: Gives = Gives::Pages("batches", "Batch");
/// The most batches in one request.
const MOST: usize = 10;

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_project_batches", "/projects/{id}/batches", LIST, list),
        Row::get("get_batch", "/batches/{id}", Gives::One("Batch"), get),
        Row::post("create_device_batch", "/projects/{id}/devices/batch", Gives::List("batches", "Batch"), create)
            .takes(&[("batches", Text)]),
        Row::delete("delete_batch", "/batches/{id}", delete).takes(&[("remove_associated_instances", Boolean)]),
    ]
}

/// The fields of a batch.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    error_messages: Vec<String>,
    quantity: u16,
    state: &'static str,
    created_at: String,
    updated_at: String,
}

impl Shown for Batch {
    const NAME: &'static str = "Batch";
    const PATH: Option<&'static str> = Some("/batches");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::many("devices", &[Device::KIND], |b| b.devices.iter().map(|d| d.any()).collect()),
        Relation::<Self>::back("project", &[Project::KIND], |_, of| {
            Ok(of.iter().map(|b| (b.id.any(), b.tenant)).collect())
        })
        .single(),
    ];
    type Wire = Wire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            error_messages: row.status.errors.clone(),
            quantity: row.spec.quantity,
            state: row.status.state.word(),
            created_at: at(row.created),
            updated_at: at(row.status.ended.unwrap_or(row.updated)),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    work.page::<Batch>("batches", Filter::eq("tenant", project), vec![Order::down("created"), Order::down("id")])
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Batch>("id")?))
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let sent = work.ask.input.list("batches")?.filter(|list| !list.is_empty());
    let sent = sent.ok_or_else(|| Invalid::required("batches"))?;
    if sent.len() > MOST {
        return Err(Invalid::range("batches", 1, MOST).into());
    }
    let mut ids = Vec::with_capacity(sent.len());
    for (number, input) in sent.iter().enumerate() {
        let made = one(work, input).and_then(|batch| batches::ask(work.tx, project, batch));
        ids.push(made.map_err(|e| inside(number, e))?.id.any());
    }
    Ok(Out::Many("batches", Batch::KIND, ids, None))
}

fn one(work: &mut Work<'_, '_>, input: &Input) -> Result<Batch, Error> {
    let names = input.texts("hostnames")?.unwrap_or_default();
    let usual = i64::try_from(names.len().max(1)).unwrap_or(i64::MAX);
    let quantity = input.integer("quantity")?.unwrap_or(usual);
    let quantity = u16::try_from(quantity).map_err(|_| Invalid::range("quantity", 1, Batch::MOST))?;
    let spread = match input.integer("facility_diversity_level")? {
        // What a client sends that was not told any level.
        None | Some(0) => None,
        Some(level) => {
            let bad = |_| Invalid::range("facility_diversity_level", 1, u8::MAX);
            Some(u8::try_from(level).map_err(bad)?)
        }
    };
    let wish = new_device::read(work, input)?;
    Ok(Batch { wish, quantity, names, spread, devices: Vec::new() })
}

/// Says in which of several batches a value is wrong.
fn inside(number: usize, error: Error) -> Error {
    match error {
        Error::Invalid(list) => Error::Invalid(
            list.into_iter().map(|bad| Invalid { field: format!("batches.{number}.{}", bad.field), ..bad }).collect(),
        ),
        other => other,
    }
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    let devices = work.ask.input.flag("remove_associated_instances")?.unwrap_or(false);
    batches::remove(work.tx, id, devices)?;
    Ok(Out::Nothing)
}

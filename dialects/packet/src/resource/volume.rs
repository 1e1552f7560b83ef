//! Volumes: block storage of projects.

use meetme_app::{
    Error,
    volumes::{self, Changes, NewVolume},
};
use meetme_base::{Id, Invalid};
use meetme_http::{
    ValueKind::{Boolean, Integer, Text},
    Verb,
};
use meetme_model::{
    Lock, Phase, Wanted,
    access::Project,
    metal::{Attachment, Snapshot, SnapshotPolicy, Volume},
    place::{Line, Plan, Site},
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{device, facility, new_device::known, snapshot};
use crate::{
    error::renamed,
    input::Input,
    show::{Relation, Show, Shown, at, referring, rows_referring},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("Volume");
const NEW: Takes = &[
    ("description", Text),
    ("plan", Text),
    ("plan_id", Text),
    ("size", Integer),
    ("facility", Text),
    ("facility_id", Text),
    ("billing_cycle", Text),
    ("locked", Boolean),
    ("snapshot_policies", Text),
];
const CHANGES: Takes = &[
    ("description", Text),
    ("size", Integer),
    ("plan", Text),
    ("plan_id", Text),
    ("billing_cycle", Text),
    ("locked", Boolean),
];

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_project_volumes", "/projects/{id}/storage", Gives::Pages("volumes", "Volume"), list),
        Row::post("create_volume", "/projects/{id}/storage", ONE, create).takes(NEW),
        Row::get("get_volume", "/storage/{id}", ONE, get),
        Row::put("update_volume", "/storage/{id}", ONE, update).takes(CHANGES),
        Row::patch("patch_volume", "/storage/{id}", ONE, update).takes(CHANGES),
        Row::delete("delete_volume", "/storage/{id}", delete),
        Row::post("clone_volume", "/storage/{id}/clone", ONE, clone).takes(&[("snapshot_timestamp", Text)]),
        Row::post("restore_volume", "/storage/{id}/restore", Gives::Nothing, restore)
            .status(204)
            .verb(Verb::Act)
            .takes(&[("restore_point", Text)]),
    ]
}

/// The fields of a volume.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    name: String,
    description: Option<String>,
    size: u32,
    locked: bool,
    billing_cycle: &'static str,
    state: &'static str,
    created_at: String,
    updated_at: String,
    access: Access,
}

/// Where machines find it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Access {
    ips: Vec<String>,
    iqn: String,
}

impl Shown for Volume {
    const NAME: &'static str = "Volume";
    const PATH: Option<&'static str> = Some("/storage");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::back("project", &[Project::KIND], |_, of| {
            Ok(of.iter().map(|row| (row.id.any(), row.tenant)).collect())
        })
        .single(),
        Relation::<Self>::one("facility", &[Site::KIND], |v| Some(v.site.any())).whole(),
        Relation::<Self>::one("plan", &[Plan::KIND], |v| Some(v.plan.any())).whole(),
        // What is being taken away is gone for whoever asks.
        Relation::<Self>::back("attachments", &[Attachment::KIND], |tx, of| {
            let mut rows = rows_referring::<_, Attachment>(tx, of, "volume")?;
            rows.retain(|(_, row)| row.spec.life.wanted != Wanted::Gone);
            Ok(rows.into_iter().map(|(volume, row)| (volume, row.id.any())).collect())
        }),
        Relation::<Self>::back("snapshot_policies", &[SnapshotPolicy::KIND], |tx, of| {
            referring::<_, SnapshotPolicy>(tx, of, "volume")
        })
        .whole(),
        Relation::<Self>::back("snapshots", &[Snapshot::KIND], |tx, of| {
            let mut rows = rows_referring::<_, Snapshot>(tx, of, "volume")?;
            rows.retain(|(_, row)| row.spec.life.wanted != Wanted::Gone);
            Ok(rows.into_iter().map(|(volume, row)| (volume, row.id.any())).collect())
        }),
    ];
    type Wire = Wire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            name: row.spec.name.clone(),
            description: row.spec.description.clone(),
            size: row.spec.size_gb,
            locked: row.spec.life.lock != Lock::None,
            billing_cycle: device::billing(row.spec.life.term),
            state: state(row),
            created_at: at(row.created),
            updated_at: at(row.updated),
            access: Access {
                ips: row.status.portals.iter().map(ToString::to_string).collect(),
                iqn: row.status.iqn.clone().unwrap_or_default(),
            },
        };
        Ok(objects.iter().map(wire).collect())
    }
}

/// What has failed is shown as what it was at: clients know no other words.
fn state(row: &Object<Volume>) -> &'static str {
    match row.status.life.phase {
        _ if row.spec.life.wanted == Wanted::Gone => "deleted",
        Phase::Queued | Phase::Draft | Phase::Asking => "queued",
        _ if row.status.life.ready_at.is_none() => "provisioning",
        _ => "active",
    }
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let filter = Filter::eq("tenant", project).and(meetme_model::living());
    work.page::<Volume>("volumes", filter, vec![Order::up("id")])
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Volume>("id")?))
}

/// The plan that is named, by slug or UUID, under either name.
fn plan(work: &mut Work<'_, '_>) -> Result<Option<Id<Plan>>, Error> {
    for field in ["plan", "plan_id"] {
        let Some(text) = work.ask.input.words(field)? else { continue };
        let mut filter = Filter::eq("slug", text.as_str());
        if let Ok(row) = work.row::<Plan>(&text) {
            filter = Filter::eq("id", row.id);
        }
        let found = work.tx.one::<Plan>(&filter.and(Filter::eq("line", Line::Volume.word())))?;
        return Ok(Some(found.ok_or_else(|| super::unknown(field, &text))?.id));
    }
    Ok(None)
}

fn site(work: &mut Work<'_, '_>) -> Result<Id<Site>, Error> {
    for field in ["facility", "facility_id"] {
        if let Some(code) = work.ask.input.words(field)? {
            let found = facility::find(work, &code);
            return Ok(known(field, &code, found)?.id);
        }
    }
    Err(Invalid::required("facility").into())
}

fn size(input: &Input) -> Result<Option<u32>, Error> {
    let number = input.integer("size")?;
    number.map(|n| u32::try_from(n).map_err(|_| Invalid::range("size", 1, 100_000).into())).transpose()
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let (site, plan) = (site(work)?, plan(work)?.ok_or_else(|| Invalid::required("plan"))?);
    let input = &work.ask.input;
    let new = NewVolume {
        project,
        site,
        plan,
        size_gb: size(input)?.ok_or_else(|| Invalid::required("size"))?,
        description: input.words("description")?,
        term: device::term(&input.words("billing_cycle")?.unwrap_or_else(|| "hourly".to_owned()))?,
        locked: input.flag("locked")?.unwrap_or(false),
        policies: policies(input)?,
        ext: Default::default(),
    };
    let made = volumes::order(work.tx, &new).map_err(|e| renamed(e, "size_gb", "size"))?;
    Ok(Out::one(&made))
}

/// One client sends a list of rules, another one rule by itself.
fn policies(input: &Input) -> Result<Vec<(meetme_model::metal::Frequency, u16)>, Error> {
    let name = "snapshot_policies";
    let list = match input.raw(name) {
        Some(Value::Object(map)) if map.is_empty() => Vec::new(),
        Some(Value::Object(_)) => input.inner(name)?.into_iter().collect(),
        _ => input.list(name)?.unwrap_or_default(),
    };
    list.iter()
        .map(|one| {
            let every = snapshot::frequency(one)?.ok_or_else(|| Invalid::required("snapshot_frequency"))?;
            let keep = snapshot::count(one)?.ok_or_else(|| Invalid::required("snapshot_count"))?;
            Ok((every, keep))
        })
        .collect()
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    let plan = plan(work)?;
    let input = &work.ask.input;
    let term = input.words("billing_cycle")?.map(|text| device::term(&text)).transpose()?;
    let changes = Changes {
        description: input.text("description")?,
        size_gb: size(input)?,
        plan,
        term,
        locked: input.flag("locked")?,
    };
    let changed = volumes::change(work.tx, id, &changes).map_err(|e| renamed(e, "size_gb", "size"))?;
    Ok(Out::one(&changed))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let row = work.named::<Volume>("id")?;
    if row.spec.life.wanted == Wanted::Gone {
        return Err(Error::missing(Volume::KIND, row.uid));
    }
    volumes::remove(work.tx, row.id)?;
    Ok(Out::Nothing)
}

fn clone(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Volume> = work.id("id")?;
    let of = snapshot::at_timestamp(work, id, "snapshot_timestamp")?;
    Ok(Out::one(&volumes::copy(work.tx, id, of)?))
}

fn restore(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Volume> = work.id("id")?;
    let of = snapshot::at_timestamp(work, id, "restore_point")?.ok_or_else(|| Invalid::required("restore_point"))?;
    volumes::restore(work.tx, id, of)?;
    Ok(Out::Nothing)
}

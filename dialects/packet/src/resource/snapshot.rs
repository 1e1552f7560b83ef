//! Snapshots of volumes, and the rules by which they are taken. A snapshot is known by its moment, written in seconds with nine digits after
//! the point.

use meetme_app::{Error, volumes};
use meetme_base::{Id, Invalid, Time};
use meetme_http::ValueKind::{Integer, Text};
use meetme_model::{
    Phase, Wanted,
    metal::{Frequency, Snapshot, SnapshotPolicy, Volume},
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    input::Input,
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Takes, Work},
};

const POLICY: Gives = Gives::One("SnapshotPolicy");
const INPUTS: Takes = &[("snapshot_frequency", Text), ("snapshot_count", Integer)];
/// The words of this dialect.
const FREQUENCIES: &[(&str, Frequency)] = &[
    ("15min", Frequency::Quarter),
    ("1hour", Frequency::Hour),
    ("1day", Frequency::Day),
    ("1week", Frequency::Week),
    ("1month", Frequency::Month),
    ("1year", Frequency::Year),
];

pub fn rows() -> Vec<Row> {
    let one = "/storage/snapshot-policies/{id}";
    vec![
        Row::get("list_volume_snapshots", "/storage/{id}/snapshots", Gives::List("snapshots", "Snapshot"), list),
        Row::post("create_volume_snapshot", "/storage/{id}/snapshots", Gives::Nothing, take).status(202),
        Row::delete("delete_volume_snapshot", "/storage/{volume_id}/snapshots/{id}", delete),
        Row::post("create_snapshot_policy", "/storage/{id}/snapshot-policies", POLICY, add).takes(INPUTS),
        Row::put("update_snapshot_policy", one, POLICY, change).takes(INPUTS),
        Row::patch("patch_snapshot_policy", one, POLICY, change).takes(INPUTS),
        Row::delete("delete_snapshot_policy", one, remove),
    ]
}

/// The fields of a snapshot.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    status: &'static str,
    timestamp: String,
    created_at: String,
}

impl Shown for Snapshot {
    const NAME: &'static str = "Snapshot";
    const PATH: Option<&'static str> = None;
    const RELATIONS: &'static [Relation<Self>] =
        &[Relation::<Self>::one("volume", &[Volume::KIND], |s| Some(s.volume.any()))];
    type Wire = Wire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            status: match row.status.life.phase {
                Phase::Up => "available",
                Phase::Removing | Phase::Gone => "deleting",
                Phase::Failed => "failed",
                _ => "creating",
            },
            timestamp: timestamp(row.spec.taken_at),
            created_at: at(row.created),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

/// A moment as restore points are written.
pub fn timestamp(time: Time) -> String {
    format!("{}.{:09}", time.0.div_euclid(1000), time.0.rem_euclid(1000) * 1_000_000)
}

/// The fields of a rule.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PolicyWire {
    id: String,
    snapshot_frequency: &'static str,
    snapshot_count: u16,
    created_at: String,
    updated_at: String,
}

impl Shown for SnapshotPolicy {
    const NAME: &'static str = "SnapshotPolicy";
    const PATH: Option<&'static str> = Some("/storage/snapshot-policies");
    const RELATIONS: &'static [Relation<Self>] = &[];
    type Wire = PolicyWire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<PolicyWire>, Error> {
        let wire = |row: &Object<Self>| PolicyWire {
            id: row.uid.to_string(),
            snapshot_frequency: FREQUENCIES.iter().find(|(_, f)| *f == row.spec.every).map_or("1day", |(word, _)| word),
            snapshot_count: row.spec.keep,
            created_at: at(row.created),
            updated_at: at(row.updated),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

/// How often, if it is said.
pub fn frequency(input: &Input) -> Result<Option<Frequency>, Error> {
    let Some(text) = input.words("snapshot_frequency")? else { return Ok(None) };
    let found = FREQUENCIES.iter().find(|(word, _)| *word == text);
    found.map(|(_, every)| Some(*every)).ok_or_else(|| Invalid::choice("snapshot_frequency", text).into())
}

/// How many are kept, if it is said.
pub fn count(input: &Input) -> Result<Option<u16>, Error> {
    let number = input.integer("snapshot_count")?;
    number.map(|n| u16::try_from(n).map_err(|_| Invalid::range("snapshot_count", 1, 1000).into())).transpose()
}

/// The snapshot of a volume that an input names by its moment.
pub fn at_timestamp(work: &mut Work<'_, '_>, volume: Id<Volume>, field: &str) -> Result<Option<Id<Snapshot>>, Error> {
    let Some(text) = work.ask.input.words(field)? else { return Ok(None) };
    let here = Filter::eq("volume", volume).and(Filter::eq("wanted", Wanted::Up.word()));
    let rows = work.tx.all::<Snapshot>(here.and(meetme_model::living()))?;
    let found = rows.into_iter().find(|row| timestamp(row.spec.taken_at) == text);
    found.map(|row| Some(row.id)).ok_or_else(|| super::unknown(field, &text))
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let volume: Id<Volume> = work.id("id")?;
    let here = Filter::eq("volume", volume).and(Filter::eq("wanted", Wanted::Up.word()));
    work.every::<Snapshot>("snapshots", here.and(meetme_model::living()), vec![Order::up("id")])
}

fn take(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let volume = work.id("id")?;
    volumes::take_snapshot(work.tx, volume, None)?;
    Ok(Out::Nothing)
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let volume: Id<Volume> = work.id("volume_id")?;
    let row: Object<Snapshot> = work.named("id")?;
    if row.spec.volume != volume || row.spec.life.wanted == Wanted::Gone {
        return Err(Error::missing(Snapshot::KIND, row.uid));
    }
    volumes::drop_snapshot(work.tx, row.id)?;
    Ok(Out::Nothing)
}

fn add(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let volume = work.named::<Volume>("id")?;
    let every = frequency(&work.ask.input)?.ok_or_else(|| Invalid::required("snapshot_frequency"))?;
    let keep = count(&work.ask.input)?.ok_or_else(|| Invalid::required("snapshot_count"))?;
    let made = volumes::add_policy(work.tx, &volume, every, keep);
    Ok(Out::one(&made.map_err(|e| crate::error::renamed(e, "keep", "snapshot_count"))?))
}

fn change(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    let (every, keep) = (frequency(&work.ask.input)?, count(&work.ask.input)?);
    let changed = volumes::change_policy(work.tx, id, every, keep);
    Ok(Out::one(&changed.map_err(|e| crate::error::renamed(e, "keep", "snapshot_count"))?))
}

fn remove(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<SnapshotPolicy> = work.id("id")?;
    work.tx.remove(id)?;
    Ok(Out::Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_seconds_with_nine_digits_after_the_point() {
        assert_eq!(timestamp(Time(1_468_434_166_103)), "1468434166.103000000");
    }
}

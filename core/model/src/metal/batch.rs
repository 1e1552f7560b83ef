//! Several equal machines ordered together: all of them or none.

use meetme_base::{Id, Invalid, Kind, Time};
use meetme_store::{Edge, Field, FieldType, OnDelete, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Device, DeviceWish};
use crate::{
    check,
    edge::{ids, without},
};

/// An order of several machines. It is kept until it is carried out, and after that says what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Batch {
    /// What each of the machines shall be.
    pub wish: DeviceWish,
    /// How many.
    pub quantity: u16,
    /// Their host names in order; those of the wish when empty, in which `{{index}}` is a machine's number from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Over how many sites they may be spread at most; any number when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<u8>,
    /// The machines, once there are any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Id<Device>>,
}

/// Where a batch stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Waits for its turn.
    #[default]
    Queued,
    /// The machines are being ordered.
    InProgress,
    /// All machines are ordered.
    Completed,
    /// None could be ordered.
    Failed,
}

impl BatchState {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["queued", "in_progress", "completed", "failed"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// What became of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BatchStatus {
    /// Where it stands.
    pub state: BatchState,
    /// Why it failed, one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Time>,
}

impl Batch {
    /// The most machines in one batch: they are ordered in one transaction, and others wait for it.
    pub const MOST: u16 = 100;

    /// The host name of the machine with this number, counted from 0.
    pub fn name(&self, number: usize) -> Option<String> {
        match self.names.get(number) {
            Some(name) => Some(name.clone()),
            None => self.wish.hostname.as_ref().map(|name| name.replace("{{index}}", &(number + 1).to_string())),
        }
    }
}

impl Resource for Batch {
    const KIND: Kind = Kind::new("batch");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("quantity", FieldType::Int, |s: &Self| s.quantity.into()),
        Field::status("state", FieldType::Text, |s: &Self::Status| s.state.word().into())
            .indexed()
            .words(BatchState::WORDS),
        Field::status("ended", FieldType::Time, |s: &Self::Status| s.ended.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::many(
        "devices",
        &[Device::KIND],
        OnDelete::Detach,
        |s| ids(&s.devices),
        |s, id| without(&mut s.devices, id),
    )];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "created"]];
    type Status = BatchStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::range("quantity", self.quantity, 1, Self::MOST)?;
        if !self.names.is_empty() && self.names.len() != usize::from(self.quantity) {
            return Err(Invalid::rule("hostnames", "There must be as many host names as machines."));
        }
        self.spread.map_or(Ok(()), |spread| check::range("facility_diversity_level", spread, 1, u8::MAX))
    }

    fn title(&self) -> String {
        format!("{} devices", self.quantity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(quantity: u16, names: &[&str], hostname: Option<&str>) -> Batch {
        let mut wish = DeviceWish::new(Id::new(1), Id::new(2), Vec::new());
        wish.hostname = hostname.map(str::to_owned);
        let names = names.iter().map(|n| (*n).to_owned()).collect();
        Batch { wish, quantity, names, spread: None, devices: Vec::new() }
    }

    #[test]
    fn names_are_listed_or_counted_or_all_the_same() {
        let name = |batch: Batch| (batch.name(0), batch.name(1));
        let some = |a: &str, b: &str| (Some(a.to_owned()), Some(b.to_owned()));
        assert_eq!(name(batch(2, &["a", "b"], None)), some("a", "b"));
        assert_eq!(name(batch(2, &[], Some("web{{index}}.example.net"))), some("web1.example.net", "web2.example.net"));
        assert_eq!(name(batch(2, &[], Some("web"))), some("web", "web"));
        assert_eq!(name(batch(2, &[], None)), (None, None));
    }

    #[test]
    fn a_batch_has_a_name_for_each_machine_or_none() {
        let field = |batch: Batch| batch.check(None).err().map(|e| e.field).unwrap_or_default();
        assert_eq!(field(batch(2, &["a", "b"], None)), "");
        assert_eq!(field(batch(2, &["a"], None)), "hostnames");
        assert_eq!(field(batch(0, &[], None)), "quantity");
        assert_eq!(field(batch(Batch::MOST + 1, &[], None)), "quantity");
    }
}

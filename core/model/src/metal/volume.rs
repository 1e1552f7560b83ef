//! Block storage: a volume that a project orders at a site, and the machines that may use it.

use std::net::IpAddr;

use meetme_base::{Id, Invalid, Kind, Uid};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Device, Snapshot};
use crate::{
    Ext, Life, LifeStatus, Phase, Wanted, check,
    place::{Plan, Site},
};

/// The smallest and the largest size, in GB.
pub const SIZES: std::ops::RangeInclusive<u32> = 1..=100_000;

/// A volume. The row hangs on its project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// Its name on the equipment and for people, the same for its whole life.
    pub name: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its size in GB (10^9 bytes). It can grow, and not shrink.
    pub size_gb: u32,
    /// The wish about its life.
    #[serde(default)]
    pub life: Life,
    /// Where it is.
    pub site: Id<Site>,
    /// How fast it is.
    pub plan: Id<Plan>,
    /// What it began as a copy of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<Origin>,
    /// How often its content was put back. Controllers make the equipment catch up with the number.
    #[serde(default)]
    pub restores: u32,
    /// The snapshot that the last of these puts back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_from: Option<Id<Snapshot>>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What a volume is a copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Origin {
    /// The volume. It may be gone by now, so this is no reference.
    pub volume: Uid,
    /// The number by which the equipment knows that volume.
    pub number: i64,
    /// The number by which it knows the snapshot; what was on the volume at the time when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<i64>,
}

/// What was seen of a volume.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct VolumeStatus {
    /// Its life.
    pub life: LifeStatus,
    /// The name by which machines find it (RFC 3720, section 3.2.6.3.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iqn: Option<String>,
    /// Where machines reach it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub portals: Vec<IpAddr>,
    /// The size it has, in GB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_gb: Option<u32>,
    /// How often its content was put back.
    pub restores: u32,
}

impl Resource for Volume {
    const KIND: Kind = Kind::new("volume");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::new("size_gb", FieldType::Int, |s| i64::from(s.size_gb).into()),
        // What it is a copy of, by number.
        Field::new("copied_from", FieldType::Int, |s: &Self| s.copy_of.map(|origin| origin.number).into())
            .indexed()
            .hidden(),
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.life.phase.word().into())
            .indexed()
            .words(Phase::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("site", &[Site::KIND], |s| Some(s.site.any())),
        Edge::refuse("plan", &[Plan::KIND], |s| Some(s.plan.any())),
        Edge::detach("restore_from", &[Snapshot::KIND], |s| s.restore_from.map(Id::any), |s| s.restore_from = None),
    ];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "created"]];
    type Status = VolumeStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        check::range("size_gb", self.size_gb, *SIZES.start(), *SIZES.end())?;
        if before.is_some_and(|b| b.size_gb > self.size_gb) {
            return Err(Invalid::rule("size_gb", "A volume cannot shrink."));
        }
        if before.is_some_and(|b| b.site != self.site) {
            return Err(Invalid::rule("site", "A volume cannot be moved to another site."));
        }
        Ok(())
    }

    fn title(&self) -> String {
        self.name.clone()
    }

    fn is_gone(&self, status: &Self::Status) -> bool {
        status.life.phase == Phase::Gone
    }
}

/// That a machine may use a volume. The row hangs on the project of both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attachment {
    /// The volume.
    pub volume: Id<Volume>,
    /// The machine.
    pub device: Id<Device>,
    /// The name by which the equipment knows the machine (RFC 3720, section 3.2.6.3.1).
    pub initiator: String,
    /// The wish about its life.
    #[serde(default)]
    pub life: Life,
}

/// What was seen of an attachment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct AttachmentStatus {
    /// Its life.
    pub life: LifeStatus,
}

impl Resource for Attachment {
    const KIND: Kind = Kind::new("attachment");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("wanted", FieldType::Text, |s: &Self| s.life.wanted.word().into()).words(Wanted::WORDS),
        Field::status("phase", FieldType::Text, |s: &Self::Status| s.life.phase.word().into())
            .indexed()
            .words(Phase::WORDS),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("volume", &[Volume::KIND], |s| Some(s.volume.any())),
        Edge::cascade("device", &[Device::KIND], |s| Some(s.device.any())),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["volume"]];
    type Status = AttachmentStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| (b.volume, b.device) != (self.volume, self.device)) {
            return Err(Invalid::rule("device", "Detach the volume and attach it anew."));
        }
        check::name("initiator", &self.initiator, 223)
    }

    fn title(&self) -> String {
        format!("volume {} on device {}", self.volume, self.device)
    }

    fn is_gone(&self, status: &Self::Status) -> bool {
        status.life.phase == Phase::Gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(size: u32) -> Volume {
        serde_json::from_value(serde_json::json!({"name": "v", "size_gb": size, "site": 1, "plan": 2})).unwrap()
    }

    #[test]
    fn a_volume_grows_and_does_not_shrink_or_move() {
        let before = volume(10);
        assert_eq!(volume(20).check(Some(&before)), Ok(()));
        assert_eq!(volume(5).check(Some(&before)).unwrap_err().field, "size_gb");
        assert_eq!(volume(0).check(None).unwrap_err().field, "size_gb");
        let moved = Volume { site: Id::new(3), ..volume(10) };
        assert_eq!(moved.check(Some(&before)).unwrap_err().field, "site");
    }
}

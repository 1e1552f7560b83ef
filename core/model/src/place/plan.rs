//! A size that can be bought: of a machine, of a virtual appliance, of a volume.

use meetme_base::{Id, Invalid, Kind};
use meetme_store::{Edge, Field, FieldType, OnDelete, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Site;
use crate::{
    Ext, Nothing, check,
    edge::{ids, without},
};

/// A size of something.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Plan {
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The family of sizes it belongs to; the short name when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// What it is a size of.
    pub line: Line,
    /// What is in it.
    pub specs: Specs,
    /// What it can do, in single words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// Whether it is no longer sold to newcomers.
    pub legacy: bool,
    /// How it can be ordered.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<OrderForm>,
    /// The sites it is sold at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sold_at: Vec<Id<Site>>,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What a plan is a size of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// A machine of one's own.
    #[default]
    Server,
    /// A virtual appliance.
    Vm,
    /// Storage over the network.
    Volume,
}

impl Line {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["server", "vm", "volume"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// How a plan can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderForm {
    /// At a fixed price.
    OnDemand,
    /// At the price of the hour, until somebody bids more.
    Spot,
}

/// What is in a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Specs {
    /// Processors; of a virtual appliance, its cores.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cpus: Vec<Part>,
    /// The most cores a virtual appliance of this size may be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_max: Option<u32>,
    /// Memory in mebibytes.
    pub memory_mib: u64,
    /// Disks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drives: Vec<Drive>,
    /// Network interfaces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nics: Vec<Part>,
}

/// A number of equal parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// How many.
    pub count: u32,
    /// Of what, in the maker's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
}

/// A number of equal disks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Drive {
    /// How many.
    pub count: u32,
    /// The size of each in gigabytes.
    pub size_gb: u64,
    /// How it stores, such as `SSD`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub form: String,
    /// What it is for, such as `boot`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

impl Plan {
    /// How many cores or processors it has.
    pub fn cpu_count(&self) -> u32 {
        self.specs.cpus.iter().map(|c| c.count).sum()
    }

    /// The feature of machines whose interfaces carry no segments.
    pub const LAYER3_ONLY: &'static str = "layer3_only";
    /// The feature of machines whose second interface carries segments and nothing else, for good.
    pub const HYBRID_ONLY: &'static str = "hybrid_only";

    /// Whether it has a feature.
    pub fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|f| f == feature)
    }
}

impl Resource for Plan {
    const KIND: Kind = Kind::new("plan");
    const AREA: &'static str = "place";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("description", FieldType::Text, |s| s.description.clone().into()),
        Field::new("class", FieldType::Text, |s| s.class.clone().into()),
        Field::new("line", FieldType::Text, |s: &Self| s.line.word().into()).indexed().words(Line::WORDS),
        Field::new("cpus", FieldType::Int, |s| s.cpu_count().into()),
        Field::new("memory_mib", FieldType::Int, |s| i64::try_from(s.specs.memory_mib).ok().into()),
        Field::new("features", FieldType::Texts, |s| s.features.clone().into()),
        Field::new("legacy", FieldType::Bool, |s| s.legacy.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::many(
        "sold_at",
        &[Site::KIND],
        OnDelete::Detach,
        |s| ids(&s.sold_at),
        |s, id| without(&mut s.sold_at, id),
    )];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["slug"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::slug("slug", &strip_dots(&self.slug), 100)?;
        check::name("name", &self.name, 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        check::length("class", self.class.as_deref().unwrap_or_default(), 100)?;
        if before.is_some_and(|b| b.line != self.line) {
            return Err(Invalid::rule("line", "A plan stays a size of the same thing."));
        }
        let counts = self.specs.cpus.iter().chain(&self.specs.nics).map(|p| p.count);
        for count in counts.chain(self.specs.drives.iter().map(|d| d.count)) {
            check::range("specs", count, 1, 1_000_000)?;
        }
        match self.specs.cpu_max {
            Some(most) if most < self.cpu_count() => {
                Err(Invalid::rule("specs.cpu_max", "The most cores cannot be fewer than those of the plan."))
            }
            _ => Ok(()),
        }
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

/// Sizes and image versions are written with dots (`c3.small.x86`), which are as good in a path as a hyphen.
pub(super) fn strip_dots(slug: &str) -> String {
    slug.replace('.', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(specs: Specs) -> Plan {
        Plan { slug: "c3.small.x86".into(), name: "c3.small.x86".into(), specs, ..Plan::default() }
    }

    #[test]
    fn the_most_cores_are_not_fewer_than_the_first() {
        let cpus = vec![Part { count: 4, model: String::new() }];
        let specs = |cpu_max| Specs { cpus: cpus.clone(), cpu_max, ..Specs::default() };
        assert!(plan(specs(Some(4))).check(None).is_ok() && plan(specs(None)).check(None).is_ok());
        assert_eq!(plan(specs(Some(2))).check(None).unwrap_err().field, "specs.cpu_max");
    }
}

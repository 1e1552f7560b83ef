//! A building, or a suite of one, where equipment stands.

use meetme_base::{Id, Invalid, Kind, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Geo, Metro, OtherIds, PostalAddress, check_ids, id_texts};
use crate::{Ext, Nothing, check};

/// One of the two halves of a site that share no power, no cooling and no equipment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Zone {
    /// The first half.
    A,
    /// The second half.
    B,
}

impl Zone {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["a", "b"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// A place where equipment stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Site {
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Who runs the building.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    /// The campus the building stands on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campus: Option<String>,
    /// The floor or suite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// Its address.
    #[serde(default)]
    pub address: PostalAddress,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo: Option<Geo>,
    /// The market whose prices and terms hold there; the metro's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// What can be had there, in single words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The zones it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<Zone>,
    /// Whether it can be ordered at.
    #[serde(default)]
    pub state: SiteState,
    /// When it went, or will go, into service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live_on: Option<Time>,
    /// What others call it.
    #[serde(default, skip_serializing_if = "OtherIds::is_empty")]
    pub other_ids: OtherIds,
    /// The number of the facility in the public peering database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pdb_facility: Option<u32>,
    /// What a visitor should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The metro it is in.
    pub metro: Id<Metro>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// Whether a site can be ordered at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SiteState {
    /// Yes.
    #[default]
    Active,
    /// Not yet.
    Coming,
    /// Only what is there may be changed.
    Restricted,
    /// No longer.
    Retired,
}

impl SiteState {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["active", "coming", "restricted", "retired"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Site {
    /// An active site of that metro, without zones and features.
    pub fn new(slug: impl Into<String>, name: impl Into<String>, metro: Id<Metro>) -> Self {
        Self {
            slug: slug.into(),
            name: name.into(),
            vendor: String::new(),
            campus: None,
            suite: None,
            address: PostalAddress::default(),
            geo: None,
            market: None,
            features: Vec::new(),
            zones: Vec::new(),
            state: SiteState::Active,
            live_on: None,
            other_ids: OtherIds::new(),
            pdb_facility: None,
            note: None,
            metro,
            ext: Ext::new(),
        }
    }
}

impl Resource for Site {
    const KIND: Kind = Kind::new("site");
    const AREA: &'static str = "place";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("vendor", FieldType::Text, |s: &Self| s.vendor.as_str().into()).searchable(),
        Field::new("campus", FieldType::Text, |s| s.campus.clone().into()),
        Field::new("city", FieldType::Text, |s: &Self| s.address.city.as_str().into()).searchable(),
        Field::new("country", FieldType::Text, |s| s.address.country.as_str().into()),
        Field::new("market", FieldType::Text, |s| s.market.clone().into()),
        Field::new("features", FieldType::Texts, |s| s.features.clone().into()),
        Field::new("zones", FieldType::Texts, |s: &Self| {
            s.zones.iter().map(|z| z.word().to_owned()).collect::<Vec<_>>().into()
        })
        .words(Zone::WORDS),
        Field::new("state", FieldType::Text, |s: &Self| s.state.word().into()).words(SiteState::WORDS),
        Field::new("live_on", FieldType::Time, |s| s.live_on.into()),
        Field::new("other_ids", FieldType::Texts, |s: &Self| id_texts(&s.other_ids).into()).searchable(),
        Field::new("pdb_facility", FieldType::Int, |s: &Self| s.pdb_facility.into()).indexed(),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::refuse("metro", &[Metro::KIND], |s| Some(s.metro.any()))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::slug("slug", &self.slug, 100)?;
        check::name("name", &self.name, 255)?;
        check::length("vendor", &self.vendor, 255)?;
        for (field, text, most) in [
            ("campus", &self.campus, 255),
            ("suite", &self.suite, 255),
            ("market", &self.market, 20),
            ("note", &self.note, 4000),
        ] {
            check::length(field, text.as_deref().unwrap_or_default(), most)?;
        }
        self.address.check("address")?;
        self.geo.map_or(Ok(()), |geo| geo.check("geo"))?;
        if matches!(self.zones[..], [first, second, ..] if self.zones.len() > 2 || first == second) {
            return Err(Invalid::rule("zones", "Each zone may be named once."));
        }
        check_ids(&self.other_ids)
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_names_each_zone_once() {
        let site = |zones| Site { zones, ..Site::new("ral1", "Raleigh 1", Id::new(1)) };
        for good in [vec![], vec![Zone::B], vec![Zone::A, Zone::B]] {
            assert!(site(good).check(None).is_ok());
        }
        for bad in [vec![Zone::A, Zone::A], vec![Zone::A, Zone::B, Zone::A]] {
            assert_eq!(site(bad).check(None).unwrap_err().field, "zones");
        }
    }

    #[test]
    fn the_words_are_those_that_are_stored() {
        assert_eq!((Zone::parse("a"), Zone::parse("b"), Zone::parse("c")), (Some(Zone::A), Some(Zone::B), None));
        let states = [SiteState::Active, SiteState::Coming, SiteState::Restricted, SiteState::Retired];
        assert_eq!(serde_json::to_value(states).unwrap(), serde_json::to_value(states.map(SiteState::word)).unwrap());
    }
}

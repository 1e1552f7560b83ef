//! A metropolitan area: sites near enough to each other that a cross connect is a matter of minutes, not of a long haul.

use meetme_base::{Id, Invalid, Kind, Mbps};
use meetme_store::{Edge, Field, FieldType, OnDelete, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Geo, OtherIds, check_country, check_ids, id_texts};
use crate::{Ext, Nothing, check};

/// A metropolitan area with sites.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Metro {
    /// Its short name, such as `us-ral`.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// The country code of ISO 3166-1, two capital letters.
    pub country: String,
    /// The market whose prices and terms hold there, mostly a country code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// The part of the world, in one short word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub continent: Option<String>,
    /// About where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub geo: Option<Geo>,
    /// The metros that our own lines lead to from here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<MetroLink>,
    /// What others call it.
    #[serde(skip_serializing_if = "OtherIds::is_empty")]
    pub other_ids: OtherIds,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// A line of ours between two metros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MetroLink {
    /// The other metro.
    pub metro: Id<Metro>,
    /// The most one circuit may use of it, in megabits per second.
    pub rate: Mbps,
}

impl Resource for Metro {
    const KIND: Kind = Kind::new("metro");
    const AREA: &'static str = "place";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("country", FieldType::Text, |s| s.country.as_str().into()),
        Field::new("market", FieldType::Text, |s| s.market.clone().into()),
        Field::new("continent", FieldType::Text, |s| s.continent.clone().into()),
        Field::new("other_ids", FieldType::Texts, |s: &Self| id_texts(&s.other_ids).into()).searchable(),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::many(
        "links",
        &[Metro::KIND],
        OnDelete::Detach,
        |s| s.links.iter().map(|l| l.metro.any()).collect(),
        |s, id| s.links.retain(|l| l.metro.any() != id),
    )];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["slug"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::slug("slug", &self.slug, 100)?;
        check::name("name", &self.name, 255)?;
        check_country("country", &self.country)?;
        check::length("market", self.market.as_deref().unwrap_or_default(), 20)?;
        check::length("continent", self.continent.as_deref().unwrap_or_default(), 20)?;
        self.geo.map_or(Ok(()), |geo| geo.check("geo"))?;
        for (i, link) in self.links.iter().enumerate() {
            if self.links[..i].iter().any(|other| other.metro == link.metro) {
                return Err(Invalid::rule(format!("links.{i}.metro"), "This metro is already linked."));
            }
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
    fn a_metro_is_linked_to_another_once() {
        let link = MetroLink { metro: Id::new(2), rate: Mbps::MAX };
        let metro = |links| Metro {
            slug: "us-ral".into(),
            name: "Raleigh".into(),
            country: "US".into(),
            links,
            ..Metro::default()
        };
        assert!(metro(vec![link]).check(None).is_ok());
        assert_eq!(metro(vec![link, link]).check(None).unwrap_err().field, "links.1.metro");
    }

    #[test]
    fn other_ids_are_filtered_by_scheme_and_text() {
        let ids = OtherIds::from([("b".into(), "2".into()), ("a".into(), "x".into())]);
        assert_eq!(id_texts(&ids), ["a:x", "b:2"]);
    }
}

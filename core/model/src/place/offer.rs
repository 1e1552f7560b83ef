//! What may be bought where. Every order is checked against exactly one offer.

use meetme_base::{Id, Invalid, Kind, Mbps, RawId};
use meetme_store::{Edge, Field, FieldType, OnDelete, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Metro, Plan, Region, Site, Zone};
use crate::{
    Ext, Term, check,
    edge::{ids, without},
    fabric::Port,
    routing::Exchange,
};

/// Something that may be bought at a metro or a site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Offer {
    /// Its short name.
    pub slug: String,
    /// Its name.
    pub title: String,
    /// What is sold.
    pub service: Service,
    /// The provider or partner at the far end, in one lower-case word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub far: Option<String>,
    /// The rates it comes in; absent when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<Rates>,
    /// The terms it can be ordered for; any when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<Term>,
    /// Whether it must be ordered with two legs, or with one; either when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redundant: Option<bool>,
    /// The ways of peering it can be ordered with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub peerings: Vec<Peering>,
    /// The only zone it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// The optics a port comes with, such as `LR4`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<String>,
    /// Its place among offers of the same kind; lower comes first.
    #[serde(default)]
    pub rank: u32,
    /// Whether somebody has to say yes to each order.
    #[serde(default)]
    pub needs_approval: bool,
    /// Whether it can be ordered now.
    #[serde(default = "yes")]
    pub permitted: bool,
    /// Whether it is announced and not yet sold.
    #[serde(default)]
    pub pending: bool,
    /// The groups of organizations that see it; all do when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Numbers of address translations a router can be ordered with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<u32>,
    /// Sizes an add-on is sold in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packs: Vec<u32>,
    /// What a buyer should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordering_note: Option<String>,
    /// Where it is sold: a metro or a site.
    pub at: RawId,
    /// The cloud regions it reaches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reach: Vec<Id<Region>>,
    /// The plan that is sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Id<Plan>>,
    /// The port towards the far end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handoff: Option<Id<Port>>,
    /// The exchange that is joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exchange: Option<Id<Exchange>>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What an offer sells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// A port.
    Port,
    /// A circuit to the far end.
    Circuit,
    /// A cloud router.
    Router,
    /// A router that translates addresses.
    Nat,
    /// A machine or a virtual appliance.
    Device,
    /// Storage.
    Volume,
    /// A link to an exchange.
    Exchange,
    /// More of something ordered before.
    Addon,
}

impl Service {
    /// Every word.
    pub const WORDS: &'static [&'static str] =
        &["port", "circuit", "router", "nat", "device", "volume", "exchange", "addon"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// What is reached over a circuit to a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Peering {
    /// The customer's own networks there.
    Private,
    /// The provider's public services.
    Public,
    /// Many networks of the customer at once, through the provider's transit gateway.
    Transit,
}

impl Peering {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["private", "public", "transit"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// The rates an offer comes in, in megabits per second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rates {
    /// Each of these.
    List(Vec<Mbps>),
    /// Every whole number in between, ends included.
    Range {
        /// The lowest.
        low: Mbps,
        /// The highest.
        high: Mbps,
    },
}

impl Rates {
    /// Whether a rate is among them.
    pub fn allows(&self, rate: Mbps) -> bool {
        match self {
            Self::List(list) => list.contains(&rate),
            Self::Range { low, high } => (*low..=*high).contains(&rate),
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::List(list) if list.is_empty() => Err(Invalid::required("rates")),
            Self::Range { low, high } if low > high => Err(Invalid::rule("rates", "The lowest rate comes first.")),
            _ => Ok(()),
        }
    }
}

/// What is known of an offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct OfferStatus {
    /// How many more can be had; not counted when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free: Option<u32>,
}

const fn yes() -> bool {
    true
}

impl Offer {
    /// An offer of that service at a metro or site, open to everyone, with nothing said about its details.
    pub fn new(slug: impl Into<String>, title: impl Into<String>, service: Service, at: RawId) -> Self {
        Self {
            slug: slug.into(),
            title: title.into(),
            service,
            far: None,
            rates: None,
            terms: Vec::new(),
            redundant: None,
            peerings: Vec::new(),
            zone: None,
            media: Vec::new(),
            rank: 0,
            needs_approval: false,
            permitted: true,
            pending: false,
            groups: Vec::new(),
            sessions: Vec::new(),
            packs: Vec::new(),
            ordering_note: None,
            at,
            reach: Vec::new(),
            plan: None,
            handoff: None,
            exchange: None,
            ext: Ext::new(),
        }
    }
}

impl Resource for Offer {
    const KIND: Kind = Kind::new("offer");
    const AREA: &'static str = "place";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("slug", FieldType::Text, |s: &Self| s.slug.as_str().into()).searchable(),
        Field::new("title", FieldType::Text, |s: &Self| s.title.as_str().into()).searchable(),
        Field::new("service", FieldType::Text, |s: &Self| s.service.word().into()).indexed().words(Service::WORDS),
        Field::new("far", FieldType::Text, |s: &Self| s.far.clone().into()).indexed().searchable(),
        Field::new("redundant", FieldType::Bool, |s| s.redundant.into()),
        Field::new("peerings", FieldType::Texts, |s: &Self| {
            s.peerings.iter().map(|p| p.word().to_owned()).collect::<Vec<_>>().into()
        })
        .words(Peering::WORDS),
        Field::new("zone", FieldType::Text, |s: &Self| s.zone.map(Zone::word).into()).words(Zone::WORDS),
        Field::new("media", FieldType::Texts, |s| s.media.clone().into()),
        Field::new("rank", FieldType::Int, |s| s.rank.into()),
        Field::new("needs_approval", FieldType::Bool, |s| s.needs_approval.into()),
        Field::new("permitted", FieldType::Bool, |s| s.permitted.into()),
        Field::new("pending", FieldType::Bool, |s| s.pending.into()),
        Field::new("groups", FieldType::Texts, |s| s.groups.clone().into()),
        Field::status("free", FieldType::Int, |s: &Self::Status| s.free.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("at", &[Metro::KIND, Site::KIND], |s| Some(s.at)),
        Edge::many("reach", &[Region::KIND], OnDelete::Detach, |s| ids(&s.reach), |s, id| without(&mut s.reach, id)),
        Edge::refuse("plan", &[Plan::KIND], |s| s.plan.map(Id::any)),
        Edge::refuse("handoff", &[Port::KIND], |s| s.handoff.map(Id::any)),
        Edge::refuse("exchange", &[Exchange::KIND], |s| s.exchange.map(Id::any)),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["slug"]];
    // The order in which the far ends of a place are shown.
    const INDEXES: &'static [&'static [&'static str]] = &[&["at", "service", "rank"]];
    type Status = OfferStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        check::slug("slug", &self.slug, 100)?;
        check::name("title", &self.title, 255)?;
        check::length("ordering_note", self.ordering_note.as_deref().unwrap_or_default(), 4000)?;
        if let Some(far) = &self.far {
            check::slug("far", far, 50)?;
        }
        if before.is_some_and(|b| b.service != self.service) {
            return Err(Invalid::rule("service", "An offer goes on selling the same thing."));
        }
        for (i, term) in self.terms.iter().enumerate() {
            if let Term::Months(months) = term {
                check::range(&format!("terms.{i}"), *months, 1, 60)?;
            }
        }
        self.rates.as_ref().map_or(Ok(()), Rates::check)?;
        let needed = match self.service {
            Service::Port | Service::Circuit if self.rates.is_none() => "rates",
            Service::Device | Service::Volume if self.plan.is_none() => "plan",
            Service::Exchange if self.exchange.is_none() => "exchange",
            _ => return Ok(()),
        };
        Err(Invalid::required(needed))
    }

    fn title(&self) -> String {
        self.title.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mbps(n: i64) -> Mbps {
        Mbps::try_from(n).unwrap()
    }

    #[test]
    fn a_rate_is_bought_from_the_list_or_within_the_range() {
        let list = Rates::List(vec![mbps(50), mbps(100)]);
        assert_eq!([50, 75, 100].map(|n| list.allows(mbps(n))), [true, false, true]);
        let range = Rates::Range { low: mbps(50), high: mbps(100) };
        assert_eq!([49, 50, 75, 100, 101].map(|n| range.allows(mbps(n))), [false, true, true, true, false]);
    }

    #[test]
    fn an_offer_says_what_its_service_needs() {
        let offer = |service| Offer::new("offer", "Offer", service, RawId::new(1));
        let missing = |service| offer(service).check(None).err().map(|e| e.field).unwrap_or_default();
        assert_eq!(
            [Service::Circuit, Service::Device, Service::Exchange, Service::Router].map(missing),
            ["rates", "plan", "exchange", ""]
        );
        let backwards = Some(Rates::Range { low: mbps(100), high: mbps(50) });
        assert_eq!(Offer { rates: backwards, ..offer(Service::Circuit) }.check(None).unwrap_err().code, "rule");
    }
}

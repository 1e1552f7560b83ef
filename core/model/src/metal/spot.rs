//! The spot market: what an hour of a machine costs there now, and orders that stand as long as the price is right.

use meetme_base::{Id, Invalid, Kind, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DeviceWish;
use crate::{
    Ext, check,
    place::{Money, Plan, Site},
};

/// The spot market of one plan at one site. Its price moves with what is ordered; how it moved is a time series of this row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpotPrice {
    /// Where.
    pub site: Id<Site>,
    /// Of what.
    pub plan: Id<Plan>,
}

/// What an hour costs on a spot market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpotPriceStatus {
    /// The price of an hour; absent while nothing is sold there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// How many more machines can be had at that price.
    pub room: u32,
    /// When it last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

impl SpotPrice {
    /// The name of the series of its prices, in millionths of the currency's unit.
    pub const SERIES: &'static str = "price";
}

impl Resource for SpotPrice {
    const KIND: Kind = Kind::new("spot_price");
    const AREA: &'static str = "metal";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::status("micros", FieldType::Int, |s: &Self::Status| s.amount.as_ref().map(|a| a.micros).into()),
        Field::status("room", FieldType::Int, |s: &Self::Status| i64::from(s.room).into()),
        Field::status("priced_at", FieldType::Time, |s: &Self::Status| s.since.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("site", &[Site::KIND], |s| Some(s.site.any())),
        Edge::cascade("plan", &[Plan::KIND], |s| Some(s.plan.any())),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["site", "plan"]];
    // What moves all the time is a series, not a log.
    const LOGGED: bool = false;
    type Status = SpotPriceStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }

    fn title(&self) -> String {
        format!("plan {} at site {}", self.plan, self.site)
    }
}

/// An order that keeps a number of machines running as long as the spot market's price is not above its bid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpotRequest {
    /// What each of the machines shall be.
    pub wish: DeviceWish,
    /// Their host names in order; those of the wish when there are no more, in which `{{index}}` is a machine's number from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The fewest that are of use: fewer are not begun with.
    pub min: u16,
    /// The most that are wanted.
    pub max: u16,
    /// The most that is paid for an hour of one of them.
    pub bid: Money,
    /// When it ends, and its machines with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_at: Option<Time>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What became of a spot request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SpotRequestStatus {
    /// How many of its machines there are.
    pub alive: u32,
    /// How many machines it has ordered in its life.
    pub ordered: u32,
    /// Why there are fewer than wanted: one sentence a customer can read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl SpotRequest {
    /// The most machines of one request.
    pub const MOST: u16 = 100;

    /// The host name of the machine with this number, counted from 0.
    pub fn name(&self, number: usize) -> Option<String> {
        match self.names.get(number) {
            Some(name) => Some(name.clone()),
            None => self.wish.hostname.as_ref().map(|name| name.replace("{{index}}", &(number + 1).to_string())),
        }
    }
}

impl Resource for SpotRequest {
    const KIND: Kind = Kind::new("spot_request");
    const AREA: &'static str = "metal";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("min", FieldType::Int, |s: &Self| s.min.into()),
        Field::new("max", FieldType::Int, |s: &Self| s.max.into()),
        Field::new("micros", FieldType::Int, |s| s.bid.micros.into()),
        Field::new("end_at", FieldType::Time, |s| s.end_at.into()),
        Field::status("alive", FieldType::Int, |s: &Self::Status| i64::from(s.alive).into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::refuse("plan", &[Plan::KIND], |s| Some(s.wish.plan.any()))];
    const INDEXES: &'static [&'static [&'static str]] = &[&["tenant", "created"]];
    type Status = SpotRequestStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::range("devices_max", self.max, 1, Self::MOST)?;
        check::range("devices_min", self.min, 1, self.max)?;
        self.bid.check("max_bid_price")?;
        check::range("max_bid_price", self.bid.micros, 1, i64::MAX)
    }

    fn title(&self) -> String {
        format!(
            "{} to {} devices for at most {:.4} {}",
            self.min,
            self.max,
            self.bid.micros as f64 / 1e6,
            self.bid.currency
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_wants_at_least_one_and_bids_something() {
        let field = |min, max, micros| {
            let bid = Money { micros, currency: "USD".into() };
            let wish = DeviceWish::new(Id::new(1), Id::new(2), Vec::new());
            let one = SpotRequest { wish, names: Vec::new(), min, max, bid, end_at: None, ext: Ext::new() };
            one.check(None).err().map(|e| e.field).unwrap_or_default()
        };
        assert_eq!(field(1, 3, 50_000), "");
        assert_eq!(field(4, 3, 50_000), "devices_min");
        assert_eq!(field(0, 3, 50_000), "devices_min");
        assert_eq!(field(1, 101, 50_000), "devices_max");
        assert_eq!(field(1, 3, 0), "max_bid_price");
    }
}

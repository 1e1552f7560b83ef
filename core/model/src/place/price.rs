//! What an offer or a plan costs. A quote is worked out from these rows and never stored.

use meetme_base::{Invalid, Kind, Mbps, RawId, Time};
use meetme_store::{Edge, Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Offer, Plan};
use crate::{Ext, Nothing, Term, check};

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Money {
    /// Millionths of the currency's unit.
    pub micros: i64,
    /// The currency code of ISO 4217, three capital letters.
    pub currency: String,
}

impl Money {
    /// Whether the currency has the form of one.
    ///
    /// # Errors
    /// Names the currency under `field`.
    pub fn check(&self, field: &str) -> Result<(), Invalid> {
        if self.currency.len() == 3 && self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Ok(());
        }
        Err(Invalid::format(format!("{field}.currency"), "a currency code of three capital letters"))
    }
}

/// The price of an offer or a plan, for one term and from one day on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// What it is the price of: an offer or a plan.
    pub of: RawId,
    /// What is counted.
    pub per: Per,
    /// The amount for one of what is counted.
    pub amount: Money,
    /// What is paid once, at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup: Option<Money>,
    /// The term it holds for.
    pub term: Term,
    /// The rate it holds for, in megabits per second; any when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Mbps>,
    /// How distance between metros is paid for.
    #[serde(default)]
    pub long_haul: LongHaul,
    /// What is taken off, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount>,
    /// The first moment it holds.
    pub from: Time,
    /// The first moment it no longer holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What a price counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// The thing itself.
    Once,
    /// Hours.
    Hour,
    /// Days.
    Day,
    /// Months.
    Month,
    /// Years.
    Year,
    /// Gigabytes carried.
    Gb,
    /// Megabits per second, each month.
    Mbps,
}

impl Per {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["once", "hour", "day", "month", "year", "gb", "mbps"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// How distance between metros is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LongHaul {
    /// There is none, or it is not charged.
    #[default]
    None,
    /// A fixed sum for the pair of metros.
    Metro,
    /// By what is carried.
    Usage,
    /// By what is set aside.
    Dedicated,
}

impl LongHaul {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["none", "metro", "usage", "dedicated"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Something taken off a price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Discount {
    /// Why, in words.
    pub why: String,
    /// How much, in hundredths of a percent.
    pub basis_points: u16,
    /// The code that brings it; everyone has it when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A term as one word: `hour`, `day`, or the number of months.
fn term_word(term: Term) -> String {
    match term {
        Term::Hour => "hour".into(),
        Term::Day => "day".into(),
        Term::Months(n) => n.to_string(),
    }
}

impl Resource for Price {
    const KIND: Kind = Kind::new("price");
    const AREA: &'static str = "place";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("per", FieldType::Text, |s: &Self| s.per.word().into()).words(Per::WORDS),
        Field::new("micros", FieldType::Int, |s| s.amount.micros.into()),
        Field::new("currency", FieldType::Text, |s| s.amount.currency.as_str().into()),
        Field::new("term", FieldType::Text, |s| term_word(s.term).into()),
        Field::new("rate", FieldType::Int, |s| s.rate.into()),
        // The rate as the unique set needs it: a price without a rate is also one of its kind.
        Field::new("rate_key", FieldType::Int, |s: &Self| s.rate.map_or(0, Mbps::get).into()).hidden(),
        Field::new("long_haul", FieldType::Text, |s: &Self| s.long_haul.word().into()).words(LongHaul::WORDS),
        Field::new("from", FieldType::Time, |s| s.from.into()),
        Field::new("until", FieldType::Time, |s| s.until.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("of", &[Offer::KIND, Plan::KIND], |s| Some(s.of))];
    const UNIQUE: &'static [&'static [&'static str]] =
        &[&["of", "rate_key", "term", "per", "long_haul", "currency", "from"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.of != self.of) {
            return Err(Invalid::rule("of", "A price stays with what it is the price of."));
        }
        self.amount.check("amount")?;
        check::range("amount.micros", self.amount.micros, 0, i64::MAX)?;
        if let Some(setup) = &self.setup {
            check::range("setup.micros", setup.micros, 0, i64::MAX)?;
            if setup.currency != self.amount.currency {
                return Err(Invalid::rule("setup.currency", "All parts of a price are in one currency."));
            }
        }
        if let Term::Months(months) = self.term {
            check::range("term", months, 1, 60)?;
        }
        for (i, discount) in self.discounts.iter().enumerate() {
            check::name(&format!("discounts.{i}.why"), &discount.why, 255)?;
            check::range(&format!("discounts.{i}.basis_points"), discount.basis_points, 0, 10_000)?;
        }
        match self.until {
            Some(until) if until <= self.from => Err(Invalid::rule("until", "A price ends after it begins.")),
            _ => Ok(()),
        }
    }

    fn title(&self) -> String {
        format!("{:.2} {} per {}", self.amount.micros as f64 / 1e6, self.amount.currency, self.per.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price() -> Price {
        Price {
            of: RawId::new(1),
            per: Per::Hour,
            amount: Money { micros: 500_000, currency: "USD".into() },
            setup: None,
            term: Term::Hour,
            rate: None,
            long_haul: LongHaul::None,
            discounts: Vec::new(),
            from: Time(1000),
            until: None,
            ext: Ext::new(),
        }
    }

    #[track_caller]
    fn check(price: &Price, field: &str) {
        assert_eq!(price.check(None).err().map(|e| e.field).unwrap_or_default(), field);
    }

    #[test]
    fn a_price_has_one_currency_and_an_end_after_its_start() {
        check(&price(), "");
        let setup = |currency: &str| Some(Money { micros: 0, currency: currency.into() });
        check(&Price { setup: setup("USD"), ..price() }, "");
        check(&Price { setup: setup("AUD"), ..price() }, "setup.currency");
        check(&Price { amount: Money { micros: 1, currency: "usd".into() }, ..price() }, "amount.currency");
        check(&Price { until: Some(Time(1000)), ..price() }, "until");
        check(&Price { term: Term::Months(61), ..price() }, "term");
    }

    #[test]
    fn a_price_is_called_by_its_amount() {
        assert_eq!(price().title(), "0.50 USD per hour");
    }
}

//! How an organization pays. What is kept is what the provider of payments calls it and what a person needs to tell one from another:
//! never the number of a card, nor its check digits.

use meetme_base::{Id, Invalid, Kind, Sealed};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::check_country;
use crate::{
    Ext, Nothing,
    access::{Organization, User, check_email},
    check,
};

/// A way to pay. The row hangs on the organization.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Billing {
    /// Its name.
    pub name: String,
    /// What it is, once the provider has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<BillingMethod>,
    /// Who pays, as it stands on a card or an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<String>,
    /// Where mail about it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Where bills go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<BillingAddress>,
    /// The make of a card, such as `visa`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    /// The last four digits of a card or an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last4: Option<String>,
    /// The last month in which a card is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Expiry>,
    /// Whether it is meant when nothing else is said.
    #[serde(default)]
    pub default: bool,
    /// What the provider calls it: a reference that only the provider can turn into money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Sealed>,
    /// Whose it is.
    pub organization: Id<Organization>,
    /// Who entered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Id<User>>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What a way to pay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BillingMethod {
    /// A card.
    Card,
    /// An account at a bank.
    Bank,
    /// By invoice.
    Invoice,
}

impl BillingMethod {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["card", "bank", "invoice"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Where bills go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct BillingAddress {
    /// Street and number.
    pub street: String,
    /// The postal code.
    pub postal_code: String,
    /// The country, by its two letters in ISO 3166-1; empty when it is not known.
    pub country: String,
}

/// A month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Expiry {
    /// The year, in four digits.
    pub year: u16,
    /// The month, from 1.
    pub month: u8,
}

/// Whether a text holds what can only be the number of a card: 13 to 19 digits whose last one is right (ISO/IEC 7812-1, annex B).
pub fn holds_card_number(text: &str) -> bool {
    let mut run: Vec<u32> = Vec::new();
    // One more turn than there are letters, which ends the last run.
    for letter in text.chars().chain(std::iter::once('.')) {
        match letter.to_digit(10) {
            Some(digit) => run.push(digit),
            None if matches!(letter, ' ' | '-') => {}
            None if is_card_number(&run) => return true,
            None => run.clear(),
        }
    }
    false
}

fn is_card_number(digits: &[u32]) -> bool {
    let doubled = |(place, digit): (usize, &u32)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) => twice / 10 + twice % 10,
    };
    (13..=19).contains(&digits.len())
        && digits.iter().any(|digit| *digit != 0)
        && digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

impl Resource for Billing {
    const KIND: Kind = Kind::new("billing");
    const AREA: &'static str = "place";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).searchable(),
        Field::new("method", FieldType::Text, |s: &Self| s.method.map(BillingMethod::word).into())
            .words(BillingMethod::WORDS),
        Field::new("default", FieldType::Bool, |s| s.default.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("organization", &[Organization::KIND], |s| Some(s.organization.any())),
        Edge::detach("by", &[User::KIND], |s| s.by.map(Id::any), |s| s.by = None),
    ];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.organization != self.organization) {
            return Err(Invalid::rule("organization", "A way to pay cannot be given to another organization."));
        }
        check::name("name", &self.name, 255)?;
        let address = self.address.clone().unwrap_or_default();
        for (field, text) in [
            ("name", self.name.as_str()),
            ("holder", self.holder.as_deref().unwrap_or_default()),
            ("email", self.email.as_deref().unwrap_or_default()),
            ("brand", self.brand.as_deref().unwrap_or_default()),
            ("address.street", &address.street),
            ("address.postal_code", &address.postal_code),
        ] {
            check::length(field, text, 255)?;
            if holds_card_number(text) {
                return Err(Invalid::rule(field, "The number of a card is not taken, here or anywhere."));
            }
        }
        if let Some(email) = &self.email {
            check_email("email", email)?;
        }
        if !address.country.is_empty() {
            check_country("address.country", &address.country)?;
        }
        if self.last4.as_ref().is_some_and(|text| text.len() != 4 || !text.bytes().all(|b| b.is_ascii_digit())) {
            return Err(Invalid::format("last4", "four digits"));
        }
        if let Some(expires) = self.expires {
            check::range("expires.month", expires.month, 1, 12)?;
            check::range("expires.year", expires.year, 2000, 2999)?;
        }
        Ok(())
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_cards_are_known_wherever_they_stand() {
        for text in ["4111111111111111", "my card 4111 1111 1111 1111!", "5500-0000-0000-0004", "378282246310005"] {
            assert!(holds_card_number(text), "{text}");
        }
        for text in ["", "4111111111111112", "12345", "+49 30 901820", "0000000000000000", "Street 17, 10115 Berlin"] {
            assert!(!holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn a_card_number_is_refused_in_every_field_for_people() {
        let plain = serde_json::json!({"name": "Card", "organization": 1});
        let spec = |more: serde_json::Value| {
            let mut spec = plain.clone();
            spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value::<Billing>(spec).unwrap().check(None).map_err(|bad| bad.field)
        };
        assert_eq!(spec(serde_json::json!({})), Ok(()));
        assert_eq!(spec(serde_json::json!({"name": "4111 1111 1111 1111"})), Err("name".into()));
        assert_eq!(spec(serde_json::json!({"holder": "4111111111111111"})), Err("holder".into()));
        assert_eq!(spec(serde_json::json!({"last4": "41111"})), Err("last4".into()));
        assert_eq!(spec(serde_json::json!({"expires": {"year": 2030, "month": 13}})), Err("expires.month".into()));
    }
}

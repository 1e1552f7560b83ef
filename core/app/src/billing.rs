//! Ways to pay: references to what a provider of payments keeps. Data of cards is refused at the door, wherever it stands in a request,
//! so that it is neither kept nor written anywhere by mistake.
//!
//! An organization with ways to pay has exactly one that is meant when nothing else is said.

use meetme_base::{Id, Invalid, Secret};
use meetme_model::{
    access::{Organization, Project},
    place::{Billing, holds_card_number},
};
use meetme_store::{Filter, Object, Resource as _, Tx};
use serde_json::Value as Json;

use crate::{App, Error, Subject, access};

/// The most ways to pay of one organization.
const MOST: u64 = 50;

/// Members of a request by which the data of a card is sent, without regard to case, hyphens and underscores.
const CARD: &[&str] = &[
    "cardnumber",
    "ccnumber",
    "creditcard",
    "creditcardnumber",
    "csc",
    "cvc",
    "cvv",
    "cvv2",
    "number",
    "pan",
    "securitycode",
    "verificationvalue",
];

/// The request holds no data of a card: no member that is named after it, and no text that can only be a card's number.
///
/// # Errors
/// Names the member, and does not repeat its value.
pub fn refuse_card_data(name: &str, value: &Json) -> Result<(), Error> {
    let plain: String = name.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).collect();
    let refused = || Error::from(Invalid::rule(name, "Data of a card is not taken; send what its provider calls it."));
    if CARD.contains(&plain.as_str()) && !value.is_null() {
        return Err(refused());
    }
    match value {
        Json::String(text) if holds_card_number(text) => Err(refused()),
        Json::Number(number) if holds_card_number(&number.to_string()) => Err(refused()),
        Json::Object(map) => map.iter().try_for_each(|(name, value)| refuse_card_data(name, value)),
        Json::Array(list) => list.iter().try_for_each(|value| refuse_card_data(name, value)),
        _ => Ok(()),
    }
}

/// Enters a way to pay by what its provider calls it. The first one is the usual one.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`], [`Error::Invalid`].
pub fn enter(
    app: &App,
    tx: &mut Tx<'_>,
    by: &Subject,
    organization: Id<Organization>,
    name: &str,
    token: &Secret<String>,
    is_default: bool,
) -> Result<Object<Billing>, Error> {
    let node = tx.get(organization)?.id;
    access::require(tx, Billing::KIND, "create", node.any())?;
    let count = tx.as_system(|tx| tx.count::<Billing>(&Filter::eq("organization", node)))?;
    if count >= MOST {
        return Err(Error::conflict("too_many", format!("An organization has at most {MOST} ways to pay.")));
    }
    let spec = Billing {
        name: name.to_owned(),
        method: None,
        holder: None,
        email: None,
        address: None,
        brand: None,
        last4: None,
        expires: None,
        default: false,
        token: Some(app.sealer().seal(token.expose())?),
        organization: node,
        by: by.user,
        ext: Default::default(),
    };
    tx.as_system(|tx| {
        let mut made = tx.create(node.any(), spec)?;
        if is_default || count == 0 {
            make_default(tx, &mut made)?;
        }
        Ok(made)
    })
}

/// Changes a way to pay by `edit`, which sees what it is now.
///
/// # Errors
/// As [`enter`]; when the usual one would be none.
pub fn change(
    tx: &mut Tx<'_>,
    id: Id<Billing>,
    is_default: Option<bool>,
    edit: impl FnOnce(&mut Billing),
) -> Result<Object<Billing>, Error> {
    let mut row = tx.get(id)?;
    let mut spec = row.spec.clone();
    edit(&mut spec);
    spec.default = row.spec.default;
    tx.save(&mut row, spec)?;
    match is_default {
        Some(true) => tx.as_system(|tx| make_default(tx, &mut row))?,
        Some(false) if row.spec.default => {
            return Err(Invalid::rule("default", "Make another one the default instead.").into());
        }
        _ => {}
    }
    Ok(row)
}

/// Makes a row that was just made the usual one, if that is wished or it is the only one.
pub(crate) fn settle_default(
    tx: &mut Tx<'_>,
    mut made: Object<Billing>,
    is_wished: bool,
) -> Result<Object<Billing>, Error> {
    tx.as_system(|tx| {
        if is_wished || tx.count::<Billing>(&Filter::eq("organization", made.spec.organization))? == 1 {
            make_default(tx, &mut made)?;
        }
        Ok(made)
    })
}

fn make_default(tx: &mut Tx<'_>, row: &mut Object<Billing>) -> Result<(), Error> {
    let others = Filter::eq("organization", row.spec.organization).and(Filter::eq("default", true));
    for mut other in tx.all::<Billing>(others)? {
        if other.id != row.id {
            let spec = Billing { default: false, ..other.spec.clone() };
            tx.save(&mut other, spec)?;
        }
    }
    let spec = Billing { default: true, ..row.spec.clone() };
    Ok(tx.save(row, spec)?)
}

/// Removes a way to pay. Projects that named it go by the organization's usual one.
///
/// # Errors
/// [`Error::Conflict`] `default` for the usual one while there are others.
pub fn remove(tx: &mut Tx<'_>, id: Id<Billing>) -> Result<(), Error> {
    let row = tx.get(id)?;
    if row.spec.default {
        let others = Filter::eq("organization", row.spec.organization);
        if tx.as_system(|tx| tx.count::<Billing>(&others))? > 1 {
            return Err(Error::conflict("default", "This is the default; make another one the default first."));
        }
    }
    Ok(tx.remove(id)?)
}

/// A project is paid for in a way of its own organization.
pub(crate) fn check_project(tx: &mut Tx<'_>, project: &Project) -> Result<(), Error> {
    let Some(id) = project.billing else { return Ok(()) };
    let known = tx.find(id)?.filter(|row| row.spec.organization == project.organization);
    known.map(drop).ok_or_else(|| Invalid::reference("billing", format!("The object {id}")).into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn data_of_cards_is_refused_wherever_it_stands_and_not_repeated() {
        for body in [
            json!({"number": "x"}),
            json!({"Card-Number": "x"}),
            json!({"payment": {"card": {"cvv": 123}}}),
            json!({"name": "4111 1111 1111 1111"}),
            json!({"list": [{"any": 4_111_111_111_111_111_u64}]}),
        ] {
            let error = refuse_card_data("", &body).unwrap_err().to_string();
            assert!(!error.contains("4111") && !error.contains("123"), "{error}");
        }
        let good =
            json!({"name": "Company card", "nonce": "fake-valid-nonce", "number": null, "expiration_year": 2030});
        assert!(refuse_card_data("", &good).is_ok());
    }
}

//! Payment methods of organizations: what a provider of payments calls them. Card data in any form is refused before anything else.

use meetme_app::{Error, billing};
use meetme_base::{Id, Invalid, Secret};
use meetme_http::ValueKind::{Boolean, Text};
use meetme_model::{
    access::{Organization, Project, User},
    place::{Billing, BillingAddress, BillingMethod, Expiry},
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    error::renamed,
    show::{Relation, Show, Shown, at, referring},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("PaymentMethod");
const LIST: Gives = Gives::List("payment_methods", "PaymentMethod");
const NEW: Takes = &[("name", Text), ("nonce", Text), ("default", Boolean)];
const CHANGES: Takes = &[
    ("name", Text),
    ("default", Boolean),
    ("cardholder_name", Text),
    ("expiration_month", Text),
    ("expiration_year", Text),
    ("billing_address", Text),
];

/// The seed spells the path of the list in two ways.
pub fn rows() -> Vec<Row> {
    let (many, one) = ("/organizations/{id}/payment-methods", "/organization/{id}/payment-methods");
    vec![
        Row::get("list_payment_methods_organization", many, LIST, list),
        Row::post("create_payment_method_organization", many, ONE, create).takes(NEW),
        Row::get("list_payment_methods_singular", one, LIST, list),
        Row::post("create_payment_method_singular", one, ONE, create).takes(NEW),
        Row::get("get_payment_method", "/payment-methods/{id}", ONE, get),
        Row::put("update_payment_method", "/payment-methods/{id}", ONE, update).takes(CHANGES),
        Row::delete("delete_payment_method", "/payment-methods/{id}", delete),
    ]
}

/// The fields of a payment method; empty where its provider has not said anything yet.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    name: String,
    #[serde(rename = "type")]
    form: &'static str,
    default: bool,
    created_at: String,
    updated_at: String,
    card_type: String,
    last_4: String,
    expiration_month: String,
    expiration_year: String,
    cardholder_name: String,
    billing_address: Address,
    email: String,
}

/// Where bills go.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Address {
    street_address: String,
    postal_code: String,
    country_code_alpha2: String,
}

impl Shown for Billing {
    const NAME: &'static str = "PaymentMethod";
    const PATH: Option<&'static str> = Some("/payment-methods");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("created_by_user", &[User::KIND], |b| b.by.map(|user| user.any())),
        Relation::<Self>::one("organization", &[Organization::KIND], |b| Some(b.organization.any())),
        Relation::<Self>::back("projects", &[Project::KIND], |tx, of| referring::<_, Project>(tx, of, "billing")),
    ];
    type Wire = Wire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        Ok(objects.iter().map(wire).collect())
    }
}

fn wire(row: &Object<Billing>) -> Wire {
    let spec = &row.spec;
    let address = spec.address.clone().unwrap_or_default();
    Wire {
        id: row.uid.to_string(),
        name: spec.name.clone(),
        form: match spec.method {
            Some(BillingMethod::Card) => "credit_card",
            Some(BillingMethod::Bank) => "bank_account",
            Some(BillingMethod::Invoice) => "invoice",
            None => "",
        },
        default: spec.default,
        created_at: at(row.created),
        updated_at: at(row.updated),
        card_type: spec.brand.clone().unwrap_or_default(),
        last_4: spec.last4.clone().unwrap_or_default(),
        expiration_month: spec.expires.map(|e| format!("{:02}", e.month)).unwrap_or_default(),
        expiration_year: spec.expires.map(|e| e.year.to_string()).unwrap_or_default(),
        cardholder_name: spec.holder.clone().unwrap_or_default(),
        billing_address: Address {
            street_address: address.street,
            postal_code: address.postal_code,
            country_code_alpha2: address.country,
        },
        email: spec.email.clone().unwrap_or_default(),
    }
}

fn clean(work: &Work<'_, '_>) -> Result<(), Error> {
    work.ask.input.all().try_for_each(|(name, value)| billing::refuse_card_data(name, value))
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization: Id<Organization> = work.id("id")?;
    work.every::<Billing>("payment_methods", Filter::eq("organization", organization), vec![Order::up("id")])
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization: Id<Organization> = work.id("id")?;
    clean(work)?;
    let input = &work.ask.input;
    let (name, nonce) = (input.required("name")?, Secret::new(input.required("nonce")?));
    let is_default = input.flag("default")?.unwrap_or(false);
    let made = billing::enter(work.app, work.tx, &work.ask.subject, organization, &name, &nonce, is_default)?;
    Ok(Out::one(&made))
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Billing>("id")?))
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let row = work.named::<Billing>("id")?;
    clean(work)?;
    let input = &work.ask.input;
    let (name, holder) = (input.text("name")?, input.text("cardholder_name")?);
    let is_default = input.flag("default")?;
    let expires = expiry(work, row.spec.expires)?;
    let address = match input.inner("billing_address")? {
        None => None,
        Some(inner) => {
            let known = row.spec.address.clone().unwrap_or_default();
            Some(BillingAddress {
                street: inner.text("street_address")?.unwrap_or(known.street),
                postal_code: inner.text("postal_code")?.unwrap_or(known.postal_code),
                country: inner.text("country_code_alpha2")?.unwrap_or(known.country),
            })
        }
    };
    let changed = billing::change(work.tx, row.id, is_default, |now| {
        now.name = name.unwrap_or_else(|| now.name.clone());
        now.holder = holder.or_else(|| now.holder.clone());
        now.expires = expires.or(now.expires);
        now.address = address.or_else(|| now.address.clone());
    });
    let names = [
        ("holder", "cardholder_name"),
        ("expires.month", "expiration_month"),
        ("expires.year", "expiration_year"),
        ("address.street", "billing_address.street_address"),
        ("address.postal_code", "billing_address.postal_code"),
        ("address.country", "billing_address.country_code_alpha2"),
    ];
    let said = |e| names.iter().fold(e, |e, (from, to)| renamed(e, from, to));
    Ok(Out::one(&changed.map_err(said)?))
}

/// The month a card ends in; either half may be sent alone once the other is known.
fn expiry(work: &Work<'_, '_>, known: Option<Expiry>) -> Result<Option<Expiry>, Error> {
    let input = &work.ask.input;
    let (month, year) = (input.integer("expiration_month")?, input.integer("expiration_year")?);
    if month.is_none() && year.is_none() {
        return Ok(None);
    }
    let month = month.or(known.map(|e| e.month.into())).ok_or_else(|| Invalid::required("expiration_month"))?;
    let year = year.or(known.map(|e| e.year.into())).ok_or_else(|| Invalid::required("expiration_year"))?;
    Ok(Some(Expiry {
        year: year.try_into().map_err(|_| Invalid::range("expiration_year", 2000, 2999))?,
        month: month.try_into().map_err(|_| Invalid::range("expiration_month", 1, 12))?,
    }))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Billing> = work.id("id")?;
    billing::remove(work.tx, id)?;
    Ok(Out::Nothing)
}

//! E-mail addresses of users.

use meetme_app::{Error, emails};
use meetme_http::ValueKind::{Boolean, Text};
use meetme_model::access::{EmailAddress, User};
use meetme_store::{Object, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use super::user::me;
use crate::{
    show::{Relation, Show, Shown},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("Email");
const INPUTS: Takes = &[("address", Text), ("default", Boolean)];

pub fn rows() -> Vec<Row> {
    vec![
        Row::post("create_email", "/emails", ONE, create).takes(INPUTS),
        Row::get("get_email", "/emails/{id}", ONE, get),
        Row::put("update_email", "/emails/{id}", ONE, update).takes(INPUTS),
        Row::patch("patch_email", "/emails/{id}", ONE, update).takes(INPUTS),
        Row::delete("delete_email", "/emails/{id}", delete),
    ]
}

/// The fields of an address.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    address: String,
    default: bool,
    verified: bool,
}

impl Shown for EmailAddress {
    const NAME: &'static str = "Email";
    const PATH: Option<&'static str> = Some("/emails");
    const RELATIONS: &'static [Relation<Self>] =
        &[Relation::<Self>::one("user", &[User::KIND], |e| Some(e.user.any()))];
    type Wire = Wire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            address: row.spec.address.clone(),
            default: row.spec.default,
            verified: row.status.verified_at.is_some(),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let me = me(work)?;
    let (address, is_default) = (work.ask.input.required("address")?, work.ask.input.flag("default")?.unwrap_or(false));
    let made = emails::add(work.app, work.tx, &work.ask.subject, me, &address, is_default)?;
    Ok(Out::one(&made))
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<EmailAddress>("id")?))
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let row = work.named::<EmailAddress>("id")?;
    let (address, is_default) = (work.ask.input.words("address")?, work.ask.input.flag("default")?);
    let changed = emails::change(work.app, work.tx, &work.ask.subject, &row, address.as_deref(), is_default)?;
    Ok(Out::one(&changed))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let row = work.named::<EmailAddress>("id")?;
    emails::remove(work.app, work.tx, &work.ask.subject, &row)?;
    Ok(Out::Nothing)
}

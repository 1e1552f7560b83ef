//! E-mail addresses of users.

use meetme_app::Error;
use meetme_model::access::{EmailAddress, User};
use meetme_store::{Object, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    show::{Relation, Show, Shown},
    work::{Gives, Out, Row, Work},
};

pub fn rows() -> Vec<Row> {
    vec![Row::get("get_email", "/emails/{id}", Gives::One("Email"), get)]
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

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<EmailAddress>("id")?))
}

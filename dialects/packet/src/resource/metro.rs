//! Metros.

use meetme_app::Error;
use meetme_model::place::Metro;
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use super::facility::{SCHEME, code_filter};
use crate::{
    show::{Relation, Show, Shown},
    work::{Gives, Out, Row, Work},
};

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_metros", "/locations/metros", Gives::List("metros", "Metro"), list),
        Row::get("get_metro", "/locations/metros/{id}", Gives::One("Metro"), get),
    ]
}

/// The fields of a metro.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    code: String,
    name: String,
    country: String,
}

impl Shown for Metro {
    const NAME: &'static str = "Metro";
    const PATH: Option<&'static str> = Some("/locations/metros");
    const RELATIONS: &'static [Relation<Self>] = &[];
    type Wire = Wire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            code: code(&row.spec),
            name: row.spec.name.clone(),
            country: row.spec.country.clone(),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

/// What a metro is called here.
pub fn code(metro: &Metro) -> String {
    metro.other_ids.get(SCHEME).unwrap_or(&metro.slug).clone()
}

/// The metro of this UUID or code.
///
/// # Errors
/// [`Error::Missing`].
pub fn find(work: &mut Work<'_, '_>, text: &str) -> Result<Object<Metro>, Error> {
    if text.len() == 36
        && let Ok(metro) = work.row::<Metro>(text)
    {
        return Ok(metro);
    }
    let found = work.tx.all::<Metro>(code_filter(text))?;
    found.into_iter().find(|metro| code(&metro.spec) == text).ok_or_else(|| Error::missing(Metro::KIND, text))
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    work.every::<Metro>("metros", Filter::All, vec![Order::up("name")])
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let text = work.param("id")?.to_owned();
    Ok(Out::one(&find(work, &text)?))
}

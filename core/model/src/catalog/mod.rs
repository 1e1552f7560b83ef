//! The catalogue people draw up themselves: their own kinds of things, and the things.

mod blueprint;
mod entity;

pub use blueprint::{Blueprint, BlueprintStatus, Ownership, Properties, Relation, Target};
pub use entity::{Entity, EntityStatus, Related};

use meetme_base::Invalid;
use meetme_store::Registry;

use crate::check;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<Blueprint>().with::<Entity>()
}

/// The text can name a thing of the catalogue in a path: letters of any script, ASCII digits and the signs in `signs`, but
/// not the two names of the path itself.
fn check_identifier(field: &str, text: &str, most: usize, signs: &str) -> Result<(), Invalid> {
    check::name(field, text, most)?;
    let good = |c: char| c.is_alphabetic() || c.is_ascii_digit() || signs.contains(c);
    if text.chars().all(good) && text != "." && text != ".." {
        return Ok(());
    }
    Err(Invalid::format(field, format!("letters, digits or one of {signs}")))
}

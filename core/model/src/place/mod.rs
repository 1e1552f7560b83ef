//! Where things are and what may be bought there: metros, sites, cloud regions, and the catalogue with its prices.

mod billing;
mod geo;
mod image;
mod metro;
mod offer;
mod plan;
mod price;
mod region;
mod site;

pub use billing::{Billing, BillingAddress, BillingMethod, Expiry, holds_card_number};
pub use geo::{Geo, PostalAddress};
pub use image::{Boot, Image, ImageForm, ImageSource};
pub use metro::{Metro, MetroLink};
pub use offer::{Offer, OfferStatus, Peering, Rates, Service};
pub use plan::{Drive, Line, OrderForm, Part, Plan, Specs};
pub use price::{Discount, LongHaul, Money, Per, Price};
pub use region::Region;
pub use site::{Site, SiteState, Zone};

use std::collections::BTreeMap;

use meetme_base::Invalid;
use meetme_store::Registry;

use crate::check;

/// What others call a place: scheme to text. A dialect shows its own scheme's text where there is one, else the slug.
pub type OtherIds = BTreeMap<String, String>;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<Region>()
        .with::<Metro>()
        .with::<Site>()
        .with::<Plan>()
        .with::<Image>()
        .with::<Offer>()
        .with::<Price>()
        .with::<Billing>()
}

/// Other ids as filters see them: `scheme:text`.
fn id_texts(ids: &OtherIds) -> Vec<String> {
    ids.iter().map(|(scheme, text)| format!("{scheme}:{text}")).collect()
}

fn check_ids(ids: &OtherIds) -> Result<(), Invalid> {
    ids.iter().try_for_each(|(scheme, text)| {
        check::slug("other_ids", scheme, 50)?;
        check::name(&format!("other_ids.{scheme}"), text, 255)
    })
}

/// The text is a country code of ISO 3166-1: two capital letters.
fn check_country(field: &str, text: &str) -> Result<(), Invalid> {
    if text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase()) {
        return Ok(());
    }
    Err(Invalid::format(field, "a country code of two capital letters"))
}

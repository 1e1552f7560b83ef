//! Facilities: the sites machines stand at.

use meetme_app::Error;
use meetme_model::{
    access::{Organization, Project},
    place::{Metro, PostalAddress, Site, SiteState},
};
use meetme_store::{Filter, Object, Op, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    show::{Relation, Show, Shown},
    work::{Gives, Out, Row, Work},
};

/// Under this scheme a place may have a code of its own here.
pub const SCHEME: &str = "packet";
/// The features the later deployment knows; its strict clients refuse any other.
const LATER: &[&str] = &["baremetal", "backend_transfer", "layer_2", "global_ipv4", "ibx"];
const LIST: Gives = Gives::List("facilities", "Facility");

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_facilities", "/facilities", LIST, list),
        Row::get("list_project_facilities", "/projects/{id}/facilities", LIST, list_of_project),
        Row::get("list_organization_facilities", "/organizations/{id}/facilities", LIST, list_of_organization),
    ]
}

/// The fields of a facility.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    name: String,
    code: String,
    features: Vec<String>,
    address: Option<Address>,
    ip_ranges: Vec<String>,
}

/// A postal address.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Address {
    address: String,
    address2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip_code: String,
    country: String,
    coordinates: Option<Coordinates>,
}

/// A point on Earth, in degrees as text.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Coordinates {
    latitude: String,
    longitude: String,
}

impl Shown for Site {
    const NAME: &'static str = "Facility";
    const PATH: Option<&'static str> = Some("/facilities");
    const RELATIONS: &'static [Relation<Self>] =
        &[Relation::<Self>::one("metro", &[Metro::KIND], |s| Some(s.metro.any())).whole()];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let known = |feature: &&String| show.base.is_empty() || LATER.contains(&feature.as_str());
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            name: row.spec.name.clone(),
            code: code(&row.spec),
            features: row.spec.features.iter().filter(known).cloned().collect(),
            address: address(&row.spec),
            ip_ranges: Vec::new(),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn address(site: &Site) -> Option<Address> {
    let text = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
    let coordinates =
        site.geo.map(|geo| Coordinates { latitude: geo.latitude.to_string(), longitude: geo.longitude.to_string() });
    let place: &PostalAddress = &site.address;
    if *place == PostalAddress::default() && coordinates.is_none() {
        return None;
    }
    let mut lines = place.lines.iter().cloned();
    Some(Address {
        address: lines.next().unwrap_or_default(),
        address2: lines.next(),
        city: text(&place.city),
        state: place.state.clone(),
        zip_code: place.postal_code.clone().unwrap_or_default(),
        country: place.country.clone(),
        coordinates,
    })
}

/// What a site is called here.
pub fn code(site: &Site) -> String {
    site.other_ids.get(SCHEME).unwrap_or(&site.slug).clone()
}

/// Places whose slug, or whose code here, is this text.
pub fn code_filter(text: &str) -> Filter {
    Filter::eq("slug", text).or(Filter::is("other_ids", Op::Has(format!("{SCHEME}:{text}"))))
}

/// The site of this UUID or code.
///
/// # Errors
/// [`Error::Missing`].
pub fn find(work: &mut Work<'_, '_>, text: &str) -> Result<Object<Site>, Error> {
    if text.len() == 36
        && let Ok(site) = work.row::<Site>(text)
    {
        return Ok(site);
    }
    let found = work.tx.all::<Site>(code_filter(text))?;
    found.into_iter().find(|site| code(&site.spec) == text).ok_or_else(|| Error::missing(Site::KIND, text))
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let filter = Filter::eq("state", SiteState::Retired.word()).not();
    work.every::<Site>("facilities", filter, vec![Order::up("slug")])
}

fn list_of_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    work.id::<Project>("id")?;
    list(work)
}

fn list_of_organization(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    work.id::<Organization>("id")?;
    list(work)
}

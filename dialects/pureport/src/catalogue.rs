//! The catalogue: locations, facilities, cloud regions, and what may be bought where.

use std::collections::BTreeMap;

use meetme_app::{Error, offers};
use meetme_base::{Kind, RawId};
use meetme_http::{Cx, Reply};
use meetme_model::{
    access::Organization,
    place::{Geo, Metro, Offer, Peering, Per, Price, Rates, Region, Service, Site, SiteState},
};
use meetme_store::{Filter, Object, Op, Order, Query, Resource as _, Tx};

use crate::{
    DIALECT, convert,
    ids::ACCOUNT,
    wire::{self, Link},
};

/// A place's name here: the one kept for this dialect, else its slug.
fn name_of<'a>(other_ids: &'a BTreeMap<String, String>, slug: &'a str) -> &'a str {
    other_ids.get(DIALECT).map_or(slug, String::as_str)
}

/// The places that could be meant by a name here.
fn named(text: &str) -> Filter {
    Filter::eq("slug", text).or(Filter::is("other_ids", Op::Has(format!("{DIALECT}:{text}"))))
}

fn link(path: &str, id: &str, title: &str) -> Link {
    Link { href: format!("{path}/{id}"), id: Some(id.to_owned()), title: Some(title.to_owned()) }
}

fn geo(geo: Option<Geo>) -> Option<wire::Geo> {
    geo.map(|g| wire::Geo { latitude: g.latitude, longitude: g.longitude })
}

/// A link to a metro.
pub fn location_link(metro: &Object<Metro>) -> Link {
    link("/locations", name_of(&metro.spec.other_ids, &metro.spec.slug), &metro.spec.name)
}

/// The metro with this name here.
///
/// # Errors
/// When the database fails.
pub fn find_metro(tx: &mut Tx<'_>, text: &str) -> Result<Option<Object<Metro>>, Error> {
    let found = tx.all::<Metro>(named(text))?;
    Ok(found.into_iter().find(|m| name_of(&m.spec.other_ids, &m.spec.slug) == text))
}

/// A region's id: the cloud's word and the cloud's own code.
fn region_id(region: &Region) -> String {
    format!("{}-{}", region.provider, region.code)
}

/// A link to a region.
pub fn region_link(region: &Object<Region>) -> Link {
    link("/cloudRegions", &region_id(&region.spec), &region.spec.name)
}

/// The region with this id.
///
/// # Errors
/// When the database fails.
pub fn find_region(tx: &mut Tx<'_>, text: &str) -> Result<Option<Object<Region>>, Error> {
    let Some((provider, code)) = text.split_once('-') else { return Ok(None) };
    Ok(tx.one(&Filter::eq("provider", provider).and(Filter::eq("code", code)))?)
}

fn locations(tx: &mut Tx<'_>, list: &[Object<Metro>]) -> Result<Vec<wire::Location>, Error> {
    let others = tx.many(list.iter().flat_map(|m| m.spec.links.iter().map(|l| l.metro)))?;
    Ok(list
        .iter()
        .map(|metro| {
            let id = name_of(&metro.spec.other_ids, &metro.spec.slug).to_owned();
            let links = metro.spec.links.iter().filter_map(|l| {
                let location = location_link(others.get(&l.metro)?);
                Some(wire::LocationLink { location, speed: convert::speed(l.rate) })
            });
            wire::Location {
                href: format!("/locations/{id}"),
                id,
                name: metro.spec.name.clone(),
                geo_coordinates: geo(metro.spec.geo).unwrap_or_default(),
                location_links: links.collect(),
            }
        })
        .collect())
}

fn facility(site: &Object<Site>) -> wire::Facility {
    let spec = &site.spec;
    let id = name_of(&spec.other_ids, &spec.slug).to_owned();
    wire::Facility {
        href: format!("/facilities/{id}"),
        id,
        name: spec.name.clone(),
        vendor: spec.vendor.clone(),
        state: match spec.state {
            SiteState::Active => "ACTIVE",
            SiteState::Coming | SiteState::Restricted => "UNAVAILABLE",
            SiteState::Retired => "DELETED",
        },
        address: wire::PhysicalAddress {
            street: spec.address.lines.join(", "),
            city: spec.address.city.clone(),
            state: spec.address.state.clone().unwrap_or_default(),
            postal_code: spec.address.postal_code.clone().unwrap_or_default(),
            country: spec.address.country.clone(),
            geo_coordinates: geo(spec.geo),
        },
        alt_ids: spec
            .other_ids
            .iter()
            .filter(|(scheme, _)| *scheme != DIALECT)
            .map(|(s, t)| (s.clone(), t.clone()))
            .collect(),
    }
}

/// A region; none of a cloud that has no word here.
fn region(object: &Object<Region>) -> Option<wire::CloudRegion> {
    let id = region_id(&object.spec);
    Some(wire::CloudRegion {
        href: format!("/cloudRegions/{id}"),
        id,
        provider: convert::provider(&object.spec.provider)?,
        provider_assigned_id: object.spec.code.clone(),
        display_name: object.spec.name.clone(),
        geo_coordinates: geo(object.spec.geo),
    })
}

fn missing(kind: Kind, name: &str) -> Error {
    Error::missing(kind, name)
}

/// `GET /locations`.
pub async fn find_locations(cx: Cx) -> Result<Reply, Error> {
    let list = cx
        .app
        .read(cx.caller(), |tx| {
            let list = tx.list::<Metro>(&Query::of(Filter::All).order([Order::up("slug")]))?;
            locations(tx, &list)
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `GET /locations/{locationId}`.
pub async fn get_location(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("locationId").to_owned();
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let found = find_metro(tx, &id)?.ok_or_else(|| missing(Metro::KIND, &id))?;
            locations(tx, &[found])?.pop().ok_or_else(|| missing(Metro::KIND, &id))
        })
        .await?;
    Ok(Reply::ok(&found))
}

/// `GET /facilities`.
pub async fn find_facilities(cx: Cx) -> Result<Reply, Error> {
    let list = cx
        .app
        .read(cx.caller(), |tx| {
            let list = tx.list::<Site>(&Query::of(Filter::All).order([Order::up("slug")]))?;
            Ok(list.iter().map(facility).collect::<Vec<_>>())
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `GET /facilities/{facilityId}`.
pub async fn get_facility(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("facilityId").to_owned();
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let found = tx.all::<Site>(named(&id))?;
            let found = found.into_iter().find(|s| name_of(&s.spec.other_ids, &s.spec.slug) == id);
            found.as_ref().map(facility).ok_or_else(|| missing(Site::KIND, &id))
        })
        .await?;
    Ok(Reply::ok(&found))
}

/// `GET /cloudRegions`.
pub async fn find_regions(cx: Cx) -> Result<Reply, Error> {
    let list = cx
        .app
        .read(cx.caller(), |tx| {
            let query = Query::of(Filter::All).order([Order::up("provider"), Order::up("code")]);
            Ok(tx.list::<Region>(&query)?.iter().filter_map(region).collect::<Vec<_>>())
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `GET /cloudRegions/{cloudRegionId}`.
pub async fn get_region(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("cloudRegionId").to_owned();
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let found = find_region(tx, &id)?;
            found.as_ref().and_then(region).ok_or_else(|| missing(Region::KIND, &id))
        })
        .await?;
    Ok(Reply::ok(&found))
}

/// The rates of an offer that have a word here.
fn rates(offer: &Offer) -> Vec<u32> {
    let has = |speed: &u32| {
        let rate = meetme_base::Mbps::try_from(i64::from(*speed));
        rate.is_ok_and(|rate| offer.rates.as_ref().is_none_or(|r: &Rates| r.allows(rate)))
    };
    convert::SPEEDS.iter().copied().filter(has).collect()
}

/// An offer as it is shown: one row for each rate and redundancy, called by the offer's slug and both.
fn supported(tx: &mut Tx<'_>, list: &[Object<Offer>]) -> Result<Vec<wire::Supported>, Error> {
    let mut out = Vec::new();
    for offer in list {
        let Some(kind) = offer.spec.far.as_deref().and_then(convert::kind) else { continue };
        let Some(metro) = metro_of(tx, offer.spec.at)? else { continue };
        let regions = tx.many(offer.spec.reach.iter().copied())?;
        let prices = offers::prices(tx, offer.id.any())?;
        let reach: Vec<Link> = offer.spec.reach.iter().filter_map(|id| regions.get(id)).map(region_link).collect();
        let redundancies = offer.spec.redundant.map_or_else(|| vec![false, true], |one| vec![one]);
        let peerings =
            if offer.spec.peerings.is_empty() { vec![Peering::Private] } else { offer.spec.peerings.clone() };
        for peering in &peerings {
            for speed in rates(&offer.spec) {
                for redundant in &redundancies {
                    let id = wire_id(&offer.spec.slug, (peerings.len() > 1).then_some(*peering), speed, *redundant);
                    out.push(wire::Supported {
                        href: format!("/supportedConnections/{id}"),
                        id,
                        kind,
                        location: location_link(&metro),
                        speed,
                        high_availability: *redundant,
                        peering_type: convert::peering(Some(*peering)),
                        pending: offer.spec.pending || !offer.spec.permitted,
                        requires_approval: offer.spec.needs_approval,
                        reachable_cloud_regions: reach.clone(),
                        groups: Vec::new(),
                        billing_product_ids: BTreeMap::new(),
                        billing_plans: prices.iter().filter_map(|p| plan(&p.spec, speed)).collect(),
                    });
                }
            }
        }
    }
    Ok(out)
}

fn wire_id(slug: &str, peering: Option<Peering>, speed: u32, redundant: bool) -> String {
    let peering = peering.map(|p| format!("-{}", p.word())).unwrap_or_default();
    format!("{slug}{peering}-{speed}-{}", if redundant { "ha" } else { "noha" })
}

fn metro_of(tx: &mut Tx<'_>, at: RawId) -> Result<Option<Object<Metro>>, Error> {
    match tx.kind_of(at)? {
        Some(kind) if kind == Metro::KIND => Ok(tx.find(at.of())?),
        _ => match tx.find::<Site>(at.of())? {
            Some(site) => Ok(tx.find(site.spec.metro)?),
            None => Ok(None),
        },
    }
}

/// A price as a plan: cents, and a day's where the core has an hour's. None for another rate.
fn plan(price: &Price, speed: u32) -> Option<wire::BillingPlan> {
    if price.rate.is_some_and(|rate| rate.get() != speed) {
        return None;
    }
    let times = if price.per == Per::Hour { 24.0 } else { 1.0 };
    let cents = |micros: i64| micros as f64 / 10_000.0;
    Some(wire::BillingPlan {
        term: convert::term(Some(price.term)),
        billing_interval: convert::interval(price.per)?,
        billing_long_haul: convert::long_haul(price.long_haul),
        amount: cents(price.amount.micros) * times,
        setup_amount: price.setup.as_ref().map_or(0.0, |s| cents(s.micros)),
    })
}

/// `GET /accounts/{accountId}/supportedConnections`.
pub async fn find_supported(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("accountId").to_owned();
    let list = cx
        .app
        .read(cx.caller(), move |tx| {
            let account: Object<Organization> = ACCOUNT.find(tx, &id)?;
            let list = offers::visible(tx, account.id.any(), Service::Circuit)?;
            supported(tx, &list)
        })
        .await?;
    Ok(Reply::ok(&list))
}

/// `GET /supportedConnections/{supportedConnectionId}`.
pub async fn get_supported(cx: Cx) -> Result<Reply, Error> {
    let id = cx.param("supportedConnectionId").to_owned();
    let home = cx.caller().home();
    let found = cx
        .app
        .read(cx.caller(), move |tx| {
            let mut list = offers::visible(tx, home.any(), Service::Circuit)?;
            list.retain(|offer| id.starts_with(&offer.spec.slug));
            let found = supported(tx, &list)?.into_iter().find(|row| row.id == id);
            found.ok_or_else(|| missing(Offer::KIND, &id))
        })
        .await?;
    Ok(Reply::ok(&found))
}

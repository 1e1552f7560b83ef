//! Locations: sites, with what is sold at each.

use std::collections::HashMap;

use meetme_app::{Error, offers};
use meetme_base::{Mbps, RawId};
use meetme_http::{Auth, Cx, Op, Problem, QueryParam, Reply};
use meetme_model::{
    access::{Form, Organization},
    place::{Metro, Offer, Rates, Service, Site, SiteState, Zone},
};
use meetme_store::{Context, Filter, Object, Tx};
use serde_json::{Value, json};

use crate::{envelope, scene, show::SPEEDS, words};

pub fn ops() -> Vec<Op> {
    let filters = || vec![QueryParam::text("locationStatuses").repeated(), QueryParam::text("metro")];
    // Locations are shown to everybody; a caller may be shown more.
    let get = |id, path, summary| Op::get(id, path).group("locations").summary(summary).auth(Auth::Optional);
    vec![
        get("v2.locations", "/v2/locations", "Where things can be ordered")
            .query(filters())
            .run(async |cx| list(cx, show_v2).await),
        get("v3.locations", "/v3/locations", "Where things can be ordered, zone by zone")
            .query(filters())
            .run(async |cx| list(cx, show_v3).await),
        get("v2.networkRegions", "/v2/networkRegions", "The countries there are locations in").run(regions),
    ]
}

/// A site with what is around it.
struct Place {
    site: Object<Site>,
    metro: Object<Metro>,
    /// What is sold there of ports and routers.
    offers: Vec<Object<Offer>>,
}

/// Reads something as the caller; strangers see what the operator shows.
async fn read<T: Send + 'static>(
    cx: &Cx,
    f: impl Fn(&mut Tx<'_>, RawId) -> Result<T, Error> + Send + 'static,
) -> Result<T, Problem> {
    match cx.known_caller() {
        Some(caller) => {
            let home = caller.home().any();
            Ok(cx.app.read(caller, move |tx| f(tx, home)).await?)
        }
        None => {
            let work =
                move |tx: &mut Tx<'_>| match tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))? {
                    Some(operator) => f(tx, operator.id.any()).map(Some),
                    None => Ok(None),
                };
            let found = cx.app.store().read::<_, Error, _>(Context::system(), work).await?;
            Ok(found.ok_or_else(|| Error::Unavailable("This installation is not set up yet.".to_owned()))?)
        }
    }
}

fn places(tx: &mut Tx<'_>, node: RawId) -> Result<Vec<Place>, Error> {
    // A catalogue kept by an organization below the operator is its own customers' to see.
    let mut near = tx.above(node)?;
    near.push(node);
    let sites = tx.all::<Site>(Filter::is_in("tenant", near))?;
    let mut metros = tx.many(sites.iter().map(|site| site.spec.metro))?;
    let mut sold: HashMap<RawId, Vec<Object<Offer>>> = HashMap::new();
    for service in [Service::Port, Service::Router, Service::Nat] {
        for offer in offers::visible(tx, node, service)? {
            sold.entry(offer.spec.at).or_default().push(offer);
        }
    }
    let mut out = Vec::with_capacity(sites.len());
    for site in sites {
        let Some(metro) = metros.get_mut(&site.spec.metro) else { continue };
        let here = [site.id.any(), metro.id.any()];
        let offers = here.iter().filter_map(|at| sold.get(at)).flatten().cloned().collect();
        out.push(Place { metro: metro.clone(), offers, site });
    }
    Ok(out)
}

async fn list(cx: Cx, show: fn(&Place) -> Value) -> Result<Reply, Problem> {
    let statuses: Vec<String> =
        cx.query.all("locationStatuses").flat_map(|v| v.split(',')).map(str::to_ascii_lowercase).collect();
    let metro = cx.query.get("metro").map(str::to_owned);
    let locations = read(&cx, move |tx, node| {
        let mut list = places(tx, node)?;
        list.retain(|place| {
            let status =
                statuses.is_empty() || statuses.iter().any(|s| s.eq_ignore_ascii_case(status(place.site.spec.state)));
            status && metro.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(&place.metro.spec.name))
        });
        Ok(list.iter().map(show).collect::<Vec<Value>>())
    })
    .await?;
    Ok(envelope::ok("List all public locations", locations))
}

fn status(state: SiteState) -> &'static str {
    match state {
        SiteState::Active => "Active",
        SiteState::Coming => "Deployment",
        SiteState::Restricted => "Restricted",
        SiteState::Retired => "Expired",
    }
}

impl Place {
    fn country(&self) -> &str {
        let own = self.site.spec.address.country.as_str();
        if own.is_empty() { &self.metro.spec.country } else { own }
    }
    fn market(&self) -> &str {
        let own = self.site.spec.market.as_deref().or(self.metro.spec.market.as_deref());
        own.unwrap_or(&self.metro.spec.country)
    }
    fn geo(&self) -> (f64, f64) {
        self.site.spec.geo.or(self.metro.spec.geo).map_or((0.0, 0.0), |geo| (geo.latitude, geo.longitude))
    }
    /// The speeds of a service that can be ordered, of those the dialect knows; of one zone, or of any.
    fn speeds(&self, service: Service, zone: Option<Zone>, known: &[u32]) -> Vec<u32> {
        let sold = |speed: u32| {
            self.offers.iter().map(|o| &o.spec).any(|offer| {
                let here = offer.service == service && offer.permitted && !offer.pending;
                here && (zone.is_none() || offer.zone.is_none() || offer.zone == zone)
                    && Mbps::try_from(i64::from(speed))
                        .is_ok_and(|rate| offer.rates.as_ref().is_some_and(|r: &Rates| r.allows(rate)))
            })
        };
        known.iter().copied().filter(|speed| sold(*speed)).collect()
    }
}

/// The speeds of ports.
const PORT_SPEEDS: &[u32] = &[1000, 10_000, 100_000, 400_000];

fn address(place: &Place) -> Value {
    let site = &place.site.spec;
    json!({
        "street": site.address.lines.join(", "),
        "suburb": site.suite.clone().unwrap_or_default(),
        "city": site.address.city,
        "state": site.address.state.clone().unwrap_or_default(),
        "postcode": site.address.postal_code.clone().unwrap_or_default(),
        "country": words::country(place.country()),
    })
}

fn show_v2(place: &Place) -> Value {
    let site = &place.site.spec;
    let ports = place.speeds(Service::Port, None, PORT_SPEEDS);
    let routers = place.speeds(Service::Router, None, SPEEDS);
    let (latitude, longitude) = place.geo();
    json!({
        "id": scene::number(&place.site),
        "name": site.name,
        "country": words::country(place.country()),
        "liveDate": words::millis(site.live_on),
        "siteCode": site.slug,
        "networkRegion": REGION,
        "address": address(place),
        "campus": site.campus.clone().unwrap_or_default(),
        "latitude": latitude,
        "longitude": longitude,
        "products": {
            "mcr": !routers.is_empty(),
            "mcrVersion": 2,
            "megaport": ports.iter().map(|mbps| mbps / 1000).collect::<Vec<_>>(),
            "mve": [],
            "mcr1": [],
            "mcr2": routers,
        },
        "market": place.market(),
        "metro": place.metro.spec.name,
        "vRouterAvailable": !routers.is_empty(),
        "status": status(site.state),
    })
}

fn show_v3(place: &Place) -> Value {
    let site = &place.site.spec;
    let (latitude, longitude) = place.geo();
    let zone = |zone: Zone| {
        site.zones.contains(&zone).then(|| {
            json!({
                "mcrSpeedMbps": place.speeds(Service::Router, Some(zone), SPEEDS),
                "megaportSpeedMbps": place.speeds(Service::Port, Some(zone), PORT_SPEEDS),
                "mveMaxCpuCoreCount": null,
                "mveAvailable": false,
                "natGatewaySpeedMbps": place.speeds(Service::Nat, Some(zone), SPEEDS),
            })
        })
    };
    let note = place.offers.iter().find_map(|offer| offer.spec.ordering_note.clone());
    json!({
        "id": scene::number(&place.site),
        "name": site.name,
        "metro": place.metro.spec.name,
        "market": place.market(),
        "status": status(site.state),
        "address": address(place),
        "latitude": latitude,
        "longitude": longitude,
        "dataCentre": {"id": scene::number(&place.site), "name": site.vendor},
        "diversityZones": {"red": zone(Zone::A), "blue": zone(Zone::B)},
        "productAddOns": {"crossConnect": {"available": site.features.iter().any(|f| f == "cross_connect"), "type": null}},
        "orderingMessage": note,
    })
}

/// The one region of this installation, under the name that clients look for.
const REGION: &str = "MP1";

async fn regions(cx: Cx) -> Result<Reply, Problem> {
    let countries = read(&cx, |tx, node| {
        let mut by_country: Vec<(String, String, u64)> = Vec::new();
        for place in places(tx, node)? {
            match by_country.iter_mut().find(|(code, _, _)| code == place.country()) {
                Some((_, _, sites)) => *sites += 1,
                None => by_country.push((place.country().to_owned(), place.market().to_owned(), 1)),
            }
        }
        Ok(by_country)
    })
    .await?;
    let countries: Vec<Value> = countries
        .iter()
        .map(|(code, market, sites)| json!({"code": code, "name": words::country(code), "prefix": market, "siteCount": sites}))
        .collect();
    Ok(envelope::ok("Network regions", json!([{"networkRegion": REGION, "countries": countries}])))
}

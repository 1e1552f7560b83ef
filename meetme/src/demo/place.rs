//! Where the demo world is: metros, sites, cloud regions, gateways, what is sold where, and the pools it is taken from.

use std::collections::BTreeMap;

use meetme_app::{Error, addresses};
use meetme_base::{Asn, Id, Mbps, RawId};
use meetme_model::{
    fabric::{Pool, PoolOf, Stretch},
    ops::{Equipment, Family},
    place::{Metro, Offer, Peering, PostalAddress, Rates, Region, Service, Site, Zone},
    routing::{AutonomousSystem, Platform, Router},
};
use meetme_store::{Filter, Tx};
use serde_json::json;

use super::access::People;

/// What the rest of the world builds on.
pub struct Places {
    /// The sites by slug.
    pub sites: BTreeMap<&'static str, Id<Site>>,
    /// The platform of simulated boxes.
    pub platform: Id<Platform>,
}

/// Metro: slug, name, country, market, continent, latitude, longitude, its short code elsewhere.
type MetroRow = (&'static str, &'static str, &'static str, &'static str, &'static str, f64, f64, &'static str);

const METROS: &[MetroRow] = &[
    ("us-ral", "Raleigh", "US", "US", "NA", 35.78, -78.64, "ra"),
    ("us-sea", "Seattle", "US", "US", "NA", 47.61, -122.33, "se"),
    ("us-nyc", "New York", "US", "US", "NA", 40.71, -74.01, "ny"),
    ("us-svl", "Silicon Valley", "US", "US", "NA", 37.35, -121.95, "sv"),
    ("us-atl", "Atlanta", "US", "US", "NA", 33.75, -84.39, "at"),
    ("us-dal", "Dallas", "US", "US", "NA", 32.78, -96.8, "da"),
    ("us-iad", "Washington DC", "US", "US", "NA", 39.04, -77.49, "dc"),
    ("us-lax", "Los Angeles", "US", "US", "NA", 34.05, -118.24, "la"),
    ("us-chi", "Chicago", "US", "US", "NA", 41.88, -87.63, "ch"),
    ("nl-ams", "Amsterdam", "NL", "EU", "EU", 52.37, 4.9, "am"),
    ("de-fra", "Frankfurt", "DE", "EU", "EU", 50.11, 8.68, "fr"),
    ("jp-tyo", "Tokyo", "JP", "JP", "AP", 35.68, 139.69, "ty"),
    ("sg-sin", "Singapore", "SG", "SG", "AP", 1.35, 103.82, "sg"),
    ("au-syd", "Sydney", "AU", "AU", "AP", -33.87, 151.21, "sy"),
    ("ca-tor", "Toronto", "CA", "CA", "NA", 43.65, -79.38, "tr"),
];

/// Site: slug, name, metro.
const SITES: &[(&str, &str, &str)] = &[
    ("ral1", "Raleigh 1", "us-ral"),
    ("ams1", "Amsterdam, NL", "nl-ams"),
    ("ewr1", "Parsippany, NJ", "us-nyc"),
    ("nrt1", "Tokyo, JP", "jp-tyo"),
    ("sjc1", "Sunnyvale, CA", "us-svl"),
    ("atl1", "Atlanta, GA", "us-atl"),
    ("dfw1", "Dallas, TX", "us-dal"),
    ("fra1", "Frankfurt, DE", "de-fra"),
    ("iad1", "Ashburn, VA", "us-iad"),
    ("lax1", "Los Angeles, CA", "us-lax"),
    ("ord1", "Chicago, IL", "us-chi"),
    ("sea1", "Seattle, WA", "us-sea"),
    ("sin1", "Singapore", "sg-sin"),
    ("syd1", "Sydney, AU", "au-syd"),
    ("yyz1", "Toronto, ON", "ca-tor"),
];

/// Cloud regions: provider, code, name.
const REGIONS: &[(&str, &str, &str)] = &[
    ("aws", "us-east-1", "US East (N. Virginia)"),
    ("aws", "us-west-2", "US West (Oregon)"),
    ("aws", "ap-southeast-2", "Asia Pacific (Sydney)"),
    ("azure", "eastus", "East US"),
    ("google", "us-east1", "South Carolina"),
    ("oracle", "us-ashburn-1", "US East (Ashburn)"),
];

/// The rates at which circuits are sold.
const RATES: &[i64] = &[50, 100, 200, 300, 400, 500, 1000, 2000, 3000, 4000, 5000, 10_000];

/// The operator's own AS number; documentation and private use share this range (RFC 5398, RFC 6996).
const OPERATOR_ASN: i64 = 64_496;

/// Makes the places.
pub fn make(tx: &mut Tx<'_>, people: &People) -> Result<Places, Error> {
    let operator = people.operator;
    let mut metros: BTreeMap<&str, Id<Metro>> = BTreeMap::new();
    for (slug, name, country, market, continent, latitude, longitude, code) in METROS {
        let metro: Metro = spec(json!({
            "slug": slug, "name": name, "country": country, "market": market, "continent": continent,
            "geo": {"latitude": latitude, "longitude": longitude}, "other_ids": {"metro": code, "packet": code},
        }))?;
        metros.insert(slug, tx.create(operator, metro)?.id);
    }
    let mut sites = BTreeMap::new();
    for (slug, name, metro) in SITES {
        let metro = metros[metro];
        let (city, country) = name.split_once(", ").unwrap_or((name, ""));
        let site = Site {
            vendor: "Demo Data Centres".to_owned(),
            zones: vec![Zone::A, Zone::B],
            features: vec!["baremetal".to_owned(), "storage".to_owned(), "global_ipv4".to_owned()],
            address: PostalAddress { city: city.to_owned(), country: country.to_owned(), ..PostalAddress::default() },
            ..Site::new(*slug, *name, metro)
        };
        sites.insert(*slug, tx.create(operator, site)?.id);
    }
    let local = AutonomousSystem { ours: true, ..AutonomousSystem::new(Asn::try_from(OPERATOR_ASN)?, "Demo Operator") };
    let local = tx.create(operator, local)?.id;
    let platform = tx.one::<Platform>(&Filter::eq("slug", "sim"))?;
    let platform =
        platform.ok_or_else(|| Error::Bug("there is no built-in platform of simulated boxes".to_owned()))?.id;
    let places = Places { sites, platform };
    for (slug, site) in &places.sites {
        for zone in [Zone::A, Zone::B] {
            gateway(tx, operator, slug, *site, zone, local, places.platform)?;
        }
    }
    let regions = regions(tx, operator)?;
    for (slug, metro) in &metros {
        offers(tx, operator, slug, metro.any(), &regions)?;
    }
    for (slug, site) in &places.sites {
        ports(tx, operator, slug, site.any())?;
    }
    pools(tx, operator)?;
    Ok(places)
}

/// A gateway router of the operator: simulated, in one zone of a site.
fn gateway(
    tx: &mut Tx<'_>,
    operator: RawId,
    slug: &str,
    site: Id<Site>,
    zone: Zone,
    local: Id<AutonomousSystem>,
    platform: Id<Platform>,
) -> Result<(), Error> {
    let name = format!("gw-{slug}-{}", zone.word());
    let equipment = Equipment {
        site: Some(site),
        zone: Some(zone),
        repair: true,
        settings: json!({"poll_seconds": 30}),
        ..Equipment::new(&name, Family::Router, "sim", "")
    };
    let equipment = tx.create(operator, equipment)?.id;
    let router = Router {
        hostname: format!("{name}.meetme.example"),
        name,
        platform: Some(platform),
        local: Some(local),
        equipment: Some(equipment),
        site: Some(site),
        zone: Some(zone),
        poll: true,
        ..Router::default()
    };
    tx.create(operator, router)?;
    Ok(())
}

fn regions(tx: &mut Tx<'_>, operator: RawId) -> Result<Vec<(String, Id<Region>)>, Error> {
    let mut out = Vec::new();
    for (provider, code, name) in REGIONS {
        let region: Region = spec(json!({"provider": provider, "code": code, "name": name}))?;
        out.push(((*provider).to_owned(), tx.create(operator, region)?.id));
    }
    Ok(out)
}

/// What is sold in a metro: on-ramps to the clouds, redundant and not, and tunnels.
fn offers(
    tx: &mut Tx<'_>,
    operator: RawId,
    slug: &str,
    metro: RawId,
    regions: &[(String, Id<Region>)],
) -> Result<(), Error> {
    let rates = RATES.iter().map(|r| Mbps::try_from(*r)).collect::<Result<Vec<_>, _>>()?;
    for (provider, title, word) in [
        ("aws", "AWS Direct Connect", "awsdx"),
        ("azure", "Azure ExpressRoute", "azureer"),
        ("google", "Google Cloud Interconnect", "gci"),
        ("oracle", "Oracle FastConnect", "ofc"),
    ] {
        let offer = Offer {
            far: Some(provider.to_owned()),
            rates: Some(Rates::List(rates.clone())),
            peerings: vec![Peering::Private, Peering::Public],
            reach: regions.iter().filter(|(p, _)| p == provider).map(|(_, id)| *id).collect(),
            ..Offer::new(format!("{slug}-{word}"), title, Service::Circuit, metro)
        };
        tx.create(operator, offer)?;
    }
    Ok(())
}

/// The ports sold at a site.
fn ports(tx: &mut Tx<'_>, operator: RawId, slug: &str, site: RawId) -> Result<(), Error> {
    let rates = [1000, 10_000, 100_000].into_iter().map(Mbps::try_from).collect::<Result<Vec<_>, _>>()?;
    let offer = Offer {
        rates: Some(Rates::List(rates)),
        media: vec!["LR".to_owned()],
        ..Offer::new(format!("{slug}-port"), "Port", Service::Port, site)
    };
    tx.create(operator, offer)?;
    Ok(())
}

/// The operator's supply: numbers for virtual networks and addresses for machines. All of it is set aside for documentation, private
/// use or benchmarks.
fn pools(tx: &mut Tx<'_>, operator: RawId) -> Result<(), Error> {
    let vnis = Pool { numbers: vec![Stretch { first: 4097, last: 16_777_215 }], ..Pool::new(PoolOf::Vnis, "networks") };
    tx.create(operator, vnis)?;
    for (purpose, networks) in [
        ("peering", vec!["198.18.0.0/24"]),
        (addresses::PUBLIC, vec!["198.19.0.0/16", "2001:db8:100::/40"]),
        (addresses::PRIVATE, vec!["10.0.0.0/8"]),
        (addresses::GLOBAL, vec!["198.18.4.0/22"]),
    ] {
        let networks = networks.iter().filter_map(|n| n.parse().ok()).collect();
        let pool = Pool { networks, ..Pool::new(PoolOf::Addresses, purpose) };
        tx.create(operator, pool)?;
    }
    // 10 TB of storage at every site, in GB.
    for site in tx.ids::<Site>(&Filter::All)? {
        let pool = Pool {
            numbers: vec![Stretch { first: 1, last: 10_000 }],
            at: Some(site.any()),
            ..Pool::new(PoolOf::Units, meetme_app::volumes::STORAGE)
        };
        tx.create(operator, pool)?;
    }
    Ok(())
}

/// A spec from its document; a mistake here is a mistake of ours.
pub fn spec<T: serde::de::DeserializeOwned>(document: serde_json::Value) -> Result<T, Error> {
    serde_json::from_value(document).map_err(|e| Error::Bug(format!("the demo world: {e}")))
}

//! What products refer to, each row read once for an answer: sites, companies, what circuits end on. Names of these are shown to
//! whoever sees the product, so they are read with the system's rights.

use std::{collections::HashMap, rc::Rc};

use meetme_app::Error;
use meetme_base::{Id, RawId};
use meetme_model::{
    access::{Organization, Project},
    fabric::{Network, Port, Target},
    place::{Metro, Offer, Site},
    routing::Router,
};
use meetme_store::{Filter, Object, Resource, Tx};
use serde_json::{Value, json};

use crate::words;

/// The name of the scheme under which a site may have a number of its own.
const SCHEME: &str = "megaport";

type Rows<R> = HashMap<Id<R>, Option<Rc<Object<R>>>>;

/// The rows read so far.
#[derive(Default)]
pub struct Scene {
    organizations: Rows<Organization>,
    projects: Rows<Project>,
    sites: Rows<Site>,
    metros: Rows<Metro>,
    offers: Rows<Offer>,
    ports: Rows<Port>,
    networks: Rows<Network>,
    routers: Rows<Router>,
}

fn fetch<R: Resource>(rows: &mut Rows<R>, tx: &mut Tx<'_>, id: Id<R>) -> Result<Option<Rc<Object<R>>>, Error> {
    if let Some(known) = rows.get(&id) {
        return Ok(known.clone());
    }
    let found = tx.as_system(|tx| tx.find(id))?.map(Rc::new);
    rows.insert(id, found.clone());
    Ok(found)
}

/// What an end of a circuit is attached to, as a product shows it.
#[derive(Clone, Debug, Default)]
pub struct Attached {
    /// Its UUID.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Its company's UUID.
    pub owner: String,
    /// Where it is.
    pub site: Option<Id<Site>>,
}

impl Scene {
    /// A site.
    pub fn site(&mut self, tx: &mut Tx<'_>, id: Id<Site>) -> Result<Option<Rc<Object<Site>>>, Error> {
        fetch(&mut self.sites, tx, id)
    }

    /// A metro.
    pub fn metro(&mut self, tx: &mut Tx<'_>, id: Id<Metro>) -> Result<Option<Rc<Object<Metro>>>, Error> {
        fetch(&mut self.metros, tx, id)
    }

    /// An offer.
    pub fn offer(&mut self, tx: &mut Tx<'_>, id: Id<Offer>) -> Result<Option<Rc<Object<Offer>>>, Error> {
        fetch(&mut self.offers, tx, id)
    }

    /// A router.
    pub fn router(&mut self, tx: &mut Tx<'_>, id: Id<Router>) -> Result<Option<Rc<Object<Router>>>, Error> {
        fetch(&mut self.routers, tx, id)
    }

    /// The company that a row hangs on, itself or by one of its projects.
    pub fn company(&mut self, tx: &mut Tx<'_>, node: RawId) -> Result<Option<Rc<Object<Organization>>>, Error> {
        if let Some(found) = fetch(&mut self.organizations, tx, Id::new(node.get()))? {
            return Ok(Some(found));
        }
        match fetch(&mut self.projects, tx, Id::new(node.get()))? {
            Some(project) => fetch(&mut self.organizations, tx, project.spec.organization),
            None => Ok(None),
        }
    }

    /// The UUID and name of the company that a row hangs on.
    pub fn company_names(&mut self, tx: &mut Tx<'_>, node: RawId) -> Result<(String, String), Error> {
        let company = self.company(tx, node)?;
        Ok(company.map(|c| (c.uid.to_string(), c.spec.name.clone())).unwrap_or_default())
    }

    /// The number of a site; 0 where there is none.
    pub fn number(&mut self, tx: &mut Tx<'_>, site: Option<Id<Site>>) -> Result<i64, Error> {
        let Some(site) = site else { return Ok(0) };
        Ok(self.site(tx, site)?.map_or(0, |site| number(&site)))
    }

    /// The place of a product in words; null where it has none.
    pub fn detail(&mut self, tx: &mut Tx<'_>, site: Option<Id<Site>>) -> Result<Value, Error> {
        let Some(site) = site else { return Ok(Value::Null) };
        let Some(site) = self.site(tx, site)? else { return Ok(Value::Null) };
        let metro = self.metro(tx, site.spec.metro)?;
        let country = metro.as_ref().map_or(site.spec.address.country.as_str(), |m| m.spec.country.as_str());
        Ok(json!({
            "name": site.spec.name,
            "city": site.spec.address.city,
            "metro": metro.as_ref().map_or("", |m| m.spec.name.as_str()),
            "country": words::country(country),
        }))
    }

    /// The market whose prices hold at a site.
    pub fn market(&mut self, tx: &mut Tx<'_>, site: Option<Id<Site>>) -> Result<String, Error> {
        let Some(site) = site else { return Ok(String::new()) };
        let Some(site) = self.site(tx, site)? else { return Ok(String::new()) };
        if let Some(market) = &site.spec.market {
            return Ok(market.clone());
        }
        let metro = self.metro(tx, site.spec.metro)?;
        Ok(metro.map(|m| m.spec.market.clone().unwrap_or_else(|| m.spec.country.clone())).unwrap_or_default())
    }

    /// Where an offer is handed over: the site of its port, the site it is sold at, or the first of its metro.
    pub fn offer_site(&mut self, tx: &mut Tx<'_>, offer: &Object<Offer>) -> Result<Option<Id<Site>>, Error> {
        if let Some(port) = offer.spec.handoff
            && let Some(port) = fetch(&mut self.ports, tx, port)?
        {
            return Ok(port.spec.site);
        }
        if let Some(site) = self.site(tx, Id::new(offer.spec.at.get()))? {
            return Ok(Some(site.id));
        }
        let metro = Filter::eq("metro", offer.spec.at);
        Ok(tx.as_system(|tx| tx.ids::<Site>(&metro))?.first().copied())
    }

    /// What an end is attached to. `router` is where the leg is placed: a network is where its router is.
    pub fn attached(
        &mut self,
        tx: &mut Tx<'_>,
        at: Option<Target>,
        router: Option<Id<Router>>,
    ) -> Result<Attached, Error> {
        let (uid, name, node, site) = match at {
            Some(Target::Port(id)) => match fetch(&mut self.ports, tx, id)? {
                Some(port) => (port.uid, port.spec.name.clone(), port.tenant, port.spec.site),
                None => return Ok(Attached::default()),
            },
            Some(Target::Offer(id)) => match self.offer(tx, id)? {
                Some(offer) => (offer.uid, offer.spec.title.clone(), offer.tenant, self.offer_site(tx, &offer)?),
                None => return Ok(Attached::default()),
            },
            Some(Target::Router(id)) => return self.on_router(tx, id),
            Some(Target::Network(id)) => {
                let Some(network) = fetch(&mut self.networks, tx, id)? else { return Ok(Attached::default()) };
                if let Some(own) = network.spec.router {
                    return self.on_router(tx, own);
                }
                let placed = match router {
                    Some(router) => self.router(tx, router)?.and_then(|r| r.spec.site),
                    None => None,
                };
                (network.uid, network.spec.name.clone(), network.tenant, placed)
            }
            // Products of other dialects: an end without a product of its own here.
            Some(Target::Device(_) | Target::Segment(_)) | None => return Ok(Attached::default()),
        };
        let (owner, _) = self.company_names(tx, node)?;
        Ok(Attached { uid: uid.to_string(), name, owner, site })
    }

    fn on_router(&mut self, tx: &mut Tx<'_>, id: Id<Router>) -> Result<Attached, Error> {
        let Some(router) = self.router(tx, id)? else { return Ok(Attached::default()) };
        let (owner, _) = self.company_names(tx, router.tenant)?;
        Ok(Attached { uid: router.uid.to_string(), name: router.spec.name.clone(), owner, site: router.spec.site })
    }
}

/// The number of a site: the one it has in this scheme, else its id.
pub fn number(site: &Object<Site>) -> i64 {
    site.spec.other_ids.get(SCHEME).and_then(|text| text.parse().ok()).unwrap_or(site.id.get())
}

/// The site with this number.
pub fn by_number(tx: &mut Tx<'_>, number: i64) -> Result<Option<Object<Site>>, Error> {
    let own = Filter::Is("other_ids".into(), meetme_store::Op::Has(format!("{SCHEME}:{number}")));
    if let Some(site) = tx.one::<Site>(&own)? {
        return Ok(Some(site));
    }
    Ok(tx.find(Id::new(number))?)
}

//! Ordering a machine.

use meetme_base::{Id, Invalid, RawId, Uid};
use meetme_model::{
    Life, LifeStatus, Lock, Phase,
    access::{Project, SshKey},
    fabric::Address,
    metal::{AddressWish, Device, DeviceStatus, DeviceWish, Place, Reservation, Server, Spot, SpotRequest},
    ops::Tag,
    place::{Boot, Image, Line, Plan, Site},
};
use meetme_store::{Object, Resource as _, Tx};

use super::{
    place::{self, Hardware},
    port, reservations, spot, steps,
};
use crate::{Error, access, addresses, nics, ssh_keys, tags};

/// The most features that may be required of a machine.
const MOST_REQUIRED: usize = 20;
/// The most places that may be named in an order.
const MOST_PLACES: usize = 100;

/// Orders a machine: takes a free server, cuts its addresses, makes its ports, and shows the whole way to its being ready.
///
/// # Errors
/// [`Error::Exhausted`] when no server or no address is left, [`Error::Conflict`] `price` when the bid is too low, [`Error::Invalid`],
/// [`Error::Missing`], [`Error::Denied`].
pub fn order(tx: &mut Tx<'_>, project: Id<Project>, new: &DeviceWish) -> Result<Object<Device>, Error> {
    let order = Order::new(tx, project, new)?;
    if new.reserved.is_some() {
        let reservation = reservations::pick(tx, &order)?;
        return order.make_on(tx, new.hostname.clone(), &reservation);
    }
    let sites = order.sites(tx)?;
    order.make(tx, new.hostname.clone(), &sites, None)
}

/// An order that was looked at: everything in it is there and fits together, and whoever asks may ask.
pub(crate) struct Order<'w> {
    pub wish: &'w DeviceWish,
    pub project: Object<Project>,
    pub plan: Object<Plan>,
    image: Object<Image>,
    keys: Vec<Id<SshKey>>,
    addresses: Vec<AddressWish>,
    tags: Vec<Id<Tag>>,
}

impl<'w> Order<'w> {
    /// Looks at an order. Nothing is taken yet.
    pub fn new(tx: &mut Tx<'_>, project: Id<Project>, wish: &'w DeviceWish) -> Result<Self, Error> {
        let project = tx.get(project)?;
        access::require(tx, Device::KIND, "create", project.id.any())?;
        let (plan, image) = (tx.get(wish.plan)?, tx.get(wish.image)?);
        check(tx, wish, &plan, &image.spec)?;
        let keys = ssh_keys::resolve(tx, &wish.keys, project.id)?;
        let addresses = wish.addresses.clone().unwrap_or_else(|| addresses::usual(wish.public4_length));
        let tags = tags::ensure(tx, project.id.any(), &wish.tags)?;
        Ok(Self { wish, project, plan, image, keys, addresses, tags })
    }

    /// The hardware it is for.
    pub fn hardware(&self) -> Hardware<'_> {
        Hardware { plan: &self.plan, required: &self.wish.required, preferred: &self.wish.preferred }
    }

    /// The sites at which it may be carried out, in the order in which they are to be tried.
    pub fn sites(&self, tx: &mut Tx<'_>) -> Result<Vec<Id<Site>>, Error> {
        // One site needs no comparing.
        let stock = match self.wish.places[..] {
            [Place::Site(_)] => place::Stock::default(),
            _ => place::stock_of(tx, self.plan.id)?,
        };
        let sites = place::candidates(tx, &self.plan, &self.wish.places, &stock)?;
        match &self.wish.bid {
            Some(bid) => spot::affordable(tx, &self.plan, sites, bid),
            None => Ok(sites),
        }
    }

    /// Makes a machine on a free server at the first of these sites that has one.
    pub fn make(
        &self,
        tx: &mut Tx<'_>,
        hostname: Option<String>,
        sites: &[Id<Site>],
        request: Option<Id<SpotRequest>>,
    ) -> Result<Object<Device>, Error> {
        // A claim names its owner, and the site is where the server stands: it is taken first under the project's name.
        let project = self.project.id.any();
        let server = self.hardware().take(tx, sites, project)?;
        let spec = Device { request, ..self.spec(&server) };
        self.build(tx, hostname, &server, spec, |tx, device| {
            let pool = place::pool(server.spec.site, self.plan.id);
            Ok(tx.hand_over(&pool, server.id.get(), project, device)?)
        })
    }

    /// Makes a machine on the server of a reservation. The reservation keeps the server; the machine only borrows it.
    pub fn make_on(
        &self,
        tx: &mut Tx<'_>,
        hostname: Option<String>,
        reservation: &Object<Reservation>,
    ) -> Result<Object<Device>, Error> {
        let server = tx.as_system(|tx| tx.get::<Server>(reservation.spec.server))?;
        let spec = Device { reservation: Some(reservation.id), ..self.spec(&server) };
        self.build(tx, hostname, &server, spec, |tx, device| reservations::borrow(tx, reservation, device))
    }

    fn spec(&self, server: &Object<Server>) -> Device {
        let wish = self.wish;
        let had = wish.required.iter().chain(&wish.preferred).filter(|f| server.spec.features.contains(f)).cloned();
        Device {
            description: wish.description.clone(),
            life: Life {
                gone_at: wish.gone_at,
                lock: if wish.locked { Lock::Owner } else { Lock::None },
                term: Some(wish.term),
                ..Life::default()
            },
            features: had.collect(),
            userdata: wish.userdata.clone(),
            ipxe_url: wish.ipxe_url.clone(),
            always_pxe: wish.always_pxe,
            layout: wish.layout.clone(),
            network_frozen: wish.network_frozen,
            address_wishes: self.addresses.clone(),
            server: Some(server.id),
            spot: wish.bid.clone().map(|max| Spot { max }),
            keys: self.keys.clone(),
            tags: self.tags.clone(),
            ext: wish.ext.clone(),
            ..Device::new("", self.plan.id, self.image.id, server.spec.site)
        }
    }

    fn build(
        &self,
        tx: &mut Tx<'_>,
        hostname: Option<String>,
        server: &Object<Server>,
        spec: Device,
        hold: impl FnOnce(&mut Tx<'_>, RawId) -> Result<(), Error>,
    ) -> Result<Object<Device>, Error> {
        let uid = Uid::random();
        let hostname = hostname.unwrap_or_else(|| format!("{}.{}", uid.short(), self.wish.domain));
        let spec = Device { hostname, ..spec };
        tx.as_system(|tx| {
            let life = LifeStatus::default().moved(Phase::Queued, None, tx.now());
            let status = DeviceStatus { life: LifeStatus { since: Some(tx.now()), ..life }, ..DeviceStatus::default() };
            let mut device = tx.create_as(self.project.id.any(), uid, spec, status)?;
            hold(tx, device.id.any())?;
            let mut given: Vec<Object<Address>> = Vec::with_capacity(self.addresses.len());
            for wish in &self.addresses {
                given.push(addresses::give(tx, &device, wish)?);
            }
            port::make(tx, &device, &self.plan.spec, &server.spec)?;
            nics::settle(tx, &device)?;
            let known: Vec<&Address> = given.iter().map(|a| &a.spec).collect();
            let status = DeviceStatus { steps: steps(&self.image.spec, &known), ..device.status.clone() };
            tx.observe(&mut device, status, None)?;
            Ok(device)
        })
    }
}

/// What can be said about an order before any server is looked for.
fn check(tx: &mut Tx<'_>, new: &DeviceWish, plan: &Object<Plan>, image: &Image) -> Result<(), Error> {
    if plan.spec.line != Line::Server {
        return Err(Invalid::rule("plan", format!("{} is no plan of a machine.", plan.spec.slug)).into());
    }
    if !image.plans.is_empty() && !image.plans.contains(&plan.id) {
        let text = format!("{} does not run on {}.", image.name, plan.spec.slug);
        return Err(Invalid::rule("image", text).into());
    }
    if new.places.is_empty() && new.reserved.is_none() {
        return Err(Invalid::required("site").into());
    }
    if new.places.len() > MOST_PLACES {
        return Err(Invalid::rule("site", format!("At most {MOST_PLACES} places can be named.")).into());
    }
    for place in &new.places {
        if let Place::Site(site) = place {
            place::check_open(&tx.get(*site)?.spec)?;
        }
    }
    if new.required.len() > MOST_REQUIRED || new.preferred.len() > place::MOST_PREFERRED {
        let most = place::MOST_PREFERRED;
        let text = format!("At most {MOST_REQUIRED} features can be required and {most} preferred.");
        return Err(Invalid::rule("features", text).into());
    }
    check_script(image, new.ipxe_url.as_deref(), new.userdata.as_deref())?;
    if new.gone_at.is_some_and(|at| at <= tx.now()) {
        return Err(Invalid::rule("termination_time", "This moment is past.").into());
    }
    if new.bid.is_some() && new.reserved.is_some() {
        let text = "A server of one's own is not on the spot market.";
        return Err(Invalid::rule("spot_instance", text).into());
    }
    if let Some(n) = new.public4_length
        && !(28..=31).contains(&n)
    {
        return Err(Invalid::range("public_ipv4_subnet_size", 28, 31).into());
    }
    if let Some(wishes) = &new.addresses {
        addresses::check("ip_addresses", wishes)?;
    }
    Ok(())
}

/// A machine that starts from a script needs one: at an address, or as its user data.
pub(super) fn check_script(image: &Image, url: Option<&str>, userdata: Option<&str>) -> Result<(), Error> {
    let has_script = url.is_some() || userdata.is_some_and(|text| text.starts_with("#!ipxe"));
    if image.boot == Boot::Script && !has_script {
        let text = "This image needs the address of a script, or user data that begins with #!ipxe.";
        return Err(Invalid::new("ipxe_script_url", "required", text).into());
    }
    Ok(())
}

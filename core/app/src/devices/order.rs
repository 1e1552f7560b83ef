//! Ordering a machine.

use meetme_base::{Id, Invalid, Time, Uid};
use meetme_model::{
    Ext, Life, LifeStatus, Lock, Phase, Term,
    access::Project,
    fabric::Address,
    metal::{AddressWish, Device, DeviceStatus},
    place::{Boot, Image, Line, Plan},
};
use meetme_store::{Object, Resource as _, Tx};

use super::{Place, place, port, steps};
use crate::{Error, access, addresses, nics, ssh_keys::Keys, tags};

/// What is wished of a new machine.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Its host name; made of its own id and `domain` when absent.
    pub hostname: Option<String>,
    /// The domain of host names that are made here.
    pub domain: &'static str,
    /// A line for people.
    pub description: Option<String>,
    /// Its size.
    pub plan: Id<Plan>,
    /// What shall run on it.
    pub image: Id<Image>,
    /// Where it may stand, the best first.
    pub places: Vec<Place>,
    /// What its hardware must have.
    pub required: Vec<String>,
    /// What its hardware should have.
    pub preferred: Vec<String>,
    /// For how long.
    pub term: Term,
    /// Whether it is locked from the start.
    pub locked: bool,
    /// When it shall end by itself.
    pub gone_at: Option<Time>,
    /// What it reads when it first starts.
    pub userdata: Option<String>,
    /// The script it starts from.
    pub ipxe_url: Option<String>,
    /// Whether it starts from the script every time.
    pub always_pxe: bool,
    /// How its disks are divided.
    pub layout: Option<serde_json::Value>,
    /// Whether its network may not be changed.
    pub network_frozen: bool,
    /// Who may log in.
    pub keys: Keys,
    /// Its addresses; one public of each family and a private one when absent.
    pub addresses: Option<Vec<AddressWish>>,
    /// The length of the public IPv4 network in the usual set of addresses.
    pub public4_length: Option<u8>,
    /// Its tags, by name.
    pub tags: Vec<String>,
    /// What only one dialect can mean.
    pub ext: Ext,
}

impl NewDevice {
    /// A machine of that plan and image, at one of these places, with nothing said about its details.
    pub fn new(plan: Id<Plan>, image: Id<Image>, places: Vec<Place>) -> Self {
        Self {
            hostname: None,
            domain: "localdomain",
            description: None,
            plan,
            image,
            places,
            required: Vec::new(),
            preferred: Vec::new(),
            term: Term::Hour,
            locked: false,
            gone_at: None,
            userdata: None,
            ipxe_url: None,
            always_pxe: false,
            layout: None,
            network_frozen: false,
            keys: Keys::Usual,
            addresses: None,
            public4_length: None,
            tags: Vec::new(),
            ext: Ext::new(),
        }
    }
}

/// Orders a machine: takes a free server, cuts its addresses, makes its ports, and shows the whole way to its being ready.
///
/// # Errors
/// [`Error::Exhausted`] when no server or no address is left, [`Error::Invalid`], [`Error::Missing`], [`Error::Denied`].
pub fn order(tx: &mut Tx<'_>, project: Id<Project>, new: &NewDevice) -> Result<Object<Device>, Error> {
    let project = tx.get(project)?;
    access::require(tx, Device::KIND, "create", project.id.any())?;
    let (plan, image) = (tx.get(new.plan)?, tx.get(new.image)?);
    check(tx, new, &plan, &image.spec)?;
    let keys = new.keys.resolve(tx, project.id)?;
    let wishes = new.addresses.clone().unwrap_or_else(|| addresses::usual(new.public4_length));
    let uid = Uid::random();
    let hostname = new.hostname.clone().unwrap_or_else(|| format!("{}.{}", uid.short(), new.domain));
    let tags = tags::ensure(tx, project.id.any(), &new.tags)?;

    // A claim names its owner, and the site is where the server stands: the pair is found first under the project's name.
    let server = place::take(tx, &plan, &new.places, &new.required, &new.preferred, project.id.any())?;
    let features = new.required.iter().chain(&new.preferred).filter(|f| server.spec.features.contains(f)).cloned();
    let spec = Device {
        description: new.description.clone(),
        life: Life {
            gone_at: new.gone_at,
            lock: if new.locked { Lock::Owner } else { Lock::None },
            term: Some(new.term),
            ..Life::default()
        },
        features: features.collect(),
        userdata: new.userdata.clone(),
        ipxe_url: new.ipxe_url.clone(),
        always_pxe: new.always_pxe,
        layout: new.layout.clone(),
        network_frozen: new.network_frozen,
        address_wishes: wishes.clone(),
        server: Some(server.id),
        keys,
        tags,
        ext: new.ext.clone(),
        ..Device::new(hostname, plan.id, image.id, server.spec.site)
    };
    tx.as_system(|tx| {
        let life = LifeStatus::default().moved(Phase::Queued, None, tx.now());
        let status = DeviceStatus { life: LifeStatus { since: Some(tx.now()), ..life }, ..DeviceStatus::default() };
        let mut device = tx.create_as(project.id.any(), uid, spec, status)?;
        let pool = place::pool(server.spec.site, plan.id);
        tx.release(&pool, server.id.get())?;
        tx.claim_exact(&pool, server.id.get(), 1, device.id.any())?;
        let mut given: Vec<Object<Address>> = Vec::with_capacity(wishes.len());
        for wish in &wishes {
            given.push(addresses::give(tx, &device, wish)?);
        }
        port::make(tx, &device, &plan.spec, &server.spec)?;
        nics::settle(tx, &device)?;
        let known: Vec<&Address> = given.iter().map(|a| &a.spec).collect();
        let status = DeviceStatus { steps: steps(&image.spec, &known), ..device.status.clone() };
        tx.observe(&mut device, status, None)?;
        Ok(device)
    })
}

/// What can be said about an order before any server is looked for.
fn check(tx: &mut Tx<'_>, new: &NewDevice, plan: &Object<Plan>, image: &Image) -> Result<(), Error> {
    if plan.spec.line != Line::Server {
        return Err(Invalid::rule("plan", format!("{} is no plan of a machine.", plan.spec.slug)).into());
    }
    if !image.plans.is_empty() && !image.plans.contains(&plan.id) {
        let text = format!("{} does not run on {}.", image.name, plan.spec.slug);
        return Err(Invalid::rule("image", text).into());
    }
    if new.places.is_empty() {
        return Err(Invalid::required("site").into());
    }
    for place in &new.places {
        if let Place::Site(site) = place {
            place::check_open(&tx.get(*site)?.spec)?;
        }
    }
    check_script(image, new.ipxe_url.as_deref(), new.userdata.as_deref())?;
    if new.gone_at.is_some_and(|at| at <= tx.now()) {
        return Err(Invalid::rule("termination_time", "This moment is past.").into());
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

//! A machine speaking for itself: who it is, what it is to start from, and what it reports.
//!
//! A machine shows no credential; it is known by the address it asks from, which nobody else may have: one of its device's own, or
//! the one its server is given to start with ([`boot_addresses`]). So whatever it is told is its own and nobody else's.
//!
//! What a machine starts from is not kept anywhere: it follows from the wish about its device and from what was told to its
//! equipment. As long as the equipment has not been told, a machine is asked to wait. That order matters: an old system that is
//! still running when its device is given back is told nothing it could answer, because its power is taken before.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr},
};

use meetme_base::{Id, IfAddr, Invalid, IpNet, MacAddr, Uid};
use meetme_model::{
    Phase, Wanted,
    access::SshKey,
    fabric::{Address, Pool},
    metal::{Device, DeviceStatus, MachineBusy, MachineSaid, RootPassword, SaidWhat, Server},
    place::{Boot, Image, ImageSource, Site},
};
use meetme_store::{Actor, Context, Filter, Moved, Object, Op, Resource as _, Tx};

use crate::{App, Error};

/// The purpose of pools with addresses that machines are given while they start over the network.
pub const BOOT: &str = "machine_boot";
/// The controller that sees to devices.
const CONTROLLER: &str = "device";
/// The step that ends the installation of a machine that starts from a script.
const SCRIPT_STEP: &str = "provisioning.104.01";
/// How long a first password is kept, in seconds.
const PASSWORD_SECONDS: i64 = 24 * 3600;
/// The longest text that is kept of what a machine says.
const LONGEST_TEXT: usize = 1000;

/// Where a machine asks, and from where.
#[derive(Clone, Debug)]
pub struct MachineDoor {
    /// The address it asks from.
    pub from: IpAddr,
    /// The site whose machines are answered here, by its short name; those of every site when absent. Private addresses tell machines
    /// apart at one site only.
    pub site: Option<String>,
    /// The request.
    pub request: Uid,
}

/// Runs a reading operation for the machine that asks.
///
/// # Errors
/// [`Error::Missing`] when no machine has the address; what the operation says.
pub fn read<T, F>(app: &App, door: MachineDoor, f: F) -> impl Future<Output = Result<T, Error>> + Send + 'static
where
    F: Fn(&mut Tx<'_>, Object<Device>) -> Result<T, Error> + Send + 'static,
    T: Send + 'static,
{
    app.store().read(context(&door), move |tx| {
        let device = whose(tx, &door)?;
        f(tx, device)
    })
}

/// Runs a writing operation for the machine that asks.
///
/// # Errors
/// As [`read`].
pub fn write<T, F>(app: &App, door: MachineDoor, f: F) -> impl Future<Output = Result<T, Error>> + Send + 'static
where
    F: Fn(&mut Tx<'_>, Object<Device>) -> Result<T, Error> + Send + 'static,
    T: Send + 'static,
{
    app.store().write(context(&door), move |tx| {
        let device = whose(tx, &door)?;
        f(tx, device)
    })
}

fn context(door: &MachineDoor) -> Context {
    let actor = Actor { by: None, name: format!("the machine at {}", door.from), dialect: "machine" };
    Context { actor, request: door.request, ..Context::system() }
}

/// The device of the machine that asks.
fn whose(tx: &mut Tx<'_>, door: &MachineDoor) -> Result<Object<Device>, Error> {
    let missing = || Error::missing(Device::KIND, door.from.to_string());
    let site = match &door.site {
        Some(slug) => Some(tx.one::<Site>(&Filter::eq("slug", slug.as_str()))?.ok_or_else(missing)?.id),
        None => None,
    };
    let mut found = Vec::new();
    let own = Filter::eq("host", door.from).and(Filter::is("device", Op::Empty(false)));
    let owners: Vec<Id<Device>> = tx.all::<Address>(own)?.into_iter().filter_map(|a| a.spec.device).collect();
    for device in tx.many(owners)?.into_values() {
        found.push(device);
    }
    if let Some(server) = started_at(tx, door.from)? {
        found.extend(tx.all::<Device>(Filter::eq("server", server))?);
    }
    found.retain(|d| d.status.life.phase != Phase::Gone && site.is_none_or(|site| d.spec.site == site));
    found.sort_by_key(|d| d.id);
    found.dedup_by_key(|d| d.id);
    match found.len() {
        1 => Ok(found.remove(0)),
        // Two machines with one address are told nothing: it could be one's for the other.
        _ => Err(missing()),
    }
}

/// The server that is given this address to start with.
fn started_at(tx: &mut Tx<'_>, ip: IpAddr) -> Result<Option<Id<Server>>, Error> {
    let IpAddr::V4(v4) = ip else { return Ok(None) };
    for pool in boot_pools(tx)? {
        if !pool.spec.networks.iter().any(|net| net.contains(&ip)) {
            continue;
        }
        if let Some(claim) = tx.taken(&realm(&pool), item(v4), 1)? {
            return Ok(Some(claim.owner.of()));
        }
    }
    Ok(None)
}

fn boot_pools(tx: &mut Tx<'_>) -> Result<Vec<Object<Pool>>, Error> {
    Ok(tx.all::<Pool>(Filter::eq("what", "addresses").and(Filter::eq("purpose", BOOT)))?)
}

/// The claims' name for the addresses of a pool.
fn realm(pool: &Object<Pool>) -> String {
    format!("boot.{}", pool.id)
}

fn item(ip: Ipv4Addr) -> i64 {
    i64::from(u32::from(ip))
}

/// A server and the address it is given to start with.
#[derive(Clone, Debug, PartialEq)]
pub struct BootHost {
    /// The server.
    pub server: Object<Server>,
    /// Its address, and the network that is in.
    pub address: IpAddr,
    /// The pool's network the address is from.
    pub network: IpNet,
}

/// The address of every server of a site that starts over the network, given now to those that have none: the lowest free one of
/// the site's pools with the purpose [`BOOT`]. `except` are addresses that others have there. Servers for which nothing is left,
/// and those without interfaces, are not in the answer. For whoever hands the addresses out.
///
/// # Errors
/// [`Error::Missing`] when there is no such site.
pub fn boot_addresses(tx: &mut Tx<'_>, site: &str, except: &[IpAddr]) -> Result<Vec<BootHost>, Error> {
    let found = tx.one::<Site>(&Filter::eq("slug", site))?;
    let site = found.ok_or_else(|| Error::missing(Site::KIND, site))?.id;
    let mut pools = boot_pools(tx)?;
    pools.retain(|p| p.spec.at.is_none_or(|at| at == site.any()));
    let except: Vec<i64> =
        except.iter().filter_map(|ip| if let IpAddr::V4(v4) = ip { Some(item(*v4)) } else { None }).collect();
    let mut servers = tx.all::<Server>(Filter::eq("site", site))?;
    servers.retain(|s| !s.spec.nics.is_empty());
    servers.sort_by_key(|s| s.id);
    let mut out = Vec::with_capacity(servers.len());
    for server in servers {
        if let Some((address, network)) = address_of(tx, &pools, &server, &except)? {
            out.push(BootHost { server, address, network });
        }
    }
    Ok(out)
}

fn address_of(
    tx: &mut Tx<'_>,
    pools: &[Object<Pool>],
    server: &Object<Server>,
    except: &[i64],
) -> Result<Option<(IpAddr, IpNet)>, Error> {
    let held = tx.held_by(server.id.any())?;
    for pool in pools {
        let realm = realm(pool);
        let nets =
            || pool.spec.networks.iter().filter_map(|net| if let IpNet::V4(v4) = net { Some(*v4) } else { None });
        if let Some((_, claim)) = held.iter().find(|(name, _)| *name == realm) {
            let ip = Ipv4Addr::from(u32::try_from(claim.item).unwrap_or(0));
            // One that was taken out of the pool since is given up.
            if let Some(net) = nets().find(|net| net.contains(&ip)) {
                return Ok(Some((ip.into(), net.into())));
            }
            tx.release(&realm, claim.item)?;
        }
    }
    for pool in pools {
        for net in pool.spec.networks.iter().filter_map(|net| if let IpNet::V4(v4) = net { Some(*v4) } else { None }) {
            // The first and the last of a network are nobody's, unless it is too small for that (RFC 3021).
            let margin = i64::from(net.prefix_len() < 31);
            let range = item(net.network()) + margin..=item(net.broadcast()) - margin;
            match tx.claim(&realm(pool), range, 1, except, server.id.any()) {
                Ok(at) => return Ok(Some((Ipv4Addr::from(u32::try_from(at).unwrap_or(0)).into(), net.into()))),
                Err(meetme_store::Error::Exhausted { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
    Ok(None)
}

/// What a machine is to start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// Nothing yet: it asks again in a moment.
    Wait,
    /// What is on its disk.
    Disk,
    /// The system that installs it.
    Install,
    /// A system in memory, from which its disks can be mended.
    Rescue,
    /// The system that removes everything stored on it.
    Wipe,
    /// A script of its owner's: the text, or where it is.
    Script {
        /// The address of the script.
        url: Option<String>,
        /// The script itself.
        text: Option<String>,
    },
}

/// What a device's machine is to start from.
///
/// # Errors
/// When the store fails.
pub fn start(tx: &mut Tx<'_>, device: &Object<Device>) -> Result<Start, Error> {
    let (spec, status) = (&device.spec, &device.status);
    let busy = status.told.as_ref().and_then(|t| t.busy);
    let is_over = spec.life.wanted == Wanted::Gone
        || spec.life.gone_at.is_some_and(|day| day <= tx.now())
        || status.life.phase == Phase::Removing;
    if is_over {
        return Ok(if busy == Some(MachineBusy::Wiping) { Start::Wipe } else { Start::Wait });
    }
    let image = tx.get::<Image>(spec.image)?;
    let script = || {
        // The address goes before the text: who gives both has asked for the address.
        let text = spec.userdata.clone().filter(|text| spec.ipxe_url.is_none() && text.starts_with("#!ipxe"));
        Start::Script { url: spec.ipxe_url.clone(), text }
    };
    let is_new = status.life.ready_at.is_none() || spec.reinstalls > status.reinstalls;
    let is_written = !status.steps.is_empty() && status.steps.iter().all(|step| step.at.is_some());
    Ok(match image.spec.boot {
        _ if spec.rescue && !is_new => Start::Rescue,
        Boot::Script if spec.always_pxe => script(),
        Boot::Script if is_new && !is_written => script_once_told(device, script()),
        Boot::Disk if is_new && !is_written => script_once_told(device, Start::Install),
        Boot::Script | Boot::Disk => Start::Disk,
    })
}

/// A new installation begins when the equipment was told of it, else the one before would be taken for it.
fn script_once_told(device: &Object<Device>, start: Start) -> Start {
    let told = device.status.told.as_ref();
    let is_told = told.is_some_and(|t| t.busy == Some(MachineBusy::Installing) && t.installed > device.spec.reinstalls);
    if is_told { start } else { Start::Wait }
}

/// An address of a machine's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAddress {
    /// The address, with its length.
    pub ip: IfAddr,
    /// The way out.
    pub gateway: Option<IpAddr>,
    /// Whether everybody can reach it.
    pub public: bool,
}

/// What the system that installs a machine has to know.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The device.
    pub uid: String,
    /// Which installation of it this is, from 1: a system takes what it reads for new when this is.
    pub number: u32,
    /// The name the machine is to give itself.
    pub hostname: String,
    /// What its owner wants it to read.
    pub userdata: Option<String>,
    /// The public keys that may log in.
    pub keys: Vec<String>,
    /// The hardware addresses of its interfaces, in order.
    pub macs: Vec<MacAddr>,
    /// Its addresses, those it was ordered with first.
    pub addresses: Vec<OwnAddress>,
    /// What to write.
    pub source: Option<ImageSource>,
    /// Whether disks other than the system's own are left alone.
    pub keep_disks: bool,
    /// The first password of its user.
    pub root_password: Option<String>,
    /// The name of that user.
    pub login: String,
}

/// What the system that installs a machine has to know.
///
/// # Errors
/// [`Error::Conflict`] `state` when there is nothing to install; when the store fails.
pub fn installation(app: &App, tx: &mut Tx<'_>, device: &Object<Device>) -> Result<Installation, Error> {
    if start(tx, device)? != Start::Install {
        return Err(Error::conflict("state", "Nothing is to be installed."));
    }
    let image = tx.get::<Image>(device.spec.image)?.spec;
    let root_password = match &device.status.root_password {
        Some(kept) => Some(app.sealer().open(&kept.value)?.expose().clone()),
        None => None,
    };
    let server = device.spec.server.map(|id| tx.find::<Server>(id)).transpose()?.flatten();
    let mut addresses = tx.all::<Address>(Filter::eq("device", device.id))?;
    addresses.retain(|a| a.status.phase != Phase::Gone);
    addresses.sort_by_key(|a| (!a.spec.management, a.id));
    let own = |a: Object<Address>| OwnAddress { ip: a.spec.ip, gateway: a.spec.gateway, public: a.spec.public };
    Ok(Installation {
        uid: device.uid.to_string(),
        number: device.spec.reinstalls + 1,
        hostname: device.spec.hostname.clone(),
        userdata: device.spec.userdata.clone(),
        keys: keys(tx, device)?,
        macs: server.map(|s| s.spec.nics.iter().map(|nic| nic.mac).collect()).unwrap_or_default(),
        addresses: addresses.into_iter().map(own).collect(),
        source: image.source,
        keep_disks: device.spec.keep_disks,
        root_password,
        login: image.login.unwrap_or_else(|| "root".to_owned()),
    })
}

/// The public keys that may log in to a machine, as texts.
///
/// # Errors
/// When the store fails.
pub fn keys(tx: &mut Tx<'_>, device: &Object<Device>) -> Result<Vec<String>, Error> {
    let rows = tx.many::<SshKey>(device.spec.keys.iter().copied())?;
    Ok(device.spec.keys.iter().filter_map(|id| rows.get(id)).map(|k| k.spec.key.clone()).collect())
}

/// A machine asked what to start from, and is told.
///
/// # Errors
/// When the store fails.
pub fn started(app: &App, tx: &mut Tx<'_>, device: Object<Device>, start: &Start) -> Result<(), Error> {
    let what = match start {
        // It asks again and again; once is enough to know that it is there.
        Start::Wait => return Ok(()),
        Start::Disk => "It starts from its disk.",
        Start::Install => "It starts the installation system.",
        Start::Rescue => "It starts the rescue system.",
        Start::Wipe => "It starts the system that wipes it.",
        Start::Script { .. } => "It starts from its owner's script.",
    };
    let is_installing = device.status.told.as_ref().is_some_and(|t| t.busy == Some(MachineBusy::Installing));
    let id = device.id;
    if matches!(start, Start::Script { .. }) && is_installing {
        // Nobody knows what runs on it after that: fetching the script is all that is waited for.
        step(tx, device, SCRIPT_STEP)?;
        let device = tx.get(id)?;
        return report(app, tx, device, &Report::CalledHome);
    }
    report(app, tx, device, &Report::Started(what))
}

/// Something a machine says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It asked what to start from, and was told.
    Started(&'static str),
    /// A step of its installation is done.
    Step(String),
    /// Its installation, or its wiping, cannot go on.
    Failed(String),
    /// Everything that was stored on it is removed.
    Wiped,
    /// Its own system has started.
    CalledHome,
    /// Its own system has made a password for its first user.
    Password(String),
    /// What its owner's programs have to say.
    State {
        /// `running`, `succeeded` or `failed`.
        state: String,
        /// A number of theirs.
        code: Option<u32>,
        /// A line for people.
        message: String,
    },
}

/// Keeps what a machine says, and has its controller look.
///
/// # Errors
/// [`Error::Invalid`] for a step it has not; [`Error::Conflict`] `state` for the end of something that was not begun.
pub fn report(app: &App, tx: &mut Tx<'_>, mut device: Object<Device>, report: &Report) -> Result<(), Error> {
    let now = tx.now();
    let mut status = device.status.clone();
    let said = |what: SaidWhat, text: &str| {
        let text = text.chars().filter(|c| !c.is_control()).take(LONGEST_TEXT).collect();
        Some(MachineSaid { at: now, what, text })
    };
    let line = |code: String, said: &Option<MachineSaid>| {
        Some(Moved::new(code, said.as_ref().map(|s| s.text.clone()).unwrap_or_default()))
    };
    let moved = match report {
        Report::Started(what) => {
            status.said = said(SaidWhat::Started, what);
            None
        }
        Report::Step(code) => return step(tx, device, code),
        Report::Failed(why) => {
            if status.told.as_ref().is_none_or(|t| t.busy.is_none()) {
                return Err(Error::conflict("state", "Nothing is under way that could have failed."));
            }
            status.said = said(SaidWhat::Failed, why);
            line("machine.failed".to_owned(), &status.said)
        }
        Report::Wiped => {
            if status.told.as_ref().is_none_or(|t| t.busy != Some(MachineBusy::Wiping)) {
                return Err(Error::conflict("state", "This machine is not being wiped."));
            }
            status.said = said(SaidWhat::Wiped, "Everything that was stored on it is removed.");
            Some(Moved::new("machine.wiped", "The machine's disks are wiped"))
        }
        Report::CalledHome => {
            status.said = said(SaidWhat::CalledHome, "Its system has started.");
            status.called_home_at = Some(now);
            None
        }
        Report::Password(password) => {
            if password.is_empty() || password.len() > 255 {
                return Err(Invalid::new("password", "length", "A password has 1 to 255 characters.").into());
            }
            let value = app.sealer().seal(password)?;
            status.root_password = Some(RootPassword { value, until: now.plus_seconds(PASSWORD_SECONDS) });
            None
        }
        Report::State { state, code, message } => {
            let text = code.map_or_else(|| format!("{state}: {message}"), |code| format!("{state} {code}: {message}"));
            status.said = said(SaidWhat::State, &text);
            line(format!("user.{state}"), &status.said)
        }
    };
    tx.observe(&mut device, status, moved)?;
    Ok(tx.enqueue(CONTROLLER, device.id.any(), now)?)
}

/// Marks a step as done, and those before it, of which a machine may not speak.
fn step(tx: &mut Tx<'_>, mut device: Object<Device>, code: &str) -> Result<(), Error> {
    let now = tx.now();
    let Some(position) = device.status.steps.iter().position(|s| s.code == code) else {
        return Err(Invalid::choice("type", code).into());
    };
    // Said twice is said once.
    if device.status.steps[position].at.is_some() {
        return Ok(());
    }
    if device.status.told.as_ref().is_none_or(|t| t.busy != Some(MachineBusy::Installing)) {
        return Err(Error::conflict("state", "This machine is not being installed."));
    }
    for i in 0..=position {
        let mut status: DeviceStatus = device.status.clone();
        let step = &mut status.steps[i];
        if step.at.is_some() {
            continue;
        }
        step.at = Some(now);
        let moved = Moved::new(step.code.clone(), step.text.clone());
        status.said = Some(MachineSaid { at: now, what: SaidWhat::Step, text: step.text.clone() });
        tx.observe(&mut device, status, Some(moved))?;
    }
    Ok(tx.enqueue(CONTROLLER, device.id.any(), now)?)
}

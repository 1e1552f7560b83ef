//! BGP of machines: a project's permission to speak it, and the sessions of its machines with the routers of their sites.
//!
//! A session hangs on the project, so that its people see it, and names the operator's router and the AS rows in the router owner's
//! book, so that whoever runs the router sees it there like any other session.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use meetme_base::{Asn, Id, IfAddr, Invalid, RawId, Time};
use meetme_model::{
    Admin, Peer, Phase, Wanted,
    access::Project,
    fabric::Address,
    metal::Device,
    place::Site,
    routing::{Answer, AutonomousSystem, BgpConfig, BgpReach, DirectSession, Flavour, Router},
};
use meetme_store::{Filter, Object, Resource as _, Tx};

use crate::{
    Error, Sealer, access,
    builtin::{self, Business},
    routers,
};

/// The AS number the routers of machines speak with.
pub const OUR_ASN: i64 = 65_530;
/// Their addresses towards machines, the same at every site.
pub const LOCALS4: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(169, 254, 255, 1)), IpAddr::V4(Ipv4Addr::new(169, 254, 255, 2))];
/// The same, for IPv6.
pub const LOCALS6: [IpAddr; 2] = [
    IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0xe)),
    IpAddr::V6(Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0xf)),
];
/// Those addresses are not in the machine's own network: one hop to the router, one to the address.
const TTL: u8 = 2;

/// The most prefixes that are accepted on one session unless the operator says otherwise.
pub(crate) const MAX_PREFIX: u32 = 10;

/// A project's wish to speak BGP.
#[derive(Clone, Debug)]
pub struct NewConfig {
    /// How far its announcements go.
    pub reach: BgpReach,
    /// Its AS number.
    pub asn: Asn,
    /// The password of all its sessions; none when absent.
    pub password: Option<String>,
    /// What it is for.
    pub use_case: Option<String>,
}

/// The answer a project's wish has now, if it has made one.
///
/// # Errors
/// [`Error::Missing`] when the caller does not see the project.
pub fn config(tx: &mut Tx<'_>, project: Id<Project>) -> Result<Option<Object<BgpConfig>>, Error> {
    let project = tx.get(project)?;
    Ok(tx.one(&Filter::eq("project", project.id))?)
}

/// Wishes that a project may speak BGP. With a private AS number and for its own place only, it may at once; to the Internet, when
/// the operator has agreed. A second wish replaces the first.
///
/// # Errors
/// [`Error::Invalid`] for a public AS number that shall stay local, or a private one that shall go out.
pub fn request(
    tx: &mut Tx<'_>,
    sealer: &Sealer,
    project: Id<Project>,
    new: &NewConfig,
) -> Result<Object<BgpConfig>, Error> {
    let project = tx.get(project)?;
    check_number(new.reach, new.asn)?;
    let password = new.password.as_deref().map(|text| sealer.seal(text)).transpose()?;
    let answer = if new.reach == BgpReach::Local { Answer::Yes } else { Answer::Open };
    match tx.one::<BgpConfig>(&Filter::eq("project", project.id))? {
        Some(mut config) => {
            // What was agreed for this number stays agreed.
            let same = config.spec.reach == new.reach && config.spec.asn == new.asn;
            let spec = BgpConfig {
                reach: new.reach,
                asn: new.asn,
                password,
                use_case: new.use_case.clone(),
                answer: if same { config.spec.answer } else { answer },
                ..config.spec.clone()
            };
            tx.save(&mut config, spec)?;
            Ok(config)
        }
        None => {
            let config = BgpConfig {
                project: project.id,
                reach: new.reach,
                asn: new.asn,
                password,
                max_prefix: MAX_PREFIX,
                route_object: None,
                use_case: new.use_case.clone(),
                answer,
                ext: Default::default(),
            };
            Ok(tx.create(project.id.any(), config)?)
        }
    }
}

/// A private AS number stays at its place, and no other does.
///
/// # Errors
/// Names `asn`.
pub(crate) fn check_number(reach: BgpReach, asn: Asn) -> Result<(), Invalid> {
    match (reach, asn.is_private()) {
        (BgpReach::Local, false) => Err(Invalid::rule("asn", "Only a private AS number can be used locally.")),
        (BgpReach::Global, true) => {
            Err(Invalid::rule("asn", "A private AS number cannot be announced to the Internet."))
        }
        _ => Ok(()),
    }
}

/// Opens a session between a machine and the router of its site.
///
/// # Errors
/// [`Error::Conflict`] when the project may not speak BGP, the machine is going, it has no address of the family, or its site has
/// no router; [`Error::Exists`] when there is such a session already; [`Error::Denied`].
pub fn open(
    tx: &mut Tx<'_>,
    device: Id<Device>,
    family: u8,
    default_route: bool,
) -> Result<Object<DirectSession>, Error> {
    let device = tx.get(device)?;
    access::require(tx, DirectSession::KIND, "create", device.tenant)?;
    if device.spec.life.wanted == Wanted::Gone || device.status.life.phase == Phase::Removing {
        return Err(Error::conflict("state", "The device is being removed."));
    }
    let config = tx
        .one::<BgpConfig>(&Filter::eq("project", device.tenant))?
        .filter(|config| config.spec.answer == Answer::Yes)
        .ok_or_else(|| Error::conflict("bgp_not_enabled", "BGP is not enabled for this project."))?;
    let same = Filter::eq("device", device.id).and(Filter::eq("family", family));
    if tx.exists::<DirectSession>(&same)? {
        let clash = Invalid::unique("address_family", format!("A BGP session for IPv{family} on this device"));
        return Err(Error::Exists { kind: DirectSession::KIND, clash });
    }
    let ip = own_address(tx, device.id, family)?;
    tx.as_system(|tx| {
        let router = gateway(tx, device.spec.site)?;
        let ours = autonomous_system(tx, router.tenant, Asn::try_from(OUR_ASN)?, true)?;
        let theirs = autonomous_system(tx, router.tenant, config.spec.asn, false)?;
        let relationship = builtin::relationship(tx, Business::Server)?;
        let peer = Peer {
            admin: Admin::Enabled,
            asn: config.spec.asn,
            password: config.spec.password.clone(),
            ttl: TTL,
            max4: (family == 4).then_some(config.spec.max_prefix),
            max6: (family == 6).then_some(config.spec.max_prefix),
            description: Some(device.spec.hostname.chars().take(200).collect()),
            ..Peer::default()
        };
        let session = DirectSession {
            peer,
            local: Some(ours),
            local_asn: Asn::try_from(OUR_ASN).ok(),
            remote: Some(theirs),
            relationship,
            router: Some(router.id),
            device: Some(device.id),
            locals: locals(family).to_vec(),
            default_route,
            ..DirectSession::new(config.spec.asn, ip)
        };
        Ok(tx.create(device.tenant, session)?)
    })
}

/// Our addresses towards machines.
pub const fn locals(family: u8) -> [IpAddr; 2] {
    if family == 4 { LOCALS4 } else { LOCALS6 }
}

/// Says whether a session is sent a default route.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`].
pub fn change(tx: &mut Tx<'_>, id: Id<DirectSession>, default_route: bool) -> Result<Object<DirectSession>, Error> {
    let mut session = of_device(tx, id)?;
    let spec = DirectSession { default_route, ..session.spec.clone() };
    tx.may_change(&session, &spec)?;
    tx.as_system(|tx| tx.save(&mut session, spec))?;
    Ok(session)
}

/// Closes a session.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`].
pub fn close(tx: &mut Tx<'_>, id: Id<DirectSession>) -> Result<(), Error> {
    let session = of_device(tx, id)?;
    Ok(tx.remove(session.id)?)
}

/// Has the routers of a project's sessions looked at now. Answers when its sessions were last looked at: now, when they never were.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`].
pub fn discover(tx: &mut Tx<'_>, project: Id<Project>) -> Result<Time, Error> {
    let project = tx.get(project)?;
    access::require(tx, DirectSession::KIND, "change", project.id.any())?;
    let of_devices = Filter::is("device", meetme_store::Op::Empty(false));
    let sessions = tx.all::<DirectSession>(Filter::eq("tenant", project.id).and(of_devices))?;
    let mut woken = BTreeSet::new();
    for session in &sessions {
        for router in routers::routers_of(tx, &session.spec)? {
            if woken.insert(router) {
                match routers::poll::wake(tx, router) {
                    // Nobody could look at it, now or later.
                    Ok(_) | Err(Error::Unavailable(_)) => {}
                    Err(e) => return Err(e),
                }
            }
        }
    }
    Ok(sessions.iter().filter_map(|s| s.status.polled_at).max().unwrap_or_else(|| tx.now()))
}

/// A session, if it is one of a machine.
fn of_device(tx: &mut Tx<'_>, id: Id<DirectSession>) -> Result<Object<DirectSession>, Error> {
    let session = tx.get(id)?;
    if session.spec.device.is_none() {
        return Err(Error::missing(DirectSession::KIND, id));
    }
    Ok(session)
}

/// The address a machine speaks from: its private one for IPv4, which never changes hands, and its public one for IPv6.
fn own_address(tx: &mut Tx<'_>, device: Id<Device>, family: u8) -> Result<IfAddr, Error> {
    let filter = Filter::eq("device", device)
        .and(Filter::eq("family", family))
        .and(Filter::eq("management", true))
        .and(Filter::eq("public", family == 6));
    let address = tx.one::<Address>(&filter)?;
    address.map(|a| a.spec.ip).ok_or_else(|| {
        let what = if family == 4 { "private IPv4" } else { "public IPv6" };
        Error::conflict("no_address", format!("The device has no {what} address to speak from."))
    })
}

/// The router that machines of a site speak to.
fn gateway(tx: &mut Tx<'_>, site: Id<Site>) -> Result<Object<Router>, Error> {
    let filter = Filter::eq("site", site).and(Filter::eq("flavour", Flavour::Hardware.word()));
    let mut routers = tx.all::<Router>(filter)?;
    routers.sort_by_key(|r| (r.spec.admin != Admin::Enabled, r.spec.zone, r.id));
    routers
        .into_iter()
        .next()
        .ok_or_else(|| Error::conflict("no_router", "There is no router at this site to speak to."))
}

/// The row of an AS in the book of whoever runs the router, made when it is missing.
fn autonomous_system(tx: &mut Tx<'_>, book: RawId, asn: Asn, ours: bool) -> Result<Id<AutonomousSystem>, Error> {
    if let Some(known) = tx.one::<AutonomousSystem>(&Filter::eq("tenant", book).and(Filter::eq("asn", asn)))? {
        return Ok(known.id);
    }
    let name = if ours { "Machine gateways".to_owned() } else { format!("AS{asn}") };
    Ok(tx.create(book, AutonomousSystem { ours, ..AutonomousSystem::new(asn, name) })?.id)
}

//! Ports at sites: ordering one or a group of them, changing, locking and giving them up. What a port carries goes with it.
//!
//! A port is ordered against an offer of its site and is `queued` then; a controller brings it up, takes it down and buries it.
//! Circuits may be ordered on it from the first moment.

use meetme_base::{Id, Invalid, Mbps, RawId, Time, Uid};
use meetme_model::{
    Ext, Labels, Life, LifeStatus, Lock, Phase, Reason, Term, Wanted,
    fabric::{Circuit, End, Leg, Port, PortStatus, Shape, Target},
    living,
    place::{Offer, Service, Site, SiteState, Zone},
};
use meetme_store::{Filter, Moved, Object, Resource as _, Tx};

use crate::{Error, access, circuits, offers};

/// What is wished of one new port, or of a group of equal ones.
#[derive(Clone, Debug)]
pub struct NewPort {
    /// The organization or project that owns it.
    pub owner: RawId,
    /// Its name; those of a group are numbered.
    pub name: String,
    /// The rate of each port.
    pub rate: Mbps,
    /// Where.
    pub site: Id<Site>,
    /// In which zone; the one with the fewest ports when absent.
    pub zone: Option<Zone>,
    /// For how long.
    pub term: Term,
    /// The owner's own reference for invoices.
    pub cost_centre: Option<String>,
    /// How many ports work as one: 1 for a port that stands alone.
    pub members: u8,
    /// Whether everybody may see it and ask for circuits to it.
    pub visible: bool,
    /// Whether a cross connect is ordered with it.
    pub cross_connect: bool,
    /// Labels.
    pub labels: Labels,
    /// What only one dialect can mean.
    pub ext: Ext,
}

/// The most ports in a group.
const MOST_MEMBERS: u8 = 8;

/// The offer a port is ordered against.
///
/// # Errors
/// [`Error::Invalid`] on `site` when nothing is sold there now, else as [`offers::find`].
pub fn offer(tx: &mut Tx<'_>, owner: RawId, site: Id<Site>, rate: Mbps, term: Term) -> Result<Object<Offer>, Error> {
    let place = tx.find(site)?.ok_or_else(|| Invalid::reference("site", format!("The site {site}")))?;
    if place.spec.state != SiteState::Active {
        return Err(Invalid::rule("site", format!("Nothing can be ordered at {} now.", place.spec.name)).into());
    }
    let wish = offers::Wish {
        service: Service::Port,
        far: None,
        at: site.any(),
        rate,
        redundant: false,
        peering: None,
        region: None,
        term,
    };
    offers::find(tx, owner, &wish)
}

/// Orders ports. The first of a group leads it: circuits end on it.
///
/// # Errors
/// [`Error::Invalid`] on `zone`, `members`, or as [`offer`]; [`Error::Denied`].
pub fn order(tx: &mut Tx<'_>, new: &NewPort) -> Result<Vec<Object<Port>>, Error> {
    access::require(tx, Port::KIND, "create", new.owner)?;
    let sold = offer(tx, new.owner, new.site, new.rate, new.term)?;
    if !(1..=MOST_MEMBERS).contains(&new.members) {
        return Err(Invalid::range("members", 1, MOST_MEMBERS).into());
    }
    tx.as_system(|tx| {
        let zone = zone(tx, new, sold.spec.zone)?;
        let status =
            PortStatus { life: LifeStatus { since: Some(tx.now()), ..LifeStatus::default() }, ..PortStatus::default() };
        let mut made: Vec<Object<Port>> = Vec::with_capacity(usize::from(new.members));
        for number in 1..=new.members {
            let name = if new.members == 1 { new.name.clone() } else { format!("{} [{number}]", new.name) };
            let spec = Port {
                media: sold.spec.media.first().cloned(),
                site: Some(new.site),
                zone,
                leader: made.first().map(|leader| leader.id),
                bonded: new.members > 1,
                visible: new.visible,
                cross_connect: new.cross_connect,
                life: Life { term: Some(new.term), cost_centre: new.cost_centre.clone(), ..Life::default() },
                labels: new.labels.clone(),
                ext: new.ext.clone(),
                ..Port::new(name, Shape::Physical, new.rate)
            };
            made.push(tx.create_as(new.owner, Uid::random(), spec, status.clone())?);
        }
        Ok(made)
    })
}

/// The zone of a new port: the one asked for, if the site and the offer have it; else the one of the site with the fewest ports.
fn zone(tx: &mut Tx<'_>, new: &NewPort, sold: Option<Zone>) -> Result<Option<Zone>, Error> {
    let site = tx.get(new.site)?;
    let mut zones: Vec<Zone> = site.spec.zones.clone();
    zones.retain(|zone| sold.is_none_or(|only| only == *zone));
    if let Some(wanted) = new.zone {
        if zones.contains(&wanted) {
            return Ok(Some(wanted));
        }
        let text = format!("Ports are not sold in zone {} of {}.", wanted.word(), site.spec.name);
        return Err(Invalid::rule("zone", text).into());
    }
    let mut best: Option<(u64, Zone)> = None;
    for zone in zones {
        let here = Filter::eq("site", new.site).and(Filter::eq("zone", zone.word())).and(living());
        let ports = tx.count::<Port>(&here)?;
        if best.is_none_or(|(least, _)| ports < least) {
            best = Some((ports, zone));
        }
    }
    Ok(best.map(|(_, zone)| zone))
}

/// The living ports at sites that belong to any of these nodes, in the order they were made.
///
/// # Errors
/// When the database fails.
pub fn of_nodes(tx: &mut Tx<'_>, nodes: &[RawId]) -> Result<Vec<Object<Port>>, Error> {
    let at_sites = Filter::eq("shape", Shape::Physical.word());
    Ok(tx.all(Filter::is_in("tenant", nodes.iter().copied()).and(at_sites).and(living()))?)
}

/// Other companies' ports that everybody may ask for circuits to.
///
/// # Errors
/// When the database fails.
pub fn offered(tx: &mut Tx<'_>, except: &[RawId]) -> Result<Vec<Object<Port>>, Error> {
    let filter = Filter::eq("visible", true)
        .and(Filter::eq("shape", Shape::Physical.word()))
        .and(Filter::is_in("tenant", except.iter().copied()).not())
        .and(living());
    tx.as_system(|tx| Ok(tx.all(filter)?))
}

/// The port with this id, if it is no tombstone.
///
/// # Errors
/// [`Error::Missing`].
pub fn get(tx: &mut Tx<'_>, id: Id<Port>) -> Result<Object<Port>, Error> {
    tx.one(&Filter::eq("id", id).and(living()))?.ok_or_else(|| Error::missing(Port::KIND, id))
}

/// The living circuits with an end on any of these ports.
///
/// # Errors
/// When the database fails.
pub fn circuits_on(tx: &mut Tx<'_>, ports: &[Id<Port>]) -> Result<Vec<Object<Circuit>>, Error> {
    if ports.is_empty() {
        return Ok(Vec::new());
    }
    tx.as_system(|tx| {
        let ends = Filter::is_in("a_end", ports.iter().copied()).or(Filter::is_in("z_end", ports.iter().copied()));
        let legs = tx.all::<Leg>(ends.and(living()))?;
        Ok(tx.all(Filter::is_in("id", legs.iter().map(|leg| leg.spec.circuit)).and(living()))?)
    })
}

/// Checks that a circuit of this rate fits through the ports at its ends. The ports of a group carry as much as all of them, and
/// circuits end on the first.
///
/// # Errors
/// [`Error::Invalid`] on `rate`, naming the port, or on `port`.
pub fn carry(tx: &mut Tx<'_>, ends: &[&End], rate: Mbps) -> Result<(), Error> {
    for end in ends {
        let Some(Target::Port(id)) = end.at else { continue };
        let group =
            tx.as_system(|tx| tx.all::<Port>(Filter::eq("id", id).or(Filter::eq("leader", id)).and(living())))?;
        if group.iter().any(|port| port.id == id && port.spec.shape == Shape::Physical && port.spec.leader.is_some()) {
            return Err(Invalid::rule("port", "Circuits end on the first port of a group.").into());
        }
        let total: u64 = group.iter().map(|port| u64::from(port.spec.rate.get())).sum();
        if u64::from(rate.get()) > total
            && let Some(port) = group.iter().find(|port| port.id == id)
        {
            let text = format!("{rate} Mbps do not fit through {}, which carries {total} Mbps.", port.spec.name);
            return Err(Invalid::rule("rate", text).into());
        }
    }
    Ok(())
}

/// Changes name, description, labels, term, visibility or the dialects' own data of a port by `edit`.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`]; [`Error::Conflict`]: `removing`, `term_shorter`; [`Error::Invalid`] `immutable` for the rest.
pub fn change(tx: &mut Tx<'_>, id: Id<Port>, edit: impl FnOnce(&mut Port)) -> Result<Object<Port>, Error> {
    let mut object = get(tx, id)?;
    if object.spec.life.wanted == Wanted::Gone {
        return Err(Error::conflict("removing", format!("{} is being removed.", object.spec.name)));
    }
    let old = object.spec.clone();
    let mut spec = old.clone();
    edit(&mut spec);
    let allotted =
        (spec.rate, spec.leader, spec.zone, spec.equipment, spec.life.wanted, spec.life.lock, spec.life.gone_at);
    if allotted != (old.rate, old.leader, old.zone, old.equipment, old.life.wanted, old.life.lock, old.life.gone_at) {
        return Err(Invalid::new("port", "immutable", "This was fixed when the port was ordered.").into());
    }
    if spec.life.term.map_or(0, Term::days) < old.life.term.map_or(0, Term::days) {
        return Err(Error::conflict("term_shorter", "A port is not moved to a shorter term."));
    }
    tx.save(&mut object, spec)?;
    Ok(object)
}

/// Locks a port against removal and disruptive change, or unlocks it. Only the operator touches the operator's lock.
///
/// # Errors
/// [`Error::Denied`] for a lock that is not the caller's to set or take away.
pub fn lock(tx: &mut Tx<'_>, id: Id<Port>, lock: Lock) -> Result<Object<Port>, Error> {
    let mut object = get(tx, id)?;
    if object.spec.life.lock == Lock::Operator || lock == Lock::Operator {
        access::require(tx, Port::KIND, "operate", object.tenant)?;
    }
    let mut spec = object.spec.clone();
    spec.life.lock = lock;
    tx.save(&mut object, spec)?;
    Ok(object)
}

/// Gives up a port: at once, or on the day `at`. Its circuits are removed along with it, unless `safe`: then it is refused while there
/// are any.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Conflict`]: `locked`, `removing`, `has_circuits`, `has_members` for the leader of a group, or as
/// [`circuits::take_along`].
pub fn cancel(tx: &mut Tx<'_>, id: Id<Port>, at: Option<Time>, safe: bool) -> Result<Object<Port>, Error> {
    let mut port = get(tx, id)?;
    access::require(tx, Port::KIND, "remove", port.tenant)?;
    let name = port.spec.name.clone();
    if port.spec.life.lock != Lock::None {
        return Err(Error::conflict("locked", format!("{name} is locked.")));
    }
    if port.spec.life.wanted == Wanted::Gone {
        return Err(Error::conflict("removing", format!("{name} is being removed.")));
    }
    tx.as_system(|tx| {
        if tx.exists::<Port>(&Filter::eq("leader", id).and(living()))? {
            return Err(Error::conflict(
                "has_members",
                format!("Other ports of the group of {name} must be cancelled first."),
            ));
        }
        let carried = circuits_on(tx, &[id])?;
        if safe && let Some(first) = carried.first() {
            let text = format!("{name} still carries {} circuits, such as {}.", carried.len(), first.spec.name);
            return Err(Error::conflict("has_circuits", text));
        }
        let mut spec = port.spec.clone();
        if let Some(day) = at.filter(|day| *day > tx.now() && port.status.life.phase.is_built()) {
            spec.life.gone_at = Some(day);
            tx.save(&mut port, spec)?;
            moved(tx, &mut port, Phase::Ending, format!("{name} ends on {}.", day.rfc3339_seconds()))?;
            return Ok(port);
        }
        take_along(tx, id)?;
        spec.life.wanted = Wanted::Gone;
        spec.life.gone_at = None;
        tx.save(&mut port, spec)?;
        moved(tx, &mut port, Phase::Removing, format!("{name} is being removed."))?;
        Ok(port)
    })
}

/// Takes back a cancellation for a later date.
///
/// # Errors
/// [`Error::Conflict`] `not_ending` when there is none, or its day has come.
pub fn restore(tx: &mut Tx<'_>, id: Id<Port>) -> Result<Object<Port>, Error> {
    let mut port = get(tx, id)?;
    access::require(tx, Port::KIND, "change", port.tenant)?;
    let name = port.spec.name.clone();
    if port.status.life.phase != Phase::Ending {
        return Err(Error::conflict("not_ending", format!("{name} is not cancelled.")));
    }
    tx.as_system(|tx| {
        let mut spec = port.spec.clone();
        spec.life.gone_at = None;
        tx.save(&mut port, spec)?;
        let phase = seen(&port.status);
        moved(tx, &mut port, phase, format!("{name} stays."))?;
        Ok(port)
    })
}

/// The phase that follows from what was seen of a port that is built.
fn seen(status: &PortStatus) -> Phase {
    match (status.up, status.light) {
        (true, _) => Phase::Up,
        (false, Some(false)) => Phase::Down,
        (false, _) => Phase::Ready,
    }
}

/// Wishes the circuits on a port gone because it goes. With the system's rights.
///
/// # Errors
/// As [`circuits::take_along`].
pub fn take_along(tx: &mut Tx<'_>, id: Id<Port>) -> Result<(), Error> {
    for circuit in circuits_on(tx, &[id])? {
        let id = circuit.id;
        circuits::take_along(tx, circuit)?;
        with_parent(tx, id)?;
    }
    Ok(())
}

fn moved(tx: &mut Tx<'_>, port: &mut Object<Port>, phase: Phase, text: String) -> Result<(), Error> {
    let status = PortStatus { life: port.status.life.moved(phase, None, tx.now()), ..port.status.clone() };
    Ok(tx.observe(port, status, Some(Moved::new(format!("phase.{}", phase.word()), text)))?)
}

/// Notes on a circuit and its legs that they go because of what they ended on.
fn with_parent(tx: &mut Tx<'_>, id: Id<Circuit>) -> Result<(), Error> {
    let reason = || Some(Reason { code: "parent".to_owned(), text: "What it ended on was given up.".to_owned() });
    let mut circuit = tx.get(id)?;
    let status = LifeStatus { reason: reason(), ..circuit.status.clone() };
    tx.observe(&mut circuit, status, None)?;
    for mut leg in tx.all::<Leg>(Filter::eq("circuit", id))? {
        let mut status = leg.status.clone();
        status.life.reason = reason();
        tx.observe(&mut leg, status, None)?;
    }
    Ok(())
}

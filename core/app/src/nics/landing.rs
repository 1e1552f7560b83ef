//! Putting segments on the ports of machines, and taking them off.

use meetme_base::{Id, Invalid, Uid, VlanId};
use meetme_model::{
    LifeStatus, Phase, Wanted,
    fabric::{Landing, LandingStatus, Port, Segment, Shape},
    living,
    metal::Device,
    ops::{Equipment, Family, Job},
};
use meetme_store::{Filter, Moved, Object, Resource as _, Tx};
use serde_json::json;

use super::{Network, of_device, settle};
use crate::{
    Error,
    addresses::Within,
    jobs::{self, Ask},
    segments,
};

/// The work of changing several VLANs of a port at once.
pub const VLANS: &str = "port.vlans";
/// The most changes in one.
const MOST: usize = 500;

/// One change of what a port carries.
#[derive(Clone, Debug)]
pub struct Change {
    /// The segment.
    pub segment: Id<Segment>,
    /// Whether the port is to carry it.
    pub assigned: bool,
    /// Whether untagged frames of the port are to belong to it; as it is when absent.
    pub native: Option<bool>,
}

/// The segments on a port, those that go left out.
///
/// # Errors
/// When the database fails.
pub fn of_port(tx: &mut Tx<'_>, port: Id<Port>) -> Result<Vec<Object<Landing>>, Error> {
    let mut landings = tx.all::<Landing>(Filter::eq("port", port).and(segments::wanted()))?;
    landings.sort_by_key(|landing| landing.id);
    Ok(landings)
}

/// The segment with that VLAN that a machine's port can carry: of its project, at its site or in its metro.
///
/// # Errors
/// [`Error::Missing`].
pub fn segment_numbered(tx: &mut Tx<'_>, port: Id<Port>, vlan: VlanId) -> Result<Object<Segment>, Error> {
    let port = of_device(tx, port)?;
    let device = port.spec.device.ok_or_else(|| Error::missing(Port::KIND, port.id))?;
    let site = tx.get(device)?.spec.site;
    let numbered = Filter::eq("tenant", port.tenant).and(Filter::eq("vlan", vlan)).and(segments::wanted());
    let here = tx.as_system(|tx| Within::of(tx, site.any()))?;
    let found = tx.all::<Segment>(numbered)?.into_iter().find(|s| here.reaches(Some(s.spec.at)));
    found.ok_or_else(|| Error::missing(Segment::KIND, vlan))
}

/// Puts a segment on a port. It goes untagged while it is alone there, and tagged beside others.
///
/// # Errors
/// [`Error::Conflict`] `bonded` for an interface in its bond, `unbonded` for a bond that is not whole, `assigned` when it is there
/// already; [`Error::Invalid`] for a segment of another project or place; as [`super::route`].
pub fn assign(tx: &mut Tx<'_>, port: Id<Port>, segment: Id<Segment>) -> Result<Object<Port>, Error> {
    let mut network = Network::open(tx, port)?;
    let segment = tx.get(segment)?;
    tx.as_system(|tx| {
        if network.landings_on(port).any(|l| l.spec.segment == segment.id) {
            let text = format!("Virtual network {} is assigned already.", segment.spec.vlan);
            return Err(Error::conflict("assigned", text));
        }
        put(tx, &mut network, port, &segment)?;
        finish(tx, &network, port)
    })
}

/// Takes a segment off a port. If it was the native one, or only one is left, no segment is native any more.
///
/// # Errors
/// [`Error::Conflict`] `not_assigned`; as [`super::route`].
pub fn unassign(tx: &mut Tx<'_>, port: Id<Port>, segment: Id<Segment>) -> Result<Object<Port>, Error> {
    let mut network = Network::open(tx, port)?;
    let segment = tx.get(segment)?;
    tx.as_system(|tx| {
        take(tx, &mut network, port, &segment)?;
        finish(tx, &network, port)
    })
}

/// Says which segment of a port its untagged frames belong to; none with `None`.
///
/// # Errors
/// [`Error::Conflict`] `not_assigned` for a segment that is not on the port, `native` for a bond or for a port with fewer than two;
/// as [`super::route`].
pub fn set_native(tx: &mut Tx<'_>, port: Id<Port>, segment: Option<Id<Segment>>) -> Result<Object<Port>, Error> {
    let network = Network::open(tx, port)?;
    let segment = segment.map(|id| tx.get(id)).transpose()?;
    tx.as_system(|tx| {
        if let Some(segment) = &segment {
            native_allowed(&network, port, segment)?;
        }
        name_native(tx, &network, port, segment.map(|s| s.id))?;
        finish(tx, &network, port)
    })
}

/// Makes several changes of a port, all or none, and writes down that they were asked for. What is on the port already may be named
/// again, to change whether it is native.
///
/// # Errors
/// As [`assign`], [`unassign`] and [`set_native`]; [`Error::Invalid`] on `vlan_assignments` for too many, or two native ones.
pub fn batch(tx: &mut Tx<'_>, port: Id<Port>, changes: &[Change]) -> Result<Object<Job>, Error> {
    if changes.is_empty() || changes.len() > MOST {
        return Err(Invalid::rule("vlan_assignments", format!("From 1 to {MOST} changes are made at once.")).into());
    }
    let mut network = Network::open(tx, port)?;
    let known = tx.many(changes.iter().map(|change| change.segment))?;
    let of = |id: Id<Segment>| known.get(&id).ok_or_else(|| Error::missing(Segment::KIND, id));
    let natives: Vec<&Change> = changes.iter().filter(|c| c.assigned && c.native == Some(true)).collect();
    if natives.len() > 1 {
        return Err(Invalid::rule("vlan_assignments", "A port has one native VLAN at most.").into());
    }
    tx.as_system(|tx| {
        for change in changes {
            let segment = of(change.segment)?;
            let is_there = network.landings_on(port).any(|l| l.spec.segment == segment.id);
            match (change.assigned, is_there) {
                (true, false) => put(tx, &mut network, port, segment)?,
                (false, _) => take(tx, &mut network, port, segment)?,
                (true, true) => {}
            }
        }
        if let [native] = natives[..] {
            let segment = of(native.segment)?;
            native_allowed(&network, port, segment)?;
            name_native(tx, &network, port, Some(segment.id))?;
        } else {
            let now = network.port(port)?.spec.native;
            let is_dropped = |c: &Change| Some(c.segment) == now && c.native == Some(false);
            if changes.iter().any(is_dropped) {
                name_native(tx, &network, port, None)?;
            }
        }
        let port = finish(tx, &network, port)?;
        let told = changes.iter().map(|change| -> Result<_, Error> {
            let segment = of(change.segment)?;
            Ok(json!({
                "segment": segment.uid, "vlan": segment.spec.vlan, "assigned": change.assigned,
                "native": change.native.unwrap_or(false),
            }))
        });
        let ask = Ask {
            what: VLANS,
            name: format!("VLANs of {}", port.spec.name),
            subject: Some(port.id.any()),
            inputs: told.collect::<Result<_, _>>()?,
        };
        jobs::done(tx, port.tenant, ask)
    })
}

/// Takes every segment off a machine that goes. Its switches let go of them while it is wiped.
///
/// # Errors
/// When the store fails.
pub fn take_all(tx: &mut Tx<'_>, device: Id<Device>) -> Result<(), Error> {
    for landing in tx.all::<Landing>(Filter::eq("port.device", device).and(segments::wanted()))? {
        let on = switches(tx, &landing)?;
        go(tx, landing, on)?;
    }
    Ok(())
}

fn put(tx: &mut Tx<'_>, network: &mut Network, id: Id<Port>, segment: &Object<Segment>) -> Result<(), Error> {
    let port = network.port(id)?;
    let name = &port.spec.name;
    if segment.tenant != network.device.tenant || segment.spec.life.wanted == Wanted::Gone {
        return Err(Invalid::reference("vnid", "The virtual network").into());
    }
    if !Within::of(tx, network.device.spec.site.any())?.reaches(Some(segment.spec.at)) {
        let text = format!("Virtual network {} is for another place.", segment.spec.vlan);
        return Err(Invalid::rule("vnid", text).into());
    }
    match (port.spec.shape, port.spec.bonded) {
        (Shape::Bond, false) => {
            return Err(Error::conflict("unbonded", format!("{name} is not in force; use its interfaces.")));
        }
        (Shape::Bond, true) if network.members(id).any(|nic| !nic.spec.bonded) => {
            let text = format!("An interface of {name} is out of it and takes the virtual networks.");
            return Err(Error::conflict("unbonded", text));
        }
        (Shape::Bond, true) => network.convertible(tx)?,
        (_, true) => {
            return Err(Error::conflict("bonded", format!("{name} is in a bond. Take it out first.")));
        }
        (_, false) => {}
    }
    // What is just being taken off is kept instead: its row still has the place.
    let same = Filter::eq("segment", segment.id).and(Filter::eq("port", id)).and(living());
    let landing = match tx.one::<Landing>(&same)? {
        Some(mut landing) => {
            let mut spec = landing.spec.clone();
            spec.life.wanted = Wanted::Up;
            spec.native = false;
            tx.save(&mut landing, spec)?;
            let life = landing.status.life.moved(Phase::Queued, None, tx.now());
            let status = LandingStatus { life, ..landing.status.clone() };
            tx.observe(&mut landing, status, None)?;
            landing
        }
        None => {
            let spec = Landing { port: Some(id), ..Landing::new(segment.id) };
            let life = LifeStatus { since: Some(tx.now()), ..LifeStatus::default() };
            let status = LandingStatus { life, ..LandingStatus::default() };
            tx.create_as(network.device.tenant, Uid::random(), spec, status)?
        }
    };
    network.landings.push(landing);
    Ok(())
}

fn take(tx: &mut Tx<'_>, network: &mut Network, id: Id<Port>, segment: &Object<Segment>) -> Result<(), Error> {
    let at = network.landings.iter().position(|l| l.spec.port == Some(id) && l.spec.segment == segment.id);
    let Some(at) = at else { return Err(not_assigned(segment)) };
    let landing = network.landings.remove(at);
    let on = switches(tx, &landing)?;
    go(tx, landing, on)?;
    let left = network.landings_on(id).count();
    let native = network.port(id)?.spec.native;
    if native.is_some() && (native == Some(segment.id) || left < 2) {
        name_native(tx, network, id, None)?;
    }
    Ok(())
}

/// Clients look for these words.
fn not_assigned(segment: &Object<Segment>) -> Error {
    Error::conflict("not_assigned", format!("Virtual network {} not assigned", segment.spec.vlan))
}

/// Wishes a landing gone. Until a switch says otherwise, all that could carry it may.
pub(crate) fn go(tx: &mut Tx<'_>, mut landing: Object<Landing>, on: Vec<Id<Equipment>>) -> Result<(), Error> {
    let mut spec = landing.spec.clone();
    spec.life.wanted = Wanted::Gone;
    spec.native = false;
    tx.save(&mut landing, spec)?;
    let mut status = landing.status.clone();
    status.life = status.life.moved(Phase::Removing, None, tx.now());
    status.on.extend(on);
    status.on.sort_unstable();
    status.on.dedup();
    let line = Moved::new("phase.removing", format!("{} is being removed.", landing.spec.title()));
    Ok(tx.observe(&mut landing, status, Some(line))?)
}

/// The switches that are told of a landing: those its port is patched to, by one interface or by several; of a gateway, all that
/// the segment's ports are patched to. None where nobody entered how machines are patched.
///
/// # Errors
/// When the store fails.
pub fn switches(tx: &mut Tx<'_>, landing: &Object<Landing>) -> Result<Vec<Id<Equipment>>, Error> {
    let ports: Vec<Id<Port>> = match (landing.spec.port, landing.spec.gateway) {
        (Some(port), _) => vec![port],
        (None, true) => {
            let beside = Filter::eq("segment", landing.spec.segment).and(segments::wanted());
            tx.all::<Landing>(beside)?.into_iter().filter_map(|l| l.spec.port).collect()
        }
        (None, false) => Vec::new(),
    };
    if ports.is_empty() {
        return Ok(Vec::new());
    }
    let patched = Filter::is_in("id", ports.iter().copied()).or(Filter::is_in("leader", ports));
    let nics = tx.all::<Port>(patched)?.into_iter().filter(|nic| nic.spec.interface.is_some());
    let known = tx.many::<Equipment>(nics.filter_map(|nic| nic.spec.equipment))?;
    let is_switch =
        |(id, found): (Id<Equipment>, Object<Equipment>)| (found.spec.family == Family::Switch).then_some(id);
    let mut on: Vec<_> = known.into_iter().filter_map(is_switch).collect();
    on.sort_unstable();
    Ok(on)
}

fn native_allowed(network: &Network, id: Id<Port>, segment: &Object<Segment>) -> Result<(), Error> {
    let port = network.port(id)?;
    if !network.landings_on(id).any(|l| l.spec.segment == segment.id) {
        return Err(not_assigned(segment));
    }
    if port.spec.shape == Shape::Bond {
        return Err(Error::conflict("native", "A bond has no native VLAN."));
    }
    if network.landings_on(id).count() < 2 {
        let text = "A native VLAN is one of at least two; one alone is untagged anyway.";
        return Err(Error::conflict("native", text));
    }
    Ok(())
}

fn name_native(tx: &mut Tx<'_>, network: &Network, id: Id<Port>, segment: Option<Id<Segment>>) -> Result<(), Error> {
    let mut port = tx.get(id)?;
    let spec = Port { native: segment, ..port.spec.clone() };
    tx.save(&mut port, spec)?;
    for landing in network.landings_on(id) {
        let mut landing = tx.get(landing.id)?;
        let spec = Landing { native: Some(landing.spec.segment) == segment, ..landing.spec.clone() };
        tx.save(&mut landing, spec)?;
    }
    Ok(())
}

fn finish(tx: &mut Tx<'_>, network: &Network, port: Id<Port>) -> Result<Object<Port>, Error> {
    settle(tx, &network.device)?;
    Ok(tx.get(port)?)
}

//! Placing a leg: the gateway router its routed end lives on, the tags on the ports it crosses, the link subnet of its interface.

use meetme_base::{Id, Invalid, RawId};
use meetme_model::{
    fabric::{Circuit, End, Face, Leg, Link, Network, Port, Routing, Target, VlanTag},
    living,
    place::{Metro, Offer, Peering, Site, Zone},
    routing::{Flavour, Router},
};
use meetme_store::{Filter, Object, Tx};

use crate::{Error, access, allocate};

/// The zone in which the leg of a side runs.
const fn zone_of(side: u8) -> Zone {
    if side == 2 { Zone::B } else { Zone::A }
}

/// Whether the caller may end a circuit there, and whether somebody else has to say yes to it.
///
/// # Errors
/// [`Error::Invalid`] on the end when there is nothing that the caller may use.
pub(super) fn reachable(tx: &mut Tx<'_>, end: &End, field: &str) -> Result<bool, Error> {
    let bad =
        |what: &str, id: RawId| Error::from(Invalid::reference(format!("{field}.at"), format!("The {what} {id}")));
    let found = match end.at {
        None => return Ok(false),
        Some(Target::Port(id)) => return port(tx, id, field),
        Some(Target::Network(id)) => tx.find(id)?.map(drop),
        Some(Target::Router(id)) => tx.find(id)?.map(drop),
        Some(Target::Device(id)) => tx.find(id)?.map(drop),
        Some(Target::Segment(id)) => tx.find(id)?.map(drop),
        Some(Target::Offer(id)) => tx.find(id)?.map(drop),
    };
    match (found, end.at) {
        (None, Some(at)) => Err(bad("object", at.any())),
        _ => Ok(false),
    }
}

/// A port of the caller's own needs no yes; one that others may use needs its owner's, unless it gives that by itself.
fn port(tx: &mut Tx<'_>, id: Id<Port>, field: &str) -> Result<bool, Error> {
    let missing = || Error::from(Invalid::reference(format!("{field}.at"), format!("The port {id}")));
    let alive = Filter::eq("id", id).and(living());
    let own = tx.one::<Port>(&alive)?;
    let port = match own {
        Some(port) => port,
        None => tx
            .as_system(|tx| tx.one::<Port>(&alive))?
            .filter(|p| p.spec.visible || p.spec.shared_down)
            .ok_or_else(missing)?,
    };
    if port.spec.leader.is_some() && !port.spec.bonded {
        return Err(Invalid::rule(format!("{field}.at"), "Circuits end on the first port of a group.").into());
    }
    let mine = access::require(tx, <Port as meetme_store::Resource>::KIND, "change", port.tenant).is_ok();
    Ok(!mine && !port.spec.auto_approve)
}

/// The metro of an order that ends on ports: a routed one stays in one metro, for its gateway stands where its ports are.
///
/// # Errors
/// [`Error::Invalid`] with code `elsewhere` on `metro` when a port is in another.
pub(super) fn metro_of_ports(
    tx: &mut Tx<'_>,
    new: &super::NewCircuit,
    wished: Option<Id<Metro>>,
) -> Result<Option<Id<Metro>>, Error> {
    let is_routed = new.legs.iter().flat_map(|leg| [&leg.a, &leg.z]).any(|end| end.at.is_some_and(Target::is_routed));
    let mut metro = wished;
    for end in new.legs.iter().flat_map(|leg| [&leg.a, &leg.z]) {
        let Some(Target::Port(id)) = end.at else { continue };
        let site = tx.as_system(|tx| match tx.find(id)?.and_then(|port| port.spec.site) {
            Some(site) => Ok(tx.find(site)?),
            None => Ok::<_, Error>(None),
        })?;
        let Some(site) = site else { continue };
        if is_routed && metro.is_some_and(|m| m != site.spec.metro) {
            return Err(Invalid::new("metro", "elsewhere", format!("{} is in another metro.", site.spec.name)).into());
        }
        metro = metro.or(Some(site.spec.metro));
    }
    Ok(metro)
}

/// Decides everything about a leg that was left open, and claims it.
///
/// # Errors
/// [`Error::Conflict`] `no_gateway`, `vlan_taken`; [`Error::Exhausted`].
pub(super) fn settle(tx: &mut Tx<'_>, circuit: &Object<Circuit>, leg: &mut Object<Leg>) -> Result<(), Error> {
    let mut spec = leg.spec.clone();
    let owner = leg.id.any();
    if spec.router.is_none() {
        spec.router = router(tx, circuit, &spec)?;
    }
    let router = spec.router.map(Id::any);
    for end in [&mut spec.a, &mut spec.z] {
        tag(tx, end, router, owner)?;
    }
    if let Some(router) = router {
        let public = circuit.spec.peering == Some(Peering::Public);
        for end in [&mut spec.a, &mut spec.z] {
            if end.at.is_some_and(Target::is_routed) && spec.routing == Routing::Bgp {
                faces(tx, end, router, public, owner)?;
            }
        }
    }
    Ok(tx.save(leg, spec)?)
}

/// The router a routed end is placed on: that of its network, the one it names, or the gateway of its zone with the fewest legs.
fn router(tx: &mut Tx<'_>, circuit: &Object<Circuit>, leg: &Leg) -> Result<Option<Id<Router>>, Error> {
    for end in [&leg.a, &leg.z] {
        match end.at {
            Some(Target::Router(id)) => return Ok(Some(id)),
            Some(Target::Network(id)) => {
                let network: Object<Network> = tx.get(id)?;
                return match network.spec.router {
                    Some(own) => Ok(Some(own)),
                    None => gateway(tx, circuit, leg).map(Some),
                };
            }
            _ => {}
        }
    }
    Ok(None)
}

/// A gateway is a box of an operator above the circuit's owner, in service in a zone of a site of the metro.
fn gateway(tx: &mut Tx<'_>, circuit: &Object<Circuit>, leg: &Leg) -> Result<Id<Router>, Error> {
    let metro = circuit.spec.metro.ok_or_else(|| Invalid::required("metro"))?;
    let sites = tx.ids::<Site>(&Filter::eq("metro", metro))?;
    let above = tx.above(circuit.tenant)?;
    let filter = Filter::is_in("site", sites)
        .and(Filter::is_in("tenant", above))
        .and(Filter::eq("flavour", Flavour::Hardware.word()))
        .and(Filter::eq("admin", "enabled"));
    let routers = tx.all::<Router>(filter)?;
    let wanted = leg.a.zone.or(leg.z.zone).unwrap_or(zone_of(leg.side));
    let mut best: Option<(u64, Id<Router>)> = None;
    for router in &routers {
        // One leg alone may run in either zone; two never share one.
        let fits = if circuit.spec.redundant || leg.a.zone.is_some() {
            router.spec.zone == Some(wanted)
        } else {
            router.spec.zone.is_some()
        };
        if !fits {
            continue;
        }
        let legs = tx.count::<Leg>(&Filter::eq("router", router.id).and(living()))?;
        let away = u64::from(router.spec.zone != Some(wanted)) << 32;
        if best.is_none_or(|(least, _)| legs + away < least) {
            best = Some((legs + away, router.id));
        }
    }
    best.map(|(_, id)| id).ok_or_else(|| {
        Error::conflict("no_gateway", format!("No gateway is in service in zone {} of this metro.", wanted.word()))
    })
}

/// What an end's tags are numbered on: the leader of a port, a network card, the handover to a provider; nothing where it is routed.
fn numbered_on(tx: &mut Tx<'_>, end: &End, router: Option<RawId>) -> Result<Option<RawId>, Error> {
    Ok(match end.at {
        Some(Target::Port(id)) => {
            let port: Object<Port> = tx.get(id)?;
            check_allowed(&port, end)?;
            Some(port.spec.leader.unwrap_or(id).any())
        }
        Some(Target::Device(id)) => {
            let card = Filter::eq("device", id).and(Filter::eq("index", i64::from(end.nic.unwrap_or(0))));
            Some(tx.one::<Port>(&card)?.map_or(id.any(), |port| port.id.any()))
        }
        Some(Target::Offer(id)) => {
            let offer: Object<Offer> = tx.get(id)?;
            offer.spec.handoff.map(Id::any).or(router)
        }
        Some(Target::Network(_) | Target::Router(_) | Target::Segment(_)) | None => None,
    })
}

fn check_allowed(port: &Object<Port>, end: &End) -> Result<(), Error> {
    let VlanTag::Vlan(vlan) = end.tag else { return Ok(()) };
    let ranges = &port.spec.vlans_allowed;
    if ranges.is_empty() || ranges.iter().any(|range| range.contains(vlan)) {
        return Ok(());
    }
    Err(Invalid::rule("vlan", format!("VLAN {} may not be used on {}.", vlan.get(), port.spec.name)).into())
}

/// Claims an end's tag and writes it into the end.
pub(super) fn tag(tx: &mut Tx<'_>, end: &mut End, router: Option<RawId>, owner: RawId) -> Result<(), Error> {
    let Some(on) = numbered_on(tx, end, router)? else { return Ok(()) };
    let (given, inner) = allocate::tag(tx, on, end.tag, end.inner, owner)?;
    end.vlan = match given {
        VlanTag::Vlan(vlan) => Some(vlan),
        VlanTag::Choose | VlanTag::Untagged => None,
    };
    end.inner = inner;
    Ok(())
}

/// Gives back an end's tag.
pub(super) fn untag(tx: &mut Tx<'_>, end: &End, router: Option<RawId>) -> Result<(), Error> {
    let Some(on) = numbered_on(tx, &End { tag: VlanTag::Choose, ..end.clone() }, router)? else { return Ok(()) };
    let held = match end.vlan {
        Some(vlan) => VlanTag::Vlan(vlan),
        None if end.tag == VlanTag::Untagged => VlanTag::Untagged,
        None => return Ok(()),
    };
    allocate::release_tag(tx, on, held, end.inner)
}

/// An end that speaks BGP has an interface, and the interface a link subnet.
fn faces(tx: &mut Tx<'_>, end: &mut End, router: RawId, public: bool, owner: RawId) -> Result<(), Error> {
    if end.faces.is_empty() {
        end.faces.push(Face::default());
    }
    for face in &mut end.faces {
        if face.link.is_none() && face.addresses.is_empty() {
            let net = if public { allocate::public_link(tx, owner)? } else { allocate::link(tx, router, owner)? };
            let mut hosts = net.hosts();
            let (ours, theirs) = (hosts.next(), hosts.next());
            let ours = ours.ok_or_else(|| Error::Bug(format!("{net} has no hosts")))?.into();
            face.link = Some(Link { subnet: net.into(), ours, theirs: theirs.map(Into::into), shared: None });
        }
    }
    Ok(())
}

//! The BGP session of a leg, and the secrets of its session and tunnel.

use meetme_base::{Asn, Secret};
use meetme_model::{
    Peer,
    fabric::{Circuit, EndName, Leg, Network, Routing, Target},
    place::Region,
    routing::{AutonomousSystem, DirectSession, Router},
};
use meetme_store::{Filter, Object, Tx};

use crate::{
    App, Error,
    builtin::{self, Business},
    seal,
};

/// The AS numbers that providers speak with towards customers, where the customer says nothing else.
const KNOWN: &[(&str, i64)] = &[("aws", 64_512), ("azure", 12_076), ("google", 16_550), ("oracle", 31_898)];

/// The far side's AS number: the one ordered, else the provider's usual one.
fn far_asn(circuit: &Circuit, far: Option<&str>) -> Result<Option<Asn>, Error> {
    if let Some(asn) = circuit.bgp.asn {
        return Ok(Some(asn));
    }
    let known = KNOWN.iter().find(|(name, _)| Some(*name) == far);
    Ok(known.map(|(_, asn)| Asn::try_from(*asn)).transpose()?)
}

/// What the far side is to us: a cloud, or the customer's own network where nobody sells the far end. A partner is neither.
fn business(tx: &mut Tx<'_>, far: Option<&str>) -> Result<Option<Business>, Error> {
    let Some(far) = far else { return Ok(Some(Business::Customer)) };
    let is_cloud = KNOWN.iter().any(|(name, _)| *name == far) || tx.exists::<Region>(&Filter::eq("provider", far))?;
    Ok(is_cloud.then_some(Business::Cloud))
}

/// Makes the BGP session of a leg whose routed end has a link: on the gateway router, in the customer's own node, with the far
/// side's AS found or made in the book of whoever runs the router. No session without an AS number to speak to.
///
/// # Errors
/// When the database or the machine's random numbers fail.
pub(super) fn create(
    app: &App,
    tx: &mut Tx<'_>,
    circuit: &Object<Circuit>,
    leg: &Object<Leg>,
    far: Option<&str>,
    password: Option<&Secret<String>>,
) -> Result<Option<Object<DirectSession>>, Error> {
    let ends = [(EndName::A, &leg.spec.a), (EndName::Z, &leg.spec.z)];
    let routed = ends.into_iter().find(|(_, end)| end.at.is_some_and(Target::is_routed));
    let (Some((name, end)), Some(router), Routing::Bgp) = (routed, leg.spec.router, leg.spec.routing) else {
        return Ok(None);
    };
    let Some(asn) = far_asn(&circuit.spec, far)? else { return Ok(None) };
    let link = end.faces.first().and_then(|face| face.link);
    let Some((local_ip, ip)) = link.and_then(|l| Some((l.our_interface()?, l.their_interface()?))) else {
        return Ok(None);
    };
    let router: Object<Router> = tx.get(router)?;
    let remote = known_system(tx, router.tenant, asn)?;
    let relationship = match business(tx, far)? {
        Some(business) => builtin::relationship(tx, business)?,
        None => None,
    };
    let local_asn = match end.at {
        Some(Target::Network(id)) => Some(tx.get::<Network>(id)?.spec.asn),
        _ => router.spec.asn,
    };
    let password = match password {
        Some(given) => Some(app.sealer().seal(given.expose())?),
        None if circuit.spec.bgp.passwords => Some(app.sealer().seal(&made_up()?)?),
        None => None,
    };
    let peer = Peer { asn, password, max4: circuit.spec.bgp.max_prefix, ..Peer::default() };
    let session = DirectSession {
        peer,
        local: router.spec.local,
        local_asn,
        remote: Some(remote),
        relationship,
        router: Some(router.id),
        leg: Some(leg.id),
        end: Some(name),
        face: Some(0),
        local_ip: Some(local_ip),
        ..DirectSession::new(asn, ip)
    };
    Ok(Some(tx.create(circuit.tenant, session)?))
}

/// Brings a leg's session in step with a changed circuit, making it when there was none.
///
/// # Errors
/// As [`create`].
pub(super) fn follow(
    app: &App,
    tx: &mut Tx<'_>,
    circuit: &Object<Circuit>,
    leg: &Object<Leg>,
    far: Option<&str>,
    password: Option<&Secret<String>>,
    session: Option<&mut Object<DirectSession>>,
) -> Result<(), Error> {
    let Some(session) = session else { return create(app, tx, circuit, leg, far, password).map(drop) };
    let mut spec = session.spec.clone();
    if let Some(asn) = far_asn(&circuit.spec, far)?
        && asn != spec.peer.asn
        && let Some(router) = leg.spec.router
    {
        let router: Object<Router> = tx.get(router)?;
        spec.peer.asn = asn;
        spec.remote = Some(known_system(tx, router.tenant, asn)?);
    }
    spec.peer.max4 = circuit.spec.bgp.max_prefix;
    spec.peer.password = match password {
        Some(given) => Some(app.sealer().seal(given.expose())?),
        None if !circuit.spec.bgp.passwords => None,
        None => match spec.peer.password {
            Some(kept) => Some(kept),
            None => Some(app.sealer().seal(&made_up()?)?),
        },
    };
    Ok(tx.save(session, spec)?)
}

/// The AS with this number in a book, made when it is not there.
fn known_system(
    tx: &mut Tx<'_>,
    book: meetme_base::RawId,
    asn: Asn,
) -> Result<meetme_base::Id<AutonomousSystem>, Error> {
    let here = Filter::eq("tenant", book).and(Filter::eq("asn", i64::from(asn.get())));
    if let Some(found) = tx.one::<AutonomousSystem>(&here)? {
        return Ok(found.id);
    }
    Ok(tx.create(book, AutonomousSystem::new(asn, format!("AS{}", asn.get())))?.id)
}

/// Seals the key of a leg's tunnels, making one up where none is given.
///
/// # Errors
/// When the machine gives no random bytes.
pub(super) fn seal_tunnel(app: &App, leg: &mut Leg, psk: Option<&Secret<String>>) -> Result<(), Error> {
    for tunnel in leg.a.faces.iter_mut().chain(&mut leg.z.faces).filter_map(|face| face.tunnel.as_mut()) {
        if let Some(given) = psk {
            tunnel.psk = Some(app.sealer().seal(given.expose())?);
        } else if tunnel.psk.is_none() {
            tunnel.psk = Some(app.sealer().seal(&made_up()?)?);
        }
    }
    Ok(())
}

/// A password that clouds and routers take: 24 hexadecimal digits.
fn made_up() -> Result<String, Error> {
    Ok(seal::hex(&seal::random::<12>()?))
}

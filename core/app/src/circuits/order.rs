//! Ordering. An order names what is bought and, for each leg, the two ends as they are wished; what is left open is decided here.

use meetme_base::{Id, Invalid, Secret};
use meetme_model::{
    LifeStatus, Phase, Wanted,
    fabric::{Circuit, End, Leg, LegStatus, Network, Routing, Target},
    place::{Metro, Offer, Service},
};
use meetme_store::{Moved, Object, Resource as _, Tx};
use serde_json::Value;

use super::{Whole, far, nat, place, session, whole};
use crate::{App, Error, access, networks, offers, ports};

/// What is wished of a new circuit.
#[derive(Clone, Debug)]
pub struct NewCircuit {
    /// The organization or project that owns it. A circuit that ends in a network belongs to whoever owns the network.
    pub owner: meetme_base::RawId,
    /// The circuit itself. `offer` and `metro` are filled in from [`NewCircuit::buy`]; `life.wanted` `draft` orders nothing yet.
    pub circuit: Circuit,
    /// What it is bought as.
    pub buy: Buy,
    /// Its paths in the order of their sides: one, or two when it is redundant.
    pub legs: Vec<NewLeg>,
}

/// What a circuit is bought as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Buy {
    /// The best offer that reaches this provider or partner from a metro.
    Reach {
        /// The provider or partner.
        far: String,
        /// Where the circuit is handed over to us.
        metro: Id<Metro>,
    },
    /// This offer.
    Offer(Id<Offer>),
    /// Nothing but the path between two ends that are there already, in this metro where it is known.
    Path(Option<Id<Metro>>),
}

/// What is wished of one path.
#[derive(Clone, Debug, Default)]
pub struct NewLeg {
    /// The customer's end. An end in a network is placed on a gateway router of the leg's zone; where it speaks BGP and names no link
    /// subnet, one is allotted. A tag to choose is chosen.
    pub a: End,
    /// The far end; the offer when it is left open.
    pub z: End,
    /// What the provider is told: an object whose members depend on the provider.
    pub far: Option<Value>,
    /// How traffic finds its way.
    pub routing: Routing,
    /// The password of its BGP session; made up when the circuit wants passwords and none is given.
    pub password: Option<Secret<String>>,
    /// The key of its tunnel; made up when there is a tunnel and none is given.
    pub psk: Option<Secret<String>>,
}

/// Orders a circuit, or designs one when `life.wanted` is `draft`.
///
/// The circuit is `asking` when its offer needs a yes, or when it ends on somebody else's port that does not say yes by itself; else it
/// is `queued`. Everything it uses is claimed.
///
/// # Errors
/// [`Error::Invalid`] on `offer` (see [`offers::find`]) or on a wish that cannot be met; [`Error::Conflict`] `no_gateway` when no router
/// of the zone is there, `vlan_taken`, `removing` when its network goes; [`Error::Exists`] when a provider's key is in use;
/// [`Error::Exhausted`].
pub fn order(app: &App, tx: &mut Tx<'_>, new: &NewCircuit) -> Result<Whole, Error> {
    let mut spec = new.circuit.clone();
    let mut owner = new.owner;
    if let Some(network) = routed_network(new) {
        let network =
            networks::get(tx, network).map_err(|_| Invalid::reference("network", format!("The network {network}")))?;
        if network.spec.life.wanted == Wanted::Gone {
            return Err(Error::conflict("removing", format!("{} is being removed.", network.spec.name)));
        }
        owner = network.tenant;
        spec.network = Some(network.id);
    }
    let legs = if spec.redundant { 2 } else { 1 };
    if new.legs.len() != legs {
        return Err(Invalid::rule("legs", format!("A circuit like this has {legs} legs.")).into());
    }
    let bought = buy(tx, owner, new)?;
    spec.offer = bought.as_ref().map(|offer| offer.id);
    spec.metro = match (&new.buy, &bought) {
        (Buy::Reach { metro, .. }, _) => Some(*metro),
        (Buy::Path(metro), _) => *metro,
        (Buy::Offer(_), Some(offer)) => metro_of(tx, offer)?.or(spec.metro),
        (Buy::Offer(_), None) => spec.metro,
    };
    spec.metro = place::metro_of_ports(tx, new, spec.metro)?;
    let far = bought.as_ref().and_then(|offer| offer.spec.far.clone());
    let mut asks = bought.as_ref().is_some_and(|offer| offer.spec.needs_approval);
    for leg in &new.legs {
        asks |= place::reachable(tx, &leg.a, "a")? | place::reachable(tx, &leg.z, "z")?;
        ports::carry(tx, &[&leg.a, &leg.z], spec.rate)?;
        far::check(far.as_deref(), leg.far.as_ref())?;
    }
    let phase = if spec.life.wanted == Wanted::Draft {
        Phase::Draft
    } else if asks {
        Phase::Asking
    } else {
        Phase::Queued
    };
    access::require(tx, Circuit::KIND, "create", owner)?;
    let now = tx.now();
    let life = LifeStatus { phase, since: Some(now), ..LifeStatus::default() };
    // Beyond this point the caller's rights are decided, and much of what is written refers to the operator's rows.
    tx.as_system(|tx| {
        let circuit = tx.create_as(owner, meetme_base::Uid::random(), spec, life.clone())?;
        let mut legs = Vec::with_capacity(new.legs.len());
        for (side, wish) in (1u8..).zip(&new.legs) {
            let mut leg = blank(&circuit, side, wish, bought.as_ref().map(|offer| offer.id));
            session::seal_tunnel(app, &mut leg, wish.psk.as_ref())?;
            let status = LegStatus { life: life.clone(), ..LegStatus::default() };
            legs.push(tx.create_as(owner, meetme_base::Uid::random(), leg, status)?);
        }
        let mut whole = Whole { circuit, legs, sessions: Vec::new() };
        if phase != Phase::Draft {
            let passwords: Vec<_> = new.legs.iter().map(|leg| leg.password.clone()).collect();
            settle(app, tx, &mut whole, far.as_deref(), &passwords)?;
        }
        Ok(whole)
    })
}

/// Turns a design into an order: claims what it needs and queues it. The offer is asked again.
///
/// # Errors
/// [`Error::Conflict`] `not_draft`; else as [`order`].
pub fn submit(app: &App, tx: &mut Tx<'_>, id: Id<Circuit>) -> Result<Whole, Error> {
    let mut whole = whole::get(tx, id)?;
    access::require(tx, Circuit::KIND, "create", whole.circuit.tenant)?;
    if whole.circuit.status.phase != Phase::Draft {
        return Err(Error::conflict("not_draft", format!("{} was ordered already.", whole.circuit.spec.name)));
    }
    let offer = match whole.circuit.spec.offer {
        Some(id) => Some(tx.as_system(|tx| tx.get(id))?),
        None => None,
    };
    if let Some(offer) = &offer {
        let wish = wish(&whole.circuit.spec, offer);
        offers::check(tx, whole.circuit.tenant, &offer.spec, &wish)?;
    }
    let asks = offer.as_ref().is_some_and(|o| o.spec.needs_approval);
    let phase = if asks { Phase::Asking } else { Phase::Queued };
    tx.as_system(|tx| {
        let mut spec = whole.circuit.spec.clone();
        spec.life.wanted = Wanted::Up;
        tx.save(&mut whole.circuit, spec)?;
        let far = offer.and_then(|o| o.spec.far);
        settle(app, tx, &mut whole, far.as_deref(), &[])?;
        move_to(tx, &mut whole, phase)?;
        Ok(whole)
    })
}

/// Answers an order that waits for a yes: it is queued, or taken back with everything it claimed.
///
/// # Errors
/// [`Error::Conflict`] `not_asking`; [`Error::Denied`] without the right to answer.
pub fn answer(tx: &mut Tx<'_>, id: Id<Circuit>, yes: bool) -> Result<Whole, Error> {
    let mut whole = whole::get(tx, id)?;
    access::require(tx, Circuit::KIND, "answer", whole.circuit.tenant)?;
    if whole.circuit.status.phase != Phase::Asking {
        return Err(Error::conflict("not_asking", format!("{} waits for no answer.", whole.circuit.spec.name)));
    }
    tx.as_system(|tx| {
        if yes {
            move_to(tx, &mut whole, Phase::Queued)?;
        } else {
            super::bury(tx, id)?;
            let buried = tx.get(id)?;
            whole = whole::of(tx, buried)?;
        }
        Ok(whole)
    })
}

/// Moves a circuit and its legs to a phase that follows from a wish.
pub(super) fn move_to(tx: &mut Tx<'_>, whole: &mut Whole, phase: Phase) -> Result<(), Error> {
    let now = tx.now();
    let text = format!("{} is {}.", whole.circuit.spec.name, phase.word());
    let code = format!("phase.{}", phase.word());
    for leg in &mut whole.legs {
        let status = LegStatus { life: leg.status.life.moved(phase, None, now), ..leg.status.clone() };
        tx.observe(leg, status, None)?;
    }
    let status = whole.circuit.status.moved(phase, None, now);
    Ok(tx.observe(&mut whole.circuit, status, Some(Moved::new(code, text)))?)
}

/// The network an order ends in.
fn routed_network(new: &NewCircuit) -> Option<Id<Network>> {
    let ends = new.legs.iter().flat_map(|leg| [&leg.a, &leg.z]);
    let named = ends.filter_map(|end| end.at).find_map(|at| match at {
        Target::Network(id) => Some(id),
        _ => None,
    });
    named.or(new.circuit.network)
}

fn buy(tx: &mut Tx<'_>, owner: meetme_base::RawId, new: &NewCircuit) -> Result<Option<Object<Offer>>, Error> {
    match &new.buy {
        Buy::Path(_) => Ok(None),
        Buy::Offer(id) => {
            let offer = tx.find(*id)?.ok_or_else(|| Invalid::reference("offer", format!("The offer {id}")))?;
            offers::check(tx, owner, &offer.spec, &wish(&new.circuit, &offer))?;
            Ok(Some(offer))
        }
        Buy::Reach { far, metro } => {
            let wish = offers::Wish {
                service: Service::Circuit,
                far: Some(far),
                at: metro.any(),
                rate: new.circuit.rate,
                redundant: new.circuit.redundant,
                peering: new.circuit.peering,
                region: new.circuit.region,
                term: new.circuit.life.term.unwrap_or(meetme_model::Term::Hour),
            };
            offers::find(tx, owner, &wish).map(Some)
        }
    }
}

/// The wish that a circuit makes of an offer chosen by name.
pub(super) fn wish<'a>(circuit: &Circuit, offer: &'a Object<Offer>) -> offers::Wish<'a> {
    offers::Wish {
        service: Service::Circuit,
        far: offer.spec.far.as_deref(),
        at: offer.spec.at,
        rate: circuit.rate,
        redundant: circuit.redundant,
        peering: circuit.peering,
        region: circuit.region,
        term: circuit.life.term.unwrap_or(meetme_model::Term::Hour),
    }
}

/// The metro an offer is sold in.
fn metro_of(tx: &mut Tx<'_>, offer: &Object<Offer>) -> Result<Option<Id<Metro>>, Error> {
    match tx.kind_of(offer.spec.at)? {
        Some(kind) if kind == Metro::KIND => Ok(Some(offer.spec.at.of())),
        _ => Ok(tx.as_system(|tx| tx.find::<meetme_model::place::Site>(offer.spec.at.of()))?.map(|s| s.spec.metro)),
    }
}

/// A leg as it is wished, with nothing allotted yet.
fn blank(circuit: &Object<Circuit>, side: u8, wish: &NewLeg, offer: Option<Id<Offer>>) -> Leg {
    let mut z = wish.z.clone();
    let is_tunnel = wish.a.faces.iter().any(|face| face.tunnel.is_some());
    if z.at.is_none() && !is_tunnel {
        z.at = offer.map(Target::Offer);
    }
    Leg {
        circuit: circuit.id,
        side,
        a: wish.a.clone(),
        z,
        far: wish.far.clone(),
        routing: wish.routing,
        off: false,
        router: None,
        ext: Default::default(),
    }
}

/// Gives every leg its router, tags, link subnet and BGP session, and holds the provider's keys.
fn settle(
    app: &App,
    tx: &mut Tx<'_>,
    whole: &mut Whole,
    far: Option<&str>,
    passwords: &[Option<Secret<String>>],
) -> Result<(), Error> {
    far::hold(tx, far, whole)?;
    let mut spec = whole.circuit.spec.clone();
    nat::settle(tx, whole.circuit.id, None, &mut spec)?;
    tx.save(&mut whole.circuit, spec)?;
    for (at, leg) in whole.legs.iter_mut().enumerate() {
        place::settle(tx, &whole.circuit, leg)?;
        let password = passwords.get(at).and_then(Option::as_ref);
        if let Some(made) = session::create(app, tx, &whole.circuit, leg, far, password)? {
            whole.sessions.push(made);
        }
    }
    Ok(())
}

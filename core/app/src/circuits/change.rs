//! Changing a circuit. Names, descriptions, labels and terms change at any time; what equipment has to follow needs a circuit that is
//! built, or only designed, and no lock. What was fixed when it was ordered stays.

use meetme_base::{Id, Invalid, Secret};
use meetme_model::{
    Lock, Phase, Term, Wanted,
    fabric::{Circuit, End, Leg},
};
use meetme_store::{Resource as _, Tx};

use super::{Whole, far, nat, order::wish, place, session, whole};
use crate::{App, Error, access, offers};

/// A circuit as it is wished to become; it starts as the circuit is.
#[derive(Clone, Debug)]
pub struct CircuitChange {
    /// The circuit.
    pub circuit: Circuit,
    /// Its legs, in the order of their sides.
    pub legs: Vec<LegChange>,
}

/// A leg as it is wished to become.
#[derive(Clone, Debug)]
pub struct LegChange {
    /// The leg. A tag asked for in an end's `tag` is claimed and the old one given back.
    pub leg: Leg,
    /// A new password for its BGP session.
    pub password: Option<Secret<String>>,
    /// A new key for its tunnel.
    pub psk: Option<Secret<String>>,
}

impl LegChange {
    fn is_change_of(&self, old: &Leg) -> bool {
        self.leg != *old || self.password.is_some() || self.psk.is_some()
    }
}

/// Changes a circuit by `edit`.
///
/// # Errors
/// [`Error::Invalid`] with code `immutable` for what was fixed; [`Error::Conflict`]: `removing`, and for what equipment has to follow
/// `locked`, `changing`, `not_built`; `rate_fixed` where the provider cannot change rates, `term_shorter`, `vlan_taken`.
pub fn change(
    app: &App,
    tx: &mut Tx<'_>,
    id: Id<Circuit>,
    edit: impl FnOnce(&mut CircuitChange),
) -> Result<Whole, Error> {
    let mut whole = whole::get(tx, id)?;
    tx.may_change(&whole.circuit, &whole.circuit.spec)?;
    let name = whole.circuit.spec.name.clone();
    if whole.circuit.spec.life.wanted == Wanted::Gone {
        return Err(Error::conflict("removing", format!("{name} is being removed.")));
    }
    let legs = whole.legs.iter().map(|leg| LegChange { leg: leg.spec.clone(), password: None, psk: None }).collect();
    let mut wished = CircuitChange { circuit: whole.circuit.spec.clone(), legs };
    edit(&mut wished);
    tx.may_change(&whole.circuit, &wished.circuit)?;
    // Legs have no rights of their own: they are the circuit's, and changing them is to change all of it.
    if whole.legs.iter().zip(&wished.legs).any(|(leg, next)| next.is_change_of(&leg.spec)) {
        access::require(tx, Circuit::KIND, "change", whole.circuit.tenant)?;
    }
    immutable(&whole, &wished)?;
    let old = &whole.circuit.spec;
    if is_shorter(wished.circuit.life.term, old.life.term) {
        return Err(Error::conflict("term_shorter", "A circuit is not moved to a shorter term."));
    }
    if is_disruptive(&whole, &wished) {
        may_disrupt(&whole)?;
    }
    if wished.circuit.rate != old.rate {
        rate(tx, &whole, &wished.circuit)?;
    }
    tx.as_system(|tx| {
        let far = match whole.circuit.spec.offer {
            Some(offer) => tx.get(offer)?.spec.far,
            None => None,
        };
        let is_draft = whole.circuit.status.phase == Phase::Draft;
        if !is_draft {
            nat::settle(tx, whole.circuit.id, Some(&whole.circuit.spec.nat), &mut wished.circuit)?;
        }
        tx.save(&mut whole.circuit, wished.circuit)?;
        for (leg, next) in whole.legs.iter_mut().zip(wished.legs) {
            far::check(far.as_deref(), next.leg.far.as_ref())?;
            let mut spec = next.leg;
            let (router, owner) = (spec.router.map(Id::any), leg.id.any());
            for (old, new) in [(&leg.spec.a, &mut spec.a), (&leg.spec.z, &mut spec.z)] {
                if is_retagged(old, new) && !is_draft {
                    place::untag(tx, old, router)?;
                    place::tag(tx, new, router, owner)?;
                }
            }
            session::seal_tunnel(app, &mut spec, next.psk.as_ref())?;
            tx.save(leg, spec)?;
            if !is_draft {
                let of_leg = whole.sessions.iter().position(|s| s.spec.leg == Some(leg.id));
                session::follow(
                    app,
                    tx,
                    &whole.circuit,
                    leg,
                    far.as_deref(),
                    next.password.as_ref(),
                    of_leg.and_then(|at| whole.sessions.get_mut(at)),
                )?;
            }
        }
        let circuit = tx.get(id)?;
        whole::of(tx, circuit)
    })
}

fn immutable(whole: &Whole, wished: &CircuitChange) -> Result<(), Error> {
    let (old, new) = (&whole.circuit.spec, &wished.circuit);
    let fixed = [
        ("network", old.network == new.network),
        ("offer", old.offer == new.offer),
        ("metro", old.metro == new.metro),
        ("region", old.region == new.region),
        ("peering", old.peering == new.peering),
        ("redundant", old.redundant == new.redundant),
        (
            "life",
            (old.life.wanted, old.life.gone_at, old.life.lock) == (new.life.wanted, new.life.gone_at, new.life.lock),
        ),
        ("legs", whole.legs.len() == wished.legs.len()),
    ];
    let ends = whole.legs.iter().zip(&wished.legs).all(|(old, new)| {
        let (old, new) = (&old.spec, &new.leg);
        old.a.at == new.a.at && old.z.at == new.z.at && old.router == new.router && old.side == new.side
    });
    let broken = fixed.into_iter().chain([("legs", ends)]).find(|(_, same)| !same);
    match broken {
        None => Ok(()),
        Some((field, _)) => {
            Err(Invalid::new(field, "immutable", "This was fixed when the circuit was ordered.").into())
        }
    }
}

/// Whether equipment has to follow the change.
fn is_disruptive(whole: &Whole, wished: &CircuitChange) -> bool {
    let (old, new) = (&whole.circuit.spec, &wished.circuit);
    let circuit = old.rate == new.rate
        && old.bgp == new.bgp
        && old.nat == new.nat
        && old.nearby == new.nearby
        && old.prefixes_allowed == new.prefixes_allowed
        && old.advertise_internal == new.advertise_internal;
    let legs = whole.legs.iter().zip(&wished.legs).all(|(old, new)| {
        let same = Leg { ext: old.spec.ext.clone(), ..new.leg.clone() } == old.spec;
        same && new.password.is_none() && new.psk.is_none()
    });
    !(circuit && legs)
}

fn may_disrupt(whole: &Whole) -> Result<(), Error> {
    let name = &whole.circuit.spec.name;
    if whole.circuit.spec.life.lock != Lock::None {
        return Err(Error::conflict("locked", format!("{name} is locked.")));
    }
    match whole.circuit.status.phase {
        Phase::Changing => Err(Error::conflict("changing", format!("{name} is being changed."))),
        Phase::Draft | Phase::Ready | Phase::Up | Phase::Down | Phase::Off | Phase::Failed | Phase::Ending => Ok(()),
        Phase::Asking | Phase::Queued | Phase::Building | Phase::Removing | Phase::Gone => {
            Err(Error::conflict("not_built", format!("{name} is not built yet.")))
        }
    }
}

/// A new rate is asked of the offer, and of a provider who can change it.
fn rate(tx: &mut Tx<'_>, whole: &Whole, new: &Circuit) -> Result<(), Error> {
    let Some(offer) = new.offer else { return Ok(()) };
    let offer = tx.as_system(|tx| tx.get(offer))?;
    let is_hosted =
        |leg: &Leg| leg.far.as_ref().and_then(|f| f.get("form")).and_then(|f| f.as_str()) != Some("connection");
    if offer.spec.far.as_deref() == Some("aws") && whole.legs.iter().any(|leg| is_hosted(&leg.spec)) {
        return Err(Error::conflict("rate_fixed", "The rate of a hosted virtual interface cannot be changed."));
    }
    offers::check(tx, whole.circuit.tenant, &offer.spec, &wish(new, &offer))
}

/// Whether an end is wished to have another tag than it has.
fn is_retagged(old: &End, new: &End) -> bool {
    old.tag != new.tag || old.inner != new.inner
}

fn is_shorter(new: Option<Term>, old: Option<Term>) -> bool {
    new.map_or(0, Term::days) < old.map_or(0, Term::days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_shorter_when_it_binds_for_less() {
        assert!(
            is_shorter(Some(Term::Hour), Some(Term::Months(1)))
                && is_shorter(Some(Term::Months(12)), Some(Term::Months(24)))
        );
        assert!(!is_shorter(Some(Term::Months(12)), None) && !is_shorter(Some(Term::Hour), Some(Term::Hour)));
    }
}

//! Reading circuits with everything that belongs to them.

use std::collections::HashMap;

use meetme_base::{Id, RawId};
use meetme_model::{
    Phase,
    fabric::{Circuit, Leg, Network},
    living,
    routing::DirectSession,
};
use meetme_store::{Filter, Object, Resource as _, Tx};

use crate::{Error, allocate};

/// A circuit with its legs in the order of their sides, and their BGP sessions.
#[derive(Clone, Debug, PartialEq)]
pub struct Whole {
    /// The circuit.
    pub circuit: Object<Circuit>,
    /// Its legs.
    pub legs: Vec<Object<Leg>>,
    /// Their sessions.
    pub sessions: Vec<Object<DirectSession>>,
}

impl Whole {
    /// The leg of a side.
    pub fn leg(&self, side: u8) -> Option<&Object<Leg>> {
        self.legs.iter().find(|leg| leg.spec.side == side)
    }

    /// The first BGP session of a leg.
    pub fn session(&self, leg: Id<Leg>) -> Option<&Object<DirectSession>> {
        self.sessions.iter().find(|session| session.spec.leg == Some(leg))
    }
}

/// The circuit with this id, if it is no tombstone.
///
/// # Errors
/// [`Error::Missing`].
pub fn get(tx: &mut Tx<'_>, id: Id<Circuit>) -> Result<Whole, Error> {
    let found = tx.one(&Filter::eq("id", id).and(living()))?;
    of(tx, found.ok_or_else(|| Error::missing(Circuit::KIND, id))?)
}

pub(super) fn of(tx: &mut Tx<'_>, circuit: Object<Circuit>) -> Result<Whole, Error> {
    wholes(tx, vec![circuit])?.pop().ok_or_else(|| Error::Bug("a circuit was lost".to_owned()))
}

/// The circuit of a leg.
///
/// # Errors
/// [`Error::Missing`] when either is a tombstone, or not for the caller to see.
pub fn of_leg(tx: &mut Tx<'_>, leg: Id<Leg>) -> Result<Whole, Error> {
    let leg = tx.get(leg)?;
    get(tx, leg.spec.circuit)
}

/// The living circuits with an end in a network, in the order they were made.
///
/// # Errors
/// When the database fails.
pub fn of_network(tx: &mut Tx<'_>, network: Id<Network>) -> Result<Vec<Whole>, Error> {
    let list = tx.all(Filter::eq("network", network).and(living()))?;
    wholes(tx, list)
}

/// The living circuits of an organization and its projects, in the order they were made.
///
/// # Errors
/// When the database fails.
pub fn of_owner(tx: &mut Tx<'_>, organization: RawId) -> Result<Vec<Whole>, Error> {
    let nodes = allocate::nodes_of(tx, organization)?;
    let list = tx.all(Filter::is_in("tenant", nodes).and(living()))?;
    wholes(tx, list)
}

/// These circuits with everything that belongs to them. Whoever sees a circuit sees its parts.
///
/// # Errors
/// When the database fails.
pub fn wholes(tx: &mut Tx<'_>, list: Vec<Object<Circuit>>) -> Result<Vec<Whole>, Error> {
    if list.is_empty() {
        return Ok(Vec::new());
    }
    let (legs, sessions) = tx.as_system(|tx| {
        let legs = tx.all::<Leg>(Filter::is_in("circuit", list.iter().map(|c| c.id)))?;
        let sessions = match legs.is_empty() {
            true => Vec::new(),
            false => tx.all::<DirectSession>(Filter::is_in("leg", legs.iter().map(|l| l.id)))?,
        };
        Ok::<_, Error>((legs, sessions))
    })?;
    let owner: HashMap<Id<Leg>, Id<Circuit>> = legs.iter().map(|l| (l.id, l.spec.circuit)).collect();
    let mut at: HashMap<Id<Circuit>, usize> = HashMap::with_capacity(list.len());
    let mut out: Vec<Whole> = Vec::with_capacity(list.len());
    for circuit in list {
        at.insert(circuit.id, out.len());
        out.push(Whole { circuit, legs: Vec::new(), sessions: Vec::new() });
    }
    for leg in legs {
        if let Some(whole) = at.get(&leg.spec.circuit).and_then(|i| out.get_mut(*i)) {
            whole.legs.push(leg);
        }
    }
    for session in sessions {
        let circuit = session.spec.leg.and_then(|leg| owner.get(&leg));
        if let Some(whole) = circuit.and_then(|c| at.get(c)).and_then(|i| out.get_mut(*i)) {
            whole.sessions.push(session);
        }
    }
    out.iter_mut().for_each(|whole| whole.legs.sort_by_key(|leg| leg.spec.side));
    Ok(out)
}

/// A circuit's phase from its legs': what is being done to any of them comes first, then whether one of them works.
pub fn fold(legs: impl IntoIterator<Item = Phase>) -> Phase {
    let legs: Vec<Phase> = legs.into_iter().collect();
    let any = |phase| legs.contains(&phase);
    const FIRST: [Phase; 6] =
        [Phase::Removing, Phase::Building, Phase::Changing, Phase::Failed, Phase::Up, Phase::Ready];
    if let Some(phase) = FIRST.into_iter().find(|p| any(*p) && *p != Phase::Ready) {
        return phase;
    }
    if any(Phase::Ready) && !any(Phase::Down) {
        return Phase::Ready;
    }
    let rest = [Phase::Down, Phase::Ready, Phase::Off, Phase::Queued, Phase::Asking, Phase::Draft, Phase::Ending];
    rest.into_iter().find(|p| any(*p)).unwrap_or(Phase::Gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circuit_works_when_one_leg_does_and_is_worked_on_when_one_leg_is() {
        for (legs, wanted) in [
            ([Phase::Up, Phase::Down], Phase::Up),
            ([Phase::Down, Phase::Down], Phase::Down),
            ([Phase::Ready, Phase::Ready], Phase::Ready),
            ([Phase::Up, Phase::Building], Phase::Building),
            ([Phase::Removing, Phase::Building], Phase::Removing),
            ([Phase::Gone, Phase::Removing], Phase::Removing),
            ([Phase::Queued, Phase::Queued], Phase::Queued),
            ([Phase::Gone, Phase::Gone], Phase::Gone),
            ([Phase::Failed, Phase::Up], Phase::Failed),
        ] {
            assert_eq!(fold(legs), wanted, "{legs:?}");
        }
    }
}

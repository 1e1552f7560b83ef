//! The interfaces of machines: which of them work as one, whether they are routed, and which segments they carry.
//!
//! What a machine's network is used for (its mode) is no wish of its own: it follows from its bonds, its interfaces and its
//! addresses ([`mode`]), and is written beside them in the same transaction, because clients work it out from the three themselves.
//! Every operation reads all ports of the machine under a lock, decides, changes what has to change and writes the mode.
//!
//! | mode | bond | second interface | management addresses |
//! |---|---|---|---|
//! | layer3 | in force | in it | yes |
//! | hybrid | in force | out of it, carries segments | yes |
//! | hybrid-bonded | in force, carries segments | in it | yes |
//! | layer2-bonded | in force, carries segments | in it | none |
//! | layer2-individual | not in force | each carries segments | none |
//!
//! Other combinations are not reached: what would lead to one is refused, or does the whole step to the next row of the table. Of
//! several bonds only the first is routed.

mod bond;
mod landing;

pub use bond::{bond, bridge, route, unbond};
pub(crate) use landing::go;
pub use landing::{Change, VLANS, assign, batch, of_port, segment_numbered, set_native, switches, take_all, unassign};

use meetme_base::Id;
use meetme_model::{
    Wanted,
    fabric::{Address, Landing, Port, PortMode, Shape},
    living,
    metal::Device,
    place::Plan,
};
use meetme_store::{Filter, Object, Resource as _, Tx};

use crate::{Error, access, devices};

/// What a machine's network is used for: `bonds` and `nics` say which are in force, `routed` whether it has management addresses.
pub fn mode(bonds: &[bool], nics: &[bool], routed: bool, bond_carries: bool) -> PortMode {
    if bonds.contains(&false) {
        PortMode::Layer2Individual
    } else if nics.contains(&false) {
        PortMode::Hybrid
    } else if !routed {
        PortMode::Layer2Bonded
    } else if bond_carries {
        PortMode::HybridBonded
    } else {
        PortMode::Layer3
    }
}

/// Everything there is to a machine's network, while nobody else changes it.
struct Network {
    device: Object<Device>,
    bonds: Vec<Object<Port>>,
    nics: Vec<Object<Port>>,
    /// The segments on its ports, those that go left out.
    landings: Vec<Object<Landing>>,
    /// Whether it has management addresses.
    routed: bool,
}

impl Network {
    /// Opens the network of the machine whose port this is, to change it.
    fn open(tx: &mut Tx<'_>, port: Id<Port>) -> Result<Self, Error> {
        let port = of_device(tx, port)?;
        access::require(tx, Port::KIND, "change", port.tenant)?;
        let device = port.spec.device.ok_or_else(|| Error::missing(Port::KIND, port.id))?;
        let device = devices::open_network(tx, device)?;
        tx.as_system(|tx| {
            let plan = tx.get(device.spec.plan)?;
            if plan.spec.has(Plan::LAYER3_ONLY) {
                let text = format!("Devices of the plan {} have layer 3 networks only.", plan.spec.slug);
                return Err(Error::conflict("layer3_only", text));
            }
            Self::read(tx, device)
        })
    }

    fn read(tx: &mut Tx<'_>, device: Object<Device>) -> Result<Self, Error> {
        let mut ports = tx.all::<Port>(Filter::eq("device", device.id).and(living()))?;
        ports.sort_by_key(|port| (port.spec.index, port.id));
        let (bonds, nics): (Vec<_>, Vec<_>) = ports.into_iter().partition(|port| port.spec.shape == Shape::Bond);
        let landings = tx.all::<Landing>(Filter::eq("port.device", device.id).and(crate::segments::wanted()))?;
        let management = Filter::eq("device", device.id).and(Filter::eq("management", true)).and(living());
        let routed = tx.exists::<Address>(&management)?;
        Ok(Self { device, bonds, nics, landings, routed })
    }

    /// The port of that id, among bonds and interfaces.
    fn port(&self, id: Id<Port>) -> Result<&Object<Port>, Error> {
        let mut all = self.bonds.iter().chain(&self.nics);
        all.find(|port| port.id == id).ok_or_else(|| Error::missing(Port::KIND, id))
    }

    /// Whether the bond is the one that is routed.
    fn is_first(&self, bond: Id<Port>) -> bool {
        self.bonds.first().is_some_and(|first| first.id == bond)
    }

    fn members(&self, bond: Id<Port>) -> impl Iterator<Item = &Object<Port>> {
        self.nics.iter().filter(move |nic| nic.spec.leader == Some(bond))
    }

    fn landings_on(&self, port: Id<Port>) -> impl Iterator<Item = &Object<Landing>> {
        self.landings.iter().filter(move |landing| landing.spec.port == Some(port))
    }

    /// Refuses while there are segments on a port.
    fn empty(&self, port: &Object<Port>) -> Result<(), Error> {
        if self.landings_on(port.id).next().is_none() {
            return Ok(());
        }
        let text = format!("Virtual networks are still assigned to {}. Take them off first.", port.spec.name);
        Err(Error::conflict("has_segments", text))
    }

    /// Refuses where the plan settles for good which interface is out of the bond.
    fn convertible(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let plan = tx.as_system(|tx| tx.get(self.device.spec.plan))?;
        if plan.spec.has(Plan::HYBRID_ONLY) {
            let text = format!("The network of devices of the plan {} stays hybrid.", plan.spec.slug);
            return Err(Error::conflict("hybrid_only", text));
        }
        Ok(())
    }

    /// Puts a port into force or out of it.
    fn set_bonded(tx: &mut Tx<'_>, port: &Object<Port>, bonded: bool) -> Result<(), Error> {
        let mut port = port.clone();
        let spec = Port { bonded, ..port.spec.clone() };
        Ok(tx.save(&mut port, spec)?)
    }
}

/// Writes on a machine's bonds what its network is used for now, and answers it.
pub(crate) fn settle(tx: &mut Tx<'_>, device: &Object<Device>) -> Result<PortMode, Error> {
    let now = Network::read(tx, device.clone())?;
    let forces = |ports: &[Object<Port>]| ports.iter().map(|port| port.spec.bonded).collect::<Vec<_>>();
    let carries = now.bonds.iter().any(|bond| now.landings_on(bond.id).next().is_some());
    let mode = mode(&forces(&now.bonds), &forces(&now.nics), now.routed, carries);
    for mut bond in now.bonds {
        let spec = Port { mode: Some(mode), ..bond.spec.clone() };
        tx.save(&mut bond, spec)?;
    }
    Ok(mode)
}

/// A port, if it is one of a machine that is there.
fn of_device(tx: &mut Tx<'_>, id: Id<Port>) -> Result<Object<Port>, Error> {
    let port = tx.get(id)?;
    let is_there = port.spec.device.is_some() && port.spec.life.wanted != Wanted::Gone;
    if is_there { Ok(port) } else { Err(Error::missing(Port::KIND, id)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mode_follows_from_bonds_interfaces_and_addresses() {
        for (bonds, nics, routed, carries, word) in [
            (vec![true], vec![true, true], true, false, "layer3"),
            (vec![true], vec![true, false], true, false, "hybrid"),
            (vec![true], vec![true, true], true, true, "hybrid-bonded"),
            (vec![true], vec![true, true], false, true, "layer2-bonded"),
            (vec![false], vec![false, false], false, false, "layer2-individual"),
            (vec![true, false], vec![true, true, false, false], false, false, "layer2-individual"),
            (vec![true, true], vec![true, false, true, false], true, false, "hybrid"),
        ] {
            assert_eq!(mode(&bonds, &nics, routed, carries).word(), word);
        }
    }
}

//! The network interfaces of an ordered machine: one port for each, and a bond over them.

use meetme_base::{Mbps, RawId};
use meetme_model::{
    fabric::{Port, PortMode, Shape},
    metal::{Device, Server},
    place::Plan,
};
use meetme_store::{Object, Tx};

use crate::Error;

/// What an interface carries when its plan does not say.
const USUAL_RATE: i64 = 10_000;

/// Makes the ports of a machine as its server has them: bonds of two interfaces each, all routed. With four interfaces the first
/// and the third are one bond, so that each bond ends on both switches.
pub(super) fn make(tx: &mut Tx<'_>, device: &Object<Device>, plan: &Plan, server: &Server) -> Result<(), Error> {
    let rate = rate(plan)?;
    let node = device.tenant;
    let bonds = if server.nics.len() >= 4 { 2 } else { 1 };
    let mut leaders = Vec::with_capacity(bonds);
    for n in 0..bonds.min(server.nics.len()) {
        let members = i64::try_from(server.nics.iter().skip(n).step_by(bonds).count()).unwrap_or(1);
        let bond = Port {
            mode: Some(PortMode::Layer3),
            bonded: true,
            ..blank(device, format!("bond{n}"), Shape::Bond, Mbps::try_from(i64::from(rate.get()) * members)?)
        };
        leaders.push(tx.create(node, bond)?.id);
    }
    for (i, nic) in server.nics.iter().enumerate() {
        let port = Port {
            mac: Some(nic.mac),
            index: u8::try_from(i).ok(),
            leader: leaders.get(i % bonds).copied(),
            // The second one of a plan that stays so carries segments from the start.
            bonded: !(i == 1 && plan.has(Plan::HYBRID_ONLY)),
            equipment: nic.switch,
            interface: nic.interface.clone(),
            ..blank(device, nic.name.clone(), Shape::Nic, rate)
        };
        tx.create(node, port)?;
    }
    Ok(())
}

fn blank(device: &Object<Device>, name: String, shape: Shape, rate: Mbps) -> Port {
    Port { device: Some(device.id), ..Port::new(name, shape, rate) }
}

/// The rate of one interface: `10Gbps` in the words of the plan.
fn rate(plan: &Plan) -> Result<Mbps, Error> {
    let said = plan.specs.nics.first().and_then(|nic| {
        let digits: String = nic.model.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<i64>().ok().map(|n| n * 1000)
    });
    Ok(Mbps::try_from(said.unwrap_or(USUAL_RATE))?)
}

/// Takes the ports of a machine away.
pub(super) fn take_back(tx: &mut Tx<'_>, device: RawId) -> Result<(), Error> {
    let mut ports = tx.all::<Port>(meetme_store::Filter::eq("device", device))?;
    // Interfaces name their bonds.
    ports.sort_by_key(|p| p.spec.shape == Shape::Bond);
    for port in ports {
        tx.remove(port.id)?;
    }
    Ok(())
}

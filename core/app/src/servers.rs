//! The operator's servers as their management controllers tell them: asking for the look, and keeping what was found.

use meetme_base::{Id, Invalid, MacAddr};
use meetme_model::{
    metal::{Health, Nic, Power, Server, ServerStatus},
    ops::{Equipment, Family, Job},
    place::Plan,
};
use meetme_store::{Filter, Object, Resource as _, Tx};
use serde::{Deserialize, Serialize};

use crate::{
    Error, access,
    jobs::{self, Ask},
};

/// The work of asking a management controller what its server is made of.
pub const DISCOVER: &str = "server.discover";
/// More interfaces than a machine has.
const MOST_NICS: usize = 64;

/// What a discovery is asked for with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// The plan under which a server that is not known yet is entered.
    pub plan: Option<Id<Plan>>,
}

/// Asks for a look at the server behind a management controller. Its row is made when there is none with its serial number.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Denied`] without the right to act on the equipment; [`Error::Invalid`] when it is no server's.
pub fn discover(tx: &mut Tx<'_>, id: Id<Equipment>, wish: &Discovery) -> Result<Object<Job>, Error> {
    let equipment = tx.get(id)?;
    access::require(tx, Equipment::KIND, "act", equipment.tenant)?;
    if equipment.spec.family != Family::Server {
        return Err(Invalid::rule("equipment", "Only a server's management controller can be asked.").into());
    }
    if equipment.spec.site.is_none() {
        return Err(Invalid::rule("equipment", "Say first at which site the equipment stands.").into());
    }
    if let Some(plan) = wish.plan {
        tx.get(plan)?;
    }
    let inputs = serde_json::to_value(wish).map_err(|e| Error::Bug(e.to_string()))?;
    let name = format!("Discover the server behind {}", equipment.spec.name);
    jobs::ask(tx, equipment.tenant, Ask { what: DISCOVER, name, subject: Some(id.any()), inputs })
}

/// What was found behind a management controller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The serial number.
    pub serial: String,
    /// The hardware addresses of its interfaces, in order.
    pub macs: Vec<MacAddr>,
    /// Whether it has power.
    pub power: Option<Power>,
    /// How it says it feels.
    pub health: Option<Health>,
    /// What is wrong with it, one sentence each.
    pub faults: Vec<String>,
}

/// Keeps what was found: makes the server's row, or brings the one with its serial number up to date. Where its cables run and what
/// it is sold as stays as people entered it. True when the row is new. For whoever made the look, with every right.
///
/// # Errors
/// [`Error::Conflict`] `elsewhere` when the serial number is another controller's; [`Error::Invalid`] for a new server without a plan.
pub fn found(
    tx: &mut Tx<'_>,
    equipment: &Object<Equipment>,
    wish: &Discovery,
    found: &Found,
) -> Result<(Object<Server>, bool), Error> {
    let known = tx.one::<Server>(&Filter::eq("serial", found.serial.as_str()))?;
    if let Some(other) = known.as_ref().and_then(|s| s.spec.equipment).filter(|id| *id != equipment.id) {
        let name = tx.find(other)?.map_or_else(|| "another controller".to_owned(), |e| e.spec.name);
        let text = format!("The server {} is behind {name} already.", found.serial);
        return Err(Error::conflict("elsewhere", text));
    }
    // A board that was replaced shows another serial number; that is for a person to settle.
    let others = Filter::eq("equipment", equipment.id);
    let of_this = tx.all::<Server>(others)?.into_iter().find(|s| s.spec.serial != found.serial);
    if let (None, Some(other)) = (&known, of_this) {
        let text =
            format!("Behind {} stood {} so far, and now {}.", equipment.spec.name, other.spec.serial, found.serial);
        return Err(Error::conflict("replaced", text));
    }
    let is_new = known.is_none();
    let mut server = match known {
        Some(mut server) => {
            let spec = Server {
                equipment: Some(equipment.id),
                nics: nics(&server.spec.nics, &found.macs),
                ..server.spec.clone()
            };
            tx.save(&mut server, spec)?;
            server
        }
        None => {
            let plan = wish.plan.ok_or_else(|| Invalid::required("plan"))?;
            let site = equipment.spec.site.ok_or_else(|| Invalid::required("site"))?;
            let spec = Server {
                equipment: Some(equipment.id),
                nics: nics(&[], &found.macs),
                zone: equipment.spec.zone,
                ..Server::new(found.serial.as_str(), plan, site)
            };
            tx.create(equipment.tenant, spec)?
        }
    };
    let status = ServerStatus {
        power: found.power.or(server.status.power),
        health: found.health.or(server.status.health),
        faults: found.faults.clone(),
        ..server.status.clone()
    };
    tx.observe(&mut server, status, None)?;
    Ok((server, is_new))
}

/// The interfaces that were found, with what people said of those that were known. A controller that tells none leaves them alone.
fn nics(known: &[Nic], found: &[MacAddr]) -> Vec<Nic> {
    if found.is_empty() {
        return known.to_vec();
    }
    let mut out: Vec<Nic> = known.iter().filter(|nic| found.contains(&nic.mac)).cloned().collect();
    for mac in found.iter().take(MOST_NICS) {
        if out.iter().any(|nic| nic.mac == *mac) {
            continue;
        }
        let free = (0..).map(|n| format!("eth{n}")).find(|name| out.iter().all(|nic| nic.name != *name));
        out.push(Nic { name: free.unwrap_or_default(), mac: *mac, switch: None, interface: None });
    }
    out.sort_by_key(|nic| found.iter().position(|mac| *mac == nic.mac));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_said_of_an_interface_stays_with_its_address() {
        let mac = |last| MacAddr([2, 0, 0x5e, 0x10, 0, last]);
        let patched = Nic { name: "eth0".into(), mac: mac(2), switch: Some(Id::new(7)), interface: Some("1/1".into()) };
        let gone = Nic { name: "eth1".into(), mac: mac(9), switch: None, interface: None };
        let after = nics(&[patched.clone(), gone], &[mac(1), mac(2)]);
        let told: Vec<_> = after.iter().map(|n| (n.name.as_str(), n.mac, n.interface.as_deref())).collect();
        assert_eq!(told, [("eth1", mac(1), None), ("eth0", mac(2), Some("1/1"))]);
        assert_eq!(nics(std::slice::from_ref(&patched), &[]), [patched]);
    }
}

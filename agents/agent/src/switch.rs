//! The family of switches: what the interfaces that machines are plugged into should carry, what they are seen to carry, and the
//! change.
//!
//! The unit is the box: however many networks are put on ports, one switch is told everything once. Only interfaces that are named in
//! a wish, or were in an earlier one, are touched; an uplink or a port that somebody set up by hand is not this family's.

use meetme_base::IpNet;
use serde::{Deserialize, Serialize};

use crate::Family;

/// Switches.
#[derive(Clone, Copy, Debug)]
pub enum Switch {}

impl Family for Switch {
    type Desired = Desired;
    type Observed = Observed;
    type Plan = Plan;
    const NAME: &'static str = "switch";
}

/// Everything that is ours on one switch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Desired {
    /// The interfaces, by name.
    pub interfaces: Vec<Interface>,
    /// The ways out of the networks that end on this switch.
    pub gateways: Vec<Gateway>,
}

/// One interface, with the whole of what it carries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Interface {
    /// Its name on the switch.
    pub name: String,
    /// The aggregation it is part of, such as `bond17`; alone when absent.
    pub bond: Option<String>,
    /// Whether untagged frames are routed, for the machine's own addresses.
    pub routed: bool,
    /// The networks on it.
    pub carries: Vec<Carried>,
}

/// A network on an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// The VLAN of its frames there.
    pub vlan: u16,
    /// Its number in the fabric, 1..=16777215.
    pub vni: i64,
    /// Whether its frames are tagged; of those that are not there is at most one.
    pub tagged: bool,
}

/// The switch's own address in a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// The network's number in the fabric.
    pub vni: i64,
    /// The routed domain it leads into, by its number in the fabric.
    pub domain: i64,
    /// The address, with the length of the network.
    pub address: IpNet,
}

/// Everything of ours that a switch was seen to have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// What answered, in its own words.
    pub version: String,
    /// The interfaces.
    pub interfaces: Vec<Seen<Interface>>,
    /// The ways out.
    pub gateways: Vec<Seen<Gateway>>,
}

/// One thing as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen<T> {
    /// What it is.
    pub built: T,
    /// Whether it is in effect.
    pub state: State,
}

/// Whether something is in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is going to be.
    Building,
    /// It is.
    Ready,
    /// It is going to be no more, and still may be.
    Removing,
}

impl Observed {
    /// Whether any interface has anything to do with a network.
    pub fn has(&self, vni: i64) -> bool {
        self.interfaces.iter().any(|i| i.built.carries.iter().any(|c| c.vni == vni))
            || self.gateways.iter().any(|g| g.built.vni == vni)
    }

    /// Where a network stands on an interface; absent when it is not there.
    pub fn carries(&self, interface: &str, vni: i64) -> Option<State> {
        let found = self.interfaces.iter().filter(|i| i.built.name == interface);
        found.filter(|i| i.built.carries.iter().any(|c| c.vni == vni)).map(|i| i.state).next()
    }

    /// Where the way out of a network stands; absent when there is none.
    pub fn gateway(&self, vni: i64) -> Option<State> {
        self.gateways.iter().find(|g| g.built.vni == vni).map(|g| g.state)
    }
}

/// The exact change of one switch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What it is to be.
    pub want: Desired,
    /// What is to be done, one sentence each: this is what operators are shown.
    pub steps: Vec<String>,
    /// Whether anything is to change.
    pub is_change: bool,
}

impl Plan {
    /// The change that makes `seen` into `want`.
    pub fn between(want: &Desired, seen: &Observed) -> Self {
        let mut steps = Vec::new();
        for interface in &want.interfaces {
            match seen.interfaces.iter().find(|s| s.built.name == interface.name && s.state != State::Removing) {
                None => steps.push(format!("Set up {}.", interface.name)),
                Some(found) if found.built != *interface => steps.push(format!("Change {}.", interface.name)),
                Some(_) => {}
            }
        }
        for found in seen.interfaces.iter().filter(|s| s.state != State::Removing) {
            if !want.interfaces.iter().any(|i| i.name == found.built.name) {
                steps.push(format!("Clear {}.", found.built.name));
            }
        }
        for gateway in &want.gateways {
            if !seen.gateways.iter().any(|s| s.built == *gateway && s.state != State::Removing) {
                steps.push(format!("Take the address {} in the network {}.", gateway.address, gateway.vni));
            }
        }
        for found in seen.gateways.iter().filter(|s| s.state != State::Removing) {
            if !want.gateways.contains(&found.built) {
                steps.push(format!("Give up the address {} in the network {}.", found.built.address, found.built.vni));
            }
        }
        let is_change = !steps.is_empty();
        Self { want: want.clone(), steps, is_change }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(name: &str, vnis: &[i64]) -> Interface {
        let carries = vnis.iter().map(|vni| Carried { vlan: 1000, vni: *vni, tagged: true }).collect();
        Interface { name: name.into(), carries, ..Interface::default() }
    }

    fn steps(want: &[Interface], seen: &[(Interface, State)]) -> Vec<String> {
        let want = Desired { interfaces: want.to_vec(), gateways: vec![] };
        let interfaces = seen.iter().map(|(i, state)| Seen { built: i.clone(), state: *state }).collect();
        let seen = Observed { version: "x".into(), interfaces, gateways: vec![] };
        let plan = Plan::between(&want, &seen);
        assert_eq!(plan.is_change, !plan.steps.is_empty());
        plan.steps
    }

    #[test]
    fn a_plan_names_what_is_set_up_changed_and_cleared() {
        let (one, two) = (interface("eth1", &[1]), interface("eth1", &[1, 2]));
        assert_eq!(steps(std::slice::from_ref(&one), &[]), ["Set up eth1."]);
        assert_eq!(steps(std::slice::from_ref(&one), &[(one.clone(), State::Ready)]), Vec::<String>::new());
        assert_eq!(steps(std::slice::from_ref(&two), &[(one.clone(), State::Ready)]), ["Change eth1."]);
        assert_eq!(steps(&[], &[(one.clone(), State::Ready)]), ["Clear eth1."]);
        assert_eq!(steps(&[], &[(one.clone(), State::Removing)]), Vec::<String>::new());
        assert_eq!(steps(std::slice::from_ref(&one), &[(one.clone(), State::Removing)]), ["Set up eth1."]);
    }

    #[test]
    fn a_way_out_is_taken_and_given_up() {
        let gateway = |address: &str| Gateway { vni: 7, domain: 8, address: address.parse().unwrap() };
        let want = Desired { gateways: vec![gateway("10.0.0.1/28")], ..Desired::default() };
        let seen = |list: &[Gateway]| Observed {
            version: "x".into(),
            interfaces: vec![],
            gateways: list.iter().map(|g| Seen { built: g.clone(), state: State::Ready }).collect(),
        };
        assert_eq!(Plan::between(&want, &seen(&[])).steps, ["Take the address 10.0.0.1/28 in the network 7."]);
        let other = Plan::between(&want, &seen(&[gateway("10.0.0.17/28")]));
        assert_eq!(other.steps.len(), 2);
        assert!(seen(&want.gateways).has(7) && !seen(&[]).has(7));
    }
}

//! The family of whatever carries circuits: switches, gateways, cloud accounts. What is wanted of one circuit, what is seen of
//! it, and the change.
//!
//! Here the unit is the circuit, and [`crate::Target::id`] is the circuit's: its legs may end on several boxes, and only the
//! far side's account or the fabric as a whole knows whether they meet. The routers at its ends are told by their own family.

use std::net::IpAddr;

use meetme_base::{Asn, IpNet, Mbps, Time};
use serde::{Deserialize, Serialize};

use crate::{Family, router::BgpState};

/// Whatever carries circuits.
#[derive(Clone, Copy, Debug)]
pub enum Circuit {}

impl Family for Circuit {
    type Desired = Desired;
    type Observed = Observed;
    type Plan = Plan;
    const NAME: &'static str = "circuit";
}

/// Everything one circuit should be. A circuit without legs is one that is to be gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desired {
    /// The circuit's name on the equipment, the same for its whole life, such as `c123`.
    pub key: String,
    /// The name people call it by.
    pub name: String,
    /// The rate it is shaped to.
    #[serde(default)]
    pub rate: Option<Mbps>,
    /// Its paths.
    #[serde(default)]
    pub legs: Vec<Leg>,
}

/// One path of a circuit, as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// The leg's name on the equipment, such as `l124`.
    pub key: String,
    /// Whether traffic is to pass; a leg that is off stays built.
    pub on: bool,
    /// One end.
    pub a: End,
    /// The other end.
    pub z: End,
    /// What the far side is, where it is somebody's service: `aws`, `azure`, `google` ...
    #[serde(default)]
    pub provider: Option<String>,
    /// What the far side has to be told, in the form its agent wants.
    #[serde(default)]
    pub far: serde_json::Value,
    /// Sessions over this leg that no router of ours speaks: the far side's account says how they are.
    #[serde(default)]
    pub sessions: Vec<Session>,
}

/// Where a leg ends.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct End {
    /// What it ends on: `network`, `router`, `port`, `device`, `segment` or `offer`.
    pub on: String,
    /// Its name on the equipment, such as `port17`.
    pub key: String,
    /// The outer tag; untagged when absent.
    pub vlan: Option<u16>,
    /// The inner tag.
    pub inner: Option<u16>,
    /// Addresses of this end, where it is routed.
    pub addresses: Vec<IpNet>,
}

/// A session that the far side speaks with another account of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// The session's name, such as `s125`.
    pub key: String,
    /// The peer's address.
    pub peer_address: IpAddr,
    /// The peer's autonomous system.
    pub peer_asn: Asn,
    /// Whether it is to be up.
    pub enabled: bool,
}

/// Everything one circuit was seen to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// What answered, in its own words.
    pub version: String,
    /// The rate the circuit is shaped to, once any of it is built.
    pub rate: Option<Mbps>,
    /// The legs that exist.
    pub legs: Vec<LegState>,
}

/// One leg as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LegState {
    /// Which leg, with everything it was built as.
    pub built: Leg,
    /// How far it is.
    pub state: LegPhase,
    /// The far side's own name for it.
    pub remote_id: Option<String>,
    /// Since when it is so.
    pub since: Option<Time>,
    /// What went wrong last, in the equipment's words.
    pub last_error: Option<String>,
    /// The sessions the far side speaks over it.
    pub sessions: Vec<SessionState>,
}

/// How far a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LegPhase {
    /// It is being built.
    Building,
    /// Our side is built, the far side has not accepted yet.
    Ready,
    /// Traffic can pass.
    Up,
    /// Built, and traffic cannot pass.
    Down,
    /// Switched off by wish.
    Off,
    /// It is being taken down.
    Removing,
}

/// One session of the far side as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionState {
    /// Which session.
    pub key: String,
    /// Where it stands.
    pub state: BgpState,
    /// Prefixes received.
    pub received: u32,
    /// Prefixes accepted.
    pub accepted: u32,
    /// Prefixes announced.
    pub advertised: u32,
}

/// The exact change to one circuit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What it is to be.
    pub want: Desired,
    /// What is to be done, one sentence each: this is what users are shown.
    pub steps: Vec<String>,
    /// Whether anything is to change.
    pub is_change: bool,
}

impl Plan {
    /// The change that makes `seen` into `want`: the same for every make of equipment that is told a circuit as a whole.
    pub fn between(want: &Desired, seen: &Observed) -> Self {
        let mut steps = Vec::new();
        for leg in &want.legs {
            match seen.legs.iter().find(|s| s.built.key == leg.key) {
                None => steps.push(format!("Build the leg {} from {} to {}.", leg.key, leg.a.key, leg.z.key)),
                Some(s) if s.state == LegPhase::Removing => steps.push(format!("Keep the leg {}.", leg.key)),
                Some(s) if s.built.on != leg.on => {
                    steps.push(format!("Switch the leg {} {}.", leg.key, if leg.on { "on" } else { "off" }));
                }
                Some(s) if s.built != *leg => steps.push(format!("Change the leg {}.", leg.key)),
                Some(_) => {}
            }
        }
        for s in &seen.legs {
            if s.state != LegPhase::Removing && !want.legs.iter().any(|leg| leg.key == s.built.key) {
                steps.push(format!("Take the leg {} down.", s.built.key));
            }
        }
        if let (Some(rate), Some(was)) = (want.rate, seen.rate)
            && rate != was
            && !want.legs.is_empty()
        {
            steps.push(format!("Shape to {rate} Mbps instead of {was}."));
        }
        let is_change = !steps.is_empty();
        Self { want: want.clone(), steps, is_change }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg(key: &str, on: bool) -> Leg {
        let end = |key: &str| End { on: "port".into(), key: key.into(), ..End::default() };
        Leg {
            key: key.into(),
            on,
            a: end("port1"),
            z: end("port2"),
            provider: None,
            far: serde_json::Value::Null,
            sessions: vec![],
        }
    }

    fn steps(want: &[Leg], seen: &[Leg]) -> Vec<String> {
        let state = |built: &Leg| LegState {
            built: built.clone(),
            state: LegPhase::Up,
            remote_id: None,
            since: None,
            last_error: None,
            sessions: vec![],
        };
        let want = Desired { key: "c1".into(), name: "One".into(), rate: None, legs: want.to_vec() };
        let seen = Observed { version: "x".into(), rate: None, legs: seen.iter().map(state).collect() };
        let plan = Plan::between(&want, &seen);
        assert_eq!(plan.is_change, !plan.steps.is_empty());
        plan.steps
    }

    #[test]
    fn a_plan_names_what_is_built_changed_and_taken_down() {
        assert_eq!(steps(&[leg("l1", true)], &[]), ["Build the leg l1 from port1 to port2."]);
        assert_eq!(steps(&[leg("l1", true)], &[leg("l1", false)]), ["Switch the leg l1 on."]);
        assert_eq!(steps(&[], &[leg("l1", true)]), ["Take the leg l1 down."]);
        assert_eq!(steps(&[leg("l1", true)], &[leg("l1", true)]), Vec::<String>::new());
        let moved = Leg { z: End { vlan: Some(7), ..leg("l1", true).z }, ..leg("l1", true) };
        assert_eq!(steps(&[moved], &[leg("l1", true)]), ["Change the leg l1."]);
    }
}

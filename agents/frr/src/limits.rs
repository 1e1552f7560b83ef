//! Limits of prefixes, as far as FRR does not see to them by itself.
//!
//! FRR counts what passes the import policy. It can be told to count what is rejected as well (`force`), but then it takes for the
//! peer's whatever any peer sends that the policy would reject, and walks over all of it for each route that comes (8.4.4; 8 to 10
//! are no better): a peer who is held to its own networks would be shut for what others send. So that is never left standing. What
//! peers send is counted at each look, and a session that is over its limit is told it for a moment with `force`: FRR finds it
//! exceeded, and shuts the session by its own rules.
//!
//! The same makes good what FRR counts too late: while it still asks the machine for the next hop of a session's first routes, it
//! lets them in uncounted, and looks at the limit again with the peer's next route only.

use std::collections::BTreeMap;

use meetme_agent::router::{BgpState, SessionState};

use crate::config::Node;

/// How FRR is told to count what is rejected as well.
const ALL: &str = " force";

/// The lines to be said again, by instance and address family.
#[derive(Debug, Default, PartialEq)]
pub struct Unheeded {
    /// How many sessions are over their limits.
    pub sessions: usize,
    lines: BTreeMap<(String, String), Vec<String>>,
}

impl Unheeded {
    /// Whether there is nothing to be said.
    pub fn is_empty(&self) -> bool {
        self.sessions == 0
    }

    /// Commands for FRR's command line.
    pub fn commands(&self) -> Vec<&str> {
        let mut out = vec!["configure terminal"];
        for ((instance, family), lines) in &self.lines {
            out.extend([instance.as_str(), family.as_str()]);
            out.extend(lines.iter().map(String::as_str));
            out.extend(["exit-address-family", "exit"]);
        }
        out
    }
}

/// The limits of sessions that are up although their peers send more.
pub fn unheeded(ours: &[Node], sessions: &[SessionState]) -> Unheeded {
    let mut out = Unheeded::default();
    for instance in ours.iter().filter(|node| node.line.starts_with("router bgp ")) {
        for family in instance.inside.iter().filter(|node| node.line.starts_with("address-family ")) {
            for node in &family.inside {
                let words: Vec<&str> = node.line.split(' ').collect();
                let ["neighbor", peer, "maximum-prefix", most, ..] = words[..] else { continue };
                // An operator's own text may say that a limit is only to be told of.
                if words.contains(&"warning-only") {
                    continue;
                }
                let (Ok(peer), Ok(most)) = (peer.parse(), most.parse::<u32>()) else { continue };
                let is_over = |s: &SessionState| {
                    let is_up = s.peer_address == Some(peer) && s.state == BgpState::Established;
                    is_up && s.received.max(s.accepted).is_some_and(|n| n > most)
                };
                if sessions.iter().any(is_over) {
                    out.sessions += 1;
                    let place = (instance.line.clone(), family.line.clone());
                    let plain = node.line.strip_suffix(ALL).unwrap_or(&node.line);
                    out.lines.entry(place).or_default().extend([format!("{plain}{ALL}"), node.line.clone()]);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    #[test]
    fn limits_are_said_again_for_sessions_that_are_up_and_over_them() {
        let ours = parse(
            "router bgp 64500\n neighbor 192.0.2.2 remote-as 1\n address-family ipv4 unicast\n  neighbor 192.0.2.2 maximum-prefix 2 restart 1\n  neighbor 192.0.2.3 maximum-prefix 9 restart 1\n  neighbor 192.0.2.4 maximum-prefix 1 restart 1\n  neighbor 192.0.2.5 maximum-prefix 1 warning-only\n exit-address-family\nexit\n",
        );
        let session = |peer: &str, state, received, accepted| SessionState {
            key: None,
            peer_address: Some(peer.parse().unwrap()),
            peer_asn: None,
            enabled: true,
            state,
            received,
            accepted,
            advertised: None,
            since: None,
            bfd: None,
            last_error: None,
        };
        let sessions = [
            session("192.0.2.2", BgpState::Established, Some(3), Some(1)),
            session("192.0.2.3", BgpState::Established, Some(9), Some(9)),
            session("192.0.2.4", BgpState::Idle, None, Some(7)),
            session("192.0.2.5", BgpState::Established, Some(7), Some(7)),
        ];
        assert_eq!(
            unheeded(&ours, &sessions).commands(),
            [
                "configure terminal",
                "router bgp 64500",
                "address-family ipv4 unicast",
                "neighbor 192.0.2.2 maximum-prefix 2 restart 1 force",
                "neighbor 192.0.2.2 maximum-prefix 2 restart 1",
                "exit-address-family",
                "exit",
            ]
        );
        assert!(unheeded(&ours, &sessions[1..]).is_empty());
        let uncounted = [session("192.0.2.2", BgpState::Established, None, Some(3))];
        assert!(!unheeded(&ours, &uncounted).is_empty());
    }
}

//! What OpenBGPD says about its neighbours, in JSON. Keys come and go with a session's state, so each of them may be missing.

use std::{collections::HashMap, net::IpAddr};

use meetme_agent::router::{BgpState, SessionState};
use meetme_base::{Asn, Time};
use serde::Deserialize;
use serde_json::Value;

/// The answer to `show neighbor`.
#[derive(Debug, Default, Deserialize)]
struct Answer {
    #[serde(default)]
    neighbors: Vec<Value>,
}

/// One neighbour as the daemon tells it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Neighbour {
    /// The peer's address.
    pub remote_addr: String,
    remote_as: Option<String>,
    state: Option<String>,
    last_updown_sec: Option<i64>,
    config: Config,
    stats: Stats,
    last_error_sent: Option<String>,
    last_error_received: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Config {
    down: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Stats {
    prefixes: Prefixes,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Prefixes {
    sent: Option<u32>,
    received: Option<u32>,
}

impl Neighbour {
    /// Where the session stands.
    pub fn state(&self) -> BgpState {
        match self.state.as_deref().unwrap_or_default() {
            "Connect" => BgpState::Connect,
            "Active" => BgpState::Active,
            "OpenSent" => BgpState::OpenSent,
            "OpenConfirm" => BgpState::OpenConfirm,
            "Established" => BgpState::Established,
            _ => BgpState::Idle,
        }
    }

    /// Whether the session is held down, by the configuration or by hand.
    pub fn is_down(&self) -> bool {
        self.config.down.unwrap_or(false)
    }

    /// The session as it was seen at a moment; `keys` are those of wanted sessions by address.
    pub fn session(&self, keys: &HashMap<&str, &str>, now: Time) -> SessionState {
        let state = self.state();
        let is_up = state == BgpState::Established;
        let error = self.last_error_received.as_ref().or(self.last_error_sent.as_ref()).filter(|said| !said.is_empty());
        let since = self.last_updown_sec.filter(|seconds| *seconds >= 0);
        SessionState {
            key: keys.get(self.remote_addr.as_str()).and_then(|key| key.parse().ok()),
            peer_address: self.remote_addr.parse::<IpAddr>().ok(),
            peer_asn: self.remote_as.as_ref().and_then(|asn| asn.parse::<Asn>().ok()),
            enabled: !self.is_down(),
            state,
            received: self.stats.prefixes.received.filter(|_| is_up),
            accepted: None,
            advertised: self.stats.prefixes.sent.filter(|_| is_up),
            since: since.map(|seconds| now.plus_millis(-seconds.saturating_mul(1000))),
            bfd: None,
            last_error: if is_up || self.is_down() { None } else { error.cloned() },
        }
    }
}

/// The neighbours in the daemon's order; none when it is no JSON. One that cannot be understood does not hide the others.
pub fn neighbours(said: &str) -> Option<Vec<Neighbour>> {
    let answer: Answer = serde_json::from_str(said).ok()?;
    Some(answer.neighbors.iter().filter_map(|one| Neighbour::deserialize(one).ok()).collect())
}

/// Whether `show sets` names a set.
pub fn has_set(said: &str, name: &str) -> bool {
    let answer: Value = serde_json::from_str(said).unwrap_or_default();
    let sets = answer.get("sets").and_then(Value::as_array);
    sets.into_iter().flatten().any(|set| set.get("name").and_then(Value::as_str) == Some(name))
}

/// How many routes an answer to `show rib` has.
pub fn routes(said: &str) -> Option<u32> {
    let answer: Value = serde_json::from_str(said).ok()?;
    u32::try_from(answer.get("rib").and_then(Value::as_array).map_or(0, Vec::len)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from OpenBGPD 7.7, shortened.
    const SAID: &str = r#"{ "neighbors": [
        { "remote_as": "64501", "description": "x", "remote_addr": "192.0.2.2", "state": "Established",
          "last_updown": "00:00:06", "last_updown_sec": 6, "config": { "down": false, "max_prefix": 10 },
          "stats": { "prefixes": { "sent": 1, "received": 3 } }, "last_error_sent": "Cease, old" },
        { "remote_as": "64502", "remote_addr": "2001:db8::2", "state": "Idle", "last_updown": "Never", "last_updown_sec": -1,
          "config": { "down": true } },
        { "remote_addr": "192.0.2.4", "state": "Idle", "last_updown_sec": 1, "stats": { "prefixes": { "sent": 4, "received": 5 } },
          "last_error_sent": "Cease, received max-prefix exceeded" },
        { "remote_addr": 7 }
    ] }"#;

    #[test]
    fn sessions_are_told_with_what_is_there() {
        let keys = HashMap::from([("192.0.2.2", "s1"), ("2001:db8::2", "s2")]);
        let seen: Vec<_> = neighbours(SAID).unwrap().iter().map(|n| n.session(&keys, Time(100_000))).collect();
        let told: Vec<_> = seen
            .iter()
            .map(|s| (s.key.as_ref().map(|k| k.as_str()), s.state, s.enabled, s.last_error.as_deref(), s.since))
            .collect();
        assert_eq!(
            told,
            [
                (Some("s1"), BgpState::Established, true, None, Some(Time(94_000))),
                (Some("s2"), BgpState::Idle, false, None, None),
                (None, BgpState::Idle, true, Some("Cease, received max-prefix exceeded"), Some(Time(99_000))),
            ]
        );
        assert_eq!((seen[0].received, seen[0].advertised, seen[2].received), (Some(3), Some(1), None));
        assert_eq!(neighbours("{}").unwrap(), vec![]);
        assert!(neighbours("bgpctl: connect").is_none());
    }

    #[test]
    fn sets_and_routes_are_found() {
        assert!(has_set(r#"{"sets":[{"name":"a"},{"name":"b"}]}"#, "b"));
        assert!(!has_set(r#"{"sets":[{"name":"a"}]}"#, "b") && !has_set("{}", "b") && !has_set("x", "b"));
        assert_eq!((routes(r#"{"rib":[{},{}]}"#), routes("{}"), routes("x")), (Some(2), Some(0), None));
    }
}

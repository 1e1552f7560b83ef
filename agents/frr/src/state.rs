//! What FRR says about BGP sessions, in JSON. Keys come and go with a session's state, so each of them may be missing.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use meetme_agent::router::{BfdState, BgpState, SessionState};
use meetme_base::{Asn, Time};
use serde::Deserialize;
use serde_json::{Deserializer, Value};

use crate::config::Node;

/// One neighbour as the configuration has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Neighbour {
    /// The name FRR knows it by: its address, or a word for one that was configured by somebody else.
    pub name: String,
    /// The key of the wanted session it is.
    pub key: Option<String>,
    /// The peer's autonomous system.
    pub asn: Option<Asn>,
    /// Whether it is shut down.
    pub is_shut: bool,
    /// Whether the path to it is to be watched.
    pub is_watched: bool,
}

/// The neighbours of the BGP instance, in FRR's order. A session is known by the address of its peer.
pub fn neighbours(ours: &[Node], keys: &HashMap<&str, &str>) -> Vec<Neighbour> {
    let mut found: Vec<Neighbour> = Vec::new();
    let instances = ours.iter().filter(|node| node.line.starts_with("router bgp "));
    for node in instances.flat_map(|node| &node.inside) {
        let words: Vec<&str> = node.line.split(' ').collect();
        let ["neighbor", name, rest @ ..] = &words[..] else { continue };
        // What is said of a neighbour stands together, so the last one is looked at first.
        let at = found.iter().rposition(|known| known.name == *name);
        let known = match (at, rest) {
            (Some(at), _) => &mut found[at],
            (None, ["remote-as" | "peer-group" | "interface", ..]) => {
                let key = keys.get(name).map(|key| (*key).to_owned());
                found.push(Neighbour { name: (*name).to_owned(), key, ..Neighbour::default() });
                let last = found.len() - 1;
                &mut found[last]
            }
            (None, _) => continue,
        };
        match rest {
            ["remote-as", asn] => known.asn = asn.parse().ok(),
            ["shutdown", ..] => known.is_shut = true,
            ["bfd", ..] => known.is_watched = true,
            _ => {}
        }
    }
    found
}

/// What the summary says of one session.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Peer {
    state: Option<String>,
    peer_state: Option<String>,
    peer_uptime_established_epoch: Option<i64>,
    pfx_rcd: Option<u32>,
    pfx_snt: Option<u32>,
    last_notification_reason: Option<String>,
    last_reset_due_to: Option<String>,
}

/// What the summaries say of all sessions.
#[derive(Debug, Default)]
pub struct Summary {
    peers: HashMap<String, Peer>,
    /// How many routes the router holds, all families together.
    pub routes: u64,
}

impl Summary {
    /// Reads `show bgp summary json` and `show bgp summary failed json`, one after the other. None when it is no JSON.
    pub fn read(said: &str) -> Option<Self> {
        let mut values = Deserializer::from_str(said).into_iter::<Value>();
        let (all, failed) = (values.next()?.ok()?, values.next().and_then(Result::ok).unwrap_or_default());
        let mut out = Self::default();
        for (_, family) in all.as_object()? {
            out.routes += family.get("ribCount").and_then(Value::as_u64).unwrap_or(0);
            for (name, peer) in peers(family) {
                out.peers.insert(name, peer);
            }
        }
        for family in failed.as_object().into_iter().flat_map(|families| families.values()) {
            for (name, failed) in peers(family) {
                if let Some(peer) = out.peers.get_mut(&name) {
                    peer.last_notification_reason = failed.last_notification_reason;
                    peer.last_reset_due_to = failed.last_reset_due_to;
                }
            }
        }
        Some(out)
    }

    /// The session with a neighbour as it was seen.
    pub fn session(&self, of: &Neighbour) -> SessionState {
        let peer = self.peers.get(&of.name).cloned().unwrap_or_default();
        let state = state(peer.state.as_deref().unwrap_or_default());
        let is_up = state == BgpState::Established;
        let enabled = !of.is_shut && peer.peer_state.as_deref() != Some("Admin");
        SessionState {
            key: of.key.as_ref().and_then(|key| key.parse().ok()),
            peer_address: of.name.parse::<IpAddr>().ok(),
            peer_asn: of.asn,
            enabled,
            state,
            received: None,
            accepted: peer.pfx_rcd.filter(|_| is_up),
            advertised: peer.pfx_snt.filter(|_| is_up),
            since: peer.peer_uptime_established_epoch.map(|seconds| Time(seconds.saturating_mul(1000))),
            bfd: None,
            last_error: if is_up || !enabled { None } else { error(&peer) },
        }
    }
}

fn peers(family: &Value) -> BTreeMap<String, Peer> {
    let peers = family.get("peers").and_then(Value::as_object).into_iter().flatten();
    // One peer that cannot be understood does not hide the others.
    peers.filter_map(|(name, peer)| Some((name.clone(), Peer::deserialize(peer).ok()?))).collect()
}

/// `Idle (PfxCt)` and the like begin with the state.
fn state(words: &str) -> BgpState {
    match words.split(' ').next().unwrap_or_default() {
        "Connect" => BgpState::Connect,
        "Active" => BgpState::Active,
        "OpenSent" => BgpState::OpenSent,
        "OpenConfirm" => BgpState::OpenConfirm,
        "Established" => BgpState::Established,
        _ => BgpState::Idle,
    }
}

/// What went wrong last. A session that only waits has no error.
fn error(peer: &Peer) -> Option<String> {
    let is_wrong = |why: &&str| !(why.is_empty() || why.starts_with("Waiting for ") || why.starts_with("No AFI/SAFI"));
    let reset = peer.last_reset_due_to.as_deref().filter(is_wrong);
    peer.last_notification_reason.as_deref().filter(|why| !why.is_empty()).or(reset).map(str::to_owned)
}

/// How many prefixes a peer sends, policy or not, out of answers to `show bgp ... prefix-counts json`.
pub fn received(said: &str) -> HashMap<String, u32> {
    let answers = Deserializer::from_str(said).into_iter::<Value>().map_while(Result::ok);
    let count = |answer: Value| {
        let name = answer.get("prefixCountsFor")?.as_str()?.to_owned();
        let count = answer.get("ribTableWalkCounters")?.get("Adj-in")?.as_u64()?;
        Some((name, u32::try_from(count).ok()?))
    };
    answers.filter_map(count).collect()
}

/// What `show bfd peers json` says of one path.
#[derive(Deserialize)]
struct Path {
    peer: String,
    vrf: Option<String>,
    status: Option<String>,
}

/// How the paths are that FRR watches, by the addresses of their far ends.
pub fn watched(said: &str) -> HashMap<String, BfdState> {
    let paths: Vec<Value> = serde_json::from_str(said).unwrap_or_default();
    let row = |path: &Value| {
        let path =
            Path::deserialize(path).ok().filter(|path| path.vrf.as_deref().is_none_or(|vrf| vrf == "default"))?;
        let state = match path.status?.as_str() {
            "shutdown" => BfdState::AdminDown,
            "down" => BfdState::Down,
            "init" => BfdState::Init,
            "up" => BfdState::Up,
            _ => return None,
        };
        Some((path.peer, state))
    };
    paths.iter().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    /// Recorded from FRR 8.4.4, shortened.
    const SUMMARY: &str = r#"
{
"ipv4Unicast":{
  "routerId":"192.0.2.1", "as":64500, "vrfName":"default", "ribCount":7,
  "peers":{
    "192.0.2.2":{ "remoteAs":64501, "peerUptime":"00:00:18", "peerUptimeMsec":18000,
      "peerUptimeEstablishedEpoch":1795651523, "pfxRcd":3, "pfxSnt":1, "state":"Established", "peerState":"OK" },
    "192.0.2.3":{ "remoteAs":64502, "peerUptime":"never", "peerUptimeMsec":0, "pfxRcd":0, "pfxSnt":0,
      "state":"Idle (Admin)", "peerState":"Admin" },
    "192.0.2.4":{ "peerUptimeEstablishedEpoch":1795651685, "pfxRcd":0, "pfxSnt":0, "state":"Idle (PfxCt)", "peerState":"PfxCt" },
    "192.0.2.5":{ "state":"Active" }
  }
}
,
"ipv6Unicast":{ "ribCount":3, "peers":{ "2001:db8::2":{ "state":["new"], "pfxRcd":-1 } } }
}
{
"ipv4Unicast":{ "peers":{
    "192.0.2.4":{ "lastNotificationReason":"Cease\/Maximum Number of Prefixes Reached", "lastResetDueTo":"BGP Notification send" },
    "192.0.2.5":{ "lastResetDueTo":"Waiting for peer OPEN" }
  } }
}
"#;

    fn config() -> Vec<Node> {
        parse(
            "router bgp 64500\n neighbor 192.0.2.2 remote-as 64501\n neighbor 192.0.2.3 remote-as 64502\n neighbor 192.0.2.3 shutdown\n neighbor 192.0.2.4 remote-as external\n neighbor 192.0.2.5 remote-as 1\n neighbor 2001:db8::2 remote-as 2\n address-family ipv4 unicast\n  neighbor 192.0.2.2 activate\n exit-address-family\nexit\n",
        )
    }

    #[test]
    fn sessions_are_known_by_their_peers_and_told_with_what_is_there() {
        let summary = Summary::read(SUMMARY).unwrap();
        assert_eq!(summary.routes, 10);
        let seen: Vec<_> = neighbours(&config(), &HashMap::from([("192.0.2.2", "s1"), ("192.0.2.3", "s_2")]))
            .iter()
            .map(|n| summary.session(n))
            .collect();
        let keys: Vec<_> = seen.iter().map(|s| s.key.as_ref().map(|k| k.as_str())).collect();
        assert_eq!(keys, [Some("s1"), Some("s_2"), None, None, None]);
        let told: Vec<_> = seen.iter().map(|s| (s.state, s.enabled, s.last_error.as_deref())).collect();
        assert_eq!(
            told,
            [
                (BgpState::Established, true, None),
                (BgpState::Idle, false, None),
                (BgpState::Idle, true, Some("Cease/Maximum Number of Prefixes Reached")),
                (BgpState::Active, true, None),
                (BgpState::Idle, true, None)
            ]
        );
        assert_eq!(
            (seen[0].accepted, seen[0].advertised, seen[0].since),
            (Some(3), Some(1), Some(Time(1_795_651_523_000)))
        );
        assert_eq!((seen[3].since, seen[2].peer_asn, seen[0].peer_asn.map(Asn::get)), (None, None, Some(64501)));
    }

    #[test]
    fn paths_that_are_watched_are_told_by_their_far_ends() {
        // Recorded from FRR 8.4.4, shortened.
        let said = r#"[
          { "multihop":false, "peer":"192.0.2.2", "local":"192.0.2.1", "vrf":"default", "interface":"eth0", "status":"up",
            "uptime":9, "diagnostic":"ok", "detect-multiplier":3 },
          { "multihop":true, "peer":"2001:db8::2", "vrf":"default", "status":"down", "downtime":2,
            "diagnostic":"control detection time expired" },
          { "peer":"192.0.2.3", "vrf":"red", "status":"up" },
          { "peer":"192.0.2.4", "status":"shutdown" }, { "peer":"192.0.2.5" }, { "status":"up" }
        ]"#;
        let found = watched(said);
        let of = |peer: &str| found.get(peer).copied();
        assert_eq!((of("192.0.2.2"), of("2001:db8::2")), (Some(BfdState::Up), Some(BfdState::Down)));
        assert_eq!((of("192.0.2.4"), found.len()), (Some(BfdState::AdminDown), 3));
        assert!(watched("bfdd is not running").is_empty());
        let ours = parse(
            "router bgp 1\n neighbor 192.0.2.2 remote-as 2\n neighbor 192.0.2.2 bfd\n neighbor 192.0.2.3 remote-as 3\nexit\n",
        );
        let asked: Vec<bool> = neighbours(&ours, &HashMap::new()).iter().map(|n| n.is_watched).collect();
        assert_eq!(asked, [true, false]);
    }

    #[test]
    fn a_router_without_bgp_has_no_sessions() {
        let summary = Summary::read("{}\n{}\n").unwrap();
        assert_eq!((summary.routes, neighbours(&parse("hostname x\n"), &HashMap::new())), (0, Vec::new()));
        assert!(Summary::read("% BGP is not there").is_none());
    }

    #[test]
    fn what_a_peer_sends_is_counted_where_it_is_told() {
        let said = "{\"prefixCountsFor\":\"192.0.2.2\",\"ribTableWalkCounters\":{\"Adj-in\":5}}\n{\"warning\":\"No such neighbor\"}\n{\"prefixCountsFor\":\"192.0.2.3\"}\nx";
        assert_eq!(received(said), HashMap::from([("192.0.2.2".to_owned(), 5)]));
    }
}

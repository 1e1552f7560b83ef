//! What the daemon is asked: what it is configured as, and how its sessions are.

use std::collections::BTreeSet;

use meetme_agent::{
    AgentError,
    router::{BgpState, SessionState},
};
use meetme_base::{Asn, IpNet, Time};

use crate::{
    api::Api,
    config::{Config, address, plain_assignment, plain_peer, plain_policy, plain_set},
    mark,
    wire::{self, *},
};

/// Up to how many routes of the main table are looked through for those that the daemon announces itself. Beyond that only
/// networks are looked up that are known from elsewhere.
const LARGEST_TABLE: u64 = 200_000;
/// Up to how many routes of one session the accepted ones are counted. The daemon counts them only by telling each.
const COUNTED: u64 = 10_000;

/// What the neighbour of a route is called that is from none.
const NOBODY: &str = "<nil>";

/// The kinds of sets there are; the daemon has no others yet.
const SETS: [i32; 6] = [
    defined::PREFIX,
    defined::NEIGHBOR,
    defined::AS_PATH,
    defined::COMMUNITY,
    defined::EXT_COMMUNITY,
    defined::LARGE_COMMUNITY,
];

/// A look at a daemon.
pub struct Seen {
    /// What it is configured as.
    pub config: Config,
    /// Its peers as it tells them, with their state.
    pub peers: Vec<Peer>,
    /// The daemon as a whole as it tells it.
    pub global: Global,
}

/// Looks at the daemon. `known` are networks it may announce, in case it has too many routes to look through.
pub async fn look(api: &mut Api, known: &BTreeSet<IpNet>) -> Result<Seen, AgentError> {
    let global = api.global().await?;
    if global.asn == 0 {
        return Ok(Seen { config: Config::default(), peers: Vec::new(), global });
    }
    let peers = api.peers("", false).await?;
    let mut defined_sets = Vec::new();
    for kind in SETS {
        defined_sets.extend(api.defined_sets(kind).await?.into_iter().map(plain_set));
    }
    let config = Config {
        global: Global { listen_port: 0, listen_addresses: Vec::new(), ..global.clone() },
        networks: networks(api, known).await?,
        peers: peers.iter().cloned().map(plain_peer).collect(),
        defined_sets,
        policies: api.policies().await?.into_iter().map(plain_policy).collect(),
        assignments: api.assignments().await?.into_iter().map(plain_assignment).collect(),
    };
    Ok(Seen { config: config.in_order(), peers, global })
}

/// The networks that the daemon announces itself.
async fn networks(api: &mut Api, known: &BTreeSet<IpNet>) -> Result<BTreeSet<IpNet>, AgentError> {
    let mut found = BTreeSet::new();
    for family in [Family::of(true), Family::of(false)] {
        let mut prefixes = Vec::new();
        if api.table_size(family.clone()).await? > LARGEST_TABLE {
            let is_four = family.afi == 1;
            let known = known.iter().filter(|net| net.addr().is_ipv4() == is_four);
            prefixes = known.map(|net| LookupPrefix { prefix: net.to_string() }).collect();
            if prefixes.is_empty() {
                continue;
            }
        }
        let question = ListPath { family: Some(family), prefixes, enable_only_binary: true, ..ListPath::default() };
        let take = |destination: Destination| {
            if destination.paths.iter().any(|path| path.neighbor_ip == NOBODY) {
                found.extend(destination.prefix.parse::<IpNet>().ok());
            }
        };
        api.paths(question, usize::MAX, take).await?;
    }
    Ok(found)
}

/// The prefixes a peer is told under the policies of the moment; none when there are too many to be told.
pub async fn advertised(api: &mut Api, peer: &str) -> Result<Option<BTreeSet<String>>, AgentError> {
    let mut found = BTreeSet::new();
    let question = ListPath {
        table_type: table::ADJ_OUT,
        name: peer.to_owned(),
        family: Some(Family::of(!peer.contains(':'))),
        enable_only_binary: true,
        ..ListPath::default()
    };
    let most = usize::try_from(LARGEST_TABLE).unwrap_or(usize::MAX);
    let is_whole = api.paths(question, most, |destination| found.extend([destination.prefix])).await?;
    Ok(is_whole.then_some(found))
}

/// The state of a session, without what has to be counted.
pub fn session(peer: &Peer) -> SessionState {
    let state = peer.state.clone().unwrap_or_default();
    let conf = peer.conf.clone().unwrap_or_default();
    let bgp_state = match state.session_state {
        wire::state::CONNECT => BgpState::Connect,
        wire::state::ACTIVE => BgpState::Active,
        wire::state::OPENSENT => BgpState::OpenSent,
        wire::state::OPENCONFIRM => BgpState::OpenConfirm,
        wire::state::ESTABLISHED => BgpState::Established,
        _ => BgpState::Idle,
    };
    let is_up = bgp_state == BgpState::Established;
    let times = peer.timers.as_ref().and_then(|t| t.state.clone()).unwrap_or_default();
    let since = if is_up { times.uptime } else { times.downtime };
    SessionState {
        key: mark::read(&conf.description).map(|mark| mark.key),
        peer_address: address(peer).split('%').next().and_then(|a| a.parse().ok()),
        peer_asn: Asn::try_from(i64::from(conf.peer_asn)).ok(),
        enabled: state.admin_state != wire::state::DOWN,
        state: bgp_state,
        received: is_up.then(|| small(received(peer))),
        accepted: None,
        advertised: None,
        since: since.map(|at| Time(at.seconds.saturating_mul(1000))),
        bfd: None,
        last_error: if is_up { None } else { error(&state) },
    }
}

/// What went wrong, as far as the daemon tells: that a limit was passed, and how often a session was closed with a word.
fn error(state: &PeerState) -> Option<String> {
    if state.admin_state == wire::state::PREFIXES {
        return Some("The peer sent more prefixes than it may; the session stays down until it is changed.".to_owned());
    }
    let count = |counts: Option<&MessageCounts>| counts.map_or(0, |c| c.notification);
    let messages = state.messages.as_ref();
    let received = count(messages.and_then(|m| m.received.as_ref()));
    let sent = count(messages.and_then(|m| m.sent.as_ref()));
    match (received, sent) {
        _ if state.admin_state == wire::state::DOWN => None,
        (0, 0) => None,
        (received, 0) => Some(format!("The peer closed the session with a notification, {received} so far.")),
        (0, sent) => Some(format!("The session was closed with a notification to the peer, {sent} so far.")),
        (received, sent) => Some(format!(
            "The session was closed with notifications: {received} from the peer and {sent} to it so far."
        )),
    }
}

fn received(peer: &Peer) -> u64 {
    peer.afi_safis.iter().filter_map(|f| f.state.as_ref()).map(|s| s.received).sum()
}

fn small(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// Counts what a session that is up accepts and advertises. One that has gone meanwhile stays as it was seen.
pub async fn count(api: &mut Api, peer: &Peer, session: &mut SessionState) -> Result<(), AgentError> {
    let name = address(peer);
    if let Some(full) = api.peers(name, true).await?.first() {
        let told = full.afi_safis.iter().filter_map(|f| f.state.as_ref()).map(|s| s.advertised).sum();
        session.advertised = Some(small(told));
    }
    if received(peer) > COUNTED {
        return Ok(());
    }
    let mut accepted: u32 = 0;
    for family in peer.afi_safis.iter().filter_map(|f| f.config.as_ref()?.family.clone()) {
        let question = ListPath {
            table_type: table::ADJ_IN,
            name: name.to_owned(),
            family: Some(family),
            enable_filtered: true,
            enable_only_binary: true,
            ..ListPath::default()
        };
        let most = usize::try_from(COUNTED).unwrap_or(usize::MAX).saturating_mul(2);
        let is_whole = api
            .paths(question, most, |destination| {
                let passed = destination.paths.iter().filter(|path| !path.filtered).count();
                accepted = accepted.saturating_add(u32::try_from(passed).unwrap_or(u32::MAX));
            })
            .await;
        match is_whole {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // The peer was there a moment ago.
            Err(AgentError::Refused { .. }) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
    session.accepted = Some(accepted);
    Ok(())
}

//! The configuration of a gobgpd for a wanted router: a pure function.
//!
//! What gobgpd cannot say is refused here, before anybody is asked.

use std::{collections::BTreeSet, net::IpAddr};

use meetme_agent::{
    AgentError,
    router::{BgpSession, Desired, Timers as WantedTimers},
};

use crate::{
    config::{Config, GLOBAL, family},
    mark::{self, Mark, PEER},
    policy::{Direction, neighbour, rendered},
    wire::{self, *},
};

/// The names of the two policies that the shared table goes through.
pub const IMPORT: &str = "meetme-import";
/// The other of the two.
pub const EXPORT: &str = "meetme-export";

/// The longest key TCP MD5 takes (TCP_MD5SIG_MAXKEYLEN of Linux).
const LONGEST_PASSWORD: usize = 80;
/// The daemon's own hold time and its own pause between two attempts, in seconds.
const HOLD: u64 = 90;
const CONNECT_RETRY: u64 = 120;

/// Everything the daemon is to be configured as. The same wish always gives the same.
pub fn render(want: &Desired) -> Result<Config, AgentError> {
    check(want)?;
    let mut out = Config {
        global: Global { asn: want.asn.get(), router_id: want.router_id.to_string(), ..Global::default() },
        networks: want.networks.iter().map(meetme_base::IpNet::trunc).collect(),
        ..Config::default()
    };
    // What the daemon announces itself comes in the same way as what peers tell.
    let own = Statement {
        name: "meetme-own-networks".to_owned(),
        conditions: Some(Conditions { route_type: route_type::LOCAL, ..Conditions::default() }),
        actions: Some(Actions { route_action: action::ACCEPT, ..Actions::default() }),
    };
    let (mut import, mut export) = (vec![own], Vec::new());
    for session in &want.sessions {
        out.peers.push(peer(session, &want.timers)?);
        let [mut inward, mut outward] = [rendered(session, Direction::Import)?, rendered(session, Direction::Export)?];
        out.defined_sets.append(&mut inward.sets);
        out.defined_sets.append(&mut outward.sets);
        if session.route_server_client {
            let address = session.peer_address.to_string();
            let ways = [("import", direction::IMPORT, inward), ("export", direction::EXPORT, outward)];
            for (word, direction, rendered) in ways {
                let name = format!("{PEER}{}-{word}", session.key);
                out.assignments.push(assignment(&address, direction, &name));
                out.policies.push(Policy { name, statements: rendered.statements });
            }
        } else {
            out.defined_sets.push(neighbour(session));
            import.append(&mut inward.statements);
            export.append(&mut outward.statements);
        }
    }
    for (name, direction, statements) in [(IMPORT, direction::IMPORT, import), (EXPORT, direction::EXPORT, export)] {
        out.assignments.push(assignment(GLOBAL, direction, name));
        out.policies.push(Policy { name: name.to_owned(), statements });
    }
    Ok(out.in_order())
}

/// A table goes through one policy, and what that does not let pass does not pass (RFC 8212).
fn assignment(table: &str, direction: i32, policy: &str) -> PolicyAssignment {
    PolicyAssignment {
        name: table.to_owned(),
        direction,
        policies: vec![Policy { name: policy.to_owned(), statements: Vec::new() }],
        default_action: action::REJECT,
    }
}

fn peer(session: &BgpSession, timers: &WantedTimers) -> Result<Peer, AgentError> {
    check_session(session)?;
    let description = mark::write(&Mark { key: session.key.clone(), local: session.local_address });
    let hold = timers.hold.map_or(HOLD, u64::from);
    let limit =
        session.max_prefixes.map(|max_prefixes| wire::PrefixLimit { max_prefixes, ..wire::PrefixLimit::default() });
    let transport = Transport {
        local_address: session.local_address.map(|a| a.to_string()).unwrap_or_default(),
        passive_mode: session.passive,
        ..Transport::default()
    };
    let is_internal = session.is_internal();
    Ok(Peer {
        conf: Some(PeerConf {
            auth_password: session.password.as_ref().map(|p| p.expose().to_owned()).unwrap_or_default(),
            description,
            local_asn: session.local_asn.get(),
            neighbor_address: session.peer_address.to_string(),
            peer_asn: session.peer_asn.get(),
            admin_down: !session.enabled,
            ..PeerConf::default()
        }),
        // Inside one AS packets always leave with the highest number of hops, and so do those that are held to a number of them.
        ebgp_multihop: (session.ttl > 1 && !is_internal && !session.gtsm)
            .then(|| Multihop { enabled: true, multihop_ttl: session.ttl.into() }),
        ttl_security: session.gtsm.then(|| TtlSecurity { enabled: true, ttl_min: 256 - u32::from(session.ttl) }),
        timers: Some(wire::Timers {
            config: Some(TimersConfig {
                connect_retry: timers.connect_retry.map_or(CONNECT_RETRY, u64::from),
                hold_time: hold,
                keepalive_interval: hold / 3,
            }),
            state: None,
        }),
        transport: Some(transport).filter(|t| *t != Transport::default()),
        route_server: session
            .route_server_client
            .then(|| RouteServer { route_server_client: true, ..RouteServer::default() }),
        afi_safis: match limit {
            Some(limit) => vec![AfiSafi { prefix_limits: Some(limit), ..family(session.peer_address.is_ipv4()) }],
            None => Vec::new(),
        },
        ..Peer::default()
    })
}

/// What the whole wish must keep beyond the types of its fields.
fn check(want: &Desired) -> Result<(), AgentError> {
    let cannot = |what: &str| Err(AgentError::unsupported(format!("gobgpd {what}")));
    if want.custom_text.is_some() {
        return cannot("is told objects, not a text of its own language.");
    }
    if want.forwards {
        return cannot("does not put routes into the machine's forwarding table.");
    }
    if want.log_file.is_some() {
        return cannot("writes its log where the process was started to, not to a file of its configuration.");
    }
    if want.timers.connect_delay.is_some() || want.timers.error_wait.is_some() {
        return cannot("has timers for hold and connect_retry only.");
    }
    if want.timers.hold.is_some_and(|hold| hold < 3) {
        return Err(AgentError::refused("A hold time is 3 seconds or more (RFC 4271)."));
    }
    let clients = want.sessions.iter().filter(|s| s.route_server_client).count();
    if clients > 0 && clients < want.sessions.len() {
        return cannot(
            "keeps routes of a route server's clients apart from those of other sessions; make all of them clients.",
        );
    }
    if clients > 0 && !want.networks.is_empty() {
        return cannot("tells clients of a route server no networks of its own.");
    }
    let (mut keys, mut peers) = (BTreeSet::new(), BTreeSet::new());
    for session in &want.sessions {
        let refuse = |why: &str| Err(AgentError::refused(format!("Session {}: {why}", session.key)));
        if !keys.insert(&session.key) {
            return refuse("the key is used twice.");
        }
        if !peers.insert(session.peer_address) {
            return refuse("another session has the same peer's address, by which gobgpd tells sessions apart.");
        }
    }
    Ok(())
}

/// What a single session must keep beyond the types of its fields.
fn check_session(session: &BgpSession) -> Result<(), AgentError> {
    let refuse = |why: &str| Err(AgentError::refused(format!("Session {}: {why}", session.key)));
    if session.local_address.is_some_and(|local| local.is_ipv4() != session.peer_address.is_ipv4()) {
        return refuse("the local and the peer's address are of different families.");
    }
    if session.ttl == 0 {
        return refuse("the ttl must be 1 or more.");
    }
    if session.route_server_client && session.is_internal() {
        return refuse("a client of a route server is in another AS than the server.");
    }
    let cannot = |what: &str| Err(AgentError::unsupported(format!("Session {}: gobgpd {what}.", session.key)));
    if session.role.is_some() {
        return cannot("tells peers no roles");
    }
    if session.bfd.is_some() {
        return cannot("has no BFD");
    }
    if session.max_prefixes == Some(0) {
        return refuse("gobgpd takes a limit of 0 prefixes for none; let the policy reject them all instead.");
    }
    if let Some(password) = &session.password {
        if !(1..=LONGEST_PASSWORD).contains(&password.expose().len()) {
            return refuse(&format!("a TCP MD5 password has 1 to {LONGEST_PASSWORD} bytes."));
        }
        if password.expose().chars().any(char::is_control) {
            return refuse("the password holds a control character or line break.");
        }
    }
    match session.peer_address {
        IpAddr::V6(peer) if peer.is_unicast_link_local() => {
            Err(AgentError::unsupported(format!("Session {}: a link-local peer needs an interface.", session.key)))
        }
        peer if peer.is_unspecified() || peer.is_multicast() => refuse("the peer's address is not one of a host."),
        _ => Ok(()),
    }
}

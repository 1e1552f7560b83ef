//! The configuration of a BIRD 2 daemon for a wanted router: a pure function.
//!
//! Rule: everything is written by its type. Numbers, addresses and keys are valid by construction, texts go through
//! [`text::quoted`], and no text of a user reaches the configuration in another way, except an operator's whole own
//! configuration, which is meant to.

use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

use meetme_agent::{
    AgentError,
    router::{BgpSession, Desired, Role, Timers},
};
use meetme_base::{Asn, IpNet};

use crate::{
    filter::{Direction, filter},
    mark, text,
};

/// What the name of every protocol of a session begins with; the session's key follows. It keeps keys apart from BIRD's
/// own words.
pub const PEER: &str = "peer_";

/// The longest key TCP MD5 takes (TCP_MD5SIG_MAXKEYLEN of Linux).
const LONGEST_PASSWORD: usize = 80;

/// The whole configuration. The same wish always gives the same text.
pub fn render(want: &Desired) -> Result<String, AgentError> {
    let title = format!("Written by Meetme for the router {}.", text::comment("The router's name", &want.name)?);
    let body = match &want.custom_text {
        Some(own) => format!("{}\n", own.expose().trim_end()),
        None => generated(want)?,
    };
    Ok(mark::marked(&title, &body))
}

fn generated(want: &Desired) -> Result<String, AgentError> {
    let log = match &want.log_file {
        Some(file) => text::quoted("The log file's name", file)?,
        None => "syslog".to_owned(),
    };
    let mut out = format!(
        "log {log} all;\nrouter id {};\ntimeformat base iso long ms;\ntimeformat protocol iso long ms;\n\nprotocol device {{ }}\n",
        want.router_id
    );
    if want.forwards {
        out.push_str("protocol kernel kernel4 {\n  ipv4 { import none; export all; };\n}\n");
        out.push_str("protocol kernel kernel6 {\n  ipv6 { import none; export all; };\n}\n");
    }
    if want.sessions.iter().any(|session| session.bfd.is_some()) {
        out.push_str("protocol bfd { }\n");
    }
    originated(&mut out, &want.networks);
    let (mut keys, mut peers) = (BTreeSet::new(), BTreeSet::new());
    for session in &want.sessions {
        let refuse = |why: &str| Err(AgentError::refused(format!("Session {}: {why}", session.key)));
        if !keys.insert(&session.key) {
            return refuse("the key is used twice.");
        }
        // BIRD would load such a file and then mix up whose connection an incoming one is.
        if !peers.insert((session.peer_address, session.local_address)) {
            return refuse("another session has the same peer and local address.");
        }
        out.push_str(&protocol(session, &want.timers)?);
    }
    Ok(out)
}

fn originated(out: &mut String, networks: &[IpNet]) {
    let networks: BTreeSet<IpNet> = networks.iter().map(IpNet::trunc).collect();
    let (four, six): (Vec<IpNet>, Vec<IpNet>) = networks.into_iter().partition(|net| net.addr().is_ipv4());
    for (name, family, networks) in [("originated4", "ipv4", four), ("originated6", "ipv6", six)] {
        if !networks.is_empty() {
            let routes: String = networks.iter().map(|net| format!("  route {net} blackhole;\n")).collect();
            out.push_str(&format!("protocol static {name} {{\n  {family};\n{routes}}}\n"));
        }
    }
}

fn protocol(session: &BgpSession, timers: &Timers) -> Result<String, AgentError> {
    check(session)?;
    let what = |field: &str| format!("Session {}: the {field}", session.key);
    let mut lines = Vec::new();
    if !session.description.is_empty() {
        lines.push(format!("description {};", text::quoted(&what("description"), &session.description)?));
    }
    if !session.enabled {
        lines.push("disabled on;".to_owned());
    }
    let local = session.local_address.map(|a| format!("{a} ")).unwrap_or_default();
    lines.push(format!("local {local}as {};", session.local_asn));
    lines.push(format!("neighbor {} as {};", session.peer_address, session.peer_asn));
    lines.push(if session.ttl == 1 { "direct;".to_owned() } else { format!("multihop {};", session.ttl) });
    if session.gtsm {
        lines.push("ttl security on;".to_owned());
    }
    if let Some(role) = session.role {
        lines.push(format!("local role {};", word(role)));
        if session.strict_role {
            lines.push("require roles on;".to_owned());
        }
    }
    if let Some(bfd) = session.bfd {
        lines.push(format!(
            "bfd {{ min rx interval {} ms; min tx interval {} ms; multiplier {}; }};",
            bfd.rx_ms, bfd.tx_ms, bfd.multiplier
        ));
    }
    if session.passive {
        lines.push("passive on;".to_owned());
    }
    if let Some(password) = &session.password {
        lines.push(format!("password {};", text::quoted(&what("password"), password.expose())?));
    }
    if session.route_server_client {
        lines.push("rs client;".to_owned());
    }
    lines.extend(timers.hold.map(|s| format!("hold time {s};")));
    lines.extend(timers.connect_delay.map(|s| format!("connect delay time {s};")));
    lines.extend(timers.connect_retry.map(|s| format!("connect retry time {s};")));
    lines.extend(timers.error_wait.map(|(low, high)| format!("error wait time {low}, {high};")));
    lines.push(channel(session));
    let body: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    Ok(format!("\nprotocol bgp {PEER}{} {{\n{body}}}\n", session.key))
}

/// BIRD's word for what we are to a peer (from 2.0.11).
const fn word(role: Role) -> &'static str {
    match role {
        Role::Provider => "provider",
        Role::RouteServer => "rs_server",
        Role::RouteServerClient => "rs_client",
        Role::Customer => "customer",
        Role::Peer => "peer",
    }
}

/// The peers that a generated text names, by the names of their protocols. The inverse of what [`render`] writes; of a text
/// in another form it finds little or nothing.
pub fn peers(config: &str) -> HashMap<&str, (IpAddr, Asn)> {
    let mut found = HashMap::new();
    let mut protocol = None;
    for line in config.lines() {
        if let Some(name) = line.strip_prefix("protocol ") {
            protocol = name.strip_prefix("bgp ").and_then(|name| name.strip_suffix(" {"));
        } else if let Some(peer) = line.strip_prefix("  neighbor ").and_then(|peer| peer.strip_suffix(';'))
            && let (Some(protocol), Some((address, asn))) = (protocol, peer.split_once(" as "))
            && let (Ok(address), Ok(asn)) = (address.parse(), asn.parse())
        {
            found.insert(protocol, (address, asn));
        }
    }
    found
}

fn channel(session: &BgpSession) -> String {
    let family = if session.peer_address.is_ipv4() { "ipv4" } else { "ipv6" };
    // Kept filtered routes are what makes the limit count before the policy, and `received` differ from `accepted`.
    let limit = session.max_prefixes.map(|n| format!("    receive limit {n} action restart;\n")).unwrap_or_default();
    let import = filter(session, Direction::Import, "    ");
    let export = filter(session, Direction::Export, "    ");
    format!("{family} {{\n    import keep filtered on;\n{limit}    import {import};\n    export {export};\n  }};")
}

/// What a single session must keep beyond the types of its fields.
fn check(session: &BgpSession) -> Result<(), AgentError> {
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
    if session.role.is_some() && session.is_internal() {
        return refuse("a role is for peers in another AS.");
    }
    if session.bfd.is_some() && session.ttl > 1 && session.local_address.is_none() {
        return refuse("BFD over several hops needs the address that the session leaves from.");
    }
    if let Some(password) = &session.password
        && !(1..=LONGEST_PASSWORD).contains(&password.expose().len())
    {
        return refuse(&format!("a TCP MD5 password has 1 to {LONGEST_PASSWORD} bytes."));
    }
    match session.peer_address {
        IpAddr::V6(peer) if peer.is_unicast_link_local() => {
            Err(AgentError::unsupported(format!("Session {}: a link-local peer needs an interface.", session.key)))
        }
        peer if peer.is_unspecified() || peer.is_multicast() => refuse("the peer's address is not one of a host."),
        _ => Ok(()),
    }
}

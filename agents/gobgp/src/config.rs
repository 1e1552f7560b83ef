//! What a daemon is configured as, and its text: the form that is compared, shown, kept and gone back to.
//!
//! gobgpd has no configuration it could be asked for, only objects. They are written as TOML under their names in the interface,
//! in one order whatever order they came in, without what has its usual value. The same objects always give the same text, and
//! a text reads back as the same objects, so a change can be made from its text alone.

use std::collections::BTreeSet;

use meetme_agent::AgentError;
use meetme_base::IpNet;
use serde::{Deserialize, Serialize};

use crate::wire::{self, *};

/// The table that all sessions but those of a route server's clients share.
pub const GLOBAL: &str = "global";

/// What the regular expression of an AS path says for a border between two numbers, as the daemon spells it out.
const BORDER: &str = "(^|[,{}() ]|$)";

/// Everything one daemon is configured as, as far as this agent looks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The daemon as a whole; without a number nothing runs.
    pub global: Global,
    /// Networks the daemon announces itself.
    pub networks: BTreeSet<IpNet>,
    /// The peers, by address.
    pub peers: Vec<Peer>,
    /// The sets that policies refer to, by kind and name.
    pub defined_sets: Vec<DefinedSet>,
    /// The policies, by name.
    pub policies: Vec<Policy>,
    /// Which policies which table goes through, by table and direction.
    pub assignments: Vec<PolicyAssignment>,
}

impl Config {
    /// Whether somebody has given this daemon anything to do.
    pub fn is_blank(&self) -> bool {
        let is_open = |a: &PolicyAssignment| a.policies.is_empty() && a.default_action == action::ACCEPT;
        self.networks.is_empty()
            && self.peers.is_empty()
            && self.defined_sets.is_empty()
            && self.policies.is_empty()
            && self.assignments.iter().all(is_open)
    }

    /// The text; empty for a daemon that has nothing to do.
    pub fn text(&self) -> String {
        if self.is_blank() {
            return String::new();
        }
        let mut value = toml::Value::try_from(self).expect("these types are tables, texts and numbers");
        prune(&mut value);
        toml::to_string_pretty(&value).expect("a value that was made can be written")
    }

    /// What a text says.
    pub fn of(text: &str) -> Result<Self, AgentError> {
        // The words of the parser quote the text, which holds passwords.
        let read: Self = toml::from_str(text)
            .map_err(|e| AgentError::refused(format!("This is no configuration of this agent's: {}", e.message())))?;
        Ok(read.in_order())
    }

    /// The same in the one order.
    pub fn in_order(mut self) -> Self {
        self.peers.sort_by(|a, b| address(a).cmp(address(b)));
        for set in &mut self.defined_sets {
            set.list.sort_unstable();
            set.list.dedup();
            set.prefixes.sort_unstable();
            set.prefixes.dedup();
        }
        self.defined_sets.sort_by(|a, b| (a.defined_type, &a.name).cmp(&(b.defined_type, &b.name)));
        self.policies.sort_by(|a, b| a.name.cmp(&b.name));
        self.assignments.sort_by(|a, b| (&a.name, a.direction).cmp(&(&b.name, b.direction)));
        self
    }

    /// The peer with this address.
    pub fn peer(&self, of: &str) -> Option<&Peer> {
        self.peers.iter().find(|peer| address(peer) == of)
    }

    /// What a table goes through in a direction.
    pub fn assignment(&self, table: &str, direction: i32) -> Option<&PolicyAssignment> {
        self.assignments.iter().find(|a| a.name == table && a.direction == direction)
    }
}

/// The address of a peer, by which the daemon tells peers apart.
pub fn address(peer: &Peer) -> &str {
    peer.conf.as_ref().map_or("", |conf| conf.neighbor_address.as_str())
}

/// Whether a peer is a client of this route server, with a table and policies of its own.
pub fn is_client(peer: &Peer) -> bool {
    peer.route_server.as_ref().is_some_and(|rs| rs.route_server_client)
}

/// A peer as it was read, without its state and without what has its usual value.
pub fn plain_peer(mut peer: Peer) -> Peer {
    let state = peer.state.take().unwrap_or_default();
    let is_ipv4 = !address(&peer).contains(':');
    if let Some(conf) = &mut peer.conf {
        conf.r#type = 0;
        // What counts is whether it runs: an operator's hand leaves the configuration as it was.
        conf.admin_down = state.admin_state == wire::state::DOWN;
        if conf.auth_password.chars().any(char::is_control) {
            // Nothing of ours looks like this, and a line break would break a line that is hidden.
            conf.auth_password = "(not a text)".to_owned();
        }
    }
    if let Some(transport) = &mut peer.transport {
        let asked = peer.conf.as_ref().and_then(|conf| crate::mark::read(&conf.description)).map(|mark| mark.local);
        transport.local_address = match asked {
            Some(local) => local.map(|a| a.to_string()).unwrap_or_default(),
            None if state.session_state == wire::state::ESTABLISHED => String::new(),
            None if matches!(transport.local_address.as_str(), "0.0.0.0" | "::") => String::new(),
            None => std::mem::take(&mut transport.local_address),
        };
    }
    if let Some(timers) = &mut peer.timers {
        timers.state = None;
    }
    if let Some(reflector) = &mut peer.route_reflector
        && !reflector.route_reflector_client
    {
        reflector.route_reflector_cluster_id.clear();
    }
    // A limit of nothing is none, and the family of a limit is that of its list.
    for family in &mut peer.afi_safis {
        family.state = None;
        family.add_paths = family.add_paths.take().filter(|a| told(a.config.clone()).is_some());
        if let Some(limit) = &mut family.prefix_limits {
            limit.family = None;
        }
    }
    if peer.afi_safis == [family(is_ipv4)] {
        peer.afi_safis.clear();
    }
    // What is assigned to a client is read from the assignments, and to others nothing can be.
    peer.apply_policy = None;
    peer.ebgp_multihop = told(peer.ebgp_multihop);
    peer.ttl_security = told(peer.ttl_security);
    peer.route_reflector = told(peer.route_reflector);
    peer.route_server = told(peer.route_server);
    peer.graceful_restart = told(peer.graceful_restart);
    peer.transport = told(peer.transport);
    peer
}

/// Unicast of one family.
pub fn family(is_ipv4: bool) -> AfiSafi {
    let config = AfiSafiConfig { family: Some(Family::of(is_ipv4)), enabled: true };
    AfiSafi { config: Some(config), ..AfiSafi::default() }
}

/// A message that says something.
fn told<T: Default + PartialEq>(message: Option<T>) -> Option<T> {
    message.filter(|m| *m != T::default())
}

/// A set as it was read, with the daemon's own additions undone: it spells out borders in AS paths, and makes an expression of
/// a community that is none.
pub fn plain_set(mut set: DefinedSet) -> DefinedSet {
    for told in &mut set.list {
        match set.defined_type {
            defined::AS_PATH => *told = told.replace(BORDER, "_"),
            defined::COMMUNITY | defined::LARGE_COMMUNITY => {
                let inner = told.strip_prefix('^').and_then(|told| told.strip_suffix('$'));
                let is_plain = |inner: &&str| inner.bytes().all(|b| b.is_ascii_digit() || b == b':');
                if let Some(inner) = inner.filter(is_plain) {
                    *told = inner.to_owned();
                }
            }
            defined::EXT_COMMUNITY => {
                let parts = told
                    .split_once(':')
                    .and_then(|(kind, rest)| Some((kind, rest.strip_prefix('^')?.strip_suffix('$')?)));
                let is_plain = |inner: &str| inner.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'));
                if let Some((kind, inner)) = parts.filter(|(_, inner)| is_plain(inner)) {
                    *told = format!("{kind}:{inner}");
                }
            }
            _ => {}
        }
    }
    set
}

/// A policy as it was read, without messages that say nothing.
pub fn plain_policy(mut policy: Policy) -> Policy {
    for statement in &mut policy.statements {
        if let Some(conditions) = &mut statement.conditions {
            // The daemon tells "not asked for" as -1.
            conditions.rpki_result = conditions.rpki_result.max(0);
        }
        statement.conditions = told(statement.conditions.take());
        statement.actions = told(statement.actions.take());
    }
    policy
}

/// An assignment by names alone.
pub fn plain_assignment(mut assignment: PolicyAssignment) -> PolicyAssignment {
    for policy in &mut assignment.policies {
        policy.statements.clear();
    }
    assignment
}

/// Takes out what has its usual value: false, zero, an empty text, an empty list or table.
fn prune(value: &mut toml::Value) {
    match value {
        toml::Value::Table(table) => {
            for (_, inner) in table.iter_mut() {
                prune(inner);
            }
            table.retain(|_, inner| !is_usual(inner));
        }
        toml::Value::Array(all) => all.iter_mut().for_each(prune),
        _ => {}
    }
}

fn is_usual(value: &toml::Value) -> bool {
    match value {
        toml::Value::Boolean(b) => !b,
        toml::Value::Integer(n) => *n == 0,
        toml::Value::String(s) => s.is_empty(),
        toml::Value::Array(a) => a.is_empty(),
        toml::Value::Table(t) => t.is_empty(),
        _ => false,
    }
}

/// A text with its passwords hidden, line by line the same otherwise.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        match line.split_once('=') {
            Some((key, _)) if key.trim() == "auth_password" => {
                out.push_str(key.trim_end());
                out.push_str(" = \"(secret)\"");
                if line.ends_with('\n') {
                    out.push('\n');
                }
            }
            _ => out.push_str(line),
        }
    }
    out
}

//! From what is stored of a router to what its agent is told.
//!
//! What passes a session is said by terms, which a policy carries for machines in its `context` under `policy`. A policy
//! without them is known by name only: it lets nothing pass, because what is not understood must not open anything
//! (RFC 8212). Sessions of circuits and devices have terms of their own and need no policy.

use meetme_agent::router::{
    Bfd, BgpSession, Community, Desired, Policy, PrefixRange, Role, SessionKey, Term, Timers, Verdict,
};
use meetme_app::{
    routers::{self, Asks, Purpose, RouterState, SessionState},
    rpki::Table,
};
use meetme_base::IpNet;
use meetme_model::{Admin, routing};
use meetme_store::Object;
use serde_json::{Map, Value};

use crate::guard;

/// What of an equipment's settings is for us; the rest is for its agent.
const OURS: &[&str] = &["poll_seconds", "router_id", "networks", "forwards", "timers", "log_file", "remote"];

/// An equipment's settings as its agent is to see them.
pub(crate) fn settings(all: &Value) -> Value {
    match all {
        Value::Object(map) => {
            let rest: Map<String, Value> =
                map.iter().filter(|(k, _)| !OURS.contains(&k.as_str())).map(|(k, v)| (k.clone(), v.clone())).collect();
            if rest.is_empty() { Value::Null } else { Value::Object(rest) }
        }
        other => other.clone(),
    }
}

/// What a router is to be. The error is a sentence a customer can read.
pub(crate) fn desired(state: &RouterState) -> Result<Desired, String> {
    let name = &state.router.spec.name;
    let asn =
        state.asn.ok_or_else(|| format!("The router {name} has no AS number: give it a local autonomous system."))?;
    let mut want = Desired::new(name.clone(), state.router_id, asn);
    let said = state.equipment.as_ref().map_or(&Value::Null, |e| &e.spec.settings);
    want.networks = part(said, "networks")?.unwrap_or_default();
    want.forwards = part(said, "forwards")?.unwrap_or_default();
    want.timers = part::<Timers>(said, "timers")?.unwrap_or_default();
    want.log_file = part(said, "log_file")?;
    // A template says by itself what passes, so policies need not be understood here.
    let is_templated = state.template.is_some();
    let roas = state.roas.as_deref();
    want.sessions = state.sessions.iter().map(|one| session(one, is_templated, roas)).collect::<Result<_, _>>()?;
    Ok(want)
}

fn part<T: serde::de::DeserializeOwned>(said: &Value, key: &str) -> Result<Option<T>, String> {
    match said.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => serde_json::from_value(value.clone())
            .map(Some)
            .map_err(|e| format!("The equipment's setting {key} cannot be understood: {e}.")),
    }
}

fn session(state: &SessionState, is_templated: bool, roas: Option<&Table>) -> Result<BgpSession, String> {
    let key: SessionKey = state.key.parse().map_err(|e| format!("Session {}: {e}", state.key))?;
    let mut out = BgpSession::new(key, state.local_asn, state.peer_ip, state.peer_asn);
    out.description.clone_from(&state.description);
    out.enabled = state.admin != Admin::Disabled;
    out.local_address = state.local_ip;
    out.password = state.password.clone().map(Into::into);
    out.ttl = state.ttl;
    out.passive = state.passive;
    out.max_prefixes = state.max_prefixes;
    out.graceful_shutdown = matches!(state.admin, Admin::PreMaintenance | Admin::Maintenance);
    if is_templated {
        return Ok(out);
    }
    let mark = |c: &Object<routing::Community>| {
        c.spec
            .value
            .parse::<Community>()
            .map_err(|e| format!("The community {} cannot be understood: {e}.", c.spec.name))
    };
    out.communities = state.communities.iter().map(mark).collect::<Result<_, _>>()?;
    let said = state
        .words
        .as_ref()
        .map_err(|why| format!("The data of session {} cannot be understood: {why}.", state.key))?;
    out.gtsm = said.gtsm;
    out.role = said.role.map(role);
    out.strict_role = said.strict_role && out.role.is_some();
    // How long a path must be up before it counts is for templates: no daemon that is driven here can be told.
    out.bfd = state.bfd.as_ref().map(|bfd| Bfd {
        tx_ms: bfd.spec.tx_ms,
        rx_ms: bfd.spec.rx_ms,
        multiplier: bfd.spec.multiplier,
    });
    let (import, is_silent) = policy(&state.import, default_import(&state.purpose)?)?;
    out.import = guard::guarded(import, is_silent, state, roas)?;
    if !Asks::of(&state.export).is_none() {
        let names = Asks::NAMES.join(", ");
        return Err(format!("Session {}: {names} can be asked of policies on what is accepted only.", state.key));
    }
    (out.export, _) = policy(&state.export, default_export(&state.purpose))?;
    Ok(out)
}

const fn role(of: routers::Role) -> Role {
    match of {
        routers::Role::Provider => Role::Provider,
        routers::Role::RouteServer => Role::RouteServer,
        routers::Role::RouteServerClient => Role::RouteServerClient,
        routers::Role::Customer => Role::Customer,
        routers::Role::Peer => Role::Peer,
    }
}

fn default_import(purpose: &Purpose) -> Result<Policy, String> {
    Ok(match purpose {
        Purpose::Peering => Policy::reject_all(),
        Purpose::Circuit { accepted } if accepted.is_empty() => Policy::accept_all(),
        Purpose::Circuit { accepted } | Purpose::Device { accepted, .. } if !accepted.is_empty() => only(accepted)?,
        Purpose::Circuit { .. } | Purpose::Device { .. } => Policy::reject_all(),
    })
}

fn default_export(purpose: &Purpose) -> Policy {
    match purpose {
        Purpose::Circuit { .. } | Purpose::Device { default_route: true, .. } => Policy::accept_all(),
        Purpose::Peering | Purpose::Device { .. } => Policy::reject_all(),
    }
}

/// Lets these networks and their parts pass.
fn only(networks: &[IpNet]) -> Result<Policy, String> {
    let ranges = networks.iter().map(|n| PrefixRange::new(*n, n.prefix_len(), n.max_prefix_len()));
    let prefixes = ranges.collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    let term = Term { prefixes, then: Verdict::Accept, ..Term::default() };
    Ok(Policy { terms: vec![term], ..Policy::default() })
}

/// The terms of all policies one after another. What no term decides falls to the first policy that says more than its terms,
/// else to what the session is for. True when none of them says what shall happen to the rest.
fn policy(named: &[Object<routing::Policy>], usual: Policy) -> Result<(Policy, bool), String> {
    if named.is_empty() {
        return Ok((usual, false));
    }
    let mut out = Policy::default();
    let mut is_silent = true;
    for one in named {
        let said = one.spec.context.as_ref().and_then(|c| c.get("policy"));
        let Some(said) = said else { continue };
        let mut said = said.clone();
        if let Some(said) = said.as_object_mut() {
            is_silent &= !said.contains_key("otherwise");
            for name in Asks::NAMES {
                // What it asks for is read elsewhere; only its form is checked here.
                if said.remove(name).is_some_and(|value| !value.is_boolean()) {
                    return Err(format!("The policy {} cannot be understood: {name} is true or false.", one.spec.name));
                }
            }
        }
        let said: Policy = serde_json::from_value(said)
            .map_err(|e| format!("The policy {} cannot be understood: {e}.", one.spec.name))?;
        out.terms.extend(said.terms);
        out.changes.communities.extend(said.changes.communities);
        out.changes.local_preference = out.changes.local_preference.or(said.changes.local_preference);
        out.changes.med = out.changes.med.or(said.changes.med);
        out.changes.prepend = out.changes.prepend.max(said.changes.prepend);
        if said.otherwise == Verdict::Accept {
            out.otherwise = Verdict::Accept;
            break;
        }
    }
    Ok((out, is_silent))
}

//! Policies as gobgpd's statements and the sets they refer to.
//!
//! A statement meets all its conditions, has at most one set of each kind, and cannot say "or". So a term becomes as many
//! statements as its alternatives need. A route that no statement decides about falls to the table's own default, which rejects.

use std::{collections::BTreeMap, fmt::Display, net::IpAddr};

use meetme_agent::{
    AgentError,
    router::{AsPath, AsnRange, BgpSession, Changes, Community, Extended, PrefixRange, RouteSource, Term, Verdict},
};
use meetme_base::{Asn, IpNet};

use crate::{mark::PEER, wire::*};

/// The lowest preference gobgpd can set: it takes zero for nothing.
const LOWEST_PREFERENCE: u32 = 1;

/// Which way routes go through a policy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the peer.
    Import,
    /// To the peer.
    Export,
}

/// The statements of one direction of a session, and the sets they refer to.
#[derive(Default)]
pub struct Rendered {
    /// The statements, first to last.
    pub statements: Vec<Statement>,
    /// Their sets.
    pub sets: Vec<DefinedSet>,
}

/// Writes one direction of a session. Where the table is shared with other sessions, each statement is limited to this one by
/// its set of neighbours.
pub fn rendered(session: &BgpSession, direction: Direction) -> Result<Rendered, AgentError> {
    let (policy, word) = match direction {
        Direction::Import => (&session.import, "in"),
        Direction::Export => (&session.export, "out"),
    };
    let mut out = Rendered::default();
    for (number, term) in policy.terms.iter().enumerate() {
        let name = format!("{PEER}{}-{word}-{number}", session.key);
        let Some(alternatives) = conditions(term, session, &name, &mut out.sets)? else { continue };
        let actions = match term.then {
            Verdict::Reject => Actions { route_action: action::REJECT, ..Actions::default() },
            Verdict::Accept => accepting(session, direction, &[&term.changes, &policy.changes])?,
        };
        let is_one = alternatives.len() == 1;
        for (way, conditions) in alternatives.into_iter().enumerate() {
            let name = if is_one { name.clone() } else { format!("{name}-{way}") };
            out.statements.push(statement(session, name, conditions, actions.clone()));
        }
    }
    if policy.otherwise == Verdict::Accept {
        let actions = accepting(session, direction, &[&policy.changes])?;
        let name = format!("{PEER}{}-{word}-rest", session.key);
        out.statements.push(statement(session, name, Conditions::default(), actions));
    }
    Ok(out)
}

fn statement(session: &BgpSession, name: String, mut conditions: Conditions, actions: Actions) -> Statement {
    if !session.route_server_client {
        conditions.neighbor_set = Some(any(format!("{PEER}{}", session.key)));
    }
    let conditions = Some(conditions).filter(|c| *c != Conditions::default());
    Statement { name, conditions, actions: Some(actions) }
}

/// The set by which statements of a shared table are limited to a session.
pub fn neighbour(session: &BgpSession) -> DefinedSet {
    let length = if session.peer_address.is_ipv4() { 32 } else { 128 };
    DefinedSet {
        defined_type: defined::NEIGHBOR,
        name: format!("{PEER}{}", session.key),
        list: vec![format!("{}/{length}", session.peer_address)],
        prefixes: Vec::new(),
    }
}

fn any(name: impl Into<String>) -> MatchSet {
    MatchSet { r#type: matching::ANY, name: name.into() }
}

/// The alternatives of a term, each of which is enough; none where no route can meet it.
fn conditions(
    term: &Term,
    session: &BgpSession,
    name: &str,
    sets: &mut Vec<DefinedSet>,
) -> Result<Option<Vec<Conditions>>, AgentError> {
    let mut common = Conditions::default();
    let mut own = Vec::new();
    let mut define = |defined_type: i32, list: Vec<String>, prefixes: Vec<Prefix>| {
        own.push(DefinedSet { defined_type, name: name.to_owned(), list, prefixes });
    };
    if !term.prefixes.is_empty() {
        let ranges = flattened(&term.prefixes, session.peer_address);
        if ranges.is_empty() {
            return Ok(None);
        }
        define(defined::PREFIX, Vec::new(), ranges);
        common.prefix_set = Some(any(name));
    }
    let Some((expressions, kind)) = as_paths(&term.as_path) else { return Ok(None) };
    if !expressions.is_empty() {
        define(defined::AS_PATH, expressions, Vec::new());
        common.as_path_set = Some(MatchSet { r#type: kind, name: name.to_owned() });
    }
    let longer = term.as_path.iter().filter_map(|path| match path {
        AsPath::LongerThan(hops) => Some(u32::from(*hops) + 1),
        _ => None,
    });
    common.as_path_length = longer.max().map(|length| AsPathLength { r#type: AT_LEAST, length });
    let mut all = vec![common];
    if !term.communities.is_empty() {
        let marks = Marks::of(session, &term.communities)?;
        let mut ways = Vec::new();
        for (kind, list) in [
            (defined::COMMUNITY, marks.standard),
            (defined::LARGE_COMMUNITY, marks.large),
            (defined::EXT_COMMUNITY, marks.extended),
        ] {
            if !list.is_empty() {
                define(kind, list, Vec::new());
                ways.push(kind);
            }
        }
        all = ways
            .into_iter()
            .map(|kind| {
                let mut way = all[0].clone();
                match kind {
                    defined::COMMUNITY => way.community_set = Some(any(name)),
                    defined::EXT_COMMUNITY => way.ext_community_set = Some(any(name)),
                    _ => way.large_community_set = Some(any(name)),
                }
                way
            })
            .collect();
    }
    let kinds: &[i32] = match term.source {
        None => &[],
        Some(RouteSource::Originated) => &[route_type::LOCAL],
        Some(RouteSource::Learned) => &[route_type::EXTERNAL, route_type::INTERNAL],
    };
    if !kinds.is_empty() {
        let of = |kind: i32| all.clone().into_iter().map(move |way| Conditions { route_type: kind, ..way });
        all = kinds.iter().copied().flat_map(of).collect();
    }
    sets.append(&mut own);
    Ok(Some(all))
}

/// Conditions on AS paths as expressions, and whether any of them or all are to be met; none when no path can meet them.
///
/// One condition is a list of simple expressions, which the daemon compares as numbers. Several become one expression each.
fn as_paths(paths: &[AsPath]) -> Option<(Vec<String>, i32)> {
    let mut conditions = Vec::new();
    for path in paths {
        let (before, numbers, after): (&str, &[Asn], &str) = match path {
            AsPath::First(numbers) => ("^", numbers, "_"),
            AsPath::Origin(numbers) => ("_", numbers, "$"),
            AsPath::Contains(numbers) => ("_", numbers, "_"),
            AsPath::Within(ranges) => {
                conditions.push(("_", ranges.iter().copied().flat_map(AsnRange::expressions).collect(), "_"));
                continue;
            }
            AsPath::LongerThan(_) => continue,
        };
        conditions.push((before, numbers.iter().map(Asn::to_string).collect::<Vec<String>>(), after));
    }
    if conditions.iter().any(|(_, numbers, _)| numbers.is_empty()) {
        return None;
    }
    Some(match &conditions[..] {
        [] => (Vec::new(), matching::ANY),
        [(before, numbers, after)] => (numbers.iter().map(|n| format!("{before}{n}{after}")).collect(), matching::ANY),
        many => {
            let one = |(before, numbers, after): &(&str, Vec<String>, &str)| match &numbers[..] {
                [only] => format!("{before}{only}{after}"),
                all => format!("{before}({}){after}", joined(all)),
            };
            (many.iter().map(one).collect(), matching::ALL)
        }
    })
}

fn joined<T: Display>(all: &[T]) -> String {
    all.iter().map(T::to_string).collect::<Vec<_>>().join("|")
}

/// Communities by their kinds, as the daemon spells them.
#[derive(Default)]
struct Marks {
    standard: Vec<String>,
    large: Vec<String>,
    extended: Vec<String>,
}

impl Marks {
    fn of(session: &BgpSession, communities: &[Community]) -> Result<Self, AgentError> {
        let mut out = Self::default();
        for community in communities {
            match community {
                Community::Standard(..) => out.standard.push(community.to_string()),
                Community::Large(..) => out.large.push(community.to_string()),
                Community::Extended(Extended::Validation(_)) => {
                    return Err(AgentError::unsupported(format!(
                        "Session {}: gobgpd does not put the state of validation on routes as a community.",
                        session.key
                    )));
                }
                Community::Extended(one) => {
                    let kind = if one.kind() == Some("ro") { "soo" } else { "rt" };
                    let value = match one {
                        // Numbers of 32 bits are in two halves.
                        Extended::Wide(_, administrator, number) => {
                            format!("{}.{}:{number}", administrator >> 16, administrator & 0xffff)
                        }
                        other => other.value(),
                    };
                    out.extended.push(format!("{kind}:{value}"));
                }
            }
        }
        Ok(out)
    }
}

/// The ranges of one family, such that those of the closest network around a route are all that has to be looked at: gobgpd
/// looks at no other. Each network therefore takes over what the networks around it allow.
fn flattened(ranges: &[PrefixRange], of: IpAddr) -> Vec<Prefix> {
    let mut by_network: BTreeMap<IpNet, Vec<(u8, u8)>> = BTreeMap::new();
    for range in ranges.iter().filter(|r| r.network().addr().is_ipv4() == of.is_ipv4()) {
        by_network.entry(range.network()).or_default().push((range.shortest(), range.longest()));
    }
    let mut out = Vec::new();
    // Networks come in an order in which every one follows those around it, so these are a stack.
    let mut around: Vec<(IpNet, Vec<(u8, u8)>)> = Vec::new();
    for (network, mut lengths) in by_network {
        while around.last().is_some_and(|(outer, _)| !outer.contains(&network)) {
            around.pop();
        }
        let shortest = network.prefix_len();
        if let Some((_, outer)) = around.last() {
            lengths
                .extend(outer.iter().map(|(low, high)| (*low.max(&shortest), *high)).filter(|(low, high)| low <= high));
        }
        let lengths = merged(lengths);
        out.extend(lengths.iter().map(|(low, high)| Prefix {
            ip_prefix: network.to_string(),
            mask_length_min: (*low).into(),
            mask_length_max: (*high).into(),
        }));
        around.push((network, lengths));
    }
    out
}

/// Ranges of lengths without overlaps.
fn merged(mut lengths: Vec<(u8, u8)>) -> Vec<(u8, u8)> {
    lengths.sort_unstable();
    let mut out: Vec<(u8, u8)> = Vec::new();
    for (low, high) in lengths {
        match out.last_mut() {
            Some(last) if low <= last.1.saturating_add(1) => last.1 = last.1.max(high),
            _ => out.push((low, high)),
        }
    }
    out
}

/// What is done to a route that passes, in the order of who decides last: its term, the policy, the session, the shutdown.
fn accepting(session: &BgpSession, direction: Direction, changes: &[&Changes]) -> Result<Actions, AgentError> {
    let refuse = |what: &str| Err(AgentError::unsupported(format!("Session {}: gobgpd {what}.", session.key)));
    let mut communities: Vec<Community> = changes.iter().flat_map(|c| &c.communities).copied().collect();
    communities.extend(&session.communities);
    let mut preference = changes.iter().filter_map(|c| c.local_preference).next_back();
    if preference == Some(0) {
        return refuse("cannot set the local preference to 0");
    }
    if session.graceful_shutdown {
        match direction {
            Direction::Import => preference = Some(LOWEST_PREFERENCE),
            Direction::Export => communities.push(Community::GRACEFUL_SHUTDOWN),
        }
    }
    let prepend: u32 = changes.iter().map(|c| u32::from(c.prepend)).sum();
    if prepend > u8::MAX.into() {
        return refuse("puts its AS before a path 255 times at most");
    }
    communities.sort_unstable();
    communities.dedup();
    let marks = Marks::of(session, &communities)?;
    let add =
        |communities: Vec<String>| (!communities.is_empty()).then_some(CommunityAction { r#type: 0, communities });
    Ok(Actions {
        route_action: action::ACCEPT,
        community: add(marks.standard),
        ext_community: add(marks.extended),
        large_community: add(marks.large),
        med: changes.iter().filter_map(|c| c.med).next_back().map(|n| MedAction { r#type: 1, value: n.into() }),
        as_prepend: (prepend > 0).then(|| AsPrependAction {
            asn: session.local_asn.get(),
            repeat: prepend,
            use_left_most: false,
        }),
        local_pref: preference.map(|value| LocalPrefAction { value }),
        ..Actions::default()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(network: &str, low: u8, high: u8) -> PrefixRange {
        PrefixRange::new(network.parse().unwrap(), low, high).unwrap()
    }

    fn shown(ranges: &[PrefixRange]) -> String {
        let peer = "192.0.2.2".parse().unwrap();
        let all = flattened(ranges, peer);
        let show = |p: &Prefix| format!("{} {}..{}", p.ip_prefix, p.mask_length_min, p.mask_length_max);
        all.iter().map(show).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn a_network_takes_over_what_the_networks_around_it_allow() {
        let ranges = [range("10.0.0.0/8", 8, 24), range("10.1.0.0/16", 16, 16), range("10.1.0.0/16", 28, 32)];
        assert_eq!(shown(&ranges), "10.0.0.0/8 8..24, 10.1.0.0/16 16..24, 10.1.0.0/16 28..32");
        assert_eq!(shown(&[range("2001:db8::/32", 32, 48)]), "");
    }

    /// What the daemon does: the ranges of the closest network around a route decide.
    fn closest(all: &[Prefix], route: IpNet) -> bool {
        let around = |p: &&Prefix| p.ip_prefix.parse::<IpNet>().unwrap().contains(&route);
        let Some(best) = all.iter().filter(around).max_by_key(|p| p.ip_prefix.parse::<IpNet>().unwrap().prefix_len())
        else {
            return false;
        };
        let length = u32::from(route.prefix_len());
        all.iter()
            .filter(|p| p.ip_prefix == best.ip_prefix)
            .any(|p| (p.mask_length_min..=p.mask_length_max).contains(&length))
    }

    fn network() -> impl Strategy<Value = IpNet> {
        // A few bits only, so that networks are often inside each other.
        (0u32..16, 0u8..=6).prop_map(|(bits, length)| {
            let address = std::net::Ipv4Addr::from(bits << 28 | bits << 26);
            IpNet::new(address.into(), length).unwrap().trunc()
        })
    }

    proptest! {
        #[test]
        fn flattened_ranges_let_pass_what_the_ranges_do(
            ranges in prop::collection::vec((network(), 0u8..4, 0u8..4), 1..8),
            route in network(),
        ) {
            let ranges: Vec<PrefixRange> = ranges
                .into_iter()
                .map(|(n, low, more)| PrefixRange::new(n, n.prefix_len() + low, n.prefix_len() + low + more).unwrap())
                .collect();
            let wanted = ranges.iter().any(|r| {
                r.network().contains(&route) && (r.shortest()..=r.longest()).contains(&route.prefix_len())
            });
            prop_assert_eq!(closest(&flattened(&ranges, "192.0.2.2".parse().unwrap()), route), wanted);
        }
    }
}

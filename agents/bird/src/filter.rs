//! Policies as BIRD filters.

use std::fmt::Display;

use meetme_agent::router::{AsPath, BgpSession, Changes, Community, Extended, Policy, RouteSource, Term, Verdict};
use meetme_base::Asn;

/// Which way routes go through the filter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the peer.
    Import,
    /// To the peer.
    Export,
}

/// What stands after `import` or `export`: `none`, `all` or a filter. `indent` is the depth of the line it stands in.
pub fn filter(session: &BgpSession, direction: Direction, indent: &str) -> String {
    let policy = match direction {
        Direction::Import => &session.import,
        Direction::Export => &session.export,
    };
    let terms: Vec<(String, &Term)> =
        policy.terms.iter().filter_map(|term| Some((condition(term, session)?, term))).collect();
    let common = common_changes(session, policy, direction);
    if terms.is_empty() && policy.otherwise == Verdict::Reject {
        return "none".to_owned();
    }
    if terms.is_empty() && common.is_empty() {
        return "all".to_owned();
    }
    let mut lines = Vec::new();
    for (condition, term) in terms {
        let verdict = verdict(term.then, &changes(&term.changes, session.local_asn), &common);
        if condition.is_empty() {
            lines.push(verdict.join(" "));
        } else if let [only] = &verdict[..] {
            lines.push(format!("if {condition} then {only}"));
        } else {
            lines.push(format!("if {condition} then {{ {} }}", verdict.join(" ")));
        }
    }
    lines.push(verdict(policy.otherwise, &[], &common).join(" "));
    let body: String = lines.iter().map(|line| format!("{indent}  {line}\n")).collect();
    format!("filter {{\n{body}{indent}}}")
}

fn verdict(verdict: Verdict, own: &[String], common: &[String]) -> Vec<String> {
    match verdict {
        Verdict::Reject => vec!["reject;".to_owned()],
        Verdict::Accept => own.iter().chain(common).cloned().chain(["accept;".to_owned()]).collect(),
    }
}

/// What every accepted route gets, in the order of who decides last: the policy, the session, the shutdown.
fn common_changes(session: &BgpSession, policy: &Policy, direction: Direction) -> Vec<String> {
    let mut all = changes(&policy.changes, session.local_asn);
    all.extend(session.communities.iter().map(add));
    if session.graceful_shutdown {
        all.push(match direction {
            Direction::Import => "bgp_local_pref = 0;".to_owned(),
            Direction::Export => add(&Community::GRACEFUL_SHUTDOWN),
        });
    }
    all
}

fn changes(changes: &Changes, own: Asn) -> Vec<String> {
    let mut all: Vec<String> = changes.communities.iter().map(add).collect();
    all.extend(changes.local_preference.map(|n| format!("bgp_local_pref = {n};")));
    all.extend(changes.med.map(|n| format!("bgp_med = {n};")));
    all.extend((0..changes.prepend).map(|_| format!("bgp_path.prepend({own});")));
    all
}

fn add(community: &Community) -> String {
    match community {
        Community::Standard(a, b) => format!("bgp_community.add(({a}, {b}));"),
        Community::Large(a, b, c) => format!("bgp_large_community.add(({a}, {b}, {c}));"),
        Community::Extended(extended) => format!("bgp_ext_community.add({});", pair(*extended)),
    }
}

/// An extended community. In a set BIRD takes addresses for names, so what holds one is written by its octets.
fn pair(extended: Extended) -> String {
    match extended {
        Extended::Narrow(is_origin, administrator, number) => {
            format!("({}, {administrator}, {number})", if is_origin { "ro" } else { "rt" })
        }
        Extended::Wide(is_origin, administrator, number) => {
            format!("({}, {administrator}, {number})", if is_origin { "ro" } else { "rt" })
        }
        Extended::Address(..) | Extended::Validation(_) => {
            let (first, last) = extended.octets();
            format!("(generic, {first:#010x}, {last:#x})")
        }
    }
}

/// The condition of a term; empty when every route meets it, none when no route can.
fn condition(term: &Term, session: &BgpSession) -> Option<String> {
    let mut all = Vec::new();
    if !term.prefixes.is_empty() {
        let family =
            |p: &&meetme_agent::router::PrefixRange| p.network().addr().is_ipv4() == session.peer_address.is_ipv4();
        let ranges: Vec<String> = term
            .prefixes
            .iter()
            .filter(family)
            .map(|p| match (p.shortest(), p.longest()) {
                (low, high) if low == high && low == p.network().prefix_len() => p.network().to_string(),
                (low, high) => format!("{}{{{low},{high}}}", p.network()),
            })
            .collect();
        all.push(format!("net ~ {}", set(&ranges)?));
    }
    for path in &term.as_path {
        all.push(match path {
            AsPath::First(numbers) => format!("bgp_path.first ~ {}", set(numbers)?),
            AsPath::Origin(numbers) => format!("bgp_path.last ~ {}", set(numbers)?),
            AsPath::Contains(numbers) => format!("bgp_path ~ {}", set(numbers)?),
            AsPath::Within(ranges) => {
                let ranges: Vec<String> = ranges
                    .iter()
                    .map(|range| match (range.first(), range.last()) {
                        (first, last) if first == last => first.to_string(),
                        (first, last) => format!("{first}..{last}"),
                    })
                    .collect();
                format!("bgp_path ~ {}", set(&ranges)?)
            }
            AsPath::LongerThan(hops) => format!("bgp_path.len > {hops}"),
        });
    }
    if !term.communities.is_empty() {
        all.push(carries(&term.communities));
    }
    match term.source {
        None => {}
        Some(RouteSource::Originated) => all.push("source = RTS_STATIC".to_owned()),
        Some(RouteSource::Learned) => all.push("source = RTS_BGP".to_owned()),
    }
    Some(match &all[..] {
        [] => String::new(),
        [only] => only.clone(),
        many => many.iter().map(|c| format!("({c})")).collect::<Vec<_>>().join(" && "),
    })
}

fn carries(communities: &[Community]) -> String {
    let (mut standard, mut large, mut extended) = (Vec::new(), Vec::new(), Vec::new());
    for community in communities {
        match community {
            Community::Standard(a, b) => standard.push(format!("({a}, {b})")),
            Community::Large(a, b, c) => large.push(format!("({a}, {b}, {c})")),
            Community::Extended(one) => extended.push(pair(*one)),
        }
    }
    let kinds = [("bgp_community", standard), ("bgp_large_community", large), ("bgp_ext_community", extended)];
    let ways: Vec<String> =
        kinds.iter().filter_map(|(name, items)| Some(format!("{name} ~ {}", set(items)?))).collect();
    match &ways[..] {
        [only] => only.clone(),
        several => several.iter().map(|way| format!("({way})")).collect::<Vec<_>>().join(" || "),
    }
}

/// A set literal; none when nothing is in it, because BIRD has no empty set and nothing would match it.
fn set<T: Display>(items: &[T]) -> Option<String> {
    (!items.is_empty()).then(|| format!("[ {} ]", items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")))
}

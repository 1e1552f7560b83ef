//! Policies as filter rules of OpenBGPD.
//!
//! A rule meets all its conditions and takes one of each kind; `quick` makes the first rule that matches decide. A term that
//! asks for one of several communities or ranges of AS numbers is a rule for each. A term that asks for several things of an AS path hands marks from
//! rule to rule: large communities of the AS 4,294,967,295, which nobody has (RFC 7300). Marks are taken from what peers tell and
//! never leave the router.

use std::collections::{BTreeMap, BTreeSet};

use meetme_agent::{
    AgentError,
    router::{AsPath, AsnRange, BgpSession, Changes, Community, Policy, PrefixRange, RouteSource, Term, Verdict},
};
use meetme_base::Asn;

use crate::mark::sha256;

/// The mark of networks that the router announces itself.
pub const ORIGINATED: &str = "large-community 4294967295:0:1";
/// The mark of routes that a peer told.
pub const LEARNED: &str = "large-community 4294967295:0:2";
/// Takes all marks from a route.
pub const NO_MARKS: &str = "large-community delete 4294967295:*:*";
/// Takes the marks of terms from a route and leaves where it is from.
const NO_TERM_MARKS: &str = "large-community delete 4294967295:1:*";

/// How many times OpenBGPD puts our AS before a path in one rule.
const MOST_PREPENDED: usize = 128;

/// Which way routes go through the rules.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the peer.
    Import,
    /// To the peer.
    Export,
}

/// The sets of all rules, each once however many refer to it, by their lines.
#[derive(Default)]
pub struct Sets {
    lines: BTreeMap<String, String>,
}

impl Sets {
    /// The name of the set of this kind with these in it, as it is written in a rule.
    fn name(&mut self, kind: &str, items: impl IntoIterator<Item = String>) -> String {
        let items: BTreeSet<String> = items.into_iter().collect();
        let items: Vec<String> = items.into_iter().collect();
        let name = format!("\"meetme-{}\"", &sha256(&format!("{kind}\n{}", items.join("\n")))[..12]);
        let lines: String = items.chunks(10).map(|some| format!("  {}\n", some.join(", "))).collect();
        self.lines.insert(format!("{kind} {name}"), format!("{kind} {name} {{\n{lines}}}\n"));
        name
    }

    /// All sets as they stand in the configuration.
    pub fn text(&self) -> String {
        self.lines.values().map(String::as_str).collect()
    }
}

/// The rules for one direction of a session, in order; the last one decides about what no other did.
pub fn rules(session: &BgpSession, direction: Direction, sets: &mut Sets) -> Result<Vec<String>, AgentError> {
    let (policy, way) = match direction {
        Direction::Import => (&session.import, format!("from {}", session.peer_address)),
        Direction::Export => (&session.export, format!("to {}", session.peer_address)),
    };
    let (mut out, mut marks) = (Vec::new(), 0);
    for term in &policy.terms {
        let Some(conditions) = conditions(session, term, direction, &way, sets, &mut out, &mut marks) else { continue };
        let verdict = verdict(session, policy, term.then, &term.changes, direction)?;
        for condition in conditions {
            out.push(rule(term.then, &way, &condition, &verdict));
        }
    }
    let last = verdict(session, policy, policy.otherwise, &Changes::default(), direction)?;
    out.push(rule(policy.otherwise, &way, "", &last));
    Ok(out)
}

fn rule(verdict: Verdict, way: &str, condition: &str, set: &str) -> String {
    let word = if verdict == Verdict::Accept { "allow" } else { "deny" };
    [word, "quick", way, condition, set].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The conditions of which a route has to meet one; none when no route can meet any. What marks they need is set by rules that
/// go before.
fn conditions(
    session: &BgpSession,
    term: &Term,
    direction: Direction,
    way: &str,
    sets: &mut Sets,
    out: &mut Vec<String>,
    marks: &mut u32,
) -> Option<Vec<String>> {
    let mut before = String::new();
    if !term.prefixes.is_empty() {
        let is_four = session.peer_address.is_ipv4();
        let ranges: Vec<String> =
            term.prefixes.iter().filter(|p| p.network().addr().is_ipv4() == is_four).map(range).collect();
        if ranges.is_empty() {
            return None;
        }
        before = format!("prefix-set {}", sets.name("prefix-set", ranges));
    }
    let (mut paths, mut longer) = (Vec::new(), None);
    for path in &term.as_path {
        let (word, numbers) = match path {
            AsPath::First(numbers) => ("peer-as", numbers),
            AsPath::Origin(numbers) => ("source-as", numbers),
            AsPath::Contains(numbers) => ("AS", numbers),
            AsPath::Within(ranges) => {
                paths.push(ranges.iter().copied().map(numbers_of).collect());
                continue;
            }
            AsPath::LongerThan(hops) => {
                longer = longer.max(Some(*hops));
                continue;
            }
        };
        match &numbers[..] {
            [] => return None,
            [only] => paths.push(vec![format!("{word} {only}")]),
            many => {
                paths.push(vec![format!("{word} as-set {}", sets.name("as-set", many.iter().map(Asn::to_string)))]);
            }
        }
    }
    let last: Option<Vec<String>> = paths.pop();
    let mut mark = String::new();
    for ways in paths {
        *marks += 1;
        let next = format!("large-community 4294967295:1:{marks}");
        for path in ways {
            let asked =
                [path.as_str(), &mark].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ");
            out.push(format!("match {way} {asked} set {{ {next} }}"));
        }
        mark = next;
    }
    let mut after: Vec<String> = longer.map(|hops| format!("max-as-len {hops}")).into_iter().collect();
    match (term.source, direction) {
        (None, _) | (Some(RouteSource::Learned), Direction::Import) => {}
        (Some(RouteSource::Originated), Direction::Import) => return None,
        (Some(RouteSource::Originated), Direction::Export) => after.push(ORIGINATED.to_owned()),
        (Some(RouteSource::Learned), Direction::Export) => after.push(LEARNED.to_owned()),
    }
    if !mark.is_empty() {
        after.push(mark);
    }
    let communities: BTreeSet<&Community> = term.communities.iter().collect();
    let communities: Vec<String> = communities.into_iter().map(community).collect();
    let communities = (!communities.is_empty()).then_some(communities);
    let after = (!after.is_empty()).then(|| vec![after.join(" ")]);
    let mut ways = vec![before];
    for either in [last, after, communities].into_iter().flatten() {
        let with = |way: &String| either.iter().map(|one| format!("{way} {one}").trim().to_owned()).collect::<Vec<_>>();
        ways = ways.iter().flat_map(with).collect();
    }
    Some(ways)
}

fn numbers_of(range: AsnRange) -> String {
    match (range.first(), range.last()) {
        (first, last) if first == last => format!("AS {first}"),
        (first, last) => format!("AS {first} - {last}"),
    }
}

fn range(range: &PrefixRange) -> String {
    match (range.shortest(), range.longest()) {
        (low, high) if low == high && low == range.network().prefix_len() => range.network().to_string(),
        (low, high) if low == high => format!("{} prefixlen = {low}", range.network()),
        (low, high) => format!("{} prefixlen {low} - {high}", range.network()),
    }
}

fn community(community: &Community) -> String {
    match community {
        Community::Standard(a, b) => format!("community {a}:{b}"),
        Community::Large(a, b, c) => format!("large-community {a}:{b}:{c}"),
        Community::Extended(one) => match one.kind() {
            None => format!("ext-community ovs {}", one.value()),
            Some("ro") => format!("ext-community soo {}", one.value()),
            Some(kind) => format!("ext-community {kind} {}", one.value()),
        },
    }
}

/// What is set on a route that passes, in the order of who decides last: the term, the policy, the session, the shutdown.
fn verdict(
    session: &BgpSession,
    policy: &Policy,
    verdict: Verdict,
    own: &Changes,
    direction: Direction,
) -> Result<String, AgentError> {
    if verdict == Verdict::Reject {
        return Ok(String::new());
    }
    let mut communities: BTreeSet<Community> = own.communities.iter().copied().collect();
    communities.extend(&policy.changes.communities);
    communities.extend(&session.communities);
    let mut preference = policy.changes.local_preference.or(own.local_preference);
    match (session.graceful_shutdown, direction) {
        (false, _) => {}
        (true, Direction::Import) => preference = Some(0),
        (true, Direction::Export) => {
            communities.insert(Community::GRACEFUL_SHUTDOWN);
        }
    }
    let prepend = usize::from(own.prepend) + usize::from(policy.changes.prepend);
    if prepend > MOST_PREPENDED {
        return Err(AgentError::unsupported(format!(
            "Session {}: our AS is put before a path {prepend} times; OpenBGPD does it {MOST_PREPENDED} times.",
            session.key
        )));
    }
    let mut out = vec![if direction == Direction::Import { NO_TERM_MARKS } else { NO_MARKS }.to_owned()];
    out.extend(preference.map(|n| format!("localpref {n}")));
    out.extend(policy.changes.med.or(own.med).map(|n| format!("med {n}")));
    if prepend > 0 {
        out.push(format!("prepend-self {prepend}"));
    }
    out.extend(communities.iter().map(community));
    Ok(format!("set {{ {} }}", out.join(" ")))
}

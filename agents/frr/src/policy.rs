//! Policies as FRR's route-maps, and the lists these refer to.
//!
//! An entry of a route-map meets all its conditions but takes one of each kind, so a term that asks for more is several
//! entries: each asks for one thing and goes on at the next, or past the term. Names carry the hash of what they name, so a
//! changed policy is a new one that is complete before it is used.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use meetme_agent::{
    AgentError,
    router::{
        AsPath, AsnRange, BgpSession, Changes, Community, Extended, Policy, PrefixRange, RouteSource, Term, Verdict,
    },
};
use meetme_base::Asn;
use sha2::{Digest as _, Sha256};

use crate::config::{Node, OURS};

/// The mark of routes that the router originates. It never leaves the router.
pub const ORIGINATED: u8 = 1;

/// Entries of a route-map are numbered by tens up to 65,535.
const MOST_ENTRIES: usize = 6_553;
/// FRR reads lines of up to 4,095 bytes: so many AS numbers fit into one for sure.
const NUMBERS_IN_A_LINE: usize = 200;
/// And so many expressions of ranges of them.
const EXPRESSIONS_IN_A_LINE: usize = 40;
/// And so many communities.
const MOST_COMMUNITIES: usize = 100;
/// It reads lines of up to 255 words.
const MOST_PREPENDED: usize = 250;
/// The most a repetition in a regular expression may say (RE_DUP_MAX of POSIX).
const LONGEST_PATH: u16 = 255;

/// Which way routes go through the map.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the peer.
    Import,
    /// To the peer.
    Export,
}

/// The lists and maps of all policies, each once however many refer to it: FRR takes longer for each map the more there are.
#[derive(Default)]
pub struct Lists {
    by_name: BTreeMap<String, Vec<Node>>,
    maps: BTreeMap<String, Vec<Node>>,
}

impl Lists {
    /// The name of the list of this kind that permits these, in this order.
    fn permit(&mut self, kind: &str, entries: impl IntoIterator<Item = String>) -> String {
        let mut known = BTreeSet::new();
        // FRR refuses a line that a list already has.
        let entries: Vec<String> = entries.into_iter().filter(|entry| known.insert(entry.clone())).collect();
        let name = format!("{OURS}{}", hash(&format!("{kind}\n{}", entries.join("\n")), 12));
        let lines = entries.iter().enumerate();
        let lines = lines.map(|(n, entry)| Node::line(format!("{kind} {name} seq {} permit {entry}", (n + 1) * 5)));
        self.by_name.entry(format!("{kind} {name}")).or_insert_with(|| lines.collect());
        name
    }

    /// All lines, list by list and then map by map.
    pub fn lines(self) -> impl Iterator<Item = Node> {
        self.by_name.into_values().chain(self.maps.into_values()).flatten()
    }
}

/// So many hexadecimal digits of a text's hash.
fn hash(text: &str, digits: usize) -> String {
    let mut out = Sha256::digest(text).iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes everything");
        out
    });
    out.truncate(digits);
    out
}

/// One entry of a map.
struct Entry {
    verdict: Verdict,
    lines: Vec<String>,
    /// The entry, counted from the first, at which it goes on instead of ending.
    go_on: Option<usize>,
}

/// The name of the map for one direction of a session; the map itself is put to the lists.
pub fn route_map(session: &BgpSession, direction: Direction, lists: &mut Lists) -> Result<String, AgentError> {
    let policy = match direction {
        Direction::Import => &session.import,
        Direction::Export => &session.export,
    };
    let sets = |own: &Changes| sets(session, policy, own, direction);
    let mut entries = Vec::new();
    for term in &policy.terms {
        if let Some(asked) = asked(session, term, direction, lists)? {
            let sets = if term.then == Verdict::Accept { sets(&term.changes)? } else { Vec::new() };
            asked.put(&mut entries, term.then, sets);
        }
    }
    let lines = if policy.otherwise == Verdict::Accept { sets(&Changes::default())? } else { Vec::new() };
    entries.push(Entry { verdict: policy.otherwise, lines, go_on: None });
    if entries.len() > MOST_ENTRIES {
        return Err(AgentError::unsupported(format!(
            "Session {}: a policy of {} entries; FRR takes {MOST_ENTRIES}.",
            session.key,
            entries.len()
        )));
    }
    let word = if direction == Direction::Import { "in" } else { "out" };
    let (name, nodes) = named(&format!("{OURS}{word}-"), &entries);
    lists.maps.entry(name.clone()).or_insert(nodes);
    Ok(name)
}

fn named(stem: &str, entries: &[Entry]) -> (String, Vec<Node>) {
    let numbered = |n: usize| (n + 1) * 10;
    let entries: Vec<(String, Vec<Node>)> = entries
        .iter()
        .enumerate()
        .map(|(n, entry)| {
            let verdict = if entry.verdict == Verdict::Accept { "permit" } else { "deny" };
            let go_on = entry.go_on.map(|at| format!("on-match goto {}", numbered(at)));
            let lines = entry.lines.iter().cloned().chain(go_on).map(Node::line).collect();
            (format!("{verdict} {}", numbered(n)), lines)
        })
        .collect();
    let name = format!("{stem}{}", hash(&format!("{entries:?}"), 12));
    let nodes = entries.into_iter().map(|(head, lines)| Node::context(format!("route-map {name} {head}"), lines));
    let nodes = nodes.collect();
    (name, nodes)
}

/// What a term asks of a route.
#[derive(Default)]
struct Asked {
    /// What the last entry asks: one condition of each kind.
    all: Vec<String>,
    /// What is asked before: a route must meet one of each of these.
    any: Vec<Vec<String>>,
    /// What a route must not meet.
    none: Vec<String>,
}

impl Asked {
    fn put(self, entries: &mut Vec<Entry>, verdict: Verdict, sets: Vec<String>) {
        let size = self.none.len() + self.any.iter().map(|any| any.len() + 1).sum::<usize>();
        let past = entries.len() + size + 1;
        let ask = |lines: Vec<String>, go_on: usize| Entry { verdict: Verdict::Accept, lines, go_on: Some(go_on) };
        for none in self.none {
            entries.push(ask(vec![none], past));
        }
        for any in self.any {
            let next = entries.len() + any.len() + 1;
            for one in any {
                entries.push(ask(vec![one], next));
            }
            entries.push(ask(Vec::new(), past));
        }
        entries.push(Entry { verdict, lines: self.all.into_iter().chain(sets).collect(), go_on: None });
    }
}

/// What a term asks; none when no route can meet it.
fn asked(
    session: &BgpSession,
    term: &Term,
    direction: Direction,
    lists: &mut Lists,
) -> Result<Option<Asked>, AgentError> {
    let mut out = Asked::default();
    match (term.source, direction) {
        (None, _) | (Some(RouteSource::Learned), Direction::Import) => {}
        (Some(RouteSource::Originated), Direction::Import) => return Ok(None),
        (Some(RouteSource::Originated), Direction::Export) => out.all.push(format!("match tag {ORIGINATED}")),
        (Some(RouteSource::Learned), Direction::Export) => out.none.push(format!("match tag {ORIGINATED}")),
    }
    if !term.prefixes.is_empty() {
        let is_four = session.peer_address.is_ipv4();
        let ranges: Vec<String> =
            term.prefixes.iter().filter(|p| p.network().addr().is_ipv4() == is_four).map(range).collect();
        if ranges.is_empty() {
            return Ok(None);
        }
        let family = if is_four { "ip" } else { "ipv6" };
        let name = lists.permit(&format!("{family} prefix-list"), ranges);
        out.all.push(format!("match {family} address prefix-list {name}"));
    }
    let mut paths = Vec::new();
    for path in &term.as_path {
        let Some(expressions) = expressions(session, path)? else { return Ok(None) };
        paths.push(format!("match as-path {}", lists.permit("bgp as-path access-list", expressions)));
    }
    out.all.extend(paths.pop());
    out.any.extend(paths.into_iter().map(|path| vec![path]));
    match &carries(session, &term.communities, lists)?[..] {
        [] => {}
        [only] => out.all.push(only.clone()),
        several => out.any.push(several.to_vec()),
    }
    Ok(Some(out))
}

/// FRR wants `ge` to be longer than the network, and no `le` where there is nothing to limit.
fn range(range: &PrefixRange) -> String {
    let (network, length) = (range.network(), range.network().prefix_len());
    let mut out = network.to_string();
    if range.shortest() > length {
        out.push_str(&format!(" ge {}", range.shortest()));
    }
    if range.longest() > length {
        out.push_str(&format!(" le {}", range.longest()));
    }
    out
}

/// Regular expressions of which a path must meet one; none when it can meet none. An underscore is the beginning, the end or
/// what is between two numbers.
fn expressions(session: &BgpSession, path: &AsPath) -> Result<Option<Vec<String>>, AgentError> {
    let one_of = |before: &str, numbers: &[Asn], after: &str| {
        let lines = numbers.chunks(NUMBERS_IN_A_LINE).map(|some| {
            let some: Vec<String> = some.iter().map(Asn::to_string).collect();
            format!("{before}({}){after}", some.join("|"))
        });
        Ok((!numbers.is_empty()).then(|| lines.collect()))
    };
    match path {
        AsPath::First(numbers) => one_of("^", numbers, "_"),
        AsPath::Origin(numbers) => one_of("_", numbers, "$"),
        AsPath::Contains(numbers) => one_of("_", numbers, "_"),
        AsPath::Within(ranges) => {
            let all: Vec<String> = ranges.iter().copied().flat_map(AsnRange::expressions).collect();
            let lines = all.chunks(EXPRESSIONS_IN_A_LINE).map(|some| format!("_({})_", some.join("|")));
            Ok((!all.is_empty()).then(|| lines.collect()))
        }
        // A set of numbers is one hop and has no blank in it.
        AsPath::LongerThan(0) => Ok(Some(vec!["[0-9]".to_owned()])),
        AsPath::LongerThan(hops) if *hops <= LONGEST_PATH => Ok(Some(vec![format!("^([^ ]+ ){{{hops}}}[^ ]")])),
        AsPath::LongerThan(hops) => Err(AgentError::unsupported(format!(
            "Session {}: AS paths longer than {hops}; FRR tells lengths up to {LONGEST_PATH}.",
            session.key
        ))),
    }
}

/// Conditions of which a route with one of the communities meets one: one for each kind of community.
fn carries(session: &BgpSession, communities: &[Community], lists: &mut Lists) -> Result<Vec<String>, AgentError> {
    let marks = Marks::of(session, communities)?;
    let extended = marks.targets.iter().map(|value| format!("rt {value}"));
    let extended: Vec<String> = extended.chain(marks.origins.iter().map(|value| format!("soo {value}"))).collect();
    let kinds = [("community", marks.standard), ("large-community", marks.large), ("extcommunity", extended)];
    let of = |(kind, values): (&str, Vec<String>)| {
        let name = (!values.is_empty()).then(|| lists.permit(&format!("bgp {kind}-list standard"), values))?;
        Some(format!("match {kind} {name}"))
    };
    Ok(kinds.into_iter().filter_map(of).collect())
}

/// Communities by their kinds, as FRR names them, in order, each once.
#[derive(Default)]
struct Marks {
    standard: Vec<String>,
    large: Vec<String>,
    targets: Vec<String>,
    origins: Vec<String>,
}

impl Marks {
    fn of(session: &BgpSession, communities: &[Community]) -> Result<Self, AgentError> {
        let mut out = Self::default();
        let unsupported = |why: &str| Err(AgentError::unsupported(format!("Session {}: {why}", session.key)));
        let sorted: BTreeSet<&Community> = communities.iter().collect();
        for community in sorted {
            match community {
                // FRR's word for it stands for every community there is.
                Community::Standard(0, 0) => {
                    return unsupported("FRR cannot tell the community 0:0 from any other.");
                }
                Community::Standard(a, b) => {
                    out.standard.push(well_known(*a, *b).map_or(format!("{a}:{b}"), str::to_owned));
                }
                Community::Large(..) => out.large.push(community.to_string()),
                Community::Extended(Extended::Validation(_)) => {
                    return unsupported("FRR has no words for the state of validation as a community.");
                }
                Community::Extended(one) if one.kind() == Some("ro") => out.origins.push(one.value()),
                Community::Extended(one) => out.targets.push(one.value()),
            }
        }
        if [&out.standard, &out.large, &out.targets, &out.origins].iter().any(|all| all.len() > MOST_COMMUNITIES) {
            return unsupported(&format!("more than {MOST_COMMUNITIES} communities of one kind are named at once."));
        }
        Ok(out)
    }
}

/// FRR's names of communities, by which it prints them whatever it was told (seen in 8.4.4).
const fn well_known(a: u16, b: u16) -> Option<&'static str> {
    if a != 65535 {
        return None;
    }
    Some(match b {
        0 => "graceful-shutdown",
        1 => "accept-own",
        2 => "route-filter-translated-v4",
        3 => "route-filter-v4",
        4 => "route-filter-translated-v6",
        5 => "route-filter-v6",
        6 => "llgr-stale",
        7 => "no-llgr",
        8 => "accept-own-nexthop",
        666 => "blackhole",
        65281 => "no-export",
        65282 => "no-advertise",
        65283 => "local-AS",
        65284 => "no-peer",
        _ => return None,
    })
}

/// What is set on a route that passes, in the order of who decides last: the term, the policy, the session, the shutdown.
fn sets(session: &BgpSession, policy: &Policy, own: &Changes, direction: Direction) -> Result<Vec<String>, AgentError> {
    let mut communities: Vec<Community> = own.communities.clone();
    communities.extend(&policy.changes.communities);
    communities.extend(&session.communities);
    let mut preference = policy.changes.local_preference.or(own.local_preference);
    match (session.graceful_shutdown, direction) {
        (false, _) => {}
        (true, Direction::Import) => preference = Some(0),
        (true, Direction::Export) => communities.push(Community::GRACEFUL_SHUTDOWN),
    }
    let marks = Marks::of(session, &communities)?;
    let prepend = usize::from(own.prepend) + usize::from(policy.changes.prepend);
    if prepend > MOST_PREPENDED {
        return Err(AgentError::unsupported(format!(
            "Session {}: our AS is put before a path {prepend} times; FRR does it {MOST_PREPENDED} times.",
            session.key
        )));
    }
    let mut out = Vec::new();
    if prepend > 0 {
        out.push(format!("set as-path prepend{}", format!(" {}", session.local_asn).repeat(prepend)));
    }
    if !marks.standard.is_empty() {
        out.push(format!("set community {} additive", marks.standard.join(" ")));
    }
    if !marks.large.is_empty() {
        out.push(format!("set large-community {} additive", marks.large.join(" ")));
    }
    // These are added without a word for it.
    if !marks.targets.is_empty() {
        out.push(format!("set extcommunity rt {}", marks.targets.join(" ")));
    }
    if !marks.origins.is_empty() {
        out.push(format!("set extcommunity soo {}", marks.origins.join(" ")));
    }
    out.extend(preference.map(|n| format!("set local-preference {n}")));
    out.extend(policy.changes.med.or(own.med).map(|n| format!("set metric {n}")));
    Ok(out)
}

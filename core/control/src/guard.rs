//! Filters that are made of what the world says of a peer: the routing registries, validated ROAs, prefixes and AS numbers that have
//! no place in the Internet, and the number that a path must begin with.
//!
//! Everything is said in terms that accept or reject by themselves, in no more than the policies of every daemon can say. A route
//! passes if the registries name it and no ROA forbids it; where nothing is known of what the registries say, nothing passes.

use meetme_agent::router::{AsPath, AsnRange, Policy, PrefixRange, Term, Verdict};
use meetme_app::{
    routers::{Asks, SessionState},
    rpki::{Table, Validity},
};
use meetme_base::{Asn, NetRange};
use meetme_model::Origins;

/// How many ranges one filter may have: more than any network announces, less than a mistake would.
const MOST: usize = 500_000;

/// IPv4 networks whose parts, themselves included, have no place in the Internet (RFC 6890, RFC 5735), and lengths that are too
/// long.
const BOGONS4: &[&str] = &[
    "0.0.0.0/0",
    "0.0.0.0/8^8-32",
    "10.0.0.0/8^8-32",
    "100.64.0.0/10^10-32",
    "127.0.0.0/8^8-32",
    "169.254.0.0/16^16-32",
    "172.16.0.0/12^12-32",
    "192.0.0.0/24^24-32",
    "192.0.2.0/24^24-32",
    "192.168.0.0/16^16-32",
    "198.18.0.0/15^15-32",
    "198.51.100.0/24^24-32",
    "203.0.113.0/24^24-32",
    "224.0.0.0/4^4-32",
    "240.0.0.0/4^4-32",
    "0.0.0.0/0^25-32",
];
/// The same for IPv6: what is not in 2000::/3, and within it what is for documentation, ORCHID, and 6to4 (RFC 7526).
const BOGONS6: &[&str] = &[
    "::/0",
    "::/3^3-128",
    "4000::/2^2-128",
    "8000::/1^1-128",
    "2001:10::/28^28-128",
    "2001:20::/28^28-128",
    "2001:db8::/32^32-128",
    "2002::/16^16-128",
    "3fff::/20^20-128",
    "::/0^49-128",
];

/// One way to pass.
struct Clause {
    /// The ranges the route may lie in; any when absent.
    ranges: Option<Vec<NetRange>>,
    /// Who must originate it; anybody when absent.
    origin: Option<Asn>,
}

/// The family's prefixes that the registries name, if they were ever asked.
fn registered(session: &SessionState) -> Option<&[NetRange]> {
    let known = session.registered.as_ref()?;
    let list = if session.peer_ip.is_ipv4() { &known.prefixes4 } else { &known.prefixes6 };
    list.as_deref()
}

/// How many of the peer's registered prefixes could come from one of its own numbers.
pub(crate) fn origins(session: &SessionState, roas: Option<&Table>) -> Option<Origins> {
    if !session.asks.rpki {
        return None;
    }
    let (roas, list) = (roas?, registered(session)?);
    let mut numbers = session.registered.as_ref()?.numbers.clone().unwrap_or_default();
    numbers.push(session.peer_asn);
    let mut out = Origins::default();
    for range in list {
        match roas.validity_of_any(range.network(), &numbers) {
            Validity::Valid => out.valid += 1,
            Validity::Invalid => out.invalid += 1,
            Validity::NotFound => out.unknown += 1,
        }
    }
    Some(out)
}

/// Puts what is asked for around a policy. `is_silent` says that the policies say nothing of what no term decides: then what the
/// registries name passes. The error is a sentence a customer can read.
pub(crate) fn guarded(
    mut policy: Policy,
    is_silent: bool,
    session: &SessionState,
    roas: Option<&Table>,
) -> Result<Policy, String> {
    let asks = session.asks;
    if asks.is_none() {
        return Ok(policy);
    }
    if asks.rpki && !asks.irr {
        return Err(format!(
            "The policies of session {} ask for rpki without irr; only both together can be said in a filter.",
            session.key
        ));
    }
    let opens = policy.otherwise == Verdict::Accept || (asks.irr && is_silent);
    let own = std::mem::take(&mut policy.terms);
    if asks.bogons {
        policy.terms.push(Term { prefixes: bogons(session.peer_ip.is_ipv4())?, ..Term::default() });
        // The two that agreed on the session know what numbers they have.
        let own = [session.peer_asn.get(), session.local_asn.get()];
        let numbers = AsnRange::without(&AsnRange::BOGONS, &own);
        policy.terms.push(Term { as_path: vec![AsPath::Within(numbers)], ..Term::default() });
    }
    let clauses = clauses(asks, session, roas);
    let first = (asks.first_as && !session.route_server).then_some(session.peer_asn);
    for term in own {
        match term.then {
            Verdict::Reject => policy.terms.push(term),
            Verdict::Accept => policy.terms.extend(clauses.iter().filter_map(|clause| narrowed(&term, clause, first))),
        }
    }
    policy.otherwise = Verdict::Reject;
    if opens {
        let all = Term { then: Verdict::Accept, ..Term::default() };
        policy.terms.extend(clauses.iter().filter_map(|clause| narrowed(&all, clause, first)));
    }
    let ranges: usize = policy.terms.iter().map(|term| term.prefixes.len()).sum();
    if ranges > MOST {
        return Err(format!("The filter of session {} would have {ranges} prefixes, more than {MOST}.", session.key));
    }
    Ok(policy)
}

fn clauses(asks: Asks, session: &SessionState, roas: Option<&Table>) -> Vec<Clause> {
    if !asks.irr {
        return vec![Clause { ranges: None, origin: None }];
    }
    // Without an answer there is nothing that may pass.
    let list = registered(session).unwrap_or_default();
    let Some(roas) = roas.filter(|_| asks.rpki) else {
        return vec![Clause { ranges: Some(list.to_vec()), origin: None }];
    };
    let (mut open, mut valid) = (Vec::new(), Vec::new());
    for range in list {
        let split = roas.split(*range);
        open.extend(split.open);
        valid.extend(split.valid);
    }
    valid.sort_unstable();
    valid.dedup();
    let mut out = vec![Clause { ranges: Some(open), origin: None }];
    for of_one in valid.chunk_by(|a, b| a.0 == b.0) {
        let ranges = of_one.iter().map(|(_, range)| *range).collect();
        out.push(Clause { ranges: Some(ranges), origin: Some(of_one[0].0) });
    }
    out
}

/// A term that accepts, within a clause; none when no route can meet both.
fn narrowed(term: &Term, clause: &Clause, first: Option<Asn>) -> Option<Term> {
    let mut out = term.clone();
    if let Some(ranges) = &clause.ranges {
        let own: Vec<NetRange> = term.prefixes.iter().filter_map(ours).collect();
        out.prefixes = if term.prefixes.is_empty() {
            ranges.iter().copied().filter_map(theirs).collect()
        } else {
            let both = ranges.iter().flat_map(|range| own.iter().filter_map(|own| own.and(*range)));
            both.filter_map(theirs).collect()
        };
        // A term without prefixes would accept every route.
        if out.prefixes.is_empty() {
            return None;
        }
    }
    out.as_path.extend(clause.origin.map(|asn| AsPath::Origin(vec![asn])));
    out.as_path.extend(first.map(|asn| AsPath::First(vec![asn])));
    Some(out)
}

fn ours(range: &PrefixRange) -> Option<NetRange> {
    NetRange::new(range.network(), range.shortest(), range.longest()).ok()
}

fn theirs(range: NetRange) -> Option<PrefixRange> {
    PrefixRange::new(range.network(), range.shortest(), range.longest()).ok()
}

fn bogons(v4: bool) -> Result<Vec<PrefixRange>, String> {
    let list = if v4 { BOGONS4 } else { BOGONS6 };
    let of = |text: &&str| text.parse::<NetRange>().ok().and_then(theirs).ok_or_else(|| format!("{text} is no range."));
    list.iter().map(of).collect()
}

/// Whether a policy lets a route pass, by its terms about prefixes and paths: what a daemon would do, for tests.
#[cfg(test)]
fn passes(policy: &Policy, route: meetme_base::IpNet, first: Asn, origin: Asn) -> bool {
    let meets = |term: &Term| {
        (term.prefixes.is_empty() || term.prefixes.iter().filter_map(ours).any(|range| range.holds(route)))
            && term.as_path.iter().all(|path| match path {
                AsPath::First(list) => list.contains(&first),
                AsPath::Origin(list) => list.contains(&origin),
                AsPath::Within(ranges) => {
                    ranges.iter().any(|range| range.holds(first.get()) || range.holds(origin.get()))
                }
                _ => false,
            })
    };
    let decided = policy.terms.iter().find(|term| meets(term)).map_or(policy.otherwise, |term| term.then);
    decided == Verdict::Accept
}

#[cfg(test)]
mod tests;

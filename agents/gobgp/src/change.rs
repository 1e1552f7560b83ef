//! The way from one configuration to another, as steps that are worked out first and can each be repeated.
//!
//! The order keeps every moment safe. Peers that go are taken away first. Sets and policies are then put in place of the old
//! ones in one step. Only then do new peers come, so that none ever runs without its policies. At the end the routes
//! of sessions that stay are sent through their new policies.

use std::collections::{BTreeMap, BTreeSet};

use meetme_base::IpNet;

use crate::{
    config::{Config, GLOBAL, address, is_client},
    wire::*,
};

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// End BGP, with everything there is.
    Stop,
    /// Start BGP.
    Start(Global),
    /// Take a peer away. It holds what it was, because a password has to be taken off it first.
    RemovePeer(Box<Peer>),
    /// Put these sets, policies and assignments in the place of those there are. With them the policies that are assigned
    /// and not there yet, which an assignment needs first.
    Policies {
        /// Everything that is to be there.
        all: Box<SetPolicies>,
        /// What each table is to go through afterwards, where that changes.
        assign: Vec<PolicyAssignment>,
        /// Names of policies that are to be made first, empty.
        first: Vec<String>,
    },
    /// Add a peer.
    AddPeer(Box<Peer>),
    /// Change of a peer what can be changed while its session goes on.
    UpdatePeer(Box<Peer>),
    /// Switch a peer on or off.
    Switch {
        /// The peer.
        address: String,
        /// Which of the two.
        on: bool,
    },
    /// Announce a network no longer.
    RemoveNetwork(IpNet),
    /// Announce a network.
    AddNetwork(IpNet),
    /// Send what a peer told through the policies again.
    RefreshIn(String),
    /// Tell a peer anew what it is to know. The peer is held in case its session has to begin anew for that.
    RefreshOut(Box<Peer>),
}

/// The steps from `from` to `to`. None between equal ones.
pub fn steps(from: &Config, to: &Config) -> Vec<Step> {
    let mut steps = Vec::new();
    if from.is_blank() && to.is_blank() {
        return steps;
    }
    let blank = Config { assignments: open(), ..Config::default() };
    // A daemon that is to have nothing to do goes on as what it is.
    let idle = Config { global: from.global.clone(), ..blank.clone() };
    let to = if to.is_blank() { &idle } else { to };
    let from = if from.global == to.global {
        from
    } else {
        if from.global.asn != 0 {
            steps.push(Step::Stop);
        }
        steps.push(Step::Start(to.global.clone()));
        &blank
    };
    let mut come = Vec::new();
    let mut stay = Vec::new();
    for old in &from.peers {
        match to.peer(address(old)) {
            None => steps.push(Step::RemovePeer(Box::new(old.clone()))),
            Some(new) if !can_stay(old, new) => {
                steps.push(Step::RemovePeer(Box::new(old.clone())));
                come.push(new);
            }
            Some(new) => stay.push((old, new)),
        }
    }
    come.extend(to.peers.iter().filter(|new| from.peer(address(new)).is_none()));
    steps.extend(policies(from, to));
    for (old, new) in &stay {
        steps.extend(kept(old, new, to));
    }
    steps.extend(come.iter().map(|new| Step::AddPeer(Box::new(sent(new, to)))));
    steps.extend(from.networks.difference(&to.networks).copied().map(Step::RemoveNetwork));
    steps.extend(to.networks.difference(&from.networks).copied().map(Step::AddNetwork));
    let [before, after] = [Passage::of(from), Passage::of(to)];
    let mut refresh = |direction: i32, step: fn(&Peer, &Config) -> Step| {
        let changed = stay.iter().filter(|(_, new)| before.through(new, direction) != after.through(new, direction));
        steps.extend(changed.map(|(_, new)| step(new, to)));
    };
    refresh(direction::IMPORT, |peer, _| Step::RefreshIn(address(peer).to_owned()));
    refresh(direction::EXPORT, |peer, to| Step::RefreshOut(Box::new(sent(peer, to))));
    steps
}

/// What a daemon that was just started goes through: nothing.
fn open() -> Vec<PolicyAssignment> {
    let open = |direction| PolicyAssignment {
        name: GLOBAL.to_owned(),
        direction,
        policies: Vec::new(),
        default_action: action::ACCEPT,
    };
    vec![open(direction::IMPORT), open(direction::EXPORT)]
}

/// Whether a peer can become the other one without a new session: only timers, limits and being switched off may differ.
fn can_stay(old: &Peer, new: &Peer) -> bool {
    let rest = |peer: &Peer| {
        let mut rest = peer.clone();
        rest.timers = None;
        if let Some(conf) = &mut rest.conf {
            conf.admin_down = false;
        }
        // A peer whose only family has no limit is written without a list of families.
        rest.afi_safis = sent(peer, &Config::default()).afi_safis;
        for family in &mut rest.afi_safis {
            family.prefix_limits = None;
        }
        rest
    };
    rest(old) == rest(new)
}

fn kept(old: &Peer, new: &Peer, to: &Config) -> Vec<Step> {
    let is_down = |peer: &Peer| peer.conf.as_ref().is_some_and(|conf| conf.admin_down);
    let mut steps = Vec::new();
    if old.timers != new.timers || old.afi_safis != new.afi_safis {
        steps.push(Step::UpdatePeer(Box::new(sent(new, to))));
    }
    if is_down(old) != is_down(new) {
        steps.push(Step::Switch { address: address(new).to_owned(), on: !is_down(new) });
    }
    steps
}

fn policies(from: &Config, to: &Config) -> Option<Step> {
    let is_same =
        from.defined_sets == to.defined_sets && from.policies == to.policies && from.assignments == to.assignments;
    if is_same {
        return None;
    }
    let named = |a: &PolicyAssignment| a.policies.iter().map(|p| p.name.clone()).collect::<Vec<_>>();
    let known: BTreeSet<&str> = from.policies.iter().map(|p| p.name.as_str()).collect();
    // A client that is yet to come brings its own.
    let is_there = |a: &&PolicyAssignment| a.name == GLOBAL || from.peer(&a.name).is_some_and(is_client);
    let assign: Vec<PolicyAssignment> = to
        .assignments
        .iter()
        .filter(is_there)
        .filter(|new| from.assignment(&new.name, new.direction) != Some(*new))
        .cloned()
        .collect();
    let first = assign.iter().flat_map(named).filter(|name| !known.contains(name.as_str()));
    let first = first.collect::<BTreeSet<String>>().into_iter().collect();
    let all = SetPolicies { defined_sets: to.defined_sets.clone(), policies: to.policies.clone() };
    Some(Step::Policies { all: Box::new(all), assign, first })
}

/// A peer as the daemon wants to be told: with what is usual, and with the policies of a client.
pub fn sent(peer: &Peer, config: &Config) -> Peer {
    let mut peer = peer.clone();
    let is_ipv4 = !address(&peer).contains(':');
    let of = address(&peer).to_owned();
    if is_client(&peer) {
        let [import_policy, export_policy] =
            [direction::IMPORT, direction::EXPORT].map(|d| config.assignment(&of, d).cloned());
        peer.apply_policy = Some(ApplyPolicy { export_policy, import_policy });
    }
    if let Some(conf) = &mut peer.conf {
        conf.r#type = i32::from(conf.local_asn != conf.peer_asn);
    }
    let transport = peer.transport.get_or_insert_default();
    if transport.local_address.is_empty() {
        transport.local_address = if is_ipv4 { "0.0.0.0" } else { "::" }.to_owned();
    }
    if peer.afi_safis.is_empty() {
        peer.afi_safis = vec![crate::config::family(is_ipv4)];
    }
    for family in &mut peer.afi_safis {
        let of = family.config.as_ref().and_then(|c| c.family.clone());
        if let Some(limit) = &mut family.prefix_limits {
            limit.family = of;
        }
    }
    peer
}

/// Everything that the routes of each peer go through, so that it can be compared.
struct Passage<'a> {
    config: &'a Config,
    sets: BTreeMap<(i32, &'a str), &'a DefinedSet>,
    /// The statements of each table and direction.
    tables: BTreeMap<(&'a str, i32), Vec<Limited<'a>>>,
}

/// A statement and the one address it is limited to; none when it may decide about any peer.
type Limited<'a> = (Option<&'a str>, &'a Statement);

/// What a peer's routes go through: the statements with their sets, and what happens to the rest.
type Through<'a> = (i32, Vec<(&'a Statement, Vec<&'a DefinedSet>)>);

impl<'a> Passage<'a> {
    fn of(config: &'a Config) -> Self {
        let sets = config.defined_sets.iter().map(|s| ((s.defined_type, s.name.as_str()), s)).collect();
        let policies: BTreeMap<&str, &Policy> = config.policies.iter().map(|p| (p.name.as_str(), p)).collect();
        let mut out = Self { config, sets, tables: BTreeMap::new() };
        for assignment in &config.assignments {
            let assigned = assignment.policies.iter().filter_map(|p| policies.get(p.name.as_str()));
            let statements = assigned.flat_map(|p| &p.statements).map(|s| (out.limited_to(s), s)).collect();
            out.tables.insert((&assignment.name, assignment.direction), statements);
        }
        out
    }

    fn through(&self, peer: &Peer, direction: i32) -> Through<'a> {
        let of = address(peer);
        let table = if is_client(peer) { of } else { GLOBAL };
        let rest = self.config.assignment(table, direction).map_or(action::NONE, |a| a.default_action);
        let statements = self.tables.get(&(table, direction)).into_iter().flatten();
        let concerned = statements.filter(|(only, _)| only.is_none_or(|only| only == of));
        (rest, concerned.map(|(_, statement)| (*statement, self.sets_of(statement))).collect())
    }

    fn set(&self, kind: i32, of: Option<&MatchSet>) -> Option<&'a DefinedSet> {
        self.sets.get(&(kind, of?.name.as_str())).copied()
    }

    fn sets_of(&self, statement: &Statement) -> Vec<&'a DefinedSet> {
        let Some(c) = &statement.conditions else { return Vec::new() };
        let all = [
            (defined::PREFIX, &c.prefix_set),
            (defined::NEIGHBOR, &c.neighbor_set),
            (defined::AS_PATH, &c.as_path_set),
            (defined::COMMUNITY, &c.community_set),
            (defined::EXT_COMMUNITY, &c.ext_community_set),
            (defined::LARGE_COMMUNITY, &c.large_community_set),
        ];
        all.into_iter().filter_map(|(kind, of)| self.set(kind, of.as_ref())).collect()
    }

    /// The one peer that a statement decides about. Ours name one; of others it is not known.
    fn limited_to(&self, statement: &Statement) -> Option<&'a str> {
        let of = statement.conditions.as_ref()?.neighbor_set.as_ref().filter(|of| of.r#type == matching::ANY)?;
        let [only] = &self.set(defined::NEIGHBOR, Some(of))?.list[..] else { return None };
        let (host, length) = only.split_once('/')?;
        let is_host = length == if host.contains(':') { "128" } else { "32" };
        is_host.then_some(host)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use meetme_agent::router::{BgpSession, Desired, Policy as Wanted, PrefixRange, Term, Verdict};
    use meetme_base::Asn;

    use super::*;
    use crate::render::render;

    fn asn(n: i64) -> Asn {
        Asn::try_from(n).unwrap()
    }

    fn session(key: &str, peer: &str) -> BgpSession {
        BgpSession::new(key.parse().unwrap(), asn(64500), peer.parse().unwrap(), asn(64501))
    }

    fn router(sessions: Vec<BgpSession>) -> Desired {
        Desired { sessions, ..Desired::new("edge1", Ipv4Addr::new(192, 0, 2, 1), asn(64500)) }
    }

    fn two() -> Desired {
        router(vec![session("s1", "192.0.2.2"), session("s2", "192.0.2.3")])
    }

    /// The steps between two wishes in short.
    fn between(from: &Desired, to: &Desired) -> Vec<String> {
        short(&steps(&render(from).unwrap(), &render(to).unwrap()))
    }

    fn short(steps: &[Step]) -> Vec<String> {
        let one = |step: &Step| match step {
            Step::Stop => "stop".to_owned(),
            Step::Start(global) => format!("start {}", global.asn),
            Step::RemovePeer(peer) => format!("remove {}", address(peer)),
            Step::Policies { assign, first, .. } => format!("policies {} {first:?}", assign.len()),
            Step::AddPeer(peer) => format!("add {}", address(peer)),
            Step::UpdatePeer(peer) => format!("update {}", address(peer)),
            Step::Switch { address, on } => format!("switch {address} {on}"),
            Step::RemoveNetwork(net) => format!("remove {net}"),
            Step::AddNetwork(net) => format!("add {net}"),
            Step::RefreshIn(address) => format!("refresh in {address}"),
            Step::RefreshOut(peer) => format!("refresh out {}", address(peer)),
        };
        steps.iter().map(one).collect()
    }

    #[test]
    fn an_empty_daemon_is_started_and_gets_policies_before_peers() {
        let all = short(&steps(&Config::default(), &render(&two()).unwrap()));
        let policies = r#"policies 2 ["meetme-export", "meetme-import"]"#;
        assert_eq!(all, ["start 64500", policies, "add 192.0.2.2", "add 192.0.2.3"]);
    }

    #[test]
    fn a_daemon_that_is_to_have_nothing_to_do_is_emptied_and_goes_on() {
        let mut from = two();
        from.networks.push("203.0.113.0/24".parse().unwrap());
        let all = short(&steps(&render(&from).unwrap(), &Config::default()));
        assert_eq!(all, ["remove 192.0.2.2", "remove 192.0.2.3", "policies 2 []", "remove 203.0.113.0/24"]);
        assert_eq!(steps(&Config::default(), &Config::default()), []);
    }

    #[test]
    fn equal_configurations_have_no_way_between_them() {
        assert_eq!(between(&two(), &two()), Vec::<String>::new());
    }

    #[test]
    fn a_changed_policy_touches_no_other_session() {
        let mut to = two();
        let net = PrefixRange::exact("198.51.100.0/24".parse().unwrap());
        to.sessions[0].import.terms = vec![Term { prefixes: vec![net], then: Verdict::Accept, ..Term::default() }];
        assert_eq!(between(&two(), &to), ["policies 0 []", "refresh in 192.0.2.2"]);
        let mut narrower = to.clone();
        narrower.sessions[0].import.terms[0].prefixes = vec![PrefixRange::exact("203.0.113.0/24".parse().unwrap())];
        narrower.sessions[1].export = Wanted::accept_all();
        let steps = between(&to, &narrower);
        assert_eq!(steps, ["policies 0 []", "refresh in 192.0.2.2", "refresh out 192.0.2.3"]);
    }

    #[test]
    fn limits_timers_and_the_switch_leave_a_session_up_and_nothing_else_does() {
        let changed = |change: fn(&mut Desired)| {
            let mut to = two();
            change(&mut to);
            between(&two(), &to)
        };
        assert_eq!(changed(|w| w.sessions[0].max_prefixes = Some(9)), ["update 192.0.2.2"]);
        assert_eq!(changed(|w| w.sessions[0].enabled = false), ["switch 192.0.2.2 false"]);
        assert_eq!(changed(|w| w.timers.hold = Some(30)), ["update 192.0.2.2", "update 192.0.2.3"]);
        for change in [
            (|w| w.sessions[0].peer_asn = asn(64502)) as fn(&mut Desired),
            |w| w.sessions[0].ttl = 3,
            |w| w.sessions[0].passive = true,
            |w| w.sessions[0].local_address = Some("192.0.2.1".parse().unwrap()),
            |w| w.sessions[0].password = Some(meetme_agent::WireSecret::new("x")),
        ] {
            assert_eq!(changed(change), ["remove 192.0.2.2", "add 192.0.2.2"]);
        }
        assert_eq!(changed(|w| drop(w.sessions.pop())), ["remove 192.0.2.3", "policies 0 []"]);
        let other = changed(|w| w.asn = asn(64510));
        assert_eq!((other[0].as_str(), other[1].as_str(), other.len()), ("stop", "start 64510", 5));
    }

    #[test]
    fn a_client_comes_with_its_policies_and_brings_its_routes_through_new_ones() {
        let client = |accepts: bool| {
            let mut one = session("s1", "192.0.2.2");
            one.route_server_client = true;
            one.import = if accepts { Wanted::accept_all() } else { Wanted::reject_all() };
            router(vec![one])
        };
        let to = render(&client(false)).unwrap();
        let all = steps(&Config::default(), &to);
        let Some(Step::AddPeer(peer)) = all.last() else { panic!("{all:?}") };
        let policy = peer.apply_policy.as_ref().unwrap().import_policy.as_ref().unwrap();
        assert_eq!((policy.policies[0].name.as_str(), policy.default_action), ("peer_s1-import", action::REJECT));
        assert_eq!(between(&client(false), &client(true)), ["policies 0 []", "refresh in 192.0.2.2"]);
    }
}

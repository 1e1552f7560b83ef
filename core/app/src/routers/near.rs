//! What sessions inherit: from their AS, their group or exchange, their link and their router.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
};

use meetme_base::{Asn, Id, IfAddr, IpNet, RawId, Secret};
use meetme_model::{
    Admin, LifeStatus, Peer, Phase, Wanted,
    fabric::{Block, Circuit, Leg},
    metal::Device,
    routing::{
        AutonomousSystem, Bfd, Community, DirectSession, Exchange, ExchangeLink, ExchangeSession, PeerGroup, Policy,
        Relationship, Router,
    },
};
use meetme_store::{Filter, Object, Tx};
use serde_json::{Map, Value as Json};

use super::{
    Asks, Purpose, SessionId, SessionState, Words,
    words::{Between, Speaker, words},
};
use crate::{App, Error, contexts};

/// What sessions refer to, each row read once.
pub(super) struct Near {
    systems: HashMap<Id<AutonomousSystem>, Object<AutonomousSystem>>,
    groups: HashMap<Id<PeerGroup>, Object<PeerGroup>>,
    exchanges: HashMap<Id<Exchange>, Object<Exchange>>,
    links: HashMap<Id<ExchangeLink>, Object<ExchangeLink>>,
    legs: HashMap<Id<Leg>, Object<Leg>>,
    circuits: HashMap<Id<Circuit>, Object<Circuit>>,
    devices: HashMap<Id<Device>, Object<Device>>,
    policies: HashMap<Id<Policy>, Object<Policy>>,
    communities: HashMap<Id<Community>, Object<Community>>,
    timers: HashMap<Id<Bfd>, Object<Bfd>>,
    relationships: HashMap<Id<Relationship>, Object<Relationship>>,
    /// Shared data for templates, by what they are assigned to.
    assigned: HashMap<RawId, Map<String, Json>>,
}

impl Near {
    pub fn read(
        app: &App,
        tx: &mut Tx<'_>,
        router: &Object<Router>,
        links: &[Object<ExchangeLink>],
        legs: &[Object<Leg>],
        direct: &[Object<DirectSession>],
        across: &[Object<ExchangeSession>],
    ) -> Result<Self, Error> {
        let mut links: HashMap<_, _> = links.iter().map(|l| (l.id, l.clone())).collect();
        let further = direct.iter().filter_map(|s| s.spec.link).filter(|id| !links.contains_key(id));
        let further = tx.many(further.collect::<Vec<_>>())?;
        links.extend(further);
        let mut legs: HashMap<_, _> = legs.iter().map(|l| (l.id, l.clone())).collect();
        let further = direct.iter().filter_map(|s| s.spec.leg).filter(|id| !legs.contains_key(id));
        let further = tx.many(further.collect::<Vec<_>>())?;
        legs.extend(further);
        let exchanges = tx.many(links.values().filter_map(|l| l.spec.exchange))?;
        let groups = tx.many(direct.iter().filter_map(|s| s.spec.group))?;
        let systems = direct.iter().flat_map(|s| [s.spec.local, s.spec.remote]).flatten();
        let systems = systems.chain(across.iter().map(|s| s.spec.remote));
        let systems = systems.chain(exchanges.values().map(|e| e.spec.local)).chain(router.spec.local);
        let systems = tx.many(systems)?;
        let peers = || direct.iter().map(|s| &s.spec.peer).chain(across.iter().map(|s| &s.spec.peer));
        let mut policies: HashSet<Id<Policy>> =
            peers().flat_map(|p| p.import.iter().chain(&p.export)).copied().collect();
        policies.extend(systems.values().flat_map(|s| s.spec.import.iter().chain(&s.spec.export)));
        policies.extend(groups.values().flat_map(|g| g.spec.import.iter().chain(&g.spec.export)));
        policies.extend(exchanges.values().flat_map(|e| e.spec.import.iter().chain(&e.spec.export)));
        let policies = tx.many(policies)?;
        let mut communities: HashSet<Id<Community>> = peers().flat_map(|p| p.communities.iter()).copied().collect();
        communities.extend(&router.spec.communities);
        communities.extend(systems.values().flat_map(|s| &s.spec.communities));
        communities.extend(groups.values().flat_map(|g| &g.spec.communities));
        communities.extend(exchanges.values().flat_map(|e| &e.spec.communities));
        communities.extend(policies.values().flat_map(|p| &p.spec.communities));
        let communities = tx.many(communities)?;
        let timers = tx.many(peers().filter_map(|p| p.bfd).collect::<Vec<_>>())?;
        let circuits = tx.many(legs.values().map(|l| l.spec.circuit))?;
        let devices = tx.many(direct.iter().filter_map(|s| s.spec.device))?;
        let relationships = tx.many(direct.iter().filter_map(|s| s.spec.relationship))?;
        let speakers = direct.iter().map(|s| s.id.any()).chain(across.iter().map(|s| s.id.any()));
        let speakers = speakers.chain(systems.keys().map(|id| id.any())).chain(groups.keys().map(|id| id.any()));
        let speakers = speakers.chain(exchanges.keys().map(|id| id.any())).chain([router.id.any()]);
        let assigned = contexts::assigned(app, tx, speakers.collect::<Vec<_>>())?;
        Ok(Self {
            systems,
            groups,
            exchanges,
            links,
            legs,
            circuits,
            devices,
            policies,
            communities,
            timers,
            relationships,
            assigned,
        })
    }

    /// What is said of a session by itself, its AS, what is above it, and its router.
    fn words(
        &self,
        own: Speaker<'_>,
        remote: Option<&Object<AutonomousSystem>>,
        above: Option<Speaker<'_>>,
        router: &Object<Router>,
        between: Between<'_>,
    ) -> Result<Words, String> {
        let remote = remote.map(|r| (r.id.any(), r.spec.context.as_ref()));
        let router = (router.id.any(), router.spec.context.as_ref());
        let speakers: Vec<Speaker<'_>> = [Some(own), remote, above, Some(router)].into_iter().flatten().collect();
        words(&speakers, &self.assigned, between)
    }

    pub fn router_asn(&self, router: &Object<Router>, links: &[Object<ExchangeLink>]) -> Option<Asn> {
        let of_link = || links.iter().find_map(|l| self.exchange(l)).map(|e| e.spec.local);
        let local = |id| self.systems.get(&id).map(|s| s.spec.asn);
        router.spec.asn.or_else(|| router.spec.local.and_then(local)).or_else(|| of_link().and_then(local))
    }

    fn exchange(&self, link: &Object<ExchangeLink>) -> Option<&Object<Exchange>> {
        self.exchanges.get(&link.spec.exchange?)
    }

    pub fn exchange_session(
        &self,
        app: &App,
        router: &Object<Router>,
        session: Object<ExchangeSession>,
    ) -> Result<Option<SessionState>, Error> {
        let Some(link) = self.links.get(&session.spec.link) else { return Ok(None) };
        let Some(exchange) = self.exchange(link) else { return Ok(None) };
        if !session.spec.peer.admin.is_configured() || !is_there(link.spec.life.wanted, &link.status.life) {
            return Ok(None);
        }
        let Some(local_asn) = self.systems.get(&exchange.spec.local).map(|s| s.spec.asn) else { return Ok(None) };
        let peer = &session.spec.peer;
        let remote = self.systems.get(&session.spec.remote);
        let v4 = session.spec.ip.is_ipv4();
        let above = Above {
            import: &exchange.spec.import,
            export: &exchange.spec.export,
            communities: &exchange.spec.communities,
        };
        let name = remote.map_or_else(|| format!("AS{}", peer.asn), |r| r.spec.name.clone());
        let import = self.merged(&peer.import, remote.map(|r| r.spec.import.as_slice()), above.import, session.spec.ip);
        let between = Between {
            relationship: None,
            is_route_server: session.spec.route_server,
            is_internal: local_asn == peer.asn,
        };
        let of_exchange = (exchange.id.any(), exchange.spec.context.as_ref());
        let own = (session.id.any(), peer.context.as_ref());
        let words = self.words(own, remote, Some(of_exchange), router, between);
        Ok(Some(SessionState {
            of: SessionId::Exchange(session.id),
            key: format!("s{}", session.id),
            description: peer.description.clone().unwrap_or(name),
            admin: inherited(peer.admin, [Some(exchange.spec.admin), Some(link.spec.admin), Some(router.spec.admin)]),
            local_asn,
            local_ip: if v4 { link.spec.ip4 } else { link.spec.ip6 }.map(IfAddr::ip),
            peer_asn: peer.asn,
            peer_ip: session.spec.ip,
            password: opened(app, peer)?,
            ttl: peer.ttl,
            passive: peer.passive,
            route_server: session.spec.route_server,
            max_prefixes: limit(peer, remote, v4),
            system: Some(session.spec.remote),
            asks: Asks::of(&import),
            registered: None,
            import,
            export: self.merged(&peer.export, remote.map(|r| r.spec.export.as_slice()), above.export, session.spec.ip),
            communities: self.marks(peer, remote, above.communities, router),
            bfd: peer.bfd.and_then(|id| self.timers.get(&id)).cloned(),
            words,
            purpose: Purpose::Peering,
        }))
    }

    pub fn direct_session(
        &self,
        app: &App,
        tx: &mut Tx<'_>,
        router: &Object<Router>,
        router_asn: Option<Asn>,
        session: Object<DirectSession>,
        out: &mut Vec<SessionState>,
    ) -> Result<(), Error> {
        let spec = &session.spec;
        let peer = &spec.peer;
        let (link, leg) = (spec.link.and_then(|id| self.links.get(&id)), spec.leg.and_then(|id| self.legs.get(&id)));
        let device = spec.device.and_then(|id| self.devices.get(&id));
        let circuit = leg.and_then(|l| self.circuits.get(&l.spec.circuit));
        let elsewhere = spec.router.is_some_and(|r| r != router.id);
        let is_wanted = peer.admin.is_configured()
            && !elsewhere
            && link.is_none_or(|l| is_there(l.spec.life.wanted, &l.status.life))
            && leg.is_none_or(|l| !l.spec.off && is_built(&l.status.life))
            && circuit.is_none_or(|c| is_there(c.spec.life.wanted, &c.status))
            && device.is_none_or(|d| is_there(d.spec.life.wanted, &d.status.life) && is_built(&d.status.life));
        let local = spec.local.and_then(|id| self.systems.get(&id)).map(|s| s.spec.asn);
        let Some(local_asn) = spec.local_asn.or(local).or(router_asn).filter(|_| is_wanted) else { return Ok(()) };
        let remote = spec.remote.and_then(|id| self.systems.get(&id));
        let group = spec.group.and_then(|id| self.groups.get(&id));
        let peer_ip = spec.ip.ip();
        let v4 = peer_ip.is_ipv4();
        let of_link = link.and_then(|l| if v4 { l.spec.ip4 } else { l.spec.ip6 });
        let locals: Vec<Option<IpAddr>> = if spec.locals.is_empty() {
            vec![spec.local_ip.or(of_link).map(IfAddr::ip)]
        } else {
            spec.locals.iter().copied().map(Some).collect()
        };
        let purpose = match (circuit, device) {
            (Some(circuit), _) => Purpose::Circuit { accepted: circuit.spec.prefixes_allowed.clone() },
            (None, Some(_)) => {
                Purpose::Device { accepted: blocks_of(tx, session.tenant, v4)?, default_route: spec.default_route }
            }
            (None, None) => Purpose::Peering,
        };
        let no_policies: &[Id<Policy>] = &[];
        let import = group.map_or(no_policies, |g| &g.spec.import);
        let export = group.map_or(no_policies, |g| &g.spec.export);
        let communities = group.map_or(&[][..], |g| &g.spec.communities);
        let name = remote.map_or_else(|| format!("AS{}", peer.asn), |r| r.spec.name.clone());
        let admins = [group.map(|g| g.spec.admin), link.map(|l| l.spec.admin), Some(router.spec.admin)];
        let import = self.merged(&peer.import, remote.map(|r| r.spec.import.as_slice()), import, peer_ip);
        let relationship = spec.relationship.and_then(|id| self.relationships.get(&id));
        let between = Between {
            relationship: relationship.map(|r| r.spec.slug.as_str()),
            is_route_server: false,
            is_internal: local_asn == peer.asn,
        };
        let of_group = group.map(|g| (g.id.any(), g.spec.context.as_ref()));
        let words = self.words((session.id.any(), peer.context.as_ref()), remote, of_group, router, between);
        for (n, local_ip) in locals.into_iter().enumerate() {
            let key = if n == 0 { format!("s{}", session.id) } else { format!("s{}_{}", session.id, n + 1) };
            out.push(SessionState {
                of: SessionId::Direct(session.id),
                key,
                description: peer.description.clone().unwrap_or_else(|| name.clone()),
                admin: inherited(peer.admin, admins),
                local_asn,
                local_ip,
                peer_asn: peer.asn,
                peer_ip,
                password: opened(app, peer)?,
                ttl: peer.ttl,
                passive: peer.passive,
                route_server: false,
                max_prefixes: limit(peer, remote, v4),
                system: spec.remote,
                asks: Asks::of(&import),
                registered: None,
                import: import.clone(),
                export: self.merged(&peer.export, remote.map(|r| r.spec.export.as_slice()), export, peer_ip),
                communities: self.marks(peer, remote, communities, router),
                bfd: peer.bfd.and_then(|id| self.timers.get(&id)).cloned(),
                words: words.clone(),
                purpose: purpose.clone(),
            });
        }
        Ok(())
    }

    /// Policies of the session, then of the AS, then of the group or exchange; each once, at its first place. Those of the
    /// other address family are left out.
    fn merged(
        &self,
        own: &[Id<Policy>],
        of_system: Option<&[Id<Policy>]>,
        of_above: &[Id<Policy>],
        ip: IpAddr,
    ) -> Vec<Object<Policy>> {
        let all = own.iter().chain(of_system.unwrap_or_default()).chain(of_above);
        first_of_each(all).filter_map(|id| self.policies.get(&id)).filter(|p| p.spec.fits(ip)).cloned().collect()
    }

    /// Communities in the order of policies, then the router's.
    fn marks(
        &self,
        peer: &Peer,
        remote: Option<&Object<AutonomousSystem>>,
        of_above: &[Id<Community>],
        router: &Object<Router>,
    ) -> Vec<Object<Community>> {
        let of_system = remote.map(|r| r.spec.communities.as_slice()).unwrap_or_default();
        let all = peer.communities.iter().chain(of_system).chain(of_above).chain(&router.spec.communities);
        first_of_each(all).filter_map(|id| self.communities.get(&id)).cloned().collect()
    }
}

/// What a group or an exchange gives its sessions.
struct Above<'a> {
    import: &'a [Id<Policy>],
    export: &'a [Id<Policy>],
    communities: &'a [Id<Community>],
}

fn first_of_each<'a, R: 'a>(ids: impl Iterator<Item = &'a Id<R>>) -> impl Iterator<Item = Id<R>> {
    let mut seen = HashSet::new();
    ids.copied().filter(move |id| seen.insert(*id))
}

/// Whether a thing is wanted and not being taken down.
fn is_there(wanted: Wanted, life: &LifeStatus) -> bool {
    wanted == Wanted::Up && !matches!(life.phase, Phase::Off | Phase::Removing | Phase::Gone)
}

/// Whether a leg or device is far enough, and not too far, for its sessions to be configured.
fn is_built(life: &LifeStatus) -> bool {
    match life.phase {
        Phase::Building | Phase::Ready | Phase::Up | Phase::Down | Phase::Changing | Phase::Ending => true,
        // A change that failed leaves the old service standing.
        Phase::Failed => life.step.as_deref() == Some("change"),
        Phase::Draft | Phase::Asking | Phase::Queued | Phase::Off | Phase::Removing | Phase::Gone => false,
    }
}

/// A session that is on follows what it hangs on: off weighs more than maintenance, maintenance more than being on. A
/// session's own wish to be off or in maintenance stands.
fn inherited(own: Admin, from: [Option<Admin>; 3]) -> Admin {
    let weight = |admin: Admin| match admin {
        Admin::Disabled => 4,
        Admin::Maintenance => 3,
        Admin::PreMaintenance => 2,
        Admin::PostMaintenance => 1,
        _ => 0,
    };
    from.into_iter().flatten().fold(own, |now, next| if weight(next) > weight(now) { next } else { now })
}

/// The session's limit, else its AS's; 0 is no limit.
fn limit(peer: &Peer, remote: Option<&Object<AutonomousSystem>>, v4: bool) -> Option<u32> {
    let own = if v4 { peer.max4 } else { peer.max6 };
    let of_system = remote.map(|r| if v4 { r.spec.max4 } else { r.spec.max6 });
    own.or(of_system).filter(|n| *n > 0)
}

fn opened(app: &App, peer: &Peer) -> Result<Option<Secret<String>>, Error> {
    peer.password.as_ref().map(|sealed| app.sealer().open(sealed)).transpose()
}

/// The prefixes of a tenant's blocks that a machine of its may announce.
fn blocks_of(tx: &mut Tx<'_>, tenant: RawId, v4: bool) -> Result<Vec<IpNet>, Error> {
    let filter = Filter::eq("tenant", tenant).and(Filter::eq("family", if v4 { 4 } else { 6 }));
    let blocks = tx.all::<Block>(filter)?;
    Ok(blocks.into_iter().filter(|b| b.status.phase != Phase::Gone).filter_map(|b| b.spec.prefix).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_off_weighs_more_than_maintenance_and_that_more_than_being_on() {
        use Admin::{Disabled, Enabled, Maintenance};
        assert_eq!(inherited(Enabled, [None, Some(Enabled), Some(Enabled)]), Enabled);
        assert_eq!(inherited(Enabled, [Some(Maintenance), None, Some(Enabled)]), Maintenance);
        assert_eq!(inherited(Enabled, [Some(Maintenance), Some(Disabled), None]), Disabled);
        assert_eq!(inherited(Disabled, [Some(Maintenance), None, Some(Enabled)]), Disabled);
        assert_eq!(inherited(Maintenance, [Some(Enabled), None, None]), Maintenance);
    }

    #[test]
    fn a_session_is_configured_while_what_carries_it_is_there() {
        let life =
            |phase, step: Option<&str>| LifeStatus { phase, step: step.map(str::to_owned), ..LifeStatus::default() };
        for phase in [Phase::Building, Phase::Up, Phase::Changing, Phase::Ending] {
            assert!(is_built(&life(phase, None)) && is_there(Wanted::Up, &life(phase, None)), "{phase:?}");
        }
        for phase in [Phase::Queued, Phase::Off, Phase::Removing, Phase::Gone] {
            assert!(!is_built(&life(phase, None)), "{phase:?}");
        }
        assert!(is_built(&life(Phase::Failed, Some("change"))) && !is_built(&life(Phase::Failed, Some("build"))));
        assert!(!is_there(Wanted::Gone, &life(Phase::Up, None)) && !is_there(Wanted::Off, &life(Phase::Up, None)));
    }
}

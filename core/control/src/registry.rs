//! What wakes which controller. Only the key of a changed row travels; what to do is decided from what is stored then.
//!
//! A trigger runs in the transaction that touched the row and must be cheap: it only says who should look.

use meetme_base::{Id, RawId};
use meetme_model::{
    fabric::{Address, Block, Circuit, Landing, Leg, Network, Port, Segment},
    metal::{Attachment, Batch, Device, Reservation, Server, Snapshot, SnapshotPolicy, SpotPrice, SpotRequest, Volume},
    ops::{Equipment, Family, Hook, Job},
    place::{Plan, Price},
    routing::{
        AutonomousSystem, Community, DirectSession, Exchange, ExchangeLink, ExchangeSession, PeerGroup, Policy, Router,
    },
};
use meetme_store::{Error, Filter, Op, Registry, Resource, Touched, TriggerOn, Tx};

use crate::plain::Plain;

type Woken = Result<Vec<RawId>, Error>;

/// All kinds, and what wakes which controller.
pub fn registry() -> Registry {
    let r = market(routers(meetme_model::registry()));
    let r = r
        .trigger::<Circuit>(TriggerOn::Status, "circuit", itself)
        .trigger::<Leg>(TriggerOn::Spec, "circuit", |_, t| Ok(each(t, |leg| Some(leg.circuit.any()))))
        .trigger::<DirectSession>(TriggerOn::Status, "circuit", |tx, t| {
            let legs: Vec<Id<Leg>> = t.before.into_iter().chain(t.after).filter_map(|s| s.leg).collect();
            Ok(tx.many(legs)?.into_values().map(|leg| leg.spec.circuit.any()).collect())
        })
        .trigger::<Network>(TriggerOn::Status, "circuit", |tx, t| {
            raw(tx.ids::<Circuit>(&Filter::eq("network", t.id).and(Filter::eq("phase", "queued"))))
        })
        .trigger::<Circuit>(TriggerOn::Status, "network", |_, t| Ok(each(t, |circuit| circuit.network.map(Id::any))))
        .trigger::<Landing>(TriggerOn::Status, "network", |_, t| Ok(each(t, |l| l.network.map(Id::any))))
        .trigger::<Landing>(TriggerOn::Status, "segment", |_, t| Ok(each(t, |l| Some(l.segment.any()))))
        .trigger::<Landing>(TriggerOn::Spec, "switch", |tx, t| {
            let mut out = Vec::new();
            for spec in t.before.into_iter().chain(t.after) {
                out.extend(of_landing(tx, spec)?);
            }
            Ok(out)
        })
        .trigger::<Port>(TriggerOn::Spec, "switch", |_, t| {
            Ok(each(t, |port| port.device.and(port.equipment).map(Id::any)))
        })
        .trigger::<Equipment>(TriggerOn::Spec, "switch", |_, t| {
            let is_switch = t.before.into_iter().chain(t.after).any(|e| e.family == Family::Switch);
            Ok(is_switch.then_some(t.id).into_iter().collect())
        })
        // Addresses come and go with a machine's being routed, which its interfaces are told.
        .trigger::<Address>(TriggerOn::Spec, "switch", |tx, t| {
            let devices = each(t, |address| address.device.filter(|_| address.management).map(Id::any));
            if devices.is_empty() {
                return Ok(devices);
            }
            let ports = tx.all::<Port>(Filter::is_in("device", devices))?;
            Ok(ports.into_iter().filter_map(|port| port.spec.equipment.map(Id::any)).collect())
        })
        .trigger::<Leg>(TriggerOn::Status, "port", |tx, t| ends(tx, t, Port::KIND))
        .trigger::<Leg>(TriggerOn::Status, "segment", |tx, t| ends(tx, t, Segment::KIND))
        .trigger::<Leg>(TriggerOn::Status, "ordered_router", |tx, t| ends(tx, t, Router::KIND))
        .trigger::<ExchangeLink>(TriggerOn::Status, "port", |_, t| Ok(each(t, |l| l.port.map(Id::any))))
        .trigger::<Network>(TriggerOn::Status, "ordered_router", |_, t| Ok(each(t, |n| n.router.map(Id::any))))
        .trigger::<Device>(TriggerOn::Spec, "device", itself)
        .trigger::<Batch>(TriggerOn::Spec, "batch", itself)
        .trigger::<Reservation>(TriggerOn::Spec, "reservation", itself)
        .trigger::<Device>(TriggerOn::Status, "reservation", |_, t| Ok(each(t, |d| d.reservation.map(Id::any))))
        .trigger::<Volume>(TriggerOn::Spec, "volume", itself)
        .trigger::<Attachment>(TriggerOn::Spec, "volume", |_, t| Ok(each(t, |a| Some(a.volume.any()))))
        .trigger::<Snapshot>(TriggerOn::Spec, "volume", |_, t| Ok(each(t, |s| Some(s.volume.any()))))
        .trigger::<SnapshotPolicy>(TriggerOn::Status, "snapshot_policy", itself)
        .trigger::<Equipment>(TriggerOn::Spec, "volume", |tx, t| {
            let sites: Vec<RawId> = each(t, |e| e.site.map(Id::any));
            raw(tx.ids::<Volume>(&Filter::is_in("site", sites).and(meetme_model::living())))
        })
        .trigger::<Job>(TriggerOn::Spec, "job", itself)
        .trigger::<Hook>(TriggerOn::Spec, "hook", itself)
        .trigger::<Equipment>(TriggerOn::Spec, "device", |tx, t| {
            raw(tx.ids::<Device>(&Filter::eq("server.equipment", t.id)))
        });
    let r = plain::<Network>(r);
    let r = plain::<Segment>(r);
    let r = plain::<Landing>(r);
    let r = plain::<Port>(r);
    let r = plain::<ExchangeLink>(r);
    plain::<Router>(r)
}

/// What moves the prices of the spot market, and what the prices move.
fn market(r: Registry) -> Registry {
    r.trigger::<Plan>(TriggerOn::Spec, "spot_market", itself)
        .trigger::<Price>(TriggerOn::Spec, "spot_market", |_, t| Ok(each(t, |price| Some(price.of))))
        .trigger::<Server>(TriggerOn::Spec, "spot_market", |_, t| Ok(each(t, |server| Some(server.plan.any()))))
        .trigger::<Reservation>(TriggerOn::Spec, "spot_market", |_, t| Ok(each(t, |r| Some(r.plan.any()))))
        .trigger::<SpotRequest>(TriggerOn::Status, "spot_market", |_, t| Ok(each(t, |r| Some(r.wish.plan.any()))))
        .trigger::<Device>(TriggerOn::Spec, "spot_market", |_, t| {
            // Of what can change about a machine, this is what others are waiting for.
            let facts = |d: &Device| (d.server, d.spot.clone(), d.life.wanted, d.life.gone_at);
            let is_same = t.before.map(facts) == t.after.map(facts);
            Ok(if is_same { Vec::new() } else { each(t, |device| Some(device.plan.any())) })
        })
        .trigger::<SpotRequest>(TriggerOn::Spec, "spot_request", itself)
        .trigger::<SpotPrice>(TriggerOn::Status, "spot_request", |tx, t| {
            let plan = t.after.or(t.before).map(|price| price.plan);
            raw(tx.ids::<SpotRequest>(&plan.map_or(Filter::Never, |plan| Filter::eq("plan", plan))))
        })
        .trigger::<Device>(TriggerOn::Status, "spot_request", |_, t| Ok(each(t, |device| device.request.map(Id::any))))
}

/// A thing with a life of its own: also what an operation says of its phase wakes its controller.
fn plain<R: Plain>(r: Registry) -> Registry {
    r.trigger::<R>(TriggerOn::Status, R::CONTROLLER, |_, t| {
        let is_ordered = t.after.or(t.before).is_some_and(Plain::is_ordered);
        Ok(is_ordered.then_some(t.id).into_iter().collect())
    })
}

/// Everything that appears in the configuration of a router.
fn routers(r: Registry) -> Registry {
    r.trigger::<Router>(TriggerOn::Spec, "router", |_, t| {
        let has_box = t.before.into_iter().chain(t.after).any(|r| r.equipment.is_some());
        Ok(has_box.then_some(t.id).into_iter().collect())
    })
    .trigger::<Equipment>(TriggerOn::Spec, "router", |tx, t| raw(tx.ids::<Router>(&Filter::eq("equipment", t.id))))
    .trigger::<ExchangeLink>(TriggerOn::Status, "router", |tx, t| driven(tx, each(t, |l| l.router.map(Id::any))))
    .trigger::<ExchangeSession>(TriggerOn::Spec, "router", |tx, t| {
        let links = t.before.into_iter().chain(t.after).map(|s| s.link).collect();
        of_links(tx, links)
    })
    .trigger::<DirectSession>(TriggerOn::Spec, "router", |tx, t| {
        let mut out = Vec::new();
        for session in t.before.into_iter().chain(t.after) {
            out.extend(of_session(tx, session)?);
        }
        driven(tx, out)
    })
    .trigger::<Leg>(TriggerOn::Status, "router", |tx, t| driven(tx, each(t, |l| l.router.map(Id::any))))
    .trigger::<Circuit>(TriggerOn::Status, "router", |tx, t| {
        raw(tx.ids::<Leg>(&Filter::eq("circuit", t.id))).and_then(|legs| {
            let legs = tx.many::<Leg>(legs.into_iter().map(RawId::of))?;
            driven(tx, legs.into_values().filter_map(|l| l.spec.router).map(Id::any).collect())
        })
    })
    .trigger::<Device>(TriggerOn::Status, "router", |tx, t| of_sessions(tx, Filter::eq("device", t.id)))
    .trigger::<Server>(TriggerOn::Spec, "router", |tx, t| of_sessions(tx, Filter::eq("device.server", t.id)))
    .trigger::<Block>(TriggerOn::Spec, "router", |tx, t| {
        let Some(block) = tx.find::<Block>(t.id.of())? else { return Ok(Vec::new()) };
        of_sessions(tx, Filter::eq("tenant", block.tenant).and(Filter::is("device", Op::Empty(false))))
    })
    .trigger::<AutonomousSystem>(TriggerOn::Spec, "router", |tx, t| {
        // Nothing hangs on a row that was made just now.
        if t.before.is_none() { Ok(Vec::new()) } else { of_system(tx, t.id) }
    })
    .trigger::<PeerGroup>(TriggerOn::Spec, "router", |tx, t| of_sessions(tx, Filter::eq("group", t.id)))
    .trigger::<Exchange>(TriggerOn::Spec, "router", |tx, t| {
        let links = tx.ids::<ExchangeLink>(&Filter::eq("exchange", t.id))?;
        of_links(tx, links)
    })
    .trigger::<Policy>(TriggerOn::Spec, "router", |tx, t| of_policy(tx, t.id))
    .trigger::<Community>(TriggerOn::Spec, "router", |tx, t| {
        let mut out = wearing(tx, Filter::eq("communities", t.id))?;
        out.extend(raw(tx.ids::<Router>(&Filter::eq("communities", t.id)))?);
        for policy in tx.ids::<Policy>(&Filter::eq("communities", t.id))? {
            out.extend(of_policy(tx, policy.any())?);
        }
        driven(tx, out)
    })
}

fn itself<R: Resource>(_: &mut Tx<'_>, touched: &Touched<'_, R>) -> Woken {
    Ok(vec![touched.id])
}

/// The switches that are told of a landing.
fn of_landing(tx: &mut Tx<'_>, landing: &Landing) -> Woken {
    let ports: Vec<Id<Port>> = match landing.port {
        Some(port) => vec![port],
        None if landing.gateway => {
            let beside = tx.all::<Landing>(Filter::eq("segment", landing.segment))?;
            beside.into_iter().filter_map(|l| l.spec.port).collect()
        }
        None => Vec::new(),
    };
    if ports.is_empty() {
        return Ok(Vec::new());
    }
    let patched = Filter::is_in("id", ports.iter().copied()).or(Filter::is_in("leader", ports));
    Ok(tx.all::<Port>(patched)?.into_iter().filter_map(|port| port.spec.equipment.map(Id::any)).collect())
}

fn raw<R>(ids: Result<Vec<Id<R>>, Error>) -> Woken {
    Ok(ids?.into_iter().map(Id::any).collect())
}

/// What a row points at, before and after.
fn each<R: Resource>(touched: &Touched<'_, R>, get: impl Fn(&R) -> Option<RawId>) -> Vec<RawId> {
    touched.before.into_iter().chain(touched.after).filter_map(get).collect()
}

/// The ends of a leg that are of this kind.
fn ends(tx: &mut Tx<'_>, touched: &Touched<'_, Leg>, kind: meetme_base::Kind) -> Woken {
    let legs = touched.before.into_iter().chain(touched.after);
    let mut out = Vec::new();
    for id in legs.flat_map(|l| [l.a.at, l.z.at]).flatten().map(|at| at.any()) {
        if tx.kind_of(id)? == Some(kind) {
            out.push(id);
        }
    }
    Ok(out)
}

/// Those of these routers that have equipment.
fn driven(tx: &mut Tx<'_>, ids: Vec<RawId>) -> Woken {
    if ids.is_empty() {
        return Ok(ids);
    }
    raw(tx.ids::<Router>(&Filter::is_in("id", ids).and(Filter::is("equipment", Op::Empty(false)))))
}

fn of_session(tx: &mut Tx<'_>, session: &DirectSession) -> Woken {
    let routers = meetme_app::routers::routers_of(tx, session).map_err(|e| Error::Bug(e.to_string()))?;
    Ok(routers.into_iter().map(Id::any).collect())
}

fn of_sessions(tx: &mut Tx<'_>, filter: Filter) -> Woken {
    let mut out = Vec::new();
    for session in tx.all::<DirectSession>(filter)? {
        out.extend(of_session(tx, &session.spec)?);
    }
    driven(tx, out)
}

fn of_links(tx: &mut Tx<'_>, links: Vec<Id<ExchangeLink>>) -> Woken {
    let links = tx.many(links)?;
    driven(tx, links.into_values().filter_map(|l| l.spec.router).map(Id::any).collect())
}

/// The routers with equipment that have to do with one of these ASs: its own, and those with sessions of it.
///
/// # Errors
/// When the database fails.
pub fn routers_of_systems(tx: &mut Tx<'_>, systems: &[Id<AutonomousSystem>]) -> Woken {
    let mut out = std::collections::BTreeSet::new();
    for system in systems {
        out.extend(of_system(tx, system.any())?);
    }
    Ok(out.into_iter().collect())
}

/// Routers of this AS, routers at exchanges where we are this AS, and routers with sessions of it.
fn of_system(tx: &mut Tx<'_>, id: RawId) -> Woken {
    // Many books only document: nobody looks through 20,000 sessions for routers that are not driven.
    if !tx.exists::<Router>(&Filter::is("equipment", Op::Empty(false)))? {
        return Ok(Vec::new());
    }
    let mut out = raw(tx.ids::<Router>(&Filter::eq("local", id)))?;
    out.extend(of_sessions(tx, Filter::eq("remote", id).or(Filter::eq("local", id)))?);
    out.extend(across(tx, Filter::eq("remote", id))?);
    let links = tx.ids::<ExchangeLink>(&Filter::eq("exchange.local", id))?;
    out.extend(of_links(tx, links)?);
    driven(tx, out)
}

/// Routers with sessions across exchanges that match. Only links are read, each once, however many sessions are on it.
fn across(tx: &mut Tx<'_>, filter: Filter) -> Woken {
    let Some(kind) = tx.registry().kind(ExchangeSession::KIND.name()) else { return Ok(Vec::new()) };
    let links = tx.targets(kind, "link", &filter)?;
    of_links(tx, links.into_iter().map(RawId::of).collect())
}

/// Routers with sessions to which a policy or a community comes by itself, its AS, its group or its exchange.
fn wearing(tx: &mut Tx<'_>, filter: Filter) -> Woken {
    let mut out = of_sessions(tx, filter.clone())?;
    out.extend(across(tx, filter.clone())?);
    for system in tx.ids::<AutonomousSystem>(&filter)? {
        out.extend(of_system(tx, system.any())?);
    }
    for group in tx.ids::<PeerGroup>(&filter)? {
        out.extend(of_sessions(tx, Filter::eq("group", group))?);
    }
    let mut links = Vec::new();
    for exchange in tx.ids::<Exchange>(&filter)? {
        links.extend(tx.ids::<ExchangeLink>(&Filter::eq("exchange", exchange))?);
    }
    out.extend(of_links(tx, links)?);
    Ok(out)
}

fn of_policy(tx: &mut Tx<'_>, id: RawId) -> Woken {
    let out = wearing(tx, Filter::eq("import", id).or(Filter::eq("export", id)))?;
    driven(tx, out)
}

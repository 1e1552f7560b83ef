//! Circuits as any door orders, designs, cancels and locks them, over a fresh store of each make.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::sync::Arc;

use meetme_app::{
    App, Error, MasterKey, Sealer, Settings,
    circuits::{self, Buy, NewCircuit, NewLeg, Whole},
    identity, networks,
};
use meetme_base::{Asn, Id, Mbps, RawId, Secret, Time, VlanId};
use meetme_model::{
    Lock, Phase, Wanted,
    access::Organization,
    fabric::{Circuit, End, Network, Port, Target, VlanTag},
    place::{Metro, Offer, Rates, Service, Site, Zone},
    routing::{AutonomousSystem, DirectSession, Relationship, Router},
};
use meetme_store::{Context, Filter, Store, Tx};
use serde_json::json;

/// Where things are in the world of a test.
#[derive(Clone)]
struct Places {
    app: App,
    node: RawId,
    top: RawId,
    metro: Id<Metro>,
    port: Id<Port>,
    network: Id<Network>,
    offer: Id<Offer>,
}

/// Runs a test inside one transaction on each make of database.
async fn on_each(test: impl Fn(&mut Tx<'_>, &Places) -> Result<(), Error> + Clone + Send + 'static) {
    for (_, open) in meetme_testdb::both() {
        let clock = Arc::new(meetme_base::ManualClock::new(Time(1_784_000_000_000)));
        let opened = (*open).clone();
        let store = std::thread::spawn(move || Store::open(&opened, meetme_model::registry(), clock)).join().unwrap();
        let sealer = Sealer::new(&MasterKey::parse(&"7".repeat(64)).unwrap());
        let app = App::new(store.unwrap(), sealer, Settings::default());
        let (inside, test) = (app.clone(), test.clone());
        let done = app.store().write::<_, Error, _>(Context::system(), move |tx| {
            let places = build(&inside, tx)?;
            test(tx, &places)
        });
        done.await.unwrap();
    }
}

fn build(app: &App, tx: &mut Tx<'_>) -> Result<Places, Error> {
    let password = Secret::new("a long password".to_owned());
    let top = identity::first(app, tx, "Operator", "root", &password)?.operator.id;
    let metro = Metro { slug: "m".into(), name: "M".into(), country: "US".into(), ..Metro::default() };
    let metro = tx.create(top.any(), metro)?.id;
    let site = Site { zones: vec![Zone::A, Zone::B], ..Site::new("s", "S", metro) };
    let site = tx.create(top.any(), site)?.id;
    for (name, zone) in [("gw-a", Zone::A), ("gw-b", Zone::B)] {
        let router = Router {
            name: name.into(),
            hostname: name.into(),
            site: Some(site),
            zone: Some(zone),
            ..Router::default()
        };
        tx.create(top.any(), router)?;
    }
    let offer = Offer {
        far: Some("aws".into()),
        rates: Some(Rates::Range { low: Mbps::try_from(1)?, high: Mbps::try_from(1000)? }),
        ..Offer::new("aws", "AWS", Service::Circuit, metro.any())
    };
    let offer = tx.create(top.any(), offer)?.id;
    let account = Organization { name: "Customer".into(), parent: Some(top), ..Organization::default() };
    let node = tx.create(top.any(), account)?.id.any();
    let port: Port = serde_json::from_value(json!({"name": "p", "rate": 10000, "site": site})).unwrap();
    let port = tx.create(node, port)?.id;
    let network = networks::create(tx, node, &networks::NewNetwork { name: "n".into(), ..Default::default() })?.id;
    Ok(Places { app: app.clone(), node, top: top.any(), metro, port, network, offer })
}

fn vlan(n: i64) -> VlanId {
    VlanId::try_from(n).unwrap()
}

/// An order of one leg from the port, with a tag, to the offer.
fn from_port(at: &Places, tag: VlanTag) -> NewCircuit {
    let circuit: Circuit = serde_json::from_value(json!({"name": "c", "rate": 100})).unwrap();
    let a = End { at: Some(Target::Port(at.port)), tag, ..End::default() };
    let far = Some(json!({"account": "000123456789"}));
    let leg = NewLeg { a, far, ..NewLeg::default() };
    NewCircuit { owner: at.node, circuit, buy: Buy::Offer(at.offer), legs: vec![leg] }
}

/// The same from the network.
fn from_network(at: &Places, redundant: bool) -> NewCircuit {
    let mut new = from_port(at, VlanTag::Choose);
    new.circuit.redundant = redundant;
    new.buy = Buy::Reach { far: "aws".to_owned(), metro: at.metro };
    new.legs[0].a = End { at: Some(Target::Network(at.network)), ..End::default() };
    if redundant {
        new.legs.push(new.legs[0].clone());
    }
    new
}

fn conflict<T>(answer: Result<T, Error>) -> &'static str {
    match answer {
        Err(Error::Conflict { code, .. }) => code,
        Err(other) => panic!("{other:?}"),
        Ok(_) => "",
    }
}

fn all_in(tx: &mut Tx<'_>, whole: &Whole, phase: Phase) -> Result<Whole, Error> {
    let now = tx.now();
    let mut whole = whole.clone();
    for leg in &mut whole.legs {
        let mut status = leg.status.clone();
        status.life = status.life.moved(phase, None, now);
        tx.observe(leg, status, None)?;
    }
    let status = whole.circuit.status.moved(phase, None, now);
    tx.observe(&mut whole.circuit, status, None)?;
    Ok(whole)
}

#[tokio::test]
async fn a_circuit_from_a_port_has_a_vlan_on_it_and_no_router() {
    on_each(|tx, at| {
        let whole = circuits::order(&at.app, tx, &from_port(at, VlanTag::Choose))?;
        let leg = &whole.legs[0].spec;
        assert_eq!((leg.a.vlan, leg.router, leg.z.at), (Some(vlan(2)), None, Some(Target::Offer(at.offer))));
        assert_eq!((whole.circuit.status.phase, whole.sessions.len()), (Phase::Queued, 0));
        assert_eq!(whole.circuit.spec.metro, Some(at.metro));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_outer_tag_is_one_circuits_or_shared_by_inner_tags() {
    on_each(|tx, at| {
        let order = |tx: &mut Tx<'_>, tag, inner: Option<i64>| {
            let mut new = from_port(at, tag);
            new.legs[0].a.inner = inner.map(vlan);
            circuits::order(&at.app, tx, &new)
        };
        order(tx, VlanTag::Vlan(vlan(10)), Some(7))?;
        order(tx, VlanTag::Vlan(vlan(10)), Some(8))?;
        assert_eq!(conflict(order(tx, VlanTag::Vlan(vlan(10)), Some(8))), "vlan_taken");
        assert_eq!(conflict(order(tx, VlanTag::Vlan(vlan(10)), None)), "vlan_taken");
        assert_eq!(conflict(order(tx, VlanTag::Untagged, None)), "vlan_taken");
        order(tx, VlanTag::Vlan(vlan(11)), None)?;
        assert_eq!(conflict(order(tx, VlanTag::Vlan(vlan(11)), Some(7))), "vlan_taken");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_legs_of_a_redundant_circuit_are_placed_in_different_zones() {
    on_each(|tx, at| {
        let whole = circuits::order(&at.app, tx, &from_network(at, true))?;
        let mut zones = Vec::new();
        for leg in &whole.legs {
            zones.push(tx.get(leg.spec.router.unwrap())?.spec.zone);
        }
        assert_eq!(zones, [Some(Zone::A), Some(Zone::B)]);
        assert_eq!(whole.sessions.len(), 2);
        // The far side's AS is written into the book of whoever runs the routers, once.
        let systems = tx.all::<AutonomousSystem>(Filter::eq("asn", 64_512))?;
        assert_eq!(systems.iter().map(|s| s.tenant).collect::<Vec<_>>(), [at.top]);
        assert!(whole.sessions.iter().all(|s| s.tenant == at.node && s.spec.remote == Some(systems[0].id)));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_session_says_what_its_peer_is_where_the_operator_has_a_word_for_it() {
    on_each(|tx, at| {
        let slug = |tx: &mut Tx<'_>, whole: &Whole| -> Result<Option<String>, Error> {
            match whole.sessions[0].spec.relationship {
                Some(id) => Ok(Some(tx.get::<Relationship>(id)?.spec.slug)),
                None => Ok(None),
            }
        };
        let to_port = || {
            let mut new = from_network(at, false);
            new.circuit.bgp.asn = Some(Asn::try_from(64_600)?);
            new.buy = Buy::Path(Some(at.metro));
            new.legs[0].far = None;
            new.legs[0].z = End { at: Some(Target::Port(at.port)), ..End::default() };
            Ok::<_, Error>(new)
        };
        let cloud = circuits::order(&at.app, tx, &from_network(at, false))?;
        assert_eq!(slug(tx, &cloud)?.as_deref(), Some("cloud"));
        let customer = circuits::order(&at.app, tx, &to_port()?)?;
        assert_eq!(slug(tx, &customer)?.as_deref(), Some("customer"));
        // A partner is neither.
        let mut offer = tx.get(at.offer)?;
        let spec = Offer { far: Some("partner".into()), ..offer.spec.clone() };
        tx.save(&mut offer, spec)?;
        let mut new = from_network(at, false);
        new.circuit.bgp.asn = Some(Asn::try_from(64_601)?);
        new.buy = Buy::Reach { far: "partner".to_owned(), metro: at.metro };
        let partner = circuits::order(&at.app, tx, &new)?;
        assert_eq!(slug(tx, &partner)?, None);
        // An installation from before there were any goes on without.
        for whole in [cloud, customer] {
            tx.remove(whole.sessions[0].id)?;
        }
        for id in tx.ids::<Relationship>(&Filter::All)? {
            tx.remove(id)?;
        }
        let later = circuits::order(&at.app, tx, &to_port()?)?;
        assert_eq!(slug(tx, &later)?, None);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_redundant_circuit_needs_a_gateway_in_each_zone() {
    on_each(|tx, at| {
        let mut router = tx.one::<Router>(&Filter::eq("zone", "b"))?.unwrap();
        let spec = Router { admin: meetme_model::Admin::Maintenance, ..router.spec.clone() };
        tx.save(&mut router, spec)?;
        assert_eq!(conflict(circuits::order(&at.app, tx, &from_network(at, true))), "no_gateway");
        assert_eq!(conflict(circuits::order(&at.app, tx, &from_network(at, false))), "");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_design_claims_nothing_until_it_is_ordered() {
    on_each(|tx, at| {
        let mut new = from_network(at, false);
        new.circuit.life.wanted = Wanted::Draft;
        let draft = circuits::order(&at.app, tx, &new)?;
        assert_eq!((draft.circuit.status.phase, draft.legs[0].spec.router), (Phase::Draft, None));
        assert_eq!(tx.held_by(draft.legs[0].id.any())?, []);
        let ordered = circuits::submit(&at.app, tx, draft.circuit.id)?;
        assert_eq!(ordered.circuit.status.phase, Phase::Queued);
        assert!(ordered.legs[0].spec.router.is_some() && ordered.sessions.len() == 1);
        assert_eq!(conflict(circuits::submit(&at.app, tx, draft.circuit.id)), "not_draft");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn an_order_that_needs_a_yes_waits_for_it() {
    on_each(|tx, at| {
        let mut offer = tx.get(at.offer)?;
        let spec = Offer { needs_approval: true, ..offer.spec.clone() };
        tx.save(&mut offer, spec)?;
        let one = circuits::order(&at.app, tx, &from_network(at, false))?;
        let two = circuits::order(&at.app, tx, &from_network(at, false))?;
        assert_eq!(one.circuit.status.phase, Phase::Asking);
        assert_eq!(circuits::answer(tx, one.circuit.id, true)?.circuit.status.phase, Phase::Queued);
        assert_eq!(circuits::answer(tx, two.circuit.id, false)?.circuit.status.phase, Phase::Gone);
        assert_eq!(tx.held_by(two.legs[0].id.any())?, []);
        assert_eq!(conflict(circuits::answer(tx, one.circuit.id, true)), "not_asking");
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_cancellation_for_later_can_be_taken_back() {
    on_each(|tx, at| {
        let whole = circuits::order(&at.app, tx, &from_network(at, false))?;
        all_in(tx, &whole, Phase::Up)?;
        let id = whole.circuit.id;
        let day = tx.now().plus_seconds(86_400);
        let ending = circuits::cancel(tx, id, Some(day))?;
        assert_eq!((ending.circuit.status.phase, ending.circuit.spec.life.gone_at), (Phase::Ending, Some(day)));
        let back = circuits::restore(tx, id)?;
        assert_eq!((back.circuit.status.phase, back.circuit.spec.life.gone_at), (Phase::Up, None));
        assert_eq!(conflict(circuits::restore(tx, id)), "not_ending");
        let going = circuits::cancel(tx, id, None)?;
        assert!(going.legs.iter().all(|leg| leg.status.life.phase == Phase::Removing));
        circuits::bury(tx, id)?;
        assert!(matches!(circuits::get(tx, id), Err(Error::Missing { .. })));
        assert_eq!(tx.count::<DirectSession>(&Filter::All)?, 0);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_locked_circuit_is_neither_removed_nor_disrupted_but_renamed() {
    on_each(|tx, at| {
        let whole = circuits::order(&at.app, tx, &from_network(at, false))?;
        all_in(tx, &whole, Phase::Up)?;
        let id = whole.circuit.id;
        circuits::lock(tx, id, Lock::Owner)?;
        assert_eq!(conflict(circuits::cancel(tx, id, None)), "locked");
        assert_eq!(conflict(networks::remove(tx, at.network)), "locked");
        let slower = circuits::change(&at.app, tx, id, |c| c.circuit.bgp.max_prefix = Some(50));
        assert_eq!(conflict(slower), "locked");
        let named = circuits::change(&at.app, tx, id, |c| c.circuit.name = "new".to_owned())?;
        assert_eq!(named.circuit.spec.name, "new");
        circuits::lock(tx, id, Lock::None)?;
        assert_eq!(conflict(circuits::cancel(tx, id, None)), "");
        Ok(())
    })
    .await;
}

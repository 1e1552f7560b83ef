//! Who could be peered with, against a model that asks row by row, over worlds made by dice.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use meetme_app::{Error, identity, peering::meeting};
use meetme_base::{Asn, Id, IfAddr, ManualClock, RawId, Secret, Time};
use meetme_model::{
    Peer,
    access::Organization,
    mirror::{HiddenPeer, PdbExchange, PdbLan, PdbNetwork, PdbOrg, PdbPort},
    routing::{AutonomousSystem, Exchange, ExchangeLink, ExchangeSession},
};
use meetme_store::{Context, Filter, Object, Query, Store, Tx};
use serde_json::{Value, json};

const NOW: Time = Time(1_784_000_000_000);

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: i64) -> i64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        i64::try_from((x ^ (x >> 31)) % sides.unsigned_abs()).unwrap()
    }
    fn one_in(&mut self, sides: i64) -> bool {
        self.roll(sides) == 0
    }
}

fn row<R: meetme_store::Resource>(value: Value) -> R {
    serde_json::from_value(value).unwrap()
}

fn asn(network: i64) -> Asn {
    Asn::try_from(200_000 + network).unwrap()
}

fn v4(lan: i64, host: i64) -> Ipv4Addr {
    Ipv4Addr::new(10, u8::try_from(lan).unwrap(), 0, u8::try_from(host).unwrap())
}

fn v6(lan: i64, host: i64) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0x7f8, u16::try_from(lan).unwrap(), 0, 0, 0, 0, u16::try_from(host).unwrap())
}

const LANS: i64 = 3;
const NETWORKS: i64 = 6;

/// Two books with exchanges, several to a network, several connections to an exchange, some sessions, some hidden peers.
fn build(tx: &mut Tx<'_>, dice: &mut Dice) -> Result<Vec<RawId>, Error> {
    let old = tx.ids::<Organization>(&Filter::eq("form", "operator"))?;
    let top = old[0].any();
    let org = tx.create(top, row::<PdbOrg>(json!({"id": 1, "name": "O"})))?.id;
    for n in 1..=LANS {
        let ix = json!({"id": n, "org_id": 1, "org": org, "name": format!("X{n}")});
        let ix = tx.create(top, row::<PdbExchange>(ix))?.id;
        tx.create(top, row::<PdbLan>(json!({"id": n, "ix_id": n, "ix": ix})))?;
    }
    let nets =
        (1..=NETWORKS).map(|n| row(json!({"id": n, "org_id": 1, "org": org, "asn": asn(n), "name": format!("N{n}")})));
    let nets = tx.create_many::<PdbNetwork>(top, nets.collect())?;
    let mut ports = Vec::new();
    for number in 1..=18 {
        let (net, lan) = (dice.roll(NETWORKS) + 1, dice.roll(LANS) + 1);
        let shelf = tx.one::<PdbLan>(&Filter::eq("pdb_id", lan))?.unwrap().id;
        let families = dice.roll(4);
        ports.push(row::<PdbPort>(json!({
            "id": number, "net_id": net, "net": nets[usize::try_from(net - 1).unwrap()], "ixlan_id": lan, "ixlan": shelf, "asn": asn(net),
            "ipaddr4": (families != 1).then(|| v4(lan, number)), "ipaddr6": (families != 2).then(|| v6(lan, number)),
        })));
    }
    tx.create_many(top, ports.clone())?;
    let mut books = Vec::new();
    for name in ["a", "b"] {
        let book = tx
            .create(top, Organization { name: name.into(), parent: Some(top.of()), ..Organization::default() })?
            .id
            .any();
        books.push(book);
        let mut systems = Vec::new();
        for n in 1..=NETWORKS {
            systems.push(tx.create(book, AutonomousSystem::new(asn(n), "S"))?.id);
        }
        for n in 0..4 {
            let local = systems[usize::try_from(dice.roll(NETWORKS)).unwrap()];
            let lan = (!dice.one_in(5)).then(|| dice.roll(LANS) + 1);
            let name = format!("ix{n}");
            let exchange = Exchange { pdb_lan: lan, ..Exchange::new(&*name, &*name, local) };
            let exchange = tx.create(book, exchange)?.id;
            for host in 0..dice.roll(4) {
                let families = dice.roll(4);
                let at = lan.unwrap_or(9);
                let link = ExchangeLink {
                    exchange: Some(exchange),
                    ip4: (families & 1 == 0).then(|| format!("{}/24", v4(at, 100 + host)).parse::<IfAddr>().unwrap()),
                    ip6: (families & 2 == 0).then(|| format!("{}/64", v6(at, 100 + host)).parse::<IfAddr>().unwrap()),
                    ..ExchangeLink::default()
                };
                let link = tx.create(book, link)?.id;
                for port in ports.iter().filter(|port| port.ixlan_id == lan) {
                    for ip in meeting::addresses(port) {
                        if dice.one_in(3) {
                            continue;
                        }
                        let spec = ExchangeSession {
                            peer: Peer { asn: port.asn, ..Peer::default() },
                            remote: systems[usize::try_from(port.asn.get() - 200_001).unwrap()],
                            link,
                            ip,
                            route_server: false,
                            tags: Vec::new(),
                        };
                        tx.create(book, spec)?;
                    }
                }
            }
        }
        let mut pairs = BTreeSet::new();
        for _ in 0..4 {
            let (network, lan) = (dice.roll(NETWORKS) + 1, dice.roll(LANS) + 1);
            let until =
                [None, Some(NOW.plus_seconds(5)), Some(NOW.plus_seconds(-5))][usize::try_from(dice.roll(3)).unwrap()];
            if pairs.insert((network, lan)) {
                tx.create(book, HiddenPeer { network: Some(network), lan: Some(lan), until, comments: String::new() })?;
            }
        }
    }
    Ok(books)
}

/// What one port at one exchange comes to, asked row by row.
type Naive = (Id<Exchange>, i64, bool, BTreeSet<(Id<ExchangeLink>, IpAddr)>);

fn naive(tx: &mut Tx<'_>, exchange: &Object<Exchange>) -> Result<Vec<Naive>, Error> {
    let mut out = Vec::new();
    let Some(lan) = exchange.spec.pdb_lan else { return Ok(out) };
    let own = tx.get(exchange.spec.local)?.spec.asn;
    let mut ports = tx.list::<PdbPort>(&Query::of(Filter::All))?;
    ports.sort_by_key(|port| (port.spec.asn, port.spec.pdb_id));
    for port in ports {
        if port.spec.ixlan_id != Some(lan) || port.spec.asn == own {
            continue;
        }
        let (mut missing, mut possible) = (BTreeSet::new(), 0);
        for link in tx.list::<ExchangeLink>(&Query::of(Filter::eq("exchange", exchange.id)))? {
            for ip in port.spec.ipaddr4.map(IpAddr::from).into_iter().chain(port.spec.ipaddr6.map(IpAddr::from)) {
                let has = if ip.is_ipv4() { link.spec.ip4.is_some() } else { link.spec.ip6.is_some() };
                if !has && (link.spec.ip4.is_some() || link.spec.ip6.is_some()) {
                    continue;
                }
                possible += 1;
                let session = Filter::eq("link", link.id).and(Filter::eq("ip", ip));
                if !tx.exists::<ExchangeSession>(&session)? {
                    missing.insert((link.id, ip));
                }
            }
        }
        let hidden = tx.list::<HiddenPeer>(&Query::of(Filter::eq("tenant", exchange.tenant)))?.into_iter().any(|row| {
            row.spec.network == port.spec.net_id
                && row.spec.lan == Some(lan)
                && row.spec.until.is_none_or(|until| until > NOW)
        });
        let open = !hidden && (possible == 0 || !missing.is_empty());
        out.push((exchange.id, port.spec.pdb_id, open, missing));
    }
    Ok(out)
}

fn agrees(tx: &mut Tx<'_>, seed: u64) -> Result<usize, Error> {
    let books = build(tx, &mut Dice(seed))?;
    let mut seen = 0;
    for book in books {
        let exchanges = tx.list::<Exchange>(&Query::of(Filter::eq("tenant", book)))?;
        // One question for all of them, and one for each.
        let together = meeting::meetings(tx, &exchanges, None)?;
        for exchange in &exchanges {
            let wanted = naive(tx, exchange)?;
            let form = |meeting: &meeting::Meeting| -> Naive {
                let missing = meeting.missing.iter().map(|session| (session.link, session.ip)).collect();
                (meeting.exchange, meeting.port.spec.pdb_id, meeting.is_open(), missing)
            };
            let of_set: Vec<Naive> = together.iter().filter(|m| m.exchange == exchange.id).map(form).collect();
            assert_eq!(of_set, wanted, "seed {seed}, exchange {} among all", exchange.id);
            let alone = meeting::meetings(tx, std::slice::from_ref(exchange), None)?;
            assert_eq!(
                alone.iter().map(form).collect::<Vec<_>>(),
                wanted,
                "seed {seed}, exchange {} alone",
                exchange.id
            );
            let open = meeting::available(tx, std::slice::from_ref(exchange))?;
            assert_eq!(open.len(), wanted.iter().filter(|(.., open, _)| *open).count());
            seen += wanted.len();
        }
        for n in 1..=NETWORKS {
            let ours =
                tx.one::<AutonomousSystem>(&Filter::eq("tenant", book).and(Filter::eq("asn", asn(n))))?.unwrap().id;
            for m in 1..=NETWORKS {
                let of_ours = || exchanges.iter().filter(|row| row.spec.local == ours);
                let shared = meeting::shared_exchanges(tx, ours, asn(m))?;
                let shared: BTreeSet<_> =
                    shared.into_iter().filter(|row| row.tenant == book).map(|row| row.id).collect();
                let mut wanted = BTreeSet::new();
                for row in of_ours() {
                    let ports = tx.list::<PdbPort>(&Query::of(Filter::eq("asn", asn(m))))?;
                    if ports.iter().any(|port| port.spec.ixlan_id.is_some() && port.spec.ixlan_id == row.spec.pdb_lan) {
                        wanted.insert(row.id);
                    }
                }
                assert_eq!(shared, wanted, "seed {seed}: AS{} with AS{}", asn(n), asn(m));
            }
        }
    }
    Ok(seen)
}

#[tokio::test]
async fn one_question_for_all_exchanges_answers_as_many_questions_row_by_row() {
    for (make, open) in meetme_testdb::both() {
        let clock = Arc::new(ManualClock::new(NOW));
        let opened = (*open).clone();
        let store =
            std::thread::spawn(move || Store::open(&opened, meetme_model::registry(), clock)).join().unwrap().unwrap();
        let sealer = meetme_app::Sealer::new(&meetme_app::MasterKey::parse(&"7".repeat(64)).unwrap());
        let app = meetme_app::App::new(store.clone(), sealer, meetme_app::Settings::default());
        let first = store.write::<_, Error, _>(Context::system(), move |tx| {
            identity::first(&app, tx, "Operator", "root", &Secret::new("a long password".to_owned())).map(|_| ())
        });
        first.await.unwrap();
        let mut seen = 0;
        for seed in 1..=12 {
            // Each world is thrown away again.
            let context = Context { dry_run: true, ..Context::system() };
            seen += store.write::<_, Error, _>(context, move |tx| agrees(tx, seed)).await.unwrap();
        }
        assert!(seen > 200, "{make}: {seen} meetings are no proof");
    }
}

//! The filter language means the same in SQL and in memory, on both databases.

use std::{cell::Cell, net::IpAddr};

use meetme_base::{IfAddr, RawId, Time};
use meetme_store::{Context, Error, Filter, Op, Path, Query, Value};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{
    kinds::{Cable, Device, DeviceStatus, Org, Site, registry},
    world::{World, answer, on_both},
};

const WORDS: &[&str] = &[
    "",
    "a",
    "A",
    "ab",
    "aB c",
    "ß",
    "SS",
    "ſ",
    "İ",
    "ı",
    "é",
    "e\u{301}",
    "日本",
    "%",
    "_",
    "a%b",
    "\u{ffff}",
    "'",
    "\\",
    "\u{1f600}",
    "-",
    "Σας",
];
const IPS: &[&str] = &["10.0.0.1", "9.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "0.0.0.0"];
const NETS: &[&str] = &["10.0.0.0/8", "10.0.0.0/9", "10.0.0.1/8", "::/0", "2001:db8::/32", "0.0.0.0/0"];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => proptest::sample::select(&["", "a", "A", "ab"][..]).prop_map(str::to_owned),
        4 => proptest::sample::select(WORDS).prop_map(str::to_owned),
        2 => (proptest::sample::select(WORDS), proptest::sample::select(WORDS)).prop_map(|(a, b)| format!("{a} {b}")),
        1 => "\\PC{0,4}",
    ]
}

/// What is asked for may hold what no row can.
fn asked() -> impl Strategy<Value = String> {
    prop_oneof![12 => word(), 1 => Just("a\0".to_owned()), 1 => Just("\0".to_owned())]
}

fn ip() -> impl Strategy<Value = IpAddr> {
    proptest::sample::select(IPS).prop_map(|s| s.parse().unwrap())
}

fn net() -> impl Strategy<Value = IfAddr> {
    proptest::sample::select(NETS).prop_map(|s| s.parse().unwrap())
}

fn int() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -2..3i64, 1 => Just(i64::MAX), 1 => Just(i64::MIN)]
}

/// A device whose references are places in the list of sites and devices before it.
#[derive(Clone, Debug)]
struct Row {
    spec: Device,
    status: DeviceStatus,
    site: Option<usize>,
    spare: Option<usize>,
    near: Option<usize>,
    peers: Vec<usize>,
    deep: bool,
}

fn row() -> impl Strategy<Value = Row> {
    let fields = (
        word(),
        proptest::option::of(word()),
        proptest::option::of(int()),
        proptest::option::of(any::<bool>()),
        proptest::option::of(net()),
        proptest::option::of(int().prop_map(|n| Time(n.clamp(-1000, 1000)))),
        proptest::collection::vec(word(), 0..3),
        (word(), proptest::option::of(int())),
    );
    let references = (
        proptest::option::weighted(0.8, 0..3usize),
        proptest::option::weighted(0.8, 0..4usize),
        proptest::option::weighted(0.8, 0..4usize),
        proptest::collection::vec(0..5usize, 0..3),
        any::<bool>(),
    );
    (fields, references).prop_map(
        |((name, label, size, on, net, since, tags, (state, load)), (site, spare, near, peers, deep))| Row {
            spec: Device { name, label, size, on, net, since, tags, ..Device::default() },
            status: DeviceStatus { state, load, lost: false },
            site,
            spare,
            near,
            peers,
            deep,
        },
    )
}

fn order(value: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Op> {
    prop_oneof![
        value.clone().prop_map(Op::Eq),
        proptest::collection::vec(value.clone(), 0..3).prop_map(Op::In),
        value.clone().prop_map(Op::Lt),
        value.clone().prop_map(Op::Le),
        value.clone().prop_map(Op::Gt),
        value.prop_map(Op::Ge),
        any::<bool>().prop_map(Op::Empty),
    ]
}

fn text_op() -> BoxedStrategy<Op> {
    prop_oneof![
        2 => order(asked().prop_map(Value::Text).boxed()),
        1 => asked().prop_map(Op::Contains),
        1 => asked().prop_map(Op::Starts),
        1 => asked().prop_map(Op::Ends),
        1 => asked().prop_map(Op::EqFold),
        1 => asked().prop_map(Op::ContainsFold),
        1 => asked().prop_map(Op::StartsFold),
        1 => asked().prop_map(Op::EndsFold),
    ]
    .boxed()
}

fn ref_op() -> BoxedStrategy<Op> {
    let id = (0..16i64).prop_map(Value::Ref);
    prop_oneof![
        id.clone().prop_map(Op::Eq),
        proptest::collection::vec(id, 0..4).prop_map(Op::In),
        any::<bool>().prop_map(Op::Empty)
    ]
    .boxed()
}

/// A comparison of one field of a device.
fn own() -> BoxedStrategy<(String, Op)> {
    let named = |names: &'static [&'static str], op: BoxedStrategy<Op>| {
        (proptest::sample::select(names), op).prop_map(|(name, op)| (name.to_owned(), op)).boxed()
    };
    let tags = prop_oneof![asked().prop_map(Op::Has), any::<bool>().prop_map(Op::Empty)].boxed();
    let bools =
        prop_oneof![any::<bool>().prop_map(|b| Op::Eq(Value::Bool(b))), any::<bool>().prop_map(Op::Empty)].boxed();
    prop_oneof![
        4 => named(&["name", "label", "state"], text_op()),
        2 => named(&["size", "load"], order(int().prop_map(Value::Int).boxed()).boxed()),
        1 => named(&["version"], order((0..4i64).prop_map(Value::Int).boxed()).boxed()),
        1 => named(&["on"], bools),
        1 => named(&["ip"], order(ip().prop_map(Value::Ip).boxed()).boxed()),
        1 => named(&["net"], order(net().prop_map(|n| Value::Net(n.0)).boxed()).boxed()),
        1 => named(&["since"], order((-3..3i64).prop_map(|n| Value::Time(Time(n))).boxed()).boxed()),
        1 => named(&["tags"], tags),
        2 => named(&["site", "spare", "near", "peers", "id", "tenant", "host"], ref_op()),
    ]
    .boxed()
}

fn leaf() -> BoxedStrategy<Filter> {
    let across = (proptest::collection::vec(proptest::sample::select(&["spare", "peers", "host"][..]), 0..3), own())
        .prop_map(|(way, (last, op))| (way.iter().map(|s| (*s).to_owned()).chain([last]).collect::<Vec<_>>(), op));
    let to_site =
        (proptest::sample::select(&["site.name", "site.label", "spare.site.label", "peers.site.name"][..]), text_op())
            .prop_map(|(path, op)| (path.split('.').map(str::to_owned).collect::<Vec<_>>(), op));
    let polymorphic = prop_oneof![
        (proptest::sample::select(&["near.name", "near.label", "peers.near.name"][..]), text_op()),
        (proptest::sample::select(&["near.size", "near.floor"][..]), order(int().prop_map(Value::Int).boxed()).boxed()),
    ]
    .prop_map(|(path, op)| (path.split('.').map(str::to_owned).collect::<Vec<_>>(), op));
    let is = prop_oneof![5 => across, 2 => to_site, 2 => polymorphic].prop_map(|(path, op)| Filter::Is(Path(path), op));
    prop_oneof![
        16 => is,
        1 => Just(Filter::All),
        1 => Just(Filter::Never),
        2 => word().prop_map(Filter::Text),
        1 => (0..3i64).prop_map(|n| Filter::Below(RawId::new(n))),
        1 => (0..3i64).prop_map(|n| Filter::Above(RawId::new(n))),
    ]
    .boxed()
}

fn filter() -> impl Strategy<Value = Filter> {
    leaf().prop_recursive(4, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::Or),
            inner.prop_map(|f| Filter::Not(Box::new(f))),
        ]
    })
}

/// Puts the rows into the database, on two nodes; answers the ids of everything.
fn fill(w: &World, sites: &[(String, Option<i64>, Option<String>)], rows: &[Row]) -> Vec<RawId> {
    let (root, sites, rows) = (w.org, sites.to_vec(), rows.to_vec());
    w.write(move |tx| {
        let deep = tx.create(root, Org::named("deep"))?.id.any();
        let mut places = Vec::new();
        for (n, (name, floor, label)) in sites.iter().enumerate() {
            let spec = Site { name: format!("{name}{n}"), floor: *floor, label: label.clone() };
            places.push(tx.create(if n % 2 == 0 { root } else { deep }, spec)?.id.any());
        }
        let mut devices: Vec<RawId> = Vec::new();
        for (n, row) in rows.iter().enumerate() {
            let site = |at: Option<usize>| at.and_then(|at| places.get(at)).copied();
            let device = |at: Option<usize>| at.and_then(|at| devices.get(at)).copied();
            let spec = Device {
                site: site(row.site),
                spare: device(row.spare),
                host: device(row.near),
                near: if n % 2 == 0 { site(row.near) } else { device(row.near) },
                peers: row.peers.iter().filter_map(|at| device(Some(*at))).collect(),
                ip: (n < IPS.len() && n % 3 > 0).then(|| IPS[n].parse().unwrap()),
                // The pair of site and name is unique.
                name: if row.site.is_some() { format!("{}{n}", row.spec.name) } else { row.spec.name.clone() },
                ..row.spec.clone()
            };
            let on = if row.deep { deep } else { root };
            devices.push(tx.create_as(on, meetme_base::Uid::random(), spec, row.status.clone())?.id.any());
        }
        Ok([vec![root, deep], places, devices].concat())
    })
    .unwrap()
}

/// A filter speaks of objects by their place in the list of all of them, as it is made before they are.
fn resolve(filter: &Filter, ids: &[RawId]) -> Filter {
    let at = |n: i64| ids[usize::try_from(n).unwrap() % ids.len()];
    let value = |v: &Value| if let Value::Ref(n) = v { Value::Ref(at(*n).get()) } else { v.clone() };
    let all = |list: &[Filter]| list.iter().map(|f| resolve(f, ids)).collect();
    match filter {
        Filter::And(list) => Filter::And(all(list)),
        Filter::Or(list) => Filter::Or(all(list)),
        Filter::Not(inner) => Filter::Not(Box::new(resolve(inner, ids))),
        Filter::Below(node) => Filter::Below(at(node.get())),
        Filter::Above(node) => Filter::Above(at(node.get())),
        Filter::Is(path, Op::Eq(v)) => Filter::Is(path.clone(), Op::Eq(value(v))),
        Filter::Is(path, Op::In(list)) => Filter::Is(path.clone(), Op::In(list.iter().map(value).collect())),
        other => other.clone(),
    }
}

/// The rows of one case are gone before the next: a run has hundreds of cases and one database.
fn clear(w: &World) {
    w.write(|tx| {
        for id in tx.ids::<Device>(&Filter::All)? {
            if tx.find(id)?.is_some() {
                tx.remove(id)?;
            }
        }
        for id in tx.ids::<Site>(&Filter::All)? {
            tx.remove(id)?;
        }
        for org in tx.all::<Org>(Filter::eq("name", "deep"))? {
            tx.remove(org.id)?;
        }
        Ok(())
    })
    .unwrap();
}

/// The ids that match in SQL and those that match in memory.
fn ask(w: &World, filter: &Filter) -> (Vec<RawId>, Vec<RawId>) {
    let filter = filter.clone();
    let both = w.store.read(Context::system(), move |tx| {
        let kind = tx.registry().kind("device").expect("registered");
        let sql: Vec<RawId> = tx.ids::<Device>(&filter)?.into_iter().map(meetme_base::Id::any).collect();
        let mut memory = Vec::new();
        for object in tx.list_any(kind, &Query::of(Filter::All))? {
            if tx.holds(&filter, &object)? {
                memory.push(object.id);
            }
        }
        Ok::<_, Error>((sql, memory))
    });
    answer(both).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_filter_finds_the_same_rows_in_sql_and_in_memory() {
    on_both(|w| {
        let config =
            ProptestConfig { cases: 60, failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() };
        let site = (word(), proptest::option::of(int()), proptest::option::of(word()));
        let world = (
            proptest::collection::vec(site, 1..4),
            proptest::collection::vec(row(), 4..12),
            proptest::collection::vec(filter(), 12),
        );
        let (some, all) = (Cell::new(0), Cell::new(0));
        TestRunner::new(config)
            .run(&world, |(sites, rows, filters)| {
                let ids = fill(w, &sites, &rows);
                let filters = filters.iter().map(|f| resolve(f, &ids));
                let answers: Vec<_> = filters.map(|f| (ask(w, &f), f)).collect();
                clear(w);
                for ((sql, memory), filter) in answers {
                    all.set(all.get() + 1);
                    some.set(some.get() + i32::from(!sql.is_empty() && sql.len() < rows.len()));
                    prop_assert_eq!(&sql, &memory, "{} {:?}", w.name, filter);
                }
                Ok(())
            })
            .unwrap();
        let (some, all) = (some.get(), all.get());
        // A test whose filters find nothing, or everything, would agree for no reason.
        assert!(some * 10 > all, "only {some} of {all} filters parted the rows");
    });
}

#[test]
fn filters_that_do_not_fit_the_kind_are_refused() {
    on_both(|w| {
        for filter in [
            Filter::eq("nothing", 1),
            Filter::eq("name", 1),
            Filter::eq("size", "1"),
            Filter::eq("site.nothing", 1),
            Filter::eq("name.more", 1),
            Filter::eq("near.on", 1),
            Filter::is("tags", Op::Eq("a".into())),
            Filter::is("size", Op::Contains("1".into())),
            Filter::is("on", Op::Lt(true.into())),
            Filter::is("name", Op::Has("a".into())),
            Filter::eq("size", Value::Null),
            Filter::Not(Box::new(Filter::Or(vec![Filter::eq("", 1)]))),
            (0..200).fold(Filter::All, |f, _| Filter::And(vec![f])),
        ] {
            let asked = filter.clone();
            let out = w.read(move |tx| tx.count::<Device>(&asked));
            assert!(matches!(out, Err(Error::Invalid(_))), "{filter:?}: {out:?}");
        }
    });
}

#[test]
fn long_lists_and_deep_trees_are_no_trouble() {
    on_both(|w| {
        let site = w.site("a");
        w.device("d", &site);
        assert_eq!(w.names(Filter::is_in("id", (0..50_000).map(Value::Ref))), ["d"]);
        assert_eq!(
            w.names((0..44).fold(Filter::eq("name", "d"), |f, _| Filter::Not(Box::new(Filter::And(vec![f]))))).len(),
            1
        );
        let wide =
            Filter::Or((0..500).map(|n| Filter::eq("name", n.to_string())).chain([Filter::eq("name", "d")]).collect());
        assert_eq!(w.names(wide), ["d"]);
    });
}

#[test]
fn a_search_finds_words_by_their_beginnings_whatever_their_case() {
    on_both(|w| {
        let spec =
            Device {
                name: "Zürich West".into(), tags: vec!["AS64500".into(), "日本語".into()], ..Device::default()
            };
        w.create(spec);
        w.create(Device { name: "Bern".into(), ..Device::default() });
        for (text, found) in [
            ("zür", 1),
            ("WEST zürich", 1),
            ("est", 0),
            ("as645", 1),
            ("日本", 1),
            ("本", 0),
            ("zürich bern", 0),
            ("", 2),
            ("* ' \" :", 2),
            ("west'; --", 1),
        ] {
            assert_eq!(w.names(Filter::Text(text.into())).len(), found, "{text}");
        }
    });
}

#[test]
fn a_filter_over_many_references_asks_for_one_that_fits() {
    on_both(|w| {
        let ids: Vec<RawId> =
            ["a", "b"].map(|n| w.create(Device { name: n.into(), ..Device::default() }).id.any()).to_vec();
        let (org, spec) = (w.org, Cable { name: "c".into(), via: vec![], ends: ids });
        w.write(move |tx| tx.create(org, spec.clone())).unwrap();
        let count = |f: Filter| w.read(move |tx| tx.count::<Cable>(&f)).unwrap();
        assert_eq!(count(Filter::eq("ends.name", "b")), 1);
        assert_eq!(count(Filter::eq("ends.name", "b").not()), 0);
        assert_eq!(count(Filter::eq("ends.name", "a").and(Filter::eq("ends.name", "b"))), 1);
        assert_eq!(count(Filter::is("ends.label", Op::Empty(true))), 1);
        assert_eq!(count(Filter::is("via", Op::Empty(true))), 1);
        assert_eq!(count(Filter::is("via.name", Op::Empty(true))), 0);
        assert_eq!(registry().kinds().count(), 6);
    });
}

//! Orders and pages.

use std::cmp::Ordering;

use meetme_store::{Error, Filter, Object, Order, Query};

use crate::{
    kinds::{Device, Site},
    world::{Dice, World, on_both},
};

fn fill(w: &World) {
    let org = w.org;
    w.write(move |tx| {
        let mut dice = Dice(3);
        let sites = ["b", "a", "ä", "B", ""]
            .map(|name| tx.create(org, Site { floor: (name != "a").then_some(3), ..Site::named(name) }));
        let sites = sites.into_iter().collect::<Result<Vec<_>, Error>>()?;
        for n in 0..80 {
            let label = ["z", "Z", "", "é", "e", "日"][dice.roll(6) as usize];
            let spec = Device {
                name: format!("{n}"),
                label: (dice.roll(3) > 0).then(|| label.to_owned()),
                size: (dice.roll(3) > 0).then(|| dice.roll(3) as i64 - 1),
                net: ["10.0.0.0/8", "10.0.0.0/9", "9.0.0.0/8", "2001:db8::/32", "255.0.0.1/32"][dice.roll(5) as usize]
                    .parse()
                    .ok(),
                site: (dice.roll(4) > 0).then(|| sites[dice.roll(5) as usize].id.any()),
                ..Device::default()
            };
            tx.create(org, spec)?;
        }
        Ok(())
    })
    .unwrap();
}

fn list(w: &World, query: Query) -> Vec<Object<Device>> {
    w.read(move |tx| tx.list::<Device>(&query)).unwrap()
}

#[test]
fn several_keys_decide_in_turn_with_nulls_first_and_ties_by_id() {
    on_both(|w| {
        fill(w);
        let order = vec![Order::up("label"), Order::down("size")];
        let got = list(w, Query::of(Filter::All).order(order));
        let mut wanted = got.clone();
        wanted.sort_by(|a, b| {
            let label = a.spec.label.as_ref().map(String::as_bytes).cmp(&b.spec.label.as_ref().map(String::as_bytes));
            label.then(b.spec.size.cmp(&a.spec.size)).then(a.id.cmp(&b.id))
        });
        assert_eq!(got, wanted);
        assert_eq!(got.len(), 80);
        assert!(got[0].spec.label.is_none());
    });
}

#[test]
fn an_order_may_cross_a_reference() {
    on_both(|w| {
        fill(w);
        let names =
            w.read(|tx| Ok(tx.all::<Site>(Filter::All)?.into_iter().map(|s| (s.id.any(), s.spec)).collect::<Vec<_>>()));
        let names = names.unwrap();
        let name =
            |d: &Object<Device>| d.spec.site.and_then(|id| names.iter().find(|n| n.0 == id).map(|n| n.1.name.clone()));
        let got = list(w, Query::of(Filter::All).order(vec![Order::down("site.name"), Order::up("net")]));
        let mut wanted = got.clone();
        let net = |d: &Object<Device>| d.spec.net.map(|n| n.0);
        wanted.sort_by(|a, b| name(b).cmp(&name(a)).then(net(a).cmp(&net(b))).then(a.id.cmp(&b.id)));
        assert_eq!(got, wanted);
        assert_eq!(got.last().map(|d| d.spec.site.is_none()), Some(true));
    });
}

#[test]
fn networks_sort_by_family_address_and_length() {
    on_both(|w| {
        fill(w);
        let got = list(w, Query::of(Filter::All).order(vec![Order::up("net")]));
        let mut nets: Vec<String> = got.iter().map(|d| d.spec.net.unwrap().to_string()).collect();
        nets.dedup();
        assert_eq!(nets, ["9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/9", "255.0.0.1/32", "2001:db8::/32"]);
    });
}

#[test]
fn an_order_over_a_reference_to_several_kinds_takes_whichever_it_is() {
    on_both(|w| {
        let (site, device) =
            (w.site("m").id.any(), w.create(Device { name: "k".into(), ..Device::default() }).id.any());
        w.create(Device { name: "to site".into(), near: Some(site), ..Device::default() });
        w.create(Device { name: "to device".into(), near: Some(device), ..Device::default() });
        let got =
            list(w, Query::of(Filter::is("near", meetme_store::Op::Empty(false))).order(vec![Order::up("near.name")]));
        assert_eq!(got.iter().map(|d| d.spec.name.as_str()).collect::<Vec<_>>(), ["to device", "to site"]);
        // Sites have a floor, devices have none.
        let got = list(w, Query::of(Filter::All).order(vec![Order::down("near.floor")]));
        assert_eq!(got.len(), 3);
    });
}

#[test]
fn pages_show_every_row_exactly_once() {
    on_both(|w| {
        fill(w);
        let order = vec![Order::down("size"), Order::up("site.name")];
        let whole = list(w, Query::of(Filter::All).order(order.clone()));
        for page in [1u32, 7, 80, 100] {
            let mut paged = Vec::new();
            while let rows = list(w, Query::of(Filter::All).order(order.clone()).page(page, paged.len() as u64))
                && !rows.is_empty()
            {
                paged.extend(rows);
            }
            assert_eq!(paged.iter().map(|d| d.id).collect::<Vec<_>>(), whole.iter().map(|d| d.id).collect::<Vec<_>>());
        }
        assert!(list(w, Query::of(Filter::All).page(0, 0)).is_empty());
        assert!(list(w, Query::of(Filter::All).page(5, u64::MAX)).is_empty());
    });
}

#[test]
fn an_order_that_makes_no_sense_is_refused() {
    on_both(|w| {
        for path in ["nothing", "peers", "peers.name", "site.nothing", "site.name.more", ""] {
            let query = Query::of(Filter::All).order(vec![Order::up(path)]);
            let out = w.read(move |tx| tx.list::<Device>(&query));
            assert!(matches!(out, Err(Error::Invalid(_))), "{path}: {out:?}");
        }
    });
}

#[test]
fn rows_without_a_value_come_first_upwards_and_last_downwards() {
    on_both(|w| {
        fill(w);
        for (order, first) in [(Order::up("size"), true), (Order::down("size"), false)] {
            let got = list(w, Query::of(Filter::All).order(vec![order]));
            let nulls: Vec<bool> = got.iter().map(|d| d.spec.size.is_none()).collect();
            assert!(nulls.is_sorted_by(|a, b| if first {
                a.cmp(b) != Ordering::Less
            } else {
                a.cmp(b) != Ordering::Greater
            }));
            assert_eq!(nulls[0], first);
        }
    });
}

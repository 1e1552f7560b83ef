//! Many rows at once: kept, checked and logged as if each came alone.

use meetme_base::{Id, RawId};
use meetme_store::{ChangeQuery, Error, Filter, Query, Tx, Verb};

use crate::{
    kinds::{Device, Org, Site},
    world::{World, on_both},
};

fn devices(site: RawId, many: i64) -> Vec<Device> {
    let one = |n: i64| Device {
        name: format!("device {n}"),
        size: (n % 3 != 0).then_some(n),
        ip: (n % 2 == 0).then(|| format!("192.0.2.{n}").parse().unwrap()),
        tags: vec![format!("t{n}")],
        site: Some(site),
        near: Some(site),
        ..Device::default()
    };
    (0..many).map(one).collect()
}

fn make(w: &World, site: RawId, many: i64) -> Vec<Id<Device>> {
    let org = w.org;
    w.write(move |tx| tx.create_many(org, devices(site, many))).unwrap()
}

fn log(w: &World, verb: Verb) -> usize {
    let query = ChangeQuery {
        kinds: vec![w.store.registry().kind("device").unwrap().kind],
        verbs: vec![verb],
        limit: 1000,
        ..ChangeQuery::default()
    };
    w.read(move |tx| tx.changes(&query)).unwrap().len()
}

#[test]
fn many_rows_read_back_as_rows_made_one_by_one() {
    on_both(|w| {
        // More than one statement takes, and a rest of every size.
        let site = w.site("a");
        let org = w.org;
        let ids = make(w, site.id.any(), 151);
        let alone = w
            .write({
                let site = w.site("b").id.any();
                move |tx| {
                    devices(site, 151)
                        .into_iter()
                        .map(|d| Device { ip: None, ..d })
                        .map(|d| tx.create(org, d))
                        .collect::<Result<Vec<_>, _>>()
                }
            })
            .unwrap();
        let many = w
            .read(move |tx| {
                let rows = tx.many(ids.clone())?;
                Ok(ids.iter().map(|id| rows[id].clone()).collect::<Vec<_>>())
            })
            .unwrap();
        for ((a, b), wanted) in many.iter().zip(&alone).zip(devices(site.id.any(), 151)) {
            assert_eq!(a.spec, wanted);
            assert_eq!((a.version, a.seen, a.tenant, &a.status), (b.version, b.seen, b.tenant, &b.status));
        }
        assert_eq!(log(w, Verb::Create), 302);
        assert_eq!(w.names(Filter::eq("size", 7i64).and(Filter::eq("site", site.id))), ["device 7"]);
        assert_eq!(w.names(Filter::Text("device 150".to_owned()).and(Filter::eq("site", site.id))), ["device 150"]);
        assert_eq!(w.names(Filter::eq("near", site.id)).len(), 151, "references are kept");
        let refused = w.write({
            let id = site.id;
            move |tx| tx.remove(id)
        });
        assert!(matches!(refused, Err(Error::Referenced { .. })), "{refused:?}");
    });
}

#[test]
fn of_many_rows_all_are_made_or_none() {
    on_both(|w| {
        let site = w.site("a").id.any();
        let org = w.org;
        make(w, site, 10);
        let clash = w.write(move |tx| tx.create_many(org, devices(site, 20)));
        assert!(matches!(clash, Err(Error::Exists { .. })), "{clash:?}");
        let lost = w.write(move |tx| {
            let mut list = devices(site, 3);
            list[2].site = Some(RawId::new(99_999));
            list.iter_mut().for_each(|d| (d.ip, d.name) = (None, format!("lost {}", d.name)));
            tx.create_many(org, list)
        });
        assert!(matches!(&lost, Err(Error::Invalid(i)) if i.field == "site"), "{lost:?}");
        let nowhere = w.write(|tx| tx.create_many(RawId::new(77_777), vec![Device::default()]));
        assert!(matches!(&nowhere, Err(Error::Invalid(i)) if i.field == "tenant"), "{nowhere:?}");
        assert_eq!(w.names(Filter::All).len(), 10);
        let nodes = w.write(|tx| tx.create_many(RawId::new(0), vec![Org::named("x")]));
        assert!(matches!(nodes, Err(Error::Bug(_))), "{nodes:?}");
    });
}

/// Reads all devices and gives each a new spec.
fn save(w: &World, change: fn(&mut Device)) -> Result<u64, Error> {
    w.write(move |tx| {
        let rows = tx.list::<Device>(&Query::of(Filter::All))?;
        let changed = |row: meetme_store::Object<Device>| {
            let mut spec = row.spec.clone();
            change(&mut spec);
            (row, spec)
        };
        tx.save_many(rows.into_iter().map(changed).collect())
    })
}

#[test]
fn many_rows_are_changed_and_equal_ones_are_not_written() {
    on_both(|w| {
        let (a, b) = (w.site("a").id.any(), w.site("b").id.any());
        let ids = make(w, a, 90);
        assert_eq!(save(w, |_| ()).unwrap(), 0);
        assert_eq!(log(w, Verb::Update), 0);
        w.clock.step_seconds(5);
        let changed = save(w, |d| {
            if d.size.is_some_and(|n| n % 2 == 0) {
                (d.label, d.size, d.on) = (Some("ÆØÅ".to_owned()), None, Some(true));
                (d.net, d.since) = (Some("192.0.2.11/24".parse().unwrap()), Some(crate::world::START));
            }
        });
        assert_eq!(changed.unwrap(), 30);
        assert_eq!((log(w, Verb::Update), w.names(Filter::eq("label", "ÆØÅ")).len()), (30, 30));
        assert_eq!(w.names(Filter::eq("label", "ÆØÅ").and(Filter::eq("on", true))).len(), 30);
        assert_eq!(w.names(Filter::eq("since", crate::world::START)).len(), 30);
        let (second, third) = (ids[2], ids[3]);
        let rows = w.read(move |tx| Ok((tx.get(second)?, tx.get(third)?))).unwrap();
        assert_eq!((rows.0.version, rows.0.updated.0 - rows.0.created.0, rows.1.version), (2, 5000, 1));
        let moved = w.write(move |tx| {
            let rows = tx.list::<Device>(&Query::of(Filter::All))?;
            tx.save_many(
                rows.into_iter().map(|r| (r.clone(), Device { site: Some(b), near: None, ..r.spec })).collect(),
            )
        });
        assert_eq!(moved.unwrap(), 90);
        w.write(move |tx| tx.remove(a.of::<Site>())).unwrap();
    });
}

#[test]
fn of_many_changes_a_late_one_undoes_all() {
    on_both(|w| {
        let site = w.site("a").id.any();
        let ids = make(w, site, 20);
        let old = w.read(|tx| tx.list::<Device>(&Query::of(Filter::All))).unwrap();
        let one = ids[7];
        w.write(move |tx| {
            let mut row = tx.get(one)?;
            let spec = Device { label: Some("mine".to_owned()), ..row.spec.clone() };
            tx.save(&mut row, spec)
        })
        .unwrap();
        let late = w.write(move |tx| {
            let new = |r: &meetme_store::Object<Device>| Device { label: Some("late".to_owned()), ..r.spec.clone() };
            tx.save_many(old.iter().map(|r| (r.clone(), new(r))).collect())
        });
        assert!(matches!(late, Err(Error::Stale { version: 2 })), "{late:?}");
        assert_eq!(w.names(Filter::eq("label", "late")).len(), 0);
    });
}

#[test]
fn many_rows_go_unless_another_needs_them() {
    on_both(|w| {
        let site = w.site("a").id.any();
        let ids = make(w, site, 70);
        let held = w.write(move |tx| tx.remove_many(&[site.of::<Site>()]));
        assert!(matches!(held, Err(Error::Referenced { count: 140, .. })), "{held:?}");
        let most = ids[..69].to_vec();
        assert_eq!(w.write(move |tx| tx.remove_many(&most)).unwrap(), 69);
        assert_eq!((log(w, Verb::Remove), w.names(Filter::All)), (69, vec!["device 69".to_owned()]));
        assert!(w.names(Filter::Text("device 5".to_owned())).is_empty());
        let all = ids.clone();
        assert_eq!(w.write(move |tx: &mut Tx<'_>| tx.remove_many(&all)).unwrap(), 1, "what is gone is passed over");
        assert_eq!(w.write(move |tx| tx.remove_many(&[site.of::<Site>()])).unwrap(), 1);
    });
}

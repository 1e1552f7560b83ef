//! Callers with limited rights.

use std::{collections::HashMap, sync::Arc};

use meetme_base::{Kind, RawId};
use meetme_store::{ChangeQuery, Error, Filter, Object, Op, Order, Query, Resource, Scope, Tx, Verb};

use crate::{
    kinds::{Cable, Device, DeviceStatus, Org, Site},
    world::{World, on_both},
};

/// Rights by kind and verb; a verb of `*` stands for all of the kind, and what is not named is not allowed.
#[derive(Debug, Default)]
pub struct Rights(HashMap<(Kind, &'static str), Arc<Filter>>);

impl Rights {
    pub fn may<R: Resource>(self, verb: &'static str, rows: Filter) -> Self {
        self.may_kind(R::KIND, verb, rows)
    }
    fn may_kind(mut self, kind: Kind, verb: &'static str, rows: Filter) -> Self {
        self.0.insert((kind, verb), Arc::new(rows));
        self
    }
    pub fn scope(self) -> Arc<dyn Scope> {
        Arc::new(self)
    }
}

impl Scope for Rights {
    fn rows(&self, kind: Kind, verb: &'static str) -> Arc<Filter> {
        let found = self.0.get(&(kind, verb)).or_else(|| self.0.get(&(kind, "*")).filter(|_| verb != "observe"));
        found.cloned().unwrap_or_else(|| Arc::new(Filter::Never))
    }
}

/// Two tenants with a site and two devices each.
pub struct Two {
    pub mine: RawId,
    pub devices: Vec<Object<Device>>,
    sites: Vec<Object<Site>>,
}

pub fn two(w: &World) -> Two {
    let root = w.org;
    w.write(move |tx| {
        let (mut devices, mut sites, mut mine) = (Vec::new(), Vec::new(), RawId::new(0));
        for name in ["theirs", "mine"] {
            mine = tx.create(root, Org::named(name))?.id.any();
            let site = tx.create(mine, Site { floor: Some(1), ..Site::named(name) })?;
            for size in 0..2 {
                let spec = Device {
                    name: format!("{name} {size}"),
                    size: Some(size),
                    site: Some(site.id.any()),
                    ..Device::default()
                };
                devices.push(tx.create(mine, spec)?);
            }
            sites.push(site);
        }
        Ok(Two { mine, devices, sites })
    })
    .unwrap()
}

fn below(node: RawId) -> Rights {
    Rights::default()
        .may::<Device>("*", Filter::Below(node))
        .may::<Site>("*", Filter::Below(node))
        .may::<Cable>("*", Filter::Below(node))
        .may::<Org>("*", Filter::Below(node))
        .may_kind(Tx::CHANGES, "see", Filter::Below(node))
}

#[test]
fn every_way_of_reading_shows_only_what_the_caller_may_see() {
    on_both(|w| {
        let two = two(w);
        let scope = below(two.mine).scope();
        let ids: Vec<_> = two.devices.iter().map(|d| d.id).collect();
        let uids: Vec<_> = two.devices.iter().map(|d| d.uid).collect();
        w.read_as(&scope, move |tx| {
            assert!(matches!(tx.get(ids[0]), Err(Error::Missing { .. })) && tx.get(ids[2]).is_ok());
            assert!(tx.find(ids[0])?.is_none() && tx.find(ids[2])?.is_some());
            assert!(matches!(tx.by_uid::<Device>(uids[0]), Err(Error::Missing { .. })));
            assert_eq!(tx.many(ids.clone())?.len(), 2);
            assert_eq!(tx.ids::<Device>(&Filter::All)?, ids[2..]);
            assert_eq!(tx.list::<Device>(&Query::of(Filter::All))?.len(), 2);
            assert_eq!(tx.count::<Device>(&Filter::All)?, 2);
            assert!(!tx.exists::<Device>(&Filter::eq("name", "theirs 0"))?);
            assert!(tx.one::<Device>(&Filter::eq("name", "theirs 0"))?.is_none());
            let kind = tx.registry().kind("device").unwrap();
            assert_eq!(tx.list_any(kind, &Query::of(Filter::All))?.len(), 2);
            assert!(matches!(tx.get_any(kind, ids[0].any()), Err(Error::Missing { .. })));
            // What a caller asks for cannot widen what it sees.
            assert_eq!(tx.count::<Device>(&Filter::All.or(Filter::Never.not()))?, 2);
            Ok(())
        })
        .unwrap();
        let nobody = Rights::default().scope();
        assert_eq!(w.read_as(&nobody, |tx| tx.count::<Device>(&Filter::All)).unwrap(), 0);
    });
}

#[test]
fn counts_of_one_caller_are_not_shown_to_another() {
    on_both(|w| {
        let two = two(w);
        let count = |scope: &Arc<dyn Scope>| w.read_as(scope, |tx| tx.count::<Device>(&Filter::All)).unwrap();
        assert_eq!(count(&below(w.org).scope()), 4);
        assert_eq!(count(&below(two.mine).scope()), 2);
        assert_eq!(count(&below(w.org).scope()), 4);
    });
}

#[test]
fn a_caller_writes_only_where_its_rights_reach() {
    on_both(|w| {
        let two = two(w);
        let scope = Rights::default()
            .may::<Device>("see", Filter::All)
            .may::<Device>("create", Filter::Below(two.mine))
            .may::<Device>("change", Filter::Below(two.mine).and(Filter::is("size", Op::Le(5.into()))))
            .may::<Device>("remove", Filter::eq("size", 1))
            .scope();
        let denied = |r: Result<(), Error>, wanted: &str| {
            assert!(matches!(&r, Err(Error::Denied { verb, .. }) if *verb == wanted), "{r:?}");
        };
        let (org, mine) = (w.org, two.mine);
        denied(w.write_as(&scope, move |tx| tx.create(org, Device::default()).map(|_| ())), "create");
        w.write_as(&scope, move |tx| tx.create(mine, Device::default())).unwrap();
        let change = |at: usize, size: i64| {
            let device = two.devices[at].clone();
            w.write_as(&scope, move |tx| {
                let spec = Device { size: Some(size), ..device.spec.clone() };
                tx.save(&mut device.clone(), spec)
            })
        };
        denied(change(0, 3), "change");
        // Neither out of one's own reach ...
        denied(change(2, 6), "change");
        change(2, 3).unwrap();
        let ids: Vec<_> = two.devices.iter().map(|d| d.id).collect();
        let (third, fourth) = (ids[2], ids[3]);
        denied(w.write_as(&scope, move |tx| tx.remove(third)), "remove");
        w.write_as(&scope, move |tx| tx.remove(fourth)).unwrap();
    });
}

#[test]
fn a_right_to_single_rows_counts_for_those_rows_and_not_for_their_node() {
    on_both(|w| {
        let two = two(w);
        let (one, other) = (two.devices[2].clone(), two.devices[3].clone());
        let only = Filter::Below(two.mine).and(Filter::eq("id", one.id));
        let scope = Rights::default().may::<Device>("see", Filter::All).may::<Device>("act", only).scope();
        let asked = w.write_as(&scope, move |tx| {
            let of_node = tx.may(Device::KIND, "act", one.tenant)?;
            Ok((of_node, tx.may_with("act", &one)?, tx.may_with("act", &other)?, tx.may_with("change", &one)?))
        });
        assert_eq!(asked.unwrap(), (false, true, false, false));
    });
}

#[test]
fn what_is_not_visible_cannot_be_removed_or_referred_to() {
    on_both(|w| {
        let two = two(w);
        let scope = below(two.mine).scope();
        let (theirs, mine) = (two.sites[0].id, two.mine);
        assert!(matches!(w.write_as(&scope, move |tx| tx.remove(theirs)), Err(Error::Missing { .. })));
        let made = w.write_as(&scope, move |tx| {
            // That the system found it says nothing of the caller.
            tx.as_system(|tx| tx.create(mine, Device { near: Some(theirs.any()), ..Device::default() }))?;
            tx.create(mine, Device { near: Some(theirs.any()), ..Device::default() })
        });
        assert!(matches!(&made, Err(Error::Invalid(i)) if i.field == "near"), "{made:?}");
    });
}

#[test]
fn a_refused_removal_counts_but_does_not_name_what_the_caller_may_not_see() {
    on_both(|w| {
        let two = two(w);
        let (site, root) = (two.sites[1].clone(), w.org);
        let at = site.id.any();
        w.write(move |tx| tx.create(root, Device { name: "hidden".into(), site: Some(at), ..Device::default() }))
            .unwrap();
        let scope = below(two.mine).scope();
        let refused = w.write_as(&scope, move |tx| tx.remove(site.id));
        let Err(Error::Referenced { by, count, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!((count, by.len()), (3, 2), "{by:?}");
    });
}

#[test]
fn a_question_across_a_reference_does_not_tell_of_hidden_rows() {
    on_both(|w| {
        let two = two(w);
        let (site, mine) = (two.sites[0].id.any(), two.mine);
        w.write(move |tx| tx.create(mine, Device { name: "across".into(), near: Some(site), ..Device::default() }))
            .unwrap();
        let asked = |scope: Option<&Arc<dyn Scope>>| {
            let f = |tx: &mut Tx<'_>| {
                let sql = tx.count::<Device>(&Filter::eq("near.name", "theirs"))?;
                let one = tx.one::<Device>(&Filter::eq("name", "across"))?.expect("visible");
                let held = tx.holds(&Filter::eq("near.name", "theirs"), &Tx::erased(&one))?;
                Ok((sql, held))
            };
            scope.map_or_else(|| w.read(f), |s| w.read_as(s, f)).unwrap()
        };
        assert_eq!(asked(None), (1, true));
        assert_eq!(asked(Some(&below(two.mine).scope())), (0, false));
        // Nor does an order.
        let order = vec![Order::down("site.name"), Order::up("name")];
        let blind = below(two.mine).may::<Site>("*", Filter::Never).scope();
        let names = |scope: &Arc<dyn Scope>| {
            let query = Query::of(Filter::All).order(order.clone());
            w.read_as(scope, move |tx| {
                Ok(tx.list::<Device>(&query)?.into_iter().map(|d| d.spec.name).collect::<Vec<_>>())
            })
            .unwrap()
        };
        assert_eq!(names(&below(two.mine).scope()), ["mine 0", "mine 1", "across"]);
        assert_eq!(names(&blind), ["across", "mine 0", "mine 1"]);
    });
}

#[test]
fn a_right_may_ask_across_references_even_in_a_ring() {
    on_both(|w| {
        let two = two(w);
        // Devices of sites called mine; sites on the floor of such a device's site: each right leads to the other kind.
        let scope = Rights::default()
            .may::<Device>("*", Filter::eq("site.name", "mine"))
            .may::<Site>("see", Filter::eq("name", "mine"))
            .may::<Cable>("*", Filter::eq("ends.site.name", "mine"))
            .scope();
        let (mine, theirs, site) = (two.devices[2].id.any(), two.devices[0].id.any(), two.sites[0].id.any());
        let node = two.mine;
        let cables = w
            .write(move |tx| {
                let with = |ends| Cable { name: "c".into(), via: vec![], ends };
                Ok((tx.create(node, with(vec![mine]))?.id, tx.create(node, with(vec![theirs]))?.id))
            })
            .unwrap();
        assert_eq!(w.read_as(&scope, |tx| tx.count::<Device>(&Filter::All)).unwrap(), 2);
        assert_eq!(w.read_as(&scope, |tx| tx.ids::<Cable>(&Filter::All)).unwrap(), [cables.0]);
        let moved = two.devices[2].clone();
        let out = w.write_as(&scope, move |tx| {
            let spec = Device { near: None, site: Some(site), ..moved.spec.clone() };
            tx.save(&mut moved.clone(), spec)
        });
        assert!(matches!(out, Err(Error::Denied { verb: "change", .. })), "{out:?}");
        let (ours, other) = (two.devices[2].id, two.devices[0].id);
        assert!(matches!(w.write_as(&scope, move |tx| tx.remove(other)), Err(Error::Missing { .. })));
        w.write_as(&scope, move |tx| tx.remove(ours)).unwrap();
    });
}

#[test]
fn only_who_may_observe_writes_a_status() {
    on_both(|w| {
        let two = two(w);
        let device = two.devices[2].clone();
        let f = move |tx: &mut Tx<'_>| {
            let status = DeviceStatus { state: "up".into(), ..DeviceStatus::default() };
            tx.observe(&mut device.clone(), status, None)
        };
        let scope = below(two.mine).scope();
        let out = w.write_as(&scope, f.clone());
        assert!(matches!(out, Err(Error::Denied { verb: "observe", .. })), "{out:?}");
        let elsewhere = below(two.mine).may::<Device>("observe", Filter::eq("size", 1)).scope();
        assert!(matches!(w.write_as(&elsewhere, f.clone()), Err(Error::Denied { .. })));
        w.write_as(&below(two.mine).may::<Device>("observe", Filter::All).scope(), f).unwrap();
    });
}

#[test]
fn the_log_shows_only_lines_of_rows_that_the_caller_may_see() {
    on_both(|w| {
        let two = two(w);
        let all = ChangeQuery { limit: 1000, ..ChangeQuery::default() };
        let seen = |scope: &Arc<dyn Scope>, query: &ChangeQuery| {
            let query = query.clone();
            w.read_as(scope, move |tx| {
                let lines = tx.changes(&query)?;
                assert_eq!(tx.count_changes(&query)?, lines.len() as u64);
                Ok(lines.into_iter().map(|c| c.title).collect::<Vec<_>>())
            })
            .unwrap()
        };
        let scope = below(two.mine).scope();
        crate::log::end(w);
        let wanted = ["mine", "site mine", "device mine 0", "device mine 1"];
        assert_eq!(seen(&scope, &all), wanted);
        assert_eq!(seen(&scope, &ChangeQuery { after: Some("0-0".parse().unwrap()), ..all.clone() }), wanted);
        // Rights to the log alone show nothing of kinds that are hidden, nor of rows that a narrower right hides.
        let narrow =
            below(two.mine).may::<Site>("*", Filter::Never).may::<Device>("see", Filter::eq("size", 1)).scope();
        assert_eq!(seen(&narrow, &all), ["mine", "device mine 1"]);
        let deaf = below(two.mine).may_kind(Tx::CHANGES, "see", Filter::Never).scope();
        assert!(seen(&deaf, &all).is_empty());
        // Also of what is gone, as long as the node decides.
        let id = two.devices[3].id;
        w.write(move |tx| tx.remove(id)).unwrap();
        assert_eq!(seen(&scope, &ChangeQuery { verbs: vec![Verb::Remove], ..all.clone() }), ["device mine 1"]);
        assert_eq!(seen(&narrow, &all), ["mine"]);
    });
}

#[test]
fn parts_of_a_list_over_several_nodes_are_cut_from_the_whole_of_it() {
    on_both(|w| {
        let root = w.org;
        let nodes = w.write(move |tx| {
            let mut nodes = Vec::new();
            for name in ["a", "b", "c", "d"] {
                let node = tx.create(root, Org::named(name))?.id.any();
                for n in 0..9 {
                    let label = (n % 3 > 0).then(|| format!("label {}", n % 2));
                    let spec = Device { name: format!("{name}{n}"), label, size: Some(n % 4), ..Device::default() };
                    tx.create(node, spec)?;
                }
                nodes.push(node);
            }
            Ok(nodes)
        });
        // Rights on all but one of them.
        let seen = Filter::is_in("tenant", nodes.unwrap().into_iter().skip(1));
        let scope = Rights::default().may::<Device>("see", seen).scope();
        w.read_as(&scope, |tx| {
            for order in [
                vec![],
                vec![Order::up("name")],
                vec![Order::down("label"), Order::up("size")],
                vec![Order::up("tenant"), Order::down("id")],
            ] {
                for filter in [Filter::All, Filter::eq("size", 1), Filter::eq("name", "a1"), Filter::Never] {
                    let query = Query::of(filter.clone()).order(order.clone());
                    let whole = tx.list::<Device>(&query)?;
                    assert!(whole.iter().all(|device| !device.spec.name.starts_with('a')));
                    for (limit, offset) in [(1, 0), (5, 0), (5, 4), (100, 0), (7, 25), (3, 1000)] {
                        let (count, part) = tx.page::<Device>(&query.clone().page(limit, offset))?;
                        let wanted: Vec<_> = whole.iter().skip(offset as usize).take(limit as usize).collect();
                        assert_eq!(part.iter().collect::<Vec<_>>(), wanted, "{order:?} {filter:?} {limit} {offset}");
                        assert_eq!(count, whole.len() as u64);
                    }
                }
            }
            Ok(())
        })
        .unwrap();
    });
}

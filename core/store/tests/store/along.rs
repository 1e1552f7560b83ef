//! Rows that come along with others, pages with their counts, and operations that are run where they are asked.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use meetme_store::{Context, Filter, Order as By, Query};

use crate::{
    kinds::{Device, Site},
    rights::{Rights, two},
    world::{World, answer, on_both},
};

fn paths(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn what_a_row_refers_to_comes_along_and_reads_as_if_it_was_fetched() {
    on_both(|w| {
        let (here, there) = (w.site("here"), w.site("there"));
        let host = w.device("host", &there);
        let spec = Device {
            name: "guest".to_owned(),
            site: Some(here.id.any()),
            host: Some(host.id.any()),
            near: Some(there.id.any()),
            ..Device::default()
        };
        let guest = w.create(spec);
        let all = ["site", "host", "host.site", "near", "spare", "peers", "nonsense", "near.site"];
        for wanted in [&all[..], &["host.site"], &["host", "host.site"], &[]] {
            let (id, paths) = (guest.id, paths(wanted));
            let sites = [here.id, there.id];
            let (found, known, hosts) = w
                .read(move |tx| {
                    let found = tx.find_along(id, &Filter::All, &paths)?;
                    Ok((found, tx.many::<Site>(sites)?, tx.many::<Device>([host.id])?))
                })
                .unwrap();
            assert_eq!(found.as_ref(), Some(&guest));
            assert_eq!((known.len(), hosts.len()), (2, 1), "{wanted:?}");
            assert_eq!((&known[&here.id], &known[&there.id], &hosts[&host.id]), (&here, &there, &host));
        }
        let id = guest.id;
        let other = w.read(move |tx| tx.find_along(id, &Filter::eq("name", "host"), &paths(&["site"]))).unwrap();
        assert_eq!(other, None, "the filter holds too");
    });
}

#[test]
fn what_came_along_is_not_shown_to_who_may_not_see_it() {
    on_both(|w| {
        let two = two(w);
        let mine = Filter::eq("tenant", two.mine);
        let scope = Rights::default().may::<Device>("see", mine).scope();
        let (own, foreign) = (two.devices[3].id, two.devices[0].id);
        let read = move |id| {
            move |tx: &mut meetme_store::Tx<'_>| {
                let found = tx.find_along::<Device>(id, &Filter::All, &paths(&["site"]))?;
                let Some(site) = found.as_ref().and_then(|device| device.spec.site) else { return Ok((0, 0)) };
                let seen = tx.many::<Site>([site.of()])?.len();
                Ok((seen, tx.as_system(|tx| tx.many::<Site>([site.of()]))?.len()))
            }
        };
        assert_eq!(w.read_as(&scope, read(own)).unwrap(), (0, 1));
        assert_eq!(w.read_as(&scope, read(foreign)).unwrap(), (0, 0));
    });
}

#[test]
fn a_page_tells_how_many_rows_there_are_in_all() {
    on_both(|w| {
        let site = w.site("here");
        for n in 0..7 {
            w.device(&format!("{n}"), &site);
        }
        let page = |filter: Filter, limit, offset| {
            let query = Query::of(filter).order([By::down("name")]).page(limit, offset);
            let (count, rows) = w.read(move |tx| tx.page::<Device>(&query)).unwrap();
            (count, rows.into_iter().map(|device| device.spec.name).collect::<Vec<_>>())
        };
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(page(Filter::All, 3, 0), (7, names(&["6", "5", "4"])));
        assert_eq!(page(Filter::All, 3, 6), (7, names(&["0"])));
        assert_eq!(page(Filter::All, 3, 7), (7, Vec::new()));
        assert_eq!(page(Filter::is_in("name", ["1", "2"]), 1, 0), (2, names(&["2"])));
        assert_eq!(page(Filter::Never, 3, 0), (0, Vec::new()));
    });
}

/// How often an operation runs is nobody's business but its own; what it answers must not depend on it.
fn names_in_steps(w: &World, runs: &Arc<AtomicUsize>, steps: usize) -> Vec<usize> {
    let runs = runs.clone();
    w.read(move |tx| {
        runs.fetch_add(1, Ordering::Relaxed);
        (0..steps).map(|_| Ok(tx.all::<Device>(Filter::All)?.len())).collect()
    })
    .unwrap()
}

#[test]
fn an_operation_of_several_steps_sees_one_state_however_it_was_begun() {
    on_both(|w| {
        let site = w.site("here");
        let runs = Arc::new(AtomicUsize::new(0));
        for round in 0..6 {
            w.device(&format!("{round}"), &site);
            let steps = [1, 3, 2][round % 3];
            let before = runs.load(Ordering::Relaxed);
            let seen = names_in_steps(w, &runs, steps);
            assert_eq!(seen, vec![round + 1; steps]);
            let ran = runs.load(Ordering::Relaxed) - before;
            assert!((1..=2).contains(&ran), "{ran} runs of {steps} steps");
        }
    });
}

#[test]
fn what_is_written_between_two_steps_is_not_seen_by_the_second() {
    on_both(|w| {
        let site = w.site("here").id.any();
        // The first time nothing is known of the operation, afterwards it is begun in a transaction.
        for _ in 0..3 {
            let (other, org) = (w.store.clone(), w.org);
            let (first, second) = w
                .read(move |tx| {
                    let first = tx.all::<Device>(Filter::All)?.len();
                    answer(other.write(Context::system(), move |tx| {
                        tx.create(org, Device { site: Some(site), name: tx.request().to_string(), ..Device::default() })
                    }))?;
                    Ok((first, tx.all::<Device>(Filter::All)?.len()))
                })
                .unwrap();
            assert_eq!(first, second);
        }
        assert!(w.names(Filter::All).len() >= 3);
    });
}

#[test]
fn quick_reads_by_many_at_once_all_find_what_was_written_before_them() {
    on_both(|w| {
        let site = w.site("here");
        std::thread::scope(|scope| {
            for n in 0..8 {
                let site = &site;
                scope.spawn(move || {
                    for m in 0..20 {
                        let made = w.device(&format!("{n} {m}"), site).id;
                        let found = w.read(move |tx| tx.find::<Device>(made)).unwrap();
                        assert!(found.is_some(), "{n} {m}");
                    }
                });
            }
        });
        assert_eq!(w.names(Filter::All).len(), 160);
    });
}

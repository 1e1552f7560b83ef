//! Rows that are items of a pool.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicUsize, Ordering},
};

use meetme_base::RawId;
use meetme_store::{Error, Filter, Order, Query};

use crate::{
    kinds::Device,
    world::{World, on_both},
};

fn take(w: &World, filter: Filter, owner: RawId) -> Option<String> {
    let query = Query::of(filter).order(vec![Order::down("name")]);
    w.write(move |tx| tx.claim_row::<Device>("devices", &query, owner)).unwrap().map(|row| row.spec.name)
}

#[test]
fn the_first_free_row_in_the_order_is_taken() {
    on_both(|w| {
        let site = w.site("a");
        for name in ["x", "z", "y"] {
            w.device(name, &site);
        }
        let owner = site.id.any();
        let free = || w.read(|tx| tx.count_unclaimed::<Device>("devices", &Filter::All)).unwrap();
        assert_eq!((free(), take(w, Filter::All, owner).as_deref(), free()), (3, Some("z"), 2));
        assert_eq!(take(w, Filter::eq("name", "x"), owner).as_deref(), Some("x"));
        assert_eq!(take(w, Filter::eq("name", "x"), owner), None);
        assert_eq!((take(w, Filter::All, owner).as_deref(), take(w, Filter::All, owner)), (Some("y"), None));
        // Another pool knows nothing of it.
        assert_eq!(w.read(|tx| tx.count_unclaimed::<Device>("others", &Filter::All)).unwrap(), 3);
        let held = w.read(|tx| tx.held_in(vec!["devices".into(), "others".into()])).unwrap();
        assert_eq!(held.into_iter().collect::<Vec<_>>(), [("devices".to_owned(), 3)]);
    });
}

#[test]
fn rows_are_counted_by_what_they_refer_to() {
    on_both(|w| {
        let (a, b) = (w.site("a"), w.site("b"));
        for (name, site) in [("1", &a), ("2", &a), ("3", &b)] {
            w.device(name, site);
        }
        w.create(Device { name: "4".to_owned(), ..Device::default() });
        let by = |filter: Filter| w.read(move |tx| tx.count_by::<Device>(&["site"], &filter)).unwrap();
        assert_eq!(by(Filter::All), [(vec![a.id.any()], 2), (vec![b.id.any()], 1)]);
        assert_eq!(by(Filter::eq("name", "3")), [(vec![b.id.any()], 1)]);
        assert!(matches!(w.read(|tx| tx.count_by::<Device>(&["name"], &Filter::All)), Err(Error::Bug(_))));
    });
}

#[test]
fn a_claim_is_handed_over_by_its_holder_only() {
    on_both(|w| {
        let (a, b) = (w.site("a").id.any(), w.site("b").id.any());
        w.write(move |tx| tx.claim_exact("pool", 7, 1, a)).unwrap();
        w.write(move |tx| tx.hand_over("pool", 7, a, b)).unwrap();
        assert_eq!(w.read(|tx| tx.taken("pool", 7, 1)).unwrap().map(|c| c.owner), Some(b));
        assert!(matches!(w.write(move |tx| tx.hand_over("pool", 7, a, b)), Err(Error::Bug(_))));
    });
}

#[test]
fn many_threads_take_every_row_once() {
    on_both(|w| {
        let site = w.site("a");
        for n in 0..20 {
            w.device(&format!("d{n}"), &site);
        }
        let (owner, empty) = (site.id.any(), AtomicUsize::new(0));
        let taken: BTreeSet<String> = std::thread::scope(|threads| {
            let each = || {
                let mut mine = Vec::new();
                while let Some(name) = take(w, Filter::All, owner) {
                    mine.push(name);
                }
                empty.fetch_add(1, Ordering::Relaxed);
                mine
            };
            let all: Vec<_> = (0..8).map(|_| threads.spawn(each)).collect();
            let lists: Vec<Vec<String>> = all.into_iter().map(|t| t.join().unwrap()).collect();
            assert_eq!(lists.iter().map(Vec::len).sum::<usize>(), 20, "one was given twice");
            lists.into_iter().flatten().collect()
        });
        assert_eq!((taken.len(), empty.into_inner()), (20, 8));
    });
}

//! The work queue.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use meetme_base::RawId;
use meetme_store::{Error, Lease};

use crate::{
    kinds::{Device, DeviceStatus},
    world::{START, World, on_both},
};

fn enqueue(w: &World, id: i64) {
    w.write(move |tx| tx.enqueue("c", RawId::new(id), tx.now())).unwrap();
}

fn lease(w: &World, holder: &'static str, limit: u32) -> Vec<Lease> {
    w.write(move |tx| tx.lease(&["c"], holder, 60, limit)).unwrap()
}

fn finish(w: &World, lease: &Lease, next: Option<meetme_base::Time>, settled: bool) -> Result<(), Error> {
    let lease = lease.clone();
    w.write(move |tx| tx.finish(&lease, next, settled, "looked"))
}

#[test]
fn a_lease_is_exclusive_until_it_ends_and_its_fence_rises() {
    on_both(|w| {
        enqueue(w, 7);
        let first = lease(w, "a", 9).remove(0);
        assert_eq!((first.id, first.fence, first.attempts, first.holder.as_str()), (RawId::new(7), 1, 1, "a"));
        assert!(lease(w, "b", 9).is_empty());
        finish(w, &first, None, true).unwrap();
        assert!(lease(w, "b", 9).is_empty());
        enqueue(w, 7);
        assert_eq!(lease(w, "b", 9).remove(0).fence, 2);
        let row = w.read(|tx| tx.work_of("c", RawId::new(7))).unwrap().unwrap();
        assert_eq!((row.fence, row.leased_by.as_deref(), row.note.as_deref()), (2, Some("b"), Some("looked")));
        assert!(matches!(finish(w, &first, None, true), Err(Error::Stale { .. })));
    });
}

#[test]
fn the_earliest_due_come_first_and_no_other_controllers_work() {
    on_both(|w| {
        w.write(|tx| {
            for (n, after) in [(1, 30), (2, 10), (3, 20), (4, 90)] {
                tx.enqueue("c", RawId::new(n), START.plus_seconds(after))?;
            }
            tx.enqueue("other", RawId::new(5), START)
        })
        .unwrap();
        assert!(lease(w, "a", 9).is_empty());
        assert_eq!(w.read(|tx| tx.next_due(&["c"])).unwrap(), Some(START.plus_seconds(10)));
        w.clock.step_seconds(40);
        let ids = |leases: Vec<Lease>| leases.into_iter().map(|l| l.id.get()).collect::<Vec<_>>();
        assert_eq!(ids(lease(w, "a", 2)), [2, 3]);
        assert_eq!(ids(lease(w, "a", 2)), [1]);
        // Asked for earlier counts, asked for later does not.
        w.write(|tx| tx.enqueue("c", RawId::new(4), START)).unwrap();
        w.write(|tx| tx.enqueue("c", RawId::new(4), START.plus_seconds(500))).unwrap();
        assert_eq!(ids(lease(w, "a", 2)), [4]);
    });
}

#[test]
fn an_expired_lease_is_taken_over_and_its_holder_is_stale() {
    on_both(|w| {
        enqueue(w, 7);
        let old = lease(w, "a", 1).remove(0);
        w.clock.step_seconds(30);
        let mine = old.clone();
        w.write(move |tx| tx.still_holds(&mine, 60)).unwrap();
        w.clock.step_seconds(59);
        assert!(lease(w, "b", 1).is_empty());
        assert_eq!(w.read(|tx| tx.next_due(&["c"])).unwrap(), Some(START.plus_seconds(90)));
        w.clock.step_seconds(1);
        let new = lease(w, "b", 1).remove(0);
        assert_eq!((new.fence, new.attempts), (2, 2));
        let mine = old.clone();
        assert!(matches!(w.write(move |tx| tx.still_holds(&mine, 60)), Err(Error::Stale { .. })));
        assert!(matches!(finish(w, &old, None, true), Err(Error::Stale { .. })));
        let mine = old.clone();
        w.write(move |tx| tx.forget_work(&mine)).unwrap();
        finish(w, &new, Some(START.plus_seconds(500)), false).unwrap();
        let row = w.read(|tx| tx.work_of("c", RawId::new(7))).unwrap().unwrap();
        assert_eq!((row.due_at, row.attempts, row.leased_by), (Some(START.plus_seconds(500)), 2, None));
    });
}

#[test]
fn what_is_asked_for_during_a_lease_is_looked_at_after_it() {
    on_both(|w| {
        enqueue(w, 7);
        let held = lease(w, "a", 1).remove(0);
        enqueue(w, 7);
        assert!(lease(w, "b", 1).is_empty());
        finish(w, &held, None, true).unwrap();
        let again = lease(w, "b", 1).remove(0);
        assert_eq!((again.fence, again.attempts), (2, 1));
        let mine = again.clone();
        enqueue(w, 7);
        w.write(move |tx| tx.forget_work(&mine)).unwrap();
        finish(w, &again, None, true).unwrap();
        let last = lease(w, "a", 1).remove(0);
        w.write(move |tx| tx.forget_work(&last)).unwrap();
        assert_eq!(w.read(|tx| tx.work_of("c", RawId::new(7))).unwrap(), None);
    });
}

#[test]
fn eight_workers_never_hold_the_same_work_and_finish_all_of_it() {
    on_both(|w| {
        w.write(|tx| (1..=100).try_for_each(|n| tx.enqueue("c", RawId::new(n), tx.now()))).unwrap();
        let held: Mutex<HashSet<RawId>> = Mutex::default();
        let fences: Mutex<HashMap<RawId, Vec<u64>>> = Mutex::default();
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| {
                    loop {
                        let leases = lease(w, "same name", 5);
                        if leases.is_empty() && w.read(|tx| tx.next_due(&["c"])).unwrap().is_none() {
                            return;
                        }
                        for lease in leases {
                            assert!(held.lock().unwrap().insert(lease.id), "{} is held twice", lease.id);
                            fences.lock().unwrap().entry(lease.id).or_default().push(lease.fence);
                            let again = (lease.fence < 3).then_some(START);
                            assert!(held.lock().unwrap().remove(&lease.id));
                            finish(w, &lease, again, false).unwrap();
                        }
                    }
                });
            }
        });
        let fences = fences.into_inner().unwrap();
        assert_eq!(fences.len(), 100);
        assert!(fences.values().all(|f| *f == [1, 2, 3]), "{fences:?}");
    });
}

#[test]
fn a_thousand_touched_rows_wake_a_controller_once() {
    on_both(|w| {
        let (site, org) = (w.site("a").id.any(), w.org);
        w.write(move |tx| {
            for n in 0..1000 {
                tx.create(org, Device { name: n.to_string(), site: Some(site), ..Device::default() })?;
            }
            Ok(())
        })
        .unwrap();
        let woken = w.write(|tx| tx.lease(&["sites"], "me", 60, 2000)).unwrap();
        assert_eq!(woken.iter().map(|l| l.id).collect::<Vec<_>>(), [site]);
        assert_eq!(w.write(|tx| tx.lease(&["watchers"], "me", 60, 2000)).unwrap().len(), 1000);
    });
}

#[test]
fn a_status_wakes_only_who_asked_for_it() {
    on_both(|w| {
        let site = w.site("a");
        let device = w.device("d", &site);
        let settle = |controllers: &'static [&'static str]| {
            w.write(move |tx| {
                let leases = tx.lease(controllers, "me", 60, 99)?;
                leases.iter().try_for_each(|l| tx.finish(l, None, true, ""))?;
                Ok(leases.len())
            })
            .unwrap()
        };
        assert_eq!((settle(&["sites"]), settle(&["watchers"])), (1, 1));
        w.write(move |tx| {
            tx.observe(&mut device.clone(), DeviceStatus { load: Some(1), ..DeviceStatus::default() }, None)
        })
        .unwrap();
        assert_eq!((settle(&["sites"]), settle(&["watchers"])), (0, 1));
    });
}

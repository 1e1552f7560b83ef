//! Counts that are remembered, and never wrong for long.

use std::time::Duration;

use meetme_base::RawId;
use meetme_store::{Context, Filter, Store};
use meetme_testdb::eventually;

use crate::{
    kinds::{Device, Org, Site, registry},
    world::{answer, on_both},
};

fn count(store: &Store) -> u64 {
    answer(store.read(Context::system(), |tx| tx.count::<Site>(&Filter::All))).unwrap()
}

#[test]
fn a_count_is_right_after_every_write() {
    on_both(|w| {
        for n in 0..10 {
            assert_eq!((count(&w.store), count(&w.store)), (n, n));
            w.site(&n.to_string());
        }
        let id = w.read(|tx| tx.ids::<Site>(&Filter::All)).unwrap()[0];
        w.write(move |tx| tx.remove(id)).unwrap();
        assert_eq!(count(&w.store), 9);
    });
}

#[test]
fn a_count_follows_what_its_condition_reads_in_other_kinds() {
    on_both(|w| {
        let site = w.site("a");
        w.device("d", &site);
        let asked = |name: &'static str| w.read(move |tx| tx.count::<Device>(&Filter::eq("site.name", name))).unwrap();
        assert_eq!((asked("a"), asked("b")), (1, 0));
        w.write(move |tx| tx.save(&mut site.clone(), Site::named("b"))).unwrap();
        assert_eq!((asked("a"), asked("b")), (0, 1));
    });
}

#[test]
fn a_count_inside_a_writing_operation_sees_its_own_rows() {
    on_both(|w| {
        let org = w.org;
        assert_eq!(count(&w.store), 0);
        let inside = w.write(move |tx| {
            tx.create(org, Site::named("a"))?;
            tx.count::<Site>(&Filter::All)
        });
        assert_eq!((inside.unwrap(), count(&w.store)), (1, 1));
    });
}

#[test]
fn another_process_hears_of_a_write_within_a_second_or_so() {
    on_both(|w| {
        let other = w.again(registry());
        assert_eq!((count(&other), count(&w.store)), (0, 0));
        w.site("a");
        eventually("the other store counts anew", Duration::from_secs(3), || count(&other) == 1);
        let made = answer(other.write(Context::system(), |tx| {
            let org = tx.create(RawId::new(0), Org::named("other"))?;
            tx.create(org.id.any(), Site::named("b"))
        }));
        assert!(made.is_ok(), "{made:?}");
        eventually("this store counts anew", Duration::from_secs(3), || count(&w.store) == 2);
    });
}

#[test]
fn a_store_that_writes_all_the_time_hears_of_other_processes_too() {
    on_both(|w| {
        let other = w.again(registry());
        assert_eq!(count(&w.store), 0);
        answer(other.write(Context::system(), |tx| {
            let org = tx.create(RawId::new(0), Org::named("other"))?;
            tx.create(org.id.any(), Site::named("b"))
        }))
        .unwrap();
        // Never idle, and never a write that counts.
        eventually("the busy store counts anew", Duration::from_secs(3), || {
            w.write(|tx| tx.remember("busy", &meetme_base::Uid::random().to_string(), "", "")).unwrap();
            count(&w.store) == 1
        });
    });
}

#[test]
fn epochs_and_listeners_tell_of_commits_and_of_nothing_else() {
    on_both(|w| {
        use meetme_store::Resource;
        let heard = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let ear = heard.clone();
        w.store.on_commit(|_| panic!("a listener that panics harms nobody"));
        w.store.on_commit(move |c| ear.lock().unwrap().push((c.kinds.clone(), c.work)));
        let before = w.store.epoch(&[Site::KIND]);
        w.site("a");
        let org = w.org;
        let dry = Context { dry_run: true, ..Context::system() };
        answer(w.store.write(dry, move |tx| tx.create(org, Site::named("b")))).unwrap();
        let failed = w.write(move |tx| tx.create(org, Site::named("a")));
        assert!(failed.is_err());
        assert_eq!(w.store.epoch(&[Site::KIND]), before + 1);
        assert_eq!(*heard.lock().unwrap(), [(vec![Site::KIND], false)]);
    });
}

#[test]
fn a_transaction_knows_the_epoch_of_what_it_reads_until_it_writes() {
    on_both(|w| {
        use meetme_store::Resource;
        w.site("a");
        let before = w.store.epoch(&[Site::KIND]);
        assert_eq!(w.read(|tx| Ok(tx.epoch(&[Site::KIND]))).unwrap(), Some(before));
        let org = w.org;
        let inside = w.write(move |tx| {
            let first = tx.epoch(&[Site::KIND]);
            tx.create(org, Site::named("b"))?;
            Ok((first, tx.epoch(&[Site::KIND]), tx.epoch(&[Org::KIND])))
        });
        let (first, then, other) = inside.unwrap();
        assert_eq!((first, then), (Some(before), None));
        assert_eq!(other, Some(w.store.epoch(&[Org::KIND])));
        assert_eq!(w.read(|tx| Ok(tx.epoch(&[Site::KIND]))).unwrap(), Some(before + 1));
    });
}

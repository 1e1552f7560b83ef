//! What controllers saw: beside the spec, never in its way.

use meetme_store::{Error, Filter, Moved, Object, Op, Resource};

use crate::{
    kinds::{Device, DeviceStatus},
    world::{World, on_both},
};

fn state(state: &str) -> DeviceStatus {
    DeviceStatus { state: state.to_owned(), ..DeviceStatus::default() }
}

fn get(w: &World, device: &Object<Device>) -> Object<Device> {
    let id = device.id;
    w.read(move |tx| tx.get(id)).unwrap()
}

fn save(w: &World, object: &Object<Device>, spec: Device) -> Result<(), Error> {
    let object = object.clone();
    w.write(move |tx| tx.save(&mut object.clone(), spec.clone()))
}

fn observe(w: &World, object: &Object<Device>, status: DeviceStatus) -> Result<(), Error> {
    let object = object.clone();
    w.write(move |tx| tx.observe(&mut object.clone(), status.clone(), None))
}

#[test]
fn spec_and_status_written_from_the_same_reading_do_not_revert_each_other() {
    on_both(|w| {
        let read = w.create(Device { name: "a".into(), size: Some(1), ..Device::default() });
        observe(w, &read, DeviceStatus { load: Some(7), ..state("up") }).unwrap();
        save(w, &read, Device { name: "b".into(), size: Some(2), ..Device::default() }).unwrap();
        let now = get(w, &read);
        assert_eq!((now.spec.name.as_str(), now.status.state.as_str(), now.version, now.seen), ("b", "up", 2, 1));
        let both = Filter::eq("name", "b")
            .and(Filter::eq("state", "up"))
            .and(Filter::eq("load", 7))
            .and(Filter::eq("size", 2));
        assert_eq!(w.names(both), ["b"]);
        // The other way around.
        let read = now;
        save(w, &read, Device { name: "c".into(), size: Some(3), ..Device::default() }).unwrap();
        observe(w, &read, state("down")).unwrap();
        let both = Filter::eq("name", "c").and(Filter::eq("state", "down")).and(Filter::is("load", Op::Empty(true)));
        assert_eq!(w.names(both), ["c"]);
        assert!(matches!(observe(w, &read, state("late")), Err(Error::Stale { .. })));
    });
}

#[test]
fn eight_threads_that_write_spec_and_status_lose_nothing() {
    on_both(|w| {
        let device = w.create(Device { size: Some(0), ..Device::default() });
        std::thread::scope(|threads| {
            for n in 0..8 {
                let id = device.id;
                threads.spawn(move || {
                    for _ in 0..20 {
                        let step = move |tx: &mut meetme_store::Tx<'_>| {
                            let mut object = tx.get(id)?;
                            if n % 2 == 0 {
                                let spec = Device { size: object.spec.size.map(|s| s + 1), ..object.spec.clone() };
                                tx.save(&mut object, spec)
                            } else {
                                let load = Some(object.status.load.unwrap_or(0) + 1);
                                tx.observe(&mut object, DeviceStatus { load, ..state("up") }, None)
                            }
                        };
                        while let Err(e) = w.write(step) {
                            assert!(matches!(e, Error::Stale { .. }), "{e:?}");
                        }
                    }
                });
            }
        });
        let now = get(w, &device);
        assert_eq!((now.spec.size, now.status.load, now.version, now.seen), (Some(80), Some(80), 81, 80));
        assert_eq!(w.names(Filter::eq("size", 80).and(Filter::eq("load", 80))).len(), 1);
    });
}

#[test]
fn observing_the_same_again_changes_nothing() {
    on_both(|w| {
        let device = w.create(Device::default());
        observe(w, &device, DeviceStatus::default()).unwrap();
        assert_eq!(get(w, &device), device);
    });
}

#[test]
fn a_step_of_a_status_is_a_line_of_the_log() {
    on_both(|w| {
        let device = w.create(Device { name: "a".into(), ..Device::default() });
        let mine = device.clone();
        w.write(move |tx| {
            let mut object = mine.clone();
            tx.observe(&mut object, state("up"), Some(Moved::new("phase.up", "It is up.")))?;
            tx.observe(&mut object, DeviceStatus { load: Some(1), ..state("up") }, None)
        })
        .unwrap();
        let id = device.id.any();
        let lines = w.read(move |tx| tx.changes(&crate::log::of(id))).unwrap();
        let seen: Vec<_> = lines.iter().map(|c| (c.verb.name(), c.code.as_deref(), c.note.as_deref())).collect();
        assert_eq!(seen, [("create", None, None), ("moved", Some("phase.up"), Some("It is up."))]);
    });
}

#[test]
fn a_tombstone_leaves_its_unique_keys_whichever_document_says_so() {
    on_both(|w| {
        let site = w.site("a");
        let named = || Device { name: "x".into(), site: Some(site.id.any()), ..Device::default() };
        for n in 0..3 {
            let device = w.create(named());
            assert!(matches!(w.try_create(named()), Err(Error::Exists { .. })));
            // From the same reading, the other document is written too, in both orders: neither may revive the row.
            match n {
                0 => save(w, &device, Device { closed: true, ..named() }).unwrap(),
                1 => {
                    observe(w, &device, DeviceStatus { lost: true, ..state("gone") }).unwrap();
                    save(w, &device, Device { size: Some(1), ..named() }).unwrap();
                }
                _ => {
                    save(w, &device, Device { closed: true, ..named() }).unwrap();
                    observe(w, &device, state("up")).unwrap();
                }
            }
            assert!(get(w, &device).spec.is_gone(&get(w, &device).status));
        }
        let living = w.create(named());
        // Coming back to life needs the key again.
        let gone = w.read(|tx| tx.one::<Device>(&Filter::eq("size", 1))).unwrap().unwrap();
        let revived = observe(w, &gone, state("up"));
        assert!(matches!(&revived, Err(Error::Exists { fields, .. }) if *fields == ["site", "name"]), "{revived:?}");
        let id = living.id;
        w.write(move |tx| tx.remove(id)).unwrap();
        observe(w, &gone, state("up")).unwrap();
        assert!(matches!(w.try_create(named()), Err(Error::Exists { .. })));
    });
}

#[test]
fn a_text_search_finds_what_either_document_says_now() {
    on_both(|w| {
        let device = w.create(Device { name: "Alpha".into(), ..Device::default() });
        let found = |text: &str| w.names(Filter::Text(text.to_owned())).len();
        observe(w, &device, state("degraded")).unwrap();
        assert_eq!((found("alpha"), found("DEGR"), found("alpha degraded")), (1, 1, 1));
        save(w, &device, Device { name: "Beta".into(), ..Device::default() }).unwrap();
        assert_eq!((found("alpha"), found("beta degraded")), (0, 1));
        let id = device.id;
        w.write(move |tx| tx.remove(id)).unwrap();
        assert_eq!(found("beta"), 0);
    });
}

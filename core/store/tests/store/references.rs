//! References: what they may name, and what a removal does to both ends.

use meetme_base::{Id, RawId};
use meetme_store::{Error, Filter, Object, Op, Value};

use crate::{
    kinds::{Cable, Device, Org, Site},
    world::{World, on_both},
};

fn gone(w: &World, device: &Object<Device>) -> bool {
    let id = device.id;
    w.read(move |tx| tx.find(id)).unwrap().is_none()
}

fn now(w: &World, device: &Object<Device>) -> Device {
    let id = device.id;
    w.read(move |tx| tx.get(id)).unwrap().spec
}

fn cable(w: &World, via: &[RawId], ends: &[RawId]) -> Object<Cable> {
    let (org, spec) = (w.org, Cable { name: "c".to_owned(), via: via.to_vec(), ends: ends.to_vec() });
    w.write(move |tx| tx.create(org, spec.clone())).unwrap()
}

#[test]
fn a_reference_must_name_an_object_of_an_allowed_kind() {
    on_both(|w| {
        let (site, org) = (w.site("a").id.any(), w.org);
        let made = w.try_create(Device { site: Some(RawId::new(4242)), ..Device::default() });
        assert!(matches!(&made, Err(Error::Invalid(i)) if i.field == "site" && i.code == "reference"), "{made:?}");
        let made = w.try_create(Device { site: Some(org), ..Device::default() });
        assert!(matches!(&made, Err(Error::Invalid(i)) if i.field == "site"), "{made:?}");
        // Found to exist for one reference, and still of the wrong kind for the next.
        let made = w.try_create(Device { site: Some(site), host: Some(site), ..Device::default() });
        assert!(matches!(&made, Err(Error::Invalid(i)) if i.field == "host"), "{made:?}");
        let made = w.try_create(Device { peers: vec![site], ..Device::default() });
        assert!(matches!(&made, Err(Error::Invalid(i)) if i.field == "peers"), "{made:?}");
        w.create(Device { near: Some(site), ..Device::default() });
    });
}

#[test]
fn a_saved_reference_is_verified_too() {
    on_both(|w| {
        let device = w.create(Device::default());
        let saved = w.write(move |tx| {
            tx.save(&mut device.clone(), Device { spare: Some(RawId::new(4242)), ..Device::default() })
        });
        assert!(matches!(&saved, Err(Error::Invalid(i)) if i.field == "spare"), "{saved:?}");
    });
}

#[test]
fn a_row_that_is_referred_to_refuses_to_go_and_names_who_needs_it() {
    on_both(|w| {
        let site = w.site("a");
        for n in 0..12 {
            w.device(&format!("d{n:02}"), &site);
        }
        cable(w, &[site.id.any()], &[]);
        let id = site.id;
        let refused = w.write(move |tx| tx.remove(id));
        let Err(Error::Referenced { id: what, by, count }) = refused else { panic!("{refused:?}") };
        assert_eq!((what, count, by.len()), (id.any(), 13, 10));
        let titles: Vec<&str> = by.iter().map(|(_, _, title)| title.as_str()).collect();
        assert!(titles.contains(&"cable c") && titles.contains(&"device d00"), "{titles:?}");
        assert!(w.read(move |tx| tx.get(id)).is_ok());
    });
}

#[test]
fn what_hangs_on_a_host_goes_with_it_to_any_depth() {
    on_both(|w| {
        let site = w.site("a");
        let host = w.device("host", &site);
        let guest = w.create(Device { host: Some(host.id.any()), ..Device::default() });
        let inner = w.create(Device { host: Some(guest.id.any()), ..Device::default() });
        let line = cable(w, &[], &[inner.id.any()]);
        let bystander = w.device("bystander", &site);
        let id = host.id;
        w.write(move |tx| tx.remove(id)).unwrap();
        assert!(gone(w, &host) && gone(w, &guest) && gone(w, &inner) && !gone(w, &bystander));
        assert!(w.read(move |tx| tx.find(line.id)).unwrap().is_none());
    });
}

#[test]
fn rows_that_own_each_other_in_a_ring_go_together() {
    on_both(|w| {
        let a = w.create(Device::default());
        let b = w.create(Device { host: Some(a.id.any()), ..Device::default() });
        let (mine, other) = (a.clone(), b.id.any());
        w.write(move |tx| tx.save(&mut mine.clone(), Device { host: Some(other), ..Device::default() })).unwrap();
        let id = a.id;
        w.write(move |tx| tx.remove(id)).unwrap();
        assert!(gone(w, &a) && gone(w, &b));
    });
}

#[test]
fn a_member_of_the_removal_may_be_referred_to_from_inside_it() {
    on_both(|w| {
        let host = w.create(Device::default());
        let guest = w.create(Device { host: Some(host.id.any()), spare: Some(host.id.any()), ..Device::default() });
        let id = host.id;
        w.write(move |tx| tx.remove(id)).unwrap();
        assert!(gone(w, &guest));
    });
}

#[test]
fn loose_references_are_emptied() {
    on_both(|w| {
        let target = w.create(Device::default());
        let other = w.create(Device::default());
        let (t, o) = (target.id.any(), other.id.any());
        let holder = w.create(Device { spare: Some(t), near: Some(t), peers: vec![o, t], ..Device::default() });
        w.write(move |tx| tx.remove::<Device>(t.of())).unwrap();
        let left = now(w, &holder);
        assert_eq!((left.spare, left.near, left.peers), (None, None, vec![o]));
        assert!(w.names(Filter::is("spare", Op::Empty(false))).is_empty());
        let id = holder.id;
        assert_eq!(w.read(move |tx| tx.get(id)).unwrap().version, 4);
    });
}

#[test]
fn lists_of_references_are_kept_in_step_with_the_document() {
    on_both(|w| {
        let [a, b, c] = [(); 3].map(|()| w.create(Device::default()).id.any());
        let holder = w.create(Device { peers: vec![b, a, b], ..Device::default() });
        assert_eq!(holder.spec.peers, [b, a, b]);
        let mine = holder.clone();
        w.write(move |tx| tx.save(&mut mine.clone(), Device { peers: vec![c, b], ..Device::default() })).unwrap();
        let found = |id: RawId| w.names(Filter::eq("peers", Value::Ref(id.get()))).len();
        assert_eq!((found(a), found(b), found(c)), (0, 1, 1));
        let who = w.read(move |tx| tx.referrers(c, 10)).unwrap();
        assert_eq!(who, [(<Device as meetme_store::Resource>::KIND, holder.id.any(), "peers".to_owned())]);
        w.write(move |tx| tx.remove::<Device>(a.of())).unwrap();
    });
}

#[test]
fn a_reference_made_while_its_target_goes_is_refused_or_stops_the_removal() {
    on_both(|w| {
        for _ in 0..20 {
            let site = w.site("contested");
            let (id, raw, org) = (site.id, site.id.any(), w.org);
            let remove = w.store.write(meetme_store::Context::system(), move |tx| tx.remove(id));
            let create = w.store.write(meetme_store::Context::system(), move |tx| {
                tx.create(org, Device { site: Some(raw), ..Device::default() })
            });
            let made: Result<Object<Device>, Error> = crate::world::answer(create);
            let removed: Result<(), Error> = crate::world::answer(remove);
            match (made, removed) {
                (Ok(device), Err(Error::Referenced { count: 1, .. })) => {
                    let device = device.id;
                    w.write(move |tx| {
                        tx.remove(device)?;
                        tx.remove(id)
                    })
                    .unwrap();
                }
                (Err(Error::Invalid(_)), Ok(())) => {}
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn a_node_does_not_go_while_something_hangs_on_it() {
    on_both(|w| {
        let parent = w.org;
        let child = w.write(move |tx| tx.create(parent, Org::named("child"))).unwrap();
        let node = child.id.any();
        let site = w.write(move |tx| tx.create(node, Site::named("a"))).unwrap();
        let refused = w.write(move |tx| tx.remove::<Org>(node.of()));
        assert!(matches!(&refused, Err(Error::Referenced { count: 1, by, .. }) if by[0].2 == "site a"), "{refused:?}");
        let refused = w.write(move |tx| tx.remove::<Org>(parent.of()));
        assert!(matches!(refused, Err(Error::Referenced { count: 1, .. })), "{refused:?}");
        w.write(move |tx| {
            tx.remove(site.id)?;
            tx.remove::<Org>(node.of())?;
            tx.remove::<Org>(parent.of())
        })
        .unwrap();
        let late = w.write(move |tx| tx.create(node, Site::named("b")));
        assert!(matches!(&late, Err(Error::Invalid(i)) if i.field == "tenant"), "{late:?}");
    });
}

#[test]
fn a_row_must_hang_on_a_node() {
    on_both(|w| {
        let site = w.site("a").id.any();
        for tenant in [RawId::new(0), RawId::new(777), site] {
            let made = w.write(move |tx| tx.create(tenant, Site::named("b")));
            assert!(matches!(&made, Err(Error::Invalid(i)) if i.field == "tenant"), "{made:?}");
        }
        let made = w.write(move |tx| tx.create(site, Org::named("b")));
        assert!(matches!(&made, Err(Error::Invalid(i)) if i.field == "tenant"), "{made:?}");
        assert!(w.read(|tx| tx.find::<Site>(Id::new(3))).is_ok());
    });
}

#[test]
fn what_rows_refer_to_is_told_once_each_and_only_of_rows_that_match() {
    on_both(|w| {
        let (a, b, c) = (w.site("a"), w.site("b"), w.site("c"));
        w.device("d1", &a);
        w.device("d2", &a);
        w.device("d3", &b);
        let targets = |filter: Filter| {
            w.read(move |tx| {
                let kind = tx.registry().kind("device").unwrap();
                tx.targets(kind, "site", &filter)
            })
            .unwrap()
        };
        assert_eq!(targets(Filter::All), [a.id.any(), b.id.any()]);
        assert_eq!(targets(Filter::eq("name", "d3")), [b.id.any()]);
        assert_eq!(targets(Filter::Never), []);
        let ids = [a.id.any(), b.id.any(), c.id.any()];
        let counts = w.read(move |tx| tx.referred("site", ids)).unwrap();
        assert_eq!(ids.map(|id| counts.get(&id).copied()), [Some(2), Some(1), None]);
        assert!(w.read(move |tx| tx.referred("host", ids)).unwrap().is_empty());
    });
}

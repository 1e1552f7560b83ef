//! Making, reading, changing and removing rows.

use meetme_base::{Id, RawId, Uid};
use meetme_store::{Context, Error, Filter, Query};

use crate::{
    kinds::{Device, Org, Site},
    world::{answer, on_both},
};

#[test]
fn a_row_reads_back_as_it_was_made() {
    on_both(|w| {
        let site = w.site("a");
        let spec = Device {
            name: "ÆØÅ ẞ 日本 \u{1f600} ' \" \\ ? $1".to_owned(),
            size: Some(i64::MIN),
            ip: Some("2001:db8::1".parse().unwrap()),
            net: Some("192.0.2.11/24".parse().unwrap()),
            tags: vec![String::new(), "a,b".to_owned()],
            site: Some(site.id.any()),
            ..Device::default()
        };
        let made = w.create(spec.clone());
        assert_eq!((made.version, made.seen, made.tenant, &made.spec), (1, 0, w.org, &spec));
        let (id, uid) = (made.id, made.uid);
        assert_eq!(w.read(move |tx| tx.get(id)).unwrap(), made);
        assert_eq!(w.read(move |tx| tx.by_uid::<Device>(uid)).unwrap(), made);
    });
}

#[test]
fn a_row_is_missing_under_another_kind_or_uid() {
    on_both(|w| {
        let site = w.site("a");
        let missing = |e: Result<_, Error>| matches!(e, Err(Error::Missing { .. }));
        let (raw, uid) = (site.id.any(), site.uid);
        assert!(missing(w.read(move |tx| tx.get::<Device>(raw.of()).map(|_| ()))));
        assert!(missing(w.read(move |tx| tx.by_uid::<Device>(uid).map(|_| ()))));
        assert!(missing(w.read(move |tx| tx.by_uid::<Site>(Uid::random()).map(|_| ()))));
        assert!(missing(w.read(move |tx| tx.get::<Site>(Id::new(99_999)).map(|_| ()))));
        assert!(w.read(move |tx| tx.find::<Site>(Id::new(99_999))).unwrap().is_none());
    });
}

#[test]
fn saving_raises_the_version_and_an_older_one_is_stale() {
    on_both(|w| {
        let site = w.site("a");
        w.clock.step_seconds(5);
        let mine = site.clone();
        let saved = w
            .write(move |tx| {
                let mut object = mine.clone();
                tx.save(&mut object, Site::named("b"))?;
                Ok(object)
            })
            .unwrap();
        assert_eq!((saved.version, saved.updated.0 - saved.created.0), (2, 5000));
        let id = site.id;
        assert_eq!(w.read(move |tx| tx.get(id)).unwrap(), saved);
        let late = w.write(move |tx| tx.save(&mut site.clone(), Site::named("c")));
        assert!(matches!(late, Err(Error::Stale { version: 2 })), "{late:?}");
        assert_eq!(w.read(move |tx| tx.get(id)).unwrap(), saved);
    });
}

#[test]
fn saving_what_is_there_already_changes_nothing() {
    on_both(|w| {
        let site = w.site("a");
        let (id, mine) = (site.id, site.clone());
        w.write(move |tx| tx.save(&mut mine.clone(), mine.spec.clone())).unwrap();
        assert_eq!(w.read(move |tx| tx.get(id)).unwrap(), site);
        assert_eq!(w.read(move |tx| tx.count_changes(&crate::log::of(id.any()))).unwrap(), 1);
    });
}

#[test]
fn saving_a_removed_row_says_that_it_is_missing() {
    on_both(|w| {
        let site = w.site("a");
        let id = site.id;
        w.write(move |tx| tx.remove(id)).unwrap();
        assert!(matches!(w.read(move |tx| tx.get(id)), Err(Error::Missing { .. })));
        assert!(matches!(w.write(move |tx| tx.remove(id)), Err(Error::Missing { .. })));
        let late = w.write(move |tx| tx.save(&mut site.clone(), Site::named("b")));
        assert!(matches!(late, Err(Error::Missing { .. })), "{late:?}");
    });
}

#[test]
fn a_kind_checks_its_rows_before_and_after() {
    on_both(|w| {
        let refused = w.write({
            let org = w.org;
            move |tx| tx.create(org, Site::named("nowhere"))
        });
        assert!(matches!(&refused, Err(Error::Invalid(i)) if i.field == "name"), "{refused:?}");
        let big = w.create(Device { size: Some(5), ..Device::default() });
        let shrunk = w.write(move |tx| tx.save(&mut big.clone(), Device { size: Some(4), ..Device::default() }));
        assert!(matches!(&shrunk, Err(Error::Invalid(i)) if i.field == "size"), "{shrunk:?}");
    });
}

#[test]
fn a_unique_set_is_unique_within_its_tenant() {
    on_both(|w| {
        w.site("a");
        let org = w.org;
        let again = w.write(move |tx| tx.create(org, Site::named("a")));
        let Err(Error::Exists { kind, clash, fields }) = again else { panic!("{again:?}") };
        assert_eq!((kind.name(), clash.field.as_str(), fields), ("site", "name", vec!["name".to_owned()]));
        assert_eq!(clash.message, "site with this name already exists.");
        let elsewhere = w.write(|tx| {
            let other = tx.create(RawId::new(0), Org::named("other"))?;
            tx.create(other.id.any(), Site::named("a"))
        });
        assert!(elsewhere.is_ok(), "{elsewhere:?}");
        let b = w.site("b");
        let renamed = w.write(move |tx| tx.save(&mut b.clone(), Site::named("a")));
        assert!(matches!(renamed, Err(Error::Exists { .. })), "{renamed:?}");
    });
}

#[test]
fn rows_with_a_null_in_a_unique_set_are_outside_of_it() {
    on_both(|w| {
        let nameless = || Device { name: "x".to_owned(), ..Device::default() };
        w.create(nameless());
        w.create(nameless());
        let site = w.site("a");
        w.device("x", &site);
        let twice = w.try_create(Device { site: Some(site.id.any()), ..nameless() });
        let Err(Error::Exists { fields, .. }) = twice else { panic!("{twice:?}") };
        assert_eq!(fields, ["site", "name"]);
    });
}

#[test]
fn a_uid_belongs_to_one_object_of_all_kinds() {
    on_both(|w| {
        let (uid, org) = (w.site("a").uid, w.org);
        let twice = w.write(move |tx| tx.create_as(org, uid, Device::default(), Default::default()));
        let Err(Error::Exists { kind, fields, .. }) = twice else { panic!("{twice:?}") };
        assert_eq!((kind.name(), fields), ("device", vec!["uid".to_owned()]));
    });
}

#[test]
fn null_characters_are_refused_and_harmless_in_questions() {
    on_both(|w| {
        for spec in [
            Device { name: "a\0b".to_owned(), ..Device::default() },
            Device { tags: vec!["a\0".to_owned()], ..Device::default() },
        ] {
            let made = w.try_create(spec);
            assert!(matches!(made, Err(Error::Invalid(_))), "{made:?}");
        }
        w.device("a", &w.site("a"));
        for op in [
            meetme_store::Op::Eq("a\0".into()),
            meetme_store::Op::In(vec!["\0".into()]),
            meetme_store::Op::Contains("\0".into()),
            meetme_store::Op::EqFold("A\0".into()),
        ] {
            assert!(w.names(Filter::is("name", op)).is_empty());
        }
        assert_eq!(w.names(Filter::is("name", meetme_store::Op::Lt("a\0".into()))), ["a"]);
        assert_eq!(w.names(Filter::eq("name", "a\0").not()), ["a"]);
    });
}

#[test]
fn a_text_too_long_for_an_index_is_refused_on_both() {
    on_both(|w| {
        let org = w.org;
        let long = w.write(move |tx| tx.create(org, Site::named(&"ä".repeat(1000))));
        assert!(matches!(&long, Err(Error::Invalid(i)) if i.field == "name"), "{long:?}");
        // The longest that is taken, in letters that do not compress.
        let mut dice = crate::world::Dice(1);
        let name: String = (0..1200).map(|_| char::from(b'!' + dice.roll(90) as u8)).collect();
        w.site(&name);
        w.create(Device { label: Some("x".repeat(100_000)), ..Device::default() });
    });
}

#[test]
fn a_reading_transaction_writes_nothing() {
    on_both(|w| {
        let (org, site) = (w.org, w.site("a"));
        let refused =
            |r: Result<(), Error>| assert!(matches!(&r, Err(Error::Bug(m)) if m.contains("reading")), "{r:?}");
        refused(w.read(move |tx| tx.create(org, Site::named("b")).map(|_| ())));
        refused(w.read(move |tx| tx.claim("pool", 0..=9, 1, &[], org).map(|_| ())));
        refused(w.read(move |tx| tx.enqueue("c", org, tx.now())));
        refused(w.read(move |tx| tx.lease(&["c"], "me", 9, 9).map(|_| ())));
        refused(w.read(move |tx| tx.remember("s", "n", "p", "a")));
        refused(w.read(move |tx| tx.name("d", org_kind(), "n", org)));
        let id = site.id;
        refused(w.read(move |tx| tx.remove(id)));
        refused(w.read(move |tx| tx.save(&mut site.clone(), Site::named("b"))));
        assert_eq!(w.read(|tx| tx.count::<Site>(&Filter::All)).unwrap(), 1);
    });
}

fn org_kind() -> meetme_base::Kind {
    <Org as meetme_store::Resource>::KIND
}

#[test]
fn a_dry_run_answers_but_keeps_nothing() {
    on_both(|w| {
        let org = w.org;
        let dry = Context { dry_run: true, ..Context::system() };
        let made = answer(w.store.write(dry, move |tx| {
            let site = tx.create(org, Site::named("a"))?;
            tx.claim("pool", 0..=9, 1, &[], site.id.any())?;
            Ok::<_, Error>(site)
        }))
        .unwrap();
        assert_eq!(made.spec.name, "a");
        assert_eq!(w.read(|tx| tx.count::<Site>(&Filter::All)).unwrap(), 0);
        assert_eq!(w.read(|tx| tx.count_claims("pool")).unwrap(), 0);
        w.site("a");
    });
}

fn kind<'a>(tx: &meetme_store::Tx<'a>) -> &'a meetme_store::KindInfo {
    tx.registry().kind("site").unwrap()
}

#[test]
fn rows_of_any_kind_come_and_go_as_json() {
    on_both(|w| {
        let org = w.org;
        let made =
            w.write(move |tx| tx.create_any(kind(tx), org, serde_json::json!({"name": "a", "floor": 3}))).unwrap();
        assert_eq!((made.title.as_str(), made.value("floor").unwrap().json()), ("site a", 3.into()));
        let wrong = w.write(move |tx| tx.create_any(kind(tx), org, serde_json::json!({"floor": 3})));
        assert!(matches!(&wrong, Err(Error::Invalid(i)) if i.field == "name"), "{wrong:?}");
        let id = made.id;
        let spec = serde_json::json!({"name": "b", "floor": null});
        let stale = w.write({
            let spec = spec.clone();
            move |tx| tx.replace_any(kind(tx), id, Some(7), spec.clone())
        });
        assert!(matches!(stale, Err(Error::Stale { version: 1 })), "{stale:?}");
        let replaced = w.write(move |tx| tx.replace_any(kind(tx), id, Some(1), spec.clone())).unwrap();
        assert_eq!((replaced.version, replaced.title.as_str()), (2, "site b"));
        let listed = w.read(move |tx| tx.list_any(kind(tx), &Query::of(Filter::All))).unwrap();
        assert_eq!(listed.iter().map(|o| o.id).collect::<Vec<_>>(), [id]);
        w.write(move |tx| tx.remove_any(kind(tx), id)).unwrap();
        assert!(matches!(w.read(move |tx| tx.get_any(kind(tx), id)), Err(Error::Missing { .. })));
    });
}

#[test]
fn who_loses_a_race_between_look_and_write_looks_again() {
    on_both(|w| {
        let made = w.create(Device { size: Some(0), ..Device::default() }).id;
        std::thread::scope(|threads| {
            for _ in 0..4 {
                threads.spawn(|| {
                    for _ in 0..25 {
                        w.write(move |tx| {
                            let mut row = tx.get(made)?;
                            let more = Device { size: row.spec.size.map(|n| n + 1), ..row.spec.clone() };
                            tx.save(&mut row, more)
                        })
                        .unwrap();
                    }
                });
            }
        });
        assert_eq!(w.read(move |tx| tx.get(made)).unwrap().spec.size, Some(100), "{}", w.name);
    });
}

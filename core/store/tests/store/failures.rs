//! Operations that fail, and those beside them that do not.

use meetme_base::RawId;
use meetme_store::{Context, Error, Filter};

use crate::{
    kinds::{Device, Org, Site},
    world::{answer, on_both},
};

#[test]
fn an_operation_that_fails_half_way_keeps_nothing_though_others_of_its_group_are_kept() {
    on_both(|w| {
        let org = w.org;
        let waiting: Vec<_> = (0..60)
            .map(|n: i64| {
                w.store.write(Context::system(), move |tx| {
                    tx.create(org, Site::named(&format!("first {n}")))?;
                    if n % 3 == 0 {
                        return Err(Error::Bug("changed my mind".to_owned()));
                    }
                    tx.create(org, Site::named(&format!("second {n}")))?;
                    Ok(())
                })
            })
            .collect();
        let kept = waiting.into_iter().map(answer).filter(Result::is_ok).count();
        assert_eq!(kept, 40);
        assert_eq!(w.read(|tx| tx.count::<Site>(&Filter::All)).unwrap(), 80);
        assert!(!w.read(|tx| tx.exists::<Site>(&Filter::eq("name", "first 3"))).unwrap());
    });
}

#[test]
fn a_panic_costs_its_own_operation_only() {
    on_both(|w| {
        let org = w.org;
        let waiting: Vec<_> = (0..20)
            .map(|n: i64| {
                w.store.write(Context::system(), move |tx| {
                    tx.create(org, Site::named(&format!("s{n}")))?;
                    assert!(n % 4 != 0, "struck");
                    Ok::<_, Error>(())
                })
            })
            .collect();
        for (n, out) in waiting.into_iter().map(answer).enumerate() {
            match out {
                Ok(()) => assert_ne!(n % 4, 0),
                Err(Error::Bug(text)) => assert!(n % 4 == 0 && text.contains("struck"), "{text}"),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(w.read(|tx| tx.count::<Site>(&Filter::All)).unwrap(), 15);
        let out = w.read(|tx| {
            tx.each::<Site>(&meetme_store::Query::of(Filter::All), |_| panic!("in the middle of an answer"))
        });
        assert!(matches!(out, Err(Error::Bug(_))), "{out:?}");
        assert_eq!(w.read(|tx| tx.count::<Site>(&Filter::eq("name", "s1"))).unwrap(), 1);
    });
}

#[test]
fn an_operation_that_makes_light_of_a_failed_write_is_not_kept() {
    on_both(|w| {
        w.site("taken");
        let org = w.org;
        let out = w.write(move |tx| {
            tx.create(org, Site::named("fresh"))?;
            let clash = tx.create(org, Site::named("taken"));
            assert!(matches!(clash, Err(Error::Exists { .. })), "{clash:?}");
            Ok(())
        });
        assert!(matches!(&out, Err(Error::Bug(text)) if text.contains("failed write")), "{out:?}");
        assert!(!w.read(|tx| tx.exists::<Site>(&Filter::eq("name", "fresh"))).unwrap());
    });
}

#[test]
fn an_attempt_may_fail_and_the_operation_goes_on() {
    on_both(|w| {
        w.site("taken");
        let org = w.org;
        w.write(move |tx| {
            tx.create(org, Site::named("before"))?;
            let clash = tx.attempt(|tx| {
                let site = tx.create(org, Site::named("lost"))?.id.any();
                tx.create(org, Device { site: Some(site), ..Device::default() })?;
                tx.create(org, Site::named("taken"))
            });
            assert!(matches!(clash, Err(Error::Exists { .. })), "{clash:?}");
            tx.attempt(|tx| tx.create(org, Site::named("inside")))?;
            tx.create(org, Site::named("after"))
        })
        .unwrap();
        let mut names: Vec<String> =
            w.read(|tx| Ok(tx.all::<Site>(Filter::All)?.into_iter().map(|s| s.spec.name).collect())).unwrap();
        names.sort();
        assert_eq!(names, ["after", "before", "inside", "taken"]);
        assert_eq!(w.read(|tx| tx.next_due(&["sites", "watchers"])).unwrap(), None);
    });
}

#[test]
fn a_refusal_before_the_first_write_may_be_made_light_of() {
    on_both(|w| {
        let (site, org) = (w.site("a"), w.org);
        w.device("d", &site);
        w.write(move |tx| {
            assert!(matches!(tx.remove(site.id), Err(Error::Referenced { .. })));
            assert!(matches!(tx.create(org, Site::named("nowhere")), Err(Error::Invalid(_))));
            assert!(matches!(tx.create(org, Site::named("a\0")), Err(Error::Invalid(_))));
            tx.create(RawId::new(0), Org::named("kept"))
        })
        .unwrap();
        assert_eq!(w.read(|tx| tx.count::<Org>(&Filter::All)).unwrap(), 2);
    });
}

#[test]
fn what_is_gone_with_its_store_is_said_to_be_unavailable() {
    on_both(|w| {
        let store = w.again(crate::kinds::registry());
        let future = store.read(Context::system(), |tx| tx.count::<Site>(&Filter::All));
        drop(store);
        let out: Result<u64, Error> = answer(future);
        assert!(matches!(out, Ok(0) | Err(Error::Unavailable(_))), "{out:?}");
    });
}

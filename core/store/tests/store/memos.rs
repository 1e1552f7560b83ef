//! Answers kept for later, and names given by dialects.

use meetme_store::{Error, Resource};

use crate::{
    kinds::Site,
    world::{START, on_both},
};

#[test]
fn an_answer_is_kept_once_and_forgotten_in_time() {
    on_both(|w| {
        assert_eq!(w.read(|tx| tx.recall("caller", "key")).unwrap(), None);
        w.write(|tx| tx.remember("caller", "key", "print", "answer ☃")).unwrap();
        let memo = w.read(|tx| tx.recall("caller", "key")).unwrap().unwrap();
        assert_eq!((memo.print.as_str(), memo.answer.as_str(), memo.at), ("print", "answer ☃", START));
        let again = w.write(|tx| tx.remember("caller", "key", "other", "other"));
        assert!(matches!(again, Err(Error::Stale { .. })), "{again:?}");
        assert_eq!(w.read(|tx| tx.recall("stranger", "key")).unwrap(), None);
        assert_eq!(w.write(|tx| tx.forget_answers(START)).unwrap(), 0);
        assert_eq!(w.write(|tx| tx.forget_answers(START.plus_millis(1))).unwrap(), 1);
        assert_eq!(w.read(|tx| tx.recall("caller", "key")).unwrap(), None);
    });
}

#[test]
fn a_name_leads_to_its_object_as_long_as_that_stands() {
    on_both(|w| {
        let (a, b) = (w.site("a").id, w.site("b").id);
        w.write(move |tx| tx.name("port", Site::KIND, "blue", a.any())).unwrap();
        let taken = w.write(move |tx| tx.name("port", Site::KIND, "blue", b.any()));
        assert!(matches!(&taken, Err(Error::Exists { fields, .. }) if *fields == ["id"]), "{taken:?}");
        w.write(move |tx| tx.name("packet", Site::KIND, "blue", b.any())).unwrap();
        let named = |dialect: &'static str| w.read(move |tx| tx.named(dialect, Site::KIND, "blue")).unwrap();
        assert_eq!((named("port"), named("packet"), named("native")), (Some(a.any()), Some(b.any()), None));
        let names = w.read(move |tx| tx.names_of("port", &[b.any(), a.any()])).unwrap();
        assert_eq!(names, [(a.any(), "blue".to_owned())]);
        w.write(move |tx| tx.remove(a)).unwrap();
        assert_eq!(named("port"), None);
    });
}

#[test]
fn names_and_keys_with_null_characters_are_unknown_or_refused() {
    on_both(|w| {
        let a = w.site("a").id.any();
        assert_eq!(w.read(|tx| tx.named("port", Site::KIND, "\0")).unwrap(), None);
        assert_eq!(w.read(|tx| tx.recall("s", "\0")).unwrap(), None);
        assert!(matches!(w.write(move |tx| tx.name("port", Site::KIND, "\0", a)), Err(Error::Invalid(_))));
        assert!(matches!(w.write(|tx| tx.remember("s", "\0", "p", "a")), Err(Error::Invalid(_))));
    });
}

#[test]
fn of_two_requests_with_one_key_one_wins() {
    on_both(|w| {
        for round in 0..10 {
            let store = &w.store;
            let waiting: Vec<_> = (0..4)
                .map(|_| {
                    store.write(meetme_store::Context::system(), move |tx| {
                        tx.remember("caller", &format!("key {round}"), "print", "answer")
                    })
                })
                .collect();
            let outs: Vec<Result<(), Error>> = waiting.into_iter().map(crate::world::answer).collect();
            assert_eq!(outs.iter().filter(|o| o.is_ok()).count(), 1, "{outs:?}");
            assert!(outs.iter().all(|o| matches!(o, Ok(()) | Err(Error::Stale { .. }))), "{outs:?}");
        }
    });
}

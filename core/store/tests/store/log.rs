//! The change log, as a record and as a stream.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use meetme_base::{Id, RawId, Uid};
use meetme_store::{Actor, Change, ChangeQuery, Context, Cursor, Error, Resource, Verb};

use crate::{
    kinds::{Mirror, Site},
    world::{Dice, START, World, answer, on_both},
};

/// The lines about one object.
pub fn of(id: RawId) -> ChangeQuery {
    ChangeQuery { ids: vec![id], limit: 1000, ..ChangeQuery::default() }
}

fn all() -> ChangeQuery {
    ChangeQuery { limit: 100_000, ..ChangeQuery::default() }
}

fn changes(w: &World, query: &ChangeQuery) -> Vec<Change> {
    let query = query.clone();
    w.read(move |tx| tx.changes(&query)).unwrap()
}

/// The end of the stream, once everything written so far is before it: another test's transaction may hold it back.
pub fn end(w: &World) -> Cursor {
    let before = w.read(|tx| tx.count_changes(&all())).unwrap();
    let shown = ChangeQuery { after: Some(Cursor::default()), ..all() };
    meetme_testdb::eventually("the log is shown", Duration::from_secs(30), || {
        changes(w, &shown).len() as u64 == before
    });
    w.read(|tx| tx.last_cursor()).unwrap()
}

#[test]
fn a_line_tells_what_was_done_by_whom_in_which_request() {
    on_both(|w| {
        let (org, request) = (w.org, Uid::random());
        let actor = Actor { by: Some(RawId::new(77)), name: "Ada\0".into(), dialect: "port" };
        let context = Context { actor, request, ..Context::system() };
        w.clock.step_seconds(9);
        let site = answer(w.store.write(context, move |tx| {
            let mut site = tx.create(org, Site::named("a"))?;
            tx.save(&mut site, Site { floor: Some(2), ..Site::named("b") })?;
            Ok::<_, Error>(site)
        }))
        .unwrap();
        w.write(move |tx| tx.remove(site.id)).unwrap();
        let lines = changes(w, &of(site.id.any()));
        let verbs: Vec<_> = lines.iter().map(|c| (c.verb, c.version, c.title.as_str())).collect();
        assert_eq!(verbs, [(Verb::Create, 1, "site a"), (Verb::Update, 2, "site b"), (Verb::Remove, 2, "site b")]);
        let line = &lines[1];
        assert_eq!(
            (line.actor, line.actor_name.as_str(), line.dialect.as_str()),
            (Some(RawId::new(77)), "Ada", "port")
        );
        assert_eq!(
            (line.kind, line.tenant, line.request, line.at),
            (Site::KIND, w.org, request, START.plus_seconds(9))
        );
        let name = |doc: &Option<serde_json::Value>| doc.as_ref().map(|d| d["name"].as_str().unwrap().to_owned());
        let names: Vec<_> = lines.iter().map(|c| (name(&c.before), name(&c.after))).collect();
        let [a, b] = ["a", "b"].map(|n| Some(n.to_owned()));
        assert_eq!(names, [(None, a.clone()), (a, b.clone()), (b, None)]);
        assert_eq!(line.after.as_ref().unwrap()["floor"], 2);
    });
}

#[test]
fn lines_are_found_by_every_question() {
    on_both(|w| {
        let (a, b) = (w.site("a"), w.site("b"));
        w.clock.step_seconds(60);
        let (id, request) = (b.id, Uid::random());
        let actor = Actor { by: Some(RawId::new(5)), name: "Ada".into(), dialect: "cli" };
        answer(w.store.write(Context { actor, request, ..Context::system() }, move |tx| tx.remove(id))).unwrap();
        let titles = |query: ChangeQuery| changes(w, &query).into_iter().map(|c| c.title).collect::<Vec<_>>();
        let both = ["site a", "site b"];
        assert_eq!(titles(ChangeQuery { kinds: vec![Site::KIND], verbs: vec![Verb::Create], ..all() }), both);
        assert_eq!(titles(ChangeQuery { request: Some(request), ..all() }), ["site b"]);
        assert_eq!(titles(ChangeQuery { actor: Some(RawId::new(5)), ..all() }), ["site b"]);
        assert_eq!(titles(ChangeQuery { actor_name: Some("Ada".into()), ..all() }), ["site b"]);
        assert_eq!(titles(ChangeQuery { since: Some(START.plus_seconds(1)), ..all() }), ["site b"]);
        assert_eq!(titles(ChangeQuery { until: Some(START), kinds: vec![Site::KIND], ..all() }), both);
        assert_eq!(titles(ChangeQuery { coded: Some(true), ..all() }), Vec::<String>::new());
        assert_eq!(titles(ChangeQuery { ids: vec![a.id.any()], ..all() }), ["site a"]);
        assert_eq!(titles(ChangeQuery { newest: true, limit: 2, offset: 1, ..all() }), ["site b", "site a"]);
        let line = changes(w, &ChangeQuery { newest: true, limit: 1, ..all() }).remove(0);
        assert_eq!(titles(ChangeQuery { seq: Some(line.seq), ..all() }), ["site b"]);
        assert_eq!(titles(ChangeQuery { below: Some(w.org), ..all() }).len(), 4);
        let query = ChangeQuery { limit: 1, ..all() };
        assert_eq!(w.read(move |tx| tx.count_changes(&query)).unwrap(), 4);
    });
}

#[test]
fn kinds_that_are_not_logged_leave_no_line() {
    on_both(|w| {
        let org = w.org;
        w.write(move |tx| {
            let mut mirror = tx.create(org, Mirror { n: 1 })?;
            tx.save(&mut mirror, Mirror { n: 2 })?;
            tx.remove(mirror.id)
        })
        .unwrap();
        assert!(changes(w, &ChangeQuery { kinds: vec![Mirror::KIND], ..all() }).is_empty());
    });
}

#[test]
fn following_from_the_end_shows_only_what_comes_later() {
    on_both(|w| {
        w.site("a");
        let end = end(w);
        assert_eq!(end.to_string().parse(), Ok(end));
        let after = |cursor: Cursor| changes(w, &ChangeQuery { after: Some(cursor), ..all() });
        assert!(after(end).is_empty());
        w.site("b");
        meetme_testdb::eventually("the change appears", Duration::from_secs(20), || after(end).len() == 1);
        let seen = after(end).remove(0);
        assert_eq!(seen.title, "site b");
        assert!(after(seen.cursor).is_empty());
    });
}

#[test]
fn a_stream_goes_on_after_the_whole_log_was_forgotten() {
    on_both(|w| {
        w.site("a");
        let end = end(w);
        w.write(|tx| tx.forget_changes(START.plus_seconds(1))).unwrap();
        assert!(changes(w, &all()).is_empty());
        w.site("b");
        let after = ChangeQuery { after: Some(end), ..all() };
        meetme_testdb::eventually("the change appears", Duration::from_secs(20), || changes(w, &after).len() == 1);
    });
}

#[test]
fn a_follower_of_one_kind_need_not_look_at_the_others_twice() {
    on_both(|w| {
        let start = end(w);
        w.site("a");
        let query = ChangeQuery { after: Some(start), kinds: vec![Mirror::KIND], ..all() };
        let every = ChangeQuery { after: Some(start), ..all() };
        meetme_testdb::eventually("the change appears", Duration::from_secs(20), || changes(w, &every).len() == 1);
        let (lines, next) = w.read(move |tx| tx.follow(&query)).unwrap();
        assert!(lines.is_empty() && next > start);
        let rest = ChangeQuery { after: Some(next), ..all() };
        assert_eq!(w.read(move |tx| tx.count_changes(&rest)).unwrap(), 0);
    });
}

#[test]
fn lines_restored_into_another_cluster_come_before_new_ones() {
    on_both(|w| {
        w.site("old");
        if let meetme_store::Open::Postgres { url, .. } = &*w.open {
            // A dump carries the numbers of the cluster it was made in.
            let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
            client.batch_execute("UPDATE change SET xid = xid + 1000000000000").unwrap();
        }
        let store = w.again(crate::kinds::registry());
        let read = |query: ChangeQuery| -> Vec<String> {
            let lines = answer(store.read(Context::system(), move |tx| tx.changes(&query))).unwrap();
            lines.into_iter().map(|c| c.title).collect()
        };
        let from_start = || read(ChangeQuery { after: Some(Cursor::default()), kinds: vec![Site::KIND], ..all() });
        meetme_testdb::eventually("the old line shows", Duration::from_secs(20), || from_start() == ["site old"]);
        let end = answer(store.read(Context::system(), |tx| tx.last_cursor())).unwrap();
        let org = w.org;
        answer(store.write(Context::system(), move |tx| tx.create(org, Site::named("new")))).unwrap();
        meetme_testdb::eventually("the new line shows", Duration::from_secs(20), || {
            read(ChangeQuery { after: Some(end), ..all() }) == ["site new"]
        });
        assert_eq!(from_start(), ["site old", "site new"]);
    });
}

const WRITERS: usize = 8;
const EACH: usize = 25;

/// Changes a few of a handful of rows, sometimes slowly, so that transactions overlap and end in another order than they began.
fn change_some(w: &World, sites: &[Id<Site>], dice: &mut Dice) {
    let mut picks: Vec<Id<Site>> = (0..=dice.roll(4)).map(|_| sites[dice.roll(sites.len() as u64) as usize]).collect();
    picks.dedup();
    let (pause, stamp) = (dice.roll(4) * dice.roll(3), dice.roll(1 << 40) as i64);
    let step = move |tx: &mut meetme_store::Tx<'_>| {
        for (i, id) in picks.iter().enumerate() {
            let mut site = tx.get(*id)?;
            let spec = Site { floor: Some(stamp + i as i64), ..site.spec.clone() };
            tx.save(&mut site, spec)?;
            std::thread::park_timeout(Duration::from_millis(pause));
        }
        Ok(())
    };
    while let Err(e) = w.write(step.clone()) {
        assert!(matches!(e, Error::Stale { .. } | Error::Unavailable(_)), "{e:?}");
    }
}

#[test]
fn followers_get_each_change_once_and_those_of_an_object_in_order() {
    on_both(|w| {
        let start = end(w);
        let sites: Vec<Id<Site>> = (0..6).map(|n| w.site(&n.to_string()).id).collect();
        let writing = AtomicUsize::new(WRITERS);
        let followed: Mutex<Vec<Vec<Change>>> = Mutex::default();
        std::thread::scope(|threads| {
            for n in 0..WRITERS {
                let (sites, writing) = (&sites, &writing);
                threads.spawn(move || {
                    let mut dice = Dice(n as u64);
                    (0..EACH).for_each(|_| change_some(w, sites, &mut dice));
                    writing.fetch_sub(1, Ordering::SeqCst);
                });
            }
            for limit in [3, 50] {
                let (writing, followed) = (&writing, &followed);
                threads.spawn(move || {
                    let (mut seen, mut cursor, began) = (Vec::new(), start, Instant::now());
                    loop {
                        let over = writing.load(Ordering::SeqCst) == 0;
                        let query = ChangeQuery { after: Some(cursor), limit, ..ChangeQuery::default() };
                        let page = changes(w, &query);
                        assert!(began.elapsed() < Duration::from_secs(60), "the stream does not end");
                        // A cursor goes to the client and back as text.
                        cursor = page.last().map_or(cursor, |c| c.cursor.to_string().parse().unwrap());
                        let is_end = page.is_empty();
                        seen.extend(page);
                        // Another test's transactions in the same cluster may hold the last ones back.
                        if is_end && over && seen.len() as u64 >= written(w) {
                            break;
                        }
                    }
                    followed.lock().unwrap().push(seen);
                });
            }
        });
        let mut log = changes(w, &ChangeQuery { kinds: vec![Site::KIND], ..all() });
        log.sort_by_key(|c| c.seq);
        for seen in followed.into_inner().unwrap() {
            let mut seqs: Vec<i64> = seen.iter().map(|c| c.seq).collect();
            seqs.sort_unstable();
            assert_eq!(seqs, log.iter().map(|c| c.seq).collect::<Vec<_>>());
            let mut versions: HashMap<RawId, u64> = HashMap::new();
            for change in seen {
                let last = versions.entry(change.id).or_default();
                assert_eq!(change.version, *last + 1, "{} in the wrong order", change.title);
                *last += 1;
            }
        }
    });
}

fn written(w: &World) -> u64 {
    let query = ChangeQuery { kinds: vec![Site::KIND], ..all() };
    w.read(move |tx| tx.count_changes(&query)).unwrap()
}

#[test]
fn lines_are_found_by_what_they_tell_of_themselves() {
    use meetme_store::{Likeness, LineFilter, LineNumber, LineTest, LineText, Sign};

    on_both(|w| {
        let org = w.org;
        let by = |id: i64, name: &str| Actor { by: Some(RawId::new(id)), name: name.into(), dialect: "port" };
        let make = |actor: Actor, name: &'static str| {
            let context = Context { actor, ..Context::system() };
            answer(w.store.write(context, move |tx| tx.create(org, Site::named(name)))).unwrap().id.any()
        };
        let (alpha, beta) = (make(by(7, "Ada"), "Alpha"), make(by(8, "Bob"), "beta"));
        let text = |how, text: &str| LineTest::Text(LineText::Title, how, text.to_owned());
        let found = |not: bool, any: Vec<LineTest>| {
            let also = vec![LineFilter { not, any }];
            let query = ChangeQuery { kinds: vec![Site::KIND], also, ..all() };
            let (lines, count) = (changes(w, &query), w.read(move |tx| tx.count_changes(&query)).unwrap());
            assert_eq!(lines.len() as u64, count);
            lines.into_iter().map(|line| line.id).collect::<Vec<_>>()
        };
        for (test, want) in [
            (text(Likeness::Eq, "site Alpha"), vec![alpha]),
            (text(Likeness::Eq, "site alpha"), vec![]),
            (text(Likeness::EqFold, "SITE alpha"), vec![alpha]),
            (text(Likeness::Contains, "TE B"), vec![beta]),
            (text(Likeness::Contains, "%"), vec![]),
            (text(Likeness::Starts, "Site"), vec![alpha, beta]),
            (text(Likeness::Starts, "alpha"), vec![]),
            (text(Likeness::Ends, "TA"), vec![beta]),
            (text(Likeness::Ends, "a much longer text than the title"), vec![]),
            (LineTest::Text(LineText::ActorName, Likeness::Eq, "Ada".into()), vec![alpha]),
            (LineTest::Number(LineNumber::Actor, Sign::Eq, 8), vec![beta]),
            (LineTest::Number(LineNumber::Id, Sign::Le, alpha.get()), vec![alpha]),
            (LineTest::Number(LineNumber::Id, Sign::Gt, alpha.get()), vec![beta]),
            (LineTest::Number(LineNumber::At, Sign::Lt, 0), vec![]),
            (LineTest::Verb(Verb::Create), vec![alpha, beta]),
            (LineTest::Verb(Verb::Remove), vec![]),
            (LineTest::Kind(Site::KIND, None), vec![alpha, beta]),
            (LineTest::Kind(Site::KIND, Some(("name".into(), "beta".into()))), vec![beta]),
            (LineTest::Kind(Site::KIND, Some(("no such') --".into(), String::new()))), vec![alpha, beta]),
        ] {
            let rest: Vec<RawId> = [alpha, beta].into_iter().filter(|id| !want.contains(id)).collect();
            assert_eq!(found(false, vec![test.clone()]), want, "{test:?}");
            assert_eq!(found(true, vec![test.clone()]), rest, "not {test:?}");
        }
        assert_eq!(found(false, vec![text(Likeness::Ends, "alpha"), text(Likeness::Ends, "beta")]), vec![alpha, beta]);
        assert_eq!(found(false, Vec::new()), Vec::<RawId>::new());
    });
}

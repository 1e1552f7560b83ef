//! Questions, answers, and everything that can go wrong between the two.

use std::time::{Duration, Instant};

use meetme_app::{
    irr::{self, Question},
    templates::{self, Passwords},
};
use meetme_model::routing::{DirectSession, IrrQuestion, IrrSet, Router, Template};
use meetme_store::{Filter, Object, Query};
use meetme_whois::Mood;

use crate::world::{self, World, is_there};

fn is_fetched(rows: &[Object<IrrSet>], count: usize) -> bool {
    rows.len() == count && rows.iter().all(|row| row.status.fetched_at.is_some() && row.status.failure.is_none())
}

fn texts(row: &Object<IrrSet>) -> Vec<String> {
    row.status.prefixes.iter().map(ToString::to_string).collect()
}

/// A registry with one set of two members.
fn fill(world: &World) {
    world.whois.set("RIPE", "AS-EXAMPLE", &["AS3333", "AS-SUB"]);
    world.whois.set("RIPE", "AS-SUB", &["AS112"]);
    world.whois.routes("RIPE", 3333, &["192.0.2.0/24", "2001:db8::/32"]);
    world.whois.routes("RIPE", 112, &["198.51.100.0/24", "198.51.101.0/24"]);
}

#[tokio::test]
async fn what_stands_behind_a_set_is_kept_for_whoever_names_it() {
    if !is_there("bgpq4") {
        return;
    }
    for world in world::both(|_| {}).await {
        fill(&world);
        let one = world.system(3333, "AS-EXAMPLE").await;
        let two = world.system(64500, "as-example").await;
        let rows =
            world.until("all three are answered", |rows| is_fetched(rows, 3) && rows[0].spec.systems.len() == 2).await;
        assert_eq!(texts(&rows[0]), ["192.0.2.0/24", "198.51.100.0/23^24-24"]);
        assert_eq!(texts(&rows[1]), ["2001:db8::/32^32-48"]);
        assert_eq!(rows[2].status.numbers.iter().map(|n| n.get()).collect::<Vec<_>>(), [112, 3333]);
        assert_eq!(rows[0].status.version, 1);
        let all = [IrrQuestion::Prefixes4, IrrQuestion::Prefixes6, IrrQuestion::Numbers];
        let known = world.write(move |tx| irr::of_systems(tx, &[one, two], &all)).await;
        assert_eq!(known[&one], known[&two]);
        assert_eq!(known[&one].prefixes4.as_ref().map(Vec::len), Some(2));
        // Who wants no prefixes any more lets go of them; what nobody wants goes.
        world.edit(one, |s| s.irr.want_prefixes = false).await;
        world.edit(two, |s| s.as_set = Some("AS-SUB".to_owned())).await;
        let rows = world.until("each has its own", |rows| is_fetched(rows, 4)).await;
        let sets: Vec<_> = rows.iter().map(|row| (row.spec.set.as_str(), row.spec.what.word())).collect();
        assert_eq!(
            sets,
            [("AS-EXAMPLE", "numbers"), ("AS-SUB", "prefixes4"), ("AS-SUB", "prefixes6"), ("AS-SUB", "numbers")]
        );
        world.write(move |tx| Ok(tx.remove(two)?)).await;
        world.until("what was asked for it goes with an AS", |rows| rows.len() == 1).await;
        world.end().await;
    }
}

#[tokio::test]
async fn a_router_s_template_is_made_of_what_the_registry_says() {
    if !is_there("bgpq4") {
        return;
    }
    for world in world::both(|_| {}).await {
        fill(&world);
        let remote = world.system(3333, "AS-EXAMPLE").await;
        world.until("all three are answered", |rows| is_fetched(rows, 3)).await;
        let operator = world.operator;
        let router = world.write(move |tx| {
            let text = "{% for s in router | direct_sessions %}{% for family in [4, 6] %}\
                {% for item in s.autonomous_system | prefix_list(family) %}{{ item.prefix }}\
                {% if not item.exact %} ge {{ item['greater-equal'] }} le {{ item['less-equal'] }}{% endif %}; {% endfor %}\
                {% endfor %}from {{ s.autonomous_system | as_list | join(',') }}{% endfor %}";
            let template = Template { name: "T".to_owned(), text: text.to_owned(), ..Template::default() };
            let template = Some(tx.create(operator, template)?.id);
            let (name, hostname) = ("edge1".to_owned(), "edge1".to_owned());
            let router = tx.create(operator, Router { name, hostname, template, ..Router::default() })?.id;
            let session = DirectSession {
                remote: Some(remote),
                router: Some(router),
                ..DirectSession::new("3333".parse().unwrap(), "192.0.2.2/30".parse().unwrap())
            };
            tx.create(operator, session)?;
            Ok(router)
        });
        let router = router.await;
        let app = world.app.clone();
        let read = world.write(move |tx| templates::configuration(&app, tx, router, Passwords::Masked)).await;
        assert_eq!(
            read.unwrap().render().unwrap(),
            "192.0.2.0/24; 198.51.100.0/23 ge 24 le 24; 2001:db8::/32 ge 32 le 48; from 112,3333"
        );
        world.end().await;
    }
}

#[tokio::test]
async fn sources_and_arguments_of_an_as_go_before_those_of_the_installation() {
    if !is_there("bgpq4") {
        return;
    }
    let world = world::one(|config| config.sources = "RADB".to_owned()).await;
    fill(&world);
    world.whois.set("RADB", "AS-EXAMPLE", &["AS112"]);
    world.whois.routes("RADB", 112, &["203.0.113.0/24"]);
    let plain = world.system(64500, "AS-EXAMPLE").await;
    let rows = world.until("the installation's source is asked", |rows| is_fetched(rows, 3)).await;
    assert_eq!(texts(&rows[0]), ["203.0.113.0/24"]);
    world
        .edit(plain, |s| {
            s.irr.sources = "RIPE".to_owned();
            s.irr.args4 = "-R 25".to_owned();
            s.irr.want_as_list = false;
        })
        .await;
    let rows = world
        .until("its own source is asked", |rows| is_fetched(rows, 2) && rows.iter().all(|r| r.spec.sources == "RIPE"))
        .await;
    assert_eq!(texts(&rows[0]), ["192.0.2.0/24^24-25", "198.51.100.0/24^24-25", "198.51.101.0/24^24-25"]);
    // A source before the set's own name goes before all.
    world.edit(plain, |s| s.as_set = Some("RADB::AS-EXAMPLE".to_owned())).await;
    let rows = world
        .until("the source is taken from the name", |rows| is_fetched(rows, 2) && rows[0].spec.set.starts_with("RADB"))
        .await;
    assert!(world.whois.asked().iter().any(|query| query == "!sRADB"), "{:?}", world.whois.asked());
    assert!(!rows[0].status.prefixes.is_empty());
    world.end().await;
}

#[tokio::test]
async fn one_set_that_cannot_be_had_leaves_the_others_and_its_last_answer() {
    if !is_there("bgpq4") {
        return;
    }
    for world in world::both(|config| config.timeout_seconds = 2).await {
        fill(&world);
        world.whois.set("RIPE", "AS-LATE", &["AS112"]);
        let id = world.system(3333, "AS-EXAMPLE AS-LATE nonsense").await;
        world.until("both are answered", |rows| is_fetched(rows, 6)).await;
        let note = world.note("irr_system", id.any()).await;
        assert!(note.contains("NONSENSE"), "{note}");
        world.whois.mood("AS-LATE", Some(Mood::Silent));
        world.whois.routes("RIPE", 3333, &["192.0.2.0/24", "203.0.113.0/24"]);
        let tenant = world.operator;
        let again = ["AS-EXAMPLE", "AS-LATE"].map(|set| Question::plain(set, IrrQuestion::Prefixes4));
        let ids = world.write(move |tx| irr::ask(tx, tenant, &again, true)).await;
        let is_late = |row: &Object<IrrSet>| {
            row.id == ids[1] && row.status.failure.as_deref().is_some_and(|why| why.contains("2 seconds"))
        };
        let rows = world.until("one is late", |rows| rows.iter().any(is_late)).await;
        let late = rows.iter().find(|row| is_late(row)).unwrap();
        assert_eq!(texts(late), ["198.51.100.0/23^24-24"], "the last answer stays");
        let ok = world
            .until("the other is new", |rows| rows.iter().any(|row| row.id == ids[0] && row.status.version == 2))
            .await;
        let known = irr::registered(ok.iter().filter(|row| row.spec.what == IrrQuestion::Prefixes4));
        assert_eq!(known.prefixes4.unwrap().len(), 3);
        assert_eq!(known.failing.len(), 1);
        world.whois.mood("AS-LATE", None);
        world.until("it is asked again by itself", |rows| rows.iter().all(|row| row.status.failure.is_none())).await;
        world.end().await;
    }
}

/// A program of two lines in place of the real one.
fn program(folder: &std::path::Path, lines: &str) -> String {
    let program = folder.join("program");
    std::fs::write(&program, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    program.to_str().unwrap().to_owned()
}

/// Asks one question and waits until it has failed; says why.
async fn failure(world: &World, set: &str) -> String {
    let (tenant, question) = (world.operator, [Question::plain(set, IrrQuestion::Prefixes4)]);
    world.write(move |tx| irr::ask(tx, tenant, &question, false)).await;
    let rows = world.until("it fails", |rows| rows.iter().any(|row| row.status.failure.is_some())).await;
    assert_eq!((rows[0].status.version, rows[0].status.fetched_at), (0, None));
    rows[0].status.failure.clone().unwrap()
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_none() {
    if !is_there("bgpq4") {
        return;
    }
    let world = world::one(|_| {}).await;
    world.whois.set("RIPE", "AS-BREAKS", &["AS112"]);
    world.whois.mood("AS-BREAKS", Some(Mood::Broken));
    let why = failure(&world, "AS-BREAKS").await;
    assert!(why.contains("could not be asked"), "{why}");
    world.end().await;
}

#[tokio::test]
async fn a_program_that_does_not_stop_talking_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = program(folder.path(), "exec yes");
    let world = world::one(move |config| {
        config.program.clone_from(&path);
        config.max_bytes = 20_000;
    })
    .await;
    let why = failure(&world, "AS-LONG").await;
    assert!(why.contains("larger than 20000 bytes"), "{why}");
    world.end().await;
}

#[tokio::test]
async fn a_program_that_complains_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = program(folder.path(), "echo 'no such door' >&2; exit 3");
    let world = world::one(move |config| config.program.clone_from(&path)).await;
    let why = failure(&world, "AS-X").await;
    assert!(why.ends_with("could not be asked: no such door"), "{why}");
    world.end().await;
}

#[tokio::test]
async fn a_program_that_hangs_is_killed_and_one_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("pid");
    let path = program(folder.path(), &format!("echo $$ > {}\nexec sleep 1000", mark.display()));
    let world = world::one(move |config| {
        config.program.clone_from(&path);
        config.timeout_seconds = 1;
    })
    .await;
    let why = failure(&world, "AS-X").await;
    assert!(why.contains("1 seconds"), "{why}");
    world.end().await;
    let id = std::fs::read_to_string(&mark).unwrap();
    let gone = || {
        // A process that was killed and not yet collected is a zombie.
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    };
    let end = Instant::now() + Duration::from_secs(30);
    while !gone() {
        assert!(Instant::now() < end, "process {id} is still there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let world = world::one(|config| config.program = "/no/such/program".to_owned()).await;
    let why = failure(&world, "AS-X").await;
    assert!(why.contains("/no/such/program cannot be run"), "{why}");
    world.end().await;
}

#[tokio::test]
async fn systems_from_before_are_asked_about_once_the_service_begins() {
    if !is_there("bgpq4") {
        return;
    }
    let world = world::one(|_| {}).await;
    fill(&world);
    let id = world.system(3333, "AS-EXAMPLE").await;
    world.until("all are answered", |rows| is_fetched(rows, 3)).await;
    // As if they had been written before there was anybody to ask.
    world
        .write(|tx| {
            let rows = tx.list::<IrrSet>(&Query::of(Filter::All))?;
            Ok(rows.into_iter().try_for_each(|row| tx.remove(row.id))?)
        })
        .await;
    assert!(world.question("AS-EXAMPLE", IrrQuestion::Numbers).await.is_none());
    meetme_irr::begin(&world.app).await.unwrap();
    let rows = world.until("they are asked anew", |rows| is_fetched(rows, 3)).await;
    assert_eq!(rows[0].spec.systems, [id]);
    world.end().await;
}

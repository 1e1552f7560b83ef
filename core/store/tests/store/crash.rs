//! A process, or the whole database server, is killed in the middle of its work: what was acknowledged is there, whole, and
//! nothing is there in part.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

use meetme_base::{RawId, SystemClock};
use meetme_store::{Context, Error, Filter, Open, Store};
use meetme_testdb::{Durable, skipped};

use crate::{
    kinds::{Mirror, Org, Site, registry},
    world::{Dice, answer},
};

/// Set for the process that is to be killed: which database it writes to.
const WRITER: &str = "MEETME_STORE_WRITER";

/// Rows of one transaction.
fn rows(transaction: i64) -> i64 {
    2 + transaction % 5
}

fn open(open: &Open) -> Result<Store, Error> {
    Store::open(open, registry(), Arc::new(SystemClock))
}

/// Writes until it is killed: a number of transactions at a time, each acknowledged on a line of its own.
fn write_on(database: &str) -> ! {
    let (make, start) = database.split_once(' ').expect("make and start");
    let (start, place) = start.split_once(' ').expect("start and place");
    let place = place.to_owned();
    let database = match make {
        "sqlite" => Open::Sqlite { path: PathBuf::from(place), readers: 1 },
        _ => Open::Postgres { url: place, writers: 4, readers: 1 },
    };
    let store = open(&database).expect("a store");
    let org = org(&store);
    let mut next: i64 = start.parse().expect("a number");
    loop {
        let waiting: Vec<_> =
            (next..next + 4).map(|n| (n, store.write(Context::system(), move |tx| transaction(tx, org, n)))).collect();
        next += 4;
        for (n, out) in waiting {
            out_line(n, answer(out).is_ok());
        }
    }
}

fn out_line(n: i64, is_kept: bool) {
    let mut out = std::io::stdout().lock();
    // Whoever reads may be gone already.
    if writeln!(out, "{} {n}", if is_kept { "kept" } else { "lost" }).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

fn transaction(tx: &mut meetme_store::Tx<'_>, org: RawId, n: i64) -> Result<(), Error> {
    let site = tx.create(org, Site::named(&format!("transaction {n}")))?;
    tx.claim("crash", 0..=i64::MAX - 1, 1, &[], site.id.any())?;
    for _ in 0..rows(n) {
        tx.create(org, Mirror { n })?;
    }
    Ok(())
}

fn org(store: &Store) -> RawId {
    let found = answer(store.read(Context::system(), |tx| tx.one::<Org>(&Filter::All))).expect("a read");
    found.expect("an organization").id.any()
}

/// This program once more, as the writer.
fn writer(test: &str, database: &Open, start: i64) -> Child {
    let place = match database {
        Open::Sqlite { path, .. } => format!("sqlite {start} {}", path.display()),
        Open::Postgres { url, .. } => format!("postgres {start} {url}"),
    };
    let program = std::env::current_exe().unwrap();
    let mut command = Command::new(program);
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(WRITER, place);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Lets a writer work until it has acknowledged some transactions and strikes. Answers what was acknowledged.
fn strike(test: &str, database: &Open, start: i64, after: usize, strike: impl FnOnce(&mut Child)) -> Vec<i64> {
    let mut child = writer(test, database, start);
    let output = BufReader::new(child.stdout.take().unwrap());
    let (say, hear) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        for line in output.lines().map_while(Result::ok) {
            if let Some(n) = line.strip_prefix("kept ").and_then(|n| n.parse::<i64>().ok())
                && say.send(n).is_err()
            {
                return;
            }
        }
    });
    let deadline = Duration::from_secs(30);
    let mut kept: Vec<i64> = (0..after).map(|_| hear.recv_timeout(deadline).expect("the writer works")).collect();
    strike(&mut child);
    child.wait().unwrap();
    reader.join().unwrap();
    kept.extend(hear.try_iter());
    kept
}

/// Every acknowledged transaction is there, and every one that is there is whole.
fn check(store: &Store, kept: &[i64]) -> i64 {
    let (sites, mirrors, claims, org_lines) = answer(store.read(Context::system(), |tx| {
        let sites: Vec<(RawId, String)> =
            tx.all::<Site>(Filter::All)?.into_iter().map(|s| (s.id.any(), s.spec.name)).collect();
        let mut mirrors: BTreeMap<i64, i64> = BTreeMap::new();
        tx.each::<Mirror>(&meetme_store::Query::of(Filter::All), |m| {
            *mirrors.entry(m.spec.n).or_default() += 1;
            Ok(())
        })?;
        let lines = tx.changes(&meetme_store::ChangeQuery { limit: 100_000, ..Default::default() })?;
        Ok::<_, Error>((sites, mirrors, tx.claims("crash", 0)?, lines))
    }))
    .unwrap();
    let number = |name: &str| name.strip_prefix("transaction ").unwrap().parse::<i64>().unwrap();
    let there: BTreeMap<i64, i64> = sites.iter().map(|(_, name)| (number(name), rows(number(name)))).collect();
    assert_eq!(mirrors, there, "a transaction is there in part");
    for n in kept {
        assert!(there.contains_key(n), "transaction {n} was acknowledged and is gone");
    }
    assert_eq!(claims.len(), sites.len());
    assert!(claims.iter().all(|c| sites.iter().any(|(id, _)| *id == c.owner)));
    assert_eq!(org_lines.len(), sites.len() + 1, "the log tells something else than the tables");
    there.keys().last().copied().unwrap_or(0) + 100
}

fn begin(database: &Open) -> Store {
    let store = open(database).unwrap();
    answer(store.write(Context::system(), |tx| tx.create(RawId::new(0), Org::named("acme")))).unwrap();
    store
}

fn rounds(test: &str, database: &Open, count: u64) {
    drop(begin(database));
    let (mut dice, mut kept, mut start) = (Dice(std::process::id().into()), Vec::new(), 0);
    for _ in 0..count {
        let after = 1 + dice.roll(60) as usize;
        kept.extend(strike(test, database, start, after, |child| child.kill().unwrap()));
        start = check(&open(database).unwrap(), &kept);
    }
}

/// In the writer's process, the test is the writer.
fn be_the_writer() {
    if let Ok(database) = std::env::var(WRITER) {
        write_on(&database);
    }
}

#[test]
fn what_sqlite_acknowledged_survives_the_death_of_its_process() {
    be_the_writer();
    let database = meetme_testdb::sqlite();
    rounds("crash::what_sqlite_acknowledged_survives_the_death_of_its_process", &database, 8);
}

#[test]
fn what_postgresql_acknowledged_survives_the_death_of_its_client() {
    be_the_writer();
    match meetme_testdb::postgres() {
        Ok(database) => rounds("crash::what_postgresql_acknowledged_survives_the_death_of_its_client", &database, 5),
        Err(why) => skipped(&why),
    }
}

#[test]
fn what_postgresql_acknowledged_survives_the_death_of_the_server() {
    be_the_writer();
    let server = match Durable::new() {
        Ok(server) => server,
        Err(why) => return skipped(&why),
    };
    let database = server.open();
    let store = begin(&database);
    let test = "crash::what_postgresql_acknowledged_survives_the_death_of_the_server";
    let (mut kept, mut start) = (Vec::new(), 0);
    for after in [20, 50] {
        kept.extend(strike(test, &database, start, after, |child| {
            server.kill().unwrap();
            child.kill().unwrap();
        }));
        // While it is down, the store says so and goes on living.
        let down = answer(store.read(Context::system(), |tx| tx.count::<Site>(&Filter::All)));
        assert!(matches!(down, Err(Error::Unavailable(_))), "{down:?}");
        server.start().unwrap();
        // The store that was open all the time works again, without anybody's help.
        start = check(&store, &kept);
    }
}

//! The kit keeps its promises.

use std::{
    cell::Cell,
    sync::{Arc, Mutex},
};

use meetme_store::Open;
use meetme_testdb::{Durable, Skip, both, eventually, postgres, postgres_like, skipped, sqlite};
use postgres::{Client, NoTls};

fn url(open: &Open) -> &str {
    match open {
        Open::Postgres { url, .. } => url,
        Open::Sqlite { .. } => panic!("not PostgreSQL"),
    }
}

/// Runs the test where there is PostgreSQL.
fn with<T>(made: Result<T, Skip>, test: impl FnOnce(T)) {
    match made {
        Ok(made) => test(made),
        Err(why) => skipped(&why),
    }
}

#[test]
fn a_file_goes_with_its_test() {
    let open = sqlite();
    let Open::Sqlite { path, .. } = &*open else { panic!("{open:?}") };
    let path = path.clone();
    std::fs::write(&path, "").unwrap();
    drop(open);
    assert!(!path.exists());
}

#[test]
fn each_database_is_fresh_and_goes_with_its_test() {
    with(postgres(), |open| {
        let other = postgres().unwrap();
        let mut client = Client::connect(url(&open), NoTls).unwrap();
        client.batch_execute("CREATE TABLE mine (one INT)").unwrap();
        assert!(Client::connect(url(&other), NoTls).unwrap().batch_execute("SELECT * FROM mine").is_err());
        let gone = url(&open).to_owned();
        // With the client still connected.
        drop(open);
        assert!(client.batch_execute("SELECT 1").is_err());
        assert!(Client::connect(&gone, NoTls).is_err());
    });
}

#[test]
fn a_template_is_filled_once_and_copied() {
    let fills = Cell::new(0);
    let fill = |open: &Open| {
        fills.set(fills.get() + 1);
        let mut client = Client::connect(url(open), NoTls).unwrap();
        client.batch_execute("CREATE TABLE theirs (one INT); INSERT INTO theirs VALUES (7)").unwrap();
    };
    let name = format!("kit {}", std::process::id());
    with(postgres_like(&name, &fill), |first| {
        let second = postgres_like(&name, &fill).unwrap();
        for open in [&first, &second] {
            let mut client = Client::connect(url(open), NoTls).unwrap();
            assert_eq!(client.query_one("SELECT one FROM theirs", &[]).unwrap().get::<_, i32>(0), 7);
            client.batch_execute("DELETE FROM theirs").unwrap();
        }
        assert_eq!(fills.get(), 1);
    });
}

#[test]
fn databases_may_be_made_by_many_threads() {
    let made = Arc::new(Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        for _ in 0..6 {
            threads.spawn(|| made.lock().unwrap().push(both().len()));
        }
    });
    let made = made.lock().unwrap();
    assert!(made.iter().all(|n| *n == made[0]), "{made:?}");
}

#[test]
fn the_default_order_of_the_cluster_is_not_that_of_bytes() {
    with(postgres(), |open| {
        let mut client = Client::connect(url(&open), NoTls).unwrap();
        // So that a column that forgets to say how it sorts is found out.
        let provider: String = client
            .query_one("SELECT datlocprovider::text FROM pg_database WHERE datname = current_database()", &[])
            .unwrap()
            .get(0);
        if provider == "i" {
            assert!(client.query_one("SELECT 'a' < 'B'", &[]).unwrap().get::<_, bool>(0));
        }
    });
}

#[test]
fn a_durable_server_comes_back_after_it_was_killed() {
    with(Durable::new(), |server| {
        let open = server.open();
        let mut client = Client::connect(url(&open), NoTls).unwrap();
        client.batch_execute("CREATE TABLE kept (one INT); INSERT INTO kept VALUES (1)").unwrap();
        assert_eq!(client.query_one("SHOW fsync", &[]).unwrap().get::<_, String>(0), "on");
        server.kill().unwrap();
        assert!(Client::connect(url(&open), NoTls).is_err());
        assert!(server.kill().is_err());
        server.start().unwrap();
        let mut client = Client::connect(url(&open), NoTls).unwrap();
        assert_eq!(client.query_one("SELECT count(*) FROM kept", &[]).unwrap().get::<_, i64>(0), 1);
        drop(client);
        let folder = url(&open).split(' ').next().unwrap().trim_start_matches("host=").to_owned();
        drop(server);
        eventually("its folder is gone", std::time::Duration::from_secs(10), || {
            !std::path::Path::new(&folder).exists()
        });
    });
}

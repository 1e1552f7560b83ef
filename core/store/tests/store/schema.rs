//! The same database, opened by a program that declares other things.

use meetme_base::{Invalid, Kind, RawId};
use meetme_store::{Context, Edge, Error, Field, FieldType, Filter, Registry, Resource, Store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    kinds::{Nothing, Org, Site},
    world::{answer, on_both_with},
};

/// A kind as one release declares it and as the next does.
macro_rules! thing {
    ($name:ident, fields: $fields:expr, edges: $edges:expr, unique: $unique:expr) => {
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        struct $name {
            name: String,
            colour: Option<String>,
            size: String,
            at: Option<RawId>,
        }
        impl Resource for $name {
            const KIND: Kind = Kind::new("thing");
            const AREA: &'static str = "ops";
            const FIELDS: &'static [Field<Self>] = $fields;
            const EDGES: &'static [Edge<Self>] = $edges;
            const UNIQUE: &'static [&'static [&'static str]] = $unique;
            type Status = Nothing;
            fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
                Ok(())
            }
            fn title(&self) -> String {
                self.name.clone()
            }
        }
    };
}

thing!(Old,
    fields: &[
        Field::<Self>::new("name", FieldType::Text, |t| t.name.as_str().into()).indexed(),
        Field::<Self>::new("size", FieldType::Text, |t| t.size.as_str().into()).indexed(),
    ],
    edges: &[],
    unique: &[&["name"]]);

// Another field, a field of another type, a reference, words to search, and another unique set.
thing!(New,
    fields: &[
        Field::<Self>::new("name", FieldType::Text, |t| t.name.as_str().into()).searchable(),
        Field::<Self>::new("colour", FieldType::Text, |t| t.colour.clone().into()).indexed(),
        Field::<Self>::new("size", FieldType::Int, |t| t.size.parse::<i64>().ok().into()).indexed(),
    ],
    edges: &[Edge::refuse("at", &[Site::KIND], |t| t.at)],
    unique: &[&["colour", "size"]]);

fn old() -> Registry {
    Registry::new().with::<Org>().with::<Site>().with::<Old>()
}

fn new() -> Registry {
    Registry::new().with::<Org>().with::<Site>().with::<New>()
}

fn count(store: &Store, filter: Filter) -> u64 {
    answer(store.read(Context::system(), move |tx| tx.count::<New>(&filter))).unwrap()
}

#[test]
fn a_new_declaration_finds_old_rows() {
    on_both_with(old, |w| {
        let (org, site) = (w.org, w.site("a").id);
        w.write(move |tx| {
            for n in 0..1200 {
                let colour = (n % 3 == 0).then(|| "Red".to_owned());
                let at = (n == 7).then_some(site.any());
                tx.create(org, Old { name: format!("thing {n}"), colour, size: n.to_string(), at })?;
            }
            Ok(())
        })
        .unwrap();
        let store = w.again(new());
        assert_eq!(count(&store, Filter::is("colour", meetme_store::Op::EqFold("RED".into()))), 400);
        assert_eq!(count(&store, Filter::is("size", meetme_store::Op::Lt(100.into()))), 100);
        assert_eq!(count(&store, Filter::eq("at.name", "a")), 1);
        assert_eq!(count(&store, Filter::Text("thing 119".into())), 11);
        // The reference guards its target now, too.
        let removed = answer(store.write(Context::system(), move |tx| tx.remove(site)));
        assert!(matches!(removed, Err(Error::Referenced { count: 1, .. })), "{removed:?}");
        // The unique set that was given up is gone, the new one holds.
        let make = |name: &'static str, size: &'static str| {
            answer(store.write(Context::system(), move |tx| {
                let colour = Some("Red".to_owned());
                tx.create(org, New { name: name.into(), colour, size: size.into(), at: None })
            }))
        };
        make("thing 1", "5000").unwrap();
        let clash = make("x", "3");
        assert!(matches!(&clash, Err(Error::Exists { fields, .. }) if *fields == ["colour", "size"]), "{clash:?}");
    });
}

#[test]
fn the_former_declaration_finds_its_way_back() {
    on_both_with(old, |w| {
        let org = w.org;
        drop(w.again(new()));
        let store = w.again(new());
        answer(store.write(Context::system(), move |tx| {
            tx.create(org, New { name: "n".into(), size: "12".into(), ..New::default() })
        }))
        .unwrap();
        let store = w.again(old());
        let found: Result<bool, Error> =
            answer(store.read(Context::system(), |tx| tx.exists::<Old>(&Filter::eq("size", "12"))));
        assert!(found.unwrap());
        let twice = answer(
            store.write(Context::system(), move |tx| tx.create(org, Old { name: "n".into(), ..Old::default() })),
        );
        assert!(matches!(twice, Err(Error::Exists { .. })), "{twice:?}");
    });
}

#[test]
fn many_processes_may_open_a_new_database_at_once() {
    for (name, open) in meetme_testdb::both() {
        let stores: Vec<_> = std::thread::scope(|threads| {
            let opening = || Store::open(&open, old(), std::sync::Arc::new(meetme_base::SystemClock));
            let all: Vec<_> = (0..4).map(|_| threads.spawn(opening)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(stores.iter().all(Result::is_ok), "{name}: {:?}", stores.into_iter().filter_map(Result::err).next());
    }
}

#[test]
fn a_name_that_two_sets_of_words_could_make_is_not_shared() {
    // `u_a_b_c` could be the set (b, c) of kind `a`, or the set (c) of kind `a_b`.
    macro_rules! kind {
        ($name:ident, $kind:literal, $($field:literal),*) => {
            #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
            struct $name {}
            impl Resource for $name {
                const KIND: Kind = Kind::new($kind);
                const AREA: &'static str = "ops";
                const FIELDS: &'static [Field<Self>] = &[$(Field::<Self>::new($field, FieldType::Int, |_| 1.into())),*];
                const UNIQUE: &'static [&'static [&'static str]] = &[&[$($field),*]];
                type Status = Nothing;
                fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
                    Ok(())
                }
                fn title(&self) -> String {
                    String::new()
                }
            }
        };
    }
    kind!(First, "a", "b", "c");
    kind!(Second, "a_b", "c");
    on_both_with(
        || Registry::new().with::<Org>().with::<First>().with::<Second>(),
        |w| {
            let org = w.org;
            w.write(move |tx| tx.create(org, First {}).and_then(|_| tx.create(org, Second {}))).unwrap();
            assert!(matches!(w.write(move |tx| tx.create(org, First {})), Err(Error::Exists { .. })));
            assert!(matches!(w.write(move |tx| tx.create(org, Second {})), Err(Error::Exists { .. })));
        },
    );
}

/// How many tables of kinds refer to the table of objects; PostgreSQL looks into each of them for every object that goes.
fn referring(client: &mut postgres::Client) -> i64 {
    let sql = "SELECT count(*) FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid
               JOIN pg_class o ON o.oid = f.confrelid
               WHERE f.contype = 'f' AND o.relname = 'object' AND c.relname NOT IN ('edge', 'claim', 'alias', 'sample')";
    client.query_one(sql, &[]).unwrap().get(0)
}

#[test]
fn what_goes_is_not_looked_for_in_the_table_of_every_kind() {
    on_both_with(old, |w| {
        let meetme_store::Open::Postgres { url, .. } = &*w.open else { return };
        let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
        assert_eq!(referring(&mut client), 0);
        // As an earlier release made it.
        let table = client
            .query_one("SELECT CAST(relname AS TEXT) FROM pg_class WHERE relkind = 'r' AND relname LIKE '%thing'", &[]);
        let table: String = table.unwrap().get(0);
        client.batch_execute(&format!("ALTER TABLE {table} ADD FOREIGN KEY (id) REFERENCES object (id)")).unwrap();
        assert_eq!(referring(&mut client), 1);
        let site = w.site("a").id;
        let store = w.again(old());
        assert_eq!(referring(&mut client), 0);
        // What refers to a row is guarded as ever.
        let org = w.org;
        let refused = answer(store.write(Context::system(), move |tx| tx.remove(org.of::<Org>())));
        assert!(matches!(refused, Err(Error::Referenced { .. })), "{refused:?}");
        answer(store.write(Context::system(), move |tx| tx.remove(site))).unwrap();
    });
}

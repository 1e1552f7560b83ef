//! The SQL that filters and orders become: read it here before it surprises anybody in a slow query's log.

use std::{fmt, sync::Arc};

use insta::assert_snapshot;
use meetme_base::{Invalid, Kind, RawId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Compiler;
use crate::{
    Edge, Everything, Field, FieldType, Filter, OnDelete, Op, Order, Registry, Resource, Scope, Value, conn::Flavour,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Empty {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Site {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Box {}

impl Resource for Site {
    const KIND: Kind = Kind::new("site");
    const AREA: &'static str = "place";
    const FIELDS: &'static [Field<Self>] = &[Field::new("name", FieldType::Text, |_| Value::Null)];
    type Status = Empty;
    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }
    fn title(&self) -> String {
        String::new()
    }
}

impl Resource for Box {
    const KIND: Kind = Kind::new("box");
    const AREA: &'static str = "place";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |_| Value::Null),
        Field::new("size", FieldType::Int, |_| Value::Null),
        Field::new("tags", FieldType::Texts, |_| Value::Null),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("site", &[Site::KIND], |_| None),
        Edge::refuse("near", &[Site::KIND, Box::KIND], |_| None),
        Edge::many("peers", &[Box::KIND], OnDelete::Detach, |_| Vec::new(), |_, _| {}),
    ];
    type Status = Empty;
    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        Ok(())
    }
    fn title(&self) -> String {
        String::new()
    }
}

#[derive(Debug)]
struct Own;

impl Scope for Own {
    fn rows(&self, kind: Kind, _: &'static str) -> Arc<Filter> {
        // Asks across references itself, in a ring with the other kind's.
        Arc::new(if kind == Site::KIND { Filter::Below(RawId::new(7)) } else { Filter::eq("site.name", "home") })
    }
}

struct Sql(String);

impl fmt::Display for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The condition and the order in one flavour, with the parameters behind.
fn write(flavour: Flavour, scope: &dyn Scope, filter: &Filter, order: &[Order]) -> String {
    let registry = Registry::new().with::<Site>().with::<Box>();
    let kind = registry.kind("box").unwrap();
    filter.check(kind, &registry).unwrap();
    let mut compiler = Compiler::new(&registry, flavour, scope);
    let mut out = String::new();
    compiler.condition(&mut out, filter, kind, "a0").unwrap();
    compiler.seen(&mut out, kind, "a0").unwrap();
    if !order.is_empty() {
        compiler.order(&mut out, order, kind).unwrap();
    }
    format!("{out} -- {:?}", compiler.params)
}

/// Both flavours, one below the other; one line when they are the same.
fn both(filter: Filter) -> Sql {
    with(&Everything, filter, &[])
}

fn with(scope: &dyn Scope, filter: Filter, order: &[Order]) -> Sql {
    let [sqlite, postgres] = [Flavour::Sqlite, Flavour::Postgres].map(|f| write(f, scope, &filter, order));
    Sql(if sqlite == postgres { sqlite } else { format!("{sqlite}\n{postgres}") })
}

#[test]
fn comparisons_of_fields() {
    assert_snapshot!(both(Filter::eq("name", "a").and(Filter::is("size", Op::Ge(3.into())))), @r#"
    (a0.f_name = ?1) AND (a0.f_size >= ?2) -- [Text("a"), Int(3)]
    "#);
    assert_snapshot!(both(Filter::is_in("name", ["a", "b"])), @r#"
    a0.f_name IN rarray(?1) -- [Texts(["a", "b"])]
    a0.f_name = ANY(?1) -- [Texts(["a", "b"])]
    "#);
    assert_snapshot!(both(Filter::is("name", Op::StartsFold("Ä".into()))), @r#"
    substr(a0.c_name, 1, length(?1)) = ?1 -- [Text("ä")]
    starts_with(a0.c_name, ?1) -- [Text("ä")]
    "#);
    assert_snapshot!(both(Filter::is("name", Op::Ends("z".into()))), @r#"
    substr(a0.f_name, -length(?1)) = ?1 -- [Text("z")]
    right(a0.f_name, length(CAST(?1 AS TEXT))) = ?1 -- [Text("z")]
    "#);
    assert_snapshot!(both(Filter::is("name", Op::Contains("%".into())).not()), @r#"
    NOT COALESCE((instr(a0.f_name, ?1) > 0), FALSE) -- [Text("%")]
    NOT COALESCE((strpos(a0.f_name, ?1) > 0), FALSE) -- [Text("%")]
    "#);
    assert_snapshot!(both(Filter::is("tags", Op::Has("x".into()))), @r#"
    EXISTS (SELECT 1 FROM json_each(a0.f_tags) j WHERE j.value = ?1) -- [Text("x")]
    jsonb_exists(CAST(a0.f_tags AS jsonb), ?1) -- [Text("x")]
    "#);
    assert_snapshot!(both(Filter::is("name", Op::Lt("a\0b".into()))), @r#"
    a0.f_name <= ?1 -- [Text("a")]
    "#);
    assert_snapshot!(both(Filter::Text("zür west".into())), @r#"
    a0.id IN (SELECT rowid FROM search WHERE search MATCH ?1) -- [Text("\"zqz0000fcr\"* AND \"west\"*")]
    a0.id IN (SELECT id FROM search WHERE words @@ CAST(CAST(?1 AS TEXT) AS tsquery)) -- [Text("'zqz0000fcr':* & 'west':*")]
    "#);
}

#[test]
fn questions_across_references() {
    assert_snapshot!(both(Filter::eq("site.name", "a")), @r#"
    (a0.e_site IN (SELECT a1.id FROM k_site a1 WHERE (a1.f_name = ?1))) -- [Text("a")]
    "#);
    assert_snapshot!(both(Filter::is("peers.site.name", Op::Empty(false))), @r#"
    a0.id IN (SELECT g.src FROM edge g WHERE g.name = 'peers' AND g.dst IN (SELECT a1.id FROM k_box a1 WHERE ((a1.e_site IN (SELECT a2.id FROM k_site a2 WHERE (NOT (a2.f_name IS NULL OR a2.f_name = ''))))))) -- []
    "#);
    assert_snapshot!(both(Filter::eq("near.name", "a")), @r#"
    (a0.e_near IN (SELECT a1.id FROM k_site a1 WHERE (a1.f_name = ?1) UNION ALL SELECT a2.id FROM k_box a2 WHERE (a2.f_name = ?2))) -- [Text("a"), Text("a")]
    "#);
    assert_snapshot!(both(Filter::is("peers", Op::Empty(true))), @r#"
    NOT EXISTS (SELECT 1 FROM edge g WHERE g.src = a0.id AND g.name = ?1) -- [Text("peers")]
    "#);
}

#[test]
fn what_a_caller_may_see_is_joined_once_on_each_way() {
    assert_snapshot!(with(&Own, Filter::Above(RawId::new(3)), &[]), @r#"
    a0.tenant IN (SELECT above FROM tenancy WHERE node = ?1) AND ((a0.e_site IN (SELECT a1.id FROM k_site a1 WHERE (a1.f_name = ?2)))) -- [Int(3), Text("home")]
    "#);
    assert_snapshot!(with(&Own, Filter::eq("peers.size", 1), &[]), @r#"
    a0.id IN (SELECT g.src FROM edge g WHERE g.name = 'peers' AND g.dst IN (SELECT a1.id FROM k_box a1 WHERE (a1.f_size = ?1) AND ((a1.e_site IN (SELECT a2.id FROM k_site a2 WHERE (a2.f_name = ?2)))))) AND ((a0.e_site IN (SELECT a3.id FROM k_site a3 WHERE (a3.f_name = ?3)))) -- [Int(1), Text("home"), Text("home")]
    "#);
}

#[test]
fn orders() {
    let order = [Order::down("size"), Order::up("site.name"), Order::up("near.name")];
    assert_snapshot!(with(&Everything, Filter::All, &order), @r#"
    1=1 ORDER BY a0.f_size DESC NULLS LAST, COALESCE((SELECT a1.f_name FROM k_site a1 WHERE a1.id = a0.e_site), NULL) ASC NULLS FIRST, COALESCE((SELECT a2.f_name FROM k_site a2 WHERE a2.id = a0.e_near), (SELECT a3.f_name FROM k_box a3 WHERE a3.id = a0.e_near), NULL) ASC NULLS FIRST, a0.id -- []
    "#);
}

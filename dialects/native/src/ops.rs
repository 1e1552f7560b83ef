//! The table: a row for each verb of each kind, made from the registry when the server starts, and the few that are of no kind.

use meetme_app::resources::{self, Create};
use meetme_http::{Cx, Op, Problem, Reply, Shape, Verb, openapi};
use meetme_store::KindInfo;
use schemars::{Schema, json_schema};

use crate::{configuration, convert, discovery, document, login, query, rows, watch, wire};

/// Every operation.
pub fn table() -> Vec<Op> {
    let mut ops = general();
    ops.extend(convert::kinds().kinds().flat_map(of_kind));
    ops
}

fn general() -> Vec<Op> {
    vec![
        openapi::op("/meetme/v1/openapi.json"),
        Op::get("kinds", "/meetme/v1/kinds")
            .group("meta")
            .summary("Every kind, described.")
            .query(query::KINDS)
            .gives(list_of(Shape::of::<wire::KindDescription>()))
            .run(kinds),
        Op::get("kind", "/meetme/v1/kinds/{kind}")
            .group("meta")
            .summary("One kind, described.")
            .query(query::KINDS)
            .gives(Shape::of::<wire::KindDescription>())
            .run(kind),
        Op::get("changes", "/meetme/v1/changes")
            .group("changes")
            .summary("Lines of the change log.")
            .query(query::CHANGES)
            .gives(Shape::of::<wire::ChangeList>())
            .run(watch::changes),
        Op::get("watch", "/meetme/v1/watch")
            .group("changes")
            .summary("The change log as it grows, as server-sent events.")
            .query(query::WATCH)
            .gives(Shape::of::<wire::ChangeLine>())
            .gives_media("text/event-stream")
            .run(watch::all),
        Op::post("login", "/meetme/v1/login")
            .group("identity")
            .summary("Opens a session.")
            .verb(Verb::Act)
            .open()
            .takes(Shape::of::<wire::Login>())
            .gives(Shape::of::<wire::LoggedIn>())
            .run(login::login),
        Op::post("refresh", "/meetme/v1/refresh")
            .group("identity")
            .summary("Renews a session.")
            .verb(Verb::Act)
            .open()
            .takes(Shape::of::<wire::Refresh>())
            .gives(Shape::of::<wire::LoggedIn>())
            .run(login::refresh),
        Op::post("logout", "/meetme/v1/logout")
            .group("identity")
            .summary("Ends the session in use.")
            .verb(Verb::Act)
            .success(204)
            .run(login::logout),
        Op::get("router_configuration", "/meetme/v1/router/{id}/configuration")
            .group("routing")
            .summary("The configuration of a router by its template, passwords only for who may reveal them.")
            .gives(Shape::of::<configuration::Configuration>())
            .run(configuration::get),
        Op::post("discover_server", "/meetme/v1/equipment/{id}/discover")
            .group("metal")
            .summary("Asks a management controller what its server is made of, and enters the server or brings its row up to date.")
            .verb(Verb::Act)
            .takes(Shape::of::<discovery::Wish>())
            .gives(Shape::Named("job"))
            .success(202)
            .run(discovery::discover),
        Op::get("whoami", "/meetme/v1/whoami")
            .group("identity")
            .summary("Who the caller is.")
            .gives(Shape::of::<wire::WhoAmI>())
            .run(login::whoami),
    ]
}

/// Paths and ids live as long as the program: labels and logs keep them.
fn leak(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn of_kind(kind: &KindInfo) -> Vec<Op> {
    let name = kind.kind.name();
    let all = leak(format!("/meetme/v1/{name}"));
    let one = leak(format!("/meetme/v1/{name}/{{id}}"));
    let id = |verb: &str| leak(format!("{verb}_{name}"));
    let (row, spec) = (Shape::Named(name), Shape::Named(leak(document::spec_name(name))));
    let new = match resources::hooks(kind).create {
        Create::Taking(..) => Shape::Named(leak(document::creation_name(name))),
        _ => spec.clone(),
    };
    vec![
        Op::get(id("list"), all)
            .group(kind.area)
            .query(query::of_list(kind))
            .gives(page_of(name))
            .run(move |cx| rows::list(cx, name)),
        Op::post(id("create"), all)
            .group(kind.area)
            .query(query::CREATE)
            .takes(new)
            .gives(row.clone())
            .success(201)
            .run(move |cx| rows::create(cx, name)),
        Op::get(id("watch"), leak(format!("{all}/watch")))
            .group(kind.area)
            .query(query::WATCH_KIND)
            .gives(Shape::of::<wire::ChangeLine>())
            .gives_media("text/event-stream")
            .run(move |cx| watch::of_kind(cx, name)),
        Op::get(id("get"), one).group(kind.area).gives(row.clone()).run(move |cx| rows::get(cx, name)),
        Op::put(id("replace"), one)
            .group(kind.area)
            .query(query::WRITE)
            .takes(spec)
            .gives(row.clone())
            .run(move |cx| rows::replace(cx, name)),
        Op::patch(id("patch"), one)
            .group(kind.area)
            .query(query::WRITE)
            .takes(part())
            .takes_media(wire::MERGE_PATCH)
            .gives(row)
            .run(move |cx| rows::patch(cx, name)),
        Op::delete(id("remove"), one)
            .group(kind.area)
            .query(query::WRITE)
            .success(204)
            .run(move |cx| rows::remove(cx, name)),
    ]
}

fn page_of(name: &str) -> Shape {
    let row = format!("#/components/schemas/{name}");
    Shape::value(json_schema!({
        "type": "object",
        "required": ["items"],
        "properties": {
            "items": { "type": "array", "items": { "$ref": row } },
            "next": { "type": "integer", "description": "The `offset` of the next page; absent on the last." },
            "count": { "type": "integer", "description": "How many rows match in all, where that was asked." },
        },
    }))
}

/// A merge patch may hold any part of the spec, and nulls: its exact form cannot be told.
fn part() -> Shape {
    Shape::value(json_schema!({
        "type": "object",
        "description": "Any part of the spec; null takes a field out (RFC 7396).",
    }))
}

fn list_of(one: Shape) -> Shape {
    Shape::Made(std::sync::Arc::new(move |generator| {
        let Shape::Made(make) = &one else { return Schema::default() };
        let items = make(generator);
        json_schema!({ "type": "object", "required": ["items"], "properties": { "items": { "type": "array", "items": items } } })
    }))
}

async fn kinds(cx: Cx) -> Result<Reply, Problem> {
    query::only(&cx.query, query::KINDS)?;
    let with_schemas = query::boolean(&cx.query, "schemas")?.unwrap_or(true);
    let items: Vec<_> = cx.app.store().registry().kinds().map(|kind| convert::kind(kind, with_schemas)).collect();
    Ok(Reply::ok(&serde_json::json!({ "items": items })))
}

async fn kind(cx: Cx) -> Result<Reply, Problem> {
    query::only(&cx.query, query::KINDS)?;
    let with_schemas = query::boolean(&cx.query, "schemas")?.unwrap_or(true);
    let kind = cx.app.store().registry().kind(cx.param("kind")).ok_or(Problem::NoRoute)?;
    Ok(Reply::ok(&convert::kind(kind, with_schemas)))
}

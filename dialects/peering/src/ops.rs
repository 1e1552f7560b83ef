//! The operation table, made from the models' tables. Ids are those of the contract; former paths have operations of their own.

use std::collections::HashSet;

use http::Method;
use meetme_http::{Op, Problem, QueryParam, Reply, Shape};
use serde_json::Map;

use crate::{
    actions, changes, describe,
    engine::AnyModel,
    model::{About, How},
    models, portal, preferences, roots, serve,
};

/// What can be done with the rows of a model: the end of the operation's id, the method, whether it is about one row.
pub const VERBS: &[(&str, Method, bool)] = &[
    ("list", Method::GET, false),
    ("create", Method::POST, false),
    ("bulk_update", Method::PUT, false),
    ("bulk_partial_update", Method::PATCH, false),
    ("bulk_destroy", Method::DELETE, false),
    ("options", Method::OPTIONS, false),
    ("retrieve", Method::GET, true),
    ("update", Method::PUT, true),
    ("partial_update", Method::PATCH, true),
    ("destroy", Method::DELETE, true),
    ("detail_options", Method::OPTIONS, true),
];

/// Every place of a model's rows: `id` as it is there, for operations' ids, and the path from `/api/` on.
pub fn places(about: &About, id: &str) -> Vec<(String, String)> {
    let present = (id.to_owned(), format!("{}/{}", about.app, about.path));
    // The documents of former releases name some of them; the contract has ids for those.
    let former = about.old.iter().map(|old| {
        let place = if *old == "peering/routers" {
            "seed_alias".to_owned()
        } else {
            format!("alias_{}", old.replace(['/', '-'], "_"))
        };
        (format!("{place}_{id}"), (*old).to_owned())
    });
    std::iter::once(present).chain(former).collect()
}

fn verbs(about: &About) -> impl Iterator<Item = &'static (&'static str, Method, bool)> + use<> {
    let read_only = about.read_only;
    VERBS.iter().filter(move |(_, method, _)| !read_only || matches!(*method, Method::GET | Method::OPTIONS))
}

/// The ids of a model's operations.
pub fn ids(about: &About) -> Vec<String> {
    let places = places(about, &about.operation());
    verbs(about).flat_map(|(verb, ..)| places.iter().map(move |(id, _)| format!("{id}_{verb}"))).collect()
}

/// The whole table.
pub fn all() -> Vec<Op> {
    let mut out = Vec::new();
    for model in models::ALL {
        for (id, path) in places(model.about(), &model.about().operation()) {
            out.extend(verbs(model.about()).map(|(verb, method, one)| {
                let end = if *one { "{id}/" } else { "" };
                operation(*model, format!("{id}_{verb}"), method.clone(), format!("/api/{path}/{end}"), verb)
            }));
        }
    }
    out.extend(actions::ops());
    out.extend(changes::ops());
    out.extend(roots::ops());
    out.extend(preferences::ops());
    out.extend(portal::ops());
    out.extend(options(&out));
    out
}

/// OPTIONS at every path that has no operation of its own for it. The contract has one id for all of them, which the root's gets;
/// the others are named after the first operation of their path.
fn options(ops: &[Op]) -> Vec<Op> {
    let mut known: HashSet<&str> = ops.iter().filter(|op| op.method == Method::OPTIONS).map(|op| op.path).collect();
    let lacking = ops.iter().filter(|op| known.insert(op.path));
    lacking
        .map(|op| {
            let id = if op.path == roots::PATH { "any_options" } else { keep(format!("{}_options", op.id)) };
            let path = op.path;
            let draft = Op::on(Method::OPTIONS, id, path).group(op.group).auth(op.auth);
            draft.run(move |cx| async move { serve::describe(&cx, &describe::place(path), Map::new()) })
        })
        .collect()
}

/// A text of the table, which lives as long as the server.
pub fn keep(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

fn operation(model: &'static dyn AnyModel, id: String, method: Method, path: String, verb: &'static str) -> Op {
    let about = model.about();
    let success = match verb {
        "create" => 201,
        "destroy" | "bulk_destroy" => 204,
        _ => 200,
    };
    let draft = Op::on(method, keep(id), keep(path)).group(about.app).summary(about.verbose).success(success);
    let draft = match verb {
        "list" => draft.gives(Shape::Named(about.name)).query(parameters(about)),
        "retrieve" => draft.gives(Shape::Named(about.name)),
        "destroy" | "options" | "detail_options" => draft,
        "bulk_destroy" => draft.takes(Shape::ListOf("BulkId")),
        _ => draft.takes(Shape::Named(about.name)).gives(Shape::Named(about.name)),
    };
    draft.run(move |cx| async move {
        match verb {
            "list" => serve::list(cx, model).await,
            "retrieve" => serve::retrieve(cx, model).await,
            "create" => serve::create(cx, model).await,
            "update" => serve::update(cx, model, true).await,
            "partial_update" => serve::update(cx, model, false).await,
            "destroy" => serve::destroy(cx, model).await,
            "bulk_update" => serve::bulk_update(cx, model, true).await,
            "bulk_partial_update" => serve::bulk_update(cx, model, false).await,
            "bulk_destroy" => serve::bulk_destroy(cx, model).await,
            "options" => serve::options(&cx, model, true),
            _ => serve::options(&cx, model, false),
        }
    })
}

/// The parameters of a model's list.
fn parameters(about: &About) -> Vec<QueryParam> {
    let mut out: Vec<QueryParam> = ["limit", "offset"].into_iter().map(QueryParam::integer).collect();
    let words = ["ordering", "brief", "fields", "exclude", "format", "q", "created_by_request", "updated_by_request"];
    out.extend(words.into_iter().map(QueryParam::text));
    if about.tagged {
        out.push(QueryParam::text("tag").repeated());
        out.push(QueryParam::text("tag__n").repeated());
    }
    let numbers = ["", "__n", "__lt", "__lte", "__gt", "__gte", "__empty"];
    let texts = ["", "__n", "__ic", "__nic", "__isw", "__nisw", "__iew", "__niew", "__ie", "__nie", "__empty"];
    for name in ["id", "created", "updated"] {
        out.extend(numbers[..6].iter().map(|end| QueryParam::text(keep(format!("{name}{end}"))).repeated()));
    }
    for sieve in about.filters {
        let ends: &[&str] = match sieve.how {
            How::Text(_) => &texts,
            How::Number(_) => &numbers,
            How::Choice(..) | How::Digit(..) | How::Type(_) | How::Row(..) => &["", "__n"],
            How::Flag(_) | How::Rule(_) | How::Ask(_) => &[""],
            How::Asked(suffixes, _) => {
                let end = |suffix: &&str| if suffix.is_empty() { String::new() } else { format!("__{suffix}") };
                let names = suffixes.iter().map(|suffix| keep(format!("{}{}", sieve.name, end(suffix))));
                out.extend(names.map(|name| QueryParam::text(name).repeated()));
                continue;
            }
        };
        out.extend(ends.iter().map(|end| QueryParam::text(keep(format!("{}{end}", sieve.name))).repeated()));
    }
    out
}

/// An operation that only reads, without a body.
pub fn reading<F, R>(id: &'static str, path: &'static str, group: &'static str, run: F) -> Op
where
    F: Fn(meetme_http::Cx) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    Op::get(id, path).group(group).run(run)
}

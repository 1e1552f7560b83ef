//! The operation table, made from the models' tables. Ids are those of the contract; former paths have operations of their own.

use std::collections::HashSet;

use http::Method;
use meetme_http::{Op, QueryParam, Shape};
use serde_json::Map;

use crate::{
    actions, changes, describe,
    engine::AnyModel,
    model::{About, How},
    models, portal, preferences, roots,
    schema::{self, shapes},
    serve,
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

/// How the ids of operations at former paths begin.
const ALIAS: &str = "alias_";
/// The same for those that the documents name.
const SEED_ALIAS: &str = "seed_alias";

/// Whether an operation is one at a former path.
pub fn is_former(id: &str) -> bool {
    id.starts_with(ALIAS) || id.starts_with(SEED_ALIAS)
}

/// Every place of a model's rows: `id` as it is there, for operations' ids, and the path from `/api/` on.
pub fn places(about: &About, id: &str) -> Vec<(String, String)> {
    let present = (id.to_owned(), format!("{}/{}", about.app, about.path));
    // The documents of former releases name some of them; the contract has ids for those.
    let former = about.old.iter().map(|old| {
        let place = if *old == "peering/routers" {
            SEED_ALIAS.to_owned()
        } else {
            format!("{ALIAS}{}", old.replace(['/', '-'], "_"))
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
    out.extend(schema::ops());
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
            draft
                .gives(Shape::Named("OptionsBody"))
                .run(move |cx| async move { serve::describe(&cx, &describe::place(path), Map::new()) })
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
    let names = shapes::names(about.name);
    let named = |name: String| Shape::Named(keep(name));
    let (one, many) = (Shape::Named(about.name), Shape::ListOf(about.name));
    let draft = match verb {
        "list" => draft.gives(named(names.page)).query(parameters(about)),
        "retrieve" => draft.gives(one),
        "create" => draft.takes(named(names.new)).gives(named(names.made)),
        "update" => draft.takes(named(names.whole)).gives(one),
        "partial_update" => draft.takes(named(names.change)).gives(one),
        "bulk_update" => draft.takes(Shape::ListOf(keep(names.whole_of))).gives(many),
        "bulk_partial_update" => draft.takes(Shape::ListOf(keep(names.change_of))).gives(many),
        "bulk_destroy" => draft.takes(Shape::ListOf("BulkId")),
        "options" | "detail_options" => draft.gives(Shape::Named("OptionsBody")),
        _ => draft,
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
    let words = ["ordering", "brief", "fields", "exclude", "export", "format", "q"];
    out.extend(words.into_iter().map(QueryParam::text));
    out.extend(["created_by_request", "updated_by_request"].map(|name| QueryParam::text(name).repeated()));
    if about.tagged {
        out.push(QueryParam::text("tag").repeated());
        out.push(QueryParam::text("tag__n").repeated());
    }
    let moments = ["", "__n", "__lt", "__lte", "__gt", "__gte", "__empty", "__before", "__after"];
    let numbers = &moments[..7];
    let texts = ["", "__n", "__ic", "__nic", "__isw", "__nisw", "__iew", "__niew", "__ie", "__nie", "__empty"];
    for (name, ends) in [("id", numbers), ("created", &moments[..]), ("updated", &moments[..])] {
        out.extend(ends.iter().map(|end| QueryParam::text(keep(format!("{name}{end}"))).repeated()));
    }
    for sieve in about.filters {
        let ends: &[&str] = match sieve.how {
            How::Text(_) => &texts,
            How::Number(_) => numbers,
            How::Moment(_) => &moments,
            How::Choice(..) | How::Digit(..) | How::Type(_) | How::Row(..) => &["", "__n", "__empty"],
            How::Rule(_) => &["", "__n"],
            How::Flag(_) => &[""],
            How::Asked(suffixes, _) => {
                let end = |suffix: &&str| if suffix.is_empty() { String::new() } else { format!("__{suffix}") };
                let names = suffixes.iter().map(|suffix| keep(format!("{}{}", sieve.name, end(suffix))));
                out.extend(names.map(|name| QueryParam::text(name).repeated()));
                continue;
            }
        };
        out.extend(ends.iter().map(|end| QueryParam::text(keep(format!("{}{end}", sieve.name))).repeated()));
    }
    // A model may have its own idea of what every list can be filtered by, such as `id`.
    let mut seen = HashSet::new();
    out.retain(|parameter| seen.insert(parameter.name.clone()));
    out
}

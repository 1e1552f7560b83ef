//! The operations on entities.

use meetme_app::{
    Error,
    catalog::{self, EntityWish, Mode, Resolved, Writing},
};
use meetme_base::{Invalid, RawId};
use meetme_http::{Cx, Op, Problem, QueryParam, Reply};
use meetme_model::{
    Ext,
    catalog::{Blueprint, Entity},
};
use meetme_store::{AnyObject, KindInfo, Object, Tx};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    author::{author, sign},
    blueprints::own,
    entity_wire::{EntityInput, encode, encode_system},
    page::{View, flag},
};

const LIST: &str = "/v1/blueprints/{blueprint_identifier}/entities";
const ONE: &str = "/v1/blueprints/{blueprint_identifier}/entities/{entity_identifier}";
/// The most entities of one bulk call.
const BULK: usize = 20;
const BULK_DELETE: usize = 100;

pub fn ops() -> Vec<Op> {
    let group = "entities";
    let write = ["upsert", "merge", "validation_only", "create_missing_related_entities"];
    let write: Vec<QueryParam> =
        write.into_iter().map(QueryParam::boolean).chain([QueryParam::text("run_id")]).collect();
    let read: Vec<QueryParam> = vec![
        QueryParam::text("include").repeated(),
        QueryParam::text("exclude").repeated(),
        QueryParam::boolean("exclude_calculated_properties"),
        QueryParam::boolean("attach_title_to_relation"),
    ];
    vec![
        Op::get("list_entities", LIST)
            .group(group)
            .summary("The entities of a blueprint")
            .query(read.clone())
            .run(list),
        Op::post("create_entity", LIST)
            .group(group)
            .summary("Makes, replaces or merges an entity")
            .query(write.clone())
            .success(201)
            .body_limit(1 << 20)
            .run(create),
        Op::get("get_entity", ONE).group(group).summary("One entity").query(read).run(get),
        Op::patch("update_entity", ONE)
            .group(group)
            .summary("Changes parts of an entity")
            .query(write.clone())
            .run(async |cx| change(cx, Mode::Patch).await),
        Op::put("replace_entity", ONE)
            .group(group)
            .summary("Replaces an entity")
            .query(write.clone())
            .run(async |cx| change(cx, Mode::Replace).await),
        Op::delete("delete_entity", ONE)
            .group(group)
            .summary("Removes an entity")
            .query(vec![QueryParam::boolean("delete_dependents")])
            .run(remove),
        Op::get("count_entities", "/v1/blueprints/{blueprint_identifier}/entities-count")
            .group(group)
            .summary("How many entities a blueprint has")
            .run(count),
        Op::post("bulk_upsert_entities", "/v1/blueprints/{blueprint_identifier}/entities/bulk")
            .group(group)
            .summary("Writes up to 20 entities, each by itself")
            .query(write)
            .run(bulk_upsert),
        Op::post("bulk_delete_entities", "/v1/blueprints/{blueprint_identifier}/bulk/entities/delete")
            .group(group)
            .summary("Removes up to 100 entities")
            .query(vec![QueryParam::boolean("delete_dependents")])
            .run(bulk_delete),
    ]
}

async fn list(cx: Cx) -> Result<Reply, Problem> {
    let view = View::of(&cx.query);
    let titles = view.titles;
    let (home, blueprint) = (cx.caller().home().any(), cx.param("blueprint_identifier").to_owned());
    let rows = cx
        .app
        .read(cx.caller(), move |tx| match catalog::find(tx, tx.registry(), home, &blueprint)? {
            catalog::Target::Own(found) => {
                let entities = catalog::list_entities(tx, &found)?;
                let names = catalog::names_of(tx, &entities)?;
                Ok(entities.iter().map(|e| encode(&found.spec, e, &names, titles)).collect::<Vec<_>>())
            }
            catalog::Target::System(kind) => {
                let rows = catalog::system_entities(tx, kind)?;
                let names = system_names(tx, kind, &rows)?;
                Ok(rows.iter().map(|o| encode_system(kind, o, &names)).collect())
            }
        })
        .await?;
    let entities: Vec<Value> = rows.into_iter().map(|e| view.cut(e)).collect();
    Ok(Reply::ok(&json!({"ok": true, "entities": entities})))
}

/// What the catalogue calls everything that rows of the core refer to.
fn system_names(tx: &mut Tx<'_>, kind: &KindInfo, rows: &[AnyObject]) -> Result<Resolved, Error> {
    let registry = tx.registry();
    let mut out = Resolved::new();
    for edge in &kind.edges {
        let mut ids: Vec<RawId> = rows.iter().flat_map(|o| o.targets(edge.name).to_vec()).collect();
        ids.sort_unstable();
        ids.dedup();
        for to in edge.to.iter().filter_map(|k| registry.kind(k.name())) {
            let query = meetme_store::Query::of(meetme_store::Filter::is_in("id", ids.iter().copied()));
            out.extend(tx.list_any(to, &query)?.iter().map(|o| (o.id, catalog::system_identifier(o))));
        }
    }
    Ok(out)
}

async fn get(cx: Cx) -> Result<Reply, Problem> {
    let view = View::of(&cx.query);
    let titles = view.titles;
    let (home, blueprint) = (cx.caller().home().any(), cx.param("blueprint_identifier").to_owned());
    let identifier = cx.param("entity_identifier").to_owned();
    let entity = cx
        .app
        .read(cx.caller(), move |tx| match catalog::find(tx, tx.registry(), home, &blueprint)? {
            catalog::Target::Own(found) => {
                let entity = catalog::entity(tx, &found, &identifier)?;
                shown(tx, &found, &entity, titles)
            }
            catalog::Target::System(kind) => {
                let row = catalog::system_entity(tx, kind, &identifier)?;
                let names = system_names(tx, kind, std::slice::from_ref(&row))?;
                Ok(encode_system(kind, &row, &names))
            }
        })
        .await?;
    Ok(Reply::ok(&json!({"ok": true, "entity": view.cut(entity)})))
}

fn shown(
    tx: &mut Tx<'_>,
    blueprint: &Object<Blueprint>,
    entity: &Object<Entity>,
    titles: bool,
) -> Result<Value, Error> {
    let names = catalog::names_of(tx, std::slice::from_ref(entity))?;
    Ok(encode(&blueprint.spec, entity, &names, titles))
}

/// How a write was asked for.
#[derive(Clone)]
struct Asked {
    home: RawId,
    blueprint: String,
    mode: Mode,
    create_missing: bool,
    by: String,
}

impl Asked {
    fn of(cx: &Cx, mode: Option<Mode>) -> Self {
        let posted = match (flag(&cx.query, "upsert"), flag(&cx.query, "merge")) {
            (true, true) => Mode::Merge,
            (true, false) => Mode::Upsert,
            (false, _) => Mode::Create,
        };
        Self {
            home: cx.caller().home().any(),
            blueprint: cx.param("blueprint_identifier").to_owned(),
            mode: mode.unwrap_or(posted),
            create_missing: flag(&cx.query, "create_missing_related_entities"),
            by: author(cx),
        }
    }

    /// Writes one entity; answers it as shown and whether it is new.
    fn write(&self, tx: &mut Tx<'_>, at: Option<&str>, wish: &EntityWish) -> Result<(Value, bool), Error> {
        let blueprint = own(tx, self.home, &self.blueprint)?;
        let sign = |ext: &mut Ext, is_new| sign(ext, &self.by, is_new);
        let how = Writing { at, mode: self.mode, create_missing: self.create_missing, keep: &sign };
        let written = catalog::write_entity(tx, &blueprint, wish, &how)?;
        Ok((shown(tx, &blueprint, &written.entity, false)?, written.created))
    }
}

/// The program that writes, as it calls itself: integrations find their own entities by it.
fn datasource(cx: &Cx) -> Option<String> {
    cx.header("user-agent").map(|t| t.chars().take(1000).collect())
}

async fn create(cx: Cx) -> Result<Reply, Problem> {
    let input: EntityInput = cx.json()?;
    let (asked, wish) = (Asked::of(&cx, None), input.wish(datasource(&cx))?);
    let caller = cx.caller().clone().dry(flag(&cx.query, "validation_only"));
    let (entity, created) = cx.app.write(&caller, move |tx| asked.write(tx, None, &wish)).await?;
    let status = if created { http::StatusCode::CREATED } else { http::StatusCode::OK };
    Ok(Reply::json(status, &json!({"ok": true, "entity": entity})))
}

async fn change(cx: Cx, mode: Mode) -> Result<Reply, Problem> {
    let input: EntityInput = cx.json()?;
    let (asked, wish) = (Asked::of(&cx, Some(mode)), input.wish(datasource(&cx))?);
    let identifier = cx.param("entity_identifier").to_owned();
    let (entity, _) = cx.app.write(cx.caller(), move |tx| asked.write(tx, Some(&identifier), &wish)).await?;
    Ok(Reply::ok(&json!({"ok": true, "entity": entity})))
}

async fn remove(cx: Cx) -> Result<Reply, Problem> {
    let (home, blueprint) = (cx.caller().home().any(), cx.param("blueprint_identifier").to_owned());
    let (identifier, dependents) = (cx.param("entity_identifier").to_owned(), flag(&cx.query, "delete_dependents"));
    cx.app
        .write(cx.caller(), move |tx| {
            let blueprint = own(tx, home, &blueprint)?;
            let entity = catalog::entity(tx, &blueprint, &identifier)?;
            catalog::remove_entity(tx, &entity, dependents)
        })
        .await?;
    Ok(Reply::ok(&json!({"ok": true})))
}

async fn count(cx: Cx) -> Result<Reply, Problem> {
    let (home, blueprint) = (cx.caller().home().any(), cx.param("blueprint_identifier").to_owned());
    let count = cx
        .app
        .read(cx.caller(), move |tx| match catalog::find(tx, tx.registry(), home, &blueprint)? {
            catalog::Target::Own(found) => catalog::count(tx, &found),
            catalog::Target::System(kind) => Ok(tx.count_any(kind, &meetme_store::Filter::All)?),
        })
        .await?;
    Ok(Reply::ok(&json!({"ok": true, "count": count})))
}

#[derive(Deserialize)]
struct Bulk<T> {
    entities: Vec<T>,
}

impl<T> Bulk<T> {
    fn checked(self, most: usize) -> Result<Vec<T>, Invalid> {
        if self.entities.is_empty() || self.entities.len() > most {
            return Err(Invalid::range("entities", 1, most));
        }
        Ok(self.entities)
    }
}

/// Each entity is written by itself: the dialect promises results one by one, not all or none.
async fn bulk_upsert(cx: Cx) -> Result<Reply, Problem> {
    let inputs = cx.json::<Bulk<EntityInput>>()?.checked(BULK)?;
    let caller = cx.caller().clone().dry(flag(&cx.query, "validation_only"));
    let (mut done, mut errors) = (Vec::new(), Vec::new());
    for (index, input) in inputs.into_iter().enumerate() {
        let named = input.identifier.as_ref().and_then(Value::as_str).unwrap_or("unknown").to_owned();
        let asked = Asked::of(&cx, None);
        let written = match input.wish(datasource(&cx)) {
            Ok(wish) => cx.app.write(&caller, move |tx| asked.write(tx, None, &wish)).await,
            Err(bad) => Err(bad.into()),
        };
        match written {
            Ok((entity, created)) => {
                done.push(json!({"created": created, "identifier": entity["identifier"], "index": index}));
            }
            Err(e) => {
                let told = crate::error::spell(&e);
                errors.push(json!({
                    "identifier": named, "index": index, "statusCode": told.status, "error": told.code, "message": told.message,
                }));
            }
        }
    }
    let all = errors.is_empty();
    let status = if all { http::StatusCode::OK } else { http::StatusCode::MULTI_STATUS };
    Ok(Reply::json(status, &json!({"ok": all, "entities": done, "errors": errors})))
}

async fn bulk_delete(cx: Cx) -> Result<Reply, Problem> {
    let identifiers = cx.json::<Bulk<String>>()?.checked(BULK_DELETE)?;
    let (home, blueprint) = (cx.caller().home().any(), cx.param("blueprint_identifier").to_owned());
    let dependents = flag(&cx.query, "delete_dependents");
    let deleted = cx
        .app
        .write(cx.caller(), move |tx| {
            let blueprint = own(tx, home, &blueprint)?;
            let mut deleted = Vec::new();
            for identifier in &identifiers {
                match catalog::entity(tx, &blueprint, identifier) {
                    Ok(entity) => {
                        catalog::remove_entity(tx, &entity, dependents)?;
                        deleted.push(identifier.clone());
                    }
                    Err(Error::Missing { .. }) => {}
                    Err(e) => return Err(e),
                }
            }
            Ok(deleted)
        })
        .await?;
    Ok(Reply::ok(&json!({"ok": true, "deletedEntities": deleted})))
}

//! The operations on blueprints.

use meetme_app::{Error, catalog};
use meetme_base::Invalid;
use meetme_http::{Cx, Op, Problem, QueryParam, Reply};
use meetme_model::catalog::Blueprint;
use meetme_store::{Object, Tx};
use serde_json::{Value, json};

use crate::{
    author::{author, sign, sign_over},
    blueprint_wire::{BlueprintInput, decode, encode, encode_system, target_names},
};

pub fn ops() -> Vec<Op> {
    let group = "blueprints";
    vec![
        Op::get("list_blueprints", "/v1/blueprints").group(group).summary("All blueprints").run(list),
        Op::post("create_blueprint", "/v1/blueprints")
            .group(group)
            .summary("Makes a blueprint")
            .query(vec![QueryParam::boolean("create_catalog_page")])
            .success(201)
            .run(create),
        Op::get("get_blueprint", "/v1/blueprints/{identifier}").group(group).summary("One blueprint").run(get),
        Op::put("replace_blueprint", "/v1/blueprints/{identifier}")
            .group(group)
            .summary("Replaces a blueprint")
            .run(async |cx| change(cx, false).await),
        Op::patch("update_blueprint", "/v1/blueprints/{identifier}")
            .group(group)
            .summary("Changes parts of a blueprint")
            .run(async |cx| change(cx, true).await),
        Op::delete("delete_blueprint", "/v1/blueprints/{identifier}")
            .group(group)
            .summary("Removes a blueprint")
            .run(remove),
        Op::get("get_system_blueprint_structure", "/v1/blueprints/system/{identifier}/structure")
            .group(group)
            .summary("The protected part of a system blueprint")
            .run(get_structure),
    ]
}

async fn list(cx: Cx) -> Result<Reply, Problem> {
    let home = cx.caller().home().any();
    let own = cx
        .app
        .read(cx.caller(), move |tx| {
            let list = catalog::list(tx, home)?;
            let names = target_names(tx, &list)?;
            Ok(list.iter().map(|b| encode(b, &names)).collect::<Vec<Value>>())
        })
        .await?;
    let registry = cx.app.store().registry();
    let system = registry.kinds().filter(|k| catalog::kind_of(registry, &format!("_{}", k.kind)).is_some());
    let blueprints: Vec<Value> = system.map(|k| encode_system(registry, k)).chain(own).collect();
    Ok(Reply::ok(&json!({"ok": true, "blueprints": blueprints})))
}

fn shown(tx: &mut Tx<'_>, blueprint: &Object<Blueprint>) -> Result<Value, Error> {
    let names = target_names(tx, std::slice::from_ref(blueprint))?;
    Ok(encode(blueprint, &names))
}

async fn create(cx: Cx) -> Result<Reply, Problem> {
    let input: BlueprintInput = cx.json()?;
    let (home, by) = (cx.caller().home().any(), author(&cx));
    let blueprint = cx
        .app
        .write(cx.caller(), move |tx| {
            let mut blueprint = decode(tx, home, &input, None, false)?;
            sign(&mut blueprint.ext, &by, true);
            let made = catalog::create(tx, home, blueprint)?;
            shown(tx, &made)
        })
        .await?;
    Ok(Reply::json(http::StatusCode::CREATED, &json!({"ok": true, "blueprint": blueprint})))
}

async fn get(cx: Cx) -> Result<Reply, Problem> {
    let (home, identifier) = (cx.caller().home().any(), cx.param("identifier").to_owned());
    let blueprint = cx
        .app
        .read(cx.caller(), move |tx| match catalog::find(tx, tx.registry(), home, &identifier)? {
            catalog::Target::Own(found) => shown(tx, &found),
            catalog::Target::System(kind) => Ok(encode_system(tx.registry(), kind)),
        })
        .await?;
    Ok(Reply::ok(&json!({"ok": true, "blueprint": blueprint})))
}

async fn get_structure(cx: Cx) -> Result<Reply, Problem> {
    let registry = cx.app.store().registry();
    let identifier = cx.param("identifier");
    let kind = catalog::kind_of(registry, identifier)
        .ok_or_else(|| Error::missing(meetme_base::Kind::new("blueprint"), identifier))?;
    Ok(Reply::ok(&json!({"ok": true, "blueprint": encode_system(registry, kind)})))
}

async fn change(cx: Cx, merge: bool) -> Result<Reply, Problem> {
    let input: BlueprintInput = cx.json()?;
    let (home, identifier, by) = (cx.caller().home().any(), cx.param("identifier").to_owned(), author(&cx));
    let blueprint = cx
        .app
        .write(cx.caller(), move |tx| {
            let mut object = own(tx, home, &identifier)?;
            let mut next = decode(tx, home, &input, Some(&object), merge)?;
            sign_over(&mut next.ext, &object.spec.ext, &by);
            catalog::replace(tx, &mut object, next)?;
            shown(tx, &object)
        })
        .await?;
    Ok(Reply::ok(&json!({"ok": true, "blueprint": blueprint})))
}

async fn remove(cx: Cx) -> Result<Reply, Problem> {
    let (home, identifier) = (cx.caller().home().any(), cx.param("identifier").to_owned());
    cx.app
        .write(cx.caller(), move |tx| {
            let object = own(tx, home, &identifier)?;
            catalog::remove(tx, &object)
        })
        .await?;
    Ok(Reply::ok(&json!({"ok": true})))
}

/// A blueprint that users defined; those of the system cannot be changed here.
pub fn own(tx: &mut Tx<'_>, home: meetme_base::RawId, identifier: &str) -> Result<Object<Blueprint>, Error> {
    match catalog::find(tx, tx.registry(), home, identifier)? {
        catalog::Target::Own(found) => Ok(*found),
        catalog::Target::System(_) => Err(Invalid::rule(
            "identifier",
            format!("The blueprint {identifier} belongs to the system and is read-only."),
        )
        .into()),
    }
}

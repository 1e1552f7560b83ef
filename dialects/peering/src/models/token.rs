//! Tokens: an addition of ours, since elsewhere they are made by hand. The secret is shown once, in the answer that made it.

use meetme_app::Error;
use meetme_base::{Id, IpNet, RawId, Uid};
use meetme_model::access::{Hash, Key, User};
use meetme_store::{Object, Resource as _, Tx};
use serde_json::Value as Json;

use super::{some, user};
use crate::{
    engine::AnyModel as _,
    json,
    lookup::python_type,
    model::{About, Draft, Field, How, Model, Sieve, everything},
    query,
    scene::{Loaded, Scene},
};

type Of = Key;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Token",
        verbose: "token",
        app: "users",
        path: "tokens",
        old: &[],
        number: 144,
        kind: Of::KIND,
        brief: &["id", "url", "display", "description", "write_enabled"],
        order: &["-created"],
        filters: &[
            Sieve::new("user_id", How::Row("owner", User::KIND, "id")),
            Sieve::new("description", How::Text("description")),
            Sieve::new("expires", How::Number("expires_at")),
        ],
        aliases: &[("expires_at", "expires"), ("owner", "user"), ("name", "description")],
        read_only: false,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["name", "description"], text),
    },
    needs: &[],
    // The public part names a key and opens nothing.
    display: |row, _| row.spec.public.clone(),
    // The texts stand in for those that are made with the key, which are not known yet: no two are alike.
    fresh: Some(|| Of::new("token", Uid::random().to_string(), Hash::new(Uid::random().to_string()), RawId::new(0))),
    fields: &[
        F::id(),
        F::url(),
        F::display(),
        F::beside("user", "nested object", gather, owner, None),
        F::own("user", "owner", "field", |s, _| s.owner.get().into(), set_owner).write_only(),
        F::created(),
        F::moment("expires", "expires_at", |r| r.spec.expires_at, Some(|d, t| d.spec.expires_at = t)),
        F::moment("last_used", "last_used", |r| r.status.last_used, None).observed(),
        F::made("key", "string", key),
        F::flag("write_enabled", "", |s| !s.read_only, |s, b| s.read_only = !b),
        F::text(
            "description",
            "description",
            200,
            |s| s.description.as_deref(),
            |s, t| {
                let text = some(t);
                s.name = text.clone().unwrap_or_else(|| "token".to_owned());
                s.description = text;
            },
        ),
        F::own("allowed_ips", "allowed_ips", "list", allowed_ips, set_allowed_ips).nullable(),
        F::own("objects", "objects", "list", objects, set_objects),
    ],
};

fn gather(tx: &mut Tx<'_>, keys: &[RawId], scene: &Scene, loaded: &mut Loaded) -> Result<(), Error> {
    let keys = tx.many(keys.iter().map(|id| id.of::<Of>()))?;
    let mut owners = Vec::new();
    for key in keys.into_values() {
        loaded.beside.insert(("user", key.id.get()), vec![key.spec.owner]);
        if tx.kind_of(key.spec.owner)? == Some(User::KIND) {
            owners.push(key.spec.owner);
        }
    }
    user::MODEL.load(tx, owners, scene, loaded)
}

/// Whose it is; null for a key of an organization or a project.
fn owner(key: &Object<Of>, _: &Scene, loaded: &Loaded, out: &mut Vec<u8>) {
    match loaded.nested("User", key.spec.owner) {
        Some(bytes) => out.extend_from_slice(bytes),
        None => json::null(out),
    }
}

fn set_owner(_: &Scene, tx: &mut Tx<'_>, draft: &mut Draft<Of>, value: &Json) -> Result<Result<(), String>, Error> {
    let Some(id) = value.as_i64() else { return Ok(Err("A valid integer is required.".to_owned())) };
    if tx.find(Id::<User>::new(id))?.is_none() {
        return Ok(Err(format!("Related object not found using the provided numeric ID: {id}")));
    }
    draft.spec.owner = RawId::new(id);
    Ok(Ok(()))
}

/// The secret, in the one answer that may hold it: the core marks a key that was just made by leaving its hash empty, which none that
/// is stored has.
fn key(row: &Object<Of>, scene: &Scene, _: &Loaded, out: &mut Vec<u8>) {
    let fresh = row.spec.sealed.as_ref().filter(|_| row.spec.hash.as_str().is_empty());
    match fresh.and_then(|sealed| scene.app.sealer().open(sealed).ok()) {
        Some(secret) => json::text(out, secret.expose()),
        None => json::null(out),
    }
}

fn allowed_ips(spec: &Of, _: Option<&Scene>) -> Json {
    spec.allowed_ips.iter().map(|net| Json::String(net.to_string())).collect()
}

fn set_allowed_ips(
    _: &Scene,
    _: &mut Tx<'_>,
    draft: &mut Draft<Of>,
    value: &Json,
) -> Result<Result<(), String>, Error> {
    let list = match value {
        Json::Null => &[][..],
        Json::Array(list) => list,
        other => return Ok(Err(format!("Expected a list of items but got type \"{}\".", python_type(other)))),
    };
    let mut nets: Vec<IpNet> = Vec::with_capacity(list.len());
    for item in list {
        let text = item.as_str().unwrap_or_default();
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
        match net {
            Ok(net) => nets.push(net.trunc()),
            Err(_) => return Ok(Err(format!("'{text}' does not appear to be an IPv4 or IPv6 network"))),
        }
    }
    draft.spec.allowed_ips = nets;
    Ok(Ok(()))
}

fn objects(spec: &Of, _: Option<&Scene>) -> Json {
    spec.objects.iter().map(|id| Json::from(id.get())).collect()
}

/// The only rows that the token reaches, with what refers to them, by id: the ids of rows of all models differ.
fn set_objects(_: &Scene, tx: &mut Tx<'_>, draft: &mut Draft<Of>, value: &Json) -> Result<Result<(), String>, Error> {
    let Json::Array(list) = value else {
        return Ok(Err(format!("Expected a list of items but got type \"{}\".", python_type(value))));
    };
    if list.len() > 1000 {
        return Ok(Err("A token is for at most 1000 objects.".to_owned()));
    }
    let mut ids = Vec::with_capacity(list.len());
    for item in list {
        let Some(id) = item.as_i64().map(RawId::new) else {
            return Ok(Err(format!("Incorrect type. Expected pk value, received {}.", python_type(item))));
        };
        let info = tx.kind_of(id)?.and_then(|kind| tx.registry().kind(kind.name()));
        let seen = match info {
            Some(info) => tx.count_any(info, &meetme_store::Filter::eq("id", id))? == 1,
            None => false,
        };
        if !seen {
            return Ok(Err(format!("Invalid pk \"{id}\" - object does not exist.")));
        }
        ids.push(id);
    }
    draft.spec.objects = ids;
    Ok(Ok(()))
}

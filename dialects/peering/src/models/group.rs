//! Groups: sets of users with what they may do.

use meetme_app::{Error, teams};
use meetme_base::RawId;
use meetme_model::access::Team;
use meetme_store::{Object, Resource as _, Tx};
use serde_json::Value as Json;

use super::{raw, typed, user};
use crate::{
    json,
    lookup::python_type,
    model::{About, Field, How, Model, Sieve, everything},
    permissions, query,
    scene::{Loaded, Scene},
};

type Of = Team;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Group",
        verbose: "group",
        app: "users",
        path: "groups",
        old: &[],
        number: 143,
        kind: Of::KIND,
        brief: &["id", "url", "display", "name"],
        order: &["name"],
        filters: &[Sieve::new("name", How::Text("name"))],
        aliases: &[],
        read_only: false,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["name"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(Of::default),
    fields: &[
        F::id(),
        F::url(),
        F::display(),
        F::text("name", "name", 150, |s| Some(&s.name), |s, t| s.name = t.unwrap_or_default()).required(),
        F::made("user_count", "integer", |r, _, _, out| {
            json::integer(out, i64::try_from(r.spec.members.len()).unwrap_or(i64::MAX));
        }),
        F::many("users", "members", &user::MODEL, |s| raw(&s.members), |s, v| s.members = typed(v)).ours(),
        F::beside("permissions", "list", gather, permissions, Some(set_permissions)).ours(),
    ],
};

fn gather(tx: &mut Tx<'_>, groups: &[RawId], _: &Scene, loaded: &mut Loaded) -> Result<(), Error> {
    for group in groups {
        let team = tx.get(group.of::<Of>())?;
        let grants = teams::grants(tx, &team)?;
        loaded.words.insert(("permissions", group.get()), permissions::of_grants(tx, &grants));
    }
    Ok(())
}

fn permissions(group: &Object<Of>, _: &Scene, loaded: &Loaded, out: &mut Vec<u8>) {
    let names = loaded.words.get(&("permissions", group.id.get())).cloned().unwrap_or_default();
    json::value(out, &names.into());
}

fn set_permissions(
    scene: &Scene,
    tx: &mut Tx<'_>,
    group: &mut Object<Of>,
    value: &Json,
) -> Result<Result<(), String>, Error> {
    let Json::Array(list) = value else {
        return Ok(Err(format!("Expected a list of items but got type \"{}\".", python_type(value))));
    };
    let mut grants = Vec::new();
    for item in list {
        let name = item.as_str().unwrap_or_default();
        let Some(grant) = permissions::grant(name) else {
            return Ok(Err(format!("\"{name}\" is not a valid choice.")));
        };
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    teams::set_grants(scene.by()?, tx, group, grants)?;
    Ok(Ok(()))
}

//! Users. A new one may read the book of the organization, as every login of this application may.

use meetme_app::{Error, teams};
use meetme_base::{Id, RawId};
use meetme_model::access::{Hash, Organization, Team, User};
use meetme_store::{Filter, Object, Resource as _, Tx};
use serde_json::Value as Json;

use super::{group, some};
use crate::{
    engine::AnyModel as _,
    json,
    lookup::python_type,
    model::{About, Draft, Field, How, Model, Sieve, everything},
    passwords, query,
    scene::{Loaded, Scene},
};

type Of = User;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "User",
        verbose: "user",
        app: "users",
        path: "users",
        old: &[],
        number: 15,
        kind: Of::KIND,
        brief: &["id", "url", "display", "username"],
        order: &["username"],
        filters: &[
            Sieve::new("username", How::Text("username")),
            Sieve::new("first_name", How::Text("first_name")),
            Sieve::new("last_name", How::Text("last_name")),
            Sieve::new("email", How::Text("email")),
            Sieve::new("is_active", How::Flag("active")),
            Sieve::new("is_staff", How::Flag("staff")),
            Sieve::new("group", How::Asked(&[""], |tx, _, _, values| members(tx, "name", values))),
            Sieve::new("group_id", How::Asked(&[""], |tx, _, _, values| members(tx, "id", values))),
        ],
        aliases: &[("username_key", "username"), ("password_hash", "password")],
        read_only: false,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["username", "first_name", "last_name", "email"], text),
    },
    needs: &[],
    display: |row, _| row.spec.username.clone(),
    fresh: Some(|| Of::new("", Id::<Organization>::new(0))),
    fields: &[
        F::id(),
        F::url(),
        F::display(),
        F::text("username", "username", 150, |s| Some(&s.username), |s, t| s.username = t.unwrap_or_default())
            .required(),
        F::own("password", "", "string", |_, _| Json::Null, set_password).required().write_only(),
        F::text("first_name", "first_name", 150, |s| Some(&s.first_name), |s, t| s.first_name = t.unwrap_or_default()),
        F::text("last_name", "last_name", 150, |s| Some(&s.last_name), |s, t| s.last_name = t.unwrap_or_default()),
        F::text("email", "email", 254, |s| s.email.as_deref(), |s, t| s.email = some(t)),
        F::flag("is_staff", "staff", |s| s.staff, |s, b| s.staff = b),
        F::flag("is_active", "active", |s| s.active, |s, b| s.active = b),
        F::made("date_joined", "datetime", |r, _, _, out| json::moment(out, r.created)),
        F::beside("groups", "list", gather, groups, Some(join)),
    ],
};

/// The users in groups with one of these names or ids, each of which must be there.
fn members(tx: &mut Tx<'_>, field: &str, values: &[&str]) -> Result<Result<Filter, String>, Error> {
    let mut ids: Vec<Id<Of>> = Vec::new();
    for value in values {
        let wanted = match (field, value.parse::<i64>()) {
            ("id", Ok(id)) => Filter::eq("id", Id::<Team>::new(id)),
            ("id", Err(_)) => return Ok(Err(query::no_choice(value))),
            _ => Filter::eq("name", *value),
        };
        let teams = tx.all::<Team>(wanted)?;
        if teams.is_empty() {
            return Ok(Err(query::no_choice(value)));
        }
        ids.extend(teams.into_iter().flat_map(|team| team.spec.members));
    }
    Ok(Ok(Filter::is_in("id", ids)))
}

fn set_password(_: &Scene, _: &mut Tx<'_>, draft: &mut Draft<Of>, value: &Json) -> Result<Result<(), String>, Error> {
    Ok(passwords::hashed(value).map(|hash| draft.spec.password = Some(Hash::new(hash))))
}

/// The groups that these users are in.
fn gather(tx: &mut Tx<'_>, users: &[RawId], scene: &Scene, loaded: &mut Loaded) -> Result<(), Error> {
    let wanted = Filter::is_in("members", users.iter().map(|id| id.of::<Of>()));
    let teams = tx.as_system(|tx| tx.all::<Team>(wanted))?;
    group::MODEL.load(tx, teams.iter().map(|team| team.id.any()).collect(), scene, loaded)?;
    for team in teams {
        for user in &team.spec.members {
            loaded.beside.entry(("groups", user.get())).or_default().push(team.id.any());
        }
    }
    Ok(())
}

fn groups(user: &Object<Of>, _: &Scene, loaded: &Loaded, out: &mut Vec<u8>) {
    out.push(b'[');
    let ids = loaded.beside.get(&("groups", user.id.get())).map(Vec::as_slice).unwrap_or_default();
    for (i, bytes) in ids.iter().filter_map(|id| loaded.nested("Group", *id)).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(bytes);
    }
    out.push(b']');
}

/// Makes the user a member of these groups and of no others that the caller may see.
fn join(scene: &Scene, tx: &mut Tx<'_>, user: &mut Object<Of>, value: &Json) -> Result<Result<(), String>, Error> {
    let Json::Array(list) = value else {
        return Ok(Err(format!("Expected a list of items but got type \"{}\".", python_type(value))));
    };
    let mut wanted: Vec<Id<Team>> = Vec::new();
    for item in list {
        let Some(id) = item.as_i64() else {
            return Ok(Err(format!("Incorrect type. Expected pk value, received {}.", python_type(item))));
        };
        if tx.find(Id::<Team>::new(id))?.is_none() {
            return Ok(Err(format!("Invalid pk \"{id}\" - object does not exist.")));
        }
        wanted.push(Id::new(id));
    }
    let now = tx.all::<Team>(Filter::eq("members", user.id))?;
    for mut team in now.iter().filter(|team| !wanted.contains(&team.id)).cloned() {
        let mut spec = team.spec.clone();
        spec.members.retain(|member| *member != user.id);
        teams::change(scene.by()?, tx, &mut team, spec)?;
    }
    for id in wanted {
        let mut team = tx.get(id)?;
        if !team.spec.members.contains(&user.id) {
            let mut spec = team.spec.clone();
            spec.members.push(user.id);
            teams::change(scene.by()?, tx, &mut team, spec)?;
        }
    }
    Ok(Ok(()))
}

//! Users.

use meetme_app::{Error, accounts::Signed, identity::factor};
use meetme_base::{Id, Time, Uid};
use meetme_http::ValueKind::Text;
use meetme_model::{
    Ext,
    access::{EmailAddress, Membership, Organization, Project, SshKey, User},
};
use meetme_store::{Filter, Object, Order, Resource, fold};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    ext,
    show::{Relation, Show, Shown, at, referring, rows_referring},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("User");
const CHANGES: Takes =
    &[("first_name", Text), ("last_name", Text), ("phone_number", Text), ("timezone", Text), ("customdata", Text)];

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("get_current_user", "/user", ONE, current),
        Row::put("update_current_user", "/user", ONE, update).takes(CHANGES),
        Row::get("list_users", "/users", Gives::Pages("users", "User"), list),
        Row::get("get_user", "/users/{id}", ONE, get),
        Row::get("get_user_customdata", "/users/{id}/customdata", Gives::Free, customdata),
    ]
}

/// What only this dialect knows of a user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Own {
    #[serde(skip_serializing_if = "Option::is_none")]
    customdata: Option<Value>,
}

/// The fields of a user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    short_id: String,
    first_name: String,
    last_name: String,
    full_name: String,
    email: String,
    two_factor_auth: String,
    max_projects: Option<u32>,
    max_organizations: Option<u32>,
    created_at: String,
    updated_at: String,
    timezone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_at: Option<String>,
    verification_stage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_login_at: Option<String>,
    features: Vec<String>,
    customdata: Value,
    default_organization_id: Option<String>,
    default_project_id: Option<String>,
    number_of_ssh_keys: usize,
    social_accounts: Map<String, Value>,
}

impl Shown for User {
    const NAME: &'static str = "User";
    const PATH: Option<&'static str> = Some("/users");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::back("emails", &[EmailAddress::KIND], |tx, of| referring::<_, EmailAddress>(tx, of, "user")),
        Relation::<Self>::back("memberships", &[Membership::KIND], |tx, of| referring::<_, Membership>(tx, of, "user")),
        Relation::<Self>::back("projects", &[Project::KIND], |tx, of| {
            let rows = rows_referring::<_, Membership>(tx, of, "user")?;
            Ok(rows.into_iter().map(|(user, row)| (user, row.spec.scope)).collect())
        }),
        Relation::<Self>::back("organizations", &[Organization::KIND], |tx, of| {
            let rows = rows_referring::<_, Membership>(tx, of, "user")?;
            Ok(rows.into_iter().map(|(user, row)| (user, row.spec.scope)).collect())
        }),
        Relation::<Self>::back("ssh_keys", &[SshKey::KIND], |tx, of| referring::<_, SshKey>(tx, of, "owner")),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let homes = show.tx.many(objects.iter().map(|u| u.spec.home))?;
        let projects = show.tx.many(objects.iter().filter_map(|u| u.spec.home_project))?;
        let keys = referring::<_, SshKey>(show.tx, objects, "owner")?;
        let emails = rows_referring::<_, EmailAddress>(show.tx, objects, "user")?;
        let guarded = factor::among(show.tx, objects.iter().map(|u| u.id.any()))?;
        let wire = |row: &Object<Self>| {
            let spec = &row.spec;
            let mine = || emails.iter().filter(|(user, _)| *user == row.id.any()).map(|(_, email)| &email.spec);
            let usual = mine().find(|e| e.default).or_else(|| mine().next()).map(|e| e.address.clone());
            Wire {
                email: spec.email.clone().or(usual).unwrap_or_default(),
                two_factor_auth: if guarded.contains(&row.id.any()) { "app".to_owned() } else { String::new() },
                updated_at: at(row.updated),
                verified_at: row.status.verified_at.map(at),
                verification_stage: stage(row.status.verified_at.is_some()),
                last_login_at: row.status.last_login.map(at),
                default_organization_id: homes.get(&spec.home).map(|o| o.uid.to_string()),
                default_project_id: spec.home_project.and_then(|id| projects.get(&id)).map(|p| p.uid.to_string()),
                number_of_ssh_keys: keys.iter().filter(|(owner, _)| *owner == row.id.any()).count(),
                ..plain(row.uid, spec, row.created)
            }
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn stage(is_verified: bool) -> &'static str {
    if is_verified { "verified" } else { "unverified" }
}

/// What the spec alone says of a user.
pub fn plain(uid: Uid, spec: &User, created: Time) -> Wire {
    let own = ext::get::<Own>(&spec.ext);
    Wire {
        id: uid.to_string(),
        short_id: uid.short(),
        first_name: spec.first_name.clone(),
        last_name: spec.last_name.clone(),
        full_name: spec.title(),
        email: spec.email.clone().unwrap_or_default(),
        two_factor_auth: String::new(),
        max_projects: None,
        max_organizations: None,
        created_at: at(created),
        updated_at: at(created),
        timezone: spec.timezone.clone().unwrap_or_else(|| "UTC".to_owned()),
        phone_number: spec.phone.clone(),
        verified_at: None,
        verification_stage: stage(false),
        last_login_at: None,
        features: Vec::new(),
        customdata: ext::custom(own.customdata.as_ref()),
        default_organization_id: None,
        default_project_id: None,
        number_of_ssh_keys: 0,
        social_accounts: Map::new(),
    }
}

/// A user as whoever signs up is answered: nothing in it says whether there was one before.
pub fn signed(signed: &Signed) -> Result<Value, Error> {
    let wire = Wire {
        verification_stage: stage(signed.is_verified),
        verified_at: signed.is_verified.then(|| at(signed.at)),
        ..plain(signed.uid, &signed.user, signed.at)
    };
    let mut out = serde_json::to_value(wire).map_err(|e| Error::Bug(e.to_string()))?;
    for list in ["emails", "memberships", "projects", "organizations", "ssh_keys"] {
        out[list] = Value::Array(Vec::new());
    }
    out["href"] = format!("{}/{}", User::PATH.unwrap_or_default(), signed.uid).into();
    Ok(out)
}

/// The extension of a user who signs up with free data.
pub fn with_custom(customdata: Option<Value>) -> Ext {
    let mut out = Ext::new();
    ext::set(&mut out, &Own { customdata });
    out
}

/// Who asks. A project's key is nobody's.
pub fn me(work: &Work<'_, '_>) -> Result<Id<User>, Error> {
    work.ask.subject.user.ok_or_else(|| Error::Denied("This key belongs to a project, not to a user.".to_owned()))
}

fn current(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let me = me(work)?;
    Ok(Out::One(User::KIND, me.any()))
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let mut user = work.tx.get(me(work)?)?;
    let mut spec = user.spec.clone();
    let input = &work.ask.input;
    if let Some(text) = input.text("first_name")? {
        spec.first_name = text;
    }
    if let Some(text) = input.text("last_name")? {
        spec.last_name = text;
    }
    spec.phone = input.text("phone_number")?.or(spec.phone);
    spec.timezone = input.text("timezone")?.or(spec.timezone);
    if let Some(data) = input.json("customdata")? {
        ext::set(&mut spec.ext, &Own { customdata: Some(data) });
    }
    work.tx.save(&mut user, spec)?;
    Ok(Out::one(&user))
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let filter = work.asked("email").map_or(Filter::All, |email| Filter::eq("email", fold(email)));
    work.page::<User>("users", filter, vec![Order::up("id")])
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<User>("id")?))
}

fn customdata(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let own: Own = ext::get(&work.named::<User>("id")?.spec.ext);
    Ok(Out::Json(ext::custom(own.customdata.as_ref())))
}

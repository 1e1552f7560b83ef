//! Who lives in the demo world: an operator, a customer with one user, and a second company that lets this user in.

use meetme_app::{
    App, Error,
    identity::{self, Giver, NewKey},
};
use meetme_base::{Id, RawId, Secret};
use meetme_model::access::{EmailAddress, Key, Membership, Organization, Project, SshKey, User};
use meetme_store::{Filter, Object, Tx};
use serde_json::json;

use super::World;

/// The parties, for the rest of the world.
pub struct People {
    /// The operator's node.
    pub operator: RawId,
    /// The customer's node.
    pub customer: RawId,
}

/// The demo user's name.
const USERNAME: &str = "demo";
/// The name of the demo user's key.
const KEY: &str = "demo";
/// Where the demo user's password is kept, sealed, so that a restarted demo can show it again.
const CORNER: &str = "demo";

/// The world that is there already, if it is.
pub fn known(app: &App, tx: &mut Tx<'_>) -> Result<Option<World>, Error> {
    let Some(user) = tx.one::<User>(&Filter::eq("username_key", USERNAME))? else { return Ok(None) };
    let open = |value: Option<&serde_json::Value>| -> Result<Secret<String>, Error> {
        let sealed = value.cloned().and_then(|v| serde_json::from_value(v).ok());
        let sealed =
            sealed.ok_or_else(|| Error::conflict("demo", "The store holds a user `demo` that is not the demo's."))?;
        app.sealer().open(&sealed)
    };
    let password = open(user.spec.ext.get(CORNER))?;
    let filter = Filter::eq("owner", user.id).and(Filter::eq("name", KEY));
    let key =
        tx.one::<Key>(&filter)?.ok_or_else(|| Error::conflict("demo", "The demo's key is gone from the store."))?;
    let secret = open(key.spec.sealed.as_ref().and_then(|s| serde_json::to_value(s).ok()).as_ref())?;
    Ok(Some(World { key: key.spec.public, secret, username: user.spec.username, password }))
}

/// Makes the parties and their credentials.
pub fn make(app: &App, tx: &mut Tx<'_>) -> Result<(People, World), Error> {
    let password = Secret::new(format!("demo-{}", identity::issue()?.1.expose().get(..16).unwrap_or_default()));
    let (_, operators) = identity::issue()?;
    let first = identity::first(app, tx, "Demo Operator", "operator", &operators)?;
    let operator = first.operator.id;
    let customer = organization(tx, operator, "Demo Customer")?;
    let second = organization(tx, operator, "Second Company")?;
    let user = User {
        first_name: "Dana".to_owned(),
        last_name: "Demo".to_owned(),
        email: Some("demo@meetme.example".to_owned()),
        position: Some("Company Admin".to_owned()),
        timezone: Some("Australia/Brisbane".to_owned()),
        locale: Some("en-AU".to_owned()),
        language: Some("en".to_owned()),
        superuser: true,
        staff: true,
        password: Some(identity::hash_password(&password)?),
        ext: [(CORNER.to_owned(), serde_json::to_value(app.sealer().seal(password.expose())?).unwrap_or_default())]
            .into(),
        ..User::new(USERNAME, customer.id)
    };
    let mut user = tx.create(customer.id.any(), user)?;
    member(tx, &user, customer.id.any(), "owner")?;
    member(tx, &user, second.id.any(), "technical_admin")?;
    for (address, default) in [("demo@meetme.example", true), ("dana@meetme.example", false)] {
        let email = EmailAddress { address: address.to_owned(), default, user: user.id };
        tx.create(customer.id.any(), email)?;
    }
    let (one, two) = (project(tx, &customer, "Project 1")?, project(tx, &customer, "Project 2")?);
    for scope in [one, two] {
        member(tx, &user, scope, "owner")?;
    }
    let spec = User { home_project: Some(one.of()), ..user.spec.clone() };
    tx.save(&mut user, spec)?;
    let key = SshKey {
        label: "demo".to_owned(),
        key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f demo@meetme.example"
            .to_owned(),
        owner: user.id.any(),
    };
    tx.create(customer.id.any(), key)?;
    let new = NewKey { name: KEY.to_owned(), readable: true, ..NewKey::default() };
    let issued = identity::create_key(app, tx, Giver::System, user.id.any(), &new)?;
    let world = World { key: issued.key.spec.public, secret: issued.secret, username: USERNAME.to_owned(), password };
    Ok((People { operator: operator.any(), customer: customer.id.any() }, world))
}

fn organization(tx: &mut Tx<'_>, parent: Id<Organization>, name: &str) -> Result<Object<Organization>, Error> {
    let organization = Organization { name: name.to_owned(), parent: Some(parent), ..Organization::default() };
    Ok(tx.create(parent.any(), organization)?)
}

fn member(tx: &mut Tx<'_>, user: &Object<User>, scope: RawId, role: &str) -> Result<(), Error> {
    let roles = vec![identity::builtin_role(tx, role)?];
    tx.create(scope, Membership { user: user.id, scope, roles, title: None })?;
    Ok(())
}

fn project(tx: &mut Tx<'_>, organization: &Object<Organization>, name: &str) -> Result<RawId, Error> {
    let spec: Project = serde_json::from_value(json!({"name": name, "organization": organization.id}))
        .map_err(|e| Error::Bug(format!("the demo's project: {e}")))?;
    Ok(tx.create(organization.id.any(), spec)?.id.any())
}

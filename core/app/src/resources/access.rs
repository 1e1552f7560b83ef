//! The kinds by which rights are given, spoken of as kinds and fields. What may be given is decided in [`crate::giving`].

use meetme_base::{Id, Invalid, IpNet, Kind, RawId, Time};
use meetme_model::access::{
    EmailAddress, Form, Grant, Invitation, Key, Membership, Organization, Project, Role, SecondFactor, Session, SshKey,
    Team, Ticket, Transfer, User,
};
use meetme_store::{AnyObject, KindInfo, Resource as _, Tx};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{By, Create, Hooks, Made, Remove, Replace, read, shape};
use crate::{
    Error, emails,
    giving::{Giver, may_act_as, may_give, must_be_whole, must_have, owner_node},
    identity, organizations, projects, teams, users,
};

/// The kinds of the area with a policy.
pub(super) const HOOKS: &[(Kind, Hooks)] = &[
    (
        Organization::KIND,
        Hooks {
            create: Create::By(create_organization),
            replace: Replace::By(replace_organization),
            remove: Remove::By(remove_organization),
        },
    ),
    (
        Project::KIND,
        Hooks {
            create: Create::By(create_project),
            replace: Replace::By(replace_project),
            remove: Remove::By(remove_project),
        },
    ),
    (
        EmailAddress::KIND,
        Hooks {
            create: Create::By(create_email),
            replace: Replace::By(replace_email),
            remove: Remove::By(remove_email),
        },
    ),
    (
        User::KIND,
        Hooks { create: Create::By(create_user), replace: Replace::By(replace_user), remove: Remove::By(remove_user) },
    ),
    (Team::KIND, Hooks { create: Create::By(create_team), replace: Replace::By(replace_team), remove: Remove::Plain }),
    (
        Membership::KIND,
        Hooks {
            create: Create::By(create_membership),
            replace: Replace::By(replace_membership),
            remove: Remove::Plain,
        },
    ),
    (
        Role::KIND,
        Hooks { create: Create::By(create_role), replace: Replace::By(replace_role), remove: Remove::By(remove_role) },
    ),
    (
        Key::KIND,
        Hooks {
            create: Create::Taking(|| schemars::schema_for!(NewKey).to_value(), create_key),
            replace: Replace::By(replace_key),
            remove: Remove::Plain,
        },
    ),
    (SshKey::KIND, Hooks { create: Create::By(create_ssh_key), ..Hooks::PLAIN }),
    (
        Session::KIND,
        Hooks {
            create: Create::Refused("It is opened by a login."),
            replace: Replace::Refused("It changes by being renewed."),
            remove: Remove::Plain,
        },
    ),
    (
        Transfer::KIND,
        Hooks {
            create: Create::Refused("It is made by asking the other organization."),
            replace: Replace::Refused("It is answered or withdrawn; for another organization, make another one."),
            remove: Remove::Plain,
        },
    ),
    (
        SecondFactor::KIND,
        Hooks {
            create: Create::Refused("Whoever logs in with it offers and enables it."),
            replace: Replace::Refused("Whoever logs in with it changes it."),
            remove: Remove::By(remove_factor),
        },
    ),
    (
        Ticket::KIND,
        Hooks {
            create: Create::Refused("It comes with a letter."),
            replace: Replace::Refused("It comes with a letter."),
            remove: Remove::Plain,
        },
    ),
    (
        Invitation::KIND,
        Hooks {
            create: Create::Refused("It is made by sending it."),
            replace: Replace::Refused("It changes by being sent again."),
            remove: Remove::Plain,
        },
    ),
];

/// The node that a row must hang on, which the caller may have said as well.
pub(super) fn on(said: Option<RawId>, must: RawId, field: &str) -> Result<RawId, Error> {
    if said.is_some_and(|said| said != must) {
        return Err(Invalid::rule("tenant", format!("The row hangs on the {field}.")).into());
    }
    Ok(must)
}

fn create_organization(
    by: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    tenant: Option<RawId>,
    spec: Json,
) -> Result<Made, Error> {
    let mut new: Organization = read(&spec)?;
    let parent = match new.parent {
        Some(parent) => on(tenant, parent.any(), "parent")?,
        None => tenant.unwrap_or(by.caller.home().any()),
    };
    if new.form == Form::Operator {
        return Err(Invalid::rule("form", "An installation has one operator.").into());
    }
    new.parent = Some(parent.of());
    let founder = by.caller.subject.user;
    Ok(Tx::erased(&organizations::create(tx, parent.of(), founder, &new)?).into())
}

fn replace_organization(
    _: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    old: &AnyObject,
    spec: Json,
) -> Result<AnyObject, Error> {
    let operator = |spec: &Json| spec.get("form").is_some_and(|form| form == Form::Operator.word());
    if operator(&old.spec) != operator(&spec) {
        return Err(Invalid::rule("form", "An installation has one operator.").into());
    }
    let new: Organization = Tx::sent_for(&tx.get(old.id.of())?, spec)?;
    Ok(Tx::erased(&organizations::change(tx, old.id.of(), |organization| *organization = new)?))
}

fn remove_organization(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject) -> Result<(), Error> {
    organizations::remove(tx, old.id.of())
}

fn create_project(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: Project = read(&spec)?;
    on(tenant, new.organization.any(), "organization")?;
    let wish = projects::NewProject {
        name: new.name,
        description: new.description,
        organization: Some(new.organization),
        backend_transfer: new.backend_transfer,
        billing: new.billing,
        ext: new.ext,
    };
    let mut made = projects::create(tx, &by.caller.subject, &wish)?;
    if !new.labels.is_empty() {
        let spec = Project { labels: new.labels, ..made.spec.clone() };
        // The caller's rights were worked out before this node existed.
        tx.as_system(|tx| tx.save(&mut made, spec))?;
    }
    Ok(Tx::erased(&made).into())
}

fn remove_project(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject) -> Result<(), Error> {
    projects::remove(tx, old.id.of())
}

fn replace_project(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    let new: Project = Tx::sent_for(&tx.get(old.id.of())?, spec)?;
    Ok(Tx::erased(&projects::change(tx, old.id.of(), |project| *project = new)?))
}

fn create_email(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: EmailAddress = read(&spec)?;
    let home = tx.find(new.user)?.map(|user| user.tenant);
    let home = home.ok_or_else(|| Invalid::reference("user", format!("The object {}", new.user)))?;
    on(tenant, home, "user's home")?;
    let made = emails::add(by.app, tx, &by.caller.subject, new.user, &new.address, new.default)?;
    Ok(Tx::erased(&made).into())
}

fn replace_email(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    let row = tx.get::<EmailAddress>(old.id.of())?;
    let new = Tx::sent_for(&row, spec)?;
    if new.user != row.spec.user {
        return Err(Invalid::rule("user", "An address cannot be given to another user.").into());
    }
    let is_default = (new.default != row.spec.default).then_some(new.default);
    let changed = emails::change(by.app, tx, &by.caller.subject, &row, Some(&new.address), is_default)?;
    Ok(Tx::erased(&changed))
}

fn remove_email(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject) -> Result<(), Error> {
    let row = tx.get::<EmailAddress>(old.id.of())?;
    emails::remove(by.app, tx, &by.caller.subject, &row)
}

fn create_user(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: User = read(&spec)?;
    on(tenant, new.home.any(), "home")?;
    Ok(Tx::erased(&users::create(by, tx, new)?).into())
}

fn replace_user(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    let mut user = tx.get::<User>(old.id.of())?;
    let spec = Tx::sent_for(&user, spec)?;
    users::change(by, tx, &mut user, spec)?;
    Ok(Tx::erased(&user))
}

fn remove_user(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject) -> Result<(), Error> {
    users::remove(by, tx, old.id.of())
}

/// For somebody whose telephone is gone and whose recovery codes are used up: by who may do whatever that somebody may.
fn remove_factor(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject) -> Result<(), Error> {
    let user = tx.get::<SecondFactor>(old.id.of())?.spec.user;
    let (of, subject) = (tx.get(user)?, &by.caller.subject);
    must_be_whole(tx, subject)?;
    if subject.user == Some(user) {
        return Err(Error::Denied("Your own second factor is given up by a code of it.".to_owned()));
    }
    if of.spec.superuser && !subject.superuser {
        return Err(Error::Denied("Only a superuser takes a second factor from a superuser.".to_owned()));
    }
    may_act_as(by.app, tx, user)?;
    Ok(tx.remove::<SecondFactor>(old.id.of())?)
}

fn create_team(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let node = tenant.unwrap_or(by.caller.home().any());
    Ok(Tx::erased(&teams::create(by, tx, node, read(&spec)?)?).into())
}

fn replace_team(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    let mut team = tx.get::<Team>(old.id.of())?;
    let spec = Tx::sent_for(&team, spec)?;
    teams::change(by, tx, &mut team, spec)?;
    Ok(Tx::erased(&team))
}

fn create_membership(
    by: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    tenant: Option<RawId>,
    spec: Json,
) -> Result<Made, Error> {
    let new: Membership = read(&spec)?;
    let node = on(tenant, new.scope, "scope")?;
    may_give(by.app, tx, &by.caller.subject, &new.roles, node)?;
    Ok(Tx::erased(&tx.create(node, new)?).into())
}

fn replace_membership(
    by: By<'_>,
    tx: &mut Tx<'_>,
    kind: &KindInfo,
    old: &AnyObject,
    spec: Json,
) -> Result<AnyObject, Error> {
    let (before, after) = (tx.get::<Membership>(old.id.of())?.spec, read::<Membership>(&spec)?);
    let gained: Vec<_> = after.roles.iter().copied().filter(|role| !before.roles.contains(role)).collect();
    may_give(by.app, tx, &by.caller.subject, &gained, old.tenant)?;
    Ok(tx.replace_any(kind, old.id, Some(old.version), spec)?)
}

/// A grant names fields that its kinds have: a misspelt one would give nothing and be looked for in vain.
pub(crate) fn check_fields(by: By<'_>, tx: &Tx<'_>, grants: &[Grant]) -> Result<(), Error> {
    for (i, grant) in grants.iter().enumerate() {
        for name in grant.fields.iter().flatten() {
            let mut kinds = tx.registry().kinds().filter(|kind| by.app.access().covers(grant, kind.kind.name()));
            if !kinds.any(|kind| shape::has_member(kind, name)) {
                return Err(Invalid::choice(format!("grants.{i}.fields"), name).into());
            }
        }
    }
    Ok(())
}

fn create_role(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: Role = read(&spec)?;
    let node = tenant.unwrap_or(by.caller.home().any());
    if new.builtin {
        return Err(Invalid::rule("builtin", "Built-in roles come with the installation.").into());
    }
    check_fields(by, tx, &new.grants)?;
    must_have(by.app, tx, &new.grants, node)?;
    Ok(Tx::erased(&tx.create(node, new)?).into())
}

fn built_in() -> Error {
    Error::conflict("builtin", "A built-in role cannot be changed; make one of your own.")
}

fn replace_role(by: By<'_>, tx: &mut Tx<'_>, kind: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    let (before, after) = (tx.get::<Role>(old.id.of())?.spec, read::<Role>(&spec)?);
    if before.builtin {
        return Err(built_in());
    }
    if after.builtin {
        return Err(Invalid::rule("builtin", "Built-in roles come with the installation.").into());
    }
    check_fields(by, tx, &after.grants)?;
    let gained: Vec<Grant> = after.grants.iter().filter(|grant| !before.grants.contains(grant)).cloned().collect();
    must_have(by.app, tx, &gained, old.tenant)?;
    Ok(tx.replace_any(kind, old.id, Some(old.version), spec)?)
}

fn remove_role(_: By<'_>, tx: &mut Tx<'_>, kind: &KindInfo, old: &AnyObject) -> Result<(), Error> {
    if tx.get::<Role>(old.id.of())?.spec.builtin {
        return Err(built_in());
    }
    Ok(tx.remove_any(kind, old.id)?)
}

/// A key as a caller wishes it. Its two texts are made here, and the secret one is shown once.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// Its name.
    name: String,
    /// A line for people.
    #[serde(default)]
    description: Option<String>,
    /// Whose key it is: a user, an organization or a project; the caller's own when absent.
    #[serde(default)]
    owner: Option<RawId>,
    /// Whether it may only look.
    #[serde(default)]
    read_only: bool,
    /// When it stops working.
    #[serde(default)]
    expires_at: Option<Time>,
    /// The networks it may be used from; empty is everywhere.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    allowed_ips: Vec<IpNet>,
    /// The only objects it reaches, with what belongs to them; empty is no such limit.
    #[serde(default)]
    objects: Vec<RawId>,
    /// The roles it is cut to; for a key of an organization or a project, the roles it has.
    #[serde(default)]
    roles: Vec<Id<Role>>,
}

fn create_key(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: NewKey = read(&spec)?;
    let giver = Giver::Caller(&by.caller.subject);
    let own = by.caller.subject.user.map(Id::any);
    let owner = new.owner.or(own).ok_or_else(|| Invalid::required("owner"))?;
    on(tenant, owner_node(tx, giver, owner)?, "owner's home")?;
    let wish = identity::NewKey {
        name: new.name,
        description: new.description,
        read_only: new.read_only,
        expires_at: new.expires_at,
        allowed_ips: new.allowed_ips,
        objects: new.objects,
        roles: new.roles,
        secret: None,
        readable: false,
    };
    let issued = identity::create_key(by.app, tx, giver, owner, &wish)?;
    Ok(Made { object: Tx::erased(&issued.key), secret: Some(issued.secret) })
}

fn replace_key(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    let mut key = tx.get::<Key>(old.id.of())?;
    if key.version != old.version {
        return Err(Error::Stale { version: key.version });
    }
    let spec = Tx::sent_for(&key, spec)?;
    identity::change_key(by.app, tx, Giver::Caller(&by.caller.subject), &mut key, spec)?;
    Ok(Tx::erased(&key))
}

fn create_ssh_key(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: SshKey = read(&spec)?;
    let node = owner_node(tx, Giver::Caller(&by.caller.subject), new.owner)?;
    let node = on(tenant, node, "owner's home")?;
    Ok(Tx::erased(&tx.create(node, new)?).into())
}

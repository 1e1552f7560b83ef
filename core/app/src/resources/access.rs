//! The rules of giving rights. Nobody gives what they do not have; who has every right on the roles of a node is its administrator
//! and gives any right there. A credential that was cut down cannot make a whole one.

use meetme_base::{Id, Invalid, IpNet, Kind, RawId, Time};
use meetme_model::access::{
    Form, Grant, Invitation, Key, Membership, Organization, Project, Role, Session, SshKey, User,
};
use meetme_store::{AnyObject, KindInfo, Resource as _, Tx};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{By, Create, Hooks, Made, Remove, Replace, changed, read};
use crate::{Error, identity, organizations, projects};

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
    (Project::KIND, Hooks { create: Create::By(create_project), remove: Remove::By(remove_project), ..Hooks::PLAIN }),
    (
        User::KIND,
        Hooks { create: Create::By(create_user), replace: Replace::By(replace_user), remove: Remove::By(remove_user) },
    ),
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
        Invitation::KIND,
        Hooks {
            create: Create::Refused("It is made by sending it."),
            replace: Replace::Refused("It changes by being sent again."),
            remove: Remove::Plain,
        },
    ),
];

/// The node that a row must hang on, which the caller may have said as well.
fn on(said: Option<RawId>, must: RawId, field: &str) -> Result<RawId, Error> {
    if said.is_some_and(|said| said != must) {
        return Err(Invalid::rule("tenant", format!("The row hangs on the {field}.")).into());
    }
    Ok(must)
}

/// Whether the caller has every right on the roles of a node: its administrator.
fn is_admin(tx: &mut Tx<'_>, node: RawId) -> Result<bool, Error> {
    Ok(tx.may(Role::KIND, "*", node)?)
}

/// The caller has what these grants give on a node, or is its administrator.
fn must_have(by: By<'_>, tx: &mut Tx<'_>, grants: &[Grant], node: RawId) -> Result<(), Error> {
    if is_admin(tx, node)? {
        return Ok(());
    }
    let kinds: Vec<Kind> = tx.registry().kinds().map(|kind| kind.kind).collect();
    for grant in grants {
        let verbs: Vec<&'static str> = if grant.verbs.iter().any(|verb| verb == "*") {
            vec!["*"]
        } else {
            Grant::VERBS.iter().copied().filter(|verb| grant.verbs.iter().any(|own| own == verb)).collect()
        };
        for kind in kinds.iter().filter(|kind| by.app.access().covers(grant, kind.name())) {
            for verb in &verbs {
                if !tx.may(*kind, verb, node)? {
                    return Err(Error::Denied(format!(
                        "You cannot give the right to {verb} {kind} objects: you do not have it."
                    )));
                }
            }
        }
    }
    Ok(())
}

fn may_give(by: By<'_>, tx: &mut Tx<'_>, roles: &[Id<Role>], node: RawId) -> Result<(), Error> {
    for id in roles {
        let role = tx.find(*id)?.ok_or_else(|| Invalid::reference("roles", format!("The role {id}")))?;
        must_have(by, tx, &role.spec.grants, node)?;
    }
    Ok(())
}

/// The credential is not cut down: what it makes could otherwise do more than it can.
fn must_be_whole(by: By<'_>, tx: &mut Tx<'_>) -> Result<(), Error> {
    let Some(key) = by.caller.subject.key else { return Ok(()) };
    let key = tx.as_system(|tx| tx.get(key))?;
    if key.spec.read_only || !key.spec.roles.is_empty() || !key.spec.objects.is_empty() {
        return Err(Error::Denied("A key with limits cannot do this.".to_owned()));
    }
    Ok(())
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

/// Rights over the whole installation or a whole organization are given by those who have them.
fn check_powers(by: By<'_>, tx: &mut Tx<'_>, before: Option<&User>, after: &User) -> Result<(), Error> {
    let gains = |is: fn(&User) -> bool| is(after) != before.is_some_and(is);
    if gains(|user| user.superuser) || gains(|user| user.staff) {
        must_be_whole(by, tx)?;
        if !by.caller.subject.superuser {
            return Err(Error::Denied("Only a superuser makes or unmakes superusers and staff.".to_owned()));
        }
    }
    Ok(())
}

fn create_user(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: User = read(&spec)?;
    let home = on(tenant, new.home.any(), "home")?;
    check_powers(by, tx, None, &new)?;
    Ok(Tx::erased(&tx.create(home, new)?).into())
}

fn replace_user(by: By<'_>, tx: &mut Tx<'_>, kind: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    let before = tx.get::<User>(old.id.of())?.spec;
    let told: Vec<String> = changed(&old.spec, &spec).map(str::to_owned).collect();
    let changes = |name: &str| told.iter().any(|told| told == name);
    if changes("home") {
        return Err(Invalid::rule("home", "A user cannot be moved to another organization.").into());
    }
    let own = by.caller.subject.user.map(Id::any) == Some(old.id);
    let admin = tx.may(User::KIND, "change", old.tenant)?;
    if !admin && (changes("active") || changes("username")) {
        return Err(Error::Denied("Only an administrator changes this of a user.".to_owned()));
    }
    if changes("password_hash") || changes("active") || changes("email") {
        must_be_whole(by, tx)?;
        if before.superuser && !own && !by.caller.subject.superuser {
            return Err(Error::Denied("Only a superuser changes this of another superuser.".to_owned()));
        }
    }
    let saved = tx.replace_any(kind, old.id, Some(old.version), spec)?;
    let after = tx.get::<User>(old.id.of())?.spec;
    check_powers(by, tx, Some(&before), &after)?;
    Ok(saved)
}

fn remove_user(by: By<'_>, tx: &mut Tx<'_>, kind: &KindInfo, old: &AnyObject) -> Result<(), Error> {
    if tx.get::<User>(old.id.of())?.spec.superuser && !by.caller.subject.superuser {
        return Err(Error::Denied("Only a superuser removes a superuser.".to_owned()));
    }
    Ok(tx.remove_any(kind, old.id)?)
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
    may_give(by, tx, &new.roles, node)?;
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
    may_give(by, tx, &gained, old.tenant)?;
    Ok(tx.replace_any(kind, old.id, Some(old.version), spec)?)
}

fn create_role(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: Role = read(&spec)?;
    let node = tenant.unwrap_or(by.caller.home().any());
    if new.builtin {
        return Err(Invalid::rule("builtin", "Built-in roles come with the installation.").into());
    }
    must_have(by, tx, &new.grants, node)?;
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
    let gained: Vec<Grant> = after.grants.iter().filter(|grant| !before.grants.contains(grant)).cloned().collect();
    must_have(by, tx, &gained, old.tenant)?;
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
    must_be_whole(by, tx)?;
    let own = by.caller.subject.user.map(Id::any);
    let owner = new.owner.or(own).ok_or_else(|| Invalid::required("owner"))?;
    let node = if Some(owner) == own {
        on(tenant, by.caller.home().any(), "owner's home")?
    } else {
        let node = on(tenant, owner_node(tx, owner)?, "owner's home")?;
        if !is_admin(tx, node)? {
            return Err(Error::Denied("Only an administrator makes keys of others.".to_owned()));
        }
        node
    };
    may_give(by, tx, &new.roles, node)?;
    let wish = identity::NewKey {
        name: new.name,
        read_only: new.read_only,
        expires_at: new.expires_at,
        allowed_ips: new.allowed_ips,
        objects: new.objects,
        roles: new.roles,
        secret: None,
        readable: false,
    };
    let issued = identity::create_key(by.app, tx, node, owner, &wish)?;
    let mut key = issued.key;
    if new.description.is_some() {
        let spec = Key { description: new.description, ..key.spec.clone() };
        tx.save(&mut key, spec)?;
    }
    Ok(Made { object: Tx::erased(&key), secret: Some(issued.secret) })
}

/// The node that an owner's things hang on: itself, or a user's home. A superuser's are made by superusers only.
fn owner_node(tx: &mut Tx<'_>, owner: RawId) -> Result<RawId, Error> {
    let unknown = || Error::from(Invalid::reference("owner", format!("The object {owner}")));
    match tx.kind_of(owner)? {
        Some(kind) if kind == User::KIND => {
            let user = tx.find::<User>(owner.of())?.ok_or_else(unknown)?;
            if user.spec.superuser {
                return Err(Error::Denied("A superuser's keys are the superuser's own affair.".to_owned()));
            }
            Ok(user.tenant)
        }
        Some(kind) if kind == Organization::KIND => {
            tx.find::<Organization>(owner.of())?.map(|o| o.tenant).ok_or_else(unknown)
        }
        Some(kind) if kind == Project::KIND => tx.find::<Project>(owner.of())?.map(|p| p.tenant).ok_or_else(unknown),
        _ => Err(unknown()),
    }
}

fn replace_key(by: By<'_>, tx: &mut Tx<'_>, kind: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    must_be_whole(by, tx)?;
    for name in changed(&old.spec, &spec) {
        if matches!(name, "public" | "hash" | "sealed" | "owner") {
            return Err(Invalid::rule(name, "This never changes; make another key.").into());
        }
    }
    let own = by.caller.subject.user.map(Id::any) == old.targets("owner").first().copied();
    if !own && !is_admin(tx, old.tenant)? {
        return Err(Error::Denied("Only an administrator changes keys of others.".to_owned()));
    }
    let roles: Vec<Id<Role>> = read(spec.get("roles").unwrap_or(&Json::Array(Vec::new())))?;
    may_give(by, tx, &roles, old.tenant)?;
    Ok(tx.replace_any(kind, old.id, Some(old.version), spec)?)
}

fn create_ssh_key(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: SshKey = read(&spec)?;
    let own = by.caller.subject.user.map(Id::any) == Some(new.owner);
    let node = if own { by.caller.home().any() } else { owner_node(tx, new.owner)? };
    let node = on(tenant, node, "owner's home")?;
    Ok(Tx::erased(&tx.create(node, new)?).into())
}

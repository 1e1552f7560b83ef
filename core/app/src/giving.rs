//! The rules of giving rights, whichever door they are given through. Nobody gives what they do not have; who has every right on the
//! roles of a node is its administrator and gives any right there. A credential that was cut down cannot make a whole one.
//!
//! Road not taken: asking each door to check. A door that forgets hands out the whole installation.

use meetme_base::{Id, Invalid, Kind, RawId};
use meetme_model::access::{Grant, Key, Membership, Organization, Project, Role, Team, User};
use meetme_store::{Filter, Object, Resource as _, Tx};

use crate::{App, Error, Subject};

/// On whose behalf a right is given.
#[derive(Clone, Copy, Debug)]
pub enum Giver<'a> {
    /// Meetme itself, which has every right: the command line and the beginning of an installation. Never a door.
    System,
    /// Somebody at a door.
    Caller(&'a Subject),
}

/// Whether the caller has every right on the roles of a node: its administrator.
pub(crate) fn is_admin(tx: &mut Tx<'_>, node: RawId) -> Result<bool, Error> {
    Ok(tx.may(Role::KIND, "*", node)?)
}

/// The caller has what these grants give on a node, or is its administrator.
pub(crate) fn must_have(app: &App, tx: &mut Tx<'_>, grants: &[Grant], node: RawId) -> Result<(), Error> {
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
        for kind in kinds.iter().filter(|kind| app.access().covers(grant, kind.name())) {
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

/// The caller may give these roles on a node: has what is in them, or the very roles.
pub(crate) fn may_give(
    app: &App,
    tx: &mut Tx<'_>,
    giver: &Subject,
    roles: &[Id<Role>],
    node: RawId,
) -> Result<(), Error> {
    for id in roles {
        let role = tx.find(*id)?.ok_or_else(|| Invalid::reference("roles", format!("The role {id}")))?;
        if !has_role(tx, giver, *id, Some(node))? {
            must_have(app, tx, &role.spec.grants, node)?;
        }
    }
    Ok(())
}

/// The roles that a user has, each list with the node it holds on: those of memberships, and those of the teams the user is in.
pub(crate) fn roles_of(tx: &mut Tx<'_>, user: Id<User>) -> Result<Vec<(RawId, Vec<Id<Role>>)>, Error> {
    tx.as_system(|tx| {
        let places = tx.all::<Membership>(Filter::eq("user", user))?;
        let teams = tx.all::<Team>(Filter::eq("members", user))?;
        let places = places.into_iter().map(|place| (place.spec.scope, place.spec.roles));
        let teams = teams.into_iter().map(|team| (team.tenant, team.spec.roles));
        Ok(places.chain(teams.filter(|(_, roles)| !roles.is_empty())).collect())
    })
}

/// Whether the giver has this very role on the node or above it, or anywhere when no node is named. A right to some rows only can be
/// passed on no other way: how two filters compare is not decided here. A credential that was cut down does not have what it was
/// made of.
fn has_role(tx: &mut Tx<'_>, giver: &Subject, role: Id<Role>, node: Option<RawId>) -> Result<bool, Error> {
    if is_cut(tx, giver)? {
        return Ok(false);
    }
    tx.as_system(|tx| {
        let mut places: Vec<RawId> = Vec::new();
        if let Some(user) = giver.user {
            let given = roles_of(tx, user)?;
            places.extend(given.iter().filter(|(_, roles)| roles.contains(&role)).map(|(node, _)| *node));
        } else if let Some(key) = giver.key {
            let key = tx.get(key)?.spec;
            places.extend(key.roles.contains(&role).then_some(key.owner));
        }
        let Some(node) = node else { return Ok(!places.is_empty()) };
        for place in places {
            if tx.is_below(node, place)? {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

/// The credential is not cut down: what it makes could otherwise do more than it can.
pub(crate) fn must_be_whole(tx: &mut Tx<'_>, giver: &Subject) -> Result<(), Error> {
    if is_cut(tx, giver)? {
        return Err(Error::Denied("A key with limits cannot do this.".to_owned()));
    }
    Ok(())
}

fn is_cut(tx: &mut Tx<'_>, giver: &Subject) -> Result<bool, Error> {
    let Some(key) = giver.key else { return Ok(giver.read_only) };
    let key = tx.as_system(|tx| tx.get(key))?.spec;
    // To the key of an organization or a project its roles are no limit: they are what it has.
    let roles_limit = giver.user.is_some() && !key.roles.is_empty();
    Ok(key.read_only || !key.objects.is_empty() || roles_limit)
}

/// The caller has whatever this user has anywhere. Who can act as somebody must not win anything by it.
pub(crate) fn may_act_as(app: &App, tx: &mut Tx<'_>, user: Id<User>) -> Result<(), Error> {
    let rights = tx.as_system(|tx| -> Result<_, Error> {
        let user = tx.get(user)?;
        let places = roles_of(tx, user.id)?;
        let roles = tx.many(places.iter().flat_map(|(_, roles)| roles.iter().copied()))?;
        let mut rights: Vec<(RawId, Vec<Grant>)> = Vec::new();
        if user.spec.superuser {
            rights.push((user.spec.home.any(), vec![Grant::everything()]));
        }
        for (node, ids) in places {
            let roles = ids.iter().filter_map(|id| roles.get(id));
            rights.push((node, roles.flat_map(|role| role.spec.grants.iter().cloned()).collect()));
        }
        Ok(rights)
    })?;
    for (node, grants) in rights {
        must_have(app, tx, &grants, node).map_err(|e| match e {
            Error::Denied(_) => Error::Denied("This user has rights that you do not have.".to_owned()),
            other => other,
        })?;
    }
    Ok(())
}

/// The node that an owner's things hang on: itself, or a user's home. A superuser's are made by that superuser only.
pub(crate) fn owner_node(tx: &mut Tx<'_>, giver: Giver<'_>, owner: RawId) -> Result<RawId, Error> {
    let unknown = || Error::from(Invalid::reference("owner", format!("The object {owner}")));
    if let Giver::Caller(subject) = giver
        && subject.user.map(Id::any) == Some(owner)
    {
        return Ok(subject.home.any());
    }
    match tx.kind_of(owner)? {
        Some(kind) if kind == User::KIND => {
            let user = tx.find::<User>(owner.of())?.ok_or_else(unknown)?;
            if matches!(giver, Giver::Caller(_)) {
                not_of_superuser(tx, user.id)?;
            }
            Ok(user.spec.home.any())
        }
        Some(kind) if kind == Organization::KIND => {
            tx.find::<Organization>(owner.of())?.map(|o| o.tenant).ok_or_else(unknown)
        }
        Some(kind) if kind == Project::KIND => tx.find::<Project>(owner.of())?.map(|p| p.tenant).ok_or_else(unknown),
        _ => Err(unknown()),
    }
}

/// The caller may make a key of `owner`, which hangs on `node`, with these roles.
pub(crate) fn may_make_key(
    app: &App,
    tx: &mut Tx<'_>,
    giver: &Subject,
    (owner, node): (RawId, RawId),
    roles: &[Id<Role>],
) -> Result<(), Error> {
    must_be_whole(tx, giver)?;
    if giver.user.map(Id::any) == Some(owner) {
        return may_cut_to(app, tx, giver, roles, node);
    }
    must_be_above(app, tx, (owner, node), "Only an administrator makes keys of others.")?;
    may_give(app, tx, giver, roles, node)
}

/// The caller, who is not the owner, is an administrator where the owner's keys hang and has whatever the owner has.
fn must_be_above(app: &App, tx: &mut Tx<'_>, (owner, node): (RawId, RawId), why: &str) -> Result<(), Error> {
    if !is_admin(tx, node)? {
        return Err(Error::Denied(why.to_owned()));
    }
    if tx.kind_of(owner)? == Some(User::KIND) {
        not_of_superuser(tx, owner.of())?;
        may_act_as(app, tx, owner.of())?;
    }
    Ok(())
}

fn not_of_superuser(tx: &mut Tx<'_>, owner: Id<User>) -> Result<(), Error> {
    if tx.as_system(|tx| tx.get(owner))?.spec.superuser {
        return Err(Error::Denied("A superuser's keys are the superuser's own affair.".to_owned()));
    }
    Ok(())
}

/// Whether the caller may read a key's secret: could as well make such a key.
pub(crate) fn may_read_key(app: &App, tx: &mut Tx<'_>, reader: &Subject, key: &Object<Key>) -> Result<bool, Error> {
    match may_make_key(app, tx, reader, (key.spec.owner, key.tenant), &[]) {
        Ok(()) => Ok(true),
        Err(Error::Denied(_)) => Ok(false),
        Err(e) => Err(e),
    }
}

/// The caller may cut a key of their own to these roles: those they have, wherever it is.
fn may_cut_to(app: &App, tx: &mut Tx<'_>, giver: &Subject, roles: &[Id<Role>], node: RawId) -> Result<(), Error> {
    for role in roles {
        if !has_role(tx, giver, *role, None)? {
            may_give(app, tx, giver, std::slice::from_ref(role), node)?;
        }
    }
    Ok(())
}

/// The caller may turn a key, which hangs on `node`, from `before` into `after`.
pub(crate) fn may_change_key(
    app: &App,
    tx: &mut Tx<'_>,
    giver: &Subject,
    node: RawId,
    (before, after): (&Key, &Key),
) -> Result<(), Error> {
    must_be_whole(tx, giver)?;
    let gained: Vec<_> = after.roles.iter().copied().filter(|role| !before.roles.contains(role)).collect();
    if giver.user.map(Id::any) == Some(before.owner) {
        return may_cut_to(app, tx, giver, &gained, node);
    }
    let why = "Only an administrator changes keys of others.";
    if is_wider(before, after) {
        must_be_above(app, tx, (before.owner, node), why)?;
    } else if !is_admin(tx, node)? {
        return Err(Error::Denied(why.to_owned()));
    } else if tx.kind_of(before.owner)? == Some(User::KIND) {
        not_of_superuser(tx, before.owner.of())?;
    }
    may_give(app, tx, giver, &gained, node)
}

/// Whether a key may be used for something, at some time or from somewhere where it could not be used before.
fn is_wider(before: &Key, after: &Key) -> bool {
    fn lets_in_more<T: PartialEq>(before: &[T], after: &[T]) -> bool {
        !before.is_empty() && (after.is_empty() || after.iter().any(|one| !before.contains(one)))
    }
    let longer = before.expires_at.is_some_and(|end| after.expires_at.is_none_or(|new| new > end));
    (before.read_only && !after.read_only)
        || (!before.enabled && after.enabled)
        || longer
        || lets_in_more(&before.allowed_ips, &after.allowed_ips)
        || lets_in_more(&before.objects, &after.objects)
        || lets_in_more(&before.roles, &after.roles)
}

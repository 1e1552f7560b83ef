//! Teams: sets of users, and what being in one gives. A role of a team is given to each of its members, so whoever adds a member gives
//! the team's roles, and whoever adds a role gives it to the members.

use meetme_base::{Id, RawId};
use meetme_model::access::{Grant, Role, Team};
use meetme_store::{Filter, Object, Tx};

use crate::{
    Error,
    giving::{may_give, must_have},
    peering::Ruled,
    resources::{By, access::check_fields},
};

/// Makes a team on a node.
///
/// # Errors
/// [`Error::Denied`] when the caller may not make one there, or does not have what its roles give.
pub fn create(by: By<'_>, tx: &mut Tx<'_>, node: RawId, new: Team) -> Result<Object<Team>, Error> {
    may_give(by.app, tx, &by.caller.subject, &new.roles, node)?;
    Ok(tx.create(node, new)?)
}

/// Changes a team into `spec`.
///
/// # Errors
/// As [`create`].
pub fn change(by: By<'_>, tx: &mut Tx<'_>, team: &mut Object<Team>, spec: Team) -> Result<(), Error> {
    let before = &team.spec;
    if *before == spec {
        return Ok(());
    }
    let joined = spec.members.iter().any(|user| !before.members.contains(user));
    let is_given = |role: &Id<Role>| joined || !before.roles.contains(role);
    let given: Vec<Id<Role>> = spec.roles.iter().copied().filter(is_given).collect();
    may_give(by.app, tx, &by.caller.subject, &given, team.tenant)?;
    Ok(tx.save(team, spec)?)
}

/// Removes a team, with the role that is its own.
///
/// # Errors
/// [`Error::Denied`] when the caller may not.
pub fn remove(tx: &mut Tx<'_>, team: Id<Team>) -> Result<(), Error> {
    let row = tx.get(team)?;
    tx.remove(team)?;
    if let Some(role) = own_role(tx, &row)? {
        tx.as_system(|tx| tx.remove(role.id))?;
    }
    Ok(())
}

/// The name of the role that belongs to a team and is given no other way.
fn own_name(team: &Object<Team>) -> String {
    format!("team.{}", team.uid)
}

fn own_role(tx: &mut Tx<'_>, team: &Object<Team>) -> Result<Option<Object<Role>>, Error> {
    let filter = Filter::eq("tenant", team.tenant).and(Filter::eq("name", own_name(team)));
    Ok(tx.as_system(|tx| tx.one::<Role>(&filter))?)
}

/// Everything that being in the team gives.
///
/// # Errors
/// When the database fails.
pub fn grants(tx: &mut Tx<'_>, team: &Object<Team>) -> Result<Vec<Grant>, Error> {
    let roles = tx.as_system(|tx| tx.many(team.spec.roles.iter().copied()))?;
    let roles = team.spec.roles.iter().filter_map(|id| roles.get(id));
    Ok(roles.flat_map(|role| role.spec.grants.iter().cloned()).collect())
}

/// Gives a team these rights and no others, as a role of its own; roles it shares with others are taken from it.
///
/// # Errors
/// [`Error::Denied`] when the caller may not change the team, or does not have one of the rights that are new.
pub fn set_grants(by: By<'_>, tx: &mut Tx<'_>, team: &mut Object<Team>, wanted: Vec<Grant>) -> Result<(), Error> {
    let before = grants(tx, team)?;
    let same = before.len() == wanted.len() && wanted.iter().all(|grant| before.contains(grant));
    if same {
        return Ok(());
    }
    crate::access::require(tx, <Team as meetme_store::Resource>::KIND, "change", team.tenant)?;
    check_fields(by, tx, &wanted)?;
    let gained: Vec<Grant> = wanted.iter().filter(|grant| !before.contains(grant)).cloned().collect();
    must_have(by.app, tx, &gained, team.tenant)?;
    let own = own_role(tx, team)?;
    tx.as_system(|tx| -> Result<(), Error> {
        let (mut spec, is_empty) = (team.spec.clone(), wanted.is_empty());
        spec.roles.clear();
        let role = match own {
            Some(mut role) => {
                let new = Role { grants: wanted, ..role.spec.clone() };
                tx.save(&mut role, new)?;
                Some(role.id)
            }
            None if is_empty => None,
            None => {
                let description = Some(format!("What the members of {} may do.", team.spec.name));
                let new = Role { name: own_name(team), description, grants: wanted, ..Role::default() };
                Some(tx.create(team.tenant, new)?.id)
            }
        };
        spec.roles.extend(role.filter(|_| !is_empty));
        Ok(tx.save(team, spec)?)
    })
}

impl Ruled for Team {
    fn create_by(
        by: By<'_>,
        tx: &mut Tx<'_>,
        tenant: RawId,
        spec: Self,
        _: Self::Status,
    ) -> Result<Object<Self>, Error> {
        create(by, tx, tenant, spec)
    }
    fn save_by(by: By<'_>, tx: &mut Tx<'_>, object: &mut Object<Self>, spec: Self) -> Result<(), Error> {
        change(by, tx, object, spec)
    }
    fn remove_by(_: By<'_>, tx: &mut Tx<'_>, id: Id<Self>) -> Result<(), Error> {
        remove(tx, id)
    }
}

//! Where a caller stands: the organizations it may act for, and the roles it has in each. Doors that tell a client at login what it
//! may do, and under which organizations, ask here; what is allowed in the end is decided by [`crate::access`] alone.

use meetme_base::{Id, Invalid, RawId};
use meetme_model::access::{Key, Membership, Organization, Role};
use meetme_store::{Filter, Object, Tx};

use crate::{Caller, Error, Subject};

/// An organization that a caller may act for.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The organization.
    pub organization: Object<Organization>,
    /// The roles the caller has in it.
    pub roles: Vec<Object<Role>>,
    /// Whether every right is given without a role: to a superuser at home, or to an organization's own key.
    pub everything: bool,
}

/// The organizations a subject has a place in, its home first.
///
/// # Errors
/// When the database fails.
pub fn of(tx: &mut Tx<'_>, subject: &Subject) -> Result<Vec<Standing>, Error> {
    tx.as_system(|tx| {
        let memberships = match subject.user {
            Some(user) => tx.all::<Membership>(Filter::eq("user", user))?,
            None => Vec::new(),
        };
        let roles = tx.many(memberships.iter().flat_map(|m| m.spec.roles.iter().copied()))?;
        let key_roles = match subject.key {
            Some(key) if subject.user.is_none() => {
                let key: Object<Key> = tx.get(key)?;
                tx.many(key.spec.roles.iter().copied())?.into_values().collect()
            }
            _ => Vec::new(),
        };
        let home = tx.get(subject.home)?;
        let is_whole_key = subject.user.is_none() && key_roles.is_empty() && subject.nodes.contains(&home.id.any());
        let mut out =
            vec![Standing { organization: home, roles: key_roles, everything: subject.superuser || is_whole_key }];
        for membership in memberships {
            let held = membership.spec.roles.iter().filter_map(|role| roles.get(role)).cloned();
            if let Some(known) = out.iter_mut().find(|s| s.organization.id.any() == membership.spec.scope) {
                known.roles.extend(held);
                continue;
            }
            // A place in a project alone is none in its organization.
            if let Some(organization) = tx.find::<Organization>(membership.spec.scope.of())? {
                out.push(Standing { organization, roles: held.collect(), everything: false });
            }
        }
        Ok(out)
    })
}

/// The organization a caller wants to act for, if it has a place in it or above it.
///
/// # Errors
/// [`Error::Denied`], also when there is no such organization: whether there is one is no stranger's business.
pub fn enter(tx: &mut Tx<'_>, caller: &Caller, wanted: RawId) -> Result<Object<Organization>, Error> {
    let nodes = caller.subject.nodes.clone();
    let found = tx.as_system(|tx| -> Result<_, Error> {
        let Some(organization) = tx.find::<Organization>(Id::new(wanted.get()))? else { return Ok(None) };
        let above = tx.above(wanted)?;
        Ok(above.iter().any(|node| nodes.contains(node)).then_some(organization))
    })?;
    found.ok_or_else(|| Error::Denied("You have no rights in this organization.".to_owned()))
}

/// As [`enter`], by UUID.
///
/// # Errors
/// As [`enter`].
pub fn enter_by_uid(tx: &mut Tx<'_>, caller: &Caller, wanted: &str) -> Result<Object<Organization>, Error> {
    let uid = wanted.parse().map_err(|_| Error::from(Invalid::format("organization", "a UUID")))?;
    match tx.id_of(uid)? {
        Some((_, id)) => enter(tx, caller, id),
        None => enter(tx, caller, RawId::new(-1)),
    }
}

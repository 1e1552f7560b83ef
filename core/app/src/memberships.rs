//! Who works where, and as what: changing somebody's roles, who belongs to an organization, and letting somebody go.

use meetme_base::{Id, RawId};
use meetme_model::access::{Membership, Organization, Project, Role, User};
use meetme_store::{Filter, Object, Tx};

use crate::{App, Error, Subject, giving::may_give};

/// Gives a membership these roles instead of those it has.
///
/// # Errors
/// [`Error::Denied`] when the caller may not change it, or gives more than they have.
pub fn change_roles(
    app: &App,
    tx: &mut Tx<'_>,
    by: &Subject,
    id: Id<Membership>,
    roles: &[Id<Role>],
) -> Result<Object<Membership>, Error> {
    let mut row = tx.get(id)?;
    let gained: Vec<_> = roles.iter().copied().filter(|role| !row.spec.roles.contains(role)).collect();
    let spec = Membership { roles: roles.to_vec(), ..row.spec.clone() };
    // The plain right first: whoever may not change it learns nothing of what it would take to give the roles.
    tx.may_change(&row, &spec)?;
    may_give(app, tx, by, &gained, row.tenant)?;
    tx.save(&mut row, spec)?;
    Ok(row)
}

/// A person with a place in an organization, or in projects of it.
#[derive(Clone, Debug)]
pub struct Member {
    /// Who.
    pub user: Id<User>,
    /// The places: the organization's own first, if there is one.
    pub places: Vec<Object<Membership>>,
}

/// The people of an organization and of its projects, as far as the caller sees them, by user.
///
/// # Errors
/// [`Error::Missing`] when the caller does not see the organization.
pub fn members(tx: &mut Tx<'_>, organization: Id<Organization>) -> Result<Vec<Member>, Error> {
    let node = tx.get(organization)?.id.any();
    let projects = tx.ids::<Project>(&Filter::eq("organization", organization))?;
    let nodes: Vec<RawId> = std::iter::once(node).chain(projects.into_iter().map(Id::any)).collect();
    let mut places = tx.all::<Membership>(Filter::is_in("scope", nodes))?;
    places.sort_by_key(|place| (place.spec.user, place.spec.scope != node, place.id));
    let mut out: Vec<Member> = Vec::new();
    for place in places {
        match out.last_mut().filter(|member| member.user == place.spec.user) {
            Some(member) => member.places.push(place),
            None => out.push(Member { user: place.spec.user, places: vec![place] }),
        }
    }
    Ok(out)
}

/// Takes a person's places in an organization and its projects away: all of them, or none.
///
/// # Errors
/// [`Error::Missing`] when the person has none that the caller sees, [`Error::Denied`].
pub fn dismiss(tx: &mut Tx<'_>, organization: Id<Organization>, user: Id<User>) -> Result<(), Error> {
    let member = members(tx, organization)?.into_iter().find(|member| member.user == user);
    let member = member.ok_or_else(|| Error::missing(<Membership as meetme_store::Resource>::KIND, user))?;
    for place in member.places {
        tx.remove(place.id)?;
    }
    Ok(())
}

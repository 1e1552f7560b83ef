//! Handing a project over to another organization. Its own side asks, the other side accepts, and then the project moves in the tree
//! with everything that hangs on it.
//!
//! What gave the former side a way in does not come along: memberships, invitations and keys of people who have no place in the new
//! organization end with the transfer. What would tie the two sides together afterwards is let go where it may be, as if its target
//! were removed; where it may not be, the transfer is refused with the name of what is in the way.

use meetme_base::{Id, Invalid, Kind, RawId, Uid};
use meetme_model::access::{Invitation, Key, Membership, Organization, Project, SshKey, Team, Transfer, User};
use meetme_store::{Filter, Object, OnDelete, Resource as _, Tie, Tx};

use crate::{Error, Subject, access, identity};

/// Asks another organization to take a project. Whoever knows its UUID may ask; its people decide.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`], [`Error::Exists`] when one is asked already.
pub fn ask(tx: &mut Tx<'_>, by: &Subject, project: Id<Project>, to: Uid) -> Result<Object<Transfer>, Error> {
    let project = tx.get(project)?;
    access::require(tx, Transfer::KIND, "create", project.id.any())?;
    // A credential for less than the whole project does not give all of it away.
    access::require(tx, Project::KIND, "remove", project.id.any())?;
    tx.as_system(|tx| {
        let unknown = || Invalid::reference("to", format!("The organization {to}"));
        let to = tx.by_uid::<Organization>(to).map_err(|_| unknown())?.id;
        if to == project.spec.organization {
            return Err(Invalid::rule("to", "The project belongs to this organization already.").into());
        }
        Ok(tx.create(project.id.any(), Transfer { project: project.id, to, by: by.user })?)
    })
}

/// The requests that an organization is part of, from its projects or to itself, as far as the caller's rights on it reach.
///
/// # Errors
/// [`Error::Missing`] when the caller does not see the organization, [`Error::Denied`] without the right to see requests there.
pub fn of_organization(tx: &mut Tx<'_>, organization: Id<Organization>) -> Result<Filter, Error> {
    let node = tx.get(organization)?.id;
    access::require(tx, Transfer::KIND, "see", node.any())?;
    Ok(Filter::eq("project.organization", node).or(Filter::eq("to", node)))
}

/// The request of this UUID, for either side.
///
/// # Errors
/// [`Error::Missing`] to everybody else.
pub fn find(tx: &mut Tx<'_>, uid: Uid) -> Result<Object<Transfer>, Error> {
    let missing = || Error::missing(Transfer::KIND, uid);
    let row = tx.as_system(|tx| tx.by_uid::<Transfer>(uid)).map_err(|_| missing())?;
    if tx.may(Transfer::KIND, "see", row.tenant)? || tx.may(Transfer::KIND, "see", row.spec.to.any())? {
        return Ok(row);
    }
    Err(missing())
}

/// Declines a request, or withdraws it.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Denied`] for whoever may neither answer for the new side nor take the request back.
pub fn decline(tx: &mut Tx<'_>, uid: Uid) -> Result<(), Error> {
    let row = find(tx, uid)?;
    if !tx.may(Transfer::KIND, "answer", row.spec.to.any())? && !tx.may(Transfer::KIND, "remove", row.tenant)? {
        return Err(Error::Denied("You may neither answer nor withdraw this request.".to_owned()));
    }
    Ok(tx.as_system(|tx| tx.remove(row.id))?)
}

/// Accepts a request: the project moves to the organization that was asked.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Denied`] for whoever does not answer for the new side; [`Error::Conflict`] `tied` when something of the
/// project depends on something that stays behind, or the other way round.
pub fn accept(tx: &mut Tx<'_>, by: &Subject, uid: Uid) -> Result<Object<Project>, Error> {
    let row = find(tx, uid)?;
    if !tx.may(Transfer::KIND, "answer", row.spec.to.any())? {
        return Err(Error::Denied("Only somebody who answers for the new organization can accept.".to_owned()));
    }
    tx.as_system(|tx| {
        let mut project = tx.get(row.spec.project)?;
        let target = tx.get(row.spec.to)?.id;
        tx.remove(row.id)?;
        leave(tx, project.id, target, row.spec.by)?;
        let spec = Project { organization: target, billing: None, ..project.spec.clone() };
        tx.save(&mut project, spec)?;
        tx.transplant(project.id.any(), target.any())?;
        untie(tx, project.id, target)?;
        if let Some(user) = by.user
            && !tx.exists::<Membership>(&Filter::eq("user", user).and(Filter::eq("scope", project.id)))?
        {
            identity::make_owner(tx, user, project.id.any())?;
        }
        Ok(project)
    })
}

/// Whether a person has a place in an organization, or above it.
fn belongs(tx: &mut Tx<'_>, user: Id<User>, target: Id<Organization>) -> Result<bool, Error> {
    let above = tx.above(target.any())?;
    let home = tx.get(user)?.spec.home;
    if above.contains(&home.any()) {
        return Ok(true);
    }
    let here = Filter::is_in("scope", above.iter().copied());
    if tx.exists::<Membership>(&Filter::eq("user", user).and(here))? {
        return Ok(true);
    }
    let here = Filter::is_in("tenant", above);
    Ok(tx.exists::<Team>(&Filter::eq("members", user).and(here))?)
}

/// Takes the former side's ways in away. Keys stay only where whoever gave the project away goes on in the new organization.
fn leave(
    tx: &mut Tx<'_>,
    project: Id<Project>,
    target: Id<Organization>,
    giver: Option<Id<User>>,
) -> Result<(), Error> {
    for place in tx.all::<Membership>(Filter::eq("scope", project))? {
        if !belongs(tx, place.spec.user, target)? {
            tx.remove(place.id)?;
        }
    }
    let stays = match giver {
        Some(user) => belongs(tx, user, target)?,
        None => false,
    };
    if stays {
        return Ok(());
    }
    for key in tx.ids::<Key>(&Filter::eq("owner", project))? {
        tx.remove(key)?;
    }
    for key in tx.ids::<SshKey>(&Filter::eq("owner", project))? {
        tx.remove(key)?;
    }
    let invitations = Filter::eq("tenant", project).or(Filter::eq("projects", project));
    for invitation in tx.ids::<Invitation>(&invitations)? {
        tx.remove(invitation)?;
    }
    Ok(())
}

/// What is about something and of no use without it: it is not in the way, and goes.
const ALONG: &[&str] = &["journal", "contact_assignment", "config_context_assignment", "invitation", "receipt"];

/// Lets go of what ties the project to rows that its new organization does not see, in either direction.
fn untie(tx: &mut Tx<'_>, project: Id<Project>, target: Id<Organization>) -> Result<(), Error> {
    let above = tx.above(target.any())?;
    for tie in tx.ties(project.any())? {
        // People wrote and asked for things; that they did stays true.
        let is_person = [User::KIND, Key::KIND].contains(&tie.outside.0) && tie.edge == "by";
        if above.contains(&tie.tenant) || (tie.outward && is_person) {
            continue;
        }
        let holder = if tie.outward { tie.inside } else { tie.outside };
        let held = if tie.outward { tie.outside } else { tie.inside };
        let edge = tx.registry().kind(holder.0.name()).and_then(|kind| kind.edge(&tie.edge));
        match edge.map(|edge| edge.on_delete) {
            Some(OnDelete::Detach) => tx.let_go(holder, &tie.edge, held.1)?,
            Some(OnDelete::Cascade) if !tie.outward && ALONG.contains(&holder.0.name()) => {
                let Some(kind) = tx.registry().kind(holder.0.name()) else { continue };
                match tx.remove_any(kind, holder.1) {
                    // It refers to the project twice.
                    Ok(()) | Err(meetme_store::Error::Missing { .. }) => {}
                    Err(e) => return Err(e.into()),
                }
            }
            _ if is_over(tx, holder)? => {}
            _ => return Err(in_the_way(tx, &tie, holder)?),
        }
    }
    Ok(())
}

/// Whether the row that refers is a tombstone.
fn is_over(tx: &mut Tx<'_>, (kind, id): (Kind, RawId)) -> Result<bool, Error> {
    let Some(info) = tx.registry().kind(kind.name()) else { return Ok(false) };
    let row = tx.get_any(info, id)?;
    Ok(row.value("phase") == Some(&meetme_store::Value::Text(meetme_model::Phase::Gone.word().to_owned())))
}

fn in_the_way(tx: &mut Tx<'_>, tie: &Tie, (kind, id): (Kind, RawId)) -> Result<Error, Error> {
    let word = |kind: Kind| kind.name().replace('_', " ");
    // What the new organization must not see is not named by its name.
    let name = match tx.registry().kind(kind.name()).filter(|_| tie.outward) {
        Some(info) => format!(" {}", tx.get_any(info, id)?.title),
        None => String::new(),
    };
    let other = word(if tie.outward { tie.outside.0 } else { tie.inside.0 });
    let text = format!("A {}{name} ties the project to its former organization, by a {other}.", word(kind));
    Ok(Error::conflict("tied", text))
}

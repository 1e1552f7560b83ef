//! Public keys of users and projects, and which of them a new machine is given.

use meetme_base::{Id, RawId};
use meetme_model::access::{Membership, Project, SshKey, User};
pub use meetme_model::metal::Keys;
use meetme_store::{Filter, Object, Resource as _, Tx};

use crate::Error;

/// Adds a key to a user or a project. The row hangs on the project, or on the user's home.
///
/// # Errors
/// [`Error::Missing`] when the caller does not see the owner, [`Error::Denied`], [`Error::Exists`] when the owner has it already.
pub fn add(tx: &mut Tx<'_>, owner: RawId, label: &str, key: &str) -> Result<Object<SshKey>, Error> {
    let tenant = match tx.kind_of(owner)? {
        Some(kind) if kind == User::KIND => tx.get::<User>(owner.of())?.spec.home.any(),
        _ => tx.get::<Project>(owner.of())?.id.any(),
    };
    let key = SshKey { label: label.to_owned(), key: key.trim().to_owned(), owner };
    Ok(tx.create(tenant, key)?)
}

/// Changes label or key by `edit`, which sees what it is now.
///
/// # Errors
/// As [`add`].
pub fn change(tx: &mut Tx<'_>, id: Id<SshKey>, edit: impl FnOnce(&mut SshKey)) -> Result<Object<SshKey>, Error> {
    let mut object = tx.get(id)?;
    let mut spec = object.spec.clone();
    edit(&mut spec);
    tx.save(&mut object, spec)?;
    Ok(object)
}

/// Removes a key. Machines keep what they were given.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`].
pub fn remove(tx: &mut Tx<'_>, id: Id<SshKey>) -> Result<(), Error> {
    Ok(tx.remove(id)?)
}

/// The keys for a machine in `project`, in the order they were made. Keys named one by one must be ones the caller sees; the
/// members' are looked up for the caller.
pub(crate) fn resolve(tx: &mut Tx<'_>, wish: &Keys, project: Id<Project>) -> Result<Vec<Id<SshKey>>, Error> {
    let owners: Vec<RawId> = match wish {
        Keys::These { keys, users } => {
            let mut out = Vec::new();
            for key in keys {
                out.push(tx.get(*key)?.id);
            }
            let users = tx.many(users.iter().copied())?;
            out.extend(tx.as_system(|tx| tx.ids::<SshKey>(&Filter::is_in("owner", users.into_keys())))?);
            out.sort_unstable();
            out.dedup();
            return Ok(out);
        }
        Keys::Usual => tx.as_system(|tx| {
            let members = tx.all::<Membership>(Filter::eq("scope", project))?;
            let owners = members.iter().map(|m| m.spec.user.any()).chain([project.any()]).collect();
            Ok::<_, Error>(owners)
        })?,
    };
    Ok(tx.as_system(|tx| tx.ids::<SshKey>(&Filter::is_in("owner", owners)))?)
}

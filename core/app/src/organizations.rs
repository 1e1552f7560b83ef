//! Organizations: who is below whom, what they are called, and when one may go.
//!
//! A new organization needs no rights of its own: whoever may create it has rights on the node above, and those hold below. The
//! person who makes it is still written down as its owner, so that a list of its members is not empty.

use meetme_base::{Id, Invalid, Kind, RawId};
use meetme_model::access::{Form, Organization, User};
use meetme_store::{Filter, Object, Query, Resource as _, Tx, Value};

use crate::{Error, access, identity, resources};

/// Makes an organization below `parent`. `founder` becomes its owner.
///
/// Below a partner or a reseller no two organizations have the same name.
///
/// # Errors
/// [`Error::Missing`] when the caller does not see the parent, [`Error::Denied`], [`Error::Exists`].
pub fn create(
    tx: &mut Tx<'_>,
    parent: Id<Organization>,
    founder: Option<Id<User>>,
    new: &Organization,
) -> Result<Object<Organization>, Error> {
    let above = tx.get(parent)?;
    unique_name(tx, &above, &new.name, None)?;
    let spec = Organization { parent: Some(parent), ..new.clone() };
    let made = tx.create(parent.any(), spec)?;
    if let Some(user) = founder {
        identity::make_owner(tx, user, made.id.any())?;
    }
    Ok(made)
}

/// The organizations directly below one, those the caller may see.
///
/// # Errors
/// When the database fails.
pub fn children(tx: &mut Tx<'_>, parent: Id<Organization>) -> Result<Vec<Object<Organization>>, Error> {
    Ok(tx.all(Filter::eq("parent", parent))?)
}

/// Which of these organizations have others below them, whether or not the caller may see those.
///
/// # Errors
/// When the database fails.
pub fn parents_among(tx: &mut Tx<'_>, of: &[Id<Organization>]) -> Result<Vec<Id<Organization>>, Error> {
    let below = tx.as_system(|tx| tx.all::<Organization>(Filter::is_in("parent", of.iter().copied())))?;
    let mut out: Vec<_> = below.into_iter().filter_map(|o| o.spec.parent).collect();
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// Changes an organization by `edit`, which sees what it is now. The tree stays as it is.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`], [`Error::Exists`] for a name taken.
pub fn change(
    tx: &mut Tx<'_>,
    id: Id<Organization>,
    edit: impl FnOnce(&mut Organization),
) -> Result<Object<Organization>, Error> {
    let mut object = tx.get(id)?;
    let mut spec = object.spec.clone();
    edit(&mut spec);
    if spec.name != object.spec.name
        && let Some(parent) = object.spec.parent
        && let Some(above) = tx.as_system(|tx| tx.find(parent))?
    {
        unique_name(tx, &above, &spec.name, Some(id))?;
    }
    tx.save(&mut object, spec)?;
    Ok(object)
}

/// Removes an organization in which nothing lives any more. Its members, keys, roles and tombstones go with it.
///
/// # Errors
/// [`Error::Conflict`] `has_children` while organizations or projects are below it, `not_empty` while anything lives in it.
pub fn remove(tx: &mut Tx<'_>, id: Id<Organization>) -> Result<(), Error> {
    let object = tx.get(id)?;
    access::require(tx, Organization::KIND, "remove", id.any())?;
    if object.spec.form == Form::Operator {
        return Err(Error::conflict("operator", "The operator's own organization stays."));
    }
    tx.as_system(|tx| {
        if tx.below(id.any())?.len() > 1 {
            return Err(Error::conflict(
                "has_children",
                format!("{} has organizations or projects below it.", object.spec.name),
            ));
        }
        clear(tx, id)
    })?;
    Ok(tx.remove(id)?)
}

/// Takes away what an empty organization leaves behind, and refuses when it is not empty.
fn clear(tx: &mut Tx<'_>, id: Id<Organization>) -> Result<(), Error> {
    resources::observed::forget(tx, id.any())?;
    let here = Filter::eq("tenant", id);
    let kinds: Vec<_> = tx.registry().kinds().filter(|k| !k.node).collect();
    let mut going: Vec<(Kind, RawId)> = Vec::new();
    for kind in kinds {
        for row in tx.list_any(kind, &Query::of(here.clone()))? {
            let is_tombstone = row.value("phase") == Some(&Value::Text("gone".to_owned()));
            if kind.area != "access" && !is_tombstone {
                let text = format!("{} {} is still there.", kind.kind.name().replace('_', " "), row.title);
                return Err(Error::conflict("not_empty", text));
            }
            going.push((kind.kind, row.id));
        }
    }
    for (kind, row) in going {
        let Some(kind) = tx.registry().kind(kind.name()) else { continue };
        match tx.remove_any(kind, row) {
            // It went with one before it.
            Ok(()) | Err(meetme_store::Error::Missing { .. }) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Ok(())
}

fn unique_name(
    tx: &mut Tx<'_>,
    above: &Object<Organization>,
    name: &str,
    except: Option<Id<Organization>>,
) -> Result<(), Error> {
    if !matches!(above.spec.form, Form::Partner | Form::Reseller) {
        return Ok(());
    }
    let same = Filter::eq("parent", above.id).and(Filter::eq("name", name));
    let taken = tx.as_system(|tx| tx.ids::<Organization>(&same))?;
    if taken.iter().all(|id| Some(*id) == except) {
        return Ok(());
    }
    Err(Error::Exists { kind: Organization::KIND, clash: Invalid::unique("name", format!("organization {name}")) })
}

//! Projects: where the machines of an organization hang, and what has to be gone before one may go.

use meetme_base::{Id, Invalid, RawId};
use meetme_model::{
    Ext, Phase,
    access::{Organization, Project},
    fabric::{Address, Block, Network},
    living,
    metal::Device,
    place::Billing,
};
use meetme_store::{Filter, Object, Query, Resource as _, Tx, Value};

use crate::{Error, Subject, access, billing, gateways, identity, resources};

/// What is wished of a new project.
#[derive(Clone, Debug, Default)]
pub struct NewProject {
    /// Its name.
    pub name: String,
    /// A line for people.
    pub description: Option<String>,
    /// The organization it is to belong to; the maker's own when absent.
    pub organization: Option<Id<Organization>>,
    /// Whether its machines may reach those of the organization's other such projects.
    pub backend_transfer: bool,
    /// How it is paid for, one of the organization's ways.
    pub billing: Option<Id<Billing>>,
    /// What only one dialect can mean.
    pub ext: Ext,
}

/// Makes a project. The person who makes it is written down as its owner.
///
/// # Errors
/// [`Error::Missing`] when the caller does not see the organization, [`Error::Denied`].
pub fn create(tx: &mut Tx<'_>, maker: &Subject, new: &NewProject) -> Result<Object<Project>, Error> {
    let organization = match new.organization {
        Some(id) => tx.get(id)?.id,
        None => usual_organization(tx, maker)?,
    };
    let spec = Project {
        name: new.name.clone(),
        description: new.description.clone(),
        organization,
        backend_transfer: new.backend_transfer,
        billing: new.billing,
        labels: Default::default(),
        ext: new.ext.clone(),
    };
    billing::check_project(tx, &spec)?;
    let made = tx.create(organization.any(), spec)?;
    if let Some(user) = maker.user {
        identity::make_owner(tx, user, made.id.any())?;
    }
    Ok(made)
}

/// The organization that is meant when a new project names none: the maker's own, or else the first other one of the maker's in
/// which projects may be made.
fn usual_organization(tx: &mut Tx<'_>, maker: &Subject) -> Result<Id<Organization>, Error> {
    for node in &maker.nodes {
        if tx.kind_of(*node)? == Some(Organization::KIND) && tx.may(Project::KIND, "create", *node)? {
            return Ok(node.of());
        }
    }
    Ok(maker.home)
}

/// Changes a project by `edit`, which sees what it is now. It stays in its organization.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`], [`Error::Invalid`] for another organization.
pub fn change(tx: &mut Tx<'_>, id: Id<Project>, edit: impl FnOnce(&mut Project)) -> Result<Object<Project>, Error> {
    let mut object = tx.get(id)?;
    let mut spec = object.spec.clone();
    edit(&mut spec);
    if spec.organization != object.spec.organization {
        return Err(Invalid::rule("organization", "A project moves to another organization by a transfer.").into());
    }
    if spec.billing != object.spec.billing {
        billing::check_project(tx, &spec)?;
    }
    tx.save(&mut object, spec)?;
    Ok(object)
}

/// Removes a project in which nothing lives any more. Its members, keys, settings, tombstones and the blocks its machines were
/// given addresses from go with it.
///
/// # Errors
/// [`Error::Conflict`] `has_devices` while machines are in it, `not_empty` while something else that was ordered is.
pub fn remove(tx: &mut Tx<'_>, id: Id<Project>) -> Result<(), Error> {
    let object = tx.get(id)?;
    access::require(tx, Project::KIND, "remove", id.any())?;
    tx.as_system(|tx| {
        let here = Filter::eq("tenant", id);
        if tx.exists::<Device>(&here.clone().and(living()))? {
            return Err(Error::conflict("has_devices", format!("{} still has devices.", object.spec.name)));
        }
        clear(tx, id.any())
    })?;
    Ok(tx.remove(id)?)
}

/// Takes away what a project without machines leaves behind.
fn clear(tx: &mut Tx<'_>, node: RawId) -> Result<(), Error> {
    resources::observed::forget(tx, node)?;
    let registry = tx.registry();
    // Kinds refer backwards in the registry's order, so what refers goes before what it refers to.
    let kinds: Vec<_> = registry.kinds().filter(|kind| !kind.node).collect();
    for kind in kinds.into_iter().rev() {
        let goes_along = [Block::KIND, Address::KIND].contains(&kind.kind);
        for row in tx.list_any(kind, &Query::of(Filter::eq("tenant", node)))? {
            // With all that was in it gone before, it is ours alone.
            let goes_along = goes_along || (kind.kind == Network::KIND && row.title == gateways::NETWORK);
            let lives = row.value("phase").is_some_and(|phase| *phase != Value::Text(Phase::Gone.word().to_owned()));
            if lives && !goes_along {
                let text = format!("{} {} is still there.", kind.kind.name().replace('_', " "), row.title);
                return Err(Error::conflict("not_empty", text));
            }
            match tx.remove_any(kind, row.id) {
                // It went with one before it.
                Ok(()) | Err(meetme_store::Error::Missing { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }
    Ok(())
}

//! Networks: routed domains. Circuits that end in one network reach each other and nothing else.
//!
//! A network is removed by one wish that takes its circuits along, those still being built included: only a circuit that is just
//! being changed makes the wish wait.

use meetme_base::{Asn, Id, Invalid, RawId, Uid};
use meetme_model::{
    Ext, Labels, LifeStatus, Lock, Phase, Wanted,
    fabric::{Circuit, Network},
    living,
};
use meetme_store::{Filter, Moved, Object, Resource as _, Tx};

use crate::{Error, access, allocate, circuits};

/// What is wished of a new network.
#[derive(Clone, Debug, Default)]
pub struct NewNetwork {
    /// Its name; no two networks of one owner share it, unless a router owns them.
    pub name: String,
    /// A line for people.
    pub description: Option<String>,
    /// The AS number we speak with in it; the operator's own when absent.
    pub asn: Option<Asn>,
    /// Labels.
    pub labels: Labels,
    /// What only one dialect can mean.
    pub ext: Ext,
}

/// Makes a network that hangs on `owner`, in phase `queued`.
///
/// # Errors
/// [`Error::Exists`] on `name`, [`Error::Denied`], [`Error::Exhausted`].
pub fn create(tx: &mut Tx<'_>, owner: RawId, new: &NewNetwork) -> Result<Object<Network>, Error> {
    let asn = match new.asn {
        Some(asn) => asn,
        None => allocate::our_asn(tx, owner)?,
    };
    let spec = Network {
        description: new.description.clone(),
        labels: new.labels.clone(),
        ext: new.ext.clone(),
        ..Network::new(new.name.as_str(), asn)
    };
    let status = LifeStatus { since: Some(tx.now()), ..LifeStatus::default() };
    let spec = clashing_name(tx, owner, spec)?;
    let mut made = tx.create_as(owner, Uid::random(), spec, status)?;
    let vni = allocate::vni(tx, made.id.any())?;
    let spec = Network { vni: Some(vni), ..made.spec.clone() };
    tx.as_system(|tx| tx.save(&mut made, spec))?;
    Ok(made)
}

/// The name is looked up before it is written, for a clash of unique columns would end the transaction on some databases.
fn clashing_name(tx: &mut Tx<'_>, owner: RawId, spec: Network) -> Result<Network, Error> {
    let same = Filter::eq("tenant", owner).and(Filter::eq("own_name", spec.name.as_str())).and(living());
    if tx.as_system(|tx| tx.exists::<Network>(&same))? {
        let clash = Invalid::unique("name", format!("A network with the name {}", spec.name));
        return Err(Error::Exists { kind: Network::KIND, clash });
    }
    Ok(spec)
}

/// The network with this id, if it is no tombstone.
///
/// # Errors
/// [`Error::Missing`].
pub fn get(tx: &mut Tx<'_>, id: Id<Network>) -> Result<Object<Network>, Error> {
    tx.one(&Filter::eq("id", id).and(living()))?.ok_or_else(|| Error::missing(Network::KIND, id))
}

/// The living networks of an organization and its projects, in the order they were made. Those that routers own are left out.
///
/// # Errors
/// When the database fails.
pub fn of_owner(tx: &mut Tx<'_>, organization: RawId) -> Result<Vec<Object<Network>>, Error> {
    let nodes = allocate::nodes_of(tx, organization)?;
    Ok(tx.all(Filter::is_in("tenant", nodes).and(living()))?)
}

/// Changes name, description, labels or the dialects' own data by `edit`. Naming and describing do not touch equipment, so the phase
/// stays.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`], [`Error::Exists`] on `name`; [`Error::Conflict`] `removing`.
pub fn change(tx: &mut Tx<'_>, id: Id<Network>, edit: impl FnOnce(&mut NewNetwork)) -> Result<Object<Network>, Error> {
    let mut object = get(tx, id)?;
    if object.spec.life.wanted == Wanted::Gone {
        return Err(Error::conflict("removing", format!("{} is being removed.", object.spec.name)));
    }
    let old = object.spec.clone();
    let mut wish = NewNetwork {
        name: old.name.clone(),
        description: old.description.clone(),
        asn: Some(old.asn),
        labels: old.labels.clone(),
        ext: old.ext.clone(),
    };
    edit(&mut wish);
    let mut spec = Network {
        name: wish.name,
        description: wish.description,
        asn: wish.asn.unwrap_or(old.asn),
        labels: wish.labels,
        ext: wish.ext,
        ..old
    };
    if spec.name != object.spec.name {
        spec = clashing_name(tx, object.tenant, spec)?;
    }
    tx.save(&mut object, spec)?;
    Ok(object)
}

/// Wishes a network and all circuits in it gone. They turn `removing` now and `gone` when the equipment has let go of them.
///
/// # Errors
/// [`Error::Conflict`]: `removing` when that was wished before, `locked`, or `changing` while one of its circuits is being changed.
pub fn remove(tx: &mut Tx<'_>, id: Id<Network>) -> Result<Object<Network>, Error> {
    let mut object = get(tx, id)?;
    access::require(tx, Network::KIND, "remove", object.tenant)?;
    let name = object.spec.name.clone();
    if object.spec.life.wanted == Wanted::Gone {
        return Err(Error::conflict("removing", format!("{name} is being removed already.")));
    }
    if object.spec.life.lock != Lock::None {
        return Err(Error::conflict("locked", format!("{name} is locked.")));
    }
    tx.as_system(|tx| {
        let inside = tx.all::<Circuit>(Filter::eq("network", id).and(living()))?;
        for circuit in inside {
            circuits::take_along(tx, circuit)?;
        }
        let mut spec = object.spec.clone();
        spec.life.wanted = Wanted::Gone;
        tx.save(&mut object, spec)?;
        let status = object.status.moved(Phase::Removing, None, tx.now());
        let text = format!("{name} is being removed.");
        tx.observe(&mut object, status, Some(Moved::new("phase.removing", text)))?;
        Ok(object)
    })
}

/// Turns a removed network into a tombstone once nothing of it is left in equipment: frees its number. For controllers.
///
/// # Errors
/// [`Error::Conflict`] `not_empty` while one of its circuits is not gone yet.
pub fn bury(tx: &mut Tx<'_>, id: Id<Network>) -> Result<(), Error> {
    let mut object = tx.get(id)?;
    if tx.exists::<Circuit>(&Filter::eq("network", id).and(living()))? {
        return Err(Error::conflict("not_empty", "Circuits of this network are not gone yet."));
    }
    tx.release_all(id.any())?;
    let mut spec = object.spec.clone();
    spec.life.wanted = Wanted::Gone;
    spec.vni = None;
    tx.save(&mut object, spec)?;
    let status = object.status.moved(Phase::Gone, None, tx.now());
    let text = format!("{} is gone.", object.spec.name);
    Ok(tx.observe(&mut object, status, Some(Moved::new("phase.gone", text)))?)
}

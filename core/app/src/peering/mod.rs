//! Peering: what holds for autonomous systems, exchanges, routers and sessions, whichever door writes them.
//!
//! A kind says in [`Ruled`] what follows from other rows before it is written, and what follows for other rows afterwards.
//! Doors write through [`create`], [`save`] and [`remove`] here, so that no door can forget either.

mod access;
mod encrypt;
mod equipment;
pub mod import;
pub mod inventory;
pub mod meeting;
mod mirrored;
mod plain;
pub mod portal;
mod session;
mod subject;

pub use encrypt::{encrypt_direct, encrypt_exchange};
use meetme_base::{Id, RawId, Uid};
use meetme_model::routing::{AutonomousSystem, DirectSession, ExchangeSession};
use meetme_store::{Filter, Moved, Object, Query, Resource, Tx};

use crate::{Error, access as rights, resources::By};

/// A kind with rules that reach beyond its own row.
pub trait Ruled: Resource {
    /// Fills in what other rows decide, and refuses what they forbid. Runs before the row is written.
    ///
    /// # Errors
    /// The first value that does not fit the other rows.
    fn settle(&mut self, _tx: &mut Tx<'_>, _tenant: RawId, _before: Option<&Self>) -> Result<(), Error> {
        Ok(())
    }
    /// Brings other rows in line with a row that was changed.
    ///
    /// # Errors
    /// When another row cannot follow.
    fn follow(_tx: &mut Tx<'_>, _now: &Object<Self>, _before: &Self) -> Result<(), Error> {
        Ok(())
    }
    /// Takes away what existed only for a row that is gone.
    ///
    /// # Errors
    /// When something else needs it.
    fn leave(_tx: &mut Tx<'_>, _gone: &Self) -> Result<(), Error> {
        Ok(())
    }
    /// The line of the change log for a state that became another one, for kinds whose states people wait for.
    fn step(_row: &Object<Self>, _after: &Self::Status) -> Option<Moved> {
        None
    }
    /// Makes a row for somebody. Kinds whose rules depend on who asks have their own.
    ///
    /// # Errors
    /// As [`create`].
    fn create_by(
        _: By<'_>,
        tx: &mut Tx<'_>,
        tenant: RawId,
        spec: Self,
        status: Self::Status,
    ) -> Result<Object<Self>, Error> {
        create(tx, tenant, spec, status)
    }
    /// Replaces the spec of a row for somebody.
    ///
    /// # Errors
    /// As [`save`].
    fn save_by(_: By<'_>, tx: &mut Tx<'_>, object: &mut Object<Self>, spec: Self) -> Result<(), Error> {
        save(tx, object, spec)
    }
    /// Removes a row for somebody.
    ///
    /// # Errors
    /// As [`remove`].
    fn remove_by(_: By<'_>, tx: &mut Tx<'_>, id: Id<Self>) -> Result<(), Error> {
        remove(tx, id)
    }
}

/// Makes a row on `tenant`, with what is already known of its state.
///
/// # Errors
/// When the caller may not, or a rule or a reference refuses.
pub fn create<R: Ruled>(tx: &mut Tx<'_>, tenant: RawId, mut spec: R, status: R::Status) -> Result<Object<R>, Error> {
    spec.settle(tx, tenant, None)?;
    Ok(tx.create_as(tenant, Uid::random(), spec, status)?)
}

/// Replaces the spec of a row.
///
/// # Errors
/// As [`create`]; [`Error::Stale`] when somebody else was faster.
pub fn save<R: Ruled>(tx: &mut Tx<'_>, object: &mut Object<R>, mut spec: R) -> Result<(), Error> {
    spec.settle(tx, object.tenant, Some(&object.spec))?;
    let before = object.spec.clone();
    if before == spec {
        return Ok(());
    }
    tx.save(object, spec)?;
    R::follow(tx, object, &before)
}

/// Notes what a person says of a row's state: an observation like any other, but only for who may change the row.
///
/// # Errors
/// [`Error::Denied`] without that right.
pub fn observe<R: Ruled>(tx: &mut Tx<'_>, object: &mut Object<R>, status: R::Status) -> Result<(), Error> {
    if status == object.status {
        return Ok(());
    }
    rights::require(tx, R::KIND, "change", object.tenant)?;
    let step = R::step(object, &status);
    Ok(tx.as_system(|tx| tx.observe(object, status, step))?)
}

/// Removes a row with what cascades from it.
///
/// # Errors
/// [`Error::Referenced`] when another row needs it.
pub fn remove<R: Ruled>(tx: &mut Tx<'_>, id: Id<R>) -> Result<(), Error> {
    let gone = tx.get(id)?.spec;
    tx.remove(id)?;
    R::leave(tx, &gone)
}

impl Ruled for AutonomousSystem {
    /// Sessions carry the number of their peer's AS.
    fn follow(tx: &mut Tx<'_>, now: &Object<Self>, before: &Self) -> Result<(), Error> {
        if now.spec.asn == before.asn {
            return Ok(());
        }
        tx.as_system(|tx| {
            let remote = || Query::of(Filter::eq("remote", now.id));
            for mut row in tx.list::<ExchangeSession>(&remote())? {
                let mut spec = row.spec.clone();
                spec.peer.asn = now.spec.asn;
                tx.save(&mut row, spec)?;
            }
            for mut row in tx.list::<DirectSession>(&remote())? {
                let mut spec = row.spec.clone();
                spec.peer.asn = now.spec.asn;
                tx.save(&mut row, spec)?;
            }
            Ok(())
        })
    }
}

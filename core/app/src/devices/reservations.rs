//! Servers that a project has for itself. The operator reserves them, which claims the server for good; the project orders machines on
//! them, moves them to another of its organization's projects, and makes spare ones active.
//!
//! Whether something can be put on a reserved server follows from what is stored and is stored nowhere: a machine borrows the
//! reservation until the server is wiped, which is a claim of its own.

use std::collections::HashSet;

use meetme_base::{Id, Invalid, RawId, Time};
use meetme_model::{
    Ext, Term,
    access::{Form, Organization, Project},
    living,
    metal::{Device, Health, Reservation, Reserved, Server},
    place::Money,
};
use meetme_store::{Filter, Object, Resource as _, Tx};

use super::{order::Order, place};
use crate::{Error, access};

/// What the operator settles with a customer about a server.
#[derive(Clone, Debug)]
pub struct NewReservation {
    /// The server.
    pub server: Id<Server>,
    /// Whether it is kept to replace another.
    pub spare: bool,
    /// A line for people.
    pub description: Option<String>,
    /// How often it is paid for.
    pub term: Term,
    /// For how many terms.
    pub intervals: Option<u16>,
    /// What a term costs.
    pub rate: Option<Money>,
    /// When it is to be given back.
    pub remove_at: Option<Time>,
    /// What only one dialect can mean.
    pub ext: Ext,
}

/// How a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Something can be put on its server.
    Free,
    /// A machine is on its server, or what was on it is not wiped yet.
    Borrowed,
    /// It is kept to replace another.
    Spare,
    /// Its server needs to be looked after.
    Broken,
    /// Its time is over.
    Over,
}

/// Who reserves, and gives back, is the operator.
fn require_operator(tx: &mut Tx<'_>, verb: &'static str) -> Result<(), Error> {
    let operator = tx.as_system(|tx| tx.one::<Organization>(&Filter::eq("form", Form::Operator.word())))?;
    let operator = operator.ok_or_else(|| Error::Bug("there is no operator".to_owned()))?;
    access::require(tx, Server::KIND, verb, operator.id.any())
}

/// Reserves a server for a project.
///
/// # Errors
/// [`Error::Denied`] for anybody but the operator; [`Error::Conflict`] `in_use` when somebody has the server; [`Error::Missing`].
pub fn reserve(tx: &mut Tx<'_>, project: Id<Project>, new: &NewReservation) -> Result<Object<Reservation>, Error> {
    let project = tx.get(project)?;
    require_operator(tx, "create")?;
    let server = tx.get(new.server)?;
    let spec = Reservation {
        server: server.id,
        plan: server.spec.plan,
        site: server.spec.site,
        spare: new.spare,
        description: new.description.clone(),
        term: new.term,
        intervals: new.intervals,
        rate: new.rate.clone(),
        started_at: Some(tx.now()),
        remove_at: new.remove_at,
        ext: new.ext.clone(),
    };
    tx.as_system(|tx| {
        let made = tx.create(project.id.any(), spec)?;
        let pool = place::pool(server.spec.site, server.spec.plan);
        match tx.claim_exact(&pool, server.id.get(), 1, made.id.any()) {
            Ok(()) => Ok(made),
            Err(meetme_store::Error::Exhausted { .. }) => {
                Err(Error::conflict("in_use", format!("Somebody has the server {} already.", server.spec.serial)))
            }
            Err(e) => Err(e.into()),
        }
    })
}

/// Changes what was settled about a reservation.
///
/// # Errors
/// [`Error::Denied`] for anybody but the operator; what a reservation refuses by itself.
pub fn change(
    tx: &mut Tx<'_>,
    id: Id<Reservation>,
    edit: impl FnOnce(&mut Reservation),
) -> Result<Object<Reservation>, Error> {
    let mut row = tx.get(id)?;
    require_operator(tx, "change")?;
    let mut spec = row.spec.clone();
    edit(&mut spec);
    tx.as_system(|tx| tx.save(&mut row, spec))?;
    Ok(row)
}

/// Ends a reservation; its server is free for everybody.
///
/// # Errors
/// [`Error::Conflict`] `in_use` while a machine is on it; [`Error::Denied`] for anybody but the operator.
pub fn give_back(tx: &mut Tx<'_>, id: Id<Reservation>) -> Result<(), Error> {
    let row = tx.get(id)?;
    require_operator(tx, "remove")?;
    must_be_unused(tx, &row)?;
    tx.as_system(|tx| tx.remove(row.id))?;
    Ok(())
}

/// Gives a reservation back whose time is over, as the operator would. For the controller. True when it is given back: as long as a
/// machine is on it, or its server is not wiped after one, it stays.
///
/// # Errors
/// When the store fails.
pub fn expire(tx: &mut Tx<'_>, row: &Object<Reservation>) -> Result<bool, Error> {
    if row.spec.remove_at.is_none_or(|end| end > tx.now()) {
        return Ok(false);
    }
    match give_back(tx, row.id) {
        Ok(()) => Ok(true),
        Err(Error::Conflict { .. }) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Moves a reservation to another project of the same organization.
///
/// # Errors
/// [`Error::Conflict`] `in_use` while a machine is on it; [`Error::Invalid`] when the project is another organization's;
/// [`Error::Missing`], [`Error::Denied`].
pub fn move_to(tx: &mut Tx<'_>, id: Id<Reservation>, project: Id<Project>) -> Result<Object<Reservation>, Error> {
    let mut row = tx.get(id)?;
    let (from, to) = (tx.get::<Project>(row.tenant.of())?, tx.get(project)?);
    for node in [from.id, to.id] {
        access::require(tx, Device::KIND, "create", node.any())?;
    }
    if from.spec.organization != to.spec.organization {
        return Err(Invalid::rule("project_id", "That project belongs to another organization.").into());
    }
    must_be_unused(tx, &row)?;
    tx.as_system(|tx| tx.rehang(&mut row, to.id.any()))?;
    Ok(row)
}

/// Makes a spare server one that things can be put on.
///
/// # Errors
/// [`Error::Conflict`] `active` when it is one; [`Error::Missing`], [`Error::Denied`].
pub fn activate(
    tx: &mut Tx<'_>,
    id: Id<Reservation>,
    description: Option<String>,
) -> Result<Object<Reservation>, Error> {
    let mut row = tx.get(id)?;
    access::require(tx, Device::KIND, "create", row.tenant)?;
    if !row.spec.spare {
        return Err(Error::conflict("active", "The hardware reservation is active already."));
    }
    let description = description.or_else(|| row.spec.description.clone());
    let spec = Reservation { spare: false, description, ..row.spec.clone() };
    tx.as_system(|tx| tx.save(&mut row, spec))?;
    Ok(row)
}

/// How each of these reservations stands, in their order.
///
/// # Errors
/// When the store fails.
pub fn standings(tx: &mut Tx<'_>, rows: &[Object<Reservation>]) -> Result<Vec<Standing>, Error> {
    let now = tx.now();
    tx.as_system(|tx| {
        let held = tx.held_in(rows.iter().map(|row| pool(row.id)).collect())?;
        let borrowed: HashSet<&String> = held.keys().collect();
        let servers = tx.many(rows.iter().map(|row| row.spec.server))?;
        let of = |row: &Object<Reservation>| {
            let server = servers.get(&row.spec.server);
            let is_sound = server.is_some_and(|s| s.spec.in_service && s.status.health != Some(Health::Critical));
            if borrowed.contains(&pool(row.id)) {
                Standing::Borrowed
            } else if !is_sound {
                Standing::Broken
            } else if row.spec.remove_at.is_some_and(|end| end <= now) {
                Standing::Over
            } else if row.spec.spare {
                Standing::Spare
            } else {
                Standing::Free
            }
        };
        Ok(rows.iter().map(of).collect())
    })
}

/// The claims' name for the machine on a reserved server: there is one at a time.
fn pool(reservation: Id<Reservation>) -> String {
    format!("reservation.{reservation}")
}

fn must_be_unused(tx: &mut Tx<'_>, row: &Object<Reservation>) -> Result<(), Error> {
    let living = Filter::eq("reservation", row.id).and(living());
    let is_used = tx.as_system(|tx| -> Result<bool, Error> {
        // The claim's lock keeps an order that is under way from slipping in behind this look.
        let is_held = match tx.claim_exact(&pool(row.id), 0, 1, row.id.any()) {
            Ok(()) => {
                tx.release(&pool(row.id), 0)?;
                false
            }
            Err(meetme_store::Error::Exhausted { .. }) => true,
            Err(e) => return Err(e.into()),
        };
        Ok(is_held || tx.exists::<Device>(&living)?)
    })?;
    if is_used {
        return Err(Error::conflict("in_use", "A device is on the reserved hardware, or it is not wiped yet."));
    }
    Ok(())
}

/// Takes the reservation an order means, in the name of its project.
///
/// # Errors
/// [`Error::Exhausted`] when none is free, [`Error::Conflict`] when the one that is meant is not, [`Error::Invalid`] when it does not
/// fit the order.
pub(crate) fn pick(tx: &mut Tx<'_>, order: &Order<'_>) -> Result<Object<Reservation>, Error> {
    let field = "hardware_reservation_id";
    let (project, plan) = (order.project.id.any(), &order.plan);
    let sites = if order.wish.places.is_empty() { None } else { Some(order.sites(tx)?) };
    let fits = |row: &Object<Reservation>| sites.as_ref().is_none_or(|sites| sites.contains(&row.spec.site));
    match order.wish.reserved {
        Some(Reserved::This(id)) => {
            let row = tx.find(id)?.filter(|row| row.tenant == project);
            let row = row.ok_or_else(|| Invalid::reference(field, "The hardware reservation"))?;
            if row.spec.plan != plan.id {
                let text = format!("The reserved hardware is not of the plan {}.", plan.spec.slug);
                return Err(Invalid::rule(field, text).into());
            }
            if !fits(&row) {
                return Err(Invalid::rule(field, "The reserved hardware does not stand there.").into());
            }
            let standing = standings(tx, std::slice::from_ref(&row))?.pop();
            if standing != Some(Standing::Free) || !take(tx, &row, project)? {
                let text = "The hardware reservation cannot be provisioned now.";
                return Err(Error::conflict("in_use", text));
            }
            Ok(row)
        }
        _ => {
            let filter = Filter::eq("tenant", project).and(Filter::eq("plan", plan.id));
            let mut rows: Vec<_> = tx.all::<Reservation>(filter)?.into_iter().filter(fits).collect();
            let rank = |row: &Object<Reservation>| {
                sites.as_ref().and_then(|sites| sites.iter().position(|site| *site == row.spec.site))
            };
            rows.sort_by_key(|row| (rank(row), row.id));
            let standings = standings(tx, &rows)?;
            for (row, standing) in rows.into_iter().zip(standings) {
                if standing == Standing::Free && take(tx, &row, project)? {
                    return Ok(row);
                }
            }
            Err(Error::Exhausted { pool: format!("the hardware reservations of plan {}", plan.spec.slug) })
        }
    }
}

/// False when somebody was faster.
fn take(tx: &mut Tx<'_>, row: &Object<Reservation>, project: RawId) -> Result<bool, Error> {
    match tx.as_system(|tx| tx.claim_exact(&pool(row.id), 0, 1, project)) {
        Ok(()) => Ok(true),
        Err(meetme_store::Error::Exhausted { .. }) => Ok(false),
        Err(e) => Err(e.into()),
    }
}

/// Lends a reservation that was picked to a machine, until the machine is buried and what it held is released.
pub(crate) fn borrow(tx: &mut Tx<'_>, row: &Object<Reservation>, device: RawId) -> Result<(), Error> {
    Ok(tx.hand_over(&pool(row.id), 0, row.tenant, device)?)
}

/// The machines that are on these reserved servers, those that are being taken down included.
///
/// # Errors
/// When the store fails.
pub fn devices_on(tx: &mut Tx<'_>, rows: &[Object<Reservation>]) -> Result<Vec<(RawId, RawId)>, Error> {
    let filter = Filter::is_in("reservation", rows.iter().map(|row| row.id)).and(living());
    let devices = tx.all::<Device>(filter)?;
    let on = |d: &Object<Device>| Some((d.spec.reservation?.any(), d.id.any()));
    Ok(devices.iter().filter_map(on).collect())
}

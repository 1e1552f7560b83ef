//! The copy of the public peering database: keeping what was fetched, counting it, throwing it away, and what follows for the
//! books of everybody from what it says.
//!
//! Rule: everything here works on sets. A type is kept by a few statements however many rows it has, and linking asks once for
//! all connections, exchanges and systems of the installation. Road not taken: a check for each row against the database, which
//! at 60,000 ports costs more than all the rest.

mod keep;
mod link;
mod read;

use std::{collections::HashMap, io, time::Duration};

use meetme_base::{Id, Kind, RawId, Time};
use meetme_model::{
    access::{Form, Organization},
    mirror::{
        Mirrored, PdbCampus, PdbCarrier, PdbCarrierFacility, PdbContact, PdbExchange, PdbExchangeFacility, PdbFacility,
        PdbLan, PdbNetwork, PdbNetworkFacility, PdbOrg, PdbPort, PdbPrefix, PdbSync,
    },
    ops::{Job, JobState},
    routing::{Exchange, ExchangeLink},
};
use meetme_store::{Filter, Object, Order, Query, Resource as _, Tx};

pub use keep::{Batch, Kept};
pub(crate) use link::introduced;
pub use link::{Linked, link, link_exchange, synchronise};

use crate::{
    Caller, Error, access,
    jobs::{self, Ask},
};

/// The work of fetching what changed.
pub const SYNCHRONISE: &str = "peeringdb.synchronise";

/// Reads an answer of the database; the error says in words why it cannot be read.
pub type Read = fn(&mut dyn io::Read) -> Result<Box<dyn Batch>, String>;

/// Finds our rows of these numbers.
type Known = fn(&mut Tx<'_>, Vec<i64>) -> Result<HashMap<i64, RawId>, Error>;

/// A type of the database: what is done with its rows, whatever they are.
pub struct Type {
    /// What the database calls it in its addresses.
    pub name: &'static str,
    /// Our kind of it.
    pub kind: Kind,
    /// Reads an answer of the database.
    pub read: Read,
    /// When the row changed that changed last, as the database says.
    pub newest: fn(&mut Tx<'_>) -> Result<Option<Time>, Error>,
    /// Our rows of these numbers.
    known: Known,
    count: fn(&mut Tx<'_>) -> Result<u64, Error>,
    clear: fn(&mut Tx<'_>) -> Result<u64, Error>,
}

/// Every type, in the order in which they are fetched: what is referred to before what refers to it.
pub static TYPES: &[Type] = &[
    of::<PdbOrg>(),
    of::<PdbCampus>(),
    of::<PdbFacility>(),
    of::<PdbCarrier>(),
    of::<PdbCarrierFacility>(),
    of::<PdbNetwork>(),
    of::<PdbExchange>(),
    of::<PdbExchangeFacility>(),
    of::<PdbLan>(),
    of::<PdbPrefix>(),
    of::<PdbNetworkFacility>(),
    of::<PdbPort>(),
    of::<PdbContact>(),
];

const fn of<R: Mirrored>() -> Type {
    Type {
        name: R::TYPE,
        kind: R::KIND,
        read: read::read::<R>,
        newest: newest::<R>,
        known: known::<R>,
        count: count::<R>,
        clear: clear::<R>,
    }
}

fn named(name: &str) -> Result<&'static Type, Error> {
    TYPES.iter().find(|each| each.name == name).ok_or_else(|| Error::Bug(format!("{name} is no type of the database")))
}

fn newest<R: Mirrored>(tx: &mut Tx<'_>) -> Result<Option<Time>, Error> {
    let last = Query::of(Filter::All).order([Order::down("pdb_updated")]).page(1, 0);
    Ok(tx.list::<R>(&last)?.first().and_then(|row| row.spec.pdb_updated()))
}

fn known<R: Mirrored>(tx: &mut Tx<'_>, numbers: Vec<i64>) -> Result<HashMap<i64, RawId>, Error> {
    let rows = tx.ids_by::<R>("pdb_id", &Filter::is_in("pdb_id", numbers))?;
    Ok(rows.into_iter().map(|(number, id)| (number, id.any())).collect())
}

fn count<R: Mirrored>(tx: &mut Tx<'_>) -> Result<u64, Error> {
    Ok(tx.count::<R>(&Filter::All)?)
}

fn clear<R: Mirrored>(tx: &mut Tx<'_>) -> Result<u64, Error> {
    let ids = tx.ids::<R>(&Filter::All)?;
    Ok(tx.remove_many(&ids)?)
}

/// The node that the copy hangs on.
///
/// # Errors
/// When the installation has no operator yet.
pub fn operator(tx: &mut Tx<'_>) -> Result<Id<Organization>, Error> {
    let found = tx.as_system(|tx| tx.one::<Organization>(&Filter::eq("form", Form::Operator.word())))?;
    found.map(|row| row.id).ok_or_else(|| Error::conflict("not_set_up", "This installation has no operator yet."))
}

/// How much there is of each type, and how many synchronisations changed something. For the operator's people, and for staff
/// anywhere.
///
/// # Errors
/// [`Error::Denied`] to others.
pub fn statistics(tx: &mut Tx<'_>, caller: &Caller) -> Result<Vec<(&'static str, u64)>, Error> {
    let staff = match caller.subject.user {
        Some(user) => tx.as_system(|tx| tx.find(user))?.is_some_and(|user| user.spec.staff || user.spec.superuser),
        None => false,
    };
    if !staff {
        require(tx, "create")?;
    }
    tx.as_system(|tx| {
        let mut out = Vec::with_capacity(TYPES.len() + 1);
        for each in TYPES {
            out.push((each.name, (each.count)(tx)?));
        }
        out.push(("sync", tx.count::<PdbSync>(&Filter::All)?));
        Ok(out)
    })
}

/// Asks for a synchronisation. One that waits already is answered instead of another.
///
/// # Errors
/// [`Error::Denied`] to whoever may not make synchronisations on the operator's node.
pub fn ask(tx: &mut Tx<'_>) -> Result<Object<Job>, Error> {
    require(tx, "create")?;
    let operator = operator(tx)?;
    let waiting = Filter::eq("what", SYNCHRONISE).and(Filter::eq("state", JobState::Queued.word()));
    if let Some(job) = tx.as_system(|tx| tx.one::<Job>(&waiting))? {
        return Ok(job);
    }
    let name = "Synchronise with PeeringDB".to_owned();
    jobs::ask(tx, operator.any(), Ask { what: SYNCHRONISE, name, ..Ask::default() })
}

/// How long the last synchronisation that was asked for is still young enough, whoever asked.
///
/// # Errors
/// When the database fails.
pub fn due(tx: &mut Tx<'_>, interval: Duration) -> Result<Duration, Error> {
    let last = Query::of(Filter::eq("what", SYNCHRONISE)).order([Order::down("created")]).page(1, 0);
    let Some(job) = tx.as_system(|tx| tx.list::<Job>(&last))?.into_iter().next() else { return Ok(Duration::ZERO) };
    let age = Duration::from_millis(u64::try_from(tx.now().0 - job.created.0).unwrap_or(0));
    Ok(interval.saturating_sub(age))
}

/// Throws the copy away, with what connections and exchanges were linked to. Hidden peers stay hidden.
///
/// # Errors
/// [`Error::Denied`] to whoever may not remove synchronisations on the operator's node.
pub fn clear_all(tx: &mut Tx<'_>) -> Result<u64, Error> {
    require(tx, "remove")?;
    tx.as_system(|tx| {
        let links = tx.list::<ExchangeLink>(&Query::of(Filter::is("pdb_port", meetme_store::Op::Empty(false))))?;
        let unlinked = |row: Object<ExchangeLink>| {
            let spec = ExchangeLink { pdb_port: None, ..row.spec.clone() };
            (row, spec)
        };
        tx.save_many(links.into_iter().map(unlinked).collect())?;
        let exchanges = tx.list::<Exchange>(&Query::of(Filter::is("pdb_lan", meetme_store::Op::Empty(false))))?;
        let unlinked = |row: Object<Exchange>| {
            let spec = Exchange { pdb_lan: None, ..row.spec.clone() };
            (row, spec)
        };
        tx.save_many(exchanges.into_iter().map(unlinked).collect())?;
        let mut gone = 0;
        for each in TYPES.iter().rev() {
            gone += (each.clear)(tx)?;
        }
        let syncs = tx.ids::<PdbSync>(&Filter::All)?;
        tx.remove_many(&syncs)?;
        Ok(gone)
    })
}

/// The last synchronisation that changed something.
///
/// # Errors
/// When the database fails.
pub fn last(tx: &mut Tx<'_>) -> Result<Option<Object<PdbSync>>, Error> {
    let last = Query::of(Filter::All).order([Order::down("time"), Order::down("id")]).page(1, 0);
    Ok(tx.as_system(|tx| tx.list::<PdbSync>(&last))?.into_iter().next())
}

fn require(tx: &mut Tx<'_>, verb: &'static str) -> Result<(), Error> {
    let operator = operator(tx)?;
    access::require(tx, PdbSync::KIND, verb, operator.any())
}

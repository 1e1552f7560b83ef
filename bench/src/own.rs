//! The store's own transaction rate: the same writes, straight into a copy of the store, without a dialect or a policy.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use anyhow::Result;
use meetme_base::{Asn, Id, Invalid, RawId, SystemClock};
use meetme_model::routing::{AutonomousSystem, ExchangeSession};
use meetme_store::{Context, Error, Open, Store, Tx};

use crate::{
    case::{BULK, FIRST_MADE, MANY, Write, window},
    load::Loaded,
    measure::Worker,
};

/// A store that nobody else uses.
#[derive(Clone)]
pub struct Own {
    store: Store,
    loaded: Arc<Loaded>,
    serial: Arc<AtomicU64>,
    home: RawId,
}

impl Own {
    /// Opens a copy that holds these rows.
    pub async fn open(open: &Open, loaded: Arc<Loaded>) -> Result<Self> {
        let store = Store::open(open, meetme_control::registry(), Arc::new(SystemClock))?;
        let id = Id::<AutonomousSystem>::new(loaded.networks[0]);
        let home = store.read(Context::system(), move |tx| Ok::<_, Error>(tx.get(id)?.tenant)).await?;
        Ok(Self { store, loaded, serial: Arc::default(), home })
    }

    /// Those who write at the same time.
    pub fn writers(&self, count: usize, write: Write) -> Vec<Writer> {
        (0..count).map(|_| Writer { own: self.clone(), write }).collect()
    }
}

/// One who writes, one transaction after another.
pub struct Writer {
    own: Own,
    write: Write,
}

impl Worker for Writer {
    async fn once(&mut self) -> Result<()> {
        let (home, write) = (self.own.home, self.write);
        let size = match write {
            Write::Bulk => BULK,
            Write::Sessions => MANY,
            Write::Create | Write::Patch | Write::Machine | Write::Batch => 1,
        };
        let serial = self.own.serial.fetch_add(size, Ordering::Relaxed);
        let (ids, loaded) = (&self.own.loaded.networks, Arc::clone(&self.own.loaded));
        let id = Id::<AutonomousSystem>::new(ids[serial as usize % ids.len()]);
        let done = self.own.store.write(Context::system(), move |tx| match write {
            Write::Patch => patch(tx, id, serial),
            Write::Sessions => sessions(tx, &loaded.sessions, serial),
            Write::Machine => loaded.machines.one(tx, serial),
            Write::Batch => loaded.machines.many(tx, serial),
            Write::Create | Write::Bulk => (serial..serial + size).try_for_each(|n| create(tx, home, n)),
        });
        Ok(done.await?)
    }
}

fn create(tx: &mut Tx<'_>, home: RawId, serial: u64) -> Result<(), Error> {
    let number = FIRST_MADE + serial;
    let asn = Asn::try_from(number as i64).map_err(|_| Invalid::new("asn", "range", "there are no more numbers"))?;
    let mut spec = AutonomousSystem::new(asn, format!("Bench Made {number}"));
    spec.comments = "made by the bench".to_owned();
    tx.create(home, spec).map(drop)
}

fn patch(tx: &mut Tx<'_>, id: Id<AutonomousSystem>, serial: u64) -> Result<(), Error> {
    let mut object = tx.get(id)?;
    let spec = AutonomousSystem { description: Some(format!("patched {serial}")), ..object.spec.clone() };
    tx.save(&mut object, spec)
}

fn sessions(tx: &mut Tx<'_>, ids: &[i64], serial: u64) -> Result<(), Error> {
    for mut row in tx.many::<ExchangeSession>(window(ids, serial).map(Id::new).collect::<Vec<_>>())?.into_values() {
        let mut spec = row.spec.clone();
        spec.peer.comments = format!("patched {serial}");
        tx.save(&mut row, spec)?;
    }
    Ok(())
}

//! What was read once and is asked for all the time: kept until a kind it was read from is written to. Where other processes may write
//! to the database too, for as long as [`Settings::trust_millis`](crate::Settings::trust_millis) says.

use std::sync::{Arc, PoisonError, RwLock};

use meetme_base::{Kind, Time};
use meetme_store::Tx;

use crate::{App, Error};

/// A value that follows from rows of a few kinds.
pub(crate) struct Remembered<T> {
    kinds: &'static [Kind],
    known: RwLock<Option<Known<T>>>,
}

struct Known<T> {
    epoch: u64,
    at: Time,
    value: Arc<T>,
}

impl<T> Remembered<T> {
    /// Nothing is known yet; what will be follows from rows of these kinds.
    pub const fn of(kinds: &'static [Kind]) -> Self {
        Self { kinds, known: RwLock::new(None) }
    }

    /// The value, which is read when it is not known or no longer. A transaction that has itself written to one of the kinds sees more
    /// than others do: it always reads.
    ///
    /// # Errors
    /// What reading ends with.
    pub fn get(
        &self,
        app: &App,
        tx: &mut Tx<'_>,
        read: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>,
    ) -> Result<Arc<T>, Error> {
        let Some(epoch) = tx.epoch(self.kinds) else { return read(tx).map(Arc::new) };
        if let Some(known) = &*self.known.read().unwrap_or_else(PoisonError::into_inner) {
            let trusted =
                app.store().counts_every_commit() || (tx.now().0 - known.at.0).abs() < app.settings().trust_millis;
            if known.epoch == epoch && trusted {
                return Ok(known.value.clone());
            }
        }
        let value = Arc::new(read(tx)?);
        let known = Known { epoch, at: tx.now(), value: value.clone() };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(value)
    }
}

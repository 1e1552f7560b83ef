//! The controllers of the spot market: one works out the prices of a plan when something there has changed, one sees to it that
//! requests have the machines they want.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use meetme_agent::Fence;
use meetme_app::{
    Error,
    devices::spot::{self, Kept},
};
use meetme_base::{RawId, Time};
use meetme_model::{metal::SpotRequest, place::Plan};
use meetme_store::Tx;

use crate::{
    controller::{Controller, Next, Soon},
    pace::Pace,
};

/// Prices plans. A storm of orders is one new price, not one for each.
pub struct MarketController {
    pace: Pace,
    priced: Mutex<BTreeMap<RawId, Time>>,
}

impl MarketController {
    /// A controller at this pace.
    pub const fn new(pace: Pace) -> Self {
        Self { pace, priced: Mutex::new(BTreeMap::new()) }
    }

    /// The shortest time between two prices of a plan.
    fn rest(&self) -> Duration {
        self.pace.build * 10
    }
}

impl Controller for MarketController {
    const NAME: &'static str = "spot_market";
    type Job = ();
    type Outcome = ();

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<()>, Error> {
        if tx.find::<Plan>(id.of())?.is_none() {
            self.priced.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            return Ok(Next::Gone);
        }
        let last = self.priced.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied();
        let age = last.map(|last| Duration::from_millis(u64::try_from(tx.now().0 - last.0).unwrap_or(0)));
        match age.and_then(|age| self.rest().checked_sub(age)).filter(|left| !left.is_zero()) {
            Some(left) => Ok(Next::Wait { why: "The price was worked out a moment ago.".to_owned(), at_most: left }),
            None => Ok(Next::Drive(())),
        }
    }

    fn drive(&self, (): (), _: Fence) -> Soon<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, (): &()) -> Result<Next<()>, Error> {
        self.priced.lock().unwrap_or_else(PoisonError::into_inner).insert(id, tx.now());
        spot::reprice(tx, id.of())?;
        // Looked at also when nothing changes: a price that stands still is a reading too.
        Ok(Next::Settled { look_again: Some(self.pace.watch) })
    }
}

/// Keeps requests supplied.
pub struct SpotRequestController {
    pace: Pace,
}

impl SpotRequestController {
    /// A controller at this pace.
    pub const fn new(pace: Pace) -> Self {
        Self { pace }
    }
}

impl Controller for SpotRequestController {
    const NAME: &'static str = "spot_request";
    type Job = ();
    type Outcome = ();

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<()>, Error> {
        Ok(if tx.find::<SpotRequest>(id.of())?.is_some() { Next::Drive(()) } else { Next::Gone })
    }

    fn drive(&self, (): (), _: Fence) -> Soon<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, (): &()) -> Result<Next<()>, Error> {
        let Some(mut request) = tx.find::<SpotRequest>(id.of())? else { return Ok(Next::Gone) };
        let kept = spot::keep(tx, &mut request)?;
        let left = request.spec.end_at.map(|end| u64::try_from(end.0 - tx.now().0).unwrap_or(0));
        let left = left.map(Duration::from_millis);
        Ok(match kept {
            Kept::Whole => Next::Settled { look_again: Some(left.map_or(self.pace.watch, |l| l.min(self.pace.watch))) },
            Kept::More => Next::Drive(()),
            Kept::Short(why) => Next::Wait { why, at_most: self.pace.retry },
            Kept::Over => Next::Settled { look_again: None },
        })
    }
}

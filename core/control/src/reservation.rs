//! The controller of reserved servers: gives one back when its time is over and nothing is on it any more.

use std::time::Duration;

use meetme_agent::Fence;
use meetme_app::{App, Error, devices::reservations};
use meetme_base::RawId;
use meetme_model::metal::Reservation;
use meetme_store::{Context, Filter, Op, Tx};

use crate::{
    controller::{Controller, Next, Soon},
    pace::Pace,
};

/// Ends reservations.
pub struct ReservationController {
    pace: Pace,
}

impl ReservationController {
    /// A controller at this pace.
    pub const fn new(pace: Pace) -> Self {
        Self { pace }
    }
}

/// Puts every reservation that has an end into the queue. Done once at the start: those that were made before there was a controller for
/// them are in no queue.
///
/// # Errors
/// When the store fails.
pub async fn look_at_all(app: &App) -> Result<(), Error> {
    let all = app.store().write::<_, Error, _>(Context::system(), |tx| {
        let now = tx.now();
        let ids = tx.ids::<Reservation>(&Filter::is("remove_at", Op::Empty(false)))?;
        ids.into_iter().try_for_each(|id| Ok(tx.enqueue(ReservationController::NAME, id.any(), now)?))
    });
    all.await
}

impl Controller for ReservationController {
    const NAME: &'static str = "reservation";
    type Job = ();
    type Outcome = ();

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<()>, Error> {
        let Some(row) = tx.find::<Reservation>(id.of())? else { return Ok(Next::Gone) };
        let left = row.spec.remove_at.map(|end| end.0 - tx.now().0);
        Ok(match left.map(u64::try_from) {
            None => Next::Settled { look_again: None },
            Some(Ok(left)) if left > 0 => Next::Settled { look_again: Some(Duration::from_millis(left)) },
            Some(_) => Next::Drive(()),
        })
    }

    fn drive(&self, (): (), _: Fence) -> Soon<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, (): &()) -> Result<Next<()>, Error> {
        let Some(row) = tx.find::<Reservation>(id.of())? else { return Ok(Next::Gone) };
        if reservations::expire(tx, &row)? {
            return Ok(Next::Gone);
        }
        let why = "The time of the reservation is over; it is given back once nothing is on its server.".to_owned();
        Ok(Next::Wait { why, at_most: self.pace.retry })
    }
}

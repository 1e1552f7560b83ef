//! The controller of batches: orders the machines of one together, a moment after it was asked for.

use meetme_agent::Fence;
use meetme_app::{Error, devices::batches};
use meetme_base::RawId;
use meetme_model::metal::{Batch, BatchState};
use meetme_store::Tx;

use crate::controller::{Controller, Next, Soon};

/// Carries batches out.
pub struct BatchController;

/// The next step of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Say that it is being worked at.
    Begin,
    /// Order the machines.
    Order,
}

impl Controller for BatchController {
    const NAME: &'static str = "batch";
    type Job = Step;
    type Outcome = Step;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Step>, Error> {
        let Some(batch) = tx.find::<Batch>(id.of())? else { return Ok(Next::Gone) };
        Ok(match batch.status.state {
            BatchState::Queued => Next::Drive(Step::Begin),
            BatchState::InProgress => Next::Drive(Step::Order),
            BatchState::Completed | BatchState::Failed => Next::Gone,
        })
    }

    fn drive(&self, step: Step, _: Fence) -> Soon<'_, Step> {
        Box::pin(std::future::ready(step))
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, step: &Step) -> Result<Next<()>, Error> {
        let Some(mut batch) = tx.find::<Batch>(id.of())? else { return Ok(Next::Gone) };
        match step {
            Step::Begin => {
                batches::begin(tx, &mut batch)?;
                Ok(Next::Drive(()))
            }
            Step::Order => {
                batches::carry_out(tx, &mut batch)?;
                Ok(Next::Gone)
            }
        }
    }
}

//! The controller of what is asked for an AS: exactly the questions it wants answered stand for it.

use meetme_app::{Error, irr};
use meetme_base::RawId;
use meetme_control::{Controller, Fence, Next, Soon};
use meetme_model::routing::{AutonomousSystem, IrrSet};
use meetme_store::{Object, Tx};

/// The name under which work is queued.
pub(crate) const NAME: &str = "irr_system";

/// Makes the questions for ASs follow what is said of them.
#[derive(Default)]
pub struct SystemController {}

impl SystemController {
    /// A controller.
    pub const fn new() -> Self {
        Self {}
    }
}

/// How the pass ends once the right questions stand: words of the as-set that name none want a person to look.
fn told(system: &Object<AutonomousSystem>) -> Next<()> {
    let strange = IrrSet::names(system.spec.as_set.as_deref().unwrap_or_default()).strange;
    if strange.is_empty() {
        return Next::Settled { look_again: None };
    }
    let why = format!("The registries cannot be asked about {}: it names no as-set.", strange.join(", "));
    Next::Stuck { why, look_again: None }
}

impl Controller for SystemController {
    const NAME: &'static str = NAME;
    type Job = ();
    type Outcome = ();

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<()>, Error> {
        let Some(system) = tx.find::<AutonomousSystem>(id.of())? else { return Ok(Next::Gone) };
        Ok(if irr::stands(tx, &system)? { told(&system) } else { Next::Drive(()) })
    }

    fn drive(&self, (): (), _: Fence) -> Soon<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, (): &()) -> Result<Next<()>, Error> {
        let Some(system) = tx.find::<AutonomousSystem>(id.of())? else { return Ok(Next::Gone) };
        irr::stand(tx, &system)?;
        Ok(told(&system))
    }
}

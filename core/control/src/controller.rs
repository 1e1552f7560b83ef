//! What a controller is: three steps for one object, of which only the middle one may wait.
//!
//! Rule: a controller is told which object, never what happened, and decides from what is stored. `plan` and `record` hold a
//! transaction and cannot await; `drive` may await and holds none. The road not taken: one asynchronous function per object,
//! which would sooner or later ask a box something inside a transaction.

use std::{any::Any, future::Future, pin::Pin, time::Duration};

use meetme_agent::Fence;
use meetme_app::Error;
use meetme_base::RawId;
use meetme_store::Tx;

/// An answer that comes later.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a pass over one object came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next<J> {
    /// Everything is as wished.
    Settled {
        /// When to look again though nothing was changed by us; only when something changes if absent.
        look_again: Option<Duration>,
    },
    /// There is something to do, now.
    Drive(J),
    /// Something else has to happen first.
    Wait {
        /// What is waited for: one sentence a customer can read.
        why: String,
        /// After how long to look again at the latest.
        at_most: Duration,
    },
    /// Nothing can be done until a person changes something.
    Stuck {
        /// What stands in the way: one sentence a customer can read.
        why: String,
        /// When to look again, for objects that are watched also while they are stuck.
        look_again: Option<Duration>,
    },
    /// The object is no more.
    Gone,
}

impl<J> Next<J> {
    /// The fixed word of this outcome, for notes and metrics.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Settled { .. } => "settled",
            Self::Drive(_) => "driving",
            Self::Wait { .. } => "waiting",
            Self::Stuck { .. } => "stuck",
            Self::Gone => "gone",
        }
    }

    /// The outcome as one line: the word and a sentence.
    pub fn sentence(&self) -> String {
        match self {
            Self::Settled { .. } => "settled: everything is as wished.".to_owned(),
            Self::Drive(_) => "driving: more is to do at once.".to_owned(),
            Self::Wait { why, .. } => format!("waiting: {why}"),
            Self::Stuck { why, .. } => format!("stuck: {why}"),
            Self::Gone => "gone: there is nothing left to look after.".to_owned(),
        }
    }

    /// The same outcome with another job.
    pub fn map<K>(self, f: impl FnOnce(J) -> K) -> Next<K> {
        match self {
            Self::Settled { look_again } => Next::Settled { look_again },
            Self::Drive(job) => Next::Drive(f(job)),
            Self::Wait { why, at_most } => Next::Wait { why, at_most },
            Self::Stuck { why, look_again } => Next::Stuck { why, look_again },
            Self::Gone => Next::Gone,
        }
    }
}

/// Makes one kind of thing in the world follow what is stored of it.
pub trait Controller: Send + Sync + 'static {
    /// The name under which work is queued for it.
    const NAME: &'static str;
    /// What is to be done, complete: `drive` reads no store.
    type Job: Send + 'static;
    /// What was done and seen.
    type Outcome: Send + 'static;

    /// Decides, from what is stored, what is to be done.
    ///
    /// # Errors
    /// When the store fails; the pass is repeated later.
    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Self::Job>, Error>;

    /// Does it. The fence goes to every equipment that is changed.
    fn drive(&self, job: Self::Job, fence: Fence) -> Soon<'_, Self::Outcome>;

    /// Keeps what was done and seen. Runs in a transaction that has already proved that the work is still ours; it may run twice.
    /// [`Next::Drive`] asks for another pass at once.
    ///
    /// # Errors
    /// When the store fails; nothing of the outcome is kept and the pass is repeated later.
    fn record(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Self::Outcome) -> Result<Next<()>, Error>;
}

/// A job or an outcome of a controller whose types are not known.
pub(crate) type Opaque = Box<dyn Any + Send>;

/// A controller whose types are not known, as the runner holds it. Every [`Controller`] is one.
pub trait ErasedController: Send + Sync + sealed::Sealed {
    /// The name under which work is queued for it.
    fn name(&self) -> &'static str;
    #[doc(hidden)]
    fn plan_any(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Opaque>, Error>;
    #[doc(hidden)]
    fn drive_any(&self, job: Opaque, fence: Fence) -> Soon<'_, Opaque>;
    #[doc(hidden)]
    fn record_any(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Opaque) -> Result<Next<()>, Error>;
}

mod sealed {
    pub trait Sealed {}
    impl<C: super::Controller> Sealed for C {}
}

impl<C: Controller> ErasedController for C {
    fn name(&self) -> &'static str {
        C::NAME
    }

    fn plan_any(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Opaque>, Error> {
        Ok(self.plan(tx, id)?.map(|job| Box::new(job) as Opaque))
    }

    fn drive_any(&self, job: Opaque, fence: Fence) -> Soon<'_, Opaque> {
        let job = job.downcast::<C::Job>().expect("a job comes from the plan of the same controller");
        let driven = self.drive(*job, fence);
        Box::pin(async move { Box::new(driven.await) as Opaque })
    }

    fn record_any(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Opaque) -> Result<Next<()>, Error> {
        let outcome =
            outcome.downcast_ref::<C::Outcome>().expect("an outcome comes from the drive of the same controller");
        self.record(tx, id, outcome)
    }
}

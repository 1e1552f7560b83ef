//! The controllers of volumes: storage is told the whole of a volume, with its snapshots and the machines that may use it, and what it
//! says becomes their phases; and the rules by which snapshots are taken, carried out on time.

mod record;

use std::{sync::Arc, time::Duration};

use meetme_agent::{
    Agent, AgentError, Fence, Target,
    storage::{self, Action, Desired, Observed, Storage as Family},
};
use meetme_app::{App, Error, volumes};
use meetme_base::RawId;
use meetme_model::{
    Phase, Wanted, living,
    metal::{Attachment, Snapshot, SnapshotPolicy, Volume},
    ops::{self, Equipment},
    place::Plan,
};
use meetme_store::{Filter, Object, Tx};

use crate::{
    agents::Agents,
    controller::{Controller, Next, Soon},
    pace::Pace,
    target::target,
};

/// Makes volumes follow what is stored of them.
pub struct VolumeController {
    app: App,
    agents: Agents,
    pace: Pace,
}

/// One pass over a volume.
pub enum Job {
    /// Say that it is being made, or taken down.
    Begin(Phase),
    /// Tell the equipment.
    Tell(Box<Tell>),
}

/// What the equipment is told.
pub struct Tell {
    agent: Arc<dyn Agent<Family>>,
    target: Target,
    want: Desired,
    /// Whether a volume that is not there may be made: one that was there once had something on it.
    may_create: bool,
}

/// What came of it.
pub enum Outcome {
    /// Nothing had to be asked.
    Moved(Phase),
    /// The equipment was asked.
    Told(Result<Seen, AgentError>),
}

/// What the equipment said.
pub struct Seen {
    observed: Observed,
    is_changed: bool,
}

impl VolumeController {
    /// A controller over these agents.
    pub fn new(app: App, agents: Agents, pace: Pace) -> Self {
        Self { app, agents, pace }
    }

    fn tell(&self, tx: &mut Tx<'_>, volume: &Object<Volume>) -> Result<Next<Job>, Error> {
        let here = Filter::eq("site", volume.spec.site).and(Filter::eq("family", ops::Family::Storage.word()));
        let equipment = tx.all::<Equipment>(here)?.into_iter().min_by_key(|row| row.id);
        let make = equipment.as_ref().map_or(self.agents.usual.as_str(), |e| e.spec.make.as_str());
        let agent = match self.agents.storage.get(make) {
            Ok(agent) => agent,
            Err(why) => return Ok(Next::Stuck { why, look_again: Some(self.pace.retry) }),
        };
        let target = target(&self.app, volume.id.any(), equipment.as_ref().map(|e| &e.spec), "the storage")?;
        let may_create = volume.status.life.ready_at.is_none() || make == self.agents.usual || target.repair;
        let want = desired(tx, volume)?;
        Ok(Next::Drive(Job::Tell(Box::new(Tell { agent, target, want, may_create }))))
    }
}

fn desired(tx: &mut Tx<'_>, volume: &Object<Volume>) -> Result<Desired, Error> {
    let spec = &volume.spec;
    let mut want = Desired { key: format!("v{}", volume.id), volume: None };
    if spec.life.wanted == Wanted::Gone {
        return Ok(want);
    }
    let here = Filter::eq("volume", volume.id).and(Filter::eq("wanted", Wanted::Up.word())).and(living());
    let mut snapshots = tx.all::<Snapshot>(here.clone())?;
    snapshots.sort_by_key(|row| row.id);
    let mut held = tx.all::<Attachment>(here)?;
    held.sort_by_key(|row| row.id);
    want.volume = Some(storage::Volume {
        size_gb: spec.size_gb,
        class: tx.get::<Plan>(spec.plan)?.spec.slug,
        copy_of: spec.copy_of.map(|origin| storage::Origin {
            volume: format!("v{}", origin.number),
            snapshot: origin.snapshot.map(|number| format!("s{number}")),
        }),
        snapshots: snapshots.into_iter().map(|row| format!("s{}", row.id)).collect(),
        restore: spec
            .restore_from
            .filter(|_| spec.restores > 0)
            .map(|id| storage::Restore { number: spec.restores, snapshot: format!("s{id}") }),
        initiators: held.into_iter().map(|row| row.spec.initiator).collect(),
    });
    Ok(want)
}

async fn told(tell: Tell, fence: Fence) -> Result<Seen, AgentError> {
    let observed = tell.agent.observe(&tell.target).await?;
    let plan = tell.agent.plan(&tell.want, &observed)?;
    if plan.actions.contains(&Action::Create) && !tell.may_create {
        return Err(AgentError::broken(format!(
            "the storage should hold {} and does not; it is not made anew, because what was on it would not come back",
            tell.want.key
        )));
    }
    if !plan.is_change {
        return Ok(Seen { observed, is_changed: false });
    }
    let observed = tell.agent.apply(&tell.target, plan, fence).await?;
    Ok(Seen { observed, is_changed: true })
}

impl Controller for VolumeController {
    const NAME: &'static str = "volume";
    type Job = Job;
    type Outcome = Outcome;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Job>, Error> {
        let Some(volume) = tx.find::<Volume>(id.of())? else { return Ok(Next::Gone) };
        let (phase, step) = (volume.status.life.phase, volume.status.life.step.as_deref());
        let is_over = volume.spec.life.wanted == Wanted::Gone;
        match phase {
            Phase::Gone => Ok(Next::Gone),
            Phase::Queued if !is_over => Ok(Next::Drive(Job::Begin(Phase::Building))),
            Phase::Removing => self.tell(tx, &volume),
            Phase::Failed if is_over && step == Some("removal") => self.tell(tx, &volume),
            _ if is_over => Ok(Next::Drive(Job::Begin(Phase::Removing))),
            _ => self.tell(tx, &volume),
        }
    }

    fn drive(&self, job: Job, fence: Fence) -> Soon<'_, Outcome> {
        Box::pin(async move {
            match job {
                Job::Begin(phase) => Outcome::Moved(phase),
                Job::Tell(tell) => Outcome::Told(told(*tell, fence).await),
            }
        })
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Outcome) -> Result<Next<()>, Error> {
        let Some(volume) = tx.find::<Volume>(id.of())? else { return Ok(Next::Gone) };
        match outcome {
            Outcome::Moved(phase) => record::moved(tx, volume, *phase),
            Outcome::Told(Ok(seen)) => record::seen(tx, volume, seen, &self.pace),
            Outcome::Told(Err(error)) => record::failed(tx, volume, error, &self.pace),
        }
    }
}

/// Takes snapshots by rule.
pub struct PolicyController {
    pace: Pace,
}

impl PolicyController {
    /// A controller at this pace.
    pub const fn new(pace: Pace) -> Self {
        Self { pace }
    }
}

fn until(now: meetme_base::Time, then: meetme_base::Time) -> Duration {
    Duration::from_millis(u64::try_from(then.0 - now.0).unwrap_or(0))
}

impl Controller for PolicyController {
    const NAME: &'static str = "snapshot_policy";
    type Job = ();
    type Outcome = ();

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<()>, Error> {
        let Some(policy) = tx.find::<SnapshotPolicy>(id.of())? else { return Ok(Next::Gone) };
        let Some(volume) = tx.find(policy.spec.volume)? else { return Ok(Next::Gone) };
        if volume.spec.life.wanted == Wanted::Gone {
            return Ok(Next::Settled { look_again: None });
        }
        let (now, due) = (tx.now(), volumes::due(&policy));
        if now < due {
            return Ok(Next::Settled { look_again: Some(until(now, due)) });
        }
        if volume.status.life.ready_at.is_none() {
            let why = "The volume is not there yet.".to_owned();
            return Ok(Next::Wait { why, at_most: self.pace.retry });
        }
        Ok(Next::Drive(()))
    }

    fn drive(&self, (): (), _: Fence) -> Soon<'_, ()> {
        Box::pin(async {})
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, (): &()) -> Result<Next<()>, Error> {
        let Some(policy) = tx.find::<SnapshotPolicy>(id.of())? else { return Ok(Next::Gone) };
        match volumes::keep_policy(tx, policy) {
            Ok(()) => {}
            Err(Error::Conflict { message, .. }) => {
                return Ok(Next::Wait { why: message, at_most: self.pace.retry });
            }
            Err(e) => return Err(e),
        }
        let Some(policy) = tx.find::<SnapshotPolicy>(id.of())? else { return Ok(Next::Gone) };
        Ok(Next::Settled { look_again: Some(until(tx.now(), volumes::due(&policy))) })
    }
}

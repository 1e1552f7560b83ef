//! The controller of circuits: what carries a circuit is told the whole of it, and what it says becomes the phases of its legs,
//! which fold into the circuit's own.

mod record;

use std::sync::Arc;

use meetme_agent::{
    Agent, AgentError, Fence, Target,
    fabric::{self, Circuit as Family, Desired, Observed},
};
use meetme_app::{App, Error, circuits};
use meetme_base::{Id, IpNet, RawId};
use meetme_model::{
    Phase, Wanted,
    fabric::{Circuit, End, Leg, LegStatus, Network, Port, Target as At},
    ops::{self, Equipment},
    place::Offer,
    routing::{DirectSession, Router},
};
use meetme_store::{Filter, Object, Tx};

use crate::{
    agents::Agents,
    controller::{Controller, Next, Soon},
    life,
    pace::Pace,
    target::target,
};

/// Makes circuits follow what is stored of them.
pub struct CircuitController {
    app: App,
    agents: Agents,
    pace: Pace,
}

/// One pass over a circuit.
pub enum Job {
    /// Say that it is being built, or taken down.
    Begin(Phase),
    /// Its last day has come.
    End,
    /// Tell the equipment.
    Tell(Box<Tell>),
}

/// What the equipment is told.
pub struct Tell {
    agent: Arc<dyn Agent<Family>>,
    target: Target,
    want: Desired,
}

/// What came of it.
pub enum Outcome {
    /// Nothing had to be asked.
    Moved(Phase),
    /// Its last day has come.
    Ended,
    /// The equipment was asked.
    Told(Result<Seen, AgentError>),
}

/// What the equipment said.
pub struct Seen {
    observed: Observed,
    is_changed: bool,
}

impl CircuitController {
    /// A controller over these agents.
    pub fn new(app: App, agents: Agents, pace: Pace) -> Self {
        Self { app, agents, pace }
    }

    fn tell(&self, tx: &mut Tx<'_>, circuit: &Object<Circuit>, legs: &[Object<Leg>]) -> Result<Next<Job>, Error> {
        let equipment = equipment(tx, circuit, legs)?;
        let make = equipment.as_ref().map_or(self.agents.usual.as_str(), |e| e.spec.make.as_str());
        let agent = match self.agents.circuits.get(make) {
            Ok(agent) => agent,
            Err(why) => return Ok(Next::Stuck { why, look_again: Some(self.pace.retry) }),
        };
        let target = target(&self.app, circuit.id.any(), equipment.as_ref().map(|e| &e.spec), "the fabric")?;
        let want = desired(tx, circuit, legs)?;
        Ok(Next::Drive(Job::Tell(Box::new(Tell { agent, target, want }))))
    }
}

/// The legs of a circuit, by side.
fn legs_of(tx: &mut Tx<'_>, id: Id<Circuit>) -> Result<Vec<Object<Leg>>, Error> {
    let mut legs = tx.all::<Leg>(Filter::eq("circuit", id))?;
    legs.sort_by_key(|leg| leg.spec.side);
    Ok(legs)
}

/// What carries a circuit: the switch of the port it begins or ends on, else the door of the cloud it reaches.
fn equipment(
    tx: &mut Tx<'_>,
    circuit: &Object<Circuit>,
    legs: &[Object<Leg>],
) -> Result<Option<Object<Equipment>>, Error> {
    for end in legs.iter().flat_map(|leg| [&leg.spec.a, &leg.spec.z]) {
        if let Some(At::Port(port)) = end.at
            && let Some(port) = tx.find::<Port>(port)?
            && let Some(equipment) = port.spec.equipment
        {
            return Ok(tx.find(equipment)?);
        }
    }
    let Some(region) = circuit.spec.region else { return Ok(None) };
    let doors = Filter::eq("region", region).and(Filter::eq("family", ops::Family::Cloud.word()));
    Ok(tx.one::<Equipment>(&doors)?)
}

fn desired(tx: &mut Tx<'_>, circuit: &Object<Circuit>, legs: &[Object<Leg>]) -> Result<Desired, Error> {
    let mut want = Desired {
        key: format!("c{}", circuit.id),
        name: circuit.spec.name.clone(),
        rate: Some(circuit.spec.rate),
        legs: Vec::new(),
    };
    if circuit.spec.life.wanted == Wanted::Gone {
        return Ok(want);
    }
    let provider = match circuit.spec.offer {
        Some(offer) => tx.find::<Offer>(offer)?.and_then(|o| o.spec.far),
        None => None,
    };
    for leg in legs {
        want.legs.push(fabric::Leg {
            key: format!("l{}", leg.id),
            on: circuit.spec.life.wanted == Wanted::Up && !leg.spec.off,
            a: end(tx, &leg.spec.a)?,
            z: end(tx, &leg.spec.z)?,
            provider: provider.clone(),
            far: leg.spec.far.clone().unwrap_or_default(),
            sessions: sessions(tx, leg)?,
        });
    }
    Ok(want)
}

fn end(tx: &mut Tx<'_>, end: &End) -> Result<fabric::End, Error> {
    let (on, key) = match end.at {
        None => ("none", String::new()),
        Some(At::Port(id)) => {
            let interface = tx.find::<Port>(id)?.and_then(|p| p.spec.interface);
            ("port", interface.unwrap_or_else(|| format!("port{id}")))
        }
        Some(At::Network(id)) => {
            let vni = tx.find::<Network>(id)?.and_then(|n| n.spec.vni);
            ("network", vni.map_or_else(|| format!("network{id}"), |vni| format!("vni{vni}")))
        }
        Some(At::Router(id)) => ("router", format!("router{id}")),
        Some(At::Device(id)) => ("device", format!("d{id}")),
        Some(At::Segment(id)) => ("segment", format!("segment{id}")),
        Some(At::Offer(id)) => ("offer", format!("offer{id}")),
    };
    let link = |face: &meetme_model::fabric::Face| face.link.and_then(|l| l.our_interface()).map(|a| a.0);
    let addresses: Vec<IpNet> =
        end.faces.iter().flat_map(|f| link(f).into_iter().chain(f.addresses.iter().map(|a| a.0))).collect();
    Ok(fabric::End {
        on: on.to_owned(),
        key,
        vlan: end.vlan.map(|v| v.get()),
        inner: end.inner.map(|v| v.get()),
        addresses,
    })
}

/// Sessions of a leg that no router of ours with equipment speaks.
fn sessions(tx: &mut Tx<'_>, leg: &Object<Leg>) -> Result<Vec<fabric::Session>, Error> {
    let mut out = Vec::new();
    for session in tx.all::<DirectSession>(Filter::eq("leg", leg.id))? {
        let router = session.spec.router.or(leg.spec.router);
        let spoken = match router {
            Some(router) => tx.find::<Router>(router)?.is_some_and(|r| r.spec.equipment.is_some()),
            None => false,
        };
        if !spoken && session.spec.peer.admin.is_configured() {
            out.push(fabric::Session {
                key: format!("s{}", session.id),
                peer_address: session.spec.ip.ip(),
                peer_asn: session.spec.peer.asn,
                enabled: session.spec.peer.admin != meetme_model::Admin::Disabled,
            });
        }
    }
    Ok(out)
}

async fn told(tell: Tell, fence: Fence) -> Result<Seen, AgentError> {
    let observed = tell.agent.observe(&tell.target).await?;
    let plan = tell.agent.plan(&tell.want, &observed)?;
    if !plan.is_change {
        return Ok(Seen { observed, is_changed: false });
    }
    let observed = tell.agent.apply(&tell.target, plan, fence).await?;
    Ok(Seen { observed, is_changed: true })
}

/// Moves a circuit and all its legs.
fn move_all(tx: &mut Tx<'_>, circuit: &mut Object<Circuit>, phase: Phase) -> Result<(), Error> {
    let now = tx.now();
    for mut leg in legs_of(tx, circuit.id)? {
        let life = life::moved(&leg.status.life, phase, None, None, now);
        let status = LegStatus { life, ..leg.status.clone() };
        tx.observe(&mut leg, status, None)?;
    }
    let status = life::moved(&circuit.status, phase, None, None, now);
    let line = life::line(&circuit.spec.name, &circuit.status, &status);
    Ok(tx.observe(circuit, status, line)?)
}

impl Controller for CircuitController {
    const NAME: &'static str = "circuit";
    type Job = Job;
    type Outcome = Outcome;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Job>, Error> {
        let Some(circuit) = tx.find::<Circuit>(id.of())? else { return Ok(Next::Gone) };
        let (spec, status) = (&circuit.spec, &circuit.status);
        match (spec.life.wanted, status.phase) {
            (_, Phase::Gone) => return Ok(Next::Gone),
            (Wanted::Draft, _) | (_, Phase::Draft | Phase::Asking) if spec.life.wanted != Wanted::Gone => {
                return Ok(Next::Settled { look_again: None });
            }
            (Wanted::Gone, Phase::Removing) => {}
            (Wanted::Gone, Phase::Failed) if status.step.as_deref() == Some("removal") => {}
            (Wanted::Gone, _) => return Ok(Next::Drive(Job::Begin(Phase::Removing))),
            _ if spec.life.gone_at.is_some_and(|day| day <= tx.now()) => return Ok(Next::Drive(Job::End)),
            (_, Phase::Queued) => {
                if let Some(network) = spec.network
                    && let Some(network) = tx.find::<Network>(network)?
                    && matches!(network.status.phase, Phase::Queued | Phase::Building)
                {
                    let why = format!("The network {} is being built.", network.spec.name);
                    return Ok(Next::Wait { why, at_most: self.pace.patience(status.since, tx.now()) });
                }
                return Ok(Next::Drive(Job::Begin(Phase::Building)));
            }
            _ => {}
        }
        let legs = legs_of(tx, circuit.id)?;
        self.tell(tx, &circuit, &legs)
    }

    fn drive(&self, job: Job, fence: Fence) -> Soon<'_, Outcome> {
        Box::pin(async move {
            match job {
                Job::Begin(phase) => Outcome::Moved(phase),
                Job::End => Outcome::Ended,
                Job::Tell(tell) => Outcome::Told(told(*tell, fence).await),
            }
        })
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Outcome) -> Result<Next<()>, Error> {
        let Some(mut circuit) = tx.find::<Circuit>(id.of())? else { return Ok(Next::Gone) };
        match outcome {
            Outcome::Moved(phase) => {
                move_all(tx, &mut circuit, *phase)?;
                Ok(Next::Drive(()))
            }
            Outcome::Ended => match circuits::cancel(tx, circuit.id, None) {
                Ok(_) => Ok(Next::Drive(())),
                Err(Error::Conflict { message, .. }) => Ok(Next::Wait { why: message, at_most: self.pace.retry }),
                Err(e) => Err(e),
            },
            Outcome::Told(Err(error)) => record::failed(tx, circuit, error, &self.pace),
            Outcome::Told(Ok(seen)) => record::seen(tx, circuit, seen, &self.pace),
        }
    }
}

//! The controller of switches: a switch is told the whole of what its interfaces to machines carry, and what it says becomes the
//! phases of the landings there.
//!
//! Where nobody entered how a machine is patched there is no switch to tell, and its landings are up at once (see
//! [`crate::plain`]). What is changed by hand on an interface that a machine of ours is patched to is put right at the next look: what
//! one customer sees of another must not depend on who was faster.

mod record;

use std::{collections::BTreeSet, sync::Arc};

use meetme_agent::{
    Agent, AgentError, Fence, Target,
    switch::{Carried, Desired, Gateway, Interface, Observed, Switch as Family},
};
use meetme_app::{App, Error, gateways};
use meetme_base::{Id, RawId};
use meetme_model::{
    Wanted,
    fabric::{Address, Block, Landing, Network, Port, Segment},
    living,
    metal::Device,
    ops::{self, Equipment},
};
use meetme_store::{Filter, Object, Tx};

use crate::{
    agents::Agents,
    controller::{Controller, Next, Soon},
    pace::Pace,
    target::target,
};

/// Makes switches follow what is stored of the machines that are patched to them.
pub struct SwitchController {
    app: App,
    agents: Agents,
    pace: Pace,
}

/// What a switch is told.
pub struct Job {
    agent: Arc<dyn Agent<Family>>,
    target: Target,
    want: Desired,
}

/// What it said.
pub struct Outcome {
    want: Desired,
    said: Result<Observed, AgentError>,
    /// The fence under which it was changed.
    applied: Option<Fence>,
}

/// What is stored of a switch's part of the fabric.
struct Part {
    /// The interfaces of machines on it, by their ports.
    nics: Vec<Object<Port>>,
    /// The landings on them and on their bonds, those that go included, with their segments.
    landings: Vec<(Object<Landing>, Object<Segment>)>,
    /// The gateways of those segments.
    gateways: Vec<(Object<Landing>, Object<Segment>)>,
}

impl Part {
    fn read(tx: &mut Tx<'_>, id: Id<Equipment>) -> Result<Self, Error> {
        let mut nics = tx.all::<Port>(Filter::eq("equipment", id).and(living()))?;
        nics.retain(|nic| nic.spec.device.is_some() && nic.spec.interface.is_some());
        let ports: Vec<Id<Port>> = nics.iter().flat_map(|nic| [Some(nic.id), nic.spec.leader]).flatten().collect();
        let landings = tx.all::<Landing>(Filter::is_in("port", ports).and(living()))?;
        let segments = tx.many(landings.iter().map(|landing| landing.spec.segment))?;
        let of = Filter::is_in("segment", segments.keys().copied()).and(Filter::eq("gateway", true)).and(living());
        let gateways = tx.all::<Landing>(of)?;
        let with = |list: Vec<Object<Landing>>| {
            let pair = |landing: Object<Landing>| {
                let segment = segments.get(&landing.spec.segment)?.clone();
                Some((landing, segment))
            };
            list.into_iter().filter_map(pair).collect()
        };
        Ok(Self { nics, landings: with(landings), gateways: with(gateways) })
    }

    /// The interfaces over which a landing on a port goes here.
    fn interfaces<'p>(&'p self, landing: &'p Landing) -> impl Iterator<Item = &'p str> {
        let port = landing.port;
        let is_over = move |nic: &&Object<Port>| {
            port.is_some() && (Some(nic.id) == port || (nic.spec.bonded && nic.spec.leader == port))
        };
        self.nics.iter().filter(is_over).filter_map(|nic| nic.spec.interface.as_deref())
    }
}

impl SwitchController {
    /// A controller over these agents.
    pub fn new(app: App, agents: Agents, pace: Pace) -> Self {
        Self { app, agents, pace }
    }
}

/// What a switch should carry.
fn desired(tx: &mut Tx<'_>, part: &Part) -> Result<Desired, Error> {
    let devices = tx.many::<Device>(part.nics.iter().filter_map(|nic| nic.spec.device))?;
    let mut want = Desired::default();
    // A network that any machine here has on a port needs its way out here.
    let mut here: BTreeSet<Id<Segment>> = BTreeSet::new();
    let management = Filter::is_in("device", devices.keys().copied()).and(Filter::eq("management", true)).and(living());
    let addresses = tx.all::<Address>(management)?;
    let addressed: BTreeSet<Id<Device>> = addresses.into_iter().filter_map(|address| address.spec.device).collect();
    for nic in &part.nics {
        let (Some(device), Some(name)) = (nic.spec.device.and_then(|id| devices.get(&id)), &nic.spec.interface) else {
            continue;
        };
        let is_over =
            device.spec.life.wanted == Wanted::Gone || device.spec.life.gone_at.is_some_and(|day| day <= tx.now());
        if is_over {
            continue;
        }
        let routed = nic.spec.bonded && addressed.contains(&device.id);
        let bond = nic.spec.leader.filter(|_| nic.spec.bonded);
        let on = part.landings.iter().filter(|(landing, _)| {
            let at = landing.spec.port;
            landing.spec.life.wanted != Wanted::Gone && (at == Some(nic.id) || (bond.is_some() && at == bond))
        });
        let on: Vec<_> = on.collect();
        let mut carries = Vec::with_capacity(on.len());
        for (landing, segment) in &on {
            here.insert(segment.id);
            // One alone is untagged, unless the machine's own addresses are.
            let untagged = landing.spec.native || (on.len() == 1 && !routed);
            let vlan = landing.spec.tag.unwrap_or(segment.spec.vlan).get();
            carries.push(Carried { vlan, vni: vni(segment)?, tagged: !untagged });
        }
        carries.sort_by_key(|c| c.vlan);
        want.interfaces.push(Interface {
            name: name.clone(),
            bond: bond.map(|bond| format!("bond{bond}")),
            routed,
            carries,
        });
    }
    want.interfaces.sort_by(|a, b| a.name.cmp(&b.name));
    for (landing, segment) in &part.gateways {
        if landing.spec.life.wanted == Wanted::Gone || !here.contains(&segment.id) {
            continue;
        }
        let (Some(block), Some(network)) = (landing.spec.block, landing.spec.network) else { continue };
        let prefix = tx.find::<Block>(block)?.and_then(|block| block.spec.prefix);
        let domain = tx.find::<Network>(network)?.and_then(|network| network.spec.vni);
        if let (Some(prefix), Some(domain)) = (prefix, domain) {
            want.gateways.push(Gateway { vni: vni(segment)?, domain, address: gateways::address(prefix) });
        }
    }
    want.gateways.sort_by_key(|g| g.vni);
    Ok(want)
}

fn vni(segment: &Object<Segment>) -> Result<i64, Error> {
    segment.spec.vni.ok_or_else(|| Error::Bug(format!("the segment {} has no number in the fabric", segment.id)))
}

async fn told(job: Job, fence: Fence) -> Outcome {
    let Job { agent, target, want } = job;
    let mut applied = None;
    let said = async {
        let seen = agent.observe(&target).await?;
        let plan = agent.plan(&want, &seen)?;
        if !plan.is_change {
            return Ok(seen);
        }
        let seen = agent.apply(&target, plan, fence).await?;
        applied = Some(fence);
        Ok(seen)
    };
    let said = said.await;
    Outcome { want, said, applied }
}

impl Controller for SwitchController {
    const NAME: &'static str = "switch";
    type Job = Job;
    type Outcome = Outcome;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Job>, Error> {
        let Some(equipment) = tx.find::<Equipment>(id.of())? else { return Ok(Next::Gone) };
        if equipment.spec.family != ops::Family::Switch {
            return Ok(Next::Gone);
        }
        let part = Part::read(tx, equipment.id)?;
        if part.nics.is_empty() && equipment.status.applied_at.is_none() {
            // Nothing of ours is on it, nor ever was.
            return Ok(Next::Settled { look_again: None });
        }
        let agent = match self.agents.switches.get(&equipment.spec.make) {
            Ok(agent) => agent,
            Err(why) => return Ok(Next::Stuck { why, look_again: Some(self.pace.retry) }),
        };
        let target = target(&self.app, id, Some(&equipment.spec), "")?;
        let want = desired(tx, &part)?;
        Ok(Next::Drive(Job { agent, target, want }))
    }

    fn drive(&self, job: Job, fence: Fence) -> Soon<'_, Outcome> {
        Box::pin(told(job, fence))
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Outcome) -> Result<Next<()>, Error> {
        let Some(equipment) = tx.find::<Equipment>(id.of())? else { return Ok(Next::Gone) };
        match &outcome.said {
            Ok(seen) => record::seen(tx, equipment, &outcome.want, seen, outcome.applied, &self.pace),
            Err(error) => record::failed(tx, equipment, error, &self.pace),
        }
    }
}

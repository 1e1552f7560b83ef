//! The controllers of things that no equipment builds one by one: networks, segments, landings, ports, links to an exchange,
//! ordered routers. They exist by being there when a box is told everything, so they come up at once; what hangs on them goes
//! before they do. A landing whose port is patched to a switch is the exception: the switch's controller says how it stands.

use std::{marker::PhantomData, time::Duration};

use meetme_agent::Fence;
use meetme_app::{Error, gateways, networks, nics, ports};
use meetme_base::RawId;
use meetme_model::{
    Life, LifeStatus, Phase, Wanted,
    fabric::{Circuit, Landing, LandingStatus, Leg, Network, Port, PortStatus, Segment},
    living,
    ops::Equipment,
    routing::{ExchangeLink, ExchangeLinkStatus, ExchangeSession, Router, RouterStatus},
};
use meetme_store::{Filter, Object, Resource, Tx};

use crate::{
    controller::{Controller, Next, Soon},
    life,
    pace::Pace,
};

/// A kind with a life that needs no equipment of its own.
pub trait Plain: Resource {
    /// The name under which work is queued for it.
    const CONTROLLER: &'static str;
    /// The wish about its life.
    fn life(&self) -> &Life;
    /// What is known of its life.
    fn known(status: &Self::Status) -> &LifeStatus;
    /// The same status with another life.
    fn with(status: &Self::Status, life: LifeStatus) -> Self::Status;
    /// Whether a box is told of this one, so that the controller of the box says how it stands.
    ///
    /// # Errors
    /// When the store fails.
    fn is_driven(_tx: &mut Tx<'_>, _row: &Object<Self>) -> Result<bool, Error> {
        Ok(false)
    }
    /// Whether this one is brought up and down here, rather than by hand.
    fn is_ordered(&self) -> bool {
        true
    }
    /// What has to go before it can, in a sentence.
    ///
    /// # Errors
    /// When the store fails.
    fn holds(tx: &mut Tx<'_>, id: RawId) -> Result<Option<String>, Error>;
    /// Wishes gone what goes along with it.
    ///
    /// # Errors
    /// When the store fails.
    fn take_along(_tx: &mut Tx<'_>, _id: RawId) -> Result<(), Error> {
        Ok(())
    }
}

/// Makes the things of one such kind follow what is stored of them.
pub struct PlainController<R> {
    pace: Pace,
    of: PhantomData<fn() -> R>,
}

impl<R: Plain> PlainController<R> {
    /// A controller of this kind.
    pub const fn new(pace: Pace) -> Self {
        Self { pace, of: PhantomData }
    }
}

impl<R: Plain> Controller for PlainController<R> {
    const NAME: &'static str = R::CONTROLLER;
    type Job = Phase;
    type Outcome = Phase;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<Phase>, Error> {
        let Some(row) = tx.find::<R>(id.of())? else { return Ok(Next::Gone) };
        let (wish, known) = (row.spec.life(), R::known(&row.status));
        let is_over = wish.wanted == Wanted::Gone || wish.gone_at.is_some_and(|day| day <= tx.now());
        if known.phase == Phase::Gone {
            return Ok(Next::Gone);
        }
        if !row.spec.is_ordered() {
            return Ok(Next::Settled { look_again: None });
        }
        if R::is_driven(tx, &row)? {
            // The equipment that is to let go of it may itself be taken away meanwhile, which nobody tells us.
            let why = "Its equipment says how it stands.".to_owned();
            let at_most = self.pace.watch;
            return Ok(if is_over { Next::Wait { why, at_most } } else { Next::Settled { look_again: None } });
        }
        if is_over {
            if known.phase != Phase::Removing {
                return Ok(Next::Drive(Phase::Removing));
            }
            return Ok(match R::holds(tx, id)? {
                Some(why) => Next::Wait { why, at_most: self.pace.watch },
                None => Next::Drive(Phase::Gone),
            });
        }
        let ends = wish.gone_at.map(|day| Duration::from_millis(u64::try_from(day.0 - tx.now().0).unwrap_or(0)));
        Ok(match (wish.wanted, known.phase) {
            (Wanted::Draft, _) | (_, Phase::Draft | Phase::Asking) => Next::Settled { look_again: None },
            (_, Phase::Queued) => Next::Drive(Phase::Building),
            (Wanted::Off, Phase::Off) | (_, Phase::Up | Phase::Ending) => Next::Settled { look_again: ends },
            (Wanted::Off, _) => Next::Drive(Phase::Off),
            _ => Next::Drive(Phase::Up),
        })
    }

    fn drive(&self, job: Phase, _: Fence) -> Soon<'_, Phase> {
        Box::pin(std::future::ready(job))
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, phase: &Phase) -> Result<Next<()>, Error> {
        let Some(mut row) = tx.find::<R>(id.of())? else { return Ok(Next::Gone) };
        match phase {
            Phase::Removing => R::take_along(tx, id)?,
            Phase::Gone if R::KIND == Network::KIND => {
                networks::bury(tx, id.of())?;
                return Ok(Next::Gone);
            }
            Phase::Gone if R::KIND == Landing::KIND => {
                gateways::bury(tx, id.of())?;
                return Ok(Next::Gone);
            }
            Phase::Gone => tx.release_all(id)?,
            _ => {}
        }
        let known = R::known(&row.status);
        let next = life::moved(known, *phase, None, None, tx.now());
        let line = life::line(&row.spec.title(), known, &next);
        let status = R::with(&row.status, next);
        tx.observe(&mut row, status, line)?;
        Ok(if *phase == Phase::Gone { Next::Gone } else { Next::Drive(()) })
    }
}

fn legs_on(tx: &mut Tx<'_>, id: RawId) -> Result<Option<String>, Error> {
    let n = tx.count::<Leg>(&Filter::eq("a_end", id).or(Filter::eq("z_end", id)).and(living()))?;
    Ok((n > 0).then(|| format!("{n} legs of circuits still end there.")))
}

impl Plain for Network {
    const CONTROLLER: &'static str = "network";
    fn life(&self) -> &Life {
        &self.life
    }
    fn known(status: &LifeStatus) -> &LifeStatus {
        status
    }
    fn with(_: &LifeStatus, life: LifeStatus) -> LifeStatus {
        life
    }
    fn holds(tx: &mut Tx<'_>, id: RawId) -> Result<Option<String>, Error> {
        let n = tx.count::<Circuit>(&Filter::eq("network", id).and(living()))?;
        if n > 0 {
            return Ok(Some(format!("{n} circuits of the network are being taken down.")));
        }
        let n = tx.count::<Landing>(&Filter::eq("network", id).and(living()))?;
        Ok((n > 0).then(|| format!("{n} segments still end in the network.")))
    }
}

impl Plain for Segment {
    const CONTROLLER: &'static str = "segment";
    fn life(&self) -> &Life {
        &self.life
    }
    fn known(status: &LifeStatus) -> &LifeStatus {
        status
    }
    fn with(_: &LifeStatus, life: LifeStatus) -> LifeStatus {
        life
    }
    fn holds(tx: &mut Tx<'_>, id: RawId) -> Result<Option<String>, Error> {
        let n = tx.count::<Landing>(&Filter::eq("segment", id).and(living()))?;
        if n > 0 { Ok(Some(format!("The segment still ends in {n} places."))) } else { legs_on(tx, id) }
    }
}

impl Plain for Landing {
    const CONTROLLER: &'static str = "landing";
    fn life(&self) -> &Life {
        &self.life
    }
    fn known(status: &LandingStatus) -> &LifeStatus {
        &status.life
    }
    fn with(status: &LandingStatus, life: LifeStatus) -> LandingStatus {
        LandingStatus { life, ..status.clone() }
    }
    /// A landing on a port that is patched to a switch, or a gateway of a segment that is on one; one that goes is the switches'
    /// until all of them have let go.
    fn is_driven(tx: &mut Tx<'_>, row: &Object<Self>) -> Result<bool, Error> {
        if row.spec.life.wanted == Wanted::Gone {
            return Ok(!tx.many::<Equipment>(row.status.on.iter().copied())?.is_empty());
        }
        Ok(!nics::switches(tx, row)?.is_empty())
    }
    fn holds(_: &mut Tx<'_>, _: RawId) -> Result<Option<String>, Error> {
        Ok(None)
    }
}

impl Plain for Port {
    const CONTROLLER: &'static str = "port";
    fn life(&self) -> &Life {
        &self.life
    }
    fn known(status: &PortStatus) -> &LifeStatus {
        &status.life
    }
    fn with(status: &PortStatus, life: LifeStatus) -> PortStatus {
        PortStatus { up: life.phase == Phase::Up, life, ..status.clone() }
    }
    fn holds(tx: &mut Tx<'_>, id: RawId) -> Result<Option<String>, Error> {
        let n = tx.count::<ExchangeLink>(&Filter::eq("port", id).and(living()))?;
        if n > 0 { Ok(Some(format!("{n} links to exchanges are still on the port."))) } else { legs_on(tx, id) }
    }
    fn take_along(tx: &mut Tx<'_>, id: RawId) -> Result<(), Error> {
        ports::take_along(tx, id.of())
    }
}

impl Plain for ExchangeLink {
    const CONTROLLER: &'static str = "exchange_link";
    fn life(&self) -> &Life {
        &self.life
    }
    fn known(status: &ExchangeLinkStatus) -> &LifeStatus {
        &status.life
    }
    fn with(status: &ExchangeLinkStatus, life: LifeStatus) -> ExchangeLinkStatus {
        ExchangeLinkStatus { life, ..status.clone() }
    }
    fn is_ordered(&self) -> bool {
        self.port.is_some()
    }
    fn holds(_: &mut Tx<'_>, _: RawId) -> Result<Option<String>, Error> {
        Ok(None)
    }
    fn take_along(tx: &mut Tx<'_>, id: RawId) -> Result<(), Error> {
        for session in tx.ids::<ExchangeSession>(&Filter::eq("link", id))? {
            tx.remove(session)?;
        }
        Ok(())
    }
}

impl Plain for Router {
    const CONTROLLER: &'static str = "ordered_router";
    fn life(&self) -> &Life {
        &self.life
    }
    fn known(status: &RouterStatus) -> &LifeStatus {
        &status.life
    }
    fn with(status: &RouterStatus, life: LifeStatus) -> RouterStatus {
        RouterStatus { life, ..status.clone() }
    }
    fn is_ordered(&self) -> bool {
        self.flavour.is_ordered()
    }
    fn holds(tx: &mut Tx<'_>, id: RawId) -> Result<Option<String>, Error> {
        let n = tx.count::<Network>(&Filter::eq("router", id).and(living()))?;
        if n > 0 { Ok(Some("The router's own network is being taken down.".to_owned())) } else { legs_on(tx, id) }
    }
    fn take_along(tx: &mut Tx<'_>, id: RawId) -> Result<(), Error> {
        for network in tx.all::<Network>(Filter::eq("router", id).and(living()))? {
            if network.spec.life.wanted != Wanted::Gone {
                match networks::remove(tx, network.id) {
                    Ok(_) | Err(Error::Conflict { .. }) => {}
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(())
    }
}

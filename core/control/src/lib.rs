//! From wish to wire: controllers that make equipment follow what is stored, and the runner that runs them.
//!
//! Promise: `control` decides nothing a customer is asked for (that is `app`'s) and speaks to no equipment (that is an
//! agent's). It only carries: it reads what is wanted, hands it to agents, and keeps what they saw.

mod agents;
pub mod batch;
pub mod circuit;
mod controller;
mod desired;
pub mod device;
pub mod discover;
pub mod exports;
mod guard;
pub mod hub;
pub mod jobs;
mod life;
pub mod market;
mod pace;
pub mod plain;
mod registry;
pub mod reservation;
pub mod router;
mod runner;
pub mod switch;
mod target;
pub mod volume;

pub use agents::{Agents, Makes};
pub use controller::{Controller, ErasedController, Next, Soon};
pub use meetme_agent::Fence;
pub use pace::Pace;
pub use registry::{registry, routers_of_systems};
pub use runner::{Counters, Runner, Settings};

use meetme_app::App;
use meetme_model::{
    fabric::{Landing, Network, Port, Segment},
    routing::{ExchangeLink, Router},
};

/// Every controller, at the usual pace.
pub fn controllers(app: App, agents: Agents) -> Vec<Box<dyn ErasedController>> {
    controllers_at(app, agents, Pace::default())
}

/// Every controller, at a pace.
pub fn controllers_at(app: App, agents: Agents, pace: Pace) -> Vec<Box<dyn ErasedController>> {
    vec![
        Box::new(router::RouterController::new(app.clone(), agents.clone())),
        Box::new(circuit::CircuitController::new(app.clone(), agents.clone(), pace)),
        Box::new(device::DeviceController::new(app.clone(), agents.clone(), pace)),
        Box::new(switch::SwitchController::new(app.clone(), agents.clone(), pace)),
        Box::new(volume::VolumeController::new(app, agents, pace)),
        Box::new(volume::PolicyController::new(pace)),
        Box::new(batch::BatchController),
        Box::new(reservation::ReservationController::new(pace)),
        Box::new(market::MarketController::new(pace)),
        Box::new(market::SpotRequestController::new(pace)),
        Box::new(plain::PlainController::<Network>::new(pace)),
        Box::new(plain::PlainController::<Segment>::new(pace)),
        Box::new(plain::PlainController::<Landing>::new(pace)),
        Box::new(plain::PlainController::<Port>::new(pace)),
        Box::new(plain::PlainController::<ExchangeLink>::new(pace)),
        Box::new(plain::PlainController::<Router>::new(pace)),
    ]
}

//! From wish to wire: controllers that make equipment follow what is stored, and the runner that runs them.
//!
//! Promise: `control` decides nothing a customer is asked for (that is `app`'s) and speaks to no equipment (that is an
//! agent's). It only carries: it reads what is wanted, hands it to agents, and keeps what they saw.

mod agents;
mod controller;
mod desired;
mod life;
pub mod router;
mod runner;

pub use agents::{Agents, Makes};
pub use controller::{Controller, ErasedController, Next, Soon};
pub use runner::{Counters, Runner, Settings};

//! The public peering database (PeeringDB): its client, the synchronisation of our copy, and taking over sessions with what the copy
//! knows.
//!
//! Promise: this crate speaks to that database and to nobody else. What is kept of its answers, and what follows from them, the
//! core decides.

mod client;
mod schedule;
mod settings;
mod worker;

pub use client::{Answer, Client, Trouble};
pub use schedule::keep_fresh;
pub use settings::{ApiKey, Settings};
pub use worker::{PeeringDb, Summary};

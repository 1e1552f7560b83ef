//! Webhooks: calls to other people's servers when something happens.
//!
//! Promise: this crate decides neither who is told nor in whose words; that is `app`'s and the dialects'. It sees that everything a
//! hook hears of is told at least once, in the order in which it happened, also when the process dies in between, and that a call
//! reaches nothing inside.
//!
//! Each hook has its own place in the change log, kept with its status after each call; there is no second queue that could differ from
//! the log. Road not taken: a row for each delivery, which would be written twice for every change of a busy day.

mod call;
mod controller;
mod listener;

pub use call::{Call, Failure};
pub use controller::{HookController, Settings};
pub use listener::Listener;

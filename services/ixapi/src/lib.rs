//! IX-API, version 2: what an exchange's operator lets its members see and change by program.
//!
//! Promise: it decides nothing and keeps nothing. It logs in, asks, and says what was answered; where it may go is fenced by the
//! operator's configuration, because the address is a customer's.

mod client;
mod worker;

pub use client::{Account, Client};
pub use worker::IxApiWorker;

//! Mail on its way out: jobs that carry a letter to the operator's mail server (SMTP, RFC 5321) and say what the server said.
//!
//! Promise: it decides neither who may write nor to whom: a letter comes finished from the core. It speaks to one server, the one
//! in the configuration, and adds nothing of its own to a letter but the headers that every mail has.

mod letter;
mod settings;
mod worker;

pub use letter::Sender;
pub use settings::{Password, Settings, Tls};
pub use worker::{Delivery, MailWorker};

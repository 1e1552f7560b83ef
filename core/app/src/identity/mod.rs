//! Identity: one credential works at every door, each in that door's own form.
//!
//! A key has a public part (22 characters) and a secret (40 hexadecimal digits). Doors that want a pair take both; doors that want
//! one text take the secret. People log in with name and password and get a session.

mod anonymous;
pub mod factor;
mod key;
mod password;
mod resolve;
mod session;
mod setup;
mod throttle;
pub mod totp;

pub(crate) use anonymous::Anonymous;
pub use anonymous::{anonymous, open_book};
pub use key::{Issued, NewKey, change as change_key, create as create_key, issue, read_secret};
pub use password::{hash_password, hash_password_away, login};
pub use resolve::{Callers, Credential, Door, authenticate};
pub use session::{Opened, Which, close, open, open_for, refresh};
pub use setup::{First, builtin_role, first};
pub(crate) use setup::{late_role, make_owner};
pub use throttle::Throttle;

pub use crate::giving::Giver;

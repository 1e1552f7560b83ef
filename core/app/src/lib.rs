//! All policy: identity, access, allocation, ordering. Dialects call the functions here and nothing below.
//!
//! Promise: `app` knows no dialect, no HTTP, no runtime and no equipment. Every rule that two doors share is here.

mod error;

pub use error::{AuthFailure, Error};

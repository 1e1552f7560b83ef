//! Work on routers that takes longer than a request.

use meetme_base::Id;
use meetme_model::{ops::Job, routing::Router};
use meetme_store::{Object, Tx};

use crate::{
    AuthFailure, Error,
    jobs::{self, Ask},
};

/// The work of seeing whether the box behind a router answers.
pub const TEST: &str = "router.test";

/// Sees whether the box behind a router answers. Whoever may see the router may ask, once they showed who they are.
///
/// # Errors
/// When the router is not there for the caller.
pub fn test(tx: &mut Tx<'_>, id: Id<Router>) -> Result<Object<Job>, Error> {
    if tx.actor().by.is_none() {
        return Err(Error::Unauthenticated(AuthFailure::Absent));
    }
    let router = tx.get(id)?;
    let name = format!("Test the connection to {}", router.spec.name);
    jobs::ask(tx, router.tenant, Ask { what: TEST, name, subject: Some(id.any()), ..Ask::default() })
}

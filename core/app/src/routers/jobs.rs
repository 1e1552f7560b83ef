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

/// The work of rendering a router's configuration.
pub const RENDER: &str = "router.render";

/// The work of showing, and perhaps making, the change a router's box needs.
pub const CONFIGURE: &str = "router.configure";

/// Renders the configuration of a router by its template, passwords masked. Whoever may see the router may ask, once they showed
/// who they are.
///
/// # Errors
/// When the router is not there for the caller.
pub fn render(tx: &mut Tx<'_>, id: Id<Router>) -> Result<Object<Job>, Error> {
    let router = named(tx, id)?;
    let name = format!("Render the configuration of {}", router.spec.name);
    jobs::ask(tx, router.tenant, Ask { what: RENDER, name, subject: Some(id.any()), ..Ask::default() })
}

/// Shows the change a router's box needs, and makes it where `commit` says so. Whoever may see the router may see the change,
/// passwords masked; only who may change or deploy the router may have it made.
///
/// # Errors
/// [`Error::Missing`] and [`Error::Denied`].
pub fn configure(tx: &mut Tx<'_>, id: Id<Router>, commit: bool) -> Result<Object<Job>, Error> {
    let router = named(tx, id)?;
    if commit && !tx.may_with("change", &router)? && !tx.may_with("deploy", &router)? {
        let kind = <Router as meetme_store::Resource>::KIND;
        return Err(meetme_store::Error::Denied { kind, verb: "change" }.into());
    }
    let verb = if commit { "Configure" } else { "Show the change of" };
    let name = format!("{verb} {}", router.spec.name);
    let inputs = serde_json::json!({"commit": commit});
    jobs::ask(tx, router.tenant, Ask { what: CONFIGURE, name, subject: Some(id.any()), inputs })
}

/// A router that the caller may see, once they showed who they are.
fn named(tx: &mut Tx<'_>, id: Id<Router>) -> Result<Object<Router>, Error> {
    if tx.actor().by.is_none() {
        return Err(Error::Unauthenticated(AuthFailure::Absent));
    }
    Ok(tx.get(id)?)
}

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

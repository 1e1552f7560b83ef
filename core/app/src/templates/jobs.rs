//! Rendering an export as work that takes longer than a request.

use meetme_base::Id;
use meetme_model::{
    ops::Job,
    routing::{Template, TemplatePurpose},
};
use meetme_store::{Filter, Object, Tx};

use super::{Prepared, export};
use crate::{
    App, AuthFailure, Error,
    jobs::{self, Ask},
};

/// The work of rendering an export of all rows of its book.
pub const EXPORT: &str = "export.render";

/// Puts the rendering of an export into the queue. Whoever may see the template may ask, once they showed who they are.
///
/// # Errors
/// When the template is not there for the caller, or is none of an export.
pub fn ask_export(tx: &mut Tx<'_>, id: Id<Template>) -> Result<Object<Job>, Error> {
    let template = named(tx, id)?;
    let name = format!("Render the export {}", template.spec.name);
    jobs::ask(tx, template.tenant, Ask { what: EXPORT, name, subject: Some(id.any()), ..Ask::default() })
}

/// An export of the rows that the caller may see.
///
/// # Errors
/// When the template is not there for the caller, or is none of an export.
pub fn export_seen(app: &App, tx: &mut Tx<'_>, id: Id<Template>, filter: &Filter) -> Result<Prepared, Error> {
    let template = named(tx, id)?;
    export(app, tx, &template, filter)
}

/// An export of the rows of the template's own book: what a job does, whoever asked.
///
/// # Errors
/// When the template is gone.
pub fn export_whole(app: &App, tx: &mut Tx<'_>, id: Id<Template>) -> Result<Prepared, Error> {
    let template = tx.get(id)?;
    let rows = Filter::eq("tenant", template.tenant);
    export(app, tx, &template, &rows)
}

fn named(tx: &mut Tx<'_>, id: Id<Template>) -> Result<Object<Template>, Error> {
    if tx.actor().by.is_none() {
        return Err(Error::Unauthenticated(AuthFailure::Absent));
    }
    let template = tx.get(id)?;
    if template.spec.purpose != TemplatePurpose::Export {
        return Err(Error::missing(<Template as meetme_store::Resource>::KIND, id));
    }
    Ok(template)
}

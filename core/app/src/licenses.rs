//! Licences of products: a project asks for one, the operator enters its key.

use meetme_base::{Id, Invalid};
use meetme_model::{
    access::{Form, Organization, Project},
    metal::License,
    place::Image,
};
use meetme_store::{Filter, Object, Resource as _, Tx};

use crate::{App, Error, access};

/// Asks for a licence for a project.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`]; when the product needs none.
pub fn ask(
    tx: &mut Tx<'_>,
    project: Id<Project>,
    product: Option<Id<Image>>,
    size: Option<f64>,
    description: Option<String>,
) -> Result<Object<License>, Error> {
    let node = tx.get(project)?.id;
    if let Some(product) = product
        && !tx.get(product)?.spec.licensed
    {
        return Err(Invalid::rule("product", "This product needs no licence.").into());
    }
    let spec = License { description, size, product, key: None, project: node, ext: Default::default() };
    Ok(tx.create(node.any(), spec)?)
}

/// The caller may enter keys: answers for the operator's own node.
///
/// # Errors
/// [`Error::Denied`].
pub fn may_enter_key(tx: &mut Tx<'_>) -> Result<(), Error> {
    let operator = tx.as_system(|tx| tx.one::<Organization>(&Filter::eq("form", Form::Operator.word())))?;
    match operator {
        Some(operator) => access::require(tx, License::KIND, "change", operator.id.any()),
        None => Ok(()),
    }
}

/// The key of a licence, for who may have things revealed where it hangs.
///
/// # Errors
/// When it cannot be opened.
pub fn key(app: &App, tx: &mut Tx<'_>, row: &Object<License>) -> Result<Option<String>, Error> {
    let Some(sealed) = &row.spec.key else { return Ok(None) };
    if !tx.may(License::KIND, "reveal", row.tenant)? {
        return Ok(None);
    }
    Ok(Some(app.sealer().open(sealed)?.expose().clone()))
}

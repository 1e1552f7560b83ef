//! Rules of rows that are about objects of any kind: contacts of something, notes on something, data for something; and what they name.

use meetme_base::{Invalid, RawId};
use meetme_model::{
    access::User,
    ops::{Contact, ContactAssignment, ContactRole, Journal, subject},
    routing::{ConfigContext, ConfigContextAssignment, IxApi, Template},
};
use meetme_store::{Resource as _, Tx};

use super::Ruled;
use crate::{Error, access, contexts, sources};

impl Ruled for ConfigContext {
    fn settle(&mut self, tx: &mut Tx<'_>, _: RawId, before: Option<&Self>) -> Result<(), Error> {
        sources::settle(self, tx, before)
    }
}
impl Ruled for Contact {}
impl Ruled for ContactRole {}
impl Ruled for IxApi {}

/// What an object is, in the word that rows keep about it. `claimed` is what the caller says it is, or nothing. An object that the
/// caller cannot see, one that is not there and one that is something else are all the same to the caller.
fn sort(tx: &mut Tx<'_>, field: &'static str, object: RawId, claimed: &str) -> Result<String, Error> {
    let missing = || Error::from(Invalid::reference(field, format!("The object {object}")));
    let kind = tx.kind_of(object)?.ok_or_else(missing)?;
    let purpose = match kind {
        kind if kind == Template::KIND => {
            let template = tx.find::<Template>(object.of())?.ok_or_else(missing)?;
            Some(template.spec.purpose)
        }
        _ => None,
    };
    let sort = subject(kind, purpose);
    if claimed.is_empty() || claimed == sort { Ok(sort) } else { Err(missing()) }
}

impl Ruled for ContactAssignment {
    fn settle(&mut self, tx: &mut Tx<'_>, _: RawId, before: Option<&Self>) -> Result<(), Error> {
        if before.is_none_or(|b| (b.object, &b.sort) != (self.object, &self.sort)) {
            self.sort = sort(tx, "object", self.object, &self.sort)?;
        }
        Ok(())
    }
}

impl Ruled for Journal {
    fn settle(&mut self, tx: &mut Tx<'_>, _: RawId, before: Option<&Self>) -> Result<(), Error> {
        if before.is_none_or(|b| (b.on, &b.sort) != (self.on, &self.sort)) {
            self.sort = sort(tx, "on", self.on, &self.sort)?;
        }
        if before.is_none()
            && self.by.is_none()
            && let Some(by) = tx.actor().by
            && tx.kind_of(by)? == Some(User::KIND)
        {
            self.by = Some(by.of());
        }
        Ok(())
    }
}

impl Ruled for ConfigContextAssignment {
    /// What is assigned ends in the configurations of others' routers when the object is theirs: it takes the right to assign where the
    /// object is, not only where the row hangs.
    fn settle(&mut self, tx: &mut Tx<'_>, _: RawId, before: Option<&Self>) -> Result<(), Error> {
        if before.is_some_and(|b| (b.object, &b.sort) == (self.object, &self.sort)) {
            return Ok(());
        }
        self.sort = sort(tx, "object", self.object, &self.sort)?;
        let info = contexts::KINDS.iter().find(|kind| kind.name() == self.sort);
        let Some(info) = info.and_then(|kind| tx.registry().kind(kind.name())) else {
            return Err(Invalid::rule("sort", "Objects of this type have no config context.").into());
        };
        // Seen with the caller's own eyes: whoever cannot see the object is told what is told of one that is not there.
        let object = match tx.get_any(info, self.object) {
            Ok(object) => object,
            Err(meetme_store::Error::Missing { .. }) => {
                return Err(Invalid::reference("object", format!("The object {}", self.object)).into());
            }
            Err(other) => return Err(other.into()),
        };
        access::require(tx, Self::KIND, "create", object.tenant)
    }
}

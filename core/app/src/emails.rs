//! E-mail addresses of users. Letters that let somebody in go to verified ones only, so who may write an address down for somebody
//! else must have whatever that somebody has.
//!
//! A user with addresses has exactly one that is meant when nothing else is said; it is also the one shown for the person.

use meetme_base::{Id, Invalid};
use meetme_model::access::{EmailAddress, EmailAddressStatus, User};
use meetme_store::{Filter, Object, Resource as _, Tx, fold};

use crate::{
    App, Error, Subject, access,
    giving::{may_act_as, must_be_whole},
};

/// The most addresses of one user.
const MOST: u64 = 20;

/// Adds an address to a user. The first one is the usual one, whatever is said.
///
/// # Errors
/// [`Error::Denied`] when it is another person's affair, [`Error::Exists`] when somebody has the address.
pub fn add(
    app: &App,
    tx: &mut Tx<'_>,
    by: &Subject,
    user: Id<User>,
    address: &str,
    is_default: bool,
) -> Result<Object<EmailAddress>, Error> {
    may_touch(app, tx, by, user, "create")?;
    tx.as_system(|tx| {
        let home = tx.get(user)?.tenant;
        let count = tx.count::<EmailAddress>(&Filter::eq("user", user))?;
        if count >= MOST {
            return Err(Error::conflict("too_many", format!("A user has at most {MOST} addresses.")));
        }
        let spec = EmailAddress { address: address.trim().to_owned(), default: false, user };
        let mut made = tx.create(home, spec)?;
        if is_default || count == 0 {
            make_default(tx, &mut made)?;
        }
        Ok(made)
    })
}

/// Changes an address. Another text has to be verified anew.
///
/// # Errors
/// As [`add`]; when the usual one would be none without another one in its place.
pub fn change(
    app: &App,
    tx: &mut Tx<'_>,
    by: &Subject,
    row: &Object<EmailAddress>,
    address: Option<&str>,
    is_default: Option<bool>,
) -> Result<Object<EmailAddress>, Error> {
    may_touch(app, tx, by, row.spec.user, "change")?;
    tx.as_system(|tx| {
        let mut row = tx.get(row.id)?;
        if let Some(address) = address.map(str::trim)
            && address != row.spec.address
        {
            let is_same = fold(address) == fold(&row.spec.address);
            let spec = EmailAddress { address: address.to_owned(), ..row.spec.clone() };
            tx.save(&mut row, spec)?;
            if !is_same {
                tx.observe(&mut row, EmailAddressStatus::default(), None)?;
            }
            if row.spec.default {
                show(tx, &row)?;
            }
        }
        match is_default {
            Some(true) => make_default(tx, &mut row)?,
            Some(false) if row.spec.default => {
                return Err(Invalid::rule("default", "Make another address the default instead.").into());
            }
            _ => {}
        }
        Ok(row)
    })
}

/// Removes an address.
///
/// # Errors
/// As [`add`]; [`Error::Conflict`] `default` for the usual one: another one has to take its place first.
pub fn remove(app: &App, tx: &mut Tx<'_>, by: &Subject, row: &Object<EmailAddress>) -> Result<(), Error> {
    may_touch(app, tx, by, row.spec.user, "remove")?;
    if row.spec.default {
        return Err(Error::conflict("default", "The default address cannot be removed; make another one the default."));
    }
    Ok(tx.as_system(|tx| tx.remove(row.id))?)
}

/// The addresses of a user that the user proved to read, in the form in which two are the same.
pub(crate) fn verified(tx: &mut Tx<'_>, user: Id<User>) -> Result<Vec<String>, Error> {
    let rows = tx.as_system(|tx| tx.all::<EmailAddress>(Filter::eq("user", user)))?;
    Ok(rows.into_iter().filter(|row| row.status.verified_at.is_some()).map(|row| fold(&row.spec.address)).collect())
}

/// The row of an address, whoever has it.
pub(crate) fn whose(tx: &mut Tx<'_>, address: &str) -> Result<Option<Object<EmailAddress>>, Error> {
    Ok(tx.as_system(|tx| tx.one::<EmailAddress>(&Filter::eq("address_key", fold(address.trim()))))?)
}

/// Notes that a letter to the address was read by its user, who is verified by it too.
pub(crate) fn verify(tx: &mut Tx<'_>, mut row: Object<EmailAddress>) -> Result<(), Error> {
    tx.as_system(|tx| {
        let now = Some(tx.now());
        if row.status.verified_at.is_none() {
            tx.observe(&mut row, EmailAddressStatus { verified_at: now }, None)?;
        }
        let mut user = tx.get(row.spec.user)?;
        if user.status.verified_at.is_none() {
            let status = meetme_model::access::UserStatus { verified_at: now, ..user.status.clone() };
            tx.observe(&mut user, status, None)?;
        }
        Ok(())
    })
}

/// Makes this the usual address, in the place of any other.
pub(crate) fn make_default(tx: &mut Tx<'_>, row: &mut Object<EmailAddress>) -> Result<(), Error> {
    for mut other in tx.all::<EmailAddress>(Filter::eq("user", row.spec.user).and(Filter::eq("default", true)))? {
        if other.id != row.id {
            let spec = EmailAddress { default: false, ..other.spec.clone() };
            tx.save(&mut other, spec)?;
        }
    }
    let spec = EmailAddress { default: true, ..row.spec.clone() };
    tx.save(row, spec)?;
    show(tx, row)
}

/// Shows the address for the person.
fn show(tx: &mut Tx<'_>, row: &Object<EmailAddress>) -> Result<(), Error> {
    let mut user = tx.get(row.spec.user)?;
    let spec = User { email: Some(row.spec.address.clone()), ..user.spec.clone() };
    Ok(tx.save(&mut user, spec)?)
}

/// Everybody looks after their own addresses; for another person it takes the right to, and everything that person may do.
pub(crate) fn may_touch(
    app: &App,
    tx: &mut Tx<'_>,
    by: &Subject,
    user: Id<User>,
    verb: &'static str,
) -> Result<(), Error> {
    must_be_whole(tx, by)?;
    if by.user == Some(user) {
        return Ok(());
    }
    let of = tx.get(user)?;
    access::require(tx, EmailAddress::KIND, verb, of.tenant)?;
    if of.spec.superuser && !by.superuser {
        return Err(Error::Denied("A superuser's addresses are the superuser's own affair.".to_owned()));
    }
    may_act_as(app, tx, user)
}

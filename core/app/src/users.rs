//! Users, whichever door makes or changes them: nobody wins anything by another person's login.

use meetme_base::{Id, Invalid};
use meetme_model::access::{Membership, User};
use meetme_store::{Object, Resource as _, Tx};

use crate::{
    Error, access,
    giving::{may_act_as, may_give, must_be_whole},
    identity,
    peering::Ruled,
    resources::By,
};

/// Makes a user at home in an organization.
///
/// # Errors
/// [`Error::Denied`] when the caller may make none there, or gives powers that only a superuser gives.
pub fn create(by: By<'_>, tx: &mut Tx<'_>, new: User) -> Result<Object<User>, Error> {
    check_powers(by, tx, None, &new)?;
    Ok(tx.create(new.home.any(), new)?)
}

/// Lets a user read the book of peerings of the home organization, as far as the caller may give that: a person who can log in and see
/// nothing is of no use at doors that know no rights to read.
///
/// # Errors
/// [`Error::Denied`] when the caller does not have that right.
pub fn let_read(by: By<'_>, tx: &mut Tx<'_>, user: &Object<User>) -> Result<(), Error> {
    let (role, node) = (identity::late_role(tx, "reader")?, user.spec.home.any());
    may_give(by.app, tx, &by.caller.subject, &[role], node)?;
    let place = Membership { user: user.id, scope: node, roles: vec![role], title: None };
    // The right to make users carries this one membership with it.
    tx.as_system(|tx| tx.create(node, place))?;
    Ok(())
}

/// Changes a user into `spec`.
///
/// # Errors
/// [`Error::Denied`] when the caller may not change this of the user.
pub fn change(by: By<'_>, tx: &mut Tx<'_>, user: &mut Object<User>, spec: User) -> Result<(), Error> {
    let before = user.spec.clone();
    if before == spec {
        return Ok(());
    }
    if before.home != spec.home {
        return Err(Invalid::rule("home", "A user cannot be moved to another organization.").into());
    }
    let own = by.caller.subject.user == Some(user.id);
    let admin = tx.may(User::KIND, "change", user.tenant)?;
    if !admin && (before.active != spec.active || before.username != spec.username) {
        return Err(Error::Denied("Only an administrator changes this of a user.".to_owned()));
    }
    let new_password = before.password != spec.password;
    if new_password || before.active != spec.active || before.email != spec.email {
        must_be_whole(tx, &by.caller.subject)?;
        if before.superuser && !own && !by.caller.subject.superuser {
            return Err(Error::Denied("Only a superuser changes this of another superuser.".to_owned()));
        }
        // Who sets a password can log in with it.
        if new_password && !own {
            may_act_as(by.app, tx, user.id)?;
        }
    }
    tx.save(user, spec)?;
    check_powers(by, tx, Some(&before), &user.spec)
}

/// Removes a user.
///
/// # Errors
/// [`Error::Denied`] when the caller may not.
pub fn remove(by: By<'_>, tx: &mut Tx<'_>, user: Id<User>) -> Result<(), Error> {
    if tx.get(user)?.spec.superuser && !by.caller.subject.superuser {
        return Err(Error::Denied("Only a superuser removes a superuser.".to_owned()));
    }
    Ok(tx.remove(user)?)
}

/// Rights over the whole installation or a whole organization are given by those who have them.
fn check_powers(by: By<'_>, tx: &mut Tx<'_>, before: Option<&User>, after: &User) -> Result<(), Error> {
    let gains = |is: fn(&User) -> bool| is(after) != before.is_some_and(is);
    if gains(|user| user.superuser) || gains(|user| user.staff) {
        must_be_whole(tx, &by.caller.subject)?;
        if !by.caller.subject.superuser {
            return Err(Error::Denied("Only a superuser makes or unmakes superusers and staff.".to_owned()));
        }
    }
    Ok(())
}

impl Ruled for User {
    fn create_by(
        by: By<'_>,
        tx: &mut Tx<'_>,
        tenant: meetme_base::RawId,
        spec: Self,
        _: Self::Status,
    ) -> Result<Object<Self>, Error> {
        access::require(tx, Self::KIND, "create", tenant)?;
        let new = Self { home: tenant.of(), ..spec };
        check_powers(by, tx, None, &new)?;
        // The right to make users is enough: nobody has to see the organization's own row for it.
        let made = tx.as_system(|tx| tx.create(tenant, new))?;
        let_read(by, tx, &made)?;
        Ok(made)
    }
    fn save_by(by: By<'_>, tx: &mut Tx<'_>, object: &mut Object<Self>, spec: Self) -> Result<(), Error> {
        change(by, tx, object, spec)
    }
    fn remove_by(by: By<'_>, tx: &mut Tx<'_>, id: Id<Self>) -> Result<(), Error> {
        remove(by, tx, id)
    }
}

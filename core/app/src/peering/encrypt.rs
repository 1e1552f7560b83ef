//! Spelling a session's password as its router's platform does.

use meetme_base::{Id, Sealed};
use meetme_model::{
    Peer,
    routing::{DirectSession, ExchangeSession, Router},
};
use meetme_store::Tx;

use crate::{App, AuthFailure, Error, passwords, routers};

/// Spells the password of a session across an exchange; false when there is nothing to spell, or no platform that says how.
///
/// # Errors
/// When the session is not there for the caller, or the caller may not change it.
pub fn encrypt_exchange(app: &App, tx: &mut Tx<'_>, id: Id<ExchangeSession>, salt: u8) -> Result<bool, Error> {
    let mut row = required(tx, id)?;
    let link = tx.as_system(|tx| tx.get(row.spec.link))?;
    let key = row.spec.ip.to_string();
    let Some(sealed) = spelled(app, tx, link.spec.router, &row.spec.peer, &key, salt)? else { return Ok(false) };
    let mut spec = row.spec.clone();
    spec.peer.encrypted = Some(sealed);
    super::save(tx, &mut row, spec)?;
    Ok(true)
}

/// Spells the password of a direct session; as [`encrypt_exchange`].
///
/// # Errors
/// As [`encrypt_exchange`].
pub fn encrypt_direct(app: &App, tx: &mut Tx<'_>, id: Id<DirectSession>, salt: u8) -> Result<bool, Error> {
    let mut row = required(tx, id)?;
    let router = routers::routers_of(tx, &row.spec)?.first().copied();
    let key = row.spec.ip.ip().to_string();
    let Some(sealed) = spelled(app, tx, router, &row.spec.peer, &key, salt)? else { return Ok(false) };
    let mut spec = row.spec.clone();
    spec.peer.encrypted = Some(sealed);
    super::save(tx, &mut row, spec)?;
    Ok(true)
}

/// The session, if the caller may change it: whoever may not does not learn whether it has a password.
fn required<R: super::Ruled>(tx: &mut Tx<'_>, id: Id<R>) -> Result<meetme_store::Object<R>, Error> {
    if tx.actor().by.is_none() {
        return Err(Error::Unauthenticated(AuthFailure::Absent));
    }
    let row = tx.get(id)?;
    crate::access::require(tx, R::KIND, "change", row.tenant)?;
    Ok(row)
}

fn spelled(
    app: &App,
    tx: &mut Tx<'_>,
    router: Option<Id<Router>>,
    peer: &Peer,
    key: &str,
    salt: u8,
) -> Result<Option<Sealed>, Error> {
    let (Some(password), Some(router)) = (&peer.password, router) else { return Ok(None) };
    tx.as_system(|tx| {
        let router = tx.get(router)?.spec;
        let Some(platform) = router.platform.filter(|_| router.encrypt) else { return Ok(None) };
        let Some(form) = tx.get(platform)?.spec.password_form else { return Ok(None) };
        let password = app.sealer().open(password)?;
        let text = passwords::spelled(form, password.expose(), key, salt);
        // What is spelled so already stays as it is: sealing it again would look like a change.
        let before = peer.encrypted.as_ref().map(|sealed| app.sealer().open(sealed)).transpose()?;
        if before.is_some_and(|before| before.expose() == text.expose()) {
            return Ok(peer.encrypted.clone());
        }
        app.sealer().seal(text.expose()).map(Some)
    })
}

//! Passwords: Argon2id, verified away from the database, slowed down when they fail.

use std::{net::IpAddr, sync::LazyLock};

use argon2::{Argon2, PasswordHash, PasswordHasher as _, PasswordVerifier as _, password_hash::SaltString};
use meetme_base::{Id, Secret};
use meetme_model::access::{EmailAddress, Hash, User};
use meetme_store::{Context, Filter, Object};

use crate::{App, AuthFailure, Error, offload::offload, seal};

/// Hashes a password for keeping.
///
/// # Errors
/// When the machine gives no random bytes.
pub fn hash_password(password: &Secret<String>) -> Result<Hash, Error> {
    let salt = SaltString::encode_b64(&seal::random::<16>()?).map_err(|e| Error::Bug(format!("a salt: {e}")))?;
    let hash = Argon2::default()
        .hash_password(password.expose().as_bytes(), &salt)
        .map_err(|e| Error::Bug(format!("a password cannot be hashed: {e}")))?;
    Ok(Hash::new(hash.to_string()))
}

/// The same on a thread of its own: nobody waits in a transaction for what is slow on purpose.
///
/// # Errors
/// As [`hash_password`].
pub async fn hash_password_away(password: Secret<String>) -> Result<Hash, Error> {
    offload(move || hash_password(&password)).await?
}

/// A hash nobody has the password of: an unknown name takes as long to refuse as a wrong password.
static NOBODY: LazyLock<Option<Hash>> = LazyLock::new(|| {
    let random = seal::random::<16>().ok()?;
    hash_password(&Secret::new(seal::hex(&random))).ok()
});

/// The user of this name, if the password is right, and the code of the second factor where the user has one. Names are compared
/// without regard to case; an e-mail address that was verified serves as well.
///
/// # Errors
/// [`Error::Unauthenticated`], or [`Error::Limited`] after too many failures.
pub async fn login(
    app: &App,
    username: &str,
    password: Secret<String>,
    code: Option<&str>,
    ip: Option<IpAddr>,
) -> Result<Object<User>, Error> {
    let name = format!("user:{}", meetme_store::fold(username));
    let mut names = vec![name.clone()];
    names.extend(ip.map(|ip| format!("ip:{ip}")));
    let now = app.now();
    app.throttle().check(&names, now)?;
    let key = meetme_store::fold(username);
    let user = app
        .store()
        .read::<_, Error, _>(Context::system(), move |tx| {
            let named = tx.one::<User>(&Filter::eq("username_key", key.as_str()))?;
            if named.is_some() {
                return Ok(named);
            }
            let address = tx.one::<EmailAddress>(&Filter::eq("address_key", key.as_str()))?;
            let address = address.filter(|row| row.status.verified_at.is_some());
            Ok(address.map(|row| tx.get(row.spec.user)).transpose()?)
        })
        .await?;
    let hash = user.as_ref().and_then(|u| u.spec.password.clone()).or_else(|| NOBODY.clone());
    let right = offload(move || verify(hash.as_ref(), &password)).await?;
    match user {
        Some(user) if right => {
            if !user.spec.active {
                return Err(Error::Unauthenticated(AuthFailure::Disabled));
            }
            super::factor::at_login(app, user.id, code).await?;
            app.throttle().succeeded(&name);
            seen(app, user.id);
            Ok(user)
        }
        _ => {
            app.throttle().failed(&names, now);
            Err(Error::Unauthenticated(AuthFailure::Wrong))
        }
    }
}

fn verify(hash: Option<&Hash>, password: &Secret<String>) -> bool {
    let Some(hash) = hash else { return false };
    PasswordHash::new(hash.as_str())
        .is_ok_and(|h| Argon2::default().verify_password(password.expose().as_bytes(), &h).is_ok())
}

/// Notes the login; nobody waits for it.
fn seen(app: &App, user: Id<User>) {
    drop(app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let mut object = tx.get(user)?;
        let mut status = object.status.clone();
        status.last_login = Some(tx.now());
        Ok(tx.observe(&mut object, status, None)?)
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_password_verifies() {
        let hash = hash_password(&Secret::new("correct horse".to_owned())).unwrap();
        assert!(verify(Some(&hash), &Secret::new("correct horse".to_owned())));
        assert!(
            !verify(Some(&hash), &Secret::new("battery staple".to_owned()))
                && !verify(None, &Secret::new(String::new()))
        );
    }
}

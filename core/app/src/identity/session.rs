//! Sessions: what a login or a token exchange gives out. Only keyed hashes of their tokens are kept.

use meetme_base::{RawId, Secret, Time, Uid};
use meetme_model::access::{Hash, Key, Session, User};
use meetme_store::{Context, Filter, Object, Resource as _};

use crate::{App, AuthFailure, Caller, Error};

/// A session just opened.
pub struct Opened {
    /// The token to send with each request.
    pub token: Secret<String>,
    /// The token that renews the session, usable many times.
    pub refresh: Secret<String>,
    /// How long the token is good, in seconds.
    pub seconds: i64,
    /// When it ends.
    pub expires_at: Time,
}

/// Whose session it is.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// A user's.
    User(meetme_base::Id<User>),
    /// A key's.
    Key(meetme_base::Id<Key>),
}

/// How long a refresh token is good: a year of daily use is not interrupted.
const REFRESH_SECONDS: i64 = 30 * 24 * 3600;

/// Opens a session for whoever holds a key's pair.
///
/// # Errors
/// [`Error::Unauthenticated`] when the pair is not good.
pub async fn open(app: &App, door: super::Door, public: &str, secret: &Secret<String>) -> Result<Opened, Error> {
    let caller = super::authenticate(app, door, super::Credential::Pair { public, secret: secret.expose() }).await?;
    let key = caller.subject.key.ok_or_else(|| Error::Bug("a pair without a key".to_owned()))?;
    open_for(app, door, Which::Key(key), None).await
}

/// Opens a session for a user or key that has been recognised.
///
/// # Errors
/// When the database fails.
pub async fn open_for(app: &App, door: super::Door, which: Which, agent: Option<String>) -> Result<Opened, Error> {
    let token = Uid::random().to_string();
    let refresh = crate::seal::hex(&crate::seal::random::<20>()?);
    let seconds = app.settings().session_seconds;
    let expires_at = app.now().plus_seconds(seconds);
    let (hash, refresh_hash) = (app.sealer().hash(&token), app.sealer().hash(&refresh));
    let (dialect, ip) = (door.dialect, door.ip);
    app.store()
        .write::<_, Error, _>(Context::system(), move |tx| {
            let (of, tenant): (RawId, RawId) = match which {
                Which::User(id) => (id.any(), tx.get(id)?.tenant),
                Which::Key(id) => (id.any(), tx.get(id)?.tenant),
            };
            let session = Session {
                hash: Hash::new(hash.clone()),
                refresh: Some(Hash::new(refresh_hash.clone())),
                dialect: dialect.to_owned(),
                ip,
                agent: agent.clone(),
                expires_at,
                of,
                acts_for: None,
            };
            tx.create(tenant, session)?;
            Ok(())
        })
        .await?;
    Ok(Opened { token: Secret::new(token), refresh: Secret::new(refresh), seconds, expires_at })
}

/// Renews a session: a new token, the same refresh token, the old access token stays good until its own end.
///
/// # Errors
/// [`Error::Unauthenticated`] when the refresh token is not good.
pub async fn refresh(app: &App, door: super::Door, token: &Secret<String>) -> Result<Opened, Error> {
    let hash = app.sealer().hash(token.expose());
    let now = app.now();
    let found: Option<Object<Session>> = app
        .store()
        .read::<_, Error, _>(Context::system(), move |tx| Ok(tx.one::<Session>(&Filter::eq("refresh", hash.as_str()))?))
        .await?;
    let session = found.ok_or(Error::Unauthenticated(AuthFailure::Wrong))?;
    if session.created.plus_seconds(REFRESH_SECONDS) < now {
        return Err(Error::Unauthenticated(AuthFailure::Expired));
    }
    let fresh = Uid::random().to_string();
    let fresh_hash = app.sealer().hash(&fresh);
    let seconds = app.settings().session_seconds;
    let expires_at = now.plus_seconds(seconds);
    let (dialect, ip) = (door.dialect, door.ip);
    app.store()
        .write::<_, Error, _>(Context::system(), move |tx| {
            let old = tx.get(session.id)?;
            let next = Session {
                hash: Hash::new(fresh_hash.clone()),
                refresh: None,
                dialect: dialect.to_owned(),
                ip,
                expires_at,
                ..old.spec
            };
            tx.create(old.tenant, next)?;
            Ok(())
        })
        .await?;
    Ok(Opened { token: Secret::new(fresh), refresh: token.clone(), seconds, expires_at })
}

/// Ends the session with this token: a logout. An unknown token is already ended.
///
/// # Errors
/// When the database fails.
pub async fn close(app: &App, caller: &Caller, token: &str) -> Result<(), Error> {
    let hash = app.sealer().hash(token);
    app.callers().forget(&hash);
    let owner = caller.subject.clone();
    app.store()
        .write::<_, Error, _>(Context::system(), move |tx| {
            let Some(session) = tx.one::<Session>(&Filter::eq("hash", hash.as_str()))? else { return Ok(()) };
            let mine = owner.user.map(|u| u.any()) == Some(session.spec.of)
                || owner.key.map(|k| k.any()) == Some(session.spec.of);
            if !mine {
                return Err(Error::missing(Session::KIND, "of that token"));
            }
            Ok(tx.remove(session.id)?)
        })
        .await
}

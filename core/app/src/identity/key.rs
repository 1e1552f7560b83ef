//! Making and changing keys. The secret is shown once; what is kept is its keyed hash.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use meetme_base::{Id, Invalid, IpNet, RawId, Secret, Time};
use meetme_model::access::{Hash, Key, Role};
use meetme_store::{Object, Resource as _, Tx};

use crate::{
    App, Error, Subject,
    giving::{self, Giver},
    seal,
};

/// What is wished of a new key.
#[derive(Clone, Debug, Default)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// A line for people.
    pub description: Option<String>,
    /// Whether it may only read.
    pub read_only: bool,
    /// When it ends.
    pub expires_at: Option<Time>,
    /// The source addresses it may be used from; any when empty.
    pub allowed_ips: Vec<IpNet>,
    /// The single objects it may be used on; any when empty.
    pub objects: Vec<RawId>,
    /// The roles it is limited to.
    pub roles: Vec<Id<Role>>,
    /// A secret chosen by the client, 40 hexadecimal digits, to bring an old token back to life.
    pub secret: Option<String>,
    /// Whether a sealed copy is kept that the owner may read again.
    pub readable: bool,
}

/// A key just made.
pub struct Issued {
    /// The row.
    pub key: Object<Key>,
    /// The secret, shown this once.
    pub secret: Secret<String>,
}

/// A fresh public part (22 characters) and secret (40 hexadecimal digits).
///
/// # Errors
/// When the machine gives no random bytes.
pub fn issue() -> Result<(String, Secret<String>), Error> {
    let public = URL_SAFE_NO_PAD.encode(seal::random::<16>()?);
    Ok((public, Secret::new(seal::hex(&seal::random::<20>()?))))
}

/// Makes a key of `owner`: a user, an organization or a project, on whose node it hangs.
///
/// Nobody gives by a key more than they have. A caller with a key that has limits makes none; the keys of a superuser are made by that
/// superuser, those of an organization, a project or another user by an administrator who has whatever that user has.
///
/// # Errors
/// [`Error::Denied`] as above, or when the caller may not make keys there; [`Error::Invalid`] when a wish cannot be met.
pub fn create(app: &App, tx: &mut Tx<'_>, giver: Giver<'_>, owner: RawId, new: &NewKey) -> Result<Issued, Error> {
    let node = giving::owner_node(tx, giver, owner)?;
    crate::access::require(tx, Key::KIND, "create", node)?;
    if let Giver::Caller(subject) = giver {
        giving::may_make_key(app, tx, subject, (owner, node), &new.roles)?;
    }
    let (public, mut secret) = issue()?;
    if let Some(chosen) = &new.secret {
        if chosen.len() != 40 || !chosen.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Invalid::format("key", "40 hexadecimal digits").into());
        }
        secret = Secret::new(chosen.to_ascii_lowercase());
    }
    let key = Key {
        name: new.name.clone(),
        public,
        hash: Hash::new(app.sealer().hash(secret.expose())),
        sealed: if new.readable { Some(app.sealer().seal(secret.expose())?) } else { None },
        read_only: new.read_only,
        enabled: true,
        expires_at: new.expires_at,
        allowed_ips: new.allowed_ips.clone(),
        objects: new.objects.clone(),
        owner,
        roles: new.roles.clone(),
        description: new.description.clone(),
        ext: Default::default(),
    };
    Ok(Issued { key: tx.create(node, key)?, secret })
}

/// The secret of a key that keeps a sealed copy, for a caller who could make such a key anew: to others, who see the row, the secret would
/// give rights that they do not have.
///
/// # Errors
/// [`Error::Bug`] when the copy cannot be opened.
pub fn read_secret(
    app: &App,
    tx: &mut Tx<'_>,
    reader: &Subject,
    key: &Object<Key>,
) -> Result<Option<Secret<String>>, Error> {
    let Some(sealed) = &key.spec.sealed else { return Ok(None) };
    if !giving::may_read_key(app, tx, reader, key)? {
        return Ok(None);
    }
    app.sealer().open(sealed).map(Some)
}

/// Changes a key into `spec`, under the rules of [`create`]. What it is recognised by and whose it is never change.
///
/// # Errors
/// As [`create`]; [`Error::Stale`] when somebody else was faster.
pub fn change(app: &App, tx: &mut Tx<'_>, giver: Giver<'_>, key: &mut Object<Key>, spec: Key) -> Result<(), Error> {
    let old = &key.spec;
    let fixed = [
        ("public", old.public == spec.public),
        ("hash", old.hash == spec.hash),
        ("sealed", old.sealed == spec.sealed),
        ("owner", old.owner == spec.owner),
    ];
    if let Some((name, _)) = fixed.into_iter().find(|(_, same)| !same) {
        return Err(Invalid::rule(name, "This never changes; make another key.").into());
    }
    if let Giver::Caller(subject) = giver {
        giving::may_change_key(app, tx, subject, key.tenant, (old, &spec))?;
    }
    Ok(tx.save(key, spec)?)
}

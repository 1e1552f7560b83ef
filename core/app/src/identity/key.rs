//! Making keys. The secret is shown once; what is kept is its keyed hash.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use meetme_base::{Id, Invalid, IpNet, RawId, Secret, Time};
use meetme_model::access::{Hash, Key, Role};
use meetme_store::{Object, Resource as _, Tx};

use crate::{App, Error, seal};

/// What is wished of a new key.
#[derive(Clone, Debug, Default)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
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

/// Makes a key for `owner`, which hangs on `tenant`.
///
/// # Errors
/// When the caller may not make keys there, or a wish cannot be met.
pub fn create(app: &App, tx: &mut Tx<'_>, tenant: RawId, owner: RawId, new: &NewKey) -> Result<Issued, Error> {
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
        description: None,
        ext: Default::default(),
    };
    crate::access::require(tx, Key::KIND, "create", tenant)?;
    Ok(Issued { key: tx.create(tenant, key)?, secret })
}

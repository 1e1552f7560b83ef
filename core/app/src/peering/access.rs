//! Keys go through the rules of giving, whoever speaks of them.

use meetme_base::{Id, Invalid, RawId};
use meetme_model::access::{Hash, Key};
use meetme_store::{Object, Tx};

use super::Ruled;
use crate::{
    Error,
    giving::Giver,
    identity::{self, NewKey},
    resources::By,
};

impl Ruled for Key {
    /// The answer differs from the row that is kept: it has the secret, sealed, and no hash, so that the door can show it this once. A
    /// stored key always has its hash.
    fn create_by(by: By<'_>, tx: &mut Tx<'_>, _: RawId, spec: Self, _: Self::Status) -> Result<Object<Self>, Error> {
        let own = by.caller.subject.user.map(Id::any);
        let owner = Some(spec.owner).filter(|owner| owner.get() != 0).or(own);
        let owner = owner.ok_or_else(|| Invalid::required("owner"))?;
        let wish = NewKey {
            name: spec.name,
            description: spec.description,
            read_only: spec.read_only,
            expires_at: spec.expires_at,
            allowed_ips: spec.allowed_ips,
            objects: spec.objects,
            roles: spec.roles,
            secret: None,
            readable: false,
        };
        let issued = identity::create_key(by.app, tx, Giver::Caller(&by.caller.subject), owner, &wish)?;
        let mut shown = issued.key;
        shown.spec.sealed = Some(by.app.sealer().seal(issued.secret.expose())?);
        shown.spec.hash = Hash::new(String::new());
        Ok(shown)
    }
    fn save_by(by: By<'_>, tx: &mut Tx<'_>, object: &mut Object<Self>, spec: Self) -> Result<(), Error> {
        if object.spec == spec {
            return Ok(());
        }
        identity::change_key(by.app, tx, Giver::Caller(&by.caller.subject), object, spec)
    }
    fn remove_by(_: By<'_>, tx: &mut Tx<'_>, id: Id<Self>) -> Result<(), Error> {
        Ok(tx.remove(id)?)
    }
}

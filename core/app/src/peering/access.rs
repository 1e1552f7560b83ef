//! Keys go through the rules of giving, whoever speaks of them.

use meetme_base::{Id, RawId};
use meetme_model::access::Key;
use meetme_store::{Object, Tx};

use super::Ruled;
use crate::{Error, giving::Giver, identity, resources::By};

impl Ruled for Key {
    fn create_by(_: By<'_>, _: &mut Tx<'_>, _: RawId, _: Self, _: Self::Status) -> Result<Object<Self>, Error> {
        Err(Error::Bug("a key is made with its secret".to_owned()))
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

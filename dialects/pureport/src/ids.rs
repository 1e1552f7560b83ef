//! How ids and links are spelled: a prefix and 22 url-safe base64 characters of the object's UUID, and paths that end in them.
//! A client may choose the id of what it makes; such an id is kept beside the object and shown from then on.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use meetme_app::Error;
use meetme_base::{Id, Invalid, RawId, Uid};
use meetme_store::{Object, Resource, Tx};

use crate::{DIALECT, wire::Link};

/// The longest id a client may choose.
const LONGEST: usize = 64;

/// What distinguishes the ids of one kind from those of another.
#[derive(Clone, Copy)]
pub struct Form {
    /// What ids begin with.
    pub prefix: &'static str,
    /// The path of the kind's collection.
    pub path: &'static str,
}

/// Organizations.
pub const ACCOUNT: Form = Form { prefix: "ac-", path: "/accounts" };
/// Networks.
pub const NETWORK: Form = Form { prefix: "network-", path: "/networks" };
/// Circuits.
pub const CONNECTION: Form = Form { prefix: "conn-", path: "/connections" };
/// Legs.
pub const GATEWAY: Form = Form { prefix: "gw-", path: "/gateways" };
/// Ports.
pub const PORT: Form = Form { prefix: "port-", path: "/ports" };
/// Roles.
pub const ROLE: Form = Form { prefix: "role-", path: "/roles" };
/// Users.
pub const USER: Form = Form { prefix: "user-", path: "/users" };

impl Form {
    /// The id of an object.
    pub fn id(self, uid: Uid) -> String {
        format!("{}{}", self.prefix, URL_SAFE_NO_PAD.encode(uid.bytes()))
    }

    /// The UUID in an id of this form.
    pub fn uid(self, text: &str) -> Option<Uid> {
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text.strip_prefix(self.prefix)?).ok()?.try_into().ok()?;
        let uid = Uid::from_bytes(bytes);
        (*uid.bytes() == bytes).then_some(uid)
    }

    /// The path of the object with this id.
    pub fn href(self, id: &str) -> String {
        format!("{}/{id}", self.path)
    }

    /// A link to the object with this id.
    pub fn link(self, id: &str, title: &str) -> Link {
        Link { href: self.href(id), id: Some(id.to_owned()), title: Some(title.to_owned()) }
    }

    /// The object a client means by `text`.
    ///
    /// # Errors
    /// [`Error::Missing`] when there is none, or none the caller may see.
    pub fn find<R: Resource>(self, tx: &mut Tx<'_>, text: &str) -> Result<Object<R>, Error> {
        if let Some(named) = tx.named(DIALECT, R::KIND, text)? {
            return tx.find::<R>(named.of())?.ok_or_else(|| Error::missing(R::KIND, text));
        }
        let uid = self.uid(text).ok_or_else(|| Error::missing(R::KIND, text))?;
        Ok(tx.by_uid(uid)?)
    }

    /// The object that a link in a request leads to.
    ///
    /// # Errors
    /// An [`Invalid`] `link` on `field` when it leads nowhere.
    pub fn follow<R: Resource>(self, tx: &mut Tx<'_>, field: &str, link: &Link) -> Result<Object<R>, Error> {
        let id = link.target();
        self.find(tx, id).map_err(|e| match e {
            Error::Missing { .. } => bad_link(field, id),
            other => other,
        })
    }

    /// Gives a new object the id its maker chose.
    ///
    /// # Errors
    /// When the id is too long, has the form of a made one, or is taken.
    pub fn choose<R: Resource>(self, tx: &mut Tx<'_>, object: &Object<R>, id: &str) -> Result<(), Error> {
        let fits = !id.is_empty()
            && id.len() <= LONGEST
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !fits || self.uid(id).is_some() {
            return Err(Invalid::format("id", "1 to 64 letters, digits, hyphens, underscores or dots").into());
        }
        Ok(tx.name(DIALECT, R::KIND, id, object.id.any())?)
    }
}

/// A link that leads nowhere.
pub fn bad_link(field: &str, id: &str) -> Error {
    Invalid::new(field, "link", format!("There is nothing at {id}.")).into()
}

/// The ids of some objects as clients know them: chosen ones, else made ones.
#[derive(Default)]
pub struct Names(HashMap<RawId, String>);

impl Names {
    /// Looks up what clients chose for these objects.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of(tx: &mut Tx<'_>, ids: impl IntoIterator<Item = RawId>) -> Result<Self, Error> {
        let ids: Vec<RawId> = ids.into_iter().collect();
        if ids.is_empty() {
            return Ok(Self::default());
        }
        let mut out = HashMap::new();
        for (id, name) in tx.names_of(DIALECT, &ids)? {
            out.entry(id).or_insert(name);
        }
        Ok(Self(out))
    }

    /// The id of one of them.
    pub fn id<T>(&self, form: Form, id: Id<T>, uid: Uid) -> String {
        self.0.get(&id.any()).cloned().unwrap_or_else(|| form.id(uid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_prefix_and_22_characters_and_reads_back() {
        let uid = Uid::random();
        let id = NETWORK.id(uid);
        assert_eq!((id.len(), NETWORK.uid(&id), CONNECTION.uid(&id)), ("network-".len() + 22, Some(uid), None));
    }

    #[test]
    fn hyphens_and_underscores_in_the_22_are_kept() {
        let uid = Uid::from_bytes([0xfb; 16]);
        let id = CONNECTION.id(uid);
        assert!(id["conn-".len()..].contains(['-', '_']));
        assert_eq!(CONNECTION.uid(&id), Some(uid));
    }

    #[test]
    fn a_text_with_other_bits_is_not_the_same_object() {
        assert_eq!(NETWORK.uid("network-AAAAAAAAAAAAAAAAAAAAAA"), None);
        assert_eq!(NETWORK.uid("net-5678"), None);
    }
}

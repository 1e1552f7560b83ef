//! Names of things. One 64-bit id space over all kinds, one random UUID per object; every external spelling
//! (prefixed, slug, integer) is made from these two by a dialect and exists nowhere else.

use std::{fmt, hash, marker::PhantomData, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The stable, lower-case name of a kind of resource, such as `router`. It never changes once released.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind(&'static str);

impl Kind {
    /// Names a kind. Use lower-case words joined by `_`.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }
    /// The name as text.
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Marks an [`Id`] whose kind is not known to the type system.
pub enum Any {}

/// The integer that names one object of kind `T`. Below 2^53, so that every JSON client can hold it.
pub struct Id<T = Any> {
    raw: i64,
    of: PhantomData<fn() -> T>,
}

/// An id of whatever kind: what edges and logs hold.
pub type RawId = Id<Any>;

impl<T> Id<T> {
    /// Takes an integer for an id of this kind. Whether such an object exists is for the store to say.
    pub const fn new(raw: i64) -> Self {
        Self { raw, of: PhantomData }
    }
    /// The integer.
    pub const fn get(self) -> i64 {
        self.raw
    }
    /// Forgets the kind.
    pub const fn any(self) -> RawId {
        Id::new(self.raw)
    }
}

impl RawId {
    /// Claims a kind for this id; the store checks it at the next read.
    pub const fn of<T>(self) -> Id<T> {
        Id::new(self.raw)
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.raw.cmp(&other.raw)
    }
}
impl<T> hash::Hash for Id<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.raw)
    }
}
impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.raw)
    }
}
impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_i64(self.raw)
    }
}
impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        i64::deserialize(d).map(Self::new)
    }
}
impl<T> JsonSchema for Id<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Id".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": 1, "description": "The id of another object."})
    }
}

/// The UUID (version 4, random) of one object. Version 4 because clients in the field check that nibble.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Uid(uuid::Uuid);

impl Uid {
    /// A fresh random UUID.
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4())
    }
    /// Makes one from 16 bytes, setting the version and variant bits of a version 4 UUID.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }
    /// The 16 bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
    /// The first eight hexadecimal digits.
    pub fn short(&self) -> String {
        let text = self.to_string();
        text[..8].to_owned()
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
impl FromStr for Uid {
    type Err = ();
    /// Reads the hyphenated form in either case; any other spelling is refused.
    fn from_str(s: &str) -> Result<Self, ()> {
        if s.len() != 36 {
            return Err(());
        }
        uuid::Uuid::try_parse(s).map(Self).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_a_version_4_uuid_and_reads_back() {
        let uid = Uid::random();
        assert_eq!(uid.to_string().as_bytes()[14], b'4');
        assert_eq!(uid.to_string().parse(), Ok(uid));
        assert_eq!(Uid::from_bytes(*uid.bytes()), uid);
        assert!("{}".parse::<Uid>().is_err());
    }
}

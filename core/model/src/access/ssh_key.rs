//! A public key that is put on the machines of a user or of a project.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use meetme_base::{Invalid, Kind, RawId};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Project, User};
use crate::{Nothing, check};

/// A public key for secure shell logins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SshKey {
    /// What its owner calls it.
    pub label: String,
    /// The key as one line: type, base64, perhaps a comment.
    pub key: String,
    /// Whose key it is: a user or a project.
    pub owner: RawId,
}

impl SshKey {
    /// The key in its wire form (RFC 4253 section 6.6), when the line holds one.
    pub fn blob(&self) -> Option<Vec<u8>> {
        let mut words = self.key.split_ascii_whitespace();
        let (name, text) = (words.next()?, words.next()?);
        let blob = STANDARD.decode(text).ok()?;
        let (length, rest) = blob.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        // The type is written twice: a line whose two types differ was put together by hand.
        (rest.get(..length)? == name.as_bytes() && rest.len() > length).then_some(blob)
    }

    /// `SHA256:` and the unpadded base64 of the key's hash, as secure shell programs show it.
    pub fn fingerprint(&self) -> Option<String> {
        self.blob().map(|blob| format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob))))
    }
}

impl Resource for SshKey {
    const KIND: Kind = Kind::new("ssh_key");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("label", FieldType::Text, |s: &Self| s.label.as_str().into()).searchable(),
        Field::new("key", FieldType::Text, |s| s.key.as_str().into()),
        Field::new("fingerprint", FieldType::Text, |s: &Self| s.fingerprint().into()).indexed(),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("owner", &[User::KIND, Project::KIND], |s| Some(s.owner))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["owner", "fingerprint"]];
    type Status = Nothing;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.owner != self.owner) {
            return Err(Invalid::rule("owner", "A key cannot be given to somebody else."));
        }
        check::name("label", &self.label, 255)?;
        check::name("key", &self.key, 16_384)?;
        // A second line would be a second key on every machine.
        if self.key.trim().contains(['\n', '\r']) || self.blob().is_none() {
            return Err(Invalid::format(
                "key",
                "a public key in one line: its type, its base64 form, perhaps a comment",
            ));
        }
        Ok(())
    }

    fn title(&self) -> String {
        self.label.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(line: &str) -> SshKey {
        SshKey { label: "laptop".into(), key: line.into(), owner: RawId::new(1) }
    }

    fn line(name: &str, inside: &str) -> String {
        let part = |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
        format!("{name} {}", STANDARD.encode([part(inside.as_bytes()), part(&[7; 32])].concat()))
    }

    #[test]
    fn a_fingerprint_does_not_depend_on_the_comment() {
        let plain = line("ssh-ed25519", "ssh-ed25519");
        let commented = key(&format!("{plain} me@example.net"));
        assert!(commented.check(None).is_ok());
        assert_eq!(commented.fingerprint(), key(&plain).fingerprint());
        assert_eq!(commented.fingerprint().unwrap().len(), "SHA256:".len() + 43);
    }

    #[test]
    fn a_line_that_holds_no_key_is_refused() {
        let good = line("ssh-ed25519", "ssh-ed25519");
        for bad in ["hello", "ssh-ed25519 AAAA", &line("ssh-rsa", "ssh-ed25519"), &format!("{good}\n{good}")] {
            assert_eq!(key(bad).check(None).map_err(|e| e.field), Err("key".into()), "{bad}");
        }
    }
}

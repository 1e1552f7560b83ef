//! What a letter lets its reader do once: set a new password, prove that an address is read, begin a login that was asked for.

use meetme_base::{Id, Invalid, Kind, Time};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EmailAddress, Hash, User};
use crate::{Nothing, check};

/// A right that is used up by using it. The row hangs on the user's home; its writes are not logged, the letter is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ticket {
    /// What it is for.
    pub purpose: Purpose,
    /// The keyed SHA-256 of the text that only the letter holds.
    pub hash: Hash,
    /// When it is good no longer.
    pub expires_at: Time,
    /// Whose it is.
    pub user: Id<User>,
    /// The address the letter went to.
    pub email: Id<EmailAddress>,
}

/// What a ticket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Setting a new password.
    Reset,
    /// Proving that an address is read.
    Verify,
    /// The same, and beginning a login that somebody asked for by themselves.
    Begin,
}

impl Purpose {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["reset", "verify", "begin"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

impl Resource for Ticket {
    const KIND: Kind = Kind::new("ticket");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("purpose", FieldType::Text, |s: &Self| s.purpose.word().into()).words(Purpose::WORDS),
        Field::new("hash", FieldType::Text, |s: &Self| s.hash.as_str().into()).hidden(),
        Field::new("expires_at", FieldType::Time, |s: &Self| s.expires_at.into()).indexed(),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::cascade("user", &[User::KIND], |s| Some(s.user.any())),
        Edge::cascade("email", &[EmailAddress::KIND], |s| Some(s.email.any())),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["hash"]];
    const LOGGED: bool = false;
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("hash", self.hash.as_str(), 255)
    }

    fn title(&self) -> String {
        format!("{} letter to {}", self.purpose.word(), self.user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_that_are_stored() {
        for purpose in [Purpose::Reset, Purpose::Verify, Purpose::Begin] {
            assert_eq!(serde_json::to_value(purpose).unwrap(), purpose.word());
        }
    }
}

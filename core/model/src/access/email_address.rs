//! An e-mail address of a user, by which the user can be found and invited once it is verified.

use meetme_base::{Id, Invalid, Kind, Time};
use meetme_store::{Edge, Field, FieldType, Resource, fold};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::User;

/// An address of a user. The row hangs on the user's home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EmailAddress {
    /// The address; no two rows have addresses that differ only in case.
    pub address: String,
    /// Whether mail goes there when nothing else is said.
    #[serde(default)]
    pub default: bool,
    /// The user.
    pub user: Id<User>,
}

/// What was seen of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct EmailAddressStatus {
    /// When its user proved to read what is sent there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Time>,
}

/// The text can be an e-mail address. Only mail that arrives proves more.
///
/// # Errors
/// Names the field.
pub fn check_email(field: &str, text: &str) -> Result<(), Invalid> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';');
    // 254 characters is the longest path of RFC 5321 section 4.5.3.1.3 without its brackets.
    let ok = text.chars().count() <= 254
        && !text.contains(bad)
        && text.rsplit_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && domain.split('.').all(|label| !label.is_empty())
        });
    if ok { Ok(()) } else { Err(Invalid::format(field, "an e-mail address")) }
}

impl Resource for EmailAddress {
    const KIND: Kind = Kind::new("email_address");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("address", FieldType::Text, |s: &Self| s.address.as_str().into()).searchable(),
        // The form in which two addresses are the same address.
        Field::new("address_key", FieldType::Text, |s| fold(&s.address).into()),
        Field::new("default", FieldType::Bool, |s| s.default.into()),
        Field::status("verified_at", FieldType::Time, |s: &Self::Status| s.verified_at.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("user", &[User::KIND], |s| Some(s.user.any()))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["address_key"]];
    type Status = EmailAddressStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.user != self.user) {
            return Err(Invalid::rule("user", "An address cannot be given to another user."));
        }
        check_email("address", &self.address)
    }

    fn title(&self) -> String {
        self.address.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_sides_and_no_blanks() {
        for good in ["a@example.net", "a+b@localhost", "\u{fc}@b\u{fc}cher.example"] {
            assert!(check_email("email", good).is_ok(), "{good}");
        }
        for bad in ["", "a", "@example.net", "a@", "a@b..c", "a b@example.net", "A <a@example.net>"] {
            assert_eq!(check_email("email", bad).map_err(|e| e.code), Err("format"), "{bad}");
        }
    }
}

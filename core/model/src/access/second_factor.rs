//! The second factor of a user: a secret shared with a program on the user's telephone, which makes codes of it and the time
//! (TOTP, RFC 6238), and codes for the day on which the telephone is gone.

use meetme_base::{Id, Invalid, Kind, Sealed, Time};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::User;

/// A user's second factor. The row hangs on the user's home. Until it is enabled it is only an offer, and asked for nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecondFactor {
    /// Whose it is.
    pub user: Id<User>,
    /// The shared secret, 20 bytes in Base32 (RFC 4648).
    pub secret: Sealed,
    /// Since when logins ask for it: the user has shown a code that the secret makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled_at: Option<Time>,
    /// The recovery codes that were not used yet, a JSON list. Sealed and not hashed, because the user may look at them again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codes: Option<Sealed>,
}

/// What was seen of a second factor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SecondFactorStatus {
    /// The step of time whose code was accepted last: neither it nor an earlier one is accepted again (RFC 6238, section 5.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// How many codes in a row were wrong.
    pub failures: u32,
    /// Until when no code is looked at, after too many that were wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Time>,
}

impl Resource for SecondFactor {
    const KIND: Kind = Kind::new("second_factor");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[Field::new("enabled_at", FieldType::Time, |s: &Self| s.enabled_at.into())];
    const EDGES: &'static [Edge<Self>] = &[Edge::cascade("user", &[User::KIND], |s| Some(s.user.any()))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["user"]];
    type Status = SecondFactorStatus;

    fn check(&self, before: Option<&Self>) -> Result<(), Invalid> {
        if before.is_some_and(|b| b.user != self.user) {
            return Err(Invalid::rule("user", "A second factor cannot be given to another user."));
        }
        Ok(())
    }

    fn title(&self) -> String {
        format!("second factor of {}", self.user)
    }
}

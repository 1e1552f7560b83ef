//! The one error of the core. Its variants are named after what the caller can do about it; each dialect turns it into its
//! own form in exactly one exhaustive `match`, so that a new variant breaks every dialect on purpose.

use std::{fmt, time::Duration};

use meetme_base::{Invalid, Kind, RawId};

/// What can go wrong in an operation, as a customer may read it. `Display` is safe to show to any caller.
#[derive(Debug)]
pub enum Error {
    /// No credential, or one that is not (or no longer) good. The text says which.
    Unauthenticated(AuthFailure),
    /// The object does not exist, or the caller must not know that it does.
    Missing {
        /// The kind that was looked for.
        kind: Kind,
        /// How the caller named it.
        name: String,
    },
    /// One or more values cannot be accepted. Never empty.
    Invalid(Vec<Invalid>),
    /// For operations on many objects: what is wrong with each, by position; empty where nothing is.
    InvalidRows(Vec<Vec<Invalid>>),
    /// An object with these values exists already.
    Exists {
        /// The kind that must be unique.
        kind: Kind,
        /// What clashes, with the core's field name.
        clash: Invalid,
    },
    /// The caller is known and may see the object, but may not do this. The text names the missing right.
    Denied(String),
    /// The object's present state does not allow this now. `code` is a fixed word for dialects to match on.
    Conflict {
        /// A fixed word, such as `locked`, `changing`, `has_devices`.
        code: &'static str,
        /// One sentence for people.
        message: String,
    },
    /// Other objects refer to this one, so it cannot be removed.
    Referenced {
        /// The object that was to be removed.
        id: RawId,
        /// Up to ten of those that refer to it: kind, id and display name.
        by: Vec<(Kind, RawId, String)>,
        /// How many there are in all.
        count: u64,
    },
    /// A pool (addresses, VLANs, servers ...) has nothing left that fits.
    Exhausted {
        /// What ran out, in words.
        pool: String,
    },
    /// The object has changed since the caller read it.
    Stale {
        /// The version the object has now.
        version: u64,
    },
    /// Too many requests.
    Limited {
        /// When to try again.
        retry_after: Duration,
    },
    /// Something we depend on does not answer now; trying again later is right.
    Unavailable(String),
    /// Our own mistake. The text is for the log only; callers see a fixed sentence and the request id.
    Bug(String),
}

/// Why a credential was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    /// Nothing was sent.
    Absent,
    /// What was sent does not have the form of a credential.
    Malformed,
    /// No such key, user, password or token.
    Wrong,
    /// It was good once.
    Expired,
    /// The key or its owner is switched off.
    Disabled,
    /// The key is limited to other source addresses; the address it was used from.
    Address(std::net::IpAddr),
    /// The password or letter was right, and the code of the second factor was not there or not good.
    SecondFactor,
}

impl fmt::Display for AuthFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("Authentication credentials were not provided."),
            Self::Malformed => f.write_str("The credential is malformed."),
            Self::Wrong => f.write_str("The credential is not valid."),
            Self::Expired => f.write_str("The credential has expired."),
            Self::Disabled => f.write_str("The credential is disabled."),
            Self::SecondFactor => {
                f.write_str("A code of the second factor is needed in X-OTP-Token, one that was not used before.")
            }
            Self::Address(ip) => write!(f, "Source IP {ip} is not permitted to authenticate using this credential."),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthenticated(why) => fmt::Display::fmt(why, f),
            Self::Missing { kind, name } => write!(f, "No {} {name} was found.", kind.name().replace('_', " ")),
            Self::Invalid(list) => join(f, list),
            Self::InvalidRows(rows) => {
                for (i, row) in rows.iter().enumerate().filter(|(_, row)| !row.is_empty()) {
                    write!(f, "row {i}: ")?;
                    join(f, row)?;
                    f.write_str(" ")?;
                }
                Ok(())
            }
            Self::Exists { clash, .. } => fmt::Display::fmt(clash, f),
            Self::Denied(what) => f.write_str(what),
            Self::Conflict { message, .. } => f.write_str(message),
            Self::Referenced { by, count, .. } => {
                write!(f, "{count} other objects refer to it:")?;
                for (kind, id, name) in by {
                    write!(f, " {kind} {id} ({name})")?;
                }
                Ok(())
            }
            Self::Exhausted { pool } => write!(f, "Nothing is left in {pool}."),
            Self::Stale { version } => write!(f, "The object has changed; its version is now {version}."),
            Self::Limited { retry_after } => {
                write!(f, "Too many requests; try again in {} s.", retry_after.as_secs().max(1))
            }
            Self::Unavailable(what) => f.write_str(what),
            Self::Bug(_) => f.write_str("An internal error occurred; the log has it under this request's id."),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, list: &[Invalid]) -> fmt::Result {
    for (i, bad) in list.iter().enumerate() {
        if i > 0 {
            f.write_str("; ")?;
        }
        fmt::Display::fmt(bad, f)?;
    }
    Ok(())
}

impl std::error::Error for Error {}

impl From<Invalid> for Error {
    fn from(bad: Invalid) -> Self {
        Self::Invalid(vec![bad])
    }
}

impl From<meetme_store::Error> for Error {
    fn from(e: meetme_store::Error) -> Self {
        use meetme_store::Error as S;
        match e {
            S::Missing { kind, name } => Self::Missing { kind, name },
            S::Invalid(bad) => Self::Invalid(vec![bad]),
            S::Exists { kind, clash, .. } => Self::Exists { kind, clash },
            S::Denied { kind, verb } => {
                Self::Denied(format!("You do not have the right to {verb} {kind} objects here."))
            }
            S::DeniedField { kind, field } => {
                Self::Denied(format!("You do not have the right to change {field} of {kind} objects here."))
            }
            S::Referenced { id, by, count } => Self::Referenced { id, by, count },
            S::Exhausted { pool } => Self::Exhausted { pool },
            S::Stale { version } => Self::Stale { version },
            S::Unavailable(why) => Self::Unavailable(format!("The database is not available: {why}")),
            S::Bug(what) => Self::Bug(what),
        }
    }
}

impl Error {
    /// A [`Error::Missing`] for a kind and the name the caller used.
    pub fn missing(kind: Kind, name: impl ToString) -> Self {
        meetme_store::Error::missing(kind, name).into()
    }
    /// A [`Error::Conflict`].
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }
}

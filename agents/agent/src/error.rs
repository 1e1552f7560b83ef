//! Why a box could not be observed or changed, named after what the controller does about it.

use serde::{Deserialize, Serialize};

use crate::Fence;

/// What stood in the way. The texts are written for people and hold no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AgentError {
    /// The box, or the program on it, does not answer: wait and try again.
    #[error("cannot be reached: {why}")]
    Unreachable {
        /// What was tried and what happened.
        why: String,
    },
    /// The box refuses the configuration and runs on with its old one: a person has to change what is wanted.
    #[error("refused: {why}")]
    Refused {
        /// The box's own words where it has any.
        why: String,
    },
    /// A newer holder of the work has already spoken to this box: give up, the work is somebody else's now.
    #[error("a newer pass ({seen}) has already changed this box")]
    Fenced {
        /// The newest fence the box's agent has seen.
        seen: Fence,
    },
    /// This make of equipment cannot do what is wanted: show it, and do not repeat until the wish changes.
    #[error("not supported: {what}")]
    Unsupported {
        /// The part of the wish that cannot be met.
        what: String,
    },
    /// The box is in a state that the agent does not understand: stop and call a person.
    #[error("in a state that is not understood: {why}")]
    Broken {
        /// What was expected and what was found.
        why: String,
    },
}

impl AgentError {
    /// The box does not answer.
    pub fn unreachable(why: impl Into<String>) -> Self {
        Self::Unreachable { why: why.into() }
    }
    /// The box refuses the configuration.
    pub fn refused(why: impl Into<String>) -> Self {
        Self::Refused { why: why.into() }
    }
    /// The make of equipment cannot do it.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported { what: what.into() }
    }
    /// The box's state is not understood.
    pub fn broken(why: impl Into<String>) -> Self {
        Self::Broken { why: why.into() }
    }
    /// Whether the same call may succeed later with nothing changed by a person.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
    /// A fixed word for metrics.
    pub const fn metric_label(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Refused { .. } => "refused",
            Self::Fenced { .. } => "fenced",
            Self::Unsupported { .. } => "unsupported",
            Self::Broken { .. } => "broken",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_travels_as_json() {
        let error = AgentError::Fenced { seen: Fence(7) };
        let text = serde_json::to_string(&error).unwrap();
        assert_eq!(text, r#"{"kind":"fenced","seen":7}"#);
        assert_eq!(serde_json::from_str::<AgentError>(&text).unwrap(), error);
    }
}

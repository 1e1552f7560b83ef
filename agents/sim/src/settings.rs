//! How simulated equipment behaves: the `settings` of its target.

use meetme_agent::AgentError;
use serde::Deserialize;

/// How one piece of simulated equipment behaves. Unknown keys are errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// How long what it was told takes to come into effect, in milliseconds; the family's usual time when absent.
    pub delay_ms: Option<u64>,
    /// How long each answer takes, in milliseconds.
    pub answer_ms: u64,
    /// Whether it says that it did what it did not do.
    pub lie: bool,
    /// Whether each change breaks off in the middle.
    pub half_apply: bool,
    /// How often it has lost its memory: each time the number rises, it forgets everything.
    pub forget: u64,
    /// The words with which it refuses every change.
    pub refuse: Option<String>,
    /// Whether it does not answer at all.
    pub unreachable: bool,
}

/// What a target says; silent where the defaults hold.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Said {
    delay_ms: Option<u64>,
    answer_ms: Option<u64>,
    lie: Option<bool>,
    half_apply: Option<bool>,
    forget: Option<u64>,
    refuse: Option<String>,
    unreachable: Option<bool>,
    /// Who logs in; simulated equipment lets everybody in.
    user: Option<serde::de::IgnoredAny>,
}

impl Settings {
    /// These settings with what a target says put over them.
    pub(crate) fn with(self, said: &serde_json::Value, name: &str) -> Result<Self, AgentError> {
        let said = if said.is_null() {
            Said::default()
        } else {
            Said::deserialize(said)
                .map_err(|e| AgentError::refused(format!("The settings of {name} are not usable: {e}.")))?
        };
        Ok(Self {
            delay_ms: said.delay_ms.or(self.delay_ms),
            answer_ms: said.answer_ms.unwrap_or(self.answer_ms),
            lie: said.lie.unwrap_or(self.lie),
            half_apply: said.half_apply.unwrap_or(self.half_apply),
            forget: said.forget.unwrap_or(self.forget),
            refuse: said.refuse.or(self.refuse),
            unreachable: said.unreachable.unwrap_or(self.unreachable),
        })
    }

    /// How long a change takes to come into effect where the family usually needs `usual` milliseconds.
    pub(crate) fn delay(&self, usual: i64) -> i64 {
        self.delay_ms.map_or(usual, |ms| i64::try_from(ms).unwrap_or(i64::MAX / 4))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_target_says_goes_over_the_defaults_and_mistakes_are_told() {
        let defaults = Settings { delay_ms: Some(5), forget: 2, ..Settings::default() };
        let said = serde_json::json!({"delay_ms": 9, "refuse": "No."});
        let both = defaults.clone().with(&said, "edge1").unwrap();
        assert_eq!((both.delay(100), both.forget, both.refuse.as_deref()), (9, 2, Some("No.")));
        assert_eq!(defaults.clone().with(&serde_json::Value::Null, "edge1"), Ok(defaults.clone()));
        let error = defaults.with(&serde_json::json!({"dealy_ms": 1}), "edge1").unwrap_err().to_string();
        assert!(error.contains("edge1") && error.contains("dealy_ms"), "{error}");
    }
}

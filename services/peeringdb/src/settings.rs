//! What an operator decides about the copy.

use meetme_base::Secret;
use serde::{Deserialize, Serialize, Serializer};

/// The public peering database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Where it is; `/api/` and what follows are added. Default `https://www.peeringdb.com`.
    pub url: String,
    /// The API key. Without one it answers fewer requests in an hour, and tells of fewer contacts.
    pub api_key: Option<ApiKey>,
    /// Every how many minutes our copy is brought up to date. Default 0: only when somebody asks.
    pub interval_minutes: u32,
    /// How many seconds a request may take, its answer included. Default 300: the first copy of a type is a long answer.
    pub timeout_seconds: u64,
    /// How many seconds we wait at most before we ask again, when it says that we ask too often. Default 120.
    pub wait_seconds: u64,
    /// The longest answer that is read, in megabytes. Default 512.
    pub answer_megabytes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            url: "https://www.peeringdb.com".to_owned(),
            api_key: None,
            interval_minutes: 0,
            timeout_seconds: 300,
            wait_seconds: 120,
            answer_megabytes: 512,
        }
    }
}

/// A key that shows itself to nobody.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct ApiKey(pub Secret<String>);

impl Serialize for ApiKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_and_never_shown() {
        let settings: Settings = serde_json::from_value(serde_json::json!({"api_key": "hunter2"})).unwrap();
        assert_eq!(settings.api_key, Some(ApiKey(Secret::new("hunter2".to_owned()))));
        let shown = format!("{} {settings:?}", serde_json::to_string(&settings).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(serde_json::from_value::<Settings>(serde_json::json!({"apikey": "x"})).is_err());
    }
}

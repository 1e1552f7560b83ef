//! What a policy asks a filter to be made of, besides its own terms.

use meetme_model::routing::Policy;
use meetme_store::Object;
use serde_json::Value;

/// What is asked for: the members of a policy's `context.policy` that are true.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asks {
    /// `irr`: only what the routing registries say the peer may announce.
    pub irr: bool,
    /// `rpki`: nothing that is invalid by validated ROAs.
    pub rpki: bool,
    /// `bogons`: no prefixes that have no place in the Internet, and none that are too small.
    pub bogons: bool,
    /// `first_as`: only paths that begin with the peer's own number.
    pub first_as: bool,
}

impl Asks {
    /// The members' names.
    pub const NAMES: [&'static str; 4] = ["irr", "rpki", "bogons", "first_as"];

    /// What policies ask for together: what one of them asks for holds for all.
    pub fn of<'a>(policies: impl IntoIterator<Item = &'a Object<Policy>>) -> Self {
        let mut out = Self::default();
        for policy in policies {
            let said = policy.spec.context.as_ref().and_then(|context| context.get("policy"));
            let asks = |name: &str| said.and_then(|s| s.get(name)).and_then(Value::as_bool).unwrap_or(false);
            out.irr |= asks("irr");
            out.rpki |= asks("rpki");
            out.bogons |= asks("bogons");
            out.first_as |= asks("first_as");
        }
        out
    }

    /// Whether nothing is asked for.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }
}

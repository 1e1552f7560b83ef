//! The rights as this dialect calls them: one table for what a caller may do on an account and for what a role holds.

use std::collections::BTreeMap;

/// What can be spoken of, and the core's kind of it.
const RESOURCES: &[(&str, &str)] = &[
    ("account", "organization"),
    ("network", "network"),
    ("connection", "circuit"),
    ("gateway", "leg"),
    ("port", "port"),
    ("apiKey", "key"),
    ("role", "role"),
    ("accountMember", "membership"),
    ("accountInvite", "invitation"),
    ("user", "user"),
];

/// What can be done to it, and the core's verb for that.
const ACTIONS: &[(&str, &str)] = &[("READ", "see"), ("CREATE", "create"), ("UPDATE", "change"), ("DELETE", "remove")];

/// All resources with their actions.
pub type Table = BTreeMap<&'static str, BTreeMap<&'static str, bool>>;

/// The table as `may` answers for the core's kind and verb.
///
/// # Errors
/// Those of `may`.
pub fn table<E>(mut may: impl FnMut(&'static str, &'static str) -> Result<bool, E>) -> Result<Table, E> {
    let mut out = Table::new();
    for (name, kind) in RESOURCES {
        let row = out.entry(*name).or_default();
        for (action, verb) in ACTIONS {
            row.insert(*action, may(kind, verb)?);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_is_a_kind_of_the_core() {
        let registry = meetme_model::registry();
        assert!(RESOURCES.iter().all(|(_, kind)| registry.kind(kind).is_some()));
    }
}

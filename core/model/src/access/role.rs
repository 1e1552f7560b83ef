//! A named set of rights. Built-in roles belong to the operator and can be given everywhere below.

use meetme_base::{Invalid, Kind};
use meetme_store::{Field, FieldType, Reach, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Ext, Nothing, check};

/// A set of rights that memberships and keys name. Its grants are part of the role and have no rows of their own, so that
/// a right is always given, taken and logged together with the role it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Role {
    /// Its name; built-in ones begin with their dialect's name and a dot.
    pub name: String,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether this installation came with it.
    pub builtin: bool,
    /// The rights.
    pub grants: Vec<Grant>,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// One right: some verbs on some kinds, perhaps only on some rows and some fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Grant {
    /// Names of kinds, groups of kinds such as `@fabric`, or `*` for all.
    pub kinds: Vec<String>,
    /// Verbs, or `*` for all.
    pub verbs: Vec<String>,
    /// The only fields a change may touch, by their names in the spec's outermost object; all when absent. A grant with fields is one to see
    /// rows and to change these fields of them, and gives no other verb: making, removing and acting concern the whole row. Where
    /// several grants hold for a row, each adds its fields.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// The rows it holds for, as a filter in its JSON form; all when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<serde_json::Value>,
}

impl Grant {
    /// Every verb. The first four are about rows; `order` is a creation that costs.
    pub const VERBS: &'static [&'static str] = &[
        "see", "create", "change", "remove", "order", "answer", "act", "deploy", "push", "poll", "send", "run",
        "diagnose", "reveal", "pay",
    ];
    /// Every group of kinds: the areas, and two that cut across them.
    pub const GROUPS: &'static [&'static str] =
        &["@access", "@place", "@trade", "@fabric", "@routing", "@metal", "@catalog", "@ops", "@order"];

    /// The verbs of a grant with fields.
    pub const BY_FIELD: &'static [&'static str] = &["see", "change"];

    /// Every verb on every kind.
    pub fn everything() -> Self {
        Self { kinds: vec!["*".into()], verbs: vec!["*".into()], fields: None, filter: None }
    }

    fn check(&self) -> Result<(), Invalid> {
        if self.kinds.is_empty() {
            return Err(Invalid::required("kinds"));
        }
        if self.verbs.is_empty() {
            return Err(Invalid::required("verbs"));
        }
        let kind = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        let wrong = |word: &&String| *word != "*" && !Self::GROUPS.contains(&word.as_str()) && !kind(word);
        if let Some(word) = self.kinds.iter().find(wrong) {
            return Err(Invalid::choice("kinds", word));
        }
        let wrong = |word: &&String| *word != "*" && !Self::VERBS.contains(&word.as_str());
        if let Some(word) = self.verbs.iter().find(wrong) {
            return Err(Invalid::choice("verbs", word));
        }
        let Some(fields) = &self.fields else { return Ok(()) };
        // An empty list would read as "no field" to one person and as "no limit" to another.
        if fields.is_empty() {
            return Err(Invalid::required("fields"));
        }
        if self.verbs.iter().any(|word| !Self::BY_FIELD.contains(&word.as_str())) {
            return Err(Invalid::rule(
                "verbs",
                "A grant with fields gives the verbs see and change; others go into a grant of their own.",
            ));
        }
        Ok(())
    }
}

impl Resource for Role {
    const KIND: Kind = Kind::new("role");
    const AREA: &'static str = "access";
    const REACH: Reach = Reach::Shared;
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("description", FieldType::Text, |s| s.description.clone().into()),
        Field::new("builtin", FieldType::Bool, |s| s.builtin.into()),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"]];
    type Status = Nothing;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 255)?;
        check::length("description", self.description.as_deref().unwrap_or_default(), 1024)?;
        for (i, grant) in self.grants.iter().enumerate() {
            grant.check().map_err(|e| e.under(&format!("grants.{i}")))?;
        }
        Ok(())
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_grant(kinds: &[&str], verbs: &[&str], wanted: &str) {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect();
        let grant = Grant { kinds: list(kinds), verbs: list(verbs), ..Grant::default() };
        let role = Role { name: "role".into(), grants: vec![grant], ..Role::default() };
        assert_eq!(role.check(None).err().map(|e| e.to_string()).unwrap_or_default(), wanted);
    }

    #[test]
    fn a_grant_names_known_groups_and_verbs() {
        check_grant(&["*"], &["*"], "");
        check_grant(&["@fabric", "exchange_session"], &["see", "act"], "");
        check_grant(&["@fabrik"], &["see"], "grants.0.kinds: @fabrik is not a valid choice.");
        check_grant(&["port"], &["delete"], "grants.0.verbs: delete is not a valid choice.");
        check_grant(&["port"], &[], "grants.0.verbs: This field is required.");
    }

    #[test]
    fn a_grant_with_fields_is_one_to_see_and_change() {
        let check = |verbs: &[&str], fields: &[&str]| {
            let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
            let grant = Grant { kinds: list(&["port"]), verbs: list(verbs), fields: Some(list(fields)), filter: None };
            grant.check().map_err(|e| e.field)
        };
        assert_eq!(check(&["see", "change"], &["name"]), Ok(()));
        assert_eq!(check(&["*"], &["name"]), Err("verbs".to_owned()));
        assert_eq!(check(&["change", "create"], &["name"]), Err("verbs".to_owned()));
        assert_eq!(check(&["change"], &[]), Err("fields".to_owned()));
    }
}

//! Accounts, and who may use them.

use serde::{Deserialize, Serialize};

use super::{Link, Tags};
use crate::rights::Table;

/// An account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Account {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub href: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Tags>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub technical_contact_emails: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show_child_account_pricing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub has_children: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub verified: Option<bool>,
}

/// An API key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ApiKey {
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub href: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub secret: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Link>>,
}

/// A role.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Role {
    pub id: String,
    pub href: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub account: Link,
    pub permissions: Table,
}

/// A member of an account.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Member {
    #[serde(skip_serializing_if = "Option::is_none", skip_deserializing)]
    pub href: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<Link>>,
}

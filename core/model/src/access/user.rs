//! A person with a login. A user row hangs on the organization that is its home; rights elsewhere come from memberships.

use meetme_base::{Id, Invalid, Kind, Time};
use meetme_store::{Edge, Field, FieldType, Resource, fold};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Hash, Organization, Project, email_address::check_email, yes};
use crate::{Ext, check};

/// A person who can log in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// The login name; no two living users have names that differ only in case.
    pub username: String,
    /// The given name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub first_name: String,
    /// The family name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_name: String,
    /// The address shown for the person. Logins and invitations go by the rows of e-mail addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// A telephone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What the person is in the organization, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// The person's time zone, a name of the IANA database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How the person wants dates and numbers written, such as `en-GB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The language the person reads, such as `en`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether the person may log in.
    #[serde(default = "yes")]
    pub active: bool,
    /// Whether the person may run this installation's own tasks.
    #[serde(default)]
    pub staff: bool,
    /// Whether the person may do everything in the home organization and below.
    #[serde(default)]
    pub superuser: bool,
    /// The hash of the password, an argon2 PHC string; absent when the person cannot log in with one.
    #[serde(default, rename = "password_hash", skip_serializing_if = "Option::is_none")]
    pub password: Option<Hash>,
    /// The organization the person belongs to.
    pub home: Id<Organization>,
    /// The project that is meant when the person names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_project: Option<Id<Project>>,
    /// How the person wants to see things; opaque to the core.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub preferences: serde_json::Map<String, serde_json::Value>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// What was seen of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct UserStatus {
    /// When the person last logged in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login: Option<Time>,
    /// When somebody or something made sure of who the person is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Time>,
}

impl User {
    /// A user of that name and home, active, without a password and without special rights.
    pub fn new(username: impl Into<String>, home: Id<Organization>) -> Self {
        Self {
            username: username.into(),
            first_name: String::new(),
            last_name: String::new(),
            email: None,
            phone: None,
            position: None,
            timezone: None,
            locale: None,
            language: None,
            active: true,
            staff: false,
            superuser: false,
            password: None,
            home,
            home_project: None,
            preferences: serde_json::Map::new(),
            ext: Ext::new(),
        }
    }
}

impl Resource for User {
    const KIND: Kind = Kind::new("user");
    const AREA: &'static str = "access";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("username", FieldType::Text, |s: &Self| s.username.as_str().into()).indexed().searchable(),
        // The form in which two names are the same name.
        Field::new("username_key", FieldType::Text, |s: &Self| fold(&s.username).into()).hidden(),
        Field::new("first_name", FieldType::Text, |s: &Self| s.first_name.as_str().into()).searchable(),
        Field::new("last_name", FieldType::Text, |s: &Self| s.last_name.as_str().into()).searchable(),
        Field::new("email", FieldType::Text, |s: &Self| s.email.clone().into()).indexed().searchable(),
        Field::new("active", FieldType::Bool, |s| s.active.into()),
        Field::new("staff", FieldType::Bool, |s| s.staff.into()),
        Field::new("superuser", FieldType::Bool, |s| s.superuser.into()),
        Field::status("last_login", FieldType::Time, |s: &Self::Status| s.last_login.into()),
        Field::status("verified_at", FieldType::Time, |s: &Self::Status| s.verified_at.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[
        Edge::refuse("home", &[Organization::KIND], |s| Some(s.home.any())),
        Edge::detach("home_project", &[Project::KIND], |s| s.home_project.map(Id::any), |s| s.home_project = None),
    ];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["username_key"]];
    type Status = UserStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("username", &self.username, 150)?;
        check::length("first_name", &self.first_name, 150)?;
        check::length("last_name", &self.last_name, 150)?;
        if let Some(email) = &self.email {
            check_email("email", email)?;
        }
        for (field, text, most) in [
            ("phone", &self.phone, 50),
            ("position", &self.position, 255),
            ("timezone", &self.timezone, 64),
            ("locale", &self.locale, 35),
            ("language", &self.language, 35),
        ] {
            check::length(field, text.as_deref().unwrap_or_default(), most)?;
        }
        match &self.password {
            Some(hash) if !hash.as_str().starts_with("$argon2") => {
                Err(Invalid::format("password_hash", "an argon2 hash in PHC form"))
            }
            _ => Ok(()),
        }
    }

    fn title(&self) -> String {
        let full = format!("{} {}", self.first_name, self.last_name);
        let full = full.trim();
        if full.is_empty() { self.username.clone() } else { full.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_the_clear_is_not_taken_for_its_hash() {
        let user = User { password: Some(Hash::new("hunter2")), ..User::new("alice", Id::new(1)) };
        assert_eq!(user.check(None).unwrap_err().field, "password_hash");
    }

    #[test]
    fn a_user_without_names_is_called_by_the_login_name() {
        let user = User::new("alice", Id::new(1));
        assert_eq!(user.title(), "alice");
        assert_eq!(User { first_name: "Alice".into(), ..user }.title(), "Alice");
    }
}

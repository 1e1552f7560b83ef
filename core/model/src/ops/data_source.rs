//! A place outside from which texts come: a directory of the server or a Git repository.

use meetme_base::{Id, Invalid, Kind, Sealed, Time};
use meetme_store::{Edge, Field, FieldType, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tag;
use crate::{
    check,
    edge::{self, ids, without},
};

/// A source of files. What is in it is known by its [`DataFile`](super::DataFile)s, which a synchronisation brings up to date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DataSource {
    /// Its name.
    pub name: String,
    /// What it is.
    pub form: SourceForm,
    /// Where it is: for `local` a path below the directory that the operator opened, for `git` an address of the forms `https://`,
    /// `ssh://`, `host:path` or `file://`, the last below that directory too.
    pub url: String,
    /// Whether it may be synchronised.
    pub enabled: bool,
    /// How it is reached: for `git` a `branch`, a `username`. The password is kept by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<serde_json::Value>,
    /// The password or token for the user name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Sealed>,
    /// Names of files that are passed over, one pattern a line: `*` stands for any letters, `?` for one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub ignore: String,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub comments: String,
    /// Tags, in the order they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Id<Tag>>,
}

impl Default for DataSource {
    fn default() -> Self {
        Self {
            name: String::new(),
            form: SourceForm::default(),
            url: String::new(),
            enabled: true,
            parameters: None,
            password: None,
            ignore: String::new(),
            description: None,
            comments: String::new(),
            tags: Vec::new(),
        }
    }
}

/// What a data source is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceForm {
    /// A directory of the server.
    #[default]
    Local,
    /// A Git repository.
    Git,
}

impl SourceForm {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["local", "git"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Where a data source stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Nobody has looked into it yet.
    #[default]
    New,
    /// Somebody asked for a look.
    Queued,
    /// It is being read.
    Synchronising,
    /// Something is being written to it.
    Pushing,
    /// The last look or push went well.
    Completed,
    /// The last look or push did not.
    Failed,
}

impl SourceState {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["new", "queued", "synchronising", "pushing", "completed", "failed"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// What was seen of a data source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct DataSourceStatus {
    /// Where it stands.
    pub state: SourceState,
    /// When it was last read in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synced_at: Option<Time>,
    /// The commit that was read, for a repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Why the last look or push failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What is kept of the parameters of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitParameters {
    /// The branch; the repository's own default when absent.
    pub branch: Option<String>,
    /// The user name.
    pub username: Option<String>,
}

impl DataSource {
    /// The parameters of a repository; those that are not texts count as absent.
    pub fn git(&self) -> GitParameters {
        let text = |name: &str| {
            let value = self.parameters.as_ref()?.get(name)?.as_str()?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        GitParameters { branch: text("branch"), username: text("username") }
    }
}

/// The form of the address, which is all that can be said without asking the network.
fn check_git_url(url: &str) -> Result<(), Invalid> {
    let wanted = || Invalid::format("url", "https://HOST/PATH, ssh://USER@HOST/PATH, USER@HOST:PATH or file:///PATH");
    // A word that begins with a hyphen would be read as an option.
    if url.starts_with('-') || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(wanted());
    }
    let Some((scheme, rest)) = url.split_once("://") else {
        let Some((host, path)) = url.split_once(':') else { return Err(wanted()) };
        let good = !path.is_empty() && !host.is_empty() && !host.contains('/') && !path.starts_with(['-', ':']);
        return if good && is_host(host) { Ok(()) } else { Err(wanted()) };
    };
    let (authority, path) = rest.split_once('/').ok_or_else(wanted)?;
    match scheme {
        "file" if authority.is_empty() && !path.is_empty() => Ok(()),
        "https" | "ssh" if !path.is_empty() && is_host(authority) => match authority.rsplit_once('@') {
            Some((user, _)) if scheme == "https" || user.contains(':') => Err(Invalid::rule(
                "url",
                "A user name and a password belong in the parameters, where they are kept sealed.",
            )),
            _ => Ok(()),
        },
        _ => Err(wanted()),
    }
}

/// `user@host:port`, without anything a shell or a program could read as something else.
fn is_host(authority: &str) -> bool {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let letter = |c: char| c.is_ascii_alphanumeric() || "-._~@:[]%+".contains(c);
    !host.is_empty() && !host.starts_with(['-', ':']) && !authority.starts_with('-') && authority.chars().all(letter)
}

/// A name that is safe to hand to Git as a branch.
fn is_branch(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"-._/+".contains(&b);
    !name.starts_with(['-', '/', '.'])
        && !name.ends_with(['/', '.'])
        && !name.contains("..")
        && !name.contains("//")
        && name.len() <= 200
        && name.bytes().all(letter)
}

impl Resource for DataSource {
    const KIND: Kind = Kind::new("data_source");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("form", FieldType::Text, |s: &Self| s.form.word().into()).words(SourceForm::WORDS),
        Field::new("url", FieldType::Text, |s: &Self| s.url.as_str().into()).searchable(),
        Field::new("enabled", FieldType::Bool, |s| s.enabled.into()),
        Field::new("description", FieldType::Text, |s: &Self| s.description.clone().into()).searchable(),
        Field::status("state", FieldType::Text, |s: &Self::Status| s.state.word().into()).words(SourceState::WORDS),
        Field::status("synced_at", FieldType::Time, |s: &Self::Status| s.synced_at.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[edge::tags(|s| ids(&s.tags), |s, id| without(&mut s.tags, id))];
    const UNIQUE: &'static [&'static [&'static str]] = &[&["tenant", "name"]];
    type Status = DataSourceStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        check::name("url", &self.url, 200)?;
        match self.form {
            SourceForm::Git => check_git_url(&self.url)?,
            SourceForm::Local => {
                let path = self.url.strip_prefix("file://").unwrap_or(&self.url);
                if path.contains('\0') || path.split('/').any(|part| part == "..") {
                    return Err(Invalid::format("url", "a path without `..`"));
                }
            }
        }
        check::length("description", self.description.as_deref().unwrap_or_default(), 200)?;
        check::length("ignore", &self.ignore, 10_000)?;
        let Some(parameters) = &self.parameters else { return Ok(()) };
        let Some(map) = parameters.as_object() else { return Err(Invalid::format("parameters", "an object")) };
        if map.contains_key("password") {
            return Err(Invalid::rule("parameters", "The password is kept by itself."));
        }
        if let Some((name, _)) = map.iter().find(|(name, value)| {
            matches!(name.as_str(), "branch" | "username") && !(value.is_string() || value.is_null())
        }) {
            return Err(Invalid::format("parameters", format!("a text as {name}")));
        }
        match self.git().branch {
            Some(branch) if !is_branch(&branch) => Err(Invalid::format("parameters", "the name of a branch")),
            _ => Ok(()),
        }
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn git(url: &str) -> Result<(), String> {
        let source = DataSource { name: "S".into(), form: SourceForm::Git, url: url.into(), ..DataSource::default() };
        source.check(None).map_err(|e| e.field)
    }

    #[test]
    fn an_address_of_a_repository_has_one_of_four_forms() {
        for good in [
            "https://git.example.net/noc/templates.git",
            "https://git.example.net:8443/noc",
            "ssh://git@git.example.net/noc",
            "git@git.example.net:noc/templates.git",
            "file:///srv/templates",
        ] {
            assert_eq!(git(good), Ok(()), "{good}");
        }
        for bad in [
            "http://git.example.net/x",
            "ext::sh -c id",
            "ext::id",
            "-oProxyCommand=id:x",
            "ssh://-oProxyCommand=id/x",
            "https://u:p@git.example.net/x",
            "https://git.example.net",
            "git@host:-x",
            "file://host/x",
            "ftp://h/x",
            "/srv/x",
        ] {
            assert_eq!(git(bad), Err("url".to_owned()), "{bad}");
        }
    }

    #[test]
    fn a_path_does_not_climb() {
        let local = |url: &str| DataSource { name: "S".into(), url: url.into(), ..DataSource::default() }.check(None);
        assert_eq!(local("templates/base"), Ok(()));
        assert_eq!(local("file:///srv/templates"), Ok(()));
        assert_eq!(local("../etc").unwrap_err().field, "url");
        assert_eq!(local("a/../../etc").unwrap_err().field, "url");
    }

    #[test]
    fn a_branch_is_no_option() {
        let with = |branch: &str| {
            let parameters = Some(json!({"branch": branch}));
            let url = "https://h/x".to_owned();
            DataSource { name: "S".into(), form: SourceForm::Git, url, parameters, ..DataSource::default() }.check(None)
        };
        assert!(with("main").is_ok() && with("feature/x-1.2").is_ok());
        for bad in ["--upload-pack=id", "a..b", "/x", "a b", "x/"] {
            assert_eq!(with(bad).unwrap_err().field, "parameters", "{bad}");
        }
    }

    #[test]
    fn a_password_is_not_kept_in_the_clear() {
        let parameters = Some(json!({"username": "noc", "password": "hunter2"}));
        let source = DataSource { name: "S".into(), url: "x".into(), parameters, ..DataSource::default() };
        assert_eq!(source.check(None).unwrap_err().field, "parameters");
    }
}

//! A call to somebody's server when something happens to rows of some kinds.

use meetme_base::{Invalid, Kind, Sealed, Time};
use meetme_store::{Edge, Field, FieldType, Resource, Verb};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Ext, check};

/// A webhook. It hears of what happens on its node and below it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Hook {
    /// Its name.
    pub name: String,
    /// The kinds it hears of.
    pub kinds: Vec<String>,
    /// Whether it is called when a row is made.
    pub on_create: bool,
    /// Whether it is called when a row is changed.
    pub on_update: bool,
    /// Whether it is called when a row is removed.
    pub on_remove: bool,
    /// Whether it is called when the state of a row takes a named step: a session comes up, an order is built.
    pub on_moved: bool,
    /// Whether it is called at all.
    pub enabled: bool,
    /// The dialect in which things are told; the native one when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dialect: String,
    /// The address that is called, `http` or `https`.
    pub url: String,
    /// The method.
    pub method: HookMethod,
    /// The media type of the body.
    pub content_type: String,
    /// Further headers, `Name: value` a line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub headers: String,
    /// A template of the body; the dialect's own form when empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// The secret that the body is signed with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Sealed>,
    /// What must hold of the thing told, as a tree of conditions; always called when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<serde_json::Value>,
    /// Whether the server's certificate must be good.
    pub verify: bool,
    /// A file with certificates that are trusted instead of the machine's, below the directory that the operator opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<String>,
    /// What only one dialect can mean.
    #[serde(skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

impl Default for Hook {
    fn default() -> Self {
        Self {
            name: String::new(),
            kinds: Vec::new(),
            on_create: false,
            on_update: false,
            on_remove: false,
            on_moved: false,
            enabled: true,
            dialect: String::new(),
            url: String::new(),
            method: HookMethod::default(),
            content_type: "application/json".into(),
            headers: String::new(),
            body: String::new(),
            secret: None,
            conditions: None,
            verify: true,
            ca_file: None,
            ext: Ext::new(),
        }
    }
}

/// How a hook calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum HookMethod {
    /// GET.
    Get,
    /// POST.
    #[default]
    Post,
    /// PUT.
    Put,
    /// PATCH.
    Patch,
    /// DELETE.
    Delete,
}

impl HookMethod {
    /// Every word.
    pub const WORDS: &'static [&'static str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];
    /// The stored word.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        serde_json::from_value(word.into()).ok()
    }
}

/// What was seen of a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct HookStatus {
    /// The place in the change log up to which everything was told; opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Whether it was switched off when last looked at: it then begins anew where it is switched on.
    pub paused: bool,
    /// How many calls were answered well.
    pub delivered: u64,
    /// How many things were never told because every try failed.
    pub given_up: u64,
    /// How many tries in a row have failed.
    pub failures: u32,
    /// When it was last called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Time>,
    /// The status of the last answer; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_status: Option<u16>,
    /// Why the last call failed; absent when it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When a call that failed is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
}

impl Hook {
    /// The verbs of the change log it is called for.
    pub fn verbs(&self) -> Vec<Verb> {
        [
            (self.on_create, Verb::Create),
            (self.on_update, Verb::Update),
            (self.on_remove, Verb::Remove),
            (self.on_moved, Verb::Moved),
        ]
        .into_iter()
        .filter_map(|(on, verb)| on.then_some(verb))
        .collect()
    }

    /// The further headers, name and value. What [`Resource::check`] let through can be read.
    pub fn header_lines(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim()))
    }

    fn check_headers(&self) -> Result<(), Invalid> {
        check::length("headers", &self.headers, 10_000)?;
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        // What frames the message, or says who sent it, is ours to write.
        const OURS: &[&str] = &[
            "connection",
            "content-length",
            "content-type",
            "host",
            "transfer-encoding",
            "x-hook-signature",
            "x-hook-id",
        ];
        for line in self.headers.lines().filter(|line| !line.trim().is_empty()) {
            let Some((name, value)) = line.split_once(':') else {
                return Err(Invalid::format("headers", "`Name: value` on each line"));
            };
            let name = name.trim();
            if name.is_empty() || !name.bytes().all(token) || value.chars().any(|c| c.is_control() && c != '\t') {
                return Err(Invalid::format("headers", "`Name: value` on each line"));
            }
            if OURS.contains(&name.to_ascii_lowercase().as_str()) {
                return Err(Invalid::rule("headers", format!("The header {name} is written by the server.")));
            }
        }
        Ok(())
    }
}

impl Resource for Hook {
    const KIND: Kind = Kind::new("hook");
    const AREA: &'static str = "ops";
    const FIELDS: &'static [Field<Self>] = &[
        Field::new("name", FieldType::Text, |s: &Self| s.name.as_str().into()).indexed().searchable(),
        Field::new("on_create", FieldType::Bool, |s| s.on_create.into()),
        Field::new("on_update", FieldType::Bool, |s| s.on_update.into()),
        Field::new("on_remove", FieldType::Bool, |s| s.on_remove.into()),
        Field::new("on_moved", FieldType::Bool, |s| s.on_moved.into()),
        Field::new("enabled", FieldType::Bool, |s| s.enabled.into()),
        Field::new("dialect", FieldType::Text, |s: &Self| s.dialect.as_str().into()),
        Field::new("url", FieldType::Text, |s: &Self| s.url.as_str().into()).searchable(),
        Field::new("method", FieldType::Text, |s: &Self| s.method.word().into()).words(HookMethod::WORDS),
        Field::new("content_type", FieldType::Text, |s: &Self| s.content_type.as_str().into()),
        Field::new("verify", FieldType::Bool, |s| s.verify.into()),
        Field::new("ca_file", FieldType::Text, |s| s.ca_file.clone().into()),
        Field::status("failures", FieldType::Int, |s: &Self::Status| i64::from(s.failures).into()),
        Field::status("last_at", FieldType::Time, |s: &Self::Status| s.last_at.into()),
    ];
    const EDGES: &'static [Edge<Self>] = &[];
    const UNIQUE: &'static [&'static [&'static str]] =
        &[&["tenant", "name"], &["tenant", "url", "on_create", "on_update", "on_remove"]];
    type Status = HookStatus;

    fn check(&self, _: Option<&Self>) -> Result<(), Invalid> {
        check::name("name", &self.name, 100)?;
        if self.kinds.is_empty() {
            return Err(Invalid::required("kinds"));
        }
        if !(self.on_create || self.on_update || self.on_remove || self.on_moved) {
            return Err(Invalid::rule("", "A webhook is called on at least one of create, update, delete and state."));
        }
        check::name("url", &self.url, 512)?;
        let rest = self.url.strip_prefix("https://").or_else(|| self.url.strip_prefix("http://"));
        let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        let bad = |c: char| c.is_whitespace() || c.is_control();
        match authority {
            Some(host) if !host.is_empty() && !self.url.contains(bad) && !host.contains('@') => {}
            _ => return Err(Invalid::format("url", "http://HOST/PATH or https://HOST/PATH, without a user name")),
        }
        check::name("content_type", &self.content_type, 128)?;
        if !self.content_type.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Err(Invalid::format("content_type", "a media type"));
        }
        check::length("body", &self.body, 100_000)?;
        check::length("ca_file", self.ca_file.as_deref().unwrap_or_default(), 4096)?;
        self.check_headers()
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook() -> Hook {
        Hook {
            name: "H".into(),
            kinds: vec!["router".into()],
            on_create: true,
            url: "https://h/x".into(),
            ..Hook::default()
        }
    }

    #[track_caller]
    fn refused(hook: &Hook, field: &str) {
        assert_eq!(hook.check(None).map_err(|e| e.field), Err(field.to_owned()), "{hook:?}");
    }

    #[test]
    fn a_hook_hears_of_something() {
        assert_eq!(hook().check(None), Ok(()));
        refused(&Hook { on_create: false, ..hook() }, "");
        refused(&Hook { kinds: Vec::new(), ..hook() }, "kinds");
    }

    #[test]
    fn a_hook_calls_a_server() {
        for url in ["ftp://h/x", "https://", "https:///x", "https://u:p@h/", "http://h /", "h"] {
            refused(&Hook { url: url.into(), ..hook() }, "url");
        }
    }

    #[test]
    fn headers_are_lines_of_name_and_value() {
        let with = |headers: &str| Hook { headers: headers.into(), ..hook() };
        let good = with("X-Token: a:b\n\nAccept: text/plain");
        assert_eq!(good.check(None), Ok(()));
        assert_eq!(good.header_lines().collect::<Vec<_>>(), [("X-Token", "a:b"), ("Accept", "text/plain")]);
        for bad in ["X-Token", ": x", "X Token: x", "Host: x", "content-length: 0", "X-Hook-Signature: x"] {
            refused(&with(bad), "headers");
        }
    }
}

//! Why a template gave no text.

use minijinja::{Error, ErrorKind};

/// A template that could not be read or rendered: where, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Failure {
    /// The template it happened in, when that is another one than the one asked for.
    pub template: Option<String>,
    /// The line in it, counted from 1.
    pub line: Option<usize>,
    /// What went wrong.
    pub reason: String,
}

impl Failure {
    /// A failure of no line.
    pub fn plain(reason: impl Into<String>) -> Self {
        Self { template: None, line: None, reason: reason.into() }
    }

    fn sentence(&self) -> String {
        let place = match (&self.template, self.line) {
            (Some(template), Some(line)) => format!("line {line} of the included template {template}: "),
            (Some(template), None) => format!("the included template {template}: "),
            (None, Some(line)) => format!("line {line}: "),
            (None, None) => String::new(),
        };
        format!("{place}{}", self.reason)
    }

    /// From the engine's error, in the template called `main` or one that it includes.
    pub(crate) fn of(error: &Error, main: &str) -> Self {
        // The innermost error that names a line says most: an include is only the way there.
        let (mut at, mut next) = (error, std::error::Error::source(error));
        while let Some(source) = next {
            if let Some(inner) = source.downcast_ref::<Error>()
                && inner.line().is_some()
            {
                at = inner;
            }
            next = source.source();
        }
        let reason = match at.kind() {
            ErrorKind::OutOfFuel => "The template takes more steps or memory than one may.".to_owned(),
            ErrorKind::SyntaxError => format!("Syntax error: {}.", at.detail().unwrap_or("it cannot be read")),
            kind => {
                let mut reason = at.detail().map_or_else(|| kind.to_string(), str::to_owned);
                if let Some(first) = reason.get(..1) {
                    reason.replace_range(..1, &first.to_ascii_uppercase());
                }
                if !reason.ends_with('.') {
                    reason.push('.');
                }
                reason
            }
        };
        let template = at.name().filter(|name| *name != main).map(|name| {
            let (_, name) = name.split_once("::").unwrap_or(("", name));
            name.to_owned()
        });
        Self { template, line: at.line(), reason }
    }
}

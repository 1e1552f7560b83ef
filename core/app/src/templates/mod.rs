//! Templates over the book: what a template may see is read here, whole and in a few statements, and rendered after the
//! transaction is over.
//!
//! In a router's configuration everything is seen from that router: `ixp | sessions` are the sessions on it, and those on other
//! routers at the same exchange are not there. An object with a status other than enabled is there; templates decide.
//!
//! `now()` in a template says when the newest of the rows behind the text was changed, not when it is rendered: a text must
//! stay the same as long as nothing changes, or every look at a box would be a reason to load it again.
//!
//! Rule: passwords are in a text only when it goes to the box or to somebody who may read them; everywhere else a word stands
//! in their place. [`Passwords`] is chosen by whoever asks for the text.

mod beside;
mod book;
mod fields;
pub mod jobs;
mod letters;
mod names;
mod reading;
mod shipped;
mod tree;

use std::{collections::BTreeMap, fmt, sync::Arc};

use meetme_base::Invalid;
use meetme_model::routing::Template;
use meetme_store::Object;
use meetme_template::{Flags, Limits, Rendering, Sources, Value};

use crate::{Error, offload::offload};

pub use meetme_template::{Failure, check};
pub use reading::{configuration, export, export_named, mail, router, shown};
pub use shipped::{SHIPPED, Shipped, install};

/// What stands for a password in a text that is not for everybody's eyes.
pub const MASK: &str = "(secret)";

/// Whether a text holds passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passwords {
    /// In the clear: the text goes to the box, or to somebody who may read them.
    Clear,
    /// Masked: [`MASK`] stands for each.
    Masked,
}

/// A template with everything it may see: what is left is to render it, without a transaction.
pub struct Prepared {
    name: String,
    text: String,
    subject: Option<String>,
    flags: Flags,
    sources: Arc<Sources>,
    variables: BTreeMap<&'static str, Value>,
    /// Milliseconds since 1970.
    now: i64,
    size: usize,
}

impl Prepared {
    fn new(template: &Object<Template>, sources: Sources, variables: BTreeMap<&'static str, Value>) -> Self {
        Self {
            name: template.spec.name.clone(),
            text: template.spec.text.clone(),
            subject: template.spec.subject.clone(),
            flags: Flags { trim: template.spec.trim, lstrip: template.spec.lstrip },
            sources: Arc::new(sources),
            variables,
            now: template.updated.0,
            size: 0,
        }
    }

    /// The template's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    ///
    /// # Errors
    /// The line at which the template failed, and why.
    pub fn render(&self) -> Result<String, Failure> {
        self.rendered(&self.text)
    }

    /// The text, made on a thread of its own: a large one takes longer than a server's threads may be held.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the line at which the template failed, and why.
    pub async fn render_apart(self) -> Result<String, Error> {
        let name = self.name.clone();
        let rendered = offload(move || self.render()).await?;
        rendered.map_err(|failure| Invalid::rule("", format!("The template {name} failed: {failure}")).into())
    }

    /// The subject, of a mail.
    ///
    /// # Errors
    /// Why it could not be made.
    pub fn subject(&self) -> Result<Option<String>, Failure> {
        let Some(subject) = &self.subject else { return Ok(None) };
        // A line break would begin another header.
        self.rendered(subject).map(|text| Some(text.split_whitespace().collect::<Vec<_>>().join(" ")))
    }

    fn rendered(&self, text: &str) -> Result<String, Failure> {
        let what = Rendering {
            text,
            flags: self.flags,
            limits: Limits::over(self.size),
            sources: &self.sources,
            now: self.now,
            zone: "UTC",
        };
        meetme_template::render(&what, &self.variables)
    }
}

impl fmt::Debug for Prepared {
    /// Without the text and without what it sees, which may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("bytes", &self.text.len()).field("objects", &self.size).finish()
    }
}

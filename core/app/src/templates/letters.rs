//! Mails: a subject and a text from one template.

use meetme_base::Invalid;
use meetme_template::from_json;
use serde_json::Value as Json;

use super::{Failure, Prepared};
use crate::{Error, offload::offload};

impl Prepared {
    /// The same with one more thing that the template may see.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &Json) -> Self {
        self.variables.insert(name, from_json(value));
        self
    }

    /// Subject and text, made as [`Prepared::render_apart`] makes a text.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the line at which the template failed, and why.
    pub async fn mail_apart(self) -> Result<(String, String), Error> {
        let name = self.name.clone();
        let make = move || Ok::<_, Failure>((self.subject()?.unwrap_or_default(), self.render()?));
        let made = offload(make).await?;
        made.map_err(|failure| Invalid::rule("", format!("The template {name} failed: {failure}")).into())
    }
}

//! A POST with an `Idempotency-Key` is done once: the answer is kept in the same transaction as the row, and a repeat with the same
//! body gets it again. Only good answers are kept, so whoever was refused may try again with the same key.

use meetme_app::{App, Error};
use meetme_base::{Invalid, Sealed};
use meetme_http::{Parts, Problem};
use meetme_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The longest key.
const LONGEST: usize = 255;

/// A client's key and a print of what it asked for.
#[derive(Clone, Debug)]
pub struct Key {
    name: String,
    print: String,
}

/// An answer as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Where the new row is.
    pub location: String,
    /// Its tag.
    pub tag: String,
    /// The row.
    pub body: Json,
    /// Whether it was kept from before.
    #[serde(skip)]
    pub replayed: bool,
}

/// An answer with a secret in it is sealed.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Kept {
    Sealed(Sealed),
    Open(Answer),
}

impl Key {
    /// The key of this request, if it has one.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn of(app: &App, parts: &Parts, op: &str, body: &Json) -> Result<Option<Self>, Problem> {
        if !parts.headers.contains_key("idempotency-key") {
            return Ok(None);
        }
        let name = parts.header("idempotency-key").unwrap_or_default().trim();
        if name.is_empty() || name.len() > LONGEST {
            return Err(Invalid::format("Idempotency-Key", "1 to 255 visible characters").into());
        }
        // Keyed, because the body may hold secrets.
        let print = app.sealer().hash(&format!("{op} {} {body}", parts.query.get("tenant").unwrap_or_default()));
        Ok(Some(Self { name: name.to_owned(), print }))
    }

    /// The answer kept under the key.
    ///
    /// # Errors
    /// When the key was used for another request.
    pub fn recall(&self, app: &App, tx: &mut Tx<'_>) -> Result<Option<Answer>, Error> {
        let Some(memo) = tx.recall(&scope(tx), &self.name)? else { return Ok(None) };
        if memo.print != self.print {
            let text = "This key was used for another request.";
            return Err(Invalid::new("Idempotency-Key", "reused", text).into());
        }
        let unreadable = |error: serde_json::Error| Error::Bug(format!("a kept answer cannot be read: {error}"));
        let answer = match serde_json::from_str(&memo.answer).map_err(unreadable)? {
            Kept::Open(answer) => answer,
            Kept::Sealed(sealed) => serde_json::from_str(app.sealer().open(&sealed)?.expose()).map_err(unreadable)?,
        };
        Ok(Some(Answer { replayed: true, ..answer }))
    }

    /// Keeps an answer.
    ///
    /// # Errors
    /// [`Error::Stale`] when a request with the same key was faster.
    pub fn remember(&self, app: &App, tx: &mut Tx<'_>, answer: &Answer, is_secret: bool) -> Result<(), Error> {
        let unwritable = |error: serde_json::Error| Error::Bug(format!("an answer cannot be kept: {error}"));
        let mut kept = serde_json::to_string(answer).map_err(unwritable)?;
        if is_secret {
            kept = serde_json::to_string(&app.sealer().seal(&kept)?).map_err(unwritable)?;
        }
        Ok(tx.remember(&scope(tx), &self.name, &self.print, &kept)?)
    }
}

/// Keys of different callers never meet.
fn scope(tx: &Tx<'_>) -> String {
    let actor = tx.actor();
    match actor.by {
        Some(id) => format!("native {id}"),
        None => format!("native {}", actor.name),
    }
}

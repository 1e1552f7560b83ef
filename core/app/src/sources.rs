//! Texts that come from files of data sources: what a synchronisation found becomes the source's files, and rows that follow a file
//! take their text from it.

use std::collections::BTreeMap;

use meetme_base::{Id, Invalid, Time};
use meetme_model::{
    ops::{DataFile, DataSource, DataSourceStatus, Follows, Job, SourceState},
    routing::{ConfigContext, DirectSession, ExchangeSession, Router, Template},
};
use meetme_store::{Filter, Object, Resource as _, Tx};

use crate::{
    Error, access,
    jobs::{self, Ask},
    peering::Ruled,
};

/// A file as a synchronisation found it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is in the source.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// The SHA-256 of its bytes in hexadecimal digits.
    pub hash: String,
    /// Its bytes when they are a text.
    pub text: Option<String>,
    /// Its bytes in base64 when they are no text.
    pub base64: Option<String>,
}

/// What a synchronisation changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// How many files are new.
    pub made: usize,
    /// How many files have other bytes.
    pub changed: usize,
    /// How many files are gone.
    pub removed: usize,
    /// What followed: one sentence for each row whose text is another now, or that could not follow.
    pub followed: Vec<String>,
}

/// The work of reading a data source.
pub const SYNCHRONISE: &str = "data_source.synchronise";

/// Asks for a source to be read.
///
/// # Errors
/// [`Error::Denied`] without the right to act on it; [`Error::Conflict`] when it is switched off.
pub fn synchronise(tx: &mut Tx<'_>, id: Id<DataSource>) -> Result<Object<Job>, Error> {
    let mut source = tx.get(id)?;
    access::require(tx, DataSource::KIND, "act", source.tenant)?;
    if !source.spec.enabled {
        return Err(Error::conflict("disabled", "The data source is not enabled."));
    }
    let status = DataSourceStatus { state: SourceState::Queued, ..source.status.clone() };
    tx.as_system(|tx| tx.observe(&mut source, status, None))?;
    let name = format!("Synchronise {}", source.spec.name);
    jobs::ask(tx, source.tenant, Ask { what: SYNCHRONISE, name, subject: Some(id.any()), ..Ask::default() })
}

/// The work of writing a router's configuration to a file of a data source.
pub const PUSH: &str = "router.push";

/// Asks for the rendered configuration of a router to be written to its file. Passwords are in it only where the caller may read
/// those of sessions in the router's book.
///
/// # Errors
/// [`Error::Denied`] without the right to push the router; [`Error::Invalid`] when it has no file.
pub fn push(tx: &mut Tx<'_>, id: Id<Router>) -> Result<Object<Job>, Error> {
    let router = tx.get(id)?;
    if !tx.may_with("push", &router)? {
        return Err(Error::Denied("You do not have the right to push this router's configuration.".to_owned()));
    }
    if router.spec.publishes.source.is_none() {
        let text = format!("The router {} has no data source to push to.", router.spec.name);
        return Err(Invalid::rule("routers", text).into());
    }
    let reveal = tx.may(DirectSession::KIND, "reveal", router.tenant)?
        && tx.may(ExchangeSession::KIND, "reveal", router.tenant)?;
    let name = format!("Push the configuration of {}", router.spec.name);
    let inputs = serde_json::json!({"passwords": reveal});
    jobs::ask(tx, router.tenant, Ask { what: PUSH, name, subject: Some(id.any()), inputs })
}

/// Brings the files of a source in line with what was found, and everything that follows one of them.
///
/// # Errors
/// When the database fails.
pub fn apply(tx: &mut Tx<'_>, source: &Object<DataSource>, found: &[Found]) -> Result<Changed, Error> {
    tx.as_system(|tx| {
        let mut out = Changed::default();
        let known = tx.all::<DataFile>(Filter::eq("source", source.id))?;
        let mut left: BTreeMap<String, Object<DataFile>> =
            known.into_iter().map(|file| (file.spec.path.clone(), file)).collect();
        for file in found {
            let spec = DataFile {
                source: source.id,
                path: file.path.clone(),
                size: file.size,
                hash: file.hash.clone(),
                text: file.text.clone(),
                base64: file.base64.clone(),
            };
            match left.remove(&file.path) {
                None => {
                    tx.create(source.tenant, spec)?;
                    out.made += 1;
                }
                Some(mut row) if row.spec != spec => {
                    tx.save(&mut row, spec)?;
                    out.changed += 1;
                }
                Some(_) => {}
            }
        }
        for row in left.into_values() {
            tx.remove(row.id)?;
            out.removed += 1;
        }
        follow::<Template>(tx, source.id, &mut out)?;
        follow::<ConfigContext>(tx, source.id, &mut out)?;
        Ok(out)
    })
}

/// A kind whose rows may follow a file.
pub trait Follower: Ruled {
    /// The file it follows.
    fn follows(&self) -> &Follows;
    /// The same, to be changed.
    fn follows_mut(&mut self) -> &mut Follows;
    /// The name of the field that takes the text.
    const TAKES: &'static str;
    /// Whether the value that is taken is another one than before.
    fn differs(&self, before: &Self) -> bool;
    /// Takes a text; the answer is whether it is another one than before.
    ///
    /// # Errors
    /// When the text is none for this row.
    fn take(&mut self, text: &str) -> Result<bool, Invalid>;
}

impl Follower for Template {
    fn follows(&self) -> &Follows {
        &self.follows
    }
    fn follows_mut(&mut self) -> &mut Follows {
        &mut self.follows
    }
    const TAKES: &'static str = "text";
    fn differs(&self, before: &Self) -> bool {
        self.text != before.text
    }
    fn take(&mut self, text: &str) -> Result<bool, Invalid> {
        if text.is_empty() {
            return Err(Invalid::new("text", "blank", "The file is empty."));
        }
        let is_other = self.text != text;
        text.clone_into(&mut self.text);
        Ok(is_other)
    }
}

impl Follower for ConfigContext {
    fn follows(&self) -> &Follows {
        &self.follows
    }
    fn follows_mut(&mut self) -> &mut Follows {
        &mut self.follows
    }
    const TAKES: &'static str = "data";
    fn differs(&self, before: &Self) -> bool {
        self.data != before.data
    }
    fn take(&mut self, text: &str) -> Result<bool, Invalid> {
        let data: serde_json::Value = serde_json::from_str(text)
            .map_err(|e| Invalid::new("data", "format", format!("The file is no JSON: {e}.")))?;
        if !data.is_object() {
            return Err(Invalid::new("data", "format", "The file is no JSON object."));
        }
        let is_other = self.data != data;
        self.data = data;
        Ok(is_other)
    }
}

/// Every row that follows a file of the source by itself takes its text anew.
fn follow<R: Follower>(tx: &mut Tx<'_>, source: Id<DataSource>, out: &mut Changed) -> Result<(), Error> {
    for mut row in tx.all::<R>(Filter::eq("source", source).and(Filter::eq("automatic", true)))? {
        let (title, path) = (row.spec.title(), row.spec.follows().path.clone());
        let Some(file) = file(tx, source, &path)? else {
            out.followed.push(format!("{title} keeps its text: there is no file {path}."));
            continue;
        };
        let mut spec = row.spec.clone();
        match take(&mut spec, &file, tx.now()) {
            Ok(false) => {}
            Ok(true) => match tx.attempt(|tx| tx.save(&mut row, spec).map_err(Error::from)) {
                Ok(()) => out.followed.push(format!("{title} has a new text from {path}.")),
                Err(Error::Invalid(bad)) => {
                    let why = bad.first().map(|bad| bad.message.clone()).unwrap_or_default();
                    out.followed.push(format!("{title} keeps its text: {why}"));
                }
                Err(e) => return Err(e),
            },
            Err(bad) => out.followed.push(format!("{title} keeps its text: {}", bad.message)),
        }
    }
    Ok(())
}

fn file(tx: &mut Tx<'_>, source: Id<DataSource>, path: &str) -> Result<Option<Object<DataFile>>, Error> {
    Ok(tx.one::<DataFile>(&Filter::eq("source", source).and(Filter::eq("path", path)))?)
}

fn take<R: Follower>(spec: &mut R, file: &Object<DataFile>, now: Time) -> Result<bool, Invalid> {
    let Some(text) = &file.spec.text else {
        return Err(Invalid::rule("follows.path", format!("{} is no text.", file.spec.path)));
    };
    let is_other = spec.take(text)?;
    if is_other || spec.follows().synced_at.is_none() {
        spec.follows_mut().synced_at = Some(now);
        return Ok(true);
    }
    Ok(false)
}

/// What follows from the file that a row begins to follow: it takes the file's text. A row that follows by itself has no text of its
/// own, so another text is refused.
///
/// # Errors
/// When there is no such file or it is no text; when the caller may not see the source.
pub fn settle<R: Follower>(spec: &mut R, tx: &mut Tx<'_>, before: Option<&R>) -> Result<(), Error> {
    let Some((source, path)) = spec.follows().file().map(|(source, path)| (source, path.to_owned())) else {
        spec.follows_mut().synced_at = None;
        return Ok(());
    };
    let aim = |follows: &Follows| (follows.source, follows.path.clone(), follows.automatic);
    if let Some(before) = before.filter(|before| aim(before.follows()) == aim(spec.follows())) {
        if spec.follows().automatic && spec.differs(before) {
            let text = format!("It is taken from the file {path}. Change the file, or follow it no longer.");
            return Err(Invalid::rule(R::TAKES, text).into());
        }
        spec.follows_mut().synced_at = before.follows().synced_at;
        return Ok(());
    }
    if tx.find(source)?.is_none() {
        return Err(Invalid::reference("follows.source", format!("The data source {source}")).into());
    }
    let found = tx.as_system(|tx| file(tx, source, &path))?.ok_or_else(|| {
        Invalid::rule("follows.path", format!("The data source has no file {path}. Synchronise it first."))
    })?;
    let now = tx.now();
    spec.follows_mut().synced_at = None;
    take(spec, &found, now)?;
    Ok(())
}

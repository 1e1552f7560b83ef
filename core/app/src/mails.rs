//! Mail to the people of another network: who may write, to whom, and the letter that is put into the queue for the mail server.
//!
//! Road not taken: addresses in a request. Mail goes to contacts that are kept here, so that nobody makes this installation write to
//! strangers.

use meetme_base::{Id, Invalid, RawId, Sealed, Secret};
use meetme_model::{
    access::User,
    mirror::PdbNetwork,
    ops::{Contact, ContactAssignment, Job},
    routing::{AutonomousSystem, Template, TemplatePurpose},
};
use meetme_store::{Filter, Object, Query, Resource as _, Tx};
use serde::{Deserialize, Serialize};

use crate::{
    App, Error, access,
    jobs::{self, Ask},
    templates::{self, Prepared},
};

/// The work of sending a letter.
pub const SEND: &str = "mail.send";
/// The most addresses that one letter goes to.
pub const MOST: usize = 50;
/// The longest body, in bytes.
pub const LONGEST: usize = 256 * 1024;

/// A letter, as its job keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// Where it goes.
    pub to: Vec<Receiver>,
    /// Where an answer goes, when not to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Receiver>,
    /// Its subject.
    pub subject: String,
    /// Its text; empty where it is sealed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Its text, where it holds something that only its receiver may read: a job is kept and shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
}

impl Letter {
    /// Its text, opened if it is sealed.
    ///
    /// # Errors
    /// When it was sealed under another master key.
    pub fn text(&self, app: &App) -> Result<Secret<String>, Error> {
        match &self.sealed {
            Some(sealed) => app.sealer().open(sealed),
            None => Ok(Secret::new(self.body.clone())),
        }
    }
}

/// Somebody a letter goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receiver {
    /// The name.
    pub name: String,
    /// The address.
    pub address: String,
}

/// The AS that somebody wants to write to, if they may.
///
/// # Errors
/// [`Error::Missing`] when it is not there for the caller, [`Error::Denied`] without the right to send.
pub fn correspondent(tx: &mut Tx<'_>, id: Id<AutonomousSystem>) -> Result<Object<AutonomousSystem>, Error> {
    let system = tx.get(id)?;
    access::require(tx, AutonomousSystem::KIND, "send", system.tenant)?;
    Ok(system)
}

/// A mail from a template, ready to be made: to the people of an AS, and perhaps about a network of the public peering database, which
/// the template then sees as `network`. Whoever may send may make one: a template sees more of the AS than its reader may.
///
/// # Errors
/// As [`correspondent`]; [`Error::Missing`] when there is no such template of mails, or no such network.
pub fn draft(
    app: &App,
    tx: &mut Tx<'_>,
    template: Id<Template>,
    id: Id<AutonomousSystem>,
    network: Option<i64>,
) -> Result<Prepared, Error> {
    correspondent(tx, id)?;
    let template = tx.find(template)?.filter(|row| row.spec.purpose == TemplatePurpose::Mail);
    let template = template.ok_or_else(|| Error::missing(Template::KIND, "Email"))?;
    let prepared = templates::mail(app, tx, &template, id)?;
    let Some(number) = network else { return Ok(prepared) };
    let network = tx.one::<PdbNetwork>(&Filter::eq("pdb_id", number))?;
    let network = network.ok_or_else(|| Error::missing(PdbNetwork::KIND, number.to_string()))?;
    let document = serde_json::to_value(&network.spec).map_err(|e| Error::Bug(e.to_string()))?;
    Ok(prepared.with("network", &document))
}

/// Puts a letter to the contacts of an AS into the queue: to those that are named, or to all that are assigned to it. Those without an
/// address are left out.
///
/// # Errors
/// As [`correspondent`]; when a contact is not one of the AS, none has an address, or there are too many.
pub fn send(
    tx: &mut Tx<'_>,
    id: Id<AutonomousSystem>,
    contacts: &[Id<Contact>],
    subject: &str,
    body: &str,
) -> Result<Object<Job>, Error> {
    let system = correspondent(tx, id)?;
    if subject.trim().is_empty() {
        return Err(Invalid::required("subject").into());
    }
    if subject.chars().any(char::is_control) {
        return Err(Invalid::new("subject", "format", "A subject is one line.").into());
    }
    if body.len() > LONGEST {
        return Err(Invalid::new("body", "max_length", format!("A mail has at most {LONGEST} bytes.")).into());
    }
    let to = receivers(tx, id, contacts)?;
    let (subject, body) = (subject.trim().to_owned(), body.to_owned());
    let letter = Letter { to, reply_to: author(tx)?, subject, body, sealed: None };
    let inputs = serde_json::to_value(letter).map_err(|e| Error::Bug(e.to_string()))?;
    let name = format!("Write to {}", system.spec.title());
    jobs::ask(tx, system.tenant, Ask { what: SEND, name, subject: Some(id.any()), inputs })
}

/// Puts a letter of the installation's own into the queue, about something on `node`. Its text is sealed until it is sent: it lets its
/// receiver do something that whoever reads jobs may not. The operation decides to whom.
///
/// # Errors
/// When the text cannot be sealed.
pub(crate) fn confidential(
    app: &App,
    tx: &mut Tx<'_>,
    node: RawId,
    about: Option<RawId>,
    to: Receiver,
    subject: &str,
    body: &str,
) -> Result<Object<Job>, Error> {
    let name = format!("Write to {}", to.address);
    let sealed = Some(app.sealer().seal(body)?);
    let letter = Letter { to: vec![to], reply_to: None, subject: subject.to_owned(), body: String::new(), sealed };
    let inputs = serde_json::to_value(letter).map_err(|e| Error::Bug(e.to_string()))?;
    jobs::ask(tx, node, Ask { what: SEND, name, subject: about, inputs })
}

/// A text without line breaks, cut to the length of a subject: names that people chose stand in it.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(150).collect()
}

fn receivers(tx: &mut Tx<'_>, id: Id<AutonomousSystem>, chosen: &[Id<Contact>]) -> Result<Vec<Receiver>, Error> {
    let filter = Filter::eq("object", id);
    // One more than a letter can go to, several times over: a contact may be assigned in several roles.
    let assigned = tx.list::<ContactAssignment>(&Query::of(filter).page(20 * MOST as u32, 0))?;
    let mut ids: Vec<Id<Contact>> = Vec::new();
    for row in &assigned {
        if !ids.contains(&row.spec.contact) {
            ids.push(row.spec.contact);
        }
    }
    if let Some(stranger) = chosen.iter().find(|contact| !ids.contains(contact)) {
        let text = format!("The contact {stranger} is not assigned to this AS.");
        return Err(Invalid::new("contacts", "reference", text).into());
    }
    if !chosen.is_empty() {
        ids.retain(|contact| chosen.contains(contact));
    }
    let rows = tx.many(ids.iter().copied())?;
    let mut to: Vec<Receiver> = Vec::new();
    for contact in ids.iter().filter_map(|id| rows.get(id)).map(|row| &row.spec) {
        if !contact.email.is_empty() && !to.iter().any(|known| known.address == contact.email) {
            to.push(Receiver { name: contact.name.clone(), address: contact.email.clone() });
        }
    }
    match to.len() {
        0 => Err(Invalid::rule("contacts", "No contact of this AS has an e-mail address.").into()),
        1..=MOST => Ok(to),
        many => {
            let text = format!("A mail goes to at most {MOST} addresses; here are {many}. Name contacts.");
            Err(Invalid::rule("contacts", text).into())
        }
    }
}

/// Whoever asks, if it is a person with an address: answers shall reach them.
fn author(tx: &mut Tx<'_>) -> Result<Option<Receiver>, Error> {
    let Some(by) = tx.actor().by else { return Ok(None) };
    if tx.kind_of(by)? != Some(User::KIND) {
        return Ok(None);
    }
    let user = tx.as_system(|tx| tx.find::<User>(by.of()))?;
    Ok(user.and_then(|user| {
        let name = format!("{} {}", user.spec.first_name, user.spec.last_name).trim().to_owned();
        user.spec.email.map(|address| Receiver { name, address })
    }))
}

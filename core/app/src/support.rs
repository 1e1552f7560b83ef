//! Asking the operator for help: what is asked is noted with what it is about, and written to the operator's contacts.

use meetme_base::{Invalid, RawId};
use meetme_model::{
    access::{EmailAddress, Form, Organization, User},
    ops::{Contact, ContactAssignment, ContactRole, Job, Journal, JournalLevel, subject},
};
use meetme_store::{Filter, Object, Query, Resource as _, Tx};

use crate::{
    Error, Subject,
    jobs::{self, Ask},
    mails::{self, Letter, Receiver, SEND},
};

/// The slug of the role of those contacts of the operator who are asked for help; without any, all its contacts are.
pub const ROLE: &str = "support";
/// The longest question.
const LONGEST: usize = 20_000;

/// How much a question presses.
pub const PRIORITIES: &[&str] = &["urgent", "high", "medium", "low"];

/// A question to the operator.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// What it is about, in a line.
    pub subject: String,
    /// The question.
    pub message: String,
    /// How much it presses, one of [`PRIORITIES`].
    pub priority: Option<String>,
    /// The object it is about, which the caller was seen to see; the caller's organization when absent.
    pub about: Option<RawId>,
}

/// Notes a question and writes it to the operator's contacts.
///
/// # Errors
/// [`Error::Invalid`] names what is wrong; [`Error::Unavailable`] when the operator has entered nobody to write to.
pub fn ask(tx: &mut Tx<'_>, by: &Subject, question: &Question) -> Result<Object<Job>, Error> {
    if by.is_anonymous() || by.read_only {
        return Err(Error::Denied("A key that only reads asks no questions.".to_owned()));
    }
    let line = question.subject.trim();
    if line.is_empty() || line.chars().count() > 200 || line.chars().any(char::is_control) {
        return Err(Invalid::format("subject", "one line of at most 200 characters").into());
    }
    let text = question.message.trim();
    if text.is_empty() || text.len() > LONGEST {
        return Err(Invalid::format("message", format!("a text of at most {LONGEST} bytes")).into());
    }
    let priority = question.priority.as_deref().unwrap_or("medium");
    if !PRIORITIES.contains(&priority) {
        return Err(Invalid::choice("priority", priority).into());
    }
    let about = question.about.unwrap_or(by.home.any());
    tx.as_system(|tx| {
        let to = receivers(tx)?;
        let kind = tx.kind_of(about)?.ok_or_else(|| Invalid::reference("about", format!("The object {about}")))?;
        let info = tx.registry().kind(kind.name()).ok_or_else(|| Error::Bug(format!("no kind {kind}")))?;
        let row = tx.get_any(info, about)?;
        let level = if priority == "urgent" { JournalLevel::Danger } else { JournalLevel::Info };
        let note = Journal {
            on: about,
            sort: subject(kind, None),
            level,
            text: format!("Support request ({priority}): {line}\n\n{text}"),
            by: by.user,
            tags: Vec::new(),
        };
        let note = tx.create(row.tenant, note)?;
        let home = tx.get(by.home)?.spec.name;
        let body = format!(
            "{} of {home} asks, with priority {priority}, about the {} {} ({}):\n\n{text}\n\nNoted as {}.\n",
            by.name,
            kind.name().replace('_', " "),
            row.title,
            row.uid,
            note.uid
        );
        let letter = Letter {
            to,
            reply_to: author(tx, by)?,
            subject: mails::one_line(&format!("[{priority}] {line}")),
            body,
            sealed: None,
        };
        let inputs = serde_json::to_value(letter).map_err(|e| Error::Bug(e.to_string()))?;
        jobs::ask(
            tx,
            row.tenant,
            Ask { what: SEND, name: format!("Ask for help: {}", mails::one_line(line)), subject: Some(about), inputs },
        )
    })
}

/// The operator's contacts for questions.
fn receivers(tx: &mut Tx<'_>) -> Result<Vec<Receiver>, Error> {
    let operator = tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))?;
    let operator = operator.ok_or_else(|| Error::Unavailable("There is no operator yet.".to_owned()))?;
    let mut rows = tx.list::<ContactAssignment>(&Query::of(Filter::eq("object", operator.id)).page(500, 0))?;
    let roles = tx.many::<ContactRole>(rows.iter().filter_map(|row| row.spec.role))?;
    let helps = |row: &Object<ContactAssignment>| {
        row.spec.role.and_then(|id| roles.get(&id)).is_some_and(|role| role.spec.slug == ROLE)
    };
    if rows.iter().any(helps) {
        rows.retain(helps);
    }
    let contacts = tx.many::<Contact>(rows.iter().map(|row| row.spec.contact))?;
    let mut to: Vec<Receiver> = Vec::new();
    for contact in rows.iter().filter_map(|row| contacts.get(&row.spec.contact)).map(|row| &row.spec) {
        if !contact.email.is_empty() && !to.iter().any(|known| known.address == contact.email) {
            to.push(Receiver { name: contact.name.clone(), address: contact.email.clone() });
        }
    }
    to.truncate(mails::MOST);
    if to.is_empty() {
        return Err(Error::Unavailable("The operator has entered no contact for questions yet.".to_owned()));
    }
    Ok(to)
}

/// Where an answer goes: the usual address of a person.
fn author(tx: &mut Tx<'_>, by: &Subject) -> Result<Option<Receiver>, Error> {
    let Some(user) = by.user else { return Ok(None) };
    let user = tx.get::<User>(user)?;
    let usual = tx.one::<EmailAddress>(&Filter::eq("user", user.id).and(Filter::eq("default", true)))?;
    let address = usual.map(|row| row.spec.address).or(user.spec.email.clone());
    Ok(address.map(|address| Receiver { name: user.spec.title(), address }))
}

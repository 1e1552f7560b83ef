//! Notifications: what the operator tells its people, and what they have read of it.

use meetme_app::{Error, notifications};
use meetme_model::ops::{Notification, Severity};
use meetme_store::{Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    page::Link,
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Work},
};

const ONE: Gives = Gives::One("Notification");

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_notifications", "/notifications", Gives::Pages("notifications", "Notification"), list),
        Row::get("get_notification", "/notifications/{id}", ONE, get),
        Row::put("update_notification", "/notifications/{id}", ONE, mark_read),
        Row::get("list_incidents", "/incidents", Gives::Pages("incidents", "Notification"), incidents),
    ]
}

/// The fields of a notification.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    #[serde(rename = "type")]
    form: &'static str,
    body: String,
    severity: &'static str,
    read: bool,
    /// The services it is about, and when what it tells of happens, in words.
    context: String,
    created_at: String,
    updated_at: String,
    /// Who reads it: the caller; a link that leads nowhere for a project's key.
    user: Link,
}

impl Shown for Notification {
    const NAME: &'static str = "Notification";
    const PATH: Option<&'static str> = Some("/notifications");
    const RELATIONS: &'static [Relation<Self>] = &[];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let ids: Vec<_> = objects.iter().map(|row| row.id.any()).collect();
        let read = notifications::read_among(show.tx, show.subject, &ids)?;
        let me = match show.subject.user {
            Some(user) => Some(show.tx.get(user)?.uid),
            None => None,
        };
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            form: row.spec.form.word(),
            body: row.spec.text.clone(),
            severity: match row.spec.severity {
                Severity::Info => "info",
                Severity::Warning => "warning",
                Severity::Critical => "critical",
            },
            read: read.contains(&row.id.any()),
            context: context(&row.spec),
            created_at: at(row.created),
            updated_at: at(row.updated),
            user: Link { href: me.map_or_else(|| format!("#{}", row.uid), |uid| format!("{}/users/{uid}", show.base)) },
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn context(of: &Notification) -> String {
    let mut words = of.services.clone();
    words.extend(of.from.map(|from| format!("from {}", at(from))));
    words.extend(of.until.map(|until| format!("until {}", at(until))));
    words.join(", ")
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let filter = notifications::of_person(work.tx, &work.ask.subject)?;
    work.page_apart::<Notification>("notifications", &filter, vec![Order::down("id")])
}

fn incidents(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let filter = notifications::incidents(work.tx, &work.ask.subject)?;
    work.page_apart::<Notification>("incidents", &filter, vec![Order::down("id")])
}

fn named(work: &mut Work<'_, '_>) -> Result<Object<Notification>, Error> {
    let text = work.param("id")?.to_owned();
    let uid = text.parse().map_err(|()| Error::missing(Notification::KIND, &text))?;
    notifications::find(work.tx, &work.ask.subject, uid)
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let row = named(work)?;
    work.apart(row.id)
}

fn mark_read(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let row = named(work)?;
    notifications::mark_read(work.tx, &work.ask.subject, &row)?;
    work.apart(row.id)
}

//! What the people of a place are told: who may read a notification, and that they have.

use meetme_base::{Invalid, RawId, Uid};
use meetme_model::{
    access::User,
    ops::{Notification, NotificationForm, NotificationState, Receipt},
};
use meetme_store::{Filter, Object, Op, Resource as _, Tx};

use crate::{Error, Subject};

/// Fills in who is concerned: those on whose nodes the touched objects hang. The writer has to see what it touches.
///
/// # Errors
/// When an object is not there for the writer.
pub fn settle(tx: &mut Tx<'_>, spec: &mut Notification) -> Result<(), Error> {
    spec.everybody = spec.touches.is_empty();
    spec.parties.clear();
    for object in &spec.touches {
        let missing = || Invalid::reference("touches", format!("The object {object}"));
        let kind = tx.kind_of(*object)?.and_then(|kind| tx.registry().kind(kind.name())).ok_or_else(missing)?;
        let node = match tx.get_any(kind, *object) {
            Ok(row) => row.tenant,
            Err(meetme_store::Error::Missing { .. }) => return Err(missing().into()),
            Err(e) => return Err(e.into()),
        };
        if !spec.parties.contains(&node) {
            spec.parties.push(node);
        }
    }
    Ok(())
}

/// The notifications that somebody may read: published at or above where they work, and to everybody or about things of theirs.
///
/// # Errors
/// When the database fails.
pub fn of_person(tx: &mut Tx<'_>, by: &Subject) -> Result<Filter, Error> {
    let (mut above, mut concerned): (Vec<RawId>, Vec<RawId>) = (Vec::new(), Vec::new());
    for node in &by.nodes {
        above.extend(tx.above(*node)?);
        concerned.extend(tx.below(*node)?);
    }
    above.sort_unstable();
    above.dedup();
    concerned.extend(above.iter().copied());
    let told = Filter::eq("everybody", true).or(Filter::is_in("parties", concerned));
    Ok(Filter::eq("state", NotificationState::Published.word()).and(Filter::is_in("tenant", above)).and(told))
}

/// Those of them that tell of something that is wrong now.
///
/// # Errors
/// When the database fails.
pub fn incidents(tx: &mut Tx<'_>, by: &Subject) -> Result<Filter, Error> {
    let wrong = [NotificationForm::Incident, NotificationForm::Outage].map(NotificationForm::word);
    let now = tx.now();
    let open = Filter::is("until", Op::Empty(true)).or(Filter::is("until", Op::Gt(now.into())));
    let begun = Filter::is("from", Op::Empty(true)).or(Filter::is("from", Op::Le(now.into())));
    Ok(of_person(tx, by)?.and(Filter::is_in("form", wrong)).and(open).and(begun))
}

/// The notification of this UUID, for whom it is.
///
/// # Errors
/// [`Error::Missing`] for everybody else.
pub fn find(tx: &mut Tx<'_>, by: &Subject, uid: Uid) -> Result<Object<Notification>, Error> {
    let missing = || Error::missing(Notification::KIND, uid);
    let filter = of_person(tx, by)?;
    tx.as_system(|tx| {
        let row = tx.by_uid::<Notification>(uid).map_err(|_| missing())?;
        let mine = filter.and(Filter::eq("id", row.id));
        if tx.exists::<Notification>(&mine)? { Ok(row) } else { Err(missing()) }
    })
}

/// Notes that a person read it. Once is enough.
///
/// # Errors
/// [`Error::Denied`] for keys that are nobody's or only read.
pub fn mark_read(tx: &mut Tx<'_>, by: &Subject, row: &Object<Notification>) -> Result<(), Error> {
    let user = by.user.filter(|_| !by.read_only);
    let user = user.ok_or_else(|| Error::Denied("Only a person reads notifications.".to_owned()))?;
    tx.as_system(|tx| {
        let same = Filter::eq("notification", row.id).and(Filter::eq("to", user));
        if !tx.exists::<Receipt>(&same)? {
            let home = tx.get::<User>(user)?.tenant;
            tx.create(home, Receipt { notification: row.id, to: user.any(), read_at: tx.now() })?;
        }
        Ok(())
    })
}

/// Which of these notifications somebody has read.
///
/// # Errors
/// When the database fails.
pub fn read_among(tx: &mut Tx<'_>, by: &Subject, rows: &[RawId]) -> Result<Vec<RawId>, Error> {
    let Some(user) = by.user else { return Ok(Vec::new()) };
    let mine = Filter::eq("to", user).and(Filter::is_in("notification", rows.iter().copied()));
    let receipts = tx.as_system(|tx| tx.all::<Receipt>(mine))?;
    Ok(receipts.into_iter().map(|receipt| receipt.spec.notification.any()).collect())
}

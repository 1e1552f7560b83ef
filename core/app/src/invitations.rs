//! Invitations into organizations and projects. Whoever invites gives roles, and so gives no more than they have; whoever accepts shows
//! that the invitation is theirs: by an address of theirs that was verified, or by the text that only the letter holds.

use meetme_base::{Id, Invalid, RawId, Time, Uid};
use meetme_model::{
    Ext,
    access::{Hash, Invitation, InvitationStatus, Membership, Organization, Project, Role},
};
use meetme_store::{Filter, Object, Op, Resource as _, Tx, fold};

use crate::{
    App, Error, Subject, access, emails,
    giving::{may_give, must_be_whole},
    mails::{self, Receiver},
    seal,
};

/// How long an invitation can be accepted, in seconds: a week.
const GOOD_FOR: i64 = 7 * 24 * 3600;
/// How many may be open on one node.
const MOST: u64 = 500;
/// How long somebody is not written to again, in milliseconds: whoever invites decides where the letter goes.
const PAUSE_MS: i64 = 60_000;

/// What is wished of a new invitation.
#[derive(Clone, Debug, Default)]
pub struct NewInvitation {
    /// The address of whom is invited.
    pub email: String,
    /// Some words for them.
    pub message: Option<String>,
    /// The roles they will have.
    pub roles: Vec<Id<Role>>,
    /// The only projects meant; the whole node when empty.
    pub projects: Vec<Id<Project>>,
    /// What only one dialect can mean.
    pub ext: Ext,
}

/// Invites somebody into an organization or a project: the row hangs on that node, and a letter goes out.
///
/// # Errors
/// [`Error::Denied`] when the caller may not invite there, or gives more than they have; [`Error::Exists`] when somebody of that address is
/// invited there already.
pub fn invite(
    app: &App,
    tx: &mut Tx<'_>,
    by: &Subject,
    node: RawId,
    new: &NewInvitation,
) -> Result<Object<Invitation>, Error> {
    let (scope, mut projects) = match tx.kind_of(node)? {
        Some(kind) if kind == Project::KIND => (tx.get::<Project>(node.of())?.spec.organization, vec![node.of()]),
        _ => (tx.get::<Organization>(node.of())?.id, Vec::new()),
    };
    for project in &new.projects {
        let row = tx.find(*project)?.filter(|row| row.spec.organization == scope);
        row.ok_or_else(|| Invalid::reference("projects", format!("The project {project}")))?;
        if !projects.contains(project) {
            projects.push(*project);
        }
    }
    if new.roles.is_empty() {
        return Err(Invalid::required("roles").into());
    }
    access::require(tx, Invitation::KIND, "create", node)?;
    let nodes = if projects.is_empty() { vec![node] } else { projects.iter().map(|p| p.any()).collect() };
    for node in nodes {
        may_give(app, tx, by, &new.roles, node)?;
    }
    let nonce = seal::hex(&seal::random::<20>()?);
    let expires_at = tx.now().plus_seconds(GOOD_FOR);
    let spec = Invitation {
        email: new.email.trim().to_owned(),
        message: new.message.clone(),
        nonce: Hash::new(app.sealer().hash(&nonce)),
        expires_at,
        scope,
        projects,
        roles: new.roles.clone(),
        by: by.user,
        ext: new.ext.clone(),
    };
    tx.as_system(|tx| {
        let here = Filter::eq("tenant", node);
        let same = here.clone().and(Filter::eq("email_key", fold(&spec.email)));
        if let Some(old) = tx.one::<Invitation>(&same)?
            && old.spec.expires_at <= tx.now()
        {
            tx.remove(old.id)?;
        }
        if tx.count::<Invitation>(&here)? >= MOST {
            return Err(Error::conflict("too_many", format!("At most {MOST} invitations are open at once.")));
        }
        let mut made = tx.create(node, spec)?;
        send(app, tx, &mut made, &nonce)?;
        Ok(made)
    })
}

/// Sends an invitation again, with another text to prove it by and as much time as at first.
///
/// # Errors
/// [`Error::Denied`]; [`Error::Limited`] when it was sent just now.
pub fn resend(app: &App, tx: &mut Tx<'_>, id: Id<Invitation>) -> Result<Object<Invitation>, Error> {
    let mut row = tx.get(id)?;
    access::require(tx, Invitation::KIND, "create", row.tenant)?;
    let now = tx.now();
    if let Some(wait) = row.status.sent_at.map(|at| PAUSE_MS - (now.0 - at.0)).filter(|left| *left > 0) {
        let wait = u64::try_from(wait).unwrap_or(1000);
        return Err(Error::Limited { retry_after: std::time::Duration::from_millis(wait) });
    }
    let nonce = seal::hex(&seal::random::<20>()?);
    let spec = Invitation {
        nonce: Hash::new(app.sealer().hash(&nonce)),
        expires_at: now.plus_seconds(GOOD_FOR),
        ..row.spec.clone()
    };
    tx.as_system(|tx| {
        tx.save(&mut row, spec)?;
        send(app, tx, &mut row, &nonce)?;
        Ok(row)
    })
}

fn send(app: &App, tx: &mut Tx<'_>, row: &mut Object<Invitation>, nonce: &str) -> Result<(), Error> {
    let organization = tx.get(row.spec.scope)?.spec.name;
    let by = match row.spec.by {
        Some(user) => tx.find(user)?.map(|user| user.spec.title()),
        None => None,
    };
    let who = by.unwrap_or_else(|| organization.clone());
    let into = match row.spec.projects.as_slice() {
        [] => organization,
        [one] => format!("the project {} of {organization}", tx.get(*one)?.spec.name),
        many => format!("{} projects of {organization}", many.len()),
    };
    let words = row.spec.message.as_ref().map(|text| format!("{text}\n\n")).unwrap_or_default();
    let body = format!(
        "{who} invites you to {into}.\n\n{words}Invitation: {}\nCode: {nonce}\n\nIt can be accepted until {}. Whoever has the code can \
         accept it; if you expected no invitation, do nothing.\n",
        row.uid,
        row.spec.expires_at.rfc3339_seconds(),
    );
    let to = Receiver { name: String::new(), address: row.spec.email.clone() };
    let subject = mails::one_line(&format!("Invitation to {into}"));
    mails::confidential(app, tx, row.tenant, Some(row.id.any()), to, &subject, &body)?;
    let status = InvitationStatus { sent_at: Some(tx.now()) };
    Ok(tx.observe(row, status, None)?)
}

/// The open invitations of a person: those to an address that was verified.
///
/// # Errors
/// When the database fails.
pub fn of_person(tx: &mut Tx<'_>, by: &Subject) -> Result<Filter, Error> {
    let Some(user) = by.user else { return Ok(Filter::Never) };
    let addresses = emails::verified(tx, user)?;
    if addresses.is_empty() {
        return Ok(Filter::Never);
    }
    let open = Filter::is("expires_at", Op::Gt(tx.now().into()));
    Ok(Filter::is_in("email_key", addresses).and(open))
}

/// An invitation as somebody may see it.
pub struct Seen {
    /// The invitation.
    pub row: Object<Invitation>,
    /// Whether it is the caller's to accept; else it is one that the caller's rights reach.
    pub is_theirs: bool,
}

/// The invitation of this UUID, for whom it is meant and for those whose rights reach it. `nonce` is the text of the letter.
///
/// # Errors
/// [`Error::Missing`] to everybody else.
pub fn find(app: &App, tx: &mut Tx<'_>, by: &Subject, uid: Uid, nonce: Option<&str>) -> Result<Seen, Error> {
    let missing = || Error::missing(Invitation::KIND, uid);
    let row = tx.as_system(|tx| tx.by_uid::<Invitation>(uid)).map_err(|_| missing())?;
    if proves(app, &row, nonce) {
        return Ok(Seen { row, is_theirs: true });
    }
    if let Some(user) = by.user
        && emails::verified(tx, user)?.contains(&fold(&row.spec.email))
    {
        return Ok(Seen { row, is_theirs: true });
    }
    let row = tx.find(row.id)?.ok_or_else(missing)?;
    Ok(Seen { row, is_theirs: false })
}

/// Whether this is the text of the invitation's letter.
pub(crate) fn proves(app: &App, row: &Object<Invitation>, nonce: Option<&str>) -> bool {
    nonce.is_some_and(|text| app.sealer().hash(text) == row.spec.nonce.as_str())
}

/// Accepts an invitation; answers the place that came of it, the first of several.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`] when it is not the caller's, [`Error::Conflict`] `expired`.
pub fn accept(
    app: &App,
    tx: &mut Tx<'_>,
    by: &Subject,
    uid: Uid,
    nonce: Option<&str>,
) -> Result<Object<Membership>, Error> {
    let seen = find(app, tx, by, uid, nonce)?;
    if !seen.is_theirs {
        return Err(Error::Denied("Only whom it is sent to can accept an invitation.".to_owned()));
    }
    let Some(user) = by.user else {
        return Err(Error::Denied("Only a person can accept an invitation.".to_owned()));
    };
    must_be_whole(tx, by)?;
    let is_read = proves(app, &seen.row, nonce);
    take(tx, user, seen.row, is_read)
}

/// Gives a user the place of an invitation, whose row goes. `is_read` says that the user read the letter.
pub(crate) fn take(
    tx: &mut Tx<'_>,
    user: Id<meetme_model::access::User>,
    row: Object<Invitation>,
    is_read: bool,
) -> Result<Object<Membership>, Error> {
    if is_over(&row, tx.now()) {
        return Err(Error::conflict("expired", "The invitation has expired; ask for another one."));
    }
    tx.as_system(|tx| {
        let spec = row.spec;
        let nodes: Vec<RawId> =
            if spec.projects.is_empty() { vec![row.tenant] } else { spec.projects.iter().map(|p| p.any()).collect() };
        let mut first = None;
        for node in nodes {
            let place = Filter::eq("user", user).and(Filter::eq("scope", node));
            let made = match tx.one::<Membership>(&place)? {
                Some(mut known) => {
                    let mut next = known.spec.clone();
                    next.roles.extend(spec.roles.iter().copied().filter(|role| !known.spec.roles.contains(role)));
                    tx.save(&mut known, next)?;
                    known
                }
                None => tx.create(node, Membership { user, scope: node, roles: spec.roles.clone(), title: None })?,
            };
            first.get_or_insert(made);
        }
        if is_read
            && let Some(address) = emails::whose(tx, &spec.email)?
            && address.spec.user == user
        {
            emails::verify(tx, address)?;
        }
        tx.remove(row.id)?;
        first.ok_or_else(|| Error::Bug("an invitation into nothing".to_owned()))
    })
}

fn is_over(row: &Object<Invitation>, now: Time) -> bool {
    row.spec.expires_at <= now
}

/// Declines an invitation, or withdraws it: the one is for whom it is meant, the other for those who may.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`].
pub fn decline(app: &App, tx: &mut Tx<'_>, by: &Subject, uid: Uid, nonce: Option<&str>) -> Result<(), Error> {
    let seen = find(app, tx, by, uid, nonce)?;
    if !seen.is_theirs {
        return Ok(tx.remove(seen.row.id)?);
    }
    if by.read_only {
        return Err(Error::Denied("A key that only reads cannot decline an invitation.".to_owned()));
    }
    Ok(tx.as_system(|tx| tx.remove(seen.row.id))?)
}

//! How people come to a login by themselves, prove their addresses and set a new password: everything that goes by letters.
//!
//! Whoever asks learns nothing of who has a login here: the answer is the same for an address that is known and one that is not, and
//! only the owner of the address is told more. What a letter lets its reader do is a [`Ticket`]: good once, and for a while. Letters
//! go to addresses that were verified, or to the one that is to be verified; nobody is written to more than once a minute.

use std::net::IpAddr;

use meetme_base::{Id, Invalid, Secret, Time, Uid};
use meetme_model::{
    Ext,
    access::{
        EmailAddress, Form, Hash, Invitation, Key, Organization, Purpose, Session, Ticket, User, UserStatus,
        check_email,
    },
};
use meetme_store::{Context, Filter, Object, Op, Resource as _, Tx, fold};

use crate::{
    App, AuthFailure, Caller, Error, emails,
    identity::{self, Credential, Door, Giver, NewKey, factor},
    invitations,
    mails::{self, Receiver},
    seal,
};

/// How long a letter about a password is good, in seconds.
const RESET_SECONDS: i64 = 3600;
/// How long a letter about an address is good, in seconds.
const VERIFY_SECONDS: i64 = 3 * 24 * 3600;
/// How long nobody is written to again about the same, in milliseconds.
const PAUSE_MS: i64 = 60_000;
/// The most addresses somebody signs up with.
const MOST: usize = 5;
/// The shortest password (NIST SP 800-63B, section 5.1.1.2, asks for eight characters at least).
const SHORTEST: usize = 8;
/// The longest, in bytes: hashing is slow on purpose, and slower for longer ones.
const LONGEST: usize = 1024;
/// What the keys are called that a letter gives.
const KEY: &str = "login by mail";

/// What somebody who signs up says of themselves.
#[derive(Clone, Debug, Default)]
pub struct SignUp {
    /// The given name.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// The addresses, and which of them is the usual one; the first when none is.
    pub emails: Vec<(String, bool)>,
    /// The password; none for somebody who will log in by letters.
    pub password: Option<Secret<String>>,
    /// A telephone number.
    pub phone: Option<String>,
    /// A time zone.
    pub timezone: Option<String>,
    /// The invitation that is accepted by it, and the text of its letter.
    pub invitation: Option<(Uid, String)>,
    /// What only one dialect can mean.
    pub ext: Ext,
}

/// A user as whoever signed up is shown: made, or, where the address belongs to somebody, only as it would have been.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Its UUID.
    pub uid: Uid,
    /// When.
    pub at: Time,
    /// Its fields.
    pub user: User,
    /// Whether its address was verified by an invitation.
    pub is_verified: bool,
}

/// What is counted against somebody who asks from an address.
fn asker(what: &str, ip: Option<IpAddr>) -> Vec<String> {
    ip.map(|ip| format!("{what}:{ip}")).into_iter().collect()
}

/// Makes a user for somebody who asks by themselves: with an invitation, whose place they take, or where the installation is open to
/// everybody, with an organization of their own. Without an invitation the login works once the address is verified.
///
/// # Errors
/// [`Error::Denied`] where nobody may sign up, or the invitation is none; [`Error::Invalid`] names what is wrong; [`Error::Limited`].
pub async fn sign_up(app: &App, ip: Option<IpAddr>, new: SignUp) -> Result<Signed, Error> {
    let names = asker("sign-up", ip);
    let now = app.now();
    app.throttle().check(&names, now)?;
    if new.invitation.is_none() && !app.is_open_to_sign_up() {
        return Err(Error::Denied("Nobody can sign up here without an invitation.".to_owned()));
    }
    check(&new)?;
    // Each one costs: a hash, a row, a letter.
    app.throttle().failed(&names, now);
    let hash = match &new.password {
        Some(password) => {
            check_password(password)?;
            Some(identity::hash_password_away(password.clone()).await?)
        }
        None => None,
    };
    let inside = app.clone();
    app.store().write::<_, Error, _>(Context::system(), move |tx| make(&inside, tx, &new, hash.as_ref())).await
}

fn check(new: &SignUp) -> Result<(), Error> {
    if new.emails.is_empty() {
        return Err(Invalid::required("emails").into());
    }
    if new.emails.len() > MOST {
        return Err(Invalid::rule("emails", format!("At most {MOST} addresses at first.")).into());
    }
    for (address, _) in &new.emails {
        check_email("emails", address)?;
    }
    for (field, text) in [("first_name", &new.first_name), ("last_name", &new.last_name)] {
        if text.trim().is_empty() {
            return Err(Invalid::required(field).into());
        }
    }
    user(new, None, Id::new(0)).check(None)?;
    Ok(())
}

fn check_password(password: &Secret<String>) -> Result<(), Error> {
    let text = password.expose();
    if text.chars().count() < SHORTEST {
        let text = format!("A password has at least {SHORTEST} characters.");
        return Err(Invalid::new("password", "min_length", text).into());
    }
    if text.len() > LONGEST {
        return Err(Invalid::new("password", "max_length", format!("A password has at most {LONGEST} bytes.")).into());
    }
    Ok(())
}

/// The address that is meant when nothing else is said.
fn usual(new: &SignUp) -> &str {
    let usual = new.emails.iter().find(|(_, is_default)| *is_default).or(new.emails.first());
    usual.map_or("", |(address, _)| address.trim())
}

fn user(new: &SignUp, hash: Option<&Hash>, home: Id<Organization>) -> User {
    User {
        first_name: new.first_name.trim().to_owned(),
        last_name: new.last_name.trim().to_owned(),
        email: Some(usual(new).to_owned()),
        phone: new.phone.clone(),
        timezone: new.timezone.clone(),
        password: hash.cloned(),
        ext: new.ext.clone(),
        ..User::new(usual(new), home)
    }
}

fn make(app: &App, tx: &mut Tx<'_>, new: &SignUp, hash: Option<&Hash>) -> Result<Signed, Error> {
    let invitation = match &new.invitation {
        Some((uid, nonce)) => Some(invited(app, tx, *uid, nonce)?),
        None => None,
    };
    let at = tx.now();
    if let Some(known) = known(tx, new)? {
        // The same answer as to a stranger; whose address it is hears of it.
        tell_owner(app, tx, &known)?;
        return Ok(Signed { uid: Uid::random(), at, user: user(new, hash, Id::new(0)), is_verified: false });
    }
    let home = match &invitation {
        Some(row) => row.spec.scope,
        None => {
            let operator = tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))?;
            let operator = operator.ok_or_else(|| Error::Unavailable("There is no operator yet.".to_owned()))?.id;
            let name = format!("{} {}", new.first_name.trim(), new.last_name.trim());
            let own = Organization { name, personal: true, parent: Some(operator), ..Organization::default() };
            tx.create(operator.any(), own)?.id
        }
    };
    let spec = User { active: invitation.is_some(), ..user(new, hash, home) };
    let mut made = tx.create(home.any(), spec)?;
    let mut rows = Vec::with_capacity(new.emails.len());
    for (address, _) in &new.emails {
        let spec = EmailAddress { address: address.trim().to_owned(), default: false, user: made.id };
        rows.push(tx.create(home.any(), spec)?);
    }
    let main = rows.iter_mut().find(|row| row.spec.address == usual(new));
    let main = main.ok_or_else(|| Error::Bug("an account without an address".to_owned()))?;
    emails::make_default(tx, main)?;
    let is_verified = match invitation {
        Some(row) => {
            let is_theirs = rows.iter().any(|known| fold(&known.spec.address) == fold(&row.spec.email));
            invitations::take(tx, made.id, row, true)?;
            is_theirs
        }
        None => {
            identity::make_owner(tx, made.id, home.any())?;
            let (main, user) = (main.clone(), made.clone());
            write_to(app, tx, &user, &main, Purpose::Begin)?;
            false
        }
    };
    made = tx.get(made.id)?;
    Ok(Signed { uid: made.uid, at: made.created, user: made.spec, is_verified })
}

fn invited(app: &App, tx: &mut Tx<'_>, uid: Uid, nonce: &str) -> Result<Object<Invitation>, Error> {
    let refused = || Error::Denied("This invitation is not, or no longer, good.".to_owned());
    let row = tx.by_uid::<Invitation>(uid).map_err(|_| refused())?;
    let is_good = invitations::proves(app, &row, Some(nonce)) && row.spec.expires_at > tx.now();
    if is_good { Ok(row) } else { Err(refused()) }
}

/// The address that somebody has already, of those somebody signs up with.
fn known(tx: &mut Tx<'_>, new: &SignUp) -> Result<Option<Object<EmailAddress>>, Error> {
    for (address, _) in &new.emails {
        if let Some(row) = emails::whose(tx, address)? {
            return Ok(Some(row));
        }
    }
    let same = Filter::eq("username_key", fold(usual(new)));
    let Some(user) = tx.one::<User>(&same)? else { return Ok(None) };
    let first = tx.one::<EmailAddress>(&Filter::eq("user", user.id).and(Filter::eq("default", true)))?;
    // Somebody's name and nobody's address: there is nobody to tell.
    first.map(Some).ok_or_else(|| Error::from(Invalid::rule("emails", "This address cannot be used to sign up.")))
}

/// Somebody wants to sign up with an address of somebody's: an account that waits for its letter gets another one, any other owner
/// learns that it was tried.
fn tell_owner(app: &App, tx: &mut Tx<'_>, row: &Object<EmailAddress>) -> Result<(), Error> {
    let user = tx.get(row.spec.user)?;
    let waits = Filter::eq("user", user.id).and(Filter::eq("purpose", Purpose::Begin.word()));
    if !user.spec.active && tx.exists::<Ticket>(&waits)? {
        return write_to(app, tx, &user, row, Purpose::Begin);
    }
    if row.status.verified_at.is_some() && user.spec.active {
        return write_to(app, tx, &user, row, Purpose::Reset);
    }
    Ok(())
}

/// Writes a letter with a new ticket, in the place of earlier ones for the same; not more often than once a minute.
fn write_to(
    app: &App,
    tx: &mut Tx<'_>,
    user: &Object<User>,
    email: &Object<EmailAddress>,
    purpose: Purpose,
) -> Result<(), Error> {
    let now = tx.now();
    let same =
        Filter::eq("user", user.id).and(Filter::eq("purpose", purpose.word())).and(Filter::eq("email", email.id));
    let earlier = tx.all::<Ticket>(same)?;
    if earlier.iter().any(|ticket| now.0 - ticket.created.0 < PAUSE_MS) {
        return Ok(());
    }
    for ticket in earlier {
        tx.remove(ticket.id)?;
    }
    let text = seal::hex(&seal::random::<20>()?);
    let seconds = if purpose == Purpose::Reset { RESET_SECONDS } else { VERIFY_SECONDS };
    let expires_at = now.plus_seconds(seconds);
    let hash = Hash::new(app.sealer().hash(&text));
    tx.create(user.tenant, Ticket { purpose, hash, expires_at, user: user.id, email: email.id })?;
    let (subject, words) = match purpose {
        Purpose::Reset => (
            "A new password",
            "somebody, probably you, asked for a new password for the login with this address, or tried to sign up with it.",
        ),
        Purpose::Verify => ("Your address", "this address was entered for your login. Prove that you read it:"),
        Purpose::Begin => ("Your login", "somebody, probably you, signed up with this address. Begin with it:"),
    };
    let body = format!(
        "Hello {},\n\n{words}\n\nCode: {text}\n\nIt is good once, until {}. If it was not you, do nothing, and tell nobody the code.\n",
        user.spec.title(),
        expires_at.rfc3339_seconds(),
    );
    let to = Receiver { name: String::new(), address: email.spec.address.clone() };
    mails::confidential(app, tx, user.tenant, Some(user.id.any()), to, subject, &body)?;
    Ok(())
}

/// Writes to the owner of a verified address how to set a new password. Whether there is one, the answer does not say.
///
/// # Errors
/// [`Error::Limited`] when too many are asked for from one place.
pub async fn ask_reset(app: &App, address: &str, ip: Option<IpAddr>) -> Result<(), Error> {
    let names = asker("reset", ip);
    app.throttle().check(&names, app.now())?;
    app.throttle().failed(&names, app.now());
    let (inside, address) = (app.clone(), address.to_owned());
    let asked = app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let Some(row) = emails::whose(tx, &address)?.filter(|row| row.status.verified_at.is_some()) else {
            return Ok(());
        };
        let user = tx.get(row.spec.user)?;
        if user.spec.active { write_to(&inside, tx, &user, &row, Purpose::Reset) } else { Ok(()) }
    });
    asked.await
}

/// Writes to an address of the caller's how to prove that it is read. Somebody else's, and one that is verified, are passed over in
/// silence.
///
/// # Errors
/// [`Error::Denied`] for keys that are nobody's.
pub fn ask_verification(app: &App, tx: &mut Tx<'_>, by: &crate::Subject, address: &str) -> Result<(), Error> {
    let user = by.user.ok_or_else(|| Error::Denied("Only a person has addresses.".to_owned()))?;
    crate::giving::must_be_whole(tx, by)?;
    let own = |row: &Object<EmailAddress>| row.spec.user == user && row.status.verified_at.is_none();
    let Some(row) = emails::whose(tx, address)?.filter(own) else { return Ok(()) };
    tx.as_system(|tx| {
        let user = tx.get(user)?;
        write_to(app, tx, &user, &row, Purpose::Verify)
    })
}

/// The ticket of this text, if it is for one of these purposes and still good.
fn ticket(app: &App, tx: &mut Tx<'_>, text: &str, purposes: &[Purpose]) -> Result<Object<Ticket>, Error> {
    let row = tx.one::<Ticket>(&Filter::eq("hash", app.sealer().hash(text)))?;
    let row = row.filter(|row| purposes.contains(&row.spec.purpose));
    let row = row.ok_or(Error::Unauthenticated(AuthFailure::Wrong))?;
    if row.spec.expires_at <= tx.now() {
        return Err(Error::Unauthenticated(AuthFailure::Expired));
    }
    Ok(row)
}

/// Counts a text that was no ticket's against whoever sent it.
fn guessed<T>(app: &App, names: &[String], answer: Result<T, Error>) -> Result<T, Error> {
    if matches!(answer, Err(Error::Unauthenticated(AuthFailure::Wrong))) {
        app.throttle().failed(names, app.now());
    }
    answer
}

/// Who logged in by a letter, with the key that it gave.
pub struct Let {
    /// The caller, as the new key makes them.
    pub caller: Caller,
    /// The key.
    pub key: Id<Key>,
}

/// Sets a new password by the text of a letter, ends all logins and begins one. A second factor is asked for as at any login.
///
/// # Errors
/// [`Error::Unauthenticated`] for a text that is no, or no longer a, letter's and for a missing or wrong code; [`Error::Limited`].
pub async fn reset(
    app: &App,
    door: Door,
    text: &str,
    password: Secret<String>,
    code: Option<&str>,
) -> Result<Let, Error> {
    let names = asker("ticket", door.ip);
    app.throttle().check(&names, app.now())?;
    check_password(&password)?;
    let (inside, sent) = (app.clone(), text.to_owned());
    // Before anything slow is done for somebody who has no letter.
    let known = app
        .store()
        .read::<_, Error, _>(Context::system(), move |tx| ticket(&inside, tx, &sent, &[Purpose::Reset]).map(drop));
    guessed(app, &names, known.await)?;
    let hash = identity::hash_password_away(password).await?;
    let (inside, sent, code) = (app.clone(), text.to_owned(), code.map(str::to_owned));
    let done = app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let row = ticket(&inside, tx, &sent, &[Purpose::Reset])?;
        let verdict = factor::admit(&inside, tx, row.spec.user, code.as_deref())?;
        if !matches!(verdict, factor::Verdict::Good | factor::Verdict::NotAsked) {
            return Ok((verdict, None));
        }
        let mut user = tx.get(row.spec.user)?;
        if !user.spec.active {
            return Err(Error::Unauthenticated(AuthFailure::Disabled));
        }
        let spec = User { password: Some(hash.clone()), ..user.spec.clone() };
        tx.save(&mut user, spec)?;
        for session in tx.ids::<Session>(&Filter::eq("of", user.id))? {
            tx.remove(session)?;
        }
        let same = Filter::eq("user", user.id).and(Filter::eq("purpose", Purpose::Reset.word()));
        for ticket in tx.ids::<Ticket>(&same)? {
            tx.remove(ticket)?;
        }
        Ok((verdict, Some(key(&inside, tx, &user)?)))
    });
    let (verdict, issued) = guessed(app, &names, done.await.map_err(factor::raced))?;
    let_in(app, door, verdict, issued).await
}

/// Proves an address by the text of its letter, and begins a login. A second factor is asked for as at any login.
///
/// # Errors
/// As [`reset`].
pub async fn prove_address(app: &App, door: Door, text: &str, code: Option<&str>) -> Result<Let, Error> {
    let names = asker("ticket", door.ip);
    app.throttle().check(&names, app.now())?;
    let (inside, sent, code) = (app.clone(), text.to_owned(), code.map(str::to_owned));
    let done = app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let row = ticket(&inside, tx, &sent, &[Purpose::Verify, Purpose::Begin])?;
        let verdict = factor::admit(&inside, tx, row.spec.user, code.as_deref())?;
        if !matches!(verdict, factor::Verdict::Good | factor::Verdict::NotAsked) {
            return Ok((verdict, None));
        }
        let email = tx.get(row.spec.email)?;
        emails::verify(tx, email)?;
        let mut user = tx.get(row.spec.user)?;
        if row.spec.purpose == Purpose::Begin && !user.spec.active {
            let spec = User { active: true, ..user.spec.clone() };
            tx.save(&mut user, spec)?;
        }
        if !user.spec.active {
            return Err(Error::Unauthenticated(AuthFailure::Disabled));
        }
        tx.remove(row.id)?;
        Ok((verdict, Some(key(&inside, tx, &user)?)))
    });
    let (verdict, issued) = guessed(app, &names, done.await.map_err(factor::raced))?;
    let_in(app, door, verdict, issued).await
}

type Issued = (Id<Key>, Secret<String>);

/// A key that lasts as long as a login does. Those of earlier letters that are over go.
fn key(app: &App, tx: &mut Tx<'_>, user: &Object<User>) -> Result<Issued, Error> {
    let over = Filter::eq("owner", user.id)
        .and(Filter::eq("name", KEY))
        .and(Filter::is("expires_at", Op::Le(tx.now().into())));
    for old in tx.ids::<Key>(&over)? {
        tx.remove(old)?;
    }
    let status = UserStatus { last_login: Some(tx.now()), ..user.status.clone() };
    let mut user = tx.get(user.id)?;
    let status = UserStatus { verified_at: user.status.verified_at, ..status };
    tx.observe(&mut user, status, None)?;
    let expires_at = Some(tx.now().plus_seconds(app.settings().session_seconds));
    let new = NewKey { name: KEY.to_owned(), expires_at, readable: true, ..NewKey::default() };
    let issued = identity::create_key(app, tx, Giver::System, user.id.any(), &new)?;
    Ok((issued.key.id, issued.secret))
}

async fn let_in(app: &App, door: Door, verdict: factor::Verdict, issued: Option<Issued>) -> Result<Let, Error> {
    verdict.into_result(app.now())?;
    let (key, secret) = issued.ok_or(Error::Unauthenticated(AuthFailure::SecondFactor))?;
    let caller = identity::authenticate(app, door, Credential::Secret(secret.expose())).await?;
    Ok(Let { caller, key })
}

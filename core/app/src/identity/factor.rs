//! The second factor: offered, enabled by a code that shows that the user's program has the secret, asked for at every login by
//! password after that, and given up again by a code.
//!
//! A code is accepted in its own step of time and in the one before and after it, and never twice. Wrong codes are counted with the
//! row, so that they count in every process and at every door; after five in a row nobody is heard for a minute, then for longer.

use std::{sync::Arc, time::Duration};

use meetme_base::{Id, RawId, Secret, Time};
use meetme_model::access::{SecondFactor, SecondFactorStatus, User};
use meetme_store::{Context, Filter, Object, Resource as _, Tx};

use super::totp;
use crate::{App, AuthFailure, Caller, Error, Subject, giving::must_be_whole, seal};

/// How many steps a clock may be off.
const OFF_BY: u64 = 1;
/// How many wrong codes in a row are free.
const FREE: u32 = 5;
/// How long nobody is heard after the first one too many, in seconds; each further one doubles it.
const PAUSE: i64 = 60;
/// The longest pause, in seconds.
const LONGEST: i64 = 15 * 60;
/// How many recovery codes there are.
const CODES: usize = 10;
/// How the program on the telephone calls us.
const ISSUER: &str = "Meetme";

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The user has no second factor that is enabled.
    NotAsked,
    /// It was good, and is used up.
    Good,
    /// There was none.
    Absent,
    /// It was not good.
    Wrong,
    /// None is looked at until then.
    Locked(Time),
}

impl Verdict {
    /// The error for whoever may not go on.
    pub(crate) fn into_result(self, now: Time) -> Result<(), Error> {
        match self {
            Self::NotAsked | Self::Good => Ok(()),
            Self::Absent | Self::Wrong => Err(Error::Unauthenticated(AuthFailure::SecondFactor)),
            Self::Locked(until) => {
                let wait = u64::try_from(until.0 - now.0).unwrap_or(1000);
                Err(Error::Limited { retry_after: Duration::from_millis(wait) })
            }
        }
    }
}

/// The second factor of a user, enabled or offered.
fn of(tx: &mut Tx<'_>, user: Id<User>) -> Result<Option<Object<SecondFactor>>, Error> {
    Ok(tx.as_system(|tx| tx.one::<SecondFactor>(&Filter::eq("user", user)))?)
}

/// Which of these users log in with a second factor.
///
/// # Errors
/// When the database fails.
pub fn among(tx: &mut Tx<'_>, users: impl IntoIterator<Item = RawId>) -> Result<Vec<RawId>, Error> {
    let rows = tx.as_system(|tx| tx.all::<SecondFactor>(Filter::is_in("user", users)))?;
    Ok(rows.into_iter().filter(|row| row.spec.enabled_at.is_some()).map(|row| row.spec.user.any()).collect())
}

/// Judges the code that came with a login, inside the transaction that keeps the verdict. The verdict on a wrong one must be kept too:
/// whoever turns it into an error does so outside.
pub(crate) fn admit(app: &App, tx: &mut Tx<'_>, user: Id<User>, code: Option<&str>) -> Result<Verdict, Error> {
    match of(tx, user)?.filter(|row| row.spec.enabled_at.is_some()) {
        None => Ok(Verdict::NotAsked),
        Some(row) => judge(app, tx, row, code),
    }
}

fn judge(app: &App, tx: &mut Tx<'_>, mut row: Object<SecondFactor>, code: Option<&str>) -> Result<Verdict, Error> {
    let now = tx.now();
    let Some(code) = code.map(plain).filter(|code| !code.is_empty()) else { return Ok(Verdict::Absent) };
    if let Some(until) = row.status.locked_until.filter(|until| *until > now) {
        return Ok(Verdict::Locked(until));
    }
    let known = app.sealer().open(&row.spec.secret)?;
    let known =
        totp::from_base32(known.expose()).ok_or_else(|| Error::Bug("a shared secret is no Base32".to_owned()))?;
    let mut status = SecondFactorStatus { step: row.status.step, ..SecondFactorStatus::default() };
    let middle = totp::step(now);
    let steps = middle.saturating_sub(OFF_BY)..=middle + OFF_BY;
    let sent = Secret::new(code.clone());
    let fresh = |step: &u64| row.status.step.is_none_or(|last| *step > last);
    let matching = steps.filter(fresh).find(|step| Secret::new(totp::code(&known, *step, 6)) == sent);
    if let Some(step) = matching {
        status.step = Some(step);
    } else if let Some(left) = without(app, &row.spec, &code)? {
        let spec = SecondFactor { codes: Some(seal_codes(app, &left)?), ..row.spec.clone() };
        tx.as_system(|tx| tx.save(&mut row, spec))?;
    } else {
        status = failed(&row.status, now);
        tx.as_system(|tx| tx.observe(&mut row, status, None))?;
        return Ok(Verdict::Wrong);
    }
    // Of two who come with the same code at once, the second finds the row changed.
    tx.as_system(|tx| tx.observe(&mut row, status, None))?;
    Ok(Verdict::Good)
}

/// A code without the spaces and hyphens that people read it by.
fn plain(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).flat_map(char::to_lowercase).collect()
}

fn failed(before: &SecondFactorStatus, now: Time) -> SecondFactorStatus {
    let failures = before.failures.saturating_add(1);
    let locked_until = failures.checked_sub(FREE).map(|over| {
        let pause = PAUSE.saturating_mul(1 << over.min(10)).min(LONGEST);
        now.plus_seconds(pause)
    });
    SecondFactorStatus { step: before.step, failures, locked_until }
}

fn open_codes(app: &App, row: &SecondFactor) -> Result<Vec<String>, Error> {
    let Some(sealed) = &row.codes else { return Ok(Vec::new()) };
    serde_json::from_str(app.sealer().open(sealed)?.expose()).map_err(|e| Error::Bug(format!("recovery codes: {e}")))
}

fn seal_codes(app: &App, codes: &[String]) -> Result<meetme_base::Sealed, Error> {
    app.sealer().seal(&serde_json::to_string(codes).map_err(|e| Error::Bug(e.to_string()))?)
}

/// The recovery codes that are left once this one is used; nothing when it is none of them.
fn without(app: &App, row: &SecondFactor, code: &str) -> Result<Option<Vec<String>>, Error> {
    let codes = open_codes(app, row)?;
    let sent = Secret::new(code.to_owned());
    let left: Vec<String> = codes.iter().filter(|known| Secret::new(plain(known)) != sent).cloned().collect();
    Ok((left.len() < codes.len()).then_some(left))
}

/// Ten codes of 50 random bits each, in halves that can be read out.
fn make_codes() -> Result<Vec<String>, Error> {
    (0..CODES)
        .map(|_| {
            let text = totp::base32(&seal::random::<7>()?).to_lowercase();
            Ok(format!("{}-{}", &text[..5], &text[5..10]))
        })
        .collect()
}

/// What the program on the telephone reads, mostly from a picture.
fn uri(name: &str, secret: &str) -> String {
    let mut label = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            label.push(char::from(byte));
        } else {
            label.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("otpauth://totp/{ISSUER}:{label}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30")
}

fn person(tx: &mut Tx<'_>, by: &Subject) -> Result<Id<User>, Error> {
    must_be_whole(tx, by)?;
    by.user.ok_or_else(|| Error::Denied("Only a person has a second factor.".to_owned()))
}

fn enabled(tx: &mut Tx<'_>, user: Id<User>) -> Result<Object<SecondFactor>, Error> {
    let row = of(tx, user)?.filter(|row| row.spec.enabled_at.is_some());
    row.ok_or_else(|| Error::missing(SecondFactor::KIND, "of yours"))
}

/// Offers a second factor: a new secret, in the form that programs on telephones read. Nothing is asked for before it is enabled.
///
/// # Errors
/// [`Error::Conflict`] `has_factor` while one is enabled; [`Error::Denied`] for keys that are limited or nobody's.
pub fn offer(app: &App, tx: &mut Tx<'_>, by: &Subject) -> Result<String, Error> {
    let user = person(tx, by)?;
    let known = of(tx, user)?;
    if known.as_ref().is_some_and(|row| row.spec.enabled_at.is_some()) {
        return Err(Error::conflict("has_factor", "Two-factor authentication is enabled; disable it first."));
    }
    let text = totp::base32(&seal::random::<20>()?);
    let spec = SecondFactor { user, secret: app.sealer().seal(&text)?, enabled_at: None, codes: None };
    tx.as_system(|tx| {
        let owner = tx.get(user)?;
        match known {
            Some(mut row) => tx.save(&mut row, spec)?,
            None => drop(tx.create(owner.tenant, spec)?),
        }
        Ok(uri(&owner.spec.username, &text))
    })
}

/// Runs a step that depends on a code, so that what a wrong one costs is kept although the step is refused.
async fn with_code<T: Send + 'static>(
    app: &App,
    caller: &Caller,
    code: &str,
    row: fn(&mut Tx<'_>, Id<User>) -> Result<Object<SecondFactor>, Error>,
    step: impl Fn(&App, &mut Tx<'_>, Object<SecondFactor>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (inside, subject, code) = (app.clone(), Arc::clone(&caller.subject), Secret::new(code.to_owned()));
    let (verdict, done) = app
        .write(caller, move |tx| {
            let user = person(tx, &subject)?;
            let found = row(tx, user)?;
            let id = found.id;
            let verdict = judge(&inside, tx, found, Some(code.expose()))?;
            let done = match verdict {
                Verdict::Good => {
                    let row = tx.as_system(|tx| tx.get(id))?;
                    Some(step(&inside, tx, row)?)
                }
                _ => None,
            };
            Ok((verdict, done))
        })
        .await
        .map_err(raced)?;
    verdict.into_result(app.now())?;
    done.ok_or(Error::Unauthenticated(AuthFailure::SecondFactor))
}

/// Somebody came with the same code at the same time and was faster.
pub(crate) fn raced(error: Error) -> Error {
    match error {
        Error::Stale { .. } => Error::Unauthenticated(AuthFailure::SecondFactor),
        other => other,
    }
}

/// Enables the second factor that was offered, by a code of its secret. Recovery codes are made with it.
///
/// # Errors
/// [`Error::Unauthenticated`] for a wrong code, [`Error::Limited`] after too many, [`Error::Conflict`] when none was offered.
pub async fn enable(app: &App, caller: &Caller, code: &str) -> Result<String, Error> {
    let offered = |tx: &mut Tx<'_>, user| match of(tx, user)? {
        Some(row) if row.spec.enabled_at.is_none() => Ok(row),
        Some(_) => Err(Error::conflict("has_factor", "Two-factor authentication is enabled already.")),
        None => Err(Error::conflict("no_factor", "Ask for a secret first, and send a code that it makes.")),
    };
    with_code(app, caller, code, offered, |app, tx, mut row| {
        let codes = Some(seal_codes(app, &make_codes()?)?);
        let spec = SecondFactor { enabled_at: Some(tx.now()), codes, ..row.spec.clone() };
        tx.as_system(|tx| {
            tx.save(&mut row, spec)?;
            let name = tx.get(row.spec.user)?.spec.username;
            Ok(uri(&name, app.sealer().open(&row.spec.secret)?.expose()))
        })
    })
    .await
}

/// Gives the second factor up, by a code.
///
/// # Errors
/// As [`enable`].
pub async fn disable(app: &App, caller: &Caller, code: &str) -> Result<(), Error> {
    with_code(app, caller, code, enabled, |_, tx, row| Ok(tx.as_system(|tx| tx.remove(row.id))?)).await
}

/// Whether a code is good. It is used up by asking.
///
/// # Errors
/// As [`enable`].
pub async fn verify(app: &App, caller: &Caller, code: &str) -> Result<(), Error> {
    with_code(app, caller, code, enabled, |_, _, _| Ok(())).await
}

/// The recovery codes that were not used yet.
///
/// # Errors
/// [`Error::Missing`] when none is enabled; [`Error::Denied`] for keys that are limited or nobody's.
pub fn recovery_codes(app: &App, tx: &mut Tx<'_>, by: &Subject) -> Result<Vec<String>, Error> {
    let user = person(tx, by)?;
    let row = enabled(tx, user)?;
    open_codes(app, &row.spec)
}

/// Makes new recovery codes; the old ones are good no longer.
///
/// # Errors
/// As [`recovery_codes`].
pub fn new_recovery_codes(app: &App, tx: &mut Tx<'_>, by: &Subject) -> Result<Vec<String>, Error> {
    let user = person(tx, by)?;
    let mut row = enabled(tx, user)?;
    let codes = make_codes()?;
    let spec = SecondFactor { codes: Some(seal_codes(app, &codes)?), ..row.spec.clone() };
    tx.as_system(|tx| tx.save(&mut row, spec))?;
    Ok(codes)
}

/// Judges the code of a login that has shown the right password.
pub(crate) async fn at_login(app: &App, user: Id<User>, code: Option<&str>) -> Result<(), Error> {
    let asked = app.store().read::<_, Error, _>(Context::system(), move |tx| Ok(!among(tx, [user.any()])?.is_empty()));
    if !asked.await? {
        return Ok(());
    }
    let (inside, code) = (app.clone(), code.map(str::to_owned));
    let judged =
        app.store().write::<_, Error, _>(Context::system(), move |tx| admit(&inside, tx, user, code.as_deref()));
    judged.await.map_err(raced)?.into_result(app.now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_codes_cost_more_and_more_time() {
        let mut status = SecondFactorStatus { step: Some(7), ..SecondFactorStatus::default() };
        let mut pauses = Vec::new();
        for _ in 0..10 {
            status = failed(&status, Time(0));
            pauses.push(status.locked_until.map_or(0, |until| until.0 / 1000));
        }
        assert_eq!(pauses, [0, 0, 0, 0, 60, 120, 240, 480, 900, 900]);
        assert_eq!(status.step, Some(7), "what was used up stays so");
    }

    #[test]
    fn recovery_codes_are_all_different_and_read_without_their_hyphen() {
        let codes = make_codes().unwrap();
        let mut plain: Vec<String> = codes.iter().map(|code| plain(code)).collect();
        plain.sort();
        plain.dedup();
        assert_eq!((plain.len(), plain[0].len()), (CODES, 10));
        assert_eq!(super::plain(" ABCDE-fghij "), "abcdefghij");
    }

    #[test]
    fn a_name_cannot_add_to_the_address_of_a_secret() {
        let text = uri("a&secret=X ü", "JBSWY3DP");
        assert!(text.starts_with("otpauth://totp/Meetme:a%26secret%3DX%20%C3%BC?secret=JBSWY3DP&"), "{text}");
    }
}

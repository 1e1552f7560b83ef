//! From a credential to a caller. What was worked out is remembered until anything that access depends on is written to.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
};

use meetme_base::{Id, IpNet, Kind, RawId, Time, Uid};
use meetme_model::access::{EmailAddress, Grant, Key, Membership, Organization, Project, Role, Session, Team, User};
use meetme_store::{Context, Filter, Object, Resource as _, Tx};

use crate::{
    App, AuthFailure, Caller, Error, Subject,
    access::{Parts, Rights},
};

/// A credential as a door read it.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    /// A key's secret alone.
    Secret(&'a str),
    /// A key's public part and secret.
    Pair {
        /// The public part.
        public: &'a str,
        /// The secret.
        secret: &'a str,
    },
    /// A session's token.
    Session(&'a str),
    /// A key's public part, vouched for by a signature the door has checked.
    Vouched(&'a str),
}

/// Which door a request came through.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// The dialect's name.
    pub dialect: &'static str,
    /// The request.
    pub request: Uid,
    /// The source address.
    pub ip: Option<IpAddr>,
}

/// The kinds that a subject's rights are worked out from.
const READ: &[Kind] =
    &[Organization::KIND, Project::KIND, User::KIND, Key::KIND, Role::KIND, Membership::KIND, Team::KIND];
/// How long anything worked out is trusted at most.
const LONGEST_MS: i64 = 60_000;
/// How often a key's last use is noted.
const NOTE_MS: i64 = 60_000;
/// How many credentials are remembered.
const ROOM: usize = 10_000;

struct Known {
    subject: Arc<Subject>,
    scope: Arc<Rights>,
    allowed_ips: Vec<IpNet>,
    expires_at: Option<Time>,
    epoch: u64,
    at: Time,
}

/// The credentials that were recognised lately.
#[derive(Default)]
pub struct Callers {
    known: RwLock<HashMap<String, Arc<Known>>>,
}

impl Callers {
    pub(crate) fn forget(&self, print: &str) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(print);
    }
    fn get(&self, print: &str) -> Option<Arc<Known>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(print).cloned()
    }
    fn put(&self, print: String, known: Arc<Known>) {
        let mut map = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if map.len() >= ROOM {
            map.clear();
        }
        map.insert(print, known);
    }
}

/// Recognises a credential.
///
/// # Errors
/// [`Error::Unauthenticated`] with the reason.
pub async fn authenticate(app: &App, door: Door, credential: Credential<'_>) -> Result<Caller, Error> {
    // The print is also what the database keeps, so no second hash is needed.
    let (print, public) = match credential {
        Credential::Secret(s) | Credential::Session(s) => (app.sealer().hash(s), None),
        Credential::Pair { public, secret } => (app.sealer().hash(secret), Some(public.to_owned())),
        Credential::Vouched(public) => (format!("vouched {public}"), Some(public.to_owned())),
    };
    // A secret that is right together with another public part is wrong.
    let place = match &public {
        Some(public) => format!("{print} {public}"),
        None => print.clone(),
    };
    let now = app.now();
    let epoch = app.store().epoch(READ);
    let trust = if app.store().counts_every_commit() { LONGEST_MS } else { app.settings().trust_millis };
    let known = match app.callers().get(&place).filter(|k| k.epoch == epoch && now.0 - k.at.0 < trust) {
        Some(known) => known,
        None => {
            let known = Arc::new(look(app, credential, print, public, epoch).await?);
            app.callers().put(place, known.clone());
            known
        }
    };
    if known.expires_at.is_some_and(|t| t <= now) {
        return Err(Error::Unauthenticated(AuthFailure::Expired));
    }
    if !known.allowed_ips.is_empty() {
        let ip = door.ip.ok_or(Error::Unauthenticated(AuthFailure::Wrong))?;
        if !known.allowed_ips.iter().any(|net| net.contains(&ip)) {
            return Err(Error::Unauthenticated(AuthFailure::Address(ip)));
        }
    }
    Ok(Caller::at(door, known.subject.clone(), known.scope.clone()))
}

async fn look(
    app: &App,
    credential: Credential<'_>,
    print: String,
    public: Option<String>,
    epoch: u64,
) -> Result<Known, Error> {
    let session = matches!(credential, Credential::Session(_));
    let vouched = matches!(credential, Credential::Vouched(_));
    let model = app.access().clone();
    let known = app
        .store()
        .read::<_, Error, _>(Context::system(), move |tx| {
            if session && let Some(found) = tx.one::<Session>(&Filter::eq("hash", print.as_str()))? {
                let mut known = match tx.kind_of(found.spec.of)? {
                    Some(kind) if kind == User::KIND => {
                        let user = tx.get::<User>(found.spec.of.of())?;
                        of_user(tx, &model, user, None)?
                    }
                    _ => {
                        let key = tx.get::<Key>(found.spec.of.of())?;
                        of_key(tx, &model, key)?
                    }
                };
                known.expires_at = Some(found.spec.expires_at);
                known.epoch = epoch;
                return Ok(known);
            }
            let filter = match (&public, vouched) {
                (Some(public), true) => Filter::eq("public", public.as_str()),
                (Some(public), false) => Filter::eq("hash", print.as_str()).and(Filter::eq("public", public.as_str())),
                (None, _) => Filter::eq("hash", print.as_str()),
            };
            let key = tx.one::<Key>(&filter)?.ok_or(Error::Unauthenticated(AuthFailure::Wrong))?;
            let mut known = of_key(tx, &model, key)?;
            known.epoch = epoch;
            Ok(known)
        })
        .await?;
    if let Some(key) = known.subject.key {
        note_use(app, key);
    }
    Ok(known)
}

fn of_key(tx: &mut Tx<'_>, model: &Arc<crate::access::Model>, key: Object<Key>) -> Result<Known, Error> {
    if !key.spec.enabled {
        return Err(Error::Unauthenticated(AuthFailure::Disabled));
    }
    let roles = tx.many(key.spec.roles.iter().copied())?;
    let own: Vec<Grant> = roles.into_values().flat_map(|r| r.spec.grants).collect();
    let mut known = match tx.kind_of(key.spec.owner)? {
        Some(kind) if kind == User::KIND => {
            let narrow = if key.spec.roles.is_empty() { None } else { Some(own) };
            let user = tx.get::<User>(key.spec.owner.of())?;
            let limits = Limits { narrow, read_only: key.spec.read_only, objects: key.spec.objects.clone() };
            of_user(tx, model, user, Some(limits))?
        }
        Some(kind) => {
            let (home, project) = if kind == Project::KIND {
                let project = tx.get::<Project>(key.spec.owner.of())?;
                (project.spec.organization, Some(project.id))
            } else {
                (key.spec.owner.of::<Organization>(), None)
            };
            let grants = if key.spec.roles.is_empty() { vec![Grant::everything()] } else { own };
            let parts = Parts {
                grants: grants.into_iter().map(|g| (key.spec.owner, g)).collect(),
                narrow: None,
                read_only: key.spec.read_only,
                objects: key.spec.objects.clone(),
                home: key.spec.owner,
            };
            let subject = Subject {
                user: None,
                key: None,
                name: key.spec.name.clone(),
                home,
                project,
                read_only: key.spec.read_only,
                superuser: false,
                nodes: vec![key.spec.owner],
            };
            known(tx, model, subject, parts)?
        }
        None => return Err(Error::Unauthenticated(AuthFailure::Wrong)),
    };
    let subject = Subject { key: Some(key.id), ..(*known.subject).clone() };
    known.subject = Arc::new(subject);
    known.expires_at = key.spec.expires_at;
    known.allowed_ips.clone_from(&key.spec.allowed_ips);
    Ok(known)
}

struct Limits {
    narrow: Option<Vec<Grant>>,
    read_only: bool,
    objects: Vec<RawId>,
}

fn of_user(
    tx: &mut Tx<'_>,
    model: &Arc<crate::access::Model>,
    user: Object<User>,
    limits: Option<Limits>,
) -> Result<Known, Error> {
    if !user.spec.active {
        return Err(Error::Unauthenticated(AuthFailure::Disabled));
    }
    let home = user.spec.home;
    let mut grants = Vec::new();
    let mut nodes = vec![home.any()];
    if user.spec.superuser {
        grants.push((home.any(), Grant::everything()));
    }
    let memberships = tx.all::<Membership>(Filter::eq("user", user.id))?;
    let roles = tx.many(memberships.iter().flat_map(|m| m.spec.roles.iter().copied()))?;
    for membership in &memberships {
        let node = membership.spec.scope;
        if !nodes.contains(&node) {
            nodes.push(node);
        }
        for role in membership.spec.roles.iter().filter_map(|r| roles.get(r)) {
            grants.extend(role.spec.grants.iter().map(|g| (node, g.clone())));
        }
    }
    let teams = tx.all::<Team>(Filter::eq("members", user.id))?;
    let roles = tx.many(teams.iter().flat_map(|team| team.spec.roles.iter().copied()))?;
    for team in &teams {
        for role in team.spec.roles.iter().filter_map(|r| roles.get(r)) {
            grants.extend(role.spec.grants.iter().map(|g| (team.tenant, g.clone())));
        }
    }
    grants.extend(own(user.id).map(|grant| (home.any(), grant)));
    let limits = limits.unwrap_or(Limits { narrow: None, read_only: false, objects: Vec::new() });
    let subject = Subject {
        user: Some(user.id),
        key: None,
        name: user.spec.username.clone(),
        home,
        project: user.spec.home_project,
        read_only: limits.read_only,
        superuser: user.spec.superuser,
        nodes,
    };
    let parts =
        Parts { grants, narrow: limits.narrow, read_only: limits.read_only, objects: limits.objects, home: home.any() };
    known(tx, model, subject, parts)
}

fn known(tx: &mut Tx<'_>, model: &Arc<crate::access::Model>, subject: Subject, parts: Parts) -> Result<Known, Error> {
    let at = tx.now();
    let scope = Arc::new(Rights::new(model.clone(), tx, parts)?);
    Ok(Known { subject: Arc::new(subject), scope, allowed_ips: Vec::new(), expires_at: None, epoch: 0, at })
}

/// Everybody may see and change their own user, and see their own addresses, which change by operations.
fn own(user: Id<User>) -> [Grant; 2] {
    let grant = |kind: Kind, verbs: &[&str], field: &str| Grant {
        kinds: vec![kind.name().to_owned()],
        verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        fields: None,
        filter: Some(serde_json::json!({"field": field, "op": "eq", "value": user.get()})),
    };
    [grant(User::KIND, &["see", "change"], "id"), grant(EmailAddress::KIND, &["see"], "user")]
}

/// Notes that a key was used, at most once a minute; nobody waits for it.
fn note_use(app: &App, key: Id<Key>) {
    drop(app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let mut object = tx.get(key)?;
        let now = tx.now();
        if object.status.last_used.is_some_and(|t| now.0 - t.0 < NOTE_MS) {
            return Ok(());
        }
        let mut status = object.status.clone();
        status.last_used = Some(now);
        Ok(tx.observe(&mut object, status, None)?)
    }));
}

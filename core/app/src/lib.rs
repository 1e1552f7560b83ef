//! All policy: identity, access, allocation, ordering. Dialects call the functions here and nothing below.
//!
//! Promise: `app` knows no dialect, no HTTP, no runtime and no equipment. Every rule that two doors share is here.
//!
//! An operation is a function over an open transaction (`&mut Tx`) that takes what it needs by reference, decides, and writes;
//! a door runs it through [`App::read`] or [`App::write`] on behalf of a [`Caller`].

pub mod access;
pub mod accounts;
pub mod addresses;
pub mod allocate;
pub mod bgp;
pub mod billing;
pub mod blocks;
mod builtin;
mod caller;
pub mod catalog;
pub mod circuits;
pub mod contexts;
pub mod devices;
pub mod emails;
mod error;
pub mod filter;
pub mod gateways;
mod giving;
pub mod hooks;
pub mod identity;
pub mod invitations;
pub mod irr;
pub mod ixapis;
pub mod jobs;
pub mod licenses;
pub mod mails;
pub mod memberships;
pub mod mirror;
pub mod networks;
pub mod nics;
pub mod notifications;
pub mod offers;
mod offload;
pub mod organizations;
pub mod passwords;
pub mod peering;
pub mod ports;
pub mod projects;
pub mod resources;
pub mod routers;
pub mod rpki;
mod seal;
pub mod segments;
pub mod servers;
pub mod sources;
pub mod ssh_keys;
pub mod standing;
pub mod support;
pub mod tags;
pub mod teams;
pub mod templates;
pub mod transfers;
pub mod userdata;
pub mod users;
pub mod volumes;

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use meetme_base::{Clock, Time};
use meetme_store::{Store, Tx};

pub use caller::{Caller, Subject};
pub use error::{AuthFailure, Error};
pub use seal::{MasterKey, Sealer};

/// How this installation behaves where operators may choose.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a login lasts without being renewed, in seconds.
    pub session_seconds: i64,
    /// How many wrong passwords for one name, or from one address, are taken in a minute.
    pub login_failures_per_minute: u32,
    /// How long a resolved credential may be trusted without another look when other processes may write to the database.
    pub trust_millis: i64,
    /// Whether this installation asks the routing registries.
    pub registries: bool,
    /// How many seconds lie at least between two rows of a session's counts in its history.
    pub sample_seconds: i64,
    /// Which devices of an inventory become routers.
    pub inventory: peering::inventory::Inventory,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            session_seconds: 3600,
            login_failures_per_minute: 10,
            trust_millis: 1000,
            registries: false,
            sample_seconds: 900,
            inventory: peering::inventory::Inventory::default(),
        }
    }
}

/// The core, ready to be asked. Cheap to clone.
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    sealer: Sealer,
    settings: Settings,
    access: Arc<access::Model>,
    callers: identity::Callers,
    /// Who reads without a credential, once the operator lets anybody.
    anonymous: OnceLock<identity::Anonymous>,
    /// Whether the open book takes requests for peering too.
    portal: AtomicBool,
    /// Whether anybody may sign up without an invitation.
    sign_up: AtomicBool,
    throttle: identity::Throttle,
    commits: resources::commits::Commits,
    roas: rpki::Cache,
    contexts: contexts::Assigned,
}

impl App {
    /// Puts the core together over an open store.
    pub fn new(store: Store, sealer: Sealer, settings: Settings) -> Self {
        let access = Arc::new(access::Model::of(store.clone()));
        let throttle = identity::Throttle::new(settings.login_failures_per_minute);
        let commits = resources::commits::Commits::of(&store);
        Self {
            inner: Arc::new(Inner {
                store,
                sealer,
                settings,
                access,
                callers: identity::Callers::default(),
                anonymous: OnceLock::new(),
                portal: AtomicBool::new(false),
                sign_up: AtomicBool::new(false),
                throttle,
                commits,
                roas: rpki::Cache::default(),
                contexts: contexts::Assigned::default(),
            }),
        }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// What seals and opens secrets.
    pub fn sealer(&self) -> &Sealer {
        &self.inner.sealer
    }

    /// The operator's choices.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The present moment.
    pub fn now(&self) -> Time {
        self.clock().now()
    }

    /// Where to hear of commits.
    pub fn commits(&self) -> &resources::commits::Commits {
        &self.inner.commits
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        self.inner.store.clock()
    }

    pub(crate) fn access(&self) -> &Arc<access::Model> {
        &self.inner.access
    }
    pub(crate) fn callers(&self) -> &identity::Callers {
        &self.inner.callers
    }
    pub(crate) fn anonymous(&self) -> Option<&identity::Anonymous> {
        self.inner.anonymous.get()
    }
    pub(crate) fn open_to(&self, anonymous: identity::Anonymous) -> Result<(), identity::Anonymous> {
        self.inner.anonymous.set(anonymous)
    }
    /// Lets anybody ask for peering at the peering portal of the book that is open to callers without a credential.
    pub fn open_portal(&self) {
        self.inner.portal.store(true, Ordering::Relaxed);
    }
    pub(crate) fn portal_is_open(&self) -> bool {
        self.inner.portal.load(Ordering::Relaxed)
    }
    /// Lets anybody sign up, each with an organization of their own below the operator's.
    pub fn open_to_sign_up(&self) {
        self.inner.sign_up.store(true, Ordering::Relaxed);
    }
    pub(crate) fn is_open_to_sign_up(&self) -> bool {
        self.inner.sign_up.load(Ordering::Relaxed)
    }
    pub(crate) fn roas(&self) -> &rpki::Cache {
        &self.inner.roas
    }
    pub(crate) fn contexts(&self) -> &contexts::Assigned {
        &self.inner.contexts
    }
    pub(crate) fn throttle(&self) -> &identity::Throttle {
        &self.inner.throttle
    }

    /// Runs a reading operation for a caller.
    pub fn read<T, F>(&self, caller: &Caller, f: F) -> impl Future<Output = Result<T, Error>> + Send + 'static
    where
        F: Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.inner.store.read(caller.context(), f)
    }

    /// Runs a writing operation for a caller: all of it is kept, or nothing.
    pub fn write<T, F>(&self, caller: &Caller, f: F) -> impl Future<Output = Result<T, Error>> + Send + 'static
    where
        F: Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        self.inner.store.write(caller.context(), f)
    }
}

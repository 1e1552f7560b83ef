//! Who asks, and on whose behalf.

use std::{net::IpAddr, sync::Arc};

use meetme_base::{Id, RawId, Uid};
use meetme_model::access::{Key, Organization, Project, User};
use meetme_store::{Actor, Context, Scope};

use crate::identity::Door;

/// What a credential stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The user, when the credential is a person's.
    pub user: Option<Id<User>>,
    /// The key that was used, if one was. Neither user nor key: nobody showed who they are, and a book is open to all.
    pub key: Option<Id<Key>>,
    /// What to call them in the log.
    pub name: String,
    /// The organization they belong to.
    pub home: Id<Organization>,
    /// The project they work in when they name none.
    pub project: Option<Id<Project>>,
    /// Whether the credential may only read.
    pub read_only: bool,
    /// Whether the user has every right in the home organization.
    pub superuser: bool,
    /// Every node of the tenant tree on which the subject has a membership, the home first.
    pub nodes: Vec<RawId>,
}

/// A caller: a subject at a door, in a request. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The subject.
    pub subject: Arc<Subject>,
    /// What it may see and do.
    pub scope: Arc<dyn Scope>,
    /// The door: a dialect's name.
    pub dialect: &'static str,
    /// The request.
    pub request: Uid,
    /// Where the request came from.
    pub ip: Option<IpAddr>,
    /// Whether writes shall be thrown away and only their outcome be shown.
    pub dry_run: bool,
}

impl Subject {
    /// Whether nobody showed who they are.
    pub const fn is_anonymous(&self) -> bool {
        self.user.is_none() && self.key.is_none()
    }
}

impl Caller {
    /// A subject at a door, in earnest.
    pub(crate) fn at(door: Door, subject: Arc<Subject>, scope: Arc<dyn Scope>) -> Self {
        Self { subject, scope, dialect: door.dialect, request: door.request, ip: door.ip, dry_run: false }
    }

    /// What the store needs to know.
    pub fn context(&self) -> Context {
        let by = self.subject.user.map(Id::any).or(self.subject.key.map(Id::any));
        Context {
            scope: self.scope.clone(),
            actor: Actor { by, name: self.subject.name.clone(), dialect: self.dialect },
            request: self.request,
            dry_run: self.dry_run,
        }
    }

    /// The organization the caller belongs to.
    pub fn home(&self) -> Id<Organization> {
        self.subject.home
    }

    /// The same caller, trying things out.
    #[must_use]
    pub fn dry(mut self, dry_run: bool) -> Self {
        self.dry_run = dry_run;
        self
    }
}

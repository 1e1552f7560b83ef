//! Kinds of running the place that do not come and change as rows.

use meetme_base::Kind;
use meetme_model::ops::Job;
use meetme_store::Resource as _;

use super::{Create, Hooks, Remove, Replace};

/// The kinds of the area with a policy.
pub(super) const HOOKS: &[(Kind, Hooks)] = &[(
    Job::KIND,
    Hooks {
        // A job does its work without asking again who may have it done.
        create: Create::Refused("It comes from the operation whose work it is."),
        replace: Replace::Refused("What a job does is settled when it is made."),
        remove: Remove::Plain,
    },
)];

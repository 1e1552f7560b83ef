//! Kinds of running the place: work, where texts come from, who is told.

use meetme_base::Kind;
use meetme_model::ops::{DataFile, DataSource, Hook, Job};
use meetme_store::Resource as _;

use super::{Create, Hooks, Remove, Replace, peering::of};

/// What is said of a file of a data source.
const MIRRORED: &str = "The files of a data source come, change and go by synchronising it.";

/// The kinds of the area with a policy.
pub(super) const HOOKS: &[(Kind, Hooks)] = &[
    of::<DataSource>(),
    of::<Hook>(),
    (
        DataFile::KIND,
        Hooks {
            create: Create::Refused(MIRRORED),
            replace: Replace::Refused(MIRRORED),
            remove: Remove::Refused(MIRRORED),
        },
    ),
    (
        Job::KIND,
        Hooks {
            // A job does its work without asking again who may have it done.
            create: Create::Refused("It comes from the operation whose work it is."),
            replace: Replace::Refused("What a job does is settled when it is made."),
            remove: Remove::Plain,
        },
    ),
];

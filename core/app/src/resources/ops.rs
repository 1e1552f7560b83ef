//! The kinds by which the place is run: where texts come from and who is told.

use meetme_base::Kind;
use meetme_model::ops::{DataFile, DataSource, Hook};
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
];

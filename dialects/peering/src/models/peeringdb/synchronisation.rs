//! Synchronisations that changed something.

use meetme_model::mirror::PdbSync;
use meetme_store::Resource as _;

use crate::model::{About, Field, How, Model, Sieve, everything};

type Of = PdbSync;
type F = Field<Of>;

/// The most rows anybody counts.
const MOST: i64 = i32::MAX as i64;

fn whole(n: u64) -> Option<i64> {
    Some(i64::try_from(n).unwrap_or(MOST).min(MOST))
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Synchronisation",
        verbose: "synchronisation",
        app: "peeringdb",
        path: "synchronisations",
        old: &[],
        number: 112,
        kind: Of::KIND,
        brief: &["id", "time", "created", "updated", "deleted"],
        order: &["-time"],
        filters: &[
            Sieve::new("time", How::Number("time")),
            Sieve::new("created", How::Number("made")),
            Sieve::new("updated", How::Number("changed")),
            Sieve::new("deleted", How::Number("removed")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |_| meetme_store::Filter::Never,
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::id(),
        F::moment("time", "time", |r| Some(r.spec.time), None),
        F::integer("created", "made", 0, MOST, |r| whole(r.spec.made), |_, _| {}).kept(),
        F::integer("updated", "changed", 0, MOST, |r| whole(r.spec.changed), |_, _| {}).kept(),
        F::integer("deleted", "removed", 0, MOST, |r| whole(r.spec.removed), |_, _| {}).kept(),
    ],
};

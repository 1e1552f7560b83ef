//! Timers of bidirectional forwarding detection. Those without a name came with a circuit and are not shown here.

use meetme_model::routing::Bfd;
use meetme_store::{Filter, Op, Resource as _};

use super::{context, number, raw, some, typed};
use crate::{
    model::{About, Field, How, Model, Sieve},
    query,
};

type Of = Bfd;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "BFD",
        verbose: "BFD",
        app: "net",
        path: "bfd",
        old: &[],
        number: 2,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name", "slug"],
        order: &["name"],
        filters: &[
            Sieve::new("minimum_transmit_interval", How::Number("tx_ms")),
            Sieve::new("minimum_receive_interval", How::Number("rx_ms")),
            Sieve::new("detection_multiplier", How::Number("multiplier")),
            Sieve::new("hold_time", How::Number("hold_ms")),
        ],
        aliases: &[],
        read_only: false,
        tagged: true,
        only: || Filter::is("name", Op::Empty(false)),
        search: |text| query::holds(&["name", "slug", "description"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(Of::default),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::text("name", "name", 100, |s| s.name.as_deref(), |s, t| s.name = t).required(),
        F::slug(|s| s.slug.as_deref(), |s, t| s.slug = t),
        F::description(|s| s.description.as_deref(), |s, t| s.description = some(t)),
        F::integer(
            "minimum_transmit_interval",
            "tx_ms",
            1,
            Of::LONGEST_MS as i64,
            |r| Some(r.spec.tx_ms.into()),
            |d, n| d.spec.tx_ms = number(n),
        ),
        F::integer(
            "minimum_receive_interval",
            "rx_ms",
            1,
            Of::LONGEST_MS as i64,
            |r| Some(r.spec.rx_ms.into()),
            |d, n| d.spec.rx_ms = number(n),
        ),
        F::integer(
            "detection_multiplier",
            "multiplier",
            1,
            255,
            |r| Some(r.spec.multiplier.into()),
            |d, n| {
                d.spec.multiplier = number(n);
            },
        ),
        F::integer(
            "hold_time",
            "hold_ms",
            0,
            Of::LONGEST_MS as i64,
            |r| Some(r.spec.hold_ms.into()),
            |d, n| {
                d.spec.hold_ms = number(n);
            },
        ),
        F::local_context_data(|s| s.context.as_ref(), |s, v| s.context = v),
        F::made("config_context", "field", |r, _, l, out| context(r.id.any(), r.spec.context.as_ref(), l, out)),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};

//! Requests from the peering portal, to be read: they come from the portal and are answered by actions.

use meetme_base::Id;
use meetme_model::routing::PeeringRequest;
use meetme_store::Resource as _;

use super::{autonomous_system, named_state};
use crate::{
    json,
    model::{About, Field, How, Model, Sieve, Words, everything},
    query,
};

type Of = PeeringRequest;
type F = Field<Of>;

/// The states: wire word and label.
pub const STATES: Words =
    &[("pending", "Pending"), ("accepted", "Accepted"), ("rejected", "Rejected"), ("cancelled", "Cancelled")];

/// The same for filters, where the core's words are the wire's.
pub const STATE_FILTER: Words =
    &[("pending", "pending"), ("accepted", "accepted"), ("rejected", "rejected"), ("cancelled", "cancelled")];

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "PeeringRequest",
        verbose: "peering request",
        app: "peering",
        path: "peering-requests",
        old: &[],
        number: 60,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "local_asn", "status"],
        order: &["-created"],
        filters: &[
            Sieve::new("local_asn", How::Number("asn")),
            Sieve::new("status", How::Choice("state", STATE_FILTER)),
            Sieve::new("anonymous", How::Flag("anonymous")),
        ],
        aliases: &[("asn", "local_asn"), ("state", "status")],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["email"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::made("request_id", "string", |r, _, _, out| json::text(out, &r.uid.to_string())),
        F::integer("local_asn", "asn", 1, u32::MAX as i64, |r| Some(r.spec.asn.get().into()), |_, _| {}),
        F::one("autonomous_system", "remote.asn", &autonomous_system::MODEL, |s| s.remote.map(Id::any), |_, _| {})
            .nullable(),
        F::text("email", "email", 254, |s| Some(&s.email), |_, _| {}),
        F::flag("anonymous", "anonymous", |s| s.anonymous, |_, _| {}),
        F::choice("status", "state", STATES, |r| named_state(r.spec.state), |_, _| {}).labelled(),
        F::created(),
        F::updated(),
    ],
};

//! Sessions that were asked for at the peering portal, to be read: they come from the portal and are answered by actions.

use meetme_base::Id;
use meetme_model::routing::RequestedSession;
use meetme_store::Resource as _;

use super::{
    autonomous_system, connection, exchange_session, named_state,
    peering_request::{self, STATE_FILTER, STATES},
};
use crate::{
    json,
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = RequestedSession;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "RequestedSession",
        verbose: "requested session",
        app: "peering",
        path: "requested-sessions",
        old: &[],
        number: 61,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "local_asn", "local_ip", "status"],
        order: &["-created"],
        filters: &[
            Sieve::new("local_asn", How::Number("asn")),
            Sieve::new("status", How::Choice("state", STATE_FILTER)),
            Sieve::new("peering_request_id", How::Row("request", meetme_model::routing::PeeringRequest::KIND, "id")),
        ],
        aliases: &[("asn", "local_asn"), ("state", "status"), ("ip", "local_ip")],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["reason"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::made("session_id", "string", |r, _, _, out| json::text(out, &r.uid.to_string())),
        F::one("peering_request", "request", &peering_request::MODEL, |s| Some(s.request.any()), |_, _| {}),
        F::integer("local_asn", "asn", 1, u32::MAX as i64, |r| Some(r.spec.asn.get().into()), |_, _| {}),
        F::one("autonomous_system", "remote.asn", &autonomous_system::MODEL, |s| s.remote.map(Id::any), |_, _| {})
            .nullable(),
        F::one("ixp_connection", "link", &connection::MODEL, |s| Some(s.link.any()), |_, _| {}),
        F::parsed("local_ip", "ip", |s| Some(s.ip.to_string()), |_, _| Ok(())),
        F::made("has_session_secret", "boolean", |r, _, _, out| {
            out.extend_from_slice(if r.spec.password.is_some() { b"true" } else { b"false" });
        }),
        F::choice("status", "state", STATES, |r| named_state(r.spec.state), |_, _| {}).labelled(),
        F::text("reason", "reason", 500, |s| Some(&s.reason), |_, _| {}),
        F::one("session", "session", &exchange_session::MODEL, |s| s.session.map(Id::any), |_, _| {}).nullable(),
        F::created(),
        F::updated(),
    ],
};

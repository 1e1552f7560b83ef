//! Internet exchanges.

use meetme_base::Id;
use meetme_model::routing::{AutonomousSystem, Exchange};
use meetme_store::Resource as _;

use super::{SERVICE, SERVICE_FILTER, admin, autonomous_system, context, ix_api, raw, some, typed};
use crate::{
    mirror,
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = Exchange;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "InternetExchange",
        verbose: "internet exchange",
        app: "peering",
        path: "internet-exchanges",
        old: &[],
        number: 9,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name", "slug", "status"],
        order: &["name"],
        filters: &[
            Sieve::new("status", How::Choice("admin", SERVICE_FILTER)),
            Sieve::new("local_autonomous_system_id", How::Row("local", AutonomousSystem::KIND, "id")),
            Sieve::new("local_autonomous_system_asn", How::Row("local", AutonomousSystem::KIND, "asn")),
            Sieve::new("local_autonomous_system", How::Row("local", AutonomousSystem::KIND, "name")),
        ],
        aliases: &[],
        read_only: false,
        tagged: true,
        only: everything,
        search: |text| query::holds(&["name", "slug", "description"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(|| Of::new("", "", Id::new(0))),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::integer("peeringdb_ixlan", "pdb_lan", 1, i32::MAX as i64, |r| r.spec.pdb_lan, |d, n| d.spec.pdb_lan = n)
            .nullable(),
        F::made("peeringdb_prefixes", "field", |r, _, loaded, out| {
            mirror::write_prefixes(out, loaded.register.prefixes(r), true);
        }),
        F::one(
            "ixapi_endpoint",
            "ixapi.name",
            &ix_api::MODEL,
            |s| s.ixapi.map(Id::any),
            |s, id| s.ixapi = id.map(|id| id.of()),
        )
        .nullable(),
        F::text("name", "name", 100, |s| Some(&s.name), |s, t| s.name = t.unwrap_or_default()).required(),
        F::slug(|s| Some(&s.slug), |s, t| s.slug = t.unwrap_or_default()),
        F::description(|s| s.description.as_deref(), |s, t| s.description = some(t)),
        F::status(SERVICE, |r| Some(r.spec.admin.word()), |d, w| d.spec.admin = admin(w)),
        F::one(
            "local_autonomous_system",
            "local.asn",
            &autonomous_system::MODEL,
            |s| Some(s.local.any()),
            |s, id| s.local = id.map_or(s.local, |id| id.of()),
        )
        .required(),
        F::import(|s| raw(&s.import), |s, v| s.import = typed(v)),
        F::export(|s| raw(&s.export), |s, v| s.export = typed(v)),
        F::communities(|s| raw(&s.communities), |s, v| s.communities = typed(v)),
        F::local_context_data(|s| s.context.as_ref(), |s, v| s.context = v),
        F::made("config_context", "field", |r, _, l, out| context(r.id.any(), r.spec.context.as_ref(), l, out)),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};

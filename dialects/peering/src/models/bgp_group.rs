//! Groups of direct sessions.

use meetme_model::routing::PeerGroup;
use meetme_store::Resource as _;

use super::{SERVICE, SERVICE_FILTER, admin, context, raw, some, typed};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PeerGroup;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "BGPGroup",
        verbose: "BGP group",
        app: "peering",
        path: "bgp-groups",
        old: &[],
        number: 3,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name", "slug", "status"],
        order: &["name"],
        filters: &[Sieve::new("status", How::Choice("admin", SERVICE_FILTER))],
        aliases: &[],
        read_only: false,
        tagged: true,
        only: everything,
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
        F::text("name", "name", 100, |s| Some(&s.name), |s, t| s.name = t.unwrap_or_default()).required(),
        F::slug(|s| Some(&s.slug), |s, t| s.slug = t.unwrap_or_default()),
        F::description(|s| s.description.as_deref(), |s, t| s.description = some(t)),
        F::status(SERVICE, |r| Some(r.spec.admin.word()), |d, w| d.spec.admin = admin(w)),
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

//! BGP communities.

use meetme_model::routing::{Community, CommunityDirection, CommunityKind};
use meetme_store::Resource as _;

use super::{context, raw, some, typed};
use crate::{
    json,
    model::{About, Field, How, Model, Sieve, Words, everything},
    query,
};

type Of = Community;
type F = Field<Of>;

const TYPES: Words = &[("egress", "Egress"), ("ingress", "Ingress")];

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Community",
        verbose: "community",
        app: "bgp",
        path: "communities",
        old: &["peering/communities"],
        number: 4,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name", "slug", "value", "type"],
        order: &["value", "name"],
        filters: &[
            Sieve::new("type", How::Choice("direction", &[("egress", "egress"), ("ingress", "ingress")])),
            Sieve::new("value", How::Text("value")),
        ],
        aliases: &[],
        read_only: false,
        tagged: true,
        only: everything,
        search: |text| query::holds(&["name", "value", "slug", "description"], text),
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
        F::text("value", "value", 50, |s| Some(&s.value), |s, t| s.value = t.unwrap_or_default()).required(),
        F::choice(
            "type",
            "direction",
            TYPES,
            |r| r.spec.direction.map(CommunityDirection::word),
            |d, w| {
                d.spec.direction = match w {
                    Some("egress") => Some(CommunityDirection::Egress),
                    Some("ingress") => Some(CommunityDirection::Ingress),
                    _ => None,
                };
            },
        )
        .nullable(),
        F::made("kind", "choice", |r, _, _, out| json::maybe(out, r.spec.kind().map(CommunityKind::word))),
        F::local_context_data(|s| s.context.as_ref(), |s, v| s.context = v),
        F::made("config_context", "field", |r, _, l, out| context(r.id.any(), r.spec.context.as_ref(), l, out)),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};

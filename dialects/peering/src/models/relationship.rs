//! What a peer is to us on a direct session.

use meetme_model::routing::Relationship;
use meetme_store::Resource as _;

use super::{raw, some, typed};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = Relationship;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Relationship",
        verbose: "relationship",
        app: "bgp",
        path: "relationships",
        old: &[],
        number: 6,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name", "slug"],
        order: &["name"],
        filters: &[Sieve::new("name", How::Text("name")), Sieve::new("slug", How::Text("slug"))],
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
        F::text("color", "colour", 6, |s| Some(&s.colour), |s, t| s.colour = t.unwrap_or_default()),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};

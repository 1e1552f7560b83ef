//! Roles of contacts: what they are asked about.

use meetme_model::ops::ContactRole;
use meetme_store::Resource as _;

use super::{raw, some, typed};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = ContactRole;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "ContactRole",
        verbose: "contact role",
        app: "messaging",
        path: "contact-roles",
        old: &[],
        number: 42,
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
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};

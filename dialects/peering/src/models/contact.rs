//! Contacts: whom to ask.

use meetme_model::ops::Contact;
use meetme_store::Resource as _;

use super::{raw, some, typed};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = Contact;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Contact",
        verbose: "contact",
        app: "messaging",
        path: "contacts",
        old: &[],
        number: 41,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name"],
        order: &["name"],
        filters: &[
            Sieve::new("name", How::Text("name")),
            Sieve::new("title", How::Text("title")),
            Sieve::new("phone", How::Text("phone")),
            Sieve::new("email", How::Text("email")),
            Sieve::new("address", How::Text("address")),
        ],
        aliases: &[],
        read_only: false,
        tagged: true,
        only: everything,
        search: |text| query::holds(&["name", "title", "phone", "email", "address", "comments"], text),
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
        F::text("title", "title", 100, |s| Some(&s.title), |s, t| s.title = t.unwrap_or_default()),
        F::text("phone", "phone", 50, |s| Some(&s.phone), |s, t| s.phone = t.unwrap_or_default()),
        F::text("email", "email", 254, |s| Some(&s.email), |s, t| s.email = t.unwrap_or_default()),
        F::text("address", "address", 200, |s| Some(&s.address), |s, t| s.address = t.unwrap_or_default()),
        F::description(|s| s.description.as_deref(), |s, t| s.description = some(t)),
        F::comments(|s| Some(&s.comments), |s, t| s.comments = t.unwrap_or_default()),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};

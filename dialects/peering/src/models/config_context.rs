//! Data for templates that several objects share.

use meetme_model::routing::ConfigContext;
use meetme_store::Resource as _;

use super::{fields, some};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = ConfigContext;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "ConfigContext",
        verbose: "config context",
        app: "extras",
        path: "config-contexts",
        old: &[],
        number: 45,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name"],
        order: &["name"],
        filters: &[
            Sieve::new("name", How::Text("name")),
            Sieve::new("description", How::Text("description")),
            Sieve::new("is_active", How::Flag("active")),
        ],
        aliases: fields::FOLLOWS,
        read_only: false,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["name", "description"], text),
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
        F::description(|s| s.description.as_deref(), |s, t| s.description = some(t)),
        F::flag("is_active", "active", |s| s.active, |s, b| s.active = b),
        F::json("data", "data", |s| Some(&s.data), |s, v| s.data = v.unwrap_or_default())
            .required()
            .never_null()
            .unordered(),
        F::data_source(),
        F::data_path(),
        F::auto_synchronisation(),
        F::data_synchronised(),
    ],
};

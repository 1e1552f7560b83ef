//! Templates of router configurations.

use meetme_model::routing::{Template, TemplatePurpose};
use meetme_store::{Filter, Resource as _};

use super::{fields, raw, some, typed};
use crate::{
    model::{About, Field, How, Model, Sieve},
    query,
};

type Of = Template;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Configuration",
        verbose: "configuration",
        app: "devices",
        path: "configurations",
        old: &["peering/configurations"],
        number: 5,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name"],
        order: &["name"],
        filters: &[Sieve::new("jinja2_trim", How::Flag("trim")), Sieve::new("jinja2_lstrip", How::Flag("lstrip"))],
        aliases: fields::FOLLOWS,
        read_only: false,
        tagged: true,
        only: || Filter::eq("purpose", TemplatePurpose::Router.word()),
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
        F::verbatim("template", "text", |s| Some(&s.text), |s, t| s.text = t.unwrap_or_default()).required(),
        F::flag("jinja2_trim", "trim", |s| s.trim, |s, b| s.trim = b),
        F::flag("jinja2_lstrip", "lstrip", |s| s.lstrip, |s, b| s.lstrip = b),
        F::data_source(),
        F::data_path(),
        F::auto_synchronisation(),
        F::data_synchronised(),
        F::comments(|s| Some(&s.comments), |s, t| s.comments = t.unwrap_or_default()),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};

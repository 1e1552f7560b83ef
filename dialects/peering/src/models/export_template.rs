//! Templates of texts that are made of the rows of a list.

use meetme_model::routing::{Template, TemplatePurpose};
use meetme_store::{Filter, Resource as _};

use super::{content_type, fields, some};
use crate::{
    model::{About, Field, How, Model, Sieve},
    query,
};

type Of = Template;
type F = Field<Of>;

fn fresh() -> Of {
    Of { purpose: TemplatePurpose::Export, ..Of::default() }
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "ExportTemplate",
        verbose: "export template",
        app: "extras",
        path: "export-templates",
        old: &[],
        number: 47,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name"],
        order: &["name"],
        filters: &[
            Sieve::new("name", How::Text("name")),
            Sieve::new("description", How::Text("description")),
            Sieve::new("jinja2_trim", How::Flag("trim")),
            Sieve::new("jinja2_lstrip", How::Flag("lstrip")),
        ],
        aliases: fields::FOLLOWS,
        read_only: false,
        tagged: false,
        only: || Filter::eq("purpose", TemplatePurpose::Export.word()),
        search: |text| query::holds(&["name", "description"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(fresh),
    fields: &[
        F::id(),
        F::display(),
        F::page(),
        F::url(),
        F::text("name", "name", 100, |s| Some(&s.name), |s, t| s.name = t.unwrap_or_default()).required(),
        F::parsed(
            "content_type",
            "kind",
            |s| s.kind.as_deref().and_then(content_type::spelled),
            |s, t| {
                s.kind = Some(content_type::read(t)?);
                Ok(())
            },
        )
        .required(),
        F::description(|s| s.description.as_deref(), |s, t| s.description = some(t)),
        F::verbatim("template", "text", |s| Some(&s.text), |s, t| s.text = t.unwrap_or_default()).required(),
        F::flag("jinja2_trim", "trim", |s| s.trim, |s, b| s.trim = b),
        F::flag("jinja2_lstrip", "lstrip", |s| s.lstrip, |s, b| s.lstrip = b),
        F::data_source(),
        F::data_path(),
        F::auto_synchronisation(),
        F::data_synchronised(),
    ],
};

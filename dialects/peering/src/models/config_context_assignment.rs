//! Which shared data is for which object.

use meetme_base::{Id, RawId};
use meetme_model::routing::{ConfigContext, ConfigContextAssignment};
use meetme_store::{Filter, Resource as _};

use super::{config_context, content_type, number};
use crate::model::{About, Field, How, Model, Need, Sieve, everything};

type Of = ConfigContextAssignment;
type F = Field<Of>;

fn fresh() -> Of {
    Of { object: RawId::new(0), sort: String::new(), context: Id::new(0), weight: Of::WEIGHT }
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "ConfigContextAssignment",
        verbose: "config context assignment",
        app: "extras",
        path: "config-context-assignments",
        old: &[],
        number: 46,
        kind: Of::KIND,
        brief: &["id", "url", "display", "config_context"],
        order: &["weight"],
        filters: &[
            Sieve::new("content_type", How::Type("sort")),
            Sieve::new("content_type_id", How::Type("sort")),
            Sieve::new("object_id", How::Number("object")),
            Sieve::new("config_context_id", How::Row("context", ConfigContext::KIND, "id")),
            Sieve::new("weight", How::Number("weight")),
        ],
        aliases: &[],
        read_only: false,
        tagged: false,
        only: everything,
        search: |_| Filter::All,
    },
    needs: &[Need { of: &config_context::MODEL, edge: "context", get: |s| Some(s.context.any()) }],
    display: |row, loaded| loaded.name("ConfigContext", row.spec.context.any()).unwrap_or_default().to_owned(),
    fresh: Some(fresh),
    fields: &[
        F::id(),
        F::url(),
        F::display(),
        F::parsed(
            "content_type",
            "sort",
            |s| content_type::spelled(&s.sort),
            |s, t| {
                s.sort = content_type::read(t)?;
                Ok(())
            },
        )
        .required(),
        F::integer(
            "object_id",
            "object",
            0,
            i32::MAX as i64,
            |r| Some(r.spec.object.get()),
            |d, n| {
                d.spec.object = RawId::new(n.unwrap_or_default());
            },
        )
        .required(),
        F::object("object", |s| &s.sort, |s| s.object),
        F::one(
            "config_context",
            "context.name",
            &config_context::MODEL,
            |s| Some(s.context.any()),
            |s, id| s.context = id.map_or(s.context, |id| id.of()),
        )
        .required(),
        F::integer(
            "weight",
            "weight",
            0,
            Of::HEAVIEST as i64,
            |r| Some(r.spec.weight.into()),
            |d, n| {
                d.spec.weight = number(n);
            },
        ),
        F::created(),
        F::updated(),
    ],
};

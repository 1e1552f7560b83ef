//! Routing policies by name.

use meetme_model::routing::{Policy, PolicyDirection};
use meetme_store::{Filter, Resource as _};

use super::{context, number, raw, some, typed};
use crate::{
    model::{About, Field, How, Model, Sieve, Words, everything},
    query,
};

type Of = Policy;
type F = Field<Of>;

const TYPES: Words =
    &[("export-policy", "Export"), ("import-policy", "Import"), ("import-export-policy", "Import+Export")];
const FAMILIES: &[(i64, &str)] = &[(0, "All"), (4, "IPv4"), (6, "IPv6")];

const fn word(direction: PolicyDirection) -> &'static str {
    match direction {
        PolicyDirection::Import => "import-policy",
        PolicyDirection::Export => "export-policy",
        PolicyDirection::Both => "import-export-policy",
    }
}

/// A policy for both directions is found under either.
fn by_type(values: &[&str]) -> Result<Filter, String> {
    let mut words = Vec::new();
    for value in values {
        match *value {
            "import-policy" => words.extend(["import", "both"]),
            "export-policy" => words.extend(["export", "both"]),
            "import-export-policy" => words.push("both"),
            other => {
                return Err(format!("Select a valid choice. {other} is not one of the available choices."));
            }
        }
    }
    Ok(Filter::is_in("direction", words))
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "RoutingPolicy",
        verbose: "routing policy",
        app: "peering",
        path: "routing-policies",
        old: &[],
        number: 8,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name", "slug", "type"],
        order: &["-weight", "name"],
        filters: &[
            Sieve::new("type", How::Rule(by_type)),
            Sieve::new("weight", How::Number("weight")),
            Sieve::new("address_family", How::Digit("family", &[0, 4, 6])),
        ],
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
        F::choice(
            "type",
            "direction",
            TYPES,
            |r| Some(word(r.spec.direction)),
            |d, w| {
                d.spec.direction = match w {
                    Some("export-policy") => PolicyDirection::Export,
                    Some("import-export-policy") => PolicyDirection::Both,
                    _ => PolicyDirection::Import,
                };
            },
        ),
        F::integer(
            "weight",
            "weight",
            0,
            i16::MAX as i64,
            |r| Some(r.spec.weight.into()),
            |d, n| {
                d.spec.weight = number(n);
            },
        ),
        F::digit("address_family", "family", FAMILIES, |s| s.family.into(), |s, n| s.family = number(Some(n))),
        F::communities(|s| raw(&s.communities), |s, v| s.communities = typed(v)),
        F::local_context_data(|s| s.context.as_ref(), |s, v| s.context = v),
        F::made("config_context", "field", |r, _, l, out| context(r.id.any(), r.spec.context.as_ref(), l, out)),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
        F::created(),
        F::updated(),
    ],
};

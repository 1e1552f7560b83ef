//! Tags.

use meetme_app::Error;
use meetme_model::ops::Tag;
use meetme_store::{Filter, Resource as _, Tx};

use super::content_type;
use crate::{
    json,
    model::{About, Field, How, Model, Sieve, everything},
    query,
    scene::Scene,
};

type Of = Tag;
type F = Field<Of>;

/// The tags that are on rows of one of these content types.
fn put_on(tx: &mut Tx<'_>, _: &Scene, _: &str, values: &[&str]) -> Result<Result<Filter, String>, Error> {
    let mut ids = Vec::new();
    for value in values {
        let Some(model) = content_type::find(value) else { return Ok(Err(query::no_choice(value))) };
        let about = model.about();
        if let Some(kind) = tx.registry().kind(about.kind.name()).filter(|_| about.tagged) {
            ids.extend(tx.targets(kind, "tags", &(about.only)())?);
        }
    }
    Ok(Ok(Filter::is_in("id", ids)))
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Tag",
        verbose: "tag",
        app: "extras",
        path: "tags",
        old: &["utils/tags"],
        number: 7,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name", "slug", "color"],
        order: &["name"],
        filters: &[
            Sieve::new("name", How::Text("name")),
            Sieve::new("slug", How::Text("slug")),
            Sieve::new("color", How::Text("colour")),
            Sieve::new("description", How::Text("description")),
            Sieve::new("content_type", How::Asked(&[""], put_on)),
            Sieve::new("content_type_id", How::Asked(&[""], put_on)),
        ],
        aliases: &[],
        read_only: false,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["name", "slug"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(|| Of::new("", "")),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::text("name", "name", 100, |s| Some(&s.name), |s, t| s.name = t.unwrap_or_default()).required(),
        F::slug(|s| Some(&s.slug), |s, t| s.slug = t.unwrap_or_default()),
        F::text(
            "color",
            "colour",
            6,
            |s| Some(&s.colour),
            |s, t| {
                s.colour = t.unwrap_or_default().to_ascii_lowercase();
            },
        ),
        F::text(
            "description",
            "description",
            200,
            |s| Some(&s.description),
            |s, t| {
                s.description = t.unwrap_or_default();
            },
        ),
        F::made("tagged_items", "integer", |r, _, loaded, out| {
            let count = loaded.counts.get(&r.id.any()).copied().unwrap_or_default();
            json::integer(out, i64::try_from(count).unwrap_or(i64::MAX));
        }),
    ],
};

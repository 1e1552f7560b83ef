//! Data sources: directories and repositories from which texts come.

use meetme_app::Error;
use meetme_base::Sealed;
use meetme_model::ops::{DataFile, DataSource, SourceForm};
use meetme_store::{Filter, Resource as _, Tx};
use serde_json::{Value as Json, json};

use super::{raw, some, typed};
use crate::{
    json as wire,
    lookup::python_type,
    model::{About, Draft, Field, How, Model, Sieve, Words, everything},
    query,
    scene::Scene,
};

type Of = DataSource;
type F = Field<Of>;

const FORMS: Words = &[("local", "Local"), ("git", "Git")];

const STATES: Words = &[
    ("new", "New"),
    ("queued", "Queued"),
    ("synchronising", "Synchronising"),
    ("pushing", "Pushing"),
    ("completed", "Completed"),
    ("failed", "Failed"),
];

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "DataSource",
        verbose: "data source",
        app: "core",
        path: "data-sources",
        old: &[],
        number: 140,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name"],
        order: &["name"],
        filters: &[
            Sieve::new("name", How::Text("name")),
            Sieve::new("description", How::Text("description")),
            Sieve::new("enabled", How::Flag("enabled")),
            Sieve::new("type", How::Choice("form", &[("local", "local"), ("git", "git")])),
            Sieve::new(
                "status",
                How::Choice(
                    "state",
                    &[
                        ("new", "new"),
                        ("queued", "queued"),
                        ("synchronising", "synchronising"),
                        ("pushing", "pushing"),
                        ("completed", "completed"),
                        ("failed", "failed"),
                    ],
                ),
            ),
        ],
        aliases: &[("url", "source_url"), ("ignore", "ignore_rules")],
        read_only: false,
        tagged: true,
        only: everything,
        search: |text| query::holds(&["name", "description", "url"], text),
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
        F::choice(
            "type",
            "form",
            FORMS,
            |r| Some(r.spec.form.word()),
            |d, w| d.spec.form = if w == Some("git") { SourceForm::Git } else { SourceForm::Local },
        )
        .labelled()
        .required(),
        F::text("source_url", "url", 200, |s| Some(&s.url), |s, t| s.url = t.unwrap_or_default()).required(),
        F::flag("enabled", "enabled", |s| s.enabled, |s, b| s.enabled = b),
        F::choice("status", "state", STATES, |r| Some(r.status.state.word()), |_, _| {})
            .labelled()
            .observed()
            .fixed_value(),
        F::description(|s| s.description.as_deref(), |s, t| s.description = some(t)),
        F::comments(|s| Some(&s.comments), |s, t| s.comments = t.unwrap_or_default()).unordered(),
        F::own("parameters", "parameters", "field", parameters, set_parameters).nullable(),
        F::text("ignore_rules", "ignore", 10_000, |s| Some(&s.ignore), |s, t| s.ignore = t.unwrap_or_default())
            .unordered(),
        F::created(),
        F::updated(),
        F::beside(
            "file_count",
            "integer",
            |tx, ids, _, loaded| {
                for id in ids {
                    // Who sees the source may know how large it is.
                    let count = tx.as_system(|tx| tx.count::<DataFile>(&Filter::eq("source", id.of::<Of>())))?;
                    loaded.counts.insert(id.any(), count);
                }
                Ok(())
            },
            |r, _, loaded, out| {
                let count = loaded.counts.get(&r.id.any()).copied().unwrap_or_default();
                wire::integer(out, i64::try_from(count).unwrap_or(i64::MAX));
            },
            None,
        ),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)).ours(),
        F::moment("synchronised", "synced_at", |r| r.status.synced_at, None).observed().ours(),
        F::made("revision", "string", |r, _, _, out| wire::maybe(out, r.status.revision.as_deref())).ours(),
        F::made("error", "string", |r, _, _, out| wire::maybe(out, r.status.error.as_deref())).ours(),
    ],
};

/// The parameters with the password, which only those see who may; to others there is one, and no more.
fn parameters(spec: &Of, scene: Option<&Scene>) -> Json {
    let Some(sealed) = &spec.password else { return spec.parameters.clone().unwrap_or(Json::Null) };
    let mut out = spec.parameters.clone().unwrap_or_else(|| json!({}));
    let shown = |scene: &Scene, sealed: &Sealed| scene.app.sealer().open(sealed).ok().filter(|_| scene.reveal);
    out["password"] = match scene {
        // The log holds a print, so that a change shows.
        None => sealed.text.as_str().into(),
        Some(scene) => shown(scene, sealed).map_or(Json::Null, |secret| secret.expose().as_str().into()),
    };
    out
}

/// A password that was not shown and comes back as null is the one that was there.
fn set_parameters(
    scene: &Scene,
    _: &mut Tx<'_>,
    draft: &mut Draft<Of>,
    value: &Json,
) -> Result<Result<(), String>, Error> {
    let mut map = match value {
        Json::Null => {
            (draft.spec.parameters, draft.spec.password) = (None, None);
            return Ok(Ok(()));
        }
        Json::Object(map) => map.clone(),
        other => {
            return Ok(Err(format!("Invalid data. Expected a dictionary, but got {}.", python_type(other))));
        }
    };
    match map.shift_remove("password") {
        None => draft.spec.password = None,
        Some(Json::Null) => {}
        Some(Json::String(text)) if text.is_empty() => draft.spec.password = None,
        Some(Json::String(text)) if text.len() <= 1000 => {
            let old = draft.spec.password.as_ref().map(|sealed| scene.app.sealer().open(sealed)).transpose()?;
            if old.as_ref().map(|old| old.expose()) != Some(&text) {
                draft.spec.password = Some(scene.app.sealer().seal(&text)?);
            }
        }
        Some(_) => return Ok(Err("The password is a text of at most 1000 letters.".to_owned())),
    }
    draft.spec.parameters = Some(Json::Object(map));
    Ok(Ok(()))
}

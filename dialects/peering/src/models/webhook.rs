//! Webhooks: who is called when something happens.

use meetme_app::Error;
use meetme_model::ops::{Hook, HookMethod};
use meetme_store::{Resource as _, Tx};
use serde_json::{Value as Json, json};

use super::some;
use crate::{
    NAME, json as wire,
    lookup::python_type,
    model::{About, Draft, Field, How, Model, Sieve, Words, everything},
    models, query,
    scene::Scene,
};

type Of = Hook;
type F = Field<Of>;

const METHODS: Words = &[("GET", "GET"), ("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE", "DELETE")];

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Webhook",
        verbose: "webhook",
        app: "extras",
        path: "webhooks",
        old: &[],
        number: 142,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "name"],
        order: &["name"],
        filters: &[
            Sieve::new("name", How::Text("name")),
            Sieve::new("enabled", How::Flag("enabled")),
            Sieve::new("type_create", How::Flag("on_create")),
            Sieve::new("type_update", How::Flag("on_update")),
            Sieve::new("type_delete", How::Flag("on_remove")),
            Sieve::new("http_method", How::Choice("method", METHODS)),
            Sieve::new("http_content_type", How::Text("content_type")),
            Sieve::new("ssl_verification", How::Flag("verify")),
            Sieve::new("ca_file_path", How::Text("ca_file")),
        ],
        aliases: &[("kinds", "content_types"), ("headers", "additional_headers"), ("body", "body_template")],
        read_only: false,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["name", "url"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: Some(|| Of { dialect: NAME.to_owned(), ..Of::default() }),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::own("content_types", "kinds", "list", |s, _| content_types(s).into(), set_content_types).required(),
        F::text("name", "name", 100, |s| Some(&s.name), |s, t| s.name = t.unwrap_or_default()).required(),
        F::flag("type_create", "on_create", |s| s.on_create, |s, b| s.on_create = b),
        F::flag("type_update", "on_update", |s| s.on_update, |s, b| s.on_update = b),
        F::flag("type_delete", "on_remove", |s| s.on_remove, |s, b| s.on_remove = b),
        F::flag("type_state", "on_moved", |s| s.on_moved, |s, b| s.on_moved = b).ours(),
        F::text("payload_url", "url", 512, |s| Some(&s.url), |s, t| s.url = t.unwrap_or_default()).required(),
        F::flag("enabled", "enabled", |s| s.enabled, |s, b| s.enabled = b),
        F::choice(
            "http_method",
            "method",
            METHODS,
            |r| Some(r.spec.method.word()),
            |d, w| d.spec.method = w.and_then(HookMethod::parse).unwrap_or_default(),
        ),
        F::text(
            "http_content_type",
            "content_type",
            128,
            |s| Some(&s.content_type),
            |s, t| s.content_type = t.unwrap_or_default(),
        ),
        F::verbatim(
            "additional_headers",
            "headers",
            |s| Some(&s.headers),
            |s, t| s.headers = t.unwrap_or_default().trim().to_owned(),
        ),
        F::verbatim("body_template", "body", |s| Some(&s.body), |s, t| s.body = t.unwrap_or_default()),
        F::own("secret", "secret", "string", secret, set_secret).nullable(),
        F::json("conditions", "conditions", |s| s.conditions.as_ref(), |s, v| s.conditions = v).unordered(),
        F::flag("ssl_verification", "verify", |s| s.verify, |s, b| s.verify = b),
        F::text("ca_file_path", "ca_file", 4096, |s| s.ca_file.as_deref(), |s, t| s.ca_file = some(t)).nullable(),
        F::created(),
        F::updated(),
        F::made("last_delivery", "nested object", |r, _, _, out| {
            let status = &r.status;
            let delivery = json!({
                "time": status.last_at.map(|at| at.rfc3339_micros()),
                "status_code": status.last_status,
                "error": status.last_error,
                "delivered": status.delivered,
                "failures": status.failures,
                "given_up": status.given_up,
                "retry_at": status.retry_at.map(|at| at.rfc3339_micros()),
            });
            wire::value(out, &delivery);
        })
        .ours(),
    ],
};

/// The content types that a hook hears of, as they were ordered; those of its kinds for a hook that was made at another door.
pub fn content_types(hook: &Of) -> Vec<String> {
    let own = hook.ext.get(NAME).and_then(|ext| ext.get("content_types")).and_then(Json::as_array);
    if let Some(own) = own {
        return own.iter().filter_map(Json::as_str).map(str::to_owned).collect();
    }
    let models = models::ALL.iter().map(|model| model.about());
    let heard = models.filter(|about| hook.kinds.iter().any(|kind| *kind == about.kind.name()));
    heard.map(About::content_type).collect()
}

fn set_content_types(
    _: &Scene,
    _: &mut Tx<'_>,
    draft: &mut Draft<Of>,
    value: &Json,
) -> Result<Result<(), String>, Error> {
    let Json::Array(list) = value else {
        return Ok(Err(format!("Expected a list of items but got type \"{}\".", python_type(value))));
    };
    if list.is_empty() {
        return Ok(Err("This list may not be empty.".to_owned()));
    }
    let (mut types, mut kinds): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for item in list {
        let Some(word) = item.as_str().filter(|word| word.contains('.')) else {
            let wanted = "Invalid value. Specify a content type as '<app_label>.<model_name>'.";
            return Ok(Err(wanted.to_owned()));
        };
        let about = models::ALL.iter().map(|model| model.about()).find(|about| about.content_type() == word);
        let Some(about) = about else { return Ok(Err(format!("Invalid content type: {word}"))) };
        if !types.iter().any(|known| known == word) {
            types.push(word.to_owned());
        }
        if !kinds.iter().any(|known| known == about.kind.name()) {
            kinds.push(about.kind.name().to_owned());
        }
    }
    draft.spec.kinds = kinds;
    draft.spec.ext.insert(NAME.to_owned(), json!({"content_types": types}));
    Ok(Ok(()))
}

/// The secret, to those who may see it; to others the empty text, as if there were none.
fn secret(spec: &Of, scene: Option<&Scene>) -> Json {
    let Some(sealed) = &spec.secret else { return "".into() };
    match scene {
        // The log holds a print, so that a change shows.
        None => sealed.text.as_str().into(),
        Some(scene) if !scene.reveal => "".into(),
        Some(scene) => scene.app.sealer().open(sealed).map_or_else(|_| "".into(), |s| s.expose().as_str().into()),
    }
}

/// The empty text of somebody who was not shown the secret leaves it as it is; null takes it away.
fn set_secret(
    scene: &Scene,
    tx: &mut Tx<'_>,
    draft: &mut Draft<Of>,
    value: &Json,
) -> Result<Result<(), String>, Error> {
    let text = match value {
        Json::Null => {
            draft.spec.secret = None;
            return Ok(Ok(()));
        }
        Json::String(text) => text,
        _ => return Ok(Err("Not a valid string.".to_owned())),
    };
    if text.chars().count() > 255 {
        return Ok(Err("Ensure this field has no more than 255 characters.".to_owned()));
    }
    if text.is_empty() {
        if draft.spec.secret.is_some() && tx.may(Of::KIND, "reveal", scene.home)? {
            draft.spec.secret = None;
        }
        return Ok(Ok(()));
    }
    let old = draft.spec.secret.as_ref().map(|sealed| scene.app.sealer().open(sealed)).transpose()?;
    if old.as_ref().map(|old| old.expose()) != Some(text) {
        draft.spec.secret = Some(scene.app.sealer().seal(text)?);
    }
    Ok(Ok(()))
}

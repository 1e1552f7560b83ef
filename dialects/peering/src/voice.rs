//! What webhooks tell in this dialect: the thing in its whole form, and how it was before and after.

use meetme_app::{App, Error, hooks::Voice};
use meetme_model::ops::Hook;
use meetme_store::{Change, Object, Tx, Verb};
use serde_json::{Value as Json, json};

use crate::{
    NAME,
    engine::AnyModel,
    models::{self, webhook},
    scene::{Loaded, Scene},
};

/// This dialect, as hooks speak it.
pub struct Spoken {
    app: App,
}

impl Spoken {
    /// Over the core.
    pub fn new(app: App) -> Self {
        Self { app }
    }
}

/// The word for an event. `state` is ours: a session came up, say.
const fn event(verb: Verb) -> &'static str {
    match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Remove => "delete",
        Verb::Moved => "state",
    }
}

impl Voice for Spoken {
    fn dialect(&self) -> &'static str {
        NAME
    }

    fn tell(&self, tx: &mut Tx<'_>, hook: &Object<Hook>, change: &Change) -> Result<Option<Json>, Error> {
        let heard = webhook::content_types(&hook.spec);
        // A step of a state has no documents; the kinds that have steps have one model each.
        let document = change.after.as_ref().or(change.before.as_ref());
        let shows = |model: &&dyn AnyModel| {
            let about = model.about();
            about.kind == change.kind
                && heard.contains(&about.content_type())
                && document.is_none_or(|document| model.shows(document))
        };
        let Some(model) = models::ALL.iter().copied().find(shows) else { return Ok(None) };
        let scene = Scene {
            app: self.app.clone(),
            // Links are told without a host: nobody asked for them at any address.
            base: String::new(),
            home: hook.tenant,
            reveal: false,
            public: false,
            caller: None,
        };
        let Some(bytes) = model.told(tx, change, &scene)? else { return Ok(None) };
        let data: Json = serde_json::from_slice(&bytes).unwrap_or(Json::Null);
        let mut told = json!({
            "event": event(change.verb),
            "timestamp": change.at.rfc3339_micros(),
            "model": model.about().name.to_ascii_lowercase(),
            "username": change.actor_name,
            "request_id": change.request.to_string(),
            "data": data,
            "snapshots": {
                "prechange": snapshot(tx, model, change, change.before.as_ref(), &scene)?,
                "postchange": snapshot(tx, model, change, change.after.as_ref(), &scene)?,
            },
        });
        if change.verb == Verb::Moved {
            // The state of this step, whatever came after it.
            if let Some(state) = change.code.as_deref().and_then(|code| code.strip_prefix("bgp.")) {
                told["data"]["bgp_state"] = state.into();
            }
            told["code"] = change.code.clone().into();
            told["message"] = change.note.clone().into();
        }
        Ok(Some(told))
    }
}

fn snapshot(
    tx: &mut Tx<'_>,
    model: &dyn AnyModel,
    change: &Change,
    document: Option<&Json>,
    scene: &Scene,
) -> Result<Json, Error> {
    let Some(document) = document else { return Ok(Json::Null) };
    let mut loaded = Loaded::default();
    models::tag::MODEL.load(tx, model.dump_needs(document), scene, &mut loaded)?;
    let bytes = model.dump(document, change.id.get(), &loaded);
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Json::Null))
}

//! How the caller wants to see things: one document for each user.

use http::StatusCode;
use meetme_app::{AuthFailure, Error, contexts};
use meetme_base::{Id, Invalid};
use meetme_http::{Cx, Op, Problem, Reply, Shape};
use meetme_model::access::User;
use serde_json::Value as Json;

use crate::{auth::FORBIDDEN, lookup::python_type, negotiate, serve};

/// The operations.
pub fn ops() -> Vec<Op> {
    let path = "/api/users/userpref/";
    let document = || Shape::Named("Preferences");
    vec![
        Op::get("users_userpref_retrieve", path).group("users").gives(document()).run(retrieve),
        Op::patch("users_userpref_patch", path).group("users").takes(document()).gives(document()).run(patch),
    ]
}

fn me(cx: &Cx) -> Result<Id<User>, Error> {
    if cx.caller().subject.is_anonymous() {
        return Err(Error::Unauthenticated(AuthFailure::Absent));
    }
    cx.caller().subject.user.ok_or_else(|| Error::Denied(FORBIDDEN.to_owned()))
}

async fn retrieve(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let me = me(&cx)?;
    let found = cx.app.read(cx.caller(), move |tx| Ok(tx.get(me)?.spec.preferences)).await?;
    Ok(Reply::json(StatusCode::OK, &found))
}

async fn patch(cx: Cx) -> Result<Reply, Problem> {
    let me = me(&cx)?;
    let sent = match serve::body(&cx)? {
        Json::Object(sent) => sent,
        other => {
            let text = format!("Invalid data. Expected a dictionary, but got {}.", python_type(&other));
            return Err(Invalid::new("", "wire", text).into());
        }
    };
    let stored = cx
        .app
        .write(cx.caller(), move |tx| {
            let mut user = tx.get(me)?;
            let mut spec = user.spec.clone();
            contexts::merge(&mut spec.preferences, &sent);
            tx.save(&mut user, spec)?;
            Ok(user.spec.preferences)
        })
        .await?;
    Ok(Reply::json(StatusCode::OK, &stored))
}

//! Sessions for people, and who one is.

use http::StatusCode;
use meetme_app::{
    AuthFailure, Error,
    identity::{self, Opened, Which},
};
use meetme_base::{Id, Secret};
use meetme_http::{Cx, Media, Problem, Reply};

use crate::{auth, query, wire};

/// Opens a session with a name and a password, and the code of the second factor in `X-OTP-Token` where the user has one.
///
/// # Errors
/// When they are wrong, or there were too many attempts.
pub async fn login(cx: Cx) -> Result<Reply, Problem> {
    query::only(&cx.query, &[])?;
    cx.expect_media(&[Media::Json])?;
    let sent: wire::Login = cx.json()?;
    let code = cx.header("x-otp-token");
    let user = identity::login(&cx.app, &sent.username, Secret::new(sent.password), code, Some(cx.peer)).await?;
    let agent = cx.header("user-agent").map(|text| text.chars().take(255).collect());
    let opened = identity::open_for(&cx.app, auth::door(&cx.parts), Which::User(user.id), agent).await?;
    Ok(answer(&opened))
}

/// Renews a session.
///
/// # Errors
/// When the token is not, or no longer, good.
pub async fn refresh(cx: Cx) -> Result<Reply, Problem> {
    query::only(&cx.query, &[])?;
    cx.expect_media(&[Media::Json])?;
    let sent: wire::Refresh = cx.json()?;
    let opened = identity::refresh(&cx.app, auth::door(&cx.parts), &Secret::new(sent.refresh)).await?;
    Ok(answer(&opened))
}

fn answer(opened: &Opened) -> Reply {
    let body = wire::LoggedIn {
        token: opened.token.expose().clone(),
        refresh: opened.refresh.expose().clone(),
        seconds: opened.seconds,
        expires_at: opened.expires_at,
    };
    Reply::ok(&body).header("cache-control", "no-store")
}

/// Ends the session in use. A key stays as good as it was.
///
/// # Errors
/// When the database fails.
pub async fn logout(cx: Cx) -> Result<Reply, Problem> {
    query::only(&cx.query, &[])?;
    let token = auth::token(&cx.parts).map_err(Error::Unauthenticated)?;
    identity::close(&cx.app, cx.caller(), token).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// Tells the caller who it is.
///
/// # Errors
/// When the credential is not good.
pub async fn whoami(cx: Cx) -> Result<Reply, Problem> {
    query::only(&cx.query, &[])?;
    let subject = &cx.known_caller().ok_or(Error::Unauthenticated(AuthFailure::Absent))?.subject;
    Ok(Reply::ok(&wire::WhoAmI {
        name: subject.name.clone(),
        user: subject.user.map(Id::any),
        key: subject.key.map(Id::any),
        home: subject.home.any(),
        project: subject.project.map(Id::any),
        read_only: subject.read_only,
        superuser: subject.superuser,
        nodes: subject.nodes.clone(),
    }))
}

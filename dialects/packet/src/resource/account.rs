//! Coming to a login by oneself: signing up, proving an address, a new password. All that is decided about it is in
//! [`meetme_app::accounts`].

use http::Method;
use meetme_app::{
    App, Error,
    accounts::{self, Let, SignUp},
    identity::Door,
};
use meetme_base::{Invalid, Secret};
use meetme_http::{Cx, Problem, Soon, ValueKind::Text};
use meetme_model::access::Key;
use serde_json::Value;

use super::user;
use crate::{
    input::Input,
    path,
    work::{Gives, Out, Row, Work, drawn},
};

const KEY: Gives = Gives::One("ApiKey");

pub fn rows() -> Vec<Row> {
    vec![
        Row::own(Method::POST, "create_user", "/users", 202, Gives::One("User"), sign_up).open().takes(&[
            ("first_name", Text),
            ("last_name", Text),
            ("emails", Text),
            ("password", Text),
            ("phone_number", Text),
            ("timezone", Text),
            ("invitation_id", Text),
            ("nonce", Text),
            ("customdata", Text),
        ]),
        Row::own(Method::POST, "create_password_reset", "/reset-password", 201, Gives::Nothing, ask_reset)
            .open()
            .takes(&[("email", Text)]),
        Row::own(Method::DELETE, "reset_password", "/reset-password", 201, KEY, reset)
            .open()
            .takes(&[("password", Text), ("user_token", Text)]),
        Row::post("create_email_verification", "/verify-email", Gives::Nothing, ask_verification)
            .takes(&[("login", Text)]),
        Row::own(Method::PUT, "consume_email_verification", "/verify-email", 200, KEY, prove)
            .open()
            .takes(&[("user_token", Text)]),
    ]
}

fn sign_up(cx: Cx, input: Input) -> Soon<'static, Result<Option<Value>, Problem>> {
    Box::pin(async move {
        let mut emails = Vec::new();
        for email in input.list("emails")?.ok_or_else(|| Invalid::required("emails"))? {
            emails.push((email.required("address")?, email.flag("default")?.unwrap_or(false)));
        }
        let invitation = match (input.words("invitation_id")?, input.words("nonce")?) {
            (None, _) => None,
            (Some(_), None) => return Err(Invalid::required("nonce").into()),
            (Some(id), Some(nonce)) => {
                let uid = id.parse().map_err(|()| Invalid::format("invitation_id", "the id of an invitation"))?;
                Some((uid, nonce))
            }
        };
        let new = SignUp {
            first_name: input.required("first_name")?,
            last_name: input.required("last_name")?,
            emails,
            password: input.words("password")?.map(Secret::new),
            phone: input.words("phone_number")?,
            timezone: input.words("timezone")?,
            invitation,
            ext: user::with_custom(input.json("customdata")?),
        };
        let signed = accounts::sign_up(&cx.app, Some(cx.peer), new).await?;
        Ok(Some(user::signed(&signed)?))
    })
}

fn ask_reset(cx: Cx, input: Input) -> Soon<'static, Result<Option<Value>, Problem>> {
    Box::pin(async move {
        accounts::ask_reset(&cx.app, &input.required("email")?, Some(cx.peer)).await?;
        Ok(None)
    })
}

/// The text of a letter: clients send it where a token goes, or among the inputs.
fn token(cx: &Cx, input: &Input) -> Result<String, Error> {
    for name in ["user_token", "token"] {
        if let Some(text) = input.words(name)? {
            return Ok(text);
        }
    }
    let header = cx.header("x-auth-token").filter(|text| !text.is_empty());
    header.map(str::to_owned).ok_or_else(|| Invalid::required("user_token").into())
}

fn door(cx: &Cx) -> Door {
    Door { dialect: cx.dialect, request: cx.request_id, ip: Some(cx.peer) }
}

fn reset(cx: Cx, input: Input) -> Soon<'static, Result<Option<Value>, Problem>> {
    Box::pin(async move {
        let (text, password) = (token(&cx, &input)?, Secret::new(input.required("password")?));
        let done = accounts::reset(&cx.app, door(&cx), &text, password, cx.header("x-otp-token")).await?;
        Ok(Some(show(&cx.app, &cx, done).await?))
    })
}

fn prove(cx: Cx, input: Input) -> Soon<'static, Result<Option<Value>, Problem>> {
    Box::pin(async move {
        let text = token(&cx, &input)?;
        let done = accounts::prove_address(&cx.app, door(&cx), &text, cx.header("x-otp-token")).await?;
        Ok(Some(show(&cx.app, &cx, done).await?))
    })
}

/// The key that the letter gave, as its owner sees it.
async fn show(app: &App, cx: &Cx, done: Let) -> Result<Value, Error> {
    drawn::<Key>(app, &done.caller, path::base(cx.path()), done.key).await
}

fn ask_verification(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let address = work.ask.input.required("login")?;
    accounts::ask_verification(work.app, work.tx, &work.ask.subject, &address)?;
    Ok(Out::Nothing)
}

//! Two-factor authentication by a program on the user's telephone. Messages to telephones are not sent: there is no gateway for them.

use http::Method;
use meetme_app::{Error, identity::factor};
use meetme_base::Invalid;
use meetme_http::{Cx, Problem, Soon, Verb};
use serde_json::{Value, json};

use crate::{
    input::Input,
    work::{Gives, Out, Row, Work},
};

pub fn rows() -> Vec<Row> {
    vec![
        Row::post("receive_tfa_app", "/user/otp/app/receive", Gives::Free, receive).status(200).verb(Verb::Act),
        Row::own(Method::POST, "enable_tfa_app", "/user/otp/app", 200, Gives::Free, enable),
        Row::own(Method::DELETE, "disable_tfa_app", "/user/otp/app", 204, Gives::Nothing, disable),
        Row::own(Method::POST, "verify_otp", "/user/otp/verify/{otp}", 204, Gives::Nothing, verify),
        Row::get("list_recovery_codes", "/user/otp/recovery-codes", Gives::Free, codes),
        Row::post("regenerate_recovery_codes", "/user/otp/recovery-codes", Gives::Free, new_codes)
            .status(200)
            .verb(Verb::Act),
    ]
}

fn receive(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let uri = factor::offer(work.app, work.tx, &work.ask.subject)?;
    Ok(Out::Json(json!({ "otp_uri": uri })))
}

/// The code, which goes in a header of its own.
fn code(cx: &Cx) -> Result<String, Error> {
    let sent = cx.header("x-otp-token").map(str::trim).filter(|code| !code.is_empty());
    sent.map(str::to_owned).ok_or_else(|| Invalid::required("X-OTP-Token").into())
}

/// A code that is not good is wrong input here: the token that came with it was good.
fn refused(error: Error) -> Problem {
    match error {
        Error::Unauthenticated(_) => {
            Invalid::new("X-OTP-Token", "code", "This code is not good, or was used before.").into()
        }
        other => other.into(),
    }
}

fn enable(cx: Cx, _: Input) -> Soon<'static, Result<Option<Value>, Problem>> {
    Box::pin(async move {
        let uri = factor::enable(&cx.app, cx.caller(), &code(&cx)?).await.map_err(refused)?;
        Ok(Some(json!({ "otp_uri": uri })))
    })
}

fn disable(cx: Cx, _: Input) -> Soon<'static, Result<Option<Value>, Problem>> {
    Box::pin(async move {
        factor::disable(&cx.app, cx.caller(), &code(&cx)?).await.map_err(refused)?;
        Ok(None)
    })
}

fn verify(cx: Cx, _: Input) -> Soon<'static, Result<Option<Value>, Problem>> {
    Box::pin(async move {
        factor::verify(&cx.app, cx.caller(), cx.param("otp")).await.map_err(refused)?;
        Ok(None)
    })
}

fn codes(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let codes = factor::recovery_codes(work.app, work.tx, &work.ask.subject)?;
    Ok(Out::Json(json!({ "recovery_codes": codes })))
}

fn new_codes(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let codes = factor::new_recovery_codes(work.app, work.tx, &work.ask.subject)?;
    Ok(Out::Json(json!({ "recovery_codes": codes })))
}

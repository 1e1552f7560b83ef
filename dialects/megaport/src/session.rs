//! Logins of all three generations. Each ends in a session of the core, so each token is good wherever a token is.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::StatusCode;
use meetme_app::{AuthFailure, Caller, Error, identity, standing};
use meetme_base::{Invalid, Secret, Time};
use meetme_http::{Cx, Media, Op, Problem, Query, QueryParam, Reply, Verb};
use meetme_model::access::{Form, User};
use meetme_store::{Object, Tx};
use serde_json::{Map, Value, json};

use crate::{auth, envelope, permission, words};

const GROUP: &str = "session";
const FORM: &str = "application/x-www-form-urlencoded";

pub fn ops() -> Vec<Op> {
    let login =
        |id, path, summary| Op::post(id, path).group(GROUP).summary(summary).verb(Verb::Act).open().takes_media(FORM);
    let fields = || vec![QueryParam::text("username"), QueryParam::text("password"), QueryParam::text("token")];
    vec![
        login("v1.login", "/login", "Logs in with name and password; answers a bare session").run(login_v1),
        login("v2.login", "/v2/login", "Logs in with name and password, or looks at a token")
            .query(fields())
            .run(login_v2),
        login("v3.login", "/v3/login", "Logs in with name and password").query(fields()).run(login_v2),
        login("v2.loginToken", "/v2/login/{token}", "The session of a token").run(login_token),
        login("oauth.token", "/oauth2/token", "Exchanges a key for a token")
            .query(vec![QueryParam::text("grant_type")])
            .run(token),
        login("v1.logout", "/logout/{token}", "Ends a session").run(logout_v1),
        Op::get("v2.logout", "/v2/logout")
            .group(GROUP)
            .summary("Ends the session of the call")
            .verb(Verb::Act)
            .run(logout),
        Op::get("v2.logoutToken", "/v2/logout/{token}")
            .group(GROUP)
            .summary("Ends a session")
            .verb(Verb::Act)
            .open()
            .run(logout_v2),
    ]
}

/// Name and password, from the body if they are there, else from the query.
fn fields(cx: &Cx) -> Result<Query, Problem> {
    if cx.body.is_empty() {
        return Ok(cx.query.clone());
    }
    if cx.media() != Media::Json {
        return Ok(cx.form_fields());
    }
    let map: Map<String, Value> = cx.json()?;
    let pairs: Vec<String> =
        map.iter().filter_map(|(name, value)| value.as_str().map(|text| format!("{name}={}", escaped(text)))).collect();
    Ok(Query::parse(&pairs.join("&")))
}

/// The text as a form spells it.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// A session just opened, or looked at again.
struct Login {
    caller: Caller,
    token: String,
}

async fn by_password(cx: &Cx, fields: &Query) -> Result<Login, Problem> {
    let field = |name: &str| fields.get(name).filter(|text| !text.is_empty()).ok_or_else(|| Invalid::required(name));
    let (username, password) = (field("username")?, Secret::new(field("password")?.to_owned()));
    let code = cx.header("x-otp-token");
    let user = identity::login(&cx.app, username, password, code, Some(cx.peer)).await?;
    open(cx, identity::Which::User(user.id)).await
}

async fn open(cx: &Cx, which: identity::Which) -> Result<Login, Problem> {
    let agent = cx.header("user-agent").map(str::to_owned);
    let opened = identity::open_for(&cx.app, auth::door(cx), which, agent).await?;
    let token = opened.token.expose().clone();
    let caller = auth::by_token(cx, &token).await?;
    Ok(Login { caller, token })
}

/// The session behind a token. The secret of a key is good as a token, and is no session: it gets one.
async fn by_token(cx: &Cx, token: &str) -> Result<Login, Problem> {
    let caller = auth::by_token(cx, token).await?;
    match caller.subject.key {
        Some(key) if token.parse::<meetme_base::Uid>().is_err() => open(cx, identity::Which::Key(key)).await,
        _ => Ok(Login { caller, token: token.to_owned() }),
    }
}

async fn login_v1(cx: Cx) -> Result<Reply, Problem> {
    let login = by_password(&cx, &cx.form_fields()).await?;
    Ok(Reply::ok(&show(&cx, login, Generation::First).await?))
}

async fn login_v2(cx: Cx) -> Result<Reply, Problem> {
    let fields = fields(&cx)?;
    let token = fields.get("token").or(cx.query.get("token")).filter(|t| !t.is_empty());
    let login = match token {
        Some(token) if !fields.has("password") => by_token(&cx, token).await?,
        _ => by_password(&cx, &fields).await?,
    };
    Ok(envelope::ok("Login successful.", show(&cx, login, Generation::Second).await?))
}

async fn login_token(cx: Cx) -> Result<Reply, Problem> {
    let login = by_token(&cx, cx.param("token")).await?;
    Ok(envelope::ok("Login successful.", show(&cx, login, Generation::Second).await?))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Generation {
    First,
    Second,
}

async fn show(cx: &Cx, login: Login, generation: Generation) -> Result<Value, Problem> {
    let subject = login.caller.subject.clone();
    let (now, ip) = (cx.app.now(), cx.peer.to_string());
    let agent = cx.header("user-agent").unwrap_or_default().to_owned();
    let token = login.token.clone();
    let shown = cx
        .app
        .read(&login.caller, move |tx| {
            let standings = standing::of(tx, &subject)?;
            let home = standings.first().ok_or_else(|| Error::Bug("a caller without a home".to_owned()))?;
            let user = match subject.user {
                Some(id) => Some(tx.as_system(|tx| tx.get(id))?),
                None => None,
            };
            let who = Who { name: &subject.name, user: user.as_ref(), now };
            let permissions: Vec<_> = standings.iter().map(|s| (s, permission::names(s, subject.read_only))).collect();
            let by_id = permissions.iter().map(|(s, names)| (s.organization.id.to_string(), json!(names)));
            let person = subject.user.map(|u| u.any()).or(subject.key.map(|k| k.any())).map_or(0, |id| id.get());
            let mut out = json!({
                "channelPartner": is_partner(home.organization.spec.form),
                "companyId": home.organization.id.get(),
                "companyName": home.organization.spec.name,
                "expiryDate": null,
                "language": who.language(),
                "locale": who.locale(),
                "loginDate": now.0,
                "permissions": by_id.collect::<Map<String, Value>>(),
                "personId": person,
                "session": token,
                "sourceIp": ip,
                "timeZone": who.time_zone(),
                "userAgent": agent,
                "username": subject.name,
            });
            if generation == Generation::Second {
                let by_uid = |names: &dyn Fn(&[&str]) -> Value| -> Map<String, Value> {
                    permissions.iter().map(|(s, held)| (s.organization.uid.to_string(), names(held))).collect()
                };
                let flags = |held: &[&str]| {
                    held.iter().map(|n| ((*n).to_owned(), Value::Bool(true))).collect::<Map<_, _>>().into()
                };
                let parent = parent(tx, &home.organization)?;
                let more = json!({
                    "permissions": by_uid(&|held| json!(held)),
                    "token": token,
                    "firstName": who.user.map_or("", |u| &u.spec.first_name),
                    "lastName": who.user.map_or("", |u| &u.spec.last_name),
                    "fullName": who.full_name(),
                    "email": who.user.and_then(|u| u.spec.email.clone()).unwrap_or_default(),
                    "companyUid": home.organization.uid,
                    "personUid": who.user.map(|u| u.uid.to_string()).unwrap_or_default(),
                    "supportOverride": false,
                    "supportOverrideId": null,
                    "featureFlags": [],
                    "authorities": by_uid(&flags),
                    "apiKey": subject.user.is_none(),
                    "companyType": company_type(home.organization.spec.form),
                    "parentCompanyUid": parent,
                    "nearestCountry": null,
                    "requireTotp": false,
                    "accountManager": null,
                });
                if let (Value::Object(out), Value::Object(more)) = (&mut out, more) {
                    out.extend(more);
                }
            }
            Ok(out)
        })
        .await?;
    Ok(shown)
}

fn parent(tx: &mut Tx<'_>, of: &Object<meetme_model::access::Organization>) -> Result<Option<String>, Error> {
    let Some(parent) = of.spec.parent else { return Ok(None) };
    Ok(tx.as_system(|tx| tx.find(parent))?.map(|p| p.uid.to_string()))
}

/// Whether it has customers of its own.
pub fn is_partner(form: Form) -> bool {
    matches!(form, Form::Partner | Form::Reseller)
}

fn company_type(form: Form) -> &'static str {
    match form {
        Form::Partner => "PARTNER",
        Form::Reseller => "RESELLER",
        Form::Customer | Form::Operator => "DEFAULT",
    }
}

/// Whoever logged in, with the habits of a person where it is one.
struct Who<'a> {
    name: &'a str,
    user: Option<&'a Object<User>>,
    now: Time,
}

impl Who<'_> {
    fn language(&self) -> String {
        let code = self.user.and_then(|u| u.spec.language.as_deref()).unwrap_or("en");
        words::language(code).to_owned()
    }
    fn locale(&self) -> String {
        let code = self.user.and_then(|u| u.spec.locale.as_deref()).unwrap_or_default();
        words::country_of_locale(code).to_owned()
    }
    fn time_zone(&self) -> String {
        words::offset(self.user.and_then(|u| u.spec.timezone.as_deref()).unwrap_or("UTC"), self.now)
    }
    fn full_name(&self) -> String {
        let Some(user) = self.user else { return self.name.to_owned() };
        format!("{} {}", user.spec.first_name, user.spec.last_name).trim().to_owned()
    }
}

/// The token endpoint keeps to OAuth (RFC 6749, sections 4.4 and 5.2): no envelope, and errors are one word. The grant type and the
/// credentials are taken from the header, the query and the body.
async fn token(cx: Cx) -> Result<Reply, Problem> {
    let form = cx.form_fields();
    let field = |name: &str| form.get(name).or(cx.query.get(name)).map(str::to_owned);
    let refused = |status: StatusCode, word: &str| Ok(Reply::json(status, &json!({"error": word})));
    if field("grant_type").is_some_and(|grant| grant != "client_credentials") {
        return refused(StatusCode::BAD_REQUEST, "unsupported_grant_type");
    }
    let pair = match cx.header("authorization") {
        Some(header) => basic(header),
        None => field("client_id").zip(field("client_secret")),
    };
    let Some((public, secret)) = pair else { return refused(StatusCode::UNAUTHORIZED, "invalid_client") };
    match identity::open(&cx.app, auth::door(&cx), &public, &Secret::new(secret)).await {
        Ok(opened) => Ok(Reply::ok(&json!({
            "access_token": opened.token.expose(),
            "token_type": "Bearer",
            "expires_in": opened.seconds,
        }))
        .header("cache-control", "no-store")),
        Err(Error::Unauthenticated(_)) => refused(StatusCode::UNAUTHORIZED, "invalid_client"),
        Err(other) => Err(other.into()),
    }
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, text) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (public, secret) = text.split_once(':')?;
    Some((public.to_owned(), secret.to_owned()))
}

async fn end(cx: &Cx, token: &str) -> Result<(), Problem> {
    if token.is_empty() {
        return Err(Error::Unauthenticated(AuthFailure::Malformed).into());
    }
    let caller = auth::by_token(cx, token).await?;
    Ok(identity::close(&cx.app, &caller, token).await?)
}

async fn logout_v1(cx: Cx) -> Result<Reply, Problem> {
    end(&cx, cx.param("token")).await?;
    Ok(Reply::ok(&json!({"message": "Logged out."})))
}

async fn logout_v2(cx: Cx) -> Result<Reply, Problem> {
    end(&cx, cx.param("token")).await?;
    Ok(envelope::ok("Logged out.", json!({})))
}

async fn logout(cx: Cx) -> Result<Reply, Problem> {
    end(&cx, auth::token(&cx)?).await?;
    Ok(envelope::ok("Logged out.", json!({})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basic_header_holds_a_pair() {
        assert_eq!(basic("Basic YTpiOmM="), Some(("a".to_owned(), "b:c".to_owned())));
        assert_eq!(basic("Bearer YTpi"), None);
        assert_eq!(basic("Basic ???"), None);
    }

    #[test]
    fn what_is_escaped_reads_back() {
        let query = Query::parse(&format!("a={}", escaped("x&y=z %ü")));
        assert_eq!(query.get("a"), Some("x&y=z %ü"));
    }
}

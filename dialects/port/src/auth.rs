//! Credentials: a key's public part and secret are exchanged for a JSON Web Token that carries the public part. Clients decode
//! the token and read `isMachine`, so it must be a real one. It is vouched for by its signature; the key behind it is looked up on
//! every call, so a key that is switched off stops its tokens at once.

use std::{collections::HashSet, sync::OnceLock};

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use meetme_app::{App, AuthFailure, Caller, Error, identity};
use meetme_http::{Cx, Op, Problem, Reply};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How long a token is good, in seconds: what the hosted service gives.
const SECONDS: i64 = 10_800;

#[derive(Serialize, Deserialize)]
struct Claims {
    /// The key's public part.
    sub: String,
    /// The organization.
    #[serde(rename = "orgId")]
    organization: String,
    /// Always true: the token is a program's.
    #[serde(rename = "isMachine")]
    is_machine: bool,
    /// The issuer.
    iss: String,
    /// When it was made, seconds since the epoch.
    iat: i64,
    /// When it ends, seconds since the epoch.
    exp: i64,
}

#[derive(Deserialize)]
struct Login {
    #[serde(rename = "clientId")]
    id: String,
    #[serde(rename = "clientSecret")]
    secret: String,
}

pub fn ops() -> Vec<Op> {
    vec![
        Op::post("create_access_token", "/v1/auth/access_token")
            .group("auth")
            .summary("Exchanges a client id and secret for a token")
            .open()
            .run(create_access_token),
    ]
}

async fn create_access_token(cx: Cx) -> Result<Reply, Problem> {
    let login: Login = cx.json()?;
    let pair = identity::Credential::Pair { public: &login.id, secret: &login.secret };
    let caller = identity::authenticate(&cx.app, door(&cx), pair).await?;
    let now = cx.app.now().seconds();
    let claims = Claims {
        sub: login.id,
        organization: format!("org_{}", caller.home()),
        is_machine: true,
        iss: "meetme".to_owned(),
        iat: now,
        exp: now + SECONDS,
    };
    let key = EncodingKey::from_secret(cx.app.sealer().signing_key().expose());
    let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
        .map_err(|e| Error::Bug(format!("a token cannot be signed: {e}")))?;
    Ok(Reply::ok(&json!({"ok": true, "accessToken": token, "expiresIn": SECONDS, "tokenType": "Bearer"})))
}

/// Recognises the token of a call.
pub async fn authenticate(cx: &Cx) -> Result<Caller, Error> {
    let header = cx.header("authorization").ok_or(Error::Unauthenticated(AuthFailure::Absent))?;
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(Error::Unauthenticated(AuthFailure::Malformed)),
    };
    let claims = read(&cx.app, token)?;
    identity::authenticate(&cx.app, door(cx), identity::Credential::Vouched(&claims.sub)).await
}

fn read(app: &App, token: &str) -> Result<Claims, Error> {
    static RULES: OnceLock<Validation> = OnceLock::new();
    let rules = RULES.get_or_init(|| {
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_issuer(&["meetme"]);
        rules.required_spec_claims = HashSet::from(["exp".to_owned(), "iss".to_owned(), "sub".to_owned()]);
        // The clock of the core decides, below.
        rules.validate_exp = false;
        rules
    });
    let key = DecodingKey::from_secret(app.sealer().signing_key().expose());
    let claims = jsonwebtoken::decode::<Claims>(token, &key, rules)
        .map_err(|_| Error::Unauthenticated(AuthFailure::Wrong))?
        .claims;
    if claims.exp <= app.now().seconds() {
        return Err(Error::Unauthenticated(AuthFailure::Expired));
    }
    Ok(claims)
}

fn door(cx: &Cx) -> identity::Door {
    identity::Door { dialect: "port", request: cx.request_id, ip: Some(cx.peer) }
}

/// How callers show who they are, for the OpenAPI document.
pub fn security() -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("bearer".to_owned(), json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}));
    map
}

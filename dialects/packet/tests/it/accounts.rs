//! Logins that people come to by themselves, passwords they forgot, and their second factor.

use http::Method;
use meetme_app::identity::{self, totp};
use meetme_base::{Secret, Time};
use meetme_model::access::{SecondFactor, User};
use meetme_store::Filter;
use serde_json::{Value, json};

use crate::world::{Answer, World, everywhere};

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

fn code(text: &str) -> String {
    text.lines().find_map(|line| line.strip_prefix("Code: ")).unwrap().to_owned()
}

impl World {
    /// Sends without a token.
    async fn nobody(&self, method: Method, path: &str, body: Value) -> Answer {
        self.send("", method, path, Some(&body)).await
    }

    async fn with_code(&self, method: Method, path: &str, code: &str) -> Answer {
        self.send_with(&self.token, &[("x-otp-token", code)], method, path, String::new()).await
    }

    async fn logs_in(&self, name: &str, password: &str, code: Option<&str>) -> Result<(), meetme_app::Error> {
        identity::login(&self.app, name, Secret::new(password.to_owned()), code, None).await.map(drop)
    }

    /// The shared secret of a user's second factor.
    async fn shared_secret(&self, username: &'static str) -> String {
        let app = self.app.clone();
        self.system(move |tx| {
            let user = tx.one::<User>(&Filter::eq("username", username))?.unwrap().id;
            let row = tx.one::<SecondFactor>(&Filter::eq("user", user))?.unwrap();
            Ok(app.sealer().open(&row.spec.secret)?.expose().clone())
        })
        .await
    }
}

fn somebody(address: &str) -> Value {
    json!({
        "first_name": "Grace", "last_name": "Hopper", "password": "nanoseconds", "timezone": "UTC",
        "emails": [{"address": address, "default": true}],
    })
}

#[tokio::test]
async fn nobody_signs_up_where_that_is_not_wanted() {
    everywhere(async |world: World| {
        let answer = world.nobody(Method::POST, "/users", somebody("grace@example.org")).await.is(403);
        answer.says("without an invitation");
        assert!(world.letters().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_invitation_is_enough_to_come_in() {
    everywhere(async |world: World| {
        let path = format!("/projects/{}/invitations", world.project);
        let wish = json!({"invitee": "grace@example.org", "roles": ["collaborator"]});
        let made = world.post(&path, wish).await.is(201).body;
        let nonce = code(&world.letters().await[0].1);
        let with = |nonce: &str| {
            let mut body = somebody("grace@example.org");
            body["invitation_id"] = made["id"].clone();
            body["nonce"] = nonce.into();
            body
        };
        world.nobody(Method::POST, "/users", with("0000")).await.is(403).says("not, or no longer, good");
        let user = world.prove_as("", "create_user", "/users", Some(with(&nonce))).await;
        assert_eq!((&user["verification_stage"], &user["full_name"]), (&json!("verified"), &json!("Grace Hopper")));
        world.nobody(Method::POST, "/users", with(&nonce)).await.is(403);
        world.logs_in("grace@example.org", "nanoseconds", None).await.unwrap();
        let members = world.get(&format!("/projects/{}/memberships?include=user", world.project)).await.body;
        let grace = members["memberships"].as_array().unwrap().iter().find(|m| m["user"]["id"] == user["id"]).unwrap();
        assert_eq!(grace["roles"], json!(["collaborator"]));
    })
    .await;
}

#[tokio::test]
async fn where_anybody_may_sign_up_the_letter_is_what_lets_them_in() {
    everywhere(async |world: World| {
        world.app.open_to_sign_up();
        let user = world.prove_as("", "create_user", "/users", Some(somebody("grace@example.org"))).await;
        assert!(world.logs_in("grace@example.org", "nanoseconds", None).await.is_err(), "not before the letter");
        let (to, text) = world.letters().await.swap_remove(0);
        assert_eq!(to, "grace@example.org");
        world.nobody(Method::PUT, "/verify-email", json!({"user_token": "0000"})).await.is(401);
        let path = "/verify-email";
        let key =
            world.prove_as("", "consume_email_verification", path, Some(json!({"user_token": code(&text)}))).await;
        world.nobody(Method::PUT, path, json!({"user_token": code(&text)})).await.is(401);
        let token = key["token"].as_str().unwrap();
        let me = world.send(token, Method::GET, "/user", None).await.is(200).body;
        assert_eq!((&me["id"], &me["verification_stage"]), (&user["id"], &json!("verified")));
        world.logs_in("grace@example.org", "nanoseconds", None).await.unwrap();
        // An organization of their own, in which they may do everything, and nothing else.
        world.send(token, Method::POST, "/projects", Some(&json!({"name": "Mine"}))).await.is(201);
        let seen = world.send(token, Method::GET, "/organizations", None).await.is(200).body;
        assert_eq!((&seen["meta"]["total"], &seen["organizations"][0]["personal"]), (&json!(1), &json!(true)));
    })
    .await;
}

#[tokio::test]
async fn the_answer_does_not_tell_who_has_a_login() {
    everywhere(async |world: World| {
        world.app.open_to_sign_up();
        world.verified("alice", "alice@example.net").await;
        let names = |answer: &Answer| {
            let mut names: Vec<String> = answer.body.as_object().unwrap().keys().cloned().collect();
            names.sort();
            names
        };
        let new = world.nobody(Method::POST, "/users", somebody("grace@example.org")).await.is(202);
        let known = world.nobody(Method::POST, "/users", somebody("alice@example.net")).await.is(202);
        assert_eq!(names(&new), names(&known));
        assert_eq!(known.body["full_name"], "Grace Hopper");
        let letters = world.letters().await;
        assert_eq!(letters[0].0, "alice@example.net", "whose address it is hears of it");
        let path = "/reset-password";
        let count = letters.len();
        let one = world.nobody(Method::POST, path, json!({"email": "nobody@example.net"})).await.is(201);
        world.clock.step_seconds(61);
        let other = world.nobody(Method::POST, path, json!({"email": "alice@example.net"})).await.is(201);
        assert_eq!(one.body, other.body);
        assert_eq!(world.letters().await.len(), count + 1);
        // Nobody is written to again at once, nor at an address that was never verified.
        world.nobody(Method::POST, path, json!({"email": "alice@example.net"})).await.is(201);
        world.nobody(Method::POST, path, json!({"email": "mallory@example.net"})).await.is(201);
        assert_eq!(world.letters().await.len(), count + 1);
        for wrong in [json!({}), json!({"email": ""})] {
            world.nobody(Method::POST, path, wrong).await.is(422).says("email");
        }
        let mut wrong = somebody("nonsense");
        world.nobody(Method::POST, "/users", wrong.clone()).await.is(422).says("e-mail address");
        wrong = somebody("x@example.org");
        wrong["password"] = "short".into();
        world.nobody(Method::POST, "/users", wrong).await.is(422).says("password");
    })
    .await;
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_by_a_letter_that_is_good_once_and_for_an_hour() {
    everywhere(async |world: World| {
        world.verified("alice", "alice@example.net").await;
        let ask = "/reset-password?email=alice%40example.net";
        world.prove_as("", "create_password_reset", ask, None).await;
        let old = code(&world.letters().await[0].1);
        world.clock.step_seconds(3601);
        let body = |text: &str, password: &str| json!({"password": password, "user_token": text});
        let path = "/reset-password";
        world.nobody(Method::DELETE, path, body(&old, "a new password")).await.is(401).says("expired");
        world.prove_as("", "create_password_reset", ask, None).await;
        let text = code(&world.letters().await[0].1);
        world.nobody(Method::DELETE, path, body(&old, "a new password")).await.is(401);
        world.nobody(Method::DELETE, path, body(&text, "short")).await.is(422).says("password");
        let key = world.prove_as("", "reset_password", path, Some(body(&text, "a new password"))).await;
        let token = key["token"].as_str().unwrap().to_owned();
        world.send(&token, Method::GET, "/user", None).await.is(200);
        world.logs_in("alice", "a new password", None).await.unwrap();
        world.logs_in("alice@example.net", "a new password", None).await.unwrap();
        world.nobody(Method::DELETE, path, body(&text, "another one")).await.is(401);
        // The key that came with it lasts as long as a login.
        world.clock.step_seconds(3601);
        world.send(&token, Method::GET, "/user", None).await.is(401);
        // Its text may also come where a token goes.
        world.prove_as("", "create_password_reset", ask, None).await;
        let text = code(&world.letters().await[0].1);
        let body = json!({"password": "yet another one"}).to_string();
        world.send_text(&text, Method::DELETE, path, body).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn an_address_is_verified_by_its_own_letter() {
    everywhere(async |world: World| {
        world.prove("create_email_verification", "/verify-email?login=alice%40example.net", None).await;
        let (to, text) = world.letters().await.swap_remove(0);
        assert_eq!(to, "alice@example.net");
        // Somebody else's address is passed over in silence.
        world.post("/verify-email?login=mallory%40example.net", json!({})).await.is(201);
        assert_eq!(world.letters().await.len(), 1);
        let token = json!({"user_token": code(&text)});
        world.prove_as("", "consume_email_verification", "/verify-email", Some(token)).await;
        let me = world.get("/user?include=emails").await.body;
        assert_eq!((&me["emails"][0]["verified"], &me["verification_stage"]), (&json!(true), &json!("verified")));
    })
    .await;
}

/// What the program on somebody's telephone shows at a time in milliseconds.
fn totp(secret: &str, at: i64) -> String {
    totp::code(&totp::from_base32(secret).unwrap(), totp::step(Time(at)), 6)
}

#[tokio::test]
async fn a_second_factor_is_enabled_asked_for_and_given_up() {
    everywhere(async |world: World| {
        let path = "/user/otp/app";
        world.with_code(Method::POST, path, "123456").await.is(422).says("Ask for a secret first");
        let offered = world.prove("receive_tfa_app", "/user/otp/app/receive", None).await;
        let uri = offered["otp_uri"].as_str().unwrap();
        let secret = uri.split("secret=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        assert_eq!(secret, world.shared_secret("alice").await);
        world.post(path, json!({})).await.is(422).says("X-OTP-Token");
        world.get("/user/otp/recovery-codes").await.is(404);
        // Offered is not enabled: a login asks for nothing yet.
        set_password(&world).await;
        world.logs_in("alice", "correct horse", None).await.unwrap();

        let now = || world.app.now().0;
        world.with_code(Method::POST, path, "000000").await.is(422).says("not good");
        let good = totp(&secret, now());
        let enabled = world.with_code(Method::POST, path, &good).await.is(200).body;
        meetme_contracts::prove("packet", "enable_tfa_app", 200, &enabled);
        assert_eq!(world.get("/user").await.body["two_factor_auth"], "app");
        world.post("/user/otp/app/receive", json!({})).await.is(422).says("disable it first");

        let says = |answer: Result<(), meetme_app::Error>| answer.unwrap_err().to_string();
        assert!(says(world.logs_in("alice", "correct horse", None).await).contains("second factor"));
        assert!(says(world.logs_in("alice", "correct horse", Some(&good)).await).contains("not used before"));
        world.clock.step_seconds(30);
        let next = totp(&secret, now());
        world.logs_in("alice", "correct horse", Some(&next)).await.unwrap();
        assert!(world.logs_in("alice", "correct horse", Some(&next)).await.is_err(), "no code is good twice");
        // A clock may be off by one step, in either direction, and no further.
        let early = totp(&secret, now() + 30_000);
        world.clock.step_seconds(120);
        assert!(world.logs_in("alice", "correct horse", Some(&early)).await.is_err());
        let late = totp(&secret, now() - 30_000);
        world.prove("verify_otp", &format!("/user/otp/verify/{late}"), None).await;
        let early = totp(&secret, now() + 30_000);
        world.logs_in("alice", "correct horse", Some(&early)).await.unwrap();

        let codes = world.prove("list_recovery_codes", "/user/otp/recovery-codes", None).await;
        let codes = codes["recovery_codes"].as_array().unwrap().clone();
        assert_eq!(codes.len(), 10);
        let one = codes[0].as_str().unwrap();
        world.logs_in("alice", "correct horse", Some(one)).await.unwrap();
        assert!(world.logs_in("alice", "correct horse", Some(one)).await.is_err(), "nor a recovery code");
        let left = world.get("/user/otp/recovery-codes").await.body;
        assert_eq!(left["recovery_codes"].as_array().unwrap().len(), 9);
        let fresh = world.prove("regenerate_recovery_codes", "/user/otp/recovery-codes", Some(json!({}))).await;
        assert!(!fresh["recovery_codes"].as_array().unwrap().contains(&codes[1]));
        assert!(world.logs_in("alice", "correct horse", codes[1].as_str()).await.is_err());

        let another = fresh["recovery_codes"][0].as_str().unwrap().to_owned();
        let disabled = world.with_code(Method::DELETE, path, &another).await.is(204).body;
        meetme_contracts::prove("packet", "disable_tfa_app", 204, &disabled);
        world.logs_in("alice", "correct horse", None).await.unwrap();
        assert_eq!(world.get("/user").await.body["two_factor_auth"], "");
    })
    .await;
}

async fn set_password(world: &World) {
    let hash = identity::hash_password(&Secret::new("correct horse".to_owned())).unwrap();
    world
        .system(move |tx| {
            let mut user = tx.one::<User>(&Filter::eq("username", "alice"))?.unwrap();
            let spec = User { password: Some(hash.clone()), ..user.spec.clone() };
            Ok(tx.save(&mut user, spec)?)
        })
        .await;
}

async fn enable(world: &World) -> String {
    world.post("/user/otp/app/receive", json!({})).await.is(200);
    let secret = world.shared_secret("alice").await;
    world.with_code(Method::POST, "/user/otp/app", &totp(&secret, world.app.now().0)).await.is(200);
    world.clock.step_seconds(60);
    secret
}

#[tokio::test]
async fn guessing_codes_is_stopped_and_a_good_one_is_not_heard_meanwhile() {
    everywhere(async |world: World| {
        set_password(&world).await;
        let secret = enable(&world).await;
        let verify = async |code: &str| world.post(&format!("/user/otp/verify/{code}"), json!({})).await;
        let good = totp(&secret, world.app.now().0);
        let wrong = if good == "000000" { "111111" } else { "000000" };
        for _ in 0..5 {
            verify(wrong).await.is(422);
        }
        verify(wrong).await.is(429);
        verify(&good).await.is(429);
        assert!(world.logs_in("alice", "correct horse", Some(&good)).await.is_err(), "at no other door either");
        world.clock.step_seconds(61);
        verify(&totp(&secret, world.app.now().0)).await.is(204);
    })
    .await;
}

#[tokio::test]
async fn letters_do_not_go_around_the_second_factor() {
    everywhere(async |world: World| {
        world.verified("alice", "alice@example.net").await;
        let secret = enable(&world).await;
        world.post("/reset-password?email=alice%40example.net", json!({})).await.is(201);
        let text = code(&world.letters().await[0].1);
        let body = json!({"password": "a new password", "user_token": text}).to_string();
        let send = async |code: &str| {
            let headers: &[(&str, &str)] = if code.is_empty() { &[] } else { &[("x-otp-token", code)] };
            world.send_with("", headers, Method::DELETE, "/reset-password", body.clone()).await
        };
        send("").await.is(401).says("second factor");
        send("000000").await.is(401).says("second factor");
        send(&totp(&secret, world.app.now().0)).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn keys_that_are_cut_and_keys_of_projects_have_no_second_factor() {
    everywhere(async |world: World| {
        let key = world.post("/user/api-keys", json!({"read_only": true})).await.is(201).body;
        let token = key["token"].as_str().unwrap();
        world.send(token, Method::POST, "/user/otp/app/receive", Some(&json!({}))).await.is(403);
        world.send(token, Method::GET, "/user/otp/recovery-codes", None).await.is(403);
        let key = world.post(&format!("/projects/{}/api-keys", world.project), json!({})).await.is(201).body;
        let robot = key["token"].as_str().unwrap();
        world.send(robot, Method::POST, "/user/otp/app/receive", Some(&json!({}))).await.is(403);
        assert!(!id(&key).is_empty());
    })
    .await;
}

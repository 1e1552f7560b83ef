//! The seed's flow, request by request as curl sends it, and the logins of the later generations.

use serde_json::{Value, json};

use crate::world::{NOW, World, on_each};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[tokio::test]
async fn the_seeds_login_answers_the_seeds_object() {
    on_each(async |world: World| {
        // curl -X POST -d 'username=example&password=secret+word' .../login
        let answer = world.form("/login", "username=example&password=secret+word").await;
        let session = answer.proves("v1.login");
        let (own, second) = (world.at.company.to_string(), world.at.second.to_string());
        let wanted = json!({
            "channelPartner": false,
            "companyId": world.at.company.get(),
            "companyName": "EXAMPLE",
            "expiryDate": null,
            "language": "English",
            "locale": "Australia",
            "loginDate": NOW.0,
            "permissions": {
                own: ["admin", "company_admin", "end_user", "financials", "place_order", "approve_order", "modify_service",
                      "services", "graphs", "tickets", "tools", "notifications", "marketing", "create_employee", "create_sub_agency"],
                second: ["services", "graphs", "tickets", "tools"],
            },
            "personId": world.at.user.get(),
            "session": session["session"],
            "sourceIp": "127.0.0.1",
            "timeZone": "1000",
            "userAgent": "curl/7.30.0",
            "username": "example",
        });
        assert_eq!(serde_json::to_string(&session).unwrap(), serde_json::to_string(&wanted).unwrap());
    })
    .await;
}

#[tokio::test]
async fn the_seeds_token_opens_the_companies_it_names_and_no_other() {
    on_each(async |world: World| {
        let session = world.form("/login", "username=example&password=secret+word").await.is(200).body;
        let token = session["session"].as_str().unwrap();
        let company = |id: String| format!("GET /secure/party/company/{id}?token={token}");
        for (id, name) in [(world.at.company, "EXAMPLE"), (world.at.second, "SECOND")] {
            let answer = world.raw(&company(id.to_string()), &[], "").await;
            assert_eq!(
                (answer.status, &answer.body["companyName"], &answer.body["companyId"]),
                (200, &name.into(), &id.get().into())
            );
            answer.proves("v1.company");
        }
        for id in [world.at.stranger.to_string(), "999999".to_owned(), "x".to_owned()] {
            world.raw(&company(id), &[], "").await.refuses(403);
        }
        world.raw(&format!("GET /secure/party/company/{}", world.at.company), &[], "").await.refuses(401);
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_by_logout() {
    on_each(async |world: World| {
        for (line, operation) in [
            ("POST /logout/", "v1.logout"),
            ("GET /v2/logout/", "v2.logoutToken"),
            ("GET /v2/logout?token=", "v2.logout"),
        ] {
            let session = world.form("/login", "username=example&password=secret+word").await.is(200).body;
            let token = session["session"].as_str().unwrap();
            world.raw(&format!("{line}{token}"), &[], "").await.proves(operation);
            world.raw(&format!("GET /v2/products?token={token}"), &[], "").await.refuses(401);
            world.raw(&format!("POST /logout/{token}"), &[], "").await.refuses(401);
        }
    })
    .await;
}

#[tokio::test]
async fn a_wrong_login_is_refused_and_says_so_in_json() {
    on_each(async |world: World| {
        for path in ["/login", "/v2/login", "/v3/login"] {
            assert!(!world.form(path, "username=example&password=wrong").await.refuses(401).is_empty());
            world.form(path, "password=wrong").await.refuses(400);
        }
    })
    .await;
}

#[tokio::test]
async fn later_logins_come_as_form_query_json_or_token() {
    on_each(async |world: World| {
        let same = |data: &Value| {
            assert_eq!(data["token"], data["session"]);
            assert_eq!((&data["firstName"], &data["companyName"]), (&"Ex".into(), &"EXAMPLE".into()));
            data["token"].as_str().unwrap().to_owned()
        };
        let form = world
            .form("/v2/login", "username=EXAMPLE&password=secret%20word&oneTimePassword=0")
            .await
            .proves("v2.login");
        let token = same(&form);
        let names: Vec<_> = form["permissions"].as_object().unwrap().keys().collect();
        assert!(names.iter().all(|uid| uid.len() == 36), "{names:?}");
        same(&world.form("/v3/login?username=example&password=secret+word", "").await.proves("v3.login"));
        let body = json!({"username": "example", "password": "secret word"}).to_string();
        same(&world.raw("POST //v2//login", &[("content-type", "application/json")], &body).await.proves("v2.login"));
        let again = world.raw(&format!("POST /v2/login/{token}"), &[], "").await.proves("v2.loginToken");
        assert_eq!(same(&again), token);
        let looked = world.raw(&format!("POST /v2/login?token={token}"), &[FORM], "").await.proves("v2.login");
        assert_eq!(same(&looked), token);
        world.raw("POST /v2/login/nonsense", &[], "").await.refuses(401);
    })
    .await;
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token_and_every_token_is_taken_in_every_place() {
    on_each(async |world: World| {
        let basic = |text: &str| format!("Basic {}", base64(text));
        let good = basic(&format!("{}:{}", world.at.public, world.at.secret));
        // The grant type comes in the query with an empty form, or in the form.
        let query =
            world.raw("POST /oauth2/token?grant_type=client_credentials", &[FORM, ("authorization", &good)], "").await;
        let token = query.proves("oauth.token")["access_token"].as_str().unwrap().to_owned();
        world
            .raw("POST /oauth2/token", &[FORM, ("authorization", &good)], "grant_type=client_credentials")
            .await
            .proves("oauth.token");
        let bad = basic(&format!("{}:{}", world.at.public, "0".repeat(40)));
        for header in [&bad, "Basic x", "Bearer y"] {
            let answer = world
                .raw("POST /oauth2/token?grant_type=client_credentials", &[("authorization", header)], "")
                .await
                .is(401);
            assert_eq!(answer.body, json!({"error": "invalid_client"}));
        }
        let other = world.raw("POST /oauth2/token?grant_type=password", &[("authorization", &good)], "").await.is(400);
        assert_eq!(other.body, json!({"error": "unsupported_grant_type"}));
        for token in [&token, &world.token, &world.at.secret] {
            world.raw(&format!("GET /v2/products?token={token}"), &[], "").await.is(200);
            world.raw("GET /v2/products", &[("x-auth-token", token)], "").await.is(200);
            world.raw("GET /v2/products", &[("authorization", &format!("Bearer {token}"))], "").await.is(200);
        }
    })
    .await;
}

#[tokio::test]
async fn a_call_acts_for_the_company_in_its_context() {
    on_each(async |world: World| {
        let uid = |id| world.system(move |_, tx| Ok(tx.get::<meetme_model::access::Organization>(id)?.uid.to_string()));
        let (own, second, stranger) =
            (uid(world.at.company).await, uid(world.at.second).await, uid(world.at.stranger).await);
        world.port(world.at.second, "theirs").await;
        let products = async |context: &str| {
            world.raw("GET /v2/products", &[("x-auth-token", &world.token), ("x-call-context", context)], "").await
        };
        assert_eq!(products(&own).await.proves("v2.products"), json!([]));
        assert_eq!(products(&second).await.proves("v2.products")[0]["productName"], "theirs");
        products(&stranger).await.refuses(403);
        world.get(&format!("/v2/company/{second}")).await.proves("v2.company");
        world.get(&format!("/v2/company/{stranger}")).await.refuses(403);
    })
    .await;
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

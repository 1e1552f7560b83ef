//! Accounts and logins.

use serde_json::json;

use crate::world::on_each;

#[tokio::test]
async fn a_refresh_token_is_good_many_times() {
    on_each(async |world| {
        let login = json!({"key": world.customer.key, "secret": world.customer.secret}).to_string();
        let refresh = world.send("POST", "/login", None, &login).await.is(200).text("refresh_token");
        let body = json!({"refreshToken": refresh}).to_string();
        for _ in 0..2 {
            let next = world.send("POST", "/login/refresh", None, &body).await.is(200).proves("loginWithRefreshToken");
            world.send("GET", "/accounts", Some(&next.text("access_token")), "").await.is(200);
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_is_asked_for_and_a_bad_one_named() {
    on_each(async |world| {
        let none = world.send("GET", "/accounts", None, "").await.refuses(401, "ACCESS_TOKEN_MISSING");
        assert_eq!(none.headers["www-authenticate"], "Bearer realm=\"meetme\"");
        world.send("GET", "/accounts", Some("x"), "").await.refuses(401, "ACCESS_TOKEN_DECODE_ERROR");
        let unknown = "00000000-0000-4000-8000-000000000000";
        let bad =
            world.send("GET", "/accounts", Some(unknown), "").await.refuses(401, "ACCESS_TOKEN_INVALID_SIGNATURE");
        assert!(bad.headers["www-authenticate"].to_str().unwrap().contains("error=\"invalid_token\""));
        let pair = json!({"key": world.customer.key, "secret": "wrong"}).to_string();
        world.send("POST", "/login", None, &pair).await.refuses(401, "API_KEY_NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn a_child_account_is_made_changed_and_removed() {
    on_each(async |world| {
        let parent = json!({"href": format!("/accounts/{}", world.customer.account)});
        let body = json!({"name": "dev", "parent": parent, "description": null, "tags": {"a": "b"}});
        let made = world.post("/accounts", body).await.is(201).proves("createAccount");
        let id = made.text("id");
        assert_eq!(made.body["parent"]["id"], world.customer.account.as_str());
        assert_eq!(made.body["tags"], json!({"a": "b"}));
        let path = format!("/accounts/{id}");

        let list = world.get(&format!("/accounts?parentId={}", world.customer.account)).await.proves("findAllAccounts");
        assert_eq!(list.body.as_array().unwrap().len(), 1);
        let own = world.get(&format!("/accounts/{}", world.customer.account)).await.proves("getAccount");
        assert_eq!(own.body["hasChildren"], true);
        world.delete(&format!("/accounts/{}", world.customer.account)).await.refuses(409, "ACCOUNT_HAS_CHILD_ACCOUNTS");

        let saved = world.put(&path, json!({"name": "qa"})).await.is(200).proves("updateAccount");
        assert_eq!((saved.text("name"), &saved.body["tags"]), ("qa".to_owned(), &json!({"a": "b"})));
        world.post(&format!("{path}/networks"), json!({"name": "n"})).await.is(201);
        world.delete(&path).await.refuses(409, "ACCOUNT_DELETE_NON_DELETED_PORT_STATE_CONFLICT");
    })
    .await;
}

#[tokio::test]
async fn an_empty_account_is_removed() {
    on_each(async |world| {
        let id = world.post("/accounts", json!({"name": "short", "id": "my-own-id"})).await.is(201).text("id");
        assert_eq!(id, "my-own-id");
        let path = format!("/accounts/{id}");
        world.delete(&path).await.is(200).proves("deleteAccount");
        world.get(&path).await.refuses(404, "NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn every_account_shows_a_parent_and_one_parent_is_not_in_the_list() {
    on_each(async |world| {
        let list = world.get("/accounts").await.is(200);
        let list = list.body.as_array().unwrap();
        let ids: Vec<_> = list.iter().map(|a| a["id"].as_str().unwrap()).collect();
        let parents: Vec<_> = list.iter().map(|a| a["parent"]["id"].as_str().unwrap()).collect();
        assert!(parents.iter().any(|p| !ids.contains(p)));
    })
    .await;
}

#[tokio::test]
async fn rights_on_an_account_are_shown() {
    on_each(async |world| {
        let path = format!("/accounts/{}/permissions", world.customer.account);
        let map = world.get(&path).await.is(200).proves("getAccountPermissions");
        assert_eq!(map.body["network"]["CREATE"], true);
    })
    .await;
}

#[tokio::test]
async fn a_stranger_finds_nothing_of_the_customer() {
    on_each(async |world| {
        let network = world.network("n").await;
        let made = world.order(&network, json!({})).await.is(201);
        let gateway = made.body["primaryGateway"]["id"].as_str().unwrap();
        let account = format!("/accounts/{}", world.customer.account);
        for (method, path, body) in [
            ("GET", account.clone(), ""),
            ("DELETE", account.clone(), ""),
            ("GET", format!("{account}/networks"), ""),
            ("GET", format!("{account}/apikeys"), ""),
            ("POST", format!("{account}/networks"), "{\"name\": \"x\"}"),
            ("GET", format!("/networks/{network}"), ""),
            ("PUT", format!("/networks/{network}"), "{\"name\": \"x\"}"),
            ("DELETE", format!("/networks/{network}"), ""),
            ("GET", format!("/networks/{network}/connections"), ""),
            ("GET", format!("/connections/{}", made.text("id")), ""),
            ("PUT", format!("/connections/{}", made.text("id")), "{\"name\": \"x\"}"),
            ("DELETE", format!("/connections/{}", made.text("id")), ""),
            ("GET", format!("/gateways/{gateway}"), ""),
        ] {
            let answer = world.send(method, &path, Some(&world.stranger_token), body).await;
            assert_eq!(answer.status, 404, "{method} {path}: {}", answer.body);
        }
    })
    .await;
}

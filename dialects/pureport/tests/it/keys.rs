//! API keys, roles and members.

use serde_json::json;

use crate::world::on_each;

#[tokio::test]
async fn a_key_is_made_used_renamed_and_removed() {
    on_each(async |world| {
        let account = format!("/accounts/{}", world.customer.account);
        let roles = world.get(&format!("{account}/roles")).await.is(200).proves("findAllRoles");
        let read = roles.body.as_array().unwrap().iter().find(|r| r["name"] == "read_only").unwrap().clone();
        assert_eq!(
            (&read["permissions"]["network"]["READ"], &read["permissions"]["network"]["CREATE"]),
            (&json!(true), &json!(false))
        );
        world.get(read["href"].as_str().unwrap()).await.is(200).proves("getRole");

        let body = json!({"name": "ci", "roles": [{"href": read["href"]}]});
        let made = world.post(&format!("{account}/apikeys"), body).await.is(201).proves("createApiKey");
        let pair = json!({"key": made.body["key"], "secret": made.body["secret"]}).to_string();
        let token = world.send("POST", "/login", None, &pair).await.is(200).text("access_token");
        world.send("GET", &account, Some(&token), "").await.is(200);
        let network = "{\"name\": \"x\"}";
        world.send("POST", &format!("{account}/networks"), Some(&token), network).await.refuses(403, "FORBIDDEN");

        let path = made.text("href");
        let saved = world.put(&path, json!({"name": "other", "description": "d"})).await.is(200).proves("updateApiKey");
        assert_eq!((saved.text("name"), &saved.body["secret"]), ("other".to_owned(), &json!(null)));
        assert_eq!(world.get(&path).await.is(200).proves("getApiKey").body, saved.body);
        assert_eq!(
            world.get(&format!("{account}/apikeys")).await.proves("findApiKeys").body.as_array().unwrap().len(),
            2
        );
        world.delete(&path).await.is(200).proves("deleteApiKey");
        world.get(&path).await.refuses(404, "NOT_FOUND");
        world.send("GET", &account, Some(&token), "").await.refuses(401, "ACCESS_TOKEN_INVALID_SIGNATURE");
    })
    .await;
}

#[tokio::test]
async fn members_are_shown_with_their_roles() {
    on_each(async |world| {
        let node = world.customer.node;
        world
            .as_system(move |tx| {
                let user = meetme_model::access::User::new("ada", node.of());
                let user = tx.create(node, user)?.id;
                let owner = meetme_app::identity::builtin_role(tx, "owner")?;
                let place = meetme_model::access::Membership { user, scope: node, roles: vec![owner], title: None };
                tx.create(node, place)?;
                Ok(())
            })
            .await;
        let path = format!("/accounts/{}/members", world.customer.account);
        let list = world.get(&path).await.is(200).proves("findAccountMembers");
        assert_eq!(
            (&list.body[0]["user"]["title"], &list.body[0]["roles"][0]["title"]),
            (&json!("ada"), &json!("owner"))
        );
        world.get(list.body[0]["href"].as_str().unwrap()).await.is(200).proves("getAccountMember");
        world.get(&format!("{path}/user-x")).await.refuses(404, "NOT_FOUND");
    })
    .await;
}

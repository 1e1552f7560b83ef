//! API keys, roles and members.

use meetme_app::identity::{self, Giver, NewKey};
use meetme_model::access::{Grant, Role};
use serde_json::json;

use crate::world::{World, on_each};

/// A role of the customer's account, as links name it.
async fn role(world: &World, name: &str, grants: &[(&'static str, &'static str)]) -> String {
    let (node, name, list) = (world.customer.node, name.to_owned(), grants.to_vec());
    let wanted = name.clone();
    world
        .as_system(move |tx| {
            let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
            let grant =
                |(kinds, verbs): &(&str, &str)| Grant { kinds: words(kinds), verbs: words(verbs), ..Grant::default() };
            let grants = list.iter().map(grant).collect();
            tx.create(node, Role { name: name.clone(), grants, ..Role::default() })?;
            Ok(())
        })
        .await;
    linked(world, &wanted).await
}

async fn linked(world: &World, name: &str) -> String {
    let roles = world.get(&format!("/accounts/{}/roles", world.customer.account)).await.is(200);
    let found = roles.body.as_array().unwrap().iter().find(|role| role["name"] == name).unwrap();
    found["href"].as_str().unwrap().to_owned()
}

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

#[tokio::test]
async fn a_key_never_has_more_than_its_maker() {
    on_each(async |world| {
        let clerk = role(&world, "clerk", &[("*", "see"), ("key", "create change")]).await;
        let owner = linked(&world, "owner").await;
        let keys = format!("/accounts/{}/apikeys", world.customer.account);
        let wish = |role: &str| json!({"name": "k", "roles": [{"href": role}]});
        let made = world.post(&keys, wish(&clerk)).await.is(201);
        let token = world.login(&made.text("key"), &made.text("secret")).await;
        for role in [&owner, &clerk] {
            let answer = world.send("POST", &keys, Some(&token), &wish(role).to_string()).await;
            assert_eq!(answer.body["message"], "Only an administrator makes keys of others.");
            answer.refuses(403, "FORBIDDEN");
        }
        let more = wish(&owner).to_string();
        world.send("PUT", &made.text("href"), Some(&token), &more).await.refuses(403, "FORBIDDEN");
        assert_eq!(world.get(&made.text("href")).await.body["roles"][0]["href"], clerk);
    })
    .await;
}

#[tokio::test]
async fn a_key_with_limits_neither_makes_nor_widens_keys() {
    on_each(async |world| {
        let (node, app) = (world.customer.node, world.app.clone());
        let pairs = world.as_system(move |tx| {
            let blind = NewKey { name: "blind".into(), read_only: true, ..NewKey::default() };
            let narrow = NewKey { name: "narrow".into(), objects: vec![node], ..NewKey::default() };
            let mut out = Vec::new();
            for new in [blind, narrow] {
                let issued = identity::create_key(&app, tx, Giver::System, node, &new)?;
                out.push((issued.key.spec.public, issued.secret.expose().clone()));
            }
            Ok(out)
        });
        let keys = format!("/accounts/{}/apikeys", world.customer.account);
        let wish = json!({"name": "k", "roles": [{"href": linked(&world, "owner").await}]}).to_string();
        for (public, secret) in pairs.await {
            let token = world.login(&public, &secret).await;
            world.send("GET", &keys, Some(&token), "").await.is(200);
            world.send("POST", &keys, Some(&token), &wish).await.refuses(403, "FORBIDDEN");
            let own = world.send("PUT", &format!("{keys}/{public}"), Some(&token), &wish).await;
            assert!(matches!(own.status, 403 | 404), "{}", own.body);
        }
    })
    .await;
}

#[tokio::test]
async fn an_owners_key_makes_others_and_works_in_child_accounts() {
    on_each(async |world| {
        let owner = json!({"name": "k", "roles": [{"href": linked(&world, "owner").await}]});
        let keys = format!("/accounts/{}/apikeys", world.customer.account);
        let first = world.post(&keys, owner.clone()).await.is(201);
        let parent = json!({"id": world.customer.account, "href": format!("/accounts/{}", world.customer.account)});
        let child = world.post("/accounts", json!({"name": "Child", "parent": parent})).await.is(201).text("href");
        // The roles of an account's key are no limit to it: they are what it has.
        let token = world.login(&first.text("key"), &first.text("secret")).await;
        world.send("POST", &keys, Some(&token), &owner.to_string()).await.is(201);
        world.send("POST", &format!("{child}/apikeys"), Some(&token), &owner.to_string()).await.is(201);
        world.send("POST", &format!("{child}/networks"), Some(&token), "{\"name\": \"n\"}").await.is(201);
    })
    .await;
}

#[tokio::test]
async fn a_key_for_names_renames_a_connection_and_does_no_more() {
    on_each(async |world| {
        let network = world.network("n").await;
        let made = world.order(&network, json!({})).await.is(201);
        let path = made.text("href");
        world.reach(meetme_model::Phase::Up).await;
        let (node, app) = (world.customer.node, world.app.clone());
        let pair = world.as_system(move |tx| {
            let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
            let see = Grant { kinds: words(&["*"]), verbs: words(&["see"]), ..Grant::default() };
            let fields = Some(words(&["name", "description"]));
            let name = Grant { kinds: words(&["circuit"]), verbs: words(&["change"]), fields, filter: None };
            let role = Role { name: "namer".into(), grants: vec![see, name], ..Role::default() };
            let roles = vec![tx.create(node, role)?.id];
            let new = NewKey { name: "namer".into(), roles, ..NewKey::default() };
            let issued = identity::create_key(&app, tx, Giver::System, node, &new)?;
            Ok((issued.key.spec.public, issued.secret.expose().clone()))
        });
        let (public, secret) = pair.await;
        let token = world.login(&public, &secret).await;
        let put = async |body: serde_json::Value| world.send("PUT", &path, Some(&token), &body.to_string()).await;
        assert_eq!(put(json!({"name": "renamed"})).await.is(200).text("name"), "renamed");
        let faster = put(json!({"speed": 500})).await;
        assert_eq!(faster.body["message"], "You do not have the right to change rate of circuit objects here.");
        faster.refuses(403, "FORBIDDEN");
        // The legs of a connection are not its fields.
        put(json!({"primaryVlan": 77})).await.refuses(403, "FORBIDDEN");
        world.send("DELETE", &path, Some(&token), "").await.refuses(403, "FORBIDDEN");
    })
    .await;
}

//! Addresses of people, invitations, places in organizations and projects.

use http::Method;
use meetme_model::access::{Membership, Organization, User};
use meetme_store::{Filter, Object};
use serde_json::{Value, json};

use crate::world::{World, everywhere};

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn addresses_keep_their_contract_and_one_is_the_usual_one() {
    everywhere(async |world: World| {
        let made = world.prove("create_email", "/emails", Some(json!({"address": "work@example.net"}))).await;
        assert_eq!((&made["default"], &made["verified"]), (&json!(false), &json!(false)));
        let path = format!("/emails/{}", id(&made));
        world.prove("get_email", &path, None).await;
        world.post("/emails", json!({"address": "WORK@example.net"})).await.is(422).says("address");
        world.post("/emails", json!({"address": "mallory@example.net"})).await.is(422);
        world.post("/emails", json!({"address": "nonsense"})).await.is(422).says("an e-mail address");
        let changed = world.prove("update_email", &path, Some(json!({"default": true}))).await;
        assert_eq!(changed["default"], true);
        let me = world.get("/user?include=emails").await.is(200).body;
        assert_eq!(me["email"], "work@example.net");
        let others: Vec<&Value> = me["emails"].as_array().unwrap().iter().filter(|e| e["default"] == true).collect();
        assert_eq!(others.len(), 1, "{me}");
        world.put(&path, json!({"default": false})).await.is(422).says("default");
        world.delete(&path).await.is(422).says("default address cannot be removed");
        let first = me["emails"].as_array().unwrap().iter().find(|e| e["default"] == false).unwrap().clone();
        let other = format!("/emails/{}", id(&first));
        world.prove("patch_email", &other, Some(json!({"default": true}))).await;
        world.prove("delete_email", &path, None).await;
        world.get(&path).await.is(404);
        // An address that becomes another one has to be verified anew; only its capitals do not make it another one.
        world.verified("alice", "alice@example.net").await;
        let same = world.put(&other, json!({"address": "Alice@example.net"})).await.is(200).body;
        assert_eq!(same["verified"], true);
        let another = world.put(&other, json!({"address": "alice@example.org"})).await.is(200).body;
        assert_eq!((&another["verified"], &another["default"]), (&json!(false), &json!(true)));
        assert_eq!(world.get("/user").await.body["email"], "alice@example.org");
        // Nobody else's business.
        world.send(&world.stranger, Method::GET, &other, None).await.is(404);
        world.send(&world.stranger, Method::PUT, &other, Some(&json!({"address": "x@example.net"}))).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn people_see_their_own_addresses_whatever_their_rights() {
    everywhere(async |world: World| {
        let token = clerk(&world, "limited_collaborator").await;
        let made = world.send(&token, Method::POST, "/emails", Some(&json!({"address": "clerk@example.net"}))).await;
        let made = made.is(201).body;
        assert_eq!(made["default"], true, "the first one is the usual one");
        world.send(&token, Method::GET, &format!("/emails/{}", id(&made)), None).await.is(200);
        let mine = world.get("/user?include=emails").await.body["emails"][0]["href"].as_str().unwrap().to_owned();
        world.send(&token, Method::GET, &mine, None).await.is(404);
        // A key that only reads writes no address down.
        let key = world.send(&token, Method::POST, "/user/api-keys", Some(&json!({"read_only": true}))).await.is(403);
        key.says("create key");
    })
    .await;
}

/// A user in the customer's organization with one of the built-in roles in it; answers the user's token.
async fn clerk(world: &World, role: &'static str) -> String {
    let (organization, app) = (world.organization.parse().unwrap(), world.app.clone());
    world
        .system(move |tx| {
            let home = tx.by_uid::<Organization>(organization)?.id;
            Ok(meetme_testkit::person(&app, tx, home, "clerk", role)?.1)
        })
        .await
}

#[tokio::test]
async fn an_invitation_into_a_project_is_accepted_by_whom_it_is_for() {
    everywhere(async |world: World| {
        world.verified("mallory", "mallory@example.net").await;
        let path = format!("/projects/{}/invitations", world.project);
        let wish = json!({"invitee": "Mallory@example.net", "roles": ["collaborator"], "message": "Come in."});
        let made = world.prove("create_project_invitation", &path, Some(wish.clone())).await;
        assert_eq!((&made["roles"], &made["projects_ids"]), (&json!(["collaborator"]), &json!([world.project])));
        assert!(made.get("nonce").is_none(), "{made}");
        world.post(&path, wish).await.is(422).says("already exists");
        let listed = world.prove("list_project_invitations", &path, None).await;
        assert_eq!((&listed["meta"]["total"], id(&listed["invitations"][0])), (&json!(1), id(&made)));
        let project = world.get(&format!("/projects/{}", world.project)).await.body;
        assert_eq!(project["invitations"][0]["href"], made["href"]);
        let (to, text) = world.letters().await.swap_remove(0);
        assert_eq!(to, "Mallory@example.net");
        assert!(text.contains("Come in.") && text.contains(&id(&made)), "{text}");

        let mine = world.prove_as(&world.stranger, "list_invitations", "/invitations", None).await;
        assert_eq!(mine["invitations"].as_array().unwrap().len(), 1);
        let href = made["href"].as_str().unwrap();
        // Whoever is invited learns what the letter says, and nothing of what is behind its links.
        let include = format!("{href}?include=organization,projects.devices,invited_by");
        let seen = world.prove_as(&world.stranger, "get_invitation", &include, None).await;
        assert!(seen["organization"].get("name").is_none() && seen["projects"][0].get("name").is_none(), "{seen}");
        let here = format!("/projects/{}", world.project);
        world.send(&world.stranger, Method::GET, &here, None).await.is(404);
        world.put(href, json!({})).await.is(403).says("Only whom it is sent to");
        let place = world.prove_as(&world.stranger, "accept_invitation", href, Some(json!({}))).await;
        assert_eq!(place["roles"], json!(["collaborator"]));
        world.send(&world.stranger, Method::GET, &here, None).await.is(200);
        world.send(&world.stranger, Method::GET, href, None).await.is(404);
        let order = format!("{here}/devices");
        world.send(&world.stranger, Method::POST, &order, Some(&crate::world::simple("web1"))).await.is(201);
        let organization = format!("/organizations/{}", world.organization);
        world.send(&world.stranger, Method::GET, &organization, None).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn the_text_of_the_letter_is_as_good_as_the_address() {
    everywhere(async |world: World| {
        let path = format!("/organizations/{}/invitations", world.organization);
        let wish = json!({"invitee": "somebody@example.org", "roles": ["admin"], "projects_ids": [world.project]});
        let made = world.prove("create_organization_invitation", &path, Some(wish)).await;
        let href = made["href"].as_str().unwrap();
        world.prove("list_organization_invitations", &path, None).await;
        let code = |text: &str| text.lines().find_map(|l| l.strip_prefix("Code: ")).unwrap().to_owned();
        let first = code(&world.letters().await[0].1);
        world.send(&world.stranger, Method::PUT, href, Some(&json!({}))).await.is(404);
        world.send(&world.stranger, Method::PUT, href, Some(&json!({"nonce": "0000"}))).await.is(404);
        // Sent again, another text counts; and not every second.
        world.post(href, json!({})).await.is(429);
        world.clock.step_seconds(61);
        world.prove("resend_invitation", href, Some(json!({}))).await;
        world.send(&world.stranger, Method::PUT, href, Some(&json!({"nonce": first}))).await.is(404);
        let second = code(&world.letters().await[0].1);
        // Jobs are kept and shown: the text is in none of them.
        let jobs = world.system(|tx| {
            let kind = tx.registry().kind("job").unwrap();
            Ok(tx.list_any(kind, &meetme_store::Query::of(Filter::All))?.into_iter().map(|j| j.spec.to_string()))
        });
        assert!(jobs.await.all(|spec| !spec.contains(&second)));
        let accepted = world.send(&world.stranger, Method::PUT, href, Some(&json!({"nonce": second}))).await.is(200);
        assert_eq!(accepted.body["project"]["href"], format!("/projects/{}", world.project));
    })
    .await;
}

#[tokio::test]
async fn invitations_end_declined_withdrawn_or_too_old() {
    everywhere(async |world: World| {
        world.verified("mallory", "mallory@example.net").await;
        let path = format!("/projects/{}/invitations", world.project);
        let invite = async || {
            let made = world.post(&path, json!({"invitee": "mallory@example.net"})).await.is(201).body;
            assert_eq!(made["roles"], json!(["limited_collaborator"]));
            made["href"].as_str().unwrap().to_owned()
        };
        let href = invite().await;
        world.prove_as(&world.stranger, "decline_invitation", &href, None).await;
        world.get(&href).await.is(404);
        let href = invite().await;
        world.prove("decline_invitation", &href, None).await;
        let href = invite().await;
        world.clock.step_seconds(8 * 24 * 3600);
        world.send(&world.stranger, Method::PUT, &href, Some(&json!({}))).await.is(422).says("expired");
        let none = world.send(&world.stranger, Method::GET, "/invitations", None).await.is(200).body;
        assert_eq!(none["meta"]["total"], 0);
        // One that is too old makes room for another one.
        let again = invite().await;
        world.get(&href).await.is(404);
        world.send(&world.stranger, Method::PUT, &again, Some(&json!({}))).await.is(200);
    })
    .await;
}

#[tokio::test]
async fn nobody_invites_into_more_than_they_have() {
    everywhere(async |world: World| {
        let (organization, app) = (world.organization.parse().unwrap(), world.app.clone());
        // Somebody who may invite and order machines, and no more.
        let made = world.system(move |tx| {
            use meetme_model::access::{Grant, Role};
            let home = tx.by_uid::<Organization>(organization)?.id;
            let grant = |kind: &str, verb: &str| Grant {
                kinds: vec![kind.to_owned()],
                verbs: vec![verb.to_owned()],
                ..Grant::default()
            };
            let grants = vec![grant("invitation", "*"), grant("@metal", "*"), grant("@fabric", "*"), grant("*", "see")];
            let role = tx.create(home.any(), Role { name: "host".into(), grants, ..Role::default() })?.id;
            let (user, token) = meetme_testkit::person(&app, tx, home, "host", "read_only")?;
            let mut place: Object<Membership> = tx.one(&Filter::eq("user", user))?.unwrap();
            let spec = Membership { roles: vec![role], ..place.spec.clone() };
            tx.save(&mut place, spec)?;
            Ok(token)
        });
        let host = made.await;
        let path = format!("/projects/{}/invitations", world.project);
        let wish = |role: &str| json!({"invitee": "x@example.net", "roles": [role]});
        world.send(&host, Method::POST, &path, Some(&wish("admin"))).await.is(403).says("you do not have it");
        world.send(&host, Method::POST, &path, Some(&wish("billing"))).await.is(403);
        world.send(&host, Method::POST, &path, Some(&wish("owner"))).await.is(422).says("roles");
        world.send(&host, Method::POST, &path, Some(&wish("limited_collaborator"))).await.is(201);
        let clerk = clerk(&world, "limited_collaborator").await;
        world.send(&clerk, Method::POST, &path, Some(&wish("limited_collaborator"))).await.is(403);
        world.send(&world.stranger, Method::POST, &path, Some(&wish("admin"))).await.is(404);
        let wish = json!({"invitee": "x@example.net", "projects_ids": ["7c6a4c2e-0000-4000-8000-000000000000"]});
        let path = format!("/organizations/{}/invitations", world.organization);
        world.post(&path, wish).await.is(422).says("projects_ids");
        world.post(&path, json!({"invitee": "nonsense"})).await.is(422).says("invitee");
    })
    .await;
}

#[tokio::test]
async fn members_are_listed_changed_and_let_go() {
    everywhere(async |world: World| {
        clerk(&world, "collaborator").await;
        let path = format!("/organizations/{}/members", world.organization);
        let listed = world.prove("list_organization_members", &path, None).await;
        let members = listed["members"].as_array().unwrap();
        assert_eq!((members.len(), &listed["meta"]["total"]), (2, &json!(2)));
        assert_eq!((&members[0]["roles"], &members[0]["projects_count"]), (&json!(["owner"]), &json!(1)));
        assert_eq!(members[1]["roles"], json!(["collaborator"]));
        let whole = world.get(&format!("{path}?include=user&per_page=1&page=2")).await.is(200).body;
        assert_eq!(whole["members"][0]["user"]["full_name"], "clerk");
        let place = world.system(|tx| {
            let user = tx.one::<User>(&Filter::eq("username", "clerk"))?.unwrap().id;
            Ok(tx.one::<Membership>(&Filter::eq("user", user))?.unwrap().uid.to_string())
        });
        let place = format!("/memberships/{}", place.await);
        let changed = world.put(&place, json!({"role": ["billing"]})).await.is(200).body;
        assert_eq!(changed["roles"], json!(["billing"]));
        let own = world.get(&format!("/projects/{}/memberships", world.project)).await.body;
        let own = own["memberships"][0]["href"].as_str().unwrap().to_owned();
        let changed = world.prove("update_membership", &own, Some(json!({"roles": ["owner", "billing"]}))).await;
        assert_eq!(changed["roles"], json!(["owner", "billing"]));
        world.put(&place, json!({"roles": ["limited_collaborator", "admin"]})).await.is(200);
        world.put(&place, json!({"roles": ["king"]})).await.is(422).says("king");
        world.put(&place, json!({})).await.is(422).says("role");
        let person = format!("{path}/{}", id(&members[1]));
        world.send(&world.stranger, Method::DELETE, &person, None).await.is(404);
        world.prove("delete_organization_member", &person, None).await;
        world.delete(&person).await.is(404);
        world.get(&place).await.is(404);
    })
    .await;
}

//! Projects that go over to another organization.

use http::Method;
use meetme_model::{
    access::{Membership, Organization, Project, User},
    metal::Device,
};
use meetme_store::Filter;
use serde_json::{Value, json};

use crate::world::{World, everywhere, ssh_key};

/// The organization of the other customer.
async fn other(world: &World) -> String {
    world.system(|tx| Ok(tx.one::<Organization>(&Filter::eq("name", "Stranger"))?.unwrap().uid.to_string())).await
}

async fn asked(world: &World) -> (String, String) {
    let to = other(world).await;
    let path = format!("/projects/{}/transfers", world.project);
    let made = world.prove("create_transfer_request", &path, Some(json!({"target_organization_id": to.clone()}))).await;
    assert_eq!(made["target_organization"]["href"], format!("/organizations/{to}"));
    (made["href"].as_str().unwrap().to_owned(), to)
}

#[tokio::test]
async fn a_project_moves_with_all_that_is_in_it_and_without_the_ways_in() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let device = format!("/devices/{}", device["id"].as_str().unwrap());
        let project = format!("/projects/{}", world.project);
        let robot = world.post(&format!("{project}/api-keys"), json!({})).await.is(201).body;
        let robot = robot["token"].as_str().unwrap().to_owned();
        world.post("/ssh-keys", json!({"label": "mine", "key": ssh_key(1)})).await.is(201);
        world.post(&format!("{project}/ssh-keys"), json!({"label": "ours", "key": ssh_key(2)})).await.is(201);
        world.post(&format!("{project}/invitations"), json!({"invitee": "x@example.net"})).await.is(201);
        // Both sides' answers are remembered before, and must not be afterwards.
        world.get(&device).await.is(200);
        world.send(&world.stranger, Method::GET, &device, None).await.is(404);
        world.send(&robot, Method::GET, &project, None).await.is(200);

        let (href, to) = asked(&world).await;
        let (mine, theirs) =
            (format!("/organizations/{}/transfers", world.organization), format!("/organizations/{to}/transfers"));
        let listed = world.prove("list_organization_transfers", &mine, None).await;
        assert_eq!(listed["transfers"].as_array().unwrap().len(), 1);
        let listed = world.prove_as(&world.stranger, "list_organization_transfers", &theirs, None).await;
        assert_eq!(listed["transfers"][0]["project"]["href"], project);
        world.prove("get_transfer", &href, None).await;
        world.prove_as(&world.stranger, "get_transfer", &format!("{href}?include=project"), None).await;
        world.put(&href, json!({})).await.is(403).says("answers for the new organization");
        world.prove_as(&world.stranger, "accept_transfer", &href, Some(json!({}))).await;

        for path in [&project, &device, &href] {
            world.get(path).await.is(404);
        }
        world.send(&robot, Method::GET, &project, None).await.is(401);
        let seen = world.send(&world.stranger, Method::GET, &project, None).await.is(200).body;
        assert_eq!(seen["organization"]["href"], format!("/organizations/{to}"));
        assert_eq!((&seen["ssh_keys"], &seen["invitations"]), (&json!([]), &json!([])));
        world.send(&world.stranger, Method::GET, &device, None).await.is(200);
        let list = format!("/organizations/{to}/projects");
        let list = world.send(&world.stranger, Method::GET, &list, None).await.is(200).body;
        assert_eq!(list["meta"]["total"], 1);
        let list = world.get(&format!("/organizations/{}/projects", world.organization)).await.is(200).body;
        assert_eq!(list["meta"]["total"], 0);
        let uid = world.project.parse().unwrap();
        let (members, ties) = world
            .system(move |tx| {
                let project = tx.by_uid::<Project>(uid)?;
                let above = tx.above(project.spec.organization.any())?;
                assert!(tx.is_below(project.id.any(), project.spec.organization.any())?);
                let members = tx.all::<Membership>(Filter::eq("scope", project.id))?;
                let ties = tx.ties(project.id.any())?;
                let astray: Vec<_> =
                    ties.into_iter().filter(|tie| tie.edge != "by" && !above.contains(&tie.tenant)).collect();
                let device = tx.one::<Device>(&Filter::eq("tenant", project.id))?.unwrap();
                assert!(
                    device.spec.keys.is_empty(),
                    "the former owner's keys must not come into the next installation"
                );
                let names: Vec<String> = tx
                    .many(members.iter().map(|m| m.spec.user))?
                    .into_values()
                    .map(|u: meetme_store::Object<User>| u.spec.username)
                    .collect();
                Ok((names, format!("{astray:?}")))
            })
            .await;
        assert_eq!((members, ties.as_str()), (vec!["mallory".to_owned()], "[]"));
        // Its new owner can do with it what owners do.
        world.send(&world.stranger, Method::PUT, &project, Some(&json!({"name": "Ours"}))).await.is(200);
        world.send(&world.stranger, Method::DELETE, &device, None).await.is(204);
    })
    .await;
}

#[tokio::test]
async fn requests_are_declined_and_withdrawn_and_made_by_who_may() {
    everywhere(async |world: World| {
        let (href, to) = asked(&world).await;
        let path = format!("/projects/{}/transfers", world.project);
        let wish = json!({"target_organization_id": to});
        world.post(&path, wish.clone()).await.is(422).says("already exists");
        world.prove_as(&world.stranger, "decline_transfer", &href, None).await;
        world.get(&href).await.is(404);
        let (href, _) = asked(&world).await;
        world.prove("decline_transfer", &href, None).await;
        world.send(&world.stranger, Method::GET, &href, None).await.is(404);
        let wrong = |id: &str| json!({"target_organization_id": id});
        world.post(&path, wrong("7c6a4c2e-0000-4000-8000-000000000000")).await.is(422).says("target_organization_id");
        world.post(&path, wrong("x")).await.is(422).says("target_organization_id");
        world.post(&path, wrong(&world.organization)).await.is(422).says("already");
        world.send(&world.stranger, Method::POST, &path, Some(&wish)).await.is(404);
        let third = format!("/organizations/{}/transfers", world.organization);
        world.send(&world.stranger, Method::GET, &third, None).await.is(404);
    })
    .await;
}

#[tokio::test]
async fn what_is_tied_to_the_former_side_is_named_and_everything_stays() {
    everywhere(async |world: World| {
        let device: Value = world.device("web1").await;
        let uid = device["id"].as_str().unwrap().parse().unwrap();
        // A circuit of the organization ends on the project's machine.
        world
            .system(move |tx| {
                use meetme_model::fabric::{Circuit, Leg};
                let device = tx.by_uid::<Device>(uid)?;
                let home = tx.get::<Project>(device.tenant.of())?.spec.organization;
                let circuit: Circuit = serde_json::from_value(json!({"name": "c", "rate": 100})).unwrap();
                let circuit = tx.create(home.any(), circuit)?.id;
                let leg = json!({"circuit": circuit, "side": 1, "a": {"at": {"device": device.id}}});
                let leg: Leg = serde_json::from_value(leg).unwrap();
                Ok(tx.create(home.any(), leg).map(drop)?)
            })
            .await;
        let (href, _) = asked(&world).await;
        let answer = world.send(&world.stranger, Method::PUT, &href, Some(&json!({}))).await.is(422);
        answer.says("A leg ties the project to its former organization, by a device.");
        world.get(&format!("/projects/{}", world.project)).await.is(200);
        world.get(&href).await.is(200);
    })
    .await;
}

//! Networks.

use meetme_model::Phase;
use serde_json::json;

use crate::world::on_each;

#[tokio::test]
async fn a_name_is_taken_once_in_an_account_until_its_network_is_gone() {
    on_each(async |world| {
        let path = format!("/accounts/{}/networks", world.customer.account);
        let first = world.network("n").await;
        world.post(&path, json!({"name": "n"})).await.refuses(409, "NETWORK_NAME_UNIQUE");
        let second = world.network("m").await;
        world.put(&format!("/networks/{second}"), json!({"name": "n"})).await.refuses(409, "NETWORK_NAME_UNIQUE");
        world.delete(&format!("/networks/{first}")).await.is(200);
        bury(&world).await;
        world.post(&path, json!({"name": "n"})).await.is(201);
    })
    .await;
}

#[tokio::test]
async fn a_network_is_renamed_and_listed() {
    on_each(async |world| {
        let id = world.network("n").await;
        let body = json!({"name": "other", "description": "d", "tags": {"k": "v"}, "account": null});
        let saved = world.put(&format!("/networks/{id}"), body).await.is(200).proves("updateNetwork");
        assert_eq!((saved.text("name"), saved.text("description")), ("other".to_owned(), "d".to_owned()));
        let list = world.get(&format!("//accounts/{}/networks", world.customer.account)).await.proves("findNetworks");
        assert_eq!(list.body[0], saved.body);
        assert_eq!(saved.body["href"], format!("/networks/{id}"));
    })
    .await;
}

#[tokio::test]
async fn removing_a_network_takes_its_connections_along() {
    on_each(async |world| {
        let network = world.network("n").await;
        let one = world.order(&network, json!({})).await.is(201).text("id");
        world.reach(Phase::Up).await;
        let two = world.order(&network, json!({"name": "two"})).await.is(201).text("id");
        let path = format!("/networks/{network}");
        // A body on a DELETE is what one old client sends.
        let gone = world.send("DELETE", &path, Some(&world.token), "null").await.is(200);
        assert_eq!(gone.body, json!({}));
        for id in [&one, &two] {
            assert_eq!(world.get(&format!("/connections/{id}")).await.text("state"), "DELETING");
        }
        assert_eq!(world.get(&path).await.text("state"), "DELETING");
        world.delete(&path).await.refuses(409, "NETWORK_DELETE_STATE_CONFLICT");
        bury(&world).await;
        world.get(&path).await.refuses(404, "NOT_FOUND");
        world.get(&format!("/connections/{one}")).await.refuses(404, "NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn a_network_stays_while_one_of_its_connections_is_changed() {
    on_each(async |world| {
        let network = world.network("n").await;
        let id = world.order(&network, json!({})).await.is(201).text("id");
        world.reach(Phase::Changing).await;
        world.delete(&format!("/networks/{network}")).await.refuses(409, "NETWORK_DELETE_STATE_CONFLICT");
        assert_eq!(world.get(&format!("/connections/{id}")).await.text("state"), "UPDATING");
    })
    .await;
}

/// What controllers do when the equipment has let go of everything.
pub async fn bury(world: &crate::world::World) {
    world
        .as_system(|tx| {
            let removing = meetme_store::Filter::eq("phase", "removing");
            for id in tx.ids::<meetme_model::fabric::Circuit>(&removing)? {
                meetme_app::circuits::bury(tx, id)?;
            }
            for id in tx.ids::<meetme_model::fabric::Network>(&removing)? {
                meetme_app::networks::bury(tx, id)?;
            }
            Ok(())
        })
        .await;
}

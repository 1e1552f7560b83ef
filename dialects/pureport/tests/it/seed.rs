//! The first document's calls, in its order and byte for byte where bodies are concerned; only host, credentials and ids are the
//! answers' own.

use meetme_model::Phase;

use crate::world::on_each;

const NETWORK: &str = r#"{
  "name": "My New Network"
}"#;

/// With the slips it was published with.
const CONNECTION: &str = r#"{
  "type": "AWS_DIRECT_CONNECT",
  "location": {
    "id": "us-ral",
    "href: "/locations/us-ral"
  },
  "awsAccountId": "123456789",
  "awgRegion": "us-east-1",
  "highAvailability": true,
  "speed": "MBPS_100"
}"#;

#[tokio::test]
async fn every_call_of_the_first_document_works_as_written() {
    on_each(async |world| {
        let login =
            format!("{{\n  \"key\": \"{}\",\n  \"secret\": \"{}\"\n}}", world.customer.key, world.customer.secret);
        let token = world.send("POST", "/login", None, &login).await.is(200).proves("login");
        assert_eq!((token.text("token_type").as_str(), &token.body["expires_in"]), ("bearer", &3600.into()));
        let token = token.text("access_token");
        let send = async |method: &str, path: &str, body: &str| world.send(method, path, Some(&token), body).await;

        let accounts = send("GET", "/accounts", "").await.is(200).proves("findAllAccounts");
        let account = accounts.body[0]["id"].as_str().unwrap().to_owned();
        assert_eq!(account, world.customer.account);

        let made = send("POST", &format!("/accounts/{account}/networks"), NETWORK).await.is(201).proves("addNetwork");
        let network = made.text("id");
        assert_eq!(made.text("name"), "My New Network");
        assert_eq!(made.headers["location"], format!("http://api.example/networks/{network}").as_str());
        send("GET", &format!("/networks/{network}"), "").await.is(200).proves("getNetwork");

        let path = format!("/networks/{network}/connections");
        let made = send("POST", &path, CONNECTION).await.is(201).proves("addConnection");
        let connection = made.text("id");
        assert_eq!(made.headers["location"], format!("http://api.example/connections/{connection}").as_str());
        assert_eq!(made.text("state"), "INITIALIZING");
        assert_eq!((&made.body["speed"], made.text("billingTerm")), (&100.into(), "HOURLY".to_owned()));
        assert_eq!(made.body["location"]["href"], "/locations/us-ral");
        assert_eq!(made.text("awsAccountId"), "000123456789");
        assert_eq!(made.text("awsRegion"), "us-east-1");
        assert!(made.body["primaryGateway"].is_object() && made.body["secondaryGateway"].is_object());

        send("DELETE", &format!("/networks/{network}"), "").await.is(200).proves("deleteNetwork");
        assert_eq!(send("GET", &format!("/connections/{connection}"), "").await.is(200).text("state"), "DELETING");
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_broken_otherwise_is_refused() {
    on_each(async |world| {
        let network = world.network("n").await;
        let body = CONNECTION.replace("\"type\": ", "\"type\" ");
        let path = format!("/networks/{network}/connections");
        world.send("POST", &path, Some(&world.token), &body).await.refuses(400, "JSON_PROCESSING_ERROR");
    })
    .await;
}

#[tokio::test]
async fn a_connection_is_active_when_its_side_here_is_built() {
    on_each(async |world| {
        let network = world.network("n").await;
        let connection = world.order(&network, serde_json::json!({})).await.is(201).text("id");
        let path = format!("/connections/{connection}");
        for (phase, state) in [
            (Phase::Queued, "WAITING_TO_PROVISION"),
            (Phase::Building, "PROVISIONING"),
            (Phase::Ready, "ACTIVE"),
            (Phase::Up, "ACTIVE"),
            (Phase::Down, "DOWN"),
        ] {
            world.reach(phase).await;
            assert_eq!(world.get(&path).await.proves("getConnection").text("state"), state);
        }
    })
    .await;
}

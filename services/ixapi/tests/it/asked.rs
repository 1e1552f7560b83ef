//! What the client asks, and where it does not go.

use std::net::IpAddr;

use meetme_base::{Reach, Secret};
use meetme_ixapi::{Account, Client};
use serde_json::json;

use crate::fake::Fake;

pub fn client() -> Client {
    // Another test of this process may have been first.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client { reach: Reach { allow: vec!["127.0.0.0/8".parse().unwrap()] } }
}

fn account(url: &str, key: &str, secret: &str) -> Account {
    Account { url: url.to_owned(), key: Secret::new(key.to_owned()), secret: Secret::new(secret.to_owned()) }
}

#[tokio::test]
async fn accounts_are_asked_for_after_a_login() {
    let fake = Fake::new().await;
    let found = client().accounts(&account(&fake.url, "key", "hunter2")).await.unwrap();
    assert_eq!(found, [json!({"id": "1234", "name": "Example Networks"})]);
    let asked = fake.asked();
    assert_eq!((asked[0].line.as_str(), asked[0].bearer.as_str()), ("POST /api/v2/auth/token", ""));
    assert_eq!(asked[0].body, json!({"api_key": "key", "api_secret": "hunter2"}));
    assert_eq!((asked[1].line.as_str(), asked[1].bearer.as_str()), ("GET /api/v2/accounts", "t0ken"));
    assert_eq!(asked.len(), 2);
}

#[tokio::test]
async fn a_new_hardware_address_is_made_and_put_on_the_service_with_our_addresses() {
    for ip in ["192.0.2.80", "2001:db8::1"] {
        let fake = Fake::new().await;
        let ours: Vec<IpAddr> = vec![ip.parse().unwrap()];
        let mac = "02:00:5e:10:00:0a".parse().unwrap();
        let register = || async {
            client().register(&account(&format!("{}/", fake.url), "key", "hunter2"), "1234", &ours, mac).await
        };
        assert_eq!(register().await.unwrap(), format!("{mac} is registered now."));
        let made = json!({"managing_account": "1234", "consuming_account": "1234", "address": mac.to_string()});
        let want = [
            ("POST /api/v2/macs".to_owned(), made),
            ("PATCH /api/v2/network-service-configs/8".to_owned(), json!({"macs": ["99"]})),
        ];
        assert_eq!(fake.changes(), want);
        // Again it is as wished.
        assert_eq!(register().await.unwrap(), format!("{mac} is registered there already."));
        assert_eq!(fake.changes().len(), 2);
    }
}

#[tokio::test]
async fn a_known_hardware_address_is_only_put_in_place() {
    let fake = Fake::new().await;
    fake.knows("5", "02:00:5E:10:00:0A", false);
    fake.knows("6", "02:00:5e:10:00:0b", true);
    let mac = "02:00:5e:10:00:0a".parse().unwrap();
    let ours = ["192.0.2.80".parse().unwrap()];
    client().register(&account(&fake.url, "key", "hunter2"), "1234", &ours, mac).await.unwrap();
    assert_eq!(
        fake.changes(),
        [("PATCH /api/v2/network-service-configs/8".to_owned(), json!({"macs": ["5"]}))],
        "what was there is replaced"
    );
}

#[tokio::test]
async fn what_the_other_side_refuses_is_told_in_its_words() {
    let fake = Fake::new().await;
    let said = client().accounts(&account(&fake.url, "key", "wrong")).await.unwrap_err();
    assert_eq!(said, "The IX-API answers 401 to auth/token: no such  key");
    let said = client().accounts(&account(&fake.url, "moved", "moved")).await.unwrap_err();
    assert_eq!(said, "The IX-API answers 302 to auth/token", "it is not followed elsewhere");
    let mac = "02:00:5e:10:00:0a".parse().unwrap();
    let other = ["192.0.2.99".parse().unwrap()];
    let said = client().register(&account(&fake.url, "key", "hunter2"), "1234", &other, mac).await.unwrap_err();
    assert_eq!(said, "The IX-API knows no service with the addresses of this connection.");
    assert!(fake.changes().is_empty());
}

#[tokio::test]
async fn nobody_is_led_inside() {
    let fake = Fake::new().await;
    let closed = Client::default();
    drop(client());
    let port = fake.url.split(':').nth(2).unwrap();
    for url in [
        fake.url.clone(),
        format!("http://localhost:{port}"),
        format!("https://127.0.0.1:{port}"),
        format!("https://[::ffff:127.0.0.1]:{port}"),
        "https://169.254.169.254/latest".to_owned(),
        // Not even to others without TLS.
        "http://192.0.9.9/".to_owned(),
    ] {
        let said = closed.accounts(&account(&url, "key", "hunter2")).await.unwrap_err();
        assert!(
            said.ends_with("is not a place that may be called; the operator can allow its network."),
            "{url}: {said}"
        );
    }
    assert!(fake.asked().is_empty());
    for bad in ["", "not an address", "file:///etc/passwd"] {
        assert!(closed.accounts(&account(bad, "key", "hunter2")).await.is_err(), "{bad}");
    }
}

//! A router's configuration, with passwords for who may reveal them and masked for others.

use serde_json::{Value, json};

use crate::world::both;

#[tokio::test]
async fn a_configuration_shows_passwords_only_to_who_may_reveal_them() {
    for world in both().await {
        let text = "{% for s in router | direct_sessions %}{{ s | ip }} {{ s.password }}{% endfor %}";
        let template = world.root("POST /template", &json!({"name": "T", "text": text})).await.is(201).json();
        let ours = json!({"asn": 64500, "name": "Us", "ours": true});
        let ours = world.root("POST /autonomous_system", &ours).await.is(201).json();
        let router = json!({"name": "r", "hostname": "r", "local": ours["id"], "template": template["id"]});
        let router = world.root("POST /router", &router).await.is(201).json();
        let peer = world.root("POST /autonomous_system", &json!({"asn": 64501, "name": "Peer"})).await.is(201).json();
        let session = json!({
            "ip": "192.0.2.1/31", "remote": peer["id"], "router": router["id"], "asn": 1, "password": {"$secret": "hunter2"},
        });
        world.root("POST /direct_session", &session).await.is(201);
        let at = format!("GET /router/{}/configuration", router["id"]);
        let said = world.root(&at, &Value::Null).await.is(200).json();
        assert_eq!(said, json!({"text": "192.0.2.1 hunter2", "masked": false}));
        let said = world.by(&world.reader, &at, &Value::Null).await.is(200).json();
        assert_eq!(said, json!({"text": format!("192.0.2.1 {}", meetme_app::templates::MASK), "masked": true}));
        let stranger = world.by(&world.customer, &at, &Value::Null).await;
        assert_eq!((stranger.status, world.send(&at, &[], &Value::Null).await.status), (404, 401), "{}", world.make);
        world
            .root(&format!("PATCH /template/{}", template["id"]), &json!({"text": "\n{{ 1 | nosuch }}"}))
            .await
            .is(200);
        let said = world.root(&at, &Value::Null).await;
        assert_eq!(said.status, 422);
        assert!(String::from_utf8_lossy(&said.body).contains("line 2"));
        world.root(&format!("PATCH /router/{}", router["id"]), &json!({"template": null})).await.is(200);
        assert_eq!(world.root(&at, &Value::Null).await.is(200).json(), json!({"text": null, "masked": false}));
        world.root("GET /router/99999999/configuration", &Value::Null).await.is(404);
    }
}

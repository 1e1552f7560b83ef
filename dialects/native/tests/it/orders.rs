use serde_json::{Value, json};

use crate::world::both;

#[tokio::test]
async fn a_network_is_ordered_and_cancelled_here_as_elsewhere() {
    for world in both().await {
        let made = world.root("POST /network", &json!({"name": "core", "asn": 64512})).await.is(201).json();
        assert_eq!((&made["status"]["phase"], &made["tenant"]), (&json!("queued"), &json!(world.operator)));
        let at = format!("/network/{}", made["id"]);
        let twice = world.root("POST /network", &json!({"name": "core", "asn": 64512})).await;
        assert_eq!(twice.is(409).json()["code"], "exists");
        assert_eq!(world.root("POST /network", &json!({"name": "x", "life": {}})).await.is(422).error().0, "life");
        let named = world.root(&format!("PATCH {at}"), &json!({"name": "edge"})).await.is(200).json();
        assert_eq!(named["spec"]["name"], "edge");
        assert_eq!(world.root(&format!("PATCH {at}"), &json!({"vni": 7})).await.is(422).error().0, "vni");
        world.root(&format!("DELETE {at}"), &Value::Null).await.is(204);
        let going = world.root(&format!("GET {at}"), &Value::Null).await.is(200).json();
        assert_eq!((&going["spec"]["life"]["wanted"], &going["status"]["phase"]), (&json!("gone"), &json!("removing")));
        assert_eq!(world.root(&format!("DELETE {at}"), &Value::Null).await.is(409).json()["code"], "removing");
    }
}

#[tokio::test]
async fn a_session_carries_its_peers_number_and_keeps_its_password() {
    for world in both().await {
        let peer = world.root("POST /autonomous_system", &json!({"asn": 64500, "name": "Peer"})).await.is(201).json();
        let session = json!({"ip": "192.0.2.1/31", "remote": peer["id"], "asn": 1, "password": {"$secret": "hunter2"}});
        let session = world.root("POST /direct_session", &session).await.is(201).json();
        assert_eq!((&session["spec"]["asn"], &session["spec"]["password"]), (&json!(64500), &json!({"$sealed": true})));
        let at = format!("/direct_session/{}", session["id"]);

        world.root(&format!("PATCH /autonomous_system/{}", peer["id"]), &json!({"asn": 64501})).await.is(200);
        let now = world.root(&format!("GET {at}"), &Value::Null).await.is(200).json();
        assert_eq!(now["spec"]["asn"], json!(64501));

        // Read and sent back, the mark keeps the password; null takes it out.
        world.root(&format!("PUT {at}"), &now["spec"]).await.is(200);
        let sealed = world.root(&format!("GET {at}"), &Value::Null).await.json();
        assert_eq!(sealed["spec"]["password"], json!({"$sealed": true}));
        let open = world.root(&format!("PATCH {at}"), &json!({"password": null})).await.is(200).json();
        assert_eq!(open["spec"].get("password"), None);
        let log = world.root("GET /changes?kind=direct_session", &Value::Null).await;
        assert!(log.status == 200 && !String::from_utf8_lossy(&log.body).contains("hunter2"));
    }
}

#[tokio::test]
async fn a_project_goes_when_it_is_empty() {
    for world in both().await {
        let project = json!({"name": "P", "organization": world.operator, "labels": {"a": "b"}});
        let project = world.root("POST /project", &project).await.is(201).json();
        assert_eq!((&project["spec"]["labels"], &project["tenant"]), (&json!({"a": "b"}), &project["id"]));
        world.root(&format!("DELETE /project/{}", project["id"]), &Value::Null).await.is(204);
    }
}

#[tokio::test]
async fn the_operator_reserves_a_server_and_nobody_else_does() {
    for world in both().await {
        let root = async |line: &str, body: Value| world.root(line, &body).await.is(201).json();
        let metro = root("POST /metro", json!({"slug": "m", "name": "M", "country": "US"})).await["id"].clone();
        let site = root("POST /site", json!({"slug": "s1", "name": "S1", "metro": metro})).await["id"].clone();
        let other = root("POST /site", json!({"slug": "s2", "name": "S2", "metro": metro})).await["id"].clone();
        let plan = root("POST /plan", json!({"slug": "c3", "name": "c3"})).await["id"].clone();
        let server = root("POST /server", json!({"serial": "A1", "plan": plan, "site": site})).await["id"].clone();
        let project = json!({"name": "P", "organization": world.customer_id});
        let project = world.by(&world.customer, "POST /project", &project).await.is(201).json()["id"].clone();
        let make = format!("POST /reservation?tenant={project}");
        let wish = json!({"server": server, "term": {"months": 12}, "intervals": 1});

        // The customer does not even learn that there is such a server.
        let refused = world.by(&world.customer, &make, &wish).await.status;
        assert!(matches!(refused, 403 | 404 | 422), "{refused}");
        let made = world.root(&make, &wish).await.is(201).json();
        assert_eq!((&made["tenant"], &made["spec"]["site"], &made["spec"]["plan"]), (&project, &site, &plan));
        assert_eq!(world.root(&make, &wish).await.is(409).json()["code"], "exists");
        let at = format!("/reservation/{}", made["id"]);

        // A server that somebody has stays where the claim on it says.
        let moved = world.root(&format!("PATCH /server/{server}"), &json!({"site": other})).await;
        assert_eq!(moved.is(409).json()["code"], "in_use");
        world.root(&format!("PATCH /server/{server}"), &json!({"rack": "R2"})).await.is(200);

        world.by(&world.customer, &format!("GET {at}"), &Value::Null).await.is(200);
        world.by(&world.customer, &format!("PATCH {at}"), &json!({"spare": true})).await.is(403);
        world.by(&world.customer, &format!("DELETE {at}"), &Value::Null).await.is(403);
        world.root(&format!("PATCH {at}"), &json!({"spare": true})).await.is(200);
        world.root(&format!("PATCH {at}"), &json!({"plan": plan, "site": other})).await.is(422);
        world.root(&format!("DELETE {at}"), &Value::Null).await.is(204);
        world.root(&format!("PATCH /server/{server}"), &json!({"site": other})).await.is(200);

        for (kind, body) in [("batch", json!({})), ("spot_request", json!({})), ("spot_price", json!({}))] {
            let refused = world.root(&format!("POST /{kind}"), &body).await;
            assert_eq!(refused.is(409).json()["code"], "by_operation", "{kind}");
        }
    }
}

//! What machines ask about themselves, each from its own address.

use http_body_util::BodyExt as _;
use meetme_http::{Door, Server, ServerConfig};
use meetme_model::metal::Device;
use meetme_packet::instance::{Settings, dialect};
use meetme_store::Object;
use meetme_testkit::request;
use serde_json::{Value, json};

use crate::world::{World, everywhere, simple};

/// The machines' listener over a world.
struct Listener<'w> {
    world: &'w World,
    server: Server,
}

impl<'w> Listener<'w> {
    fn over(world: &'w World) -> Self {
        let settings = Settings { site: None, url: Some("http://198.18.0.1:8081".into()) };
        let server = Server::new(ServerConfig::default(), vec![dialect(settings)], world.app.clone()).unwrap();
        Self { world, server: server.bare() }
    }

    async fn send(&self, ip: &str, line: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
        let door = Door { socket: ip.parse().unwrap(), ..Door::inside() };
        let (head, content) = self.server.call(&door, request(line, headers, body.to_owned())).await.into_parts();
        let bytes = content.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn row(&self, device: &Value) -> Object<Device> {
        let uid = device["id"].as_str().unwrap().parse().unwrap();
        self.world.system(move |tx| Ok(tx.by_uid(uid)?)).await
    }
}

/// The addresses of a device, the public ones first.
fn addresses(device: &Value) -> Vec<String> {
    let mut all: Vec<&Value> = device["ip_addresses"].as_array().unwrap().iter().collect();
    all.sort_by_key(|a| a["public"] != json!(true));
    all.into_iter().map(|a| a["address"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_machine_reads_its_own_user_data_and_nobody_elses() {
    everywhere(async |world| {
        let mut wish = simple("one");
        wish["userdata"] = json!("#cloud-config\nfirst: true\n");
        let path = format!("/projects/{}/devices", world.project);
        let one = world.post(&path, wish).await.is(201).body;
        let two = world.device("two").await;
        let listener = Listener::over(&world);
        for ip in addresses(&one) {
            for path in ["GET /userdata", "GET /2009-04-04/user-data"] {
                let said = listener.send(&ip, path, &[], "").await;
                assert_eq!(said, (200, "#cloud-config\nfirst: true\n".into()), "{ip} {path}");
            }
        }
        let none = (404, r#"{"error":"Not found"}"#.to_owned());
        assert_eq!(listener.send(&addresses(&two)[0], "GET /userdata", &[], "").await, none, "it has none");
        for stranger in ["203.0.113.250", "127.0.0.1", "2001:db8::99"] {
            let mine = addresses(&one)[0].clone();
            let spoofed = [("x-forwarded-for", mine.as_str()), ("x-real-ip", mine.as_str())];
            assert_eq!(listener.send(stranger, "GET /userdata", &spoofed, "").await, none, "{stranger}");
            assert_eq!(listener.send(stranger, "POST /phone-home", &spoofed, "").await.0, 404);
            assert_eq!(listener.send(stranger, "POST /events", &[], r#"{"state":"running"}"#).await.0, 404);
        }
        assert!(listener.row(&one).await.status.called_home_at.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_machine_calls_home_in_each_of_the_forms_that_are_known() {
    everywhere(async |world| {
        let listener = Listener::over(&world);
        let form = [("content-type", "application/x-www-form-urlencoded")];
        for (name, headers, body) in [
            ("empty", &[][..], ""),
            ("cloud-init", &form[..], "instance_id=1234&hostname=x"),
            ("json", &[][..], r#"{"instance_id":"1234"}"#),
        ] {
            let device = world.device(name).await;
            let ip = &addresses(&device)[0];
            assert_eq!(listener.send(ip, "POST /phone-home", headers, body).await.0, 204, "{name}");
            assert!(listener.row(&device).await.status.called_home_at.is_some(), "{name}");
        }
        let device = world.device("other").await;
        let ip = &addresses(&device)[0];
        let said = listener.send(ip, "POST /phone-home", &[], r#"{"type":"provisioning.999"}"#).await;
        assert!(said.0 == 422 && said.1.contains("type: provisioning.999"), "{said:?}");
        let early = listener.send(ip, "POST /phone-home", &[], r#"{"type":"provisioning.104"}"#).await;
        assert_eq!(early.0, 422, "nothing is being installed");
        assert_eq!(listener.send(ip, "POST /phone-home", &[], r#"{"password":7}"#).await.0, 422);
        assert_eq!(listener.send(ip, "POST /phone-home", &[], "{").await.0, 422);
        let status = listener.row(&device).await.status;
        assert!(status.called_home_at.is_none() && status.root_password.is_none());
        assert_eq!(listener.send(ip, "POST /phone-home", &[], r#"{"password":"s3cret"}"#).await.0, 204);
        let kept = listener.row(&device).await.status.root_password.unwrap();
        assert_eq!(world.app.sealer().open(&kept.value).unwrap().expose(), "s3cret");
    })
    .await;
}

#[tokio::test]
async fn what_a_machines_programs_say_becomes_an_event_of_its_device() {
    everywhere(async |world| {
        let device = world.device("one").await;
        let (listener, ip) = (Listener::over(&world), addresses(&device)[0].clone());
        let said = r#"{"state":"succeeded","code":1001,"message":"All \u0007is set"}"#;
        assert_eq!(listener.send(&ip, "POST /events", &[], said).await.0, 204);
        let events = world.get(&format!("/devices/{}/events", device["id"].as_str().unwrap())).await.is(200).body;
        let event = events["events"].as_array().unwrap().iter().find(|e| e["type"] == "user.succeeded").unwrap();
        assert_eq!(event["interpolated"], "succeeded 1001: All is set");
        for (body, field) in [
            (r#"{"state":"done"}"#, "state"),
            ("{}", "state"),
            (r#"{"state":"running","code":999}"#, "code"),
            (r#"{"state":"running","code":"x"}"#, "code"),
            (r#"{"state":"running","message":[]}"#, "message"),
        ] {
            let said = listener.send(&ip, "POST /events", &[], body).await;
            assert!(said.0 == 422 && said.1.contains(&format!("{field}: ")), "{body}: {said:?}");
        }
        let long = json!({"state": "running", "message": "x".repeat(1001)}).to_string();
        assert_eq!(listener.send(&ip, "POST /events", &[], &long).await.0, 422);
    })
    .await;
}

#[tokio::test]
async fn a_machine_reads_its_metadata_as_a_document_and_as_a_tree() {
    everywhere(async |world| {
        let device = world.device("one").await;
        let (listener, all) = (Listener::over(&world), addresses(&device));
        let (status, text) = listener.send(&all[0], "GET /metadata", &[], "").await;
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &document["id"], &document["hostname"]), (200, &device["id"], &json!("one")));
        assert_eq!(document["phone_home_url"], "http://198.18.0.1:8081/phone-home");
        assert_eq!(document["user_state_url"], "http://198.18.0.1:8081/events");
        assert_eq!(document["network"]["addresses"].as_array().unwrap().len(), all.len());
        let top = listener.send(&all[0], "GET /2009-04-04/meta-data/", &[], "").await.1;
        assert!(top.starts_with("instance-id\nhostname\nlocal-hostname\n"), "{top}");
        for (leaf, value) in
            [("instance-id", &device["id"]), ("facility", &json!("sjc1")), ("plan", &json!("baremetal_0"))]
        {
            let said = listener.send(&all[0], &format!("GET /2009-04-04/meta-data/{leaf}"), &[], "").await;
            assert_eq!((said.0, &json!(said.1)), (200, value), "{leaf}");
        }
        assert_eq!(listener.send(&all[0], "GET /2009-04-04/meta-data/none", &[], "").await.0, 404);
        for path in ["/metadata", "/2009-04-04/meta-data", "/2009-04-04/meta-data/public-keys"] {
            assert_eq!(listener.send("203.0.113.250", &format!("GET {path}"), &[], "").await.0, 404, "{path}");
        }
    })
    .await;
}

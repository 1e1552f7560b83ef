//! The machines' listener and everybody's, over real sockets: neither answers for the other, whoever asks.
//!
//! Whoever asks here stands behind a proxy that both listeners believe, and asks from the address of a machine: what the machines' listener
//! gives it, it must not get at the other door, with or without a customer's token.

use std::{collections::BTreeSet, process::Command, time::Duration};

use meetme_http::{Dialect, Op};
use serde_json::{Value, json};

use crate::kit::{Server, until};

/// What both listeners have at one path: the method by which the public one has it.
const SHARED: &[(&str, &str)] = &[("/events", "GET")];
/// What everybody's listener answers besides its dialects.
const OTHERS: &[&str] =
    &["/readyz", "/healthz", "/metrics", "/meetme/openapi/native.json", "/meetme/openapi/packet.json"];

struct World {
    server: Server,
    client: reqwest::Client,
    /// Where machines ask.
    metal: String,
    /// The address of a machine.
    machine: String,
}

impl World {
    async fn new() -> Self {
        let believed = r#"["127.0.0.0/8"]"#;
        let server = Server::with(&[
            ("MEETME__METAL__LISTEN", r#"["127.0.0.1:0"]"#),
            ("MEETME__METAL__TRUSTED_PROXIES", believed),
            ("MEETME__SERVER__TRUSTED_PROXIES", believed),
        ])
        .await;
        let said = server.said();
        let listen =
            said.lines().find(|line| line.contains("machines are answered")).unwrap_or_else(|| panic!("{said}"));
        let metal = listen.split("listen=[").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
        let metal = format!("http://{metal}");
        let projects = server.packet("GET", "/projects", None).await.is(200);
        let order = json!({
            "hostname": "doors1", "facility": "sjc1", "plan": "baremetal_2", "operating_system": "ubuntu_22_04",
            "userdata": "#!/bin/sh\n",
        });
        let path = format!("/projects/{}/devices", projects["projects"][0]["id"].as_str().unwrap());
        let device = server.packet("POST", &path, Some(&order)).await.is(201);
        let path = format!("/devices/{}", device["id"].as_str().unwrap());
        let device = until(Duration::from_secs(60), async || {
            let device = server.packet("GET", &path, None).await.is(200);
            (device["state"] == "active").then_some(device)
        });
        let device = device.await.unwrap_or_else(|| panic!("{}", server.said()));
        let public = device["ip_addresses"].as_array().unwrap().iter().find(|a| a["public"] == true).unwrap();
        let machine = public["address"].as_str().unwrap().to_owned();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { server, client, metal, machine }
    }

    /// One request of the machine's, at either door; with a customer's token too where it is asked for.
    async fn ask(&self, base: &str, method: &str, path: &str, with_token: bool) -> (u16, Value) {
        let request = self.client.request(method.parse().unwrap(), format!("{base}{path}"));
        let mut request = request.header("x-forwarded-for", &self.machine);
        if with_token {
            request = request.header("x-auth-token", self.server.secret("/packet/token"));
        }
        if method != "GET" {
            request = request.header("content-type", "application/json").body("{}");
        }
        let answer = request.send().await.unwrap();
        let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }
}

/// The operations of the machines' listener.
fn machines() -> Vec<Op> {
    let dialects: [Dialect; 2] = [
        meetme_machine::dialect(meetme_machine::Settings::default()),
        meetme_packet::instance::dialect(meetme_packet::instance::Settings::default()),
    ];
    dialects.into_iter().flat_map(|dialect| dialect.ops).collect()
}

/// The operations of everybody's listener: method and path.
fn everybodys() -> BTreeSet<(String, String)> {
    let printed = Command::new(env!("CARGO_BIN_EXE_meetme")).arg("ops").output().unwrap();
    let lines = String::from_utf8(printed.stdout).unwrap();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        (row["method"].as_str().unwrap().to_owned(), row["path"].as_str().unwrap().to_owned())
    };
    lines.lines().map(row).collect()
}

/// A path with something in place of its parameters that the machines' listener would answer.
fn filled(path: &str) -> String {
    let known = [
        ("{file}", "meta-data"),
        ("{*path}", "meta-data/hostname"),
        ("{code}", "provisioning.104"),
        ("{name}", "vmlinuz"),
    ];
    let path = known.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
    path.split('/').map(|part| if part.starts_with('{') { "1" } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn what_machines_are_answered_is_answered_at_their_own_door_only() {
    let world = World::new().await;
    let mut answered = 0;
    for op in machines() {
        let (method, path) = (op.method.as_str(), filled(op.path));
        let (status, body) = world.ask(&world.metal, method, &path, false).await;
        assert!(status < 500, "{method} {path}: {status} {body}");
        answered += usize::from(status < 300);
        for with_token in [false, true] {
            let (status, body) = world.ask(&world.server.base, method, &path, with_token).await;
            let is_other = SHARED.iter().any(|(shared, _)| *shared == path) && status == 405;
            assert!(status == 404 || is_other, "{method} {path} at the public door: {status} {body}");
            let form = ["error", "errors", "detail", "message"].iter().any(|key| body.get(*key).is_some());
            assert!(form, "{method} {path}: not an error in any dialect's form: {body}");
        }
    }
    // Its script, its metadata, its user data, and what it says: who asks is known at the right door.
    assert!(answered >= 5, "only {answered} of the machines' operations were answered");
    let (status, script) = world.ask(&world.metal, "GET", "/auto.ipxe", false).await;
    assert!(status == 200 && script.as_str().unwrap().starts_with("#!ipxe"), "{status} {script}");
}

#[tokio::test]
async fn what_everybody_is_answered_is_not_answered_at_the_machines_door() {
    let world = World::new().await;
    let own: BTreeSet<&str> = machines().iter().map(|op| op.path).collect();
    let operations = everybodys();
    assert!(operations.len() > 500, "{}", operations.len());
    for (method, path) in &operations {
        let (status, body) = world.ask(&world.metal, method, &filled(path), true).await;
        let is_other = own.contains(path.as_str()) && SHARED.contains(&(path, method)) && status == 405;
        assert!(status == 404 || is_other, "{method} {path} at the machines' door: {status} {body}");
    }
    for path in OTHERS {
        assert_eq!(world.ask(&world.metal, "GET", path, true).await.0, 404, "{path}");
    }
    // It is the right door.
    assert_eq!(world.ask(&world.metal, "GET", "/metadata", true).await.0, 200);
}

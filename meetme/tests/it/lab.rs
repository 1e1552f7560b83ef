//! One real router: BIRD in a network namespace, driven through the Peering Manager dialect, with a neighbour nobody here configured.

use std::{process::Command, time::Duration};

use meetme_lab::{Host, Lab, Skip};
use serde_json::{Value, json};

use crate::kit::{Server, until};

/// Longer than anything here takes on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);

/// The neighbour's configuration, written by hand: three routes and a password.
const NEIGHBOUR: &str = r#"
router id 192.0.2.2;
protocol device {}
protocol static { ipv4; route 203.0.113.0/24 blackhole; route 198.51.100.0/24 blackhole; route 198.18.7.0/24 blackhole; }
protocol bgp back {
    local 192.0.2.2 as 64501;
    neighbor 192.0.2.1 as 65010;
    password "s3cret";
    connect delay time 1; connect retry time 1; error wait time 1, 2;
    ipv4 { import all; export all; };
}
"#;

/// A server, a real router that it drives, and the router's neighbour.
pub struct Room {
    /// The server.
    pub server: Server,
    lab: Lab,
    us: Host,
    daemon: usize,
    router: Value,
    session: Value,
}

impl Room {
    /// A room whose router is driven by the server itself, or, if it is `remote`, by an agent that is yet to come.
    pub async fn open(remote: bool, environment: &[(&str, &str)]) -> Result<Self, Skip> {
        let mut lab = Lab::new()?;
        meetme_lab::program("bird")?;
        let us = lab.host("us", &["192.0.2.1/24"])?;
        let peer = lab.host("peer", &["192.0.2.2/24"])?;
        let daemon = start(&mut lab, &us, "us", "router id 192.0.2.1;\nprotocol device { }\n").await;
        start(&mut lab, &peer, "peer", NEIGHBOUR).await;
        let server = Server::with(environment).await;
        let arguments = json!({
            "remote": remote, "socket": lab.file("us.ctl"), "config_path": lab.file("us.conf"), "log_file": lab.file("us.log"),
            "confirm_seconds": 10, "poll_seconds": 1, "router_id": "192.0.2.1", "networks": ["192.0.2.0/24"],
            "timers": {"hold": 30, "connect_delay": 1, "connect_retry": 1, "error_wait": [1, 2]},
        });
        let (router, session) = configure(&server, "bird", arguments, Some("s3cret")).await;
        Ok(Self { server, lab, us, daemon, router, session })
    }

    /// The session as the Peering Manager dialect shows it.
    pub async fn session(&self) -> Value {
        let path = format!("/api/peering/direct-peering-sessions/{}/", self.session["id"]);
        self.server.peering("GET", &path, None).await.is(200)
    }

    /// Changes the session.
    pub async fn patch_session(&self, body: Value) {
        let path = format!("/api/peering/direct-peering-sessions/{}/", self.session["id"]);
        self.server.peering("PATCH", &path, Some(&body)).await.is(200);
    }

    /// The box as the native API shows it.
    pub async fn box_(&self) -> Value {
        let router = self.server.native("GET", &format!("/meetme/v1/router/{}", self.router["id"]), None).await.is(200);
        let id = router["spec"]["equipment"].as_i64().unwrap();
        self.server.native("GET", &format!("/meetme/v1/equipment/{id}"), None).await.is(200)
    }

    /// Changes the box's equipment.
    pub async fn patch_box(&self, body: Value) {
        let id = self.box_().await["id"].as_i64().unwrap();
        self.server.native("PATCH", &format!("/meetme/v1/equipment/{id}"), Some(&body)).await.is(200);
    }

    /// Waits until the session is as told.
    pub async fn until_session(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let found = until(SOON, async || Some(self.session().await).filter(|s| holds(s))).await;
        match found {
            Some(session) => session,
            None => panic!("{what}: {}\n{}\n{}", self.session().await, self.box_().await, self.server.said()),
        }
    }

    /// Waits until what is known of the box is as told.
    pub async fn until_box(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let found = until(SOON, async || Some(self.box_().await).filter(|b| holds(&b["status"]))).await;
        match found {
            Some(equipment) => equipment,
            None => panic!("{what}: {}\n{}", self.box_().await, self.server.said()),
        }
    }

    /// What a file of the lab says.
    pub fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.lab.file(name)).unwrap()
    }

    /// Somebody edits the router's configuration by hand and has the daemon read it.
    pub fn edit(&self, from: &str, to: &str) {
        let before = self.text("us.conf");
        let after = before.replace(from, to);
        assert_ne!(before, after);
        std::fs::write(self.lab.file("us.conf"), after).unwrap();
        let said = self.birdc("configure");
        assert!(said.contains("Reconfigur"), "{said}");
    }

    fn birdc(&self, command: &str) -> String {
        let done = Command::new("birdc").arg("-s").arg(self.lab.file("us.ctl")).arg(command).output().unwrap();
        String::from_utf8(done.stdout).unwrap()
    }
}

async fn start(lab: &mut Lab, host: &Host, name: &str, config: &str) -> usize {
    let [file, socket, process, log] =
        ["conf", "ctl", "pid", "log"].map(|kind| lab.file(&format!("{name}.{kind}")).to_str().unwrap().to_owned());
    std::fs::write(&file, format!("log \"{log}\" all;\n{config}")).unwrap();
    let daemon = lab.start(host, name, &["bird", "-f", "-c", &file, "-s", &socket, "-P", &process]).unwrap();
    let up = meetme_lab::until(SOON, || std::fs::metadata(&process).is_ok_and(|f| f.len() > 0)).await;
    assert!(up && lab.is_running(daemon), "{name} did not start");
    daemon
}

/// Platform, router, autonomous systems, policies and the session, all through the dialect; answers the router and the session.
pub async fn configure(server: &Server, driver: &str, arguments: Value, password: Option<&str>) -> (Value, Value) {
    let make = async |path: &str, body: Value| server.peering("POST", path, Some(&body)).await.is(201);
    let platform = json!({"name": format!("Lab {driver}"), "slug": format!("lab-{driver}"), "napalm_driver": driver});
    let platform = make("/api/devices/platforms/", platform).await;
    let ours = json!({"asn": 65010, "name": "Lab", "affiliated": true});
    let ours = make("/api/peering/autonomous-systems/", ours).await;
    let peer =
        server.peering("GET", "/api/peering/autonomous-systems/?asn=64501", None).await.is(200)["results"][0].clone();
    let limit = json!({"ipv4_max_prefixes": 10, "ipv4_max_prefixes_peeringdb_sync": false});
    let path = format!("/api/peering/autonomous-systems/{}/", peer["id"]);
    server.peering("PATCH", &path, Some(&limit)).await.is(200);
    let router = make(
        "/api/peering/routers/",
        json!({
            "name": "lab1", "hostname": "lab1.example", "platform": {"slug": platform["slug"]}, "status": "enabled",
            "local_autonomous_system": ours["id"], "poll_bgp_sessions_state": true, "napalm_args": arguments,
        }),
    )
    .await;
    assert_eq!(router["platform"]["id"], platform["id"]);
    let mut policies = Vec::new();
    for (name, kind) in [("in", "import-policy"), ("out", "export-policy")] {
        let policy = json!({
            "name": format!("lab {name}"), "slug": format!("lab-{name}"), "type": kind, "weight": 1, "address_family": 0,
            "local_context_data": {"policy": {"otherwise": "accept"}},
        });
        policies.push(make("/api/peering/routing-policies/", policy).await["id"].clone());
    }
    let session = make(
        "/api/peering/direct-peering-sessions/",
        json!({
            "local_autonomous_system": ours["id"], "autonomous_system": {"asn": 64501}, "router": router["id"],
            "local_ip_address": "192.0.2.1/24", "ip_address": "192.0.2.2/24", "relationship": {"slug": "private-peering"},
            "status": "enabled", "password": password, "multihop_ttl": 1,
            "import_routing_policies": [policies[0]], "export_routing_policies": [policies[1]],
        }),
    )
    .await;
    (router, session)
}

#[tokio::test]
async fn lab_an_api_call_becomes_an_established_session_and_stays_what_was_wished() {
    let mut room = match Room::open(false, &[]).await {
        Ok(room) => room,
        Err(skip) => return skip.report(),
    };
    // An API call becomes a session that is Established between real daemons.
    let up =
        room.until_session("it comes up", |s| s["bgp_state"] == "established" && s["received_prefix_count"] == 3).await;
    assert!(up["last_established_state"].is_string() && up["advertised_prefix_count"].as_u64().unwrap() >= 1, "{up}");
    let checked = room.us.command("bird").arg("-p").arg("-c").arg(room.lab.file("us.conf")).status().unwrap();
    assert!(checked.success() && room.text("us.conf").contains("s3cret"));
    assert_eq!(up["password"].as_str(), Some("s3cret"), "the owner may read it back");

    // Disabled, it goes down; enabled, it comes back.
    room.patch_session(json!({"status": "disabled"})).await;
    room.until_session("it goes down", |s| s["bgp_state"] != "established").await;
    room.patch_session(json!({"status": "enabled"})).await;
    room.until_session("it comes back", |s| s["bgp_state"] == "established").await;

    // A hand edit is seen and shown; repaired only once the box's policy says so.
    let edited = room.text("us.conf").replace("hold time 30", "hold time 60");
    assert_ne!(edited, room.text("us.conf"));
    std::fs::write(room.lab.file("us.conf"), &edited).unwrap();
    let shown = room.until_box("the edit is seen", |b| b["drift"].is_string()).await;
    let drift = shown["status"]["drift"].as_str().unwrap();
    assert!(drift.contains("hold time 60") && !drift.contains("s3cret"), "{drift}");
    assert!(room.text("us.conf").contains("hold time 60"), "shown, not yet repaired");
    room.patch_box(json!({"repair": true})).await;
    room.until_box("it is repaired", |b| b["drift"].is_null()).await;
    assert!(room.text("us.conf").contains("hold time 30"));

    // A configuration that the daemon refuses leaves the old one running, and says why.
    let id = room.router["id"].clone();
    let path = format!("/api/devices/routers/{id}/");
    let good = room.server.peering("GET", &path, None).await.is(200)["napalm_args"].clone();
    let mut bad = good.clone();
    bad["log_file"] = json!(room.lab.file("no/such/folder/us.log"));
    room.server.peering("PATCH", &path, Some(&json!({"napalm_args": bad}))).await.is(200);
    let refused = room.until_box("the refusal is told", |b| b["reason"]["text"].is_string()).await;
    assert!(refused["status"]["reason"]["text"].as_str().unwrap().len() > 10, "{refused}");
    assert!(room.text("us.conf").contains("hold time 30") && room.birdc("show protocols").contains("Established"));
    room.server.peering("PATCH", &path, Some(&json!({"napalm_args": good}))).await.is(200);
    room.until_box("it is good again", |b| b["reason"].is_null()).await;

    // The router gone is a wait with a reason; back, it is served again.
    room.lab.kill(room.daemon);
    let away = room.until_box("it is missed", |b| b["reachable"] == false).await;
    assert!(away["status"]["reason"]["text"].is_string(), "{away}");
    let us = room.us.clone();
    let config = room.text("us.conf");
    std::fs::remove_file(room.lab.file("us.pid")).unwrap_or_default();
    room.daemon = start(&mut room.lab, &us, "us", &config).await;
    room.until_box("it is back", |b| b["reachable"] == true).await;
    room.until_session("the session too", |s| s["bgp_state"] == "established").await;

    // The server killed and started again carries on.
    room.server.kill();
    room.server.start().await;
    room.patch_session(json!({"status": "disabled"})).await;
    room.until_session("the new server drives the box", |s| s["bgp_state"] != "established").await;

    // A thousand sessions in one call are one rendering and one reload.
    let rows: Vec<Value> = (0..1000)
        .map(|n| {
            json!({
                "local_autonomous_system": {"asn": 65010}, "autonomous_system": {"asn": 64501}, "router": id,
                "local_ip_address": "192.0.2.1/24", "ip_address": format!("198.18.{}.{}/32", 100 + n / 250, 1 + n % 250),
                "relationship": {"slug": "private-peering"}, "status": "enabled", "passive": true, "multihop_ttl": 8,
            })
        })
        .collect();
    let quiet = room.until_box("it settles", |b| b["drift"].is_null() && b["reason"].is_null()).await;
    let count =
        |b: &Value| (b["status"]["renders"].as_u64().unwrap_or(0), b["status"]["reloads"].as_u64().unwrap_or(0));
    let made = room.server.peering("POST", "/api/peering/direct-peering-sessions/", Some(&json!(rows))).await.is(201);
    let ids: Vec<Value> = made.as_array().unwrap().iter().map(|s| s["id"].clone()).collect();
    assert_eq!(ids.len(), 1000);
    let reloads = count(&quiet).1;
    let first = room.until_box("the sessions arrive", |b| b["reloads"].as_u64().unwrap_or(0) > reloads).await;
    assert_eq!(count(&first).1, reloads + 1, "one reload for 1,000 new sessions");
    let rows: Vec<Value> = ids.iter().map(|id| json!({"id": id, "status": "disabled"})).collect();
    room.server.peering("PATCH", "/api/peering/direct-peering-sessions/", Some(&json!(rows))).await.is(200);
    let second = room.until_box("the change arrives", |b| b["reloads"].as_u64().unwrap_or(0) > reloads + 1).await;
    assert_eq!(count(&second).1, reloads + 2, "one reload for 1,000 changed sessions");
}

/// Prefixes that registries and ROAs say something of, on their way from a real neighbour.
#[tokio::test]
async fn lab_a_route_that_no_registry_names_is_filtered_and_so_is_one_that_a_roa_forbids() {
    if Command::new("bgpq4").arg("-v").output().is_err() {
        return eprintln!("SKIPPED: bgpq4 is not installed");
    }
    let whois = meetme_whois::Whois::start().unwrap();
    whois.set("LAB", "AS-LAB", &["AS3333"]);
    whois.routes("LAB", 3333, &["203.0.113.0/24", "198.51.100.0/24"]);
    let roas = tempfile::NamedTempFile::new().unwrap();
    let export = json!({"roas": [
        {"asn": "AS1", "prefix": "198.51.100.0/24", "maxLength": 24}, {"asn": 64501, "prefix": "203.0.113.0/24"},
    ]});
    std::fs::write(roas.path(), export.to_string()).unwrap();
    let (host, source) = (whois.address.to_string(), roas.path().to_str().unwrap().to_owned());
    let room = match Room::open(false, &[("MEETME__IRR__HOST", &host), ("MEETME__RPKI__SOURCE", &source)]).await {
        Ok(room) => room,
        Err(skip) => return skip.report(),
    };
    let passes = async |what: &str, n: u64| {
        room.until_session(what, |s| s["received_prefix_count"] == 3 && s["accepted_prefix_count"] == n).await
    };
    passes("all three pass while nothing is asked", 3).await;
    let found = room.server.peering("GET", "/api/peering/routing-policies/?name=lab+in", None).await.is(200);
    let policy = format!("/api/peering/routing-policies/{}/", found["results"][0]["id"]);
    let ask = async |said: Value| {
        room.server.peering("PATCH", &policy, Some(&json!({"local_context_data": {"policy": said}}))).await.is(200);
    };
    ask(json!({"irr": true, "first_as": true})).await;
    passes("nothing passes before registries can be asked", 0).await;
    let system = room.session().await["autonomous_system"]["id"].clone();
    let system = format!("/api/peering/autonomous-systems/{system}/");
    room.server.peering("PATCH", &system, Some(&json!({"irr_as_set": "AS-LAB"}))).await.is(200);
    passes("the third is in no registry", 2).await;
    ask(json!({"irr": true, "first_as": true, "rpki": true})).await;
    passes("the second is another's by its ROA", 1).await;
    let native = format!("/meetme/v1/direct_session/{}", room.session["id"]);
    let shown = room.server.native("GET", &native, None).await.is(200);
    assert_eq!(shown["status"]["origins"], json!({"valid": 1, "invalid": 1, "unknown": 0}));
    let row = room.server.peering("GET", &system, None).await.is(200);
    assert_eq!(row["prefixes"]["ipv4"].as_array().unwrap().len(), 2);
    assert_eq!(row["as_list"], json!([3333, 64501]));

    // The box is looked at when somebody asks, and the session's history tells how it came up.
    let poll = format!("/api/peering/direct-peering-sessions/{}/poll/", room.session["id"]);
    room.server.peering("POST", &poll, None).await.is(200);
    let history = format!("/meetme/v1/session_event?session={}&what=state&order=-at", room.session["id"]);
    let events = room.server.native("GET", &history, None).await.is(200);
    assert!(events.to_string().contains("established"), "{events}");
}

//! One real router of another make: gobgpd in a network namespace, driven through the Peering Manager dialect, with an ExaBGP for a
//! neighbour.

use meetme_lab::{Host, Lab, Skip};
use serde_json::{Value, json};

use crate::{
    kit::{Server, until},
    lab::{SOON, configure},
};

/// The neighbour's configuration, written by hand: two routes, one with a mark.
const NEIGHBOUR: &str = "
neighbor 192.0.2.1 {
    router-id 192.0.2.2; local-address 192.0.2.2; local-as 64501; peer-as 65010; hold-time 30;
    family { ipv4 unicast; }
    static {
        route 203.0.113.0/24 next-hop self;
        route 198.51.100.0/24 next-hop self community [64501:7];
    }
}
";

struct Room {
    server: Server,
    lab: Lab,
    us: Host,
    daemon: usize,
    session: String,
}

impl Room {
    async fn open() -> Result<Self, Skip> {
        let mut lab = Lab::new()?;
        for program in ["gobgpd", "gobgp", "exabgp"] {
            meetme_lab::program(program)?;
        }
        let us = lab.host("us", &["192.0.2.1/24"])?;
        let peer = lab.host("peer", &["192.0.2.2/24"])?;
        let daemon = start(&mut lab, &us).await;
        let (file, log) = (lab.file("exa.conf"), lab.file("exa.log"));
        std::fs::write(&file, NEIGHBOUR).unwrap();
        let log = format!("exabgp.log.destination={}", log.display());
        let command = [
            "env",
            "exabgp.daemon.user=root",
            "exabgp.daemon.drop=false",
            "exabgp.api.cli=false",
            &log,
            "exabgp",
            file.to_str().unwrap(),
        ];
        lab.start(&peer, "exa", &command)?;
        let server = Server::demo().await;
        let arguments = json!({
            "api": format!("unix://{}", lab.file("us.sock").display()), "poll_seconds": 1, "confirm_seconds": 10,
            "router_id": "192.0.2.1", "networks": ["192.0.2.0/24"], "timers": {"hold": 30, "connect_retry": 5},
        });
        let (_, session) = configure(&server, "gobgp", arguments, None).await;
        let session = format!("/api/peering/direct-peering-sessions/{}/", session["id"]);
        Ok(Self { server, lab, us, daemon, session })
    }

    async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) {
        let found = until(SOON, async || {
            Some(self.server.peering("GET", &self.session, None).await.is(200)).filter(|s| holds(s))
        });
        if found.await.is_none() {
            let now = self.server.peering("GET", &self.session, None).await.body;
            panic!("{what}: {now}\n{}", self.server.said());
        }
    }

    async fn patch(&self, path: &str, body: Value) {
        self.server.peering("PATCH", path, Some(&body)).await.is(200);
    }
}

/// Starts the router's daemon, which knows nothing.
async fn start(lab: &mut Lab, us: &Host) -> usize {
    let socket = lab.file("us.sock");
    std::fs::remove_file(&socket).ok();
    let api = format!("unix://{}", socket.display());
    let daemon = lab.start(us, "us", &["gobgpd", "--api-hosts", &api, "--pprof-disable", "--log-plain"]).unwrap();
    assert!(meetme_lab::until(SOON, || socket.exists()).await, "gobgpd did not start");
    daemon
}

fn is_up(session: &Value) -> bool {
    session["bgp_state"] == "established"
}

#[tokio::test]
async fn lab_a_gobgpd_is_driven_by_api_calls_against_another_make() {
    let mut room = match Room::open().await {
        Ok(room) => room,
        Err(skip) => return skip.report(),
    };
    let counts = |s: &Value, received: u64, accepted: u64| {
        is_up(s) && s["received_prefix_count"] == received && s["accepted_prefix_count"] == accepted
    };
    room.until("it comes up", |s| counts(s, 2, 2) && s["advertised_prefix_count"] == 1).await;

    // A policy that refuses what is marked.
    let found = room.server.peering("GET", "/api/peering/routing-policies/?name=lab+in", None).await.is(200);
    let policy = format!("/api/peering/routing-policies/{}/", found["results"][0]["id"]);
    let refusing = json!({"policy": {"terms": [{"communities": ["64501:7"]}], "otherwise": "accept"}});
    room.patch(&policy, json!({"local_context_data": refusing})).await;
    room.until("the marked route is refused", |s| counts(s, 2, 1)).await;

    // Off and on again.
    let session = room.session.clone();
    room.patch(&session, json!({"status": "disabled"})).await;
    room.until("it goes down", |s| !is_up(s)).await;
    room.patch(&session, json!({"status": "enabled"})).await;
    room.until("it comes back", |s| counts(s, 2, 1)).await;

    // A role is none of this daemon's words: the wish is refused in a sentence, and what runs goes on.
    room.patch(&session, json!({"local_context_data": {"role": true}})).await;
    let path = "/meetme/v1/equipment?make=gobgp";
    let told = until(SOON, async || {
        let boxes = room.server.native("GET", path, None).await.is(200);
        let why = boxes["items"][0]["status"]["reason"]["text"].as_str()?.to_owned();
        why.contains("no roles").then_some(why)
    });
    assert!(told.await.is_some(), "{}", room.server.native("GET", path, None).await.body);
    room.patch(&session, json!({"local_context_data": null})).await;

    // A daemon that died comes back empty and is told everything again.
    room.lab.kill(room.daemon);
    let missed = until(SOON, async || {
        let boxes = room.server.native("GET", path, None).await.is(200);
        (boxes["items"][0]["status"]["reachable"] == false).then_some(())
    });
    assert!(missed.await.is_some(), "{}", room.server.native("GET", path, None).await.body);
    let us = room.us.clone();
    room.daemon = start(&mut room.lab, &us).await;
    room.until("it is filled again", |s| counts(s, 2, 1)).await;
}

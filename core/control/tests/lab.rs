//! A shipped template on a real router: BIRD in a network namespace, driven by the controller, with a neighbour that somebody else
//! configured. What should pass passes, what should not does not.

#![expect(clippy::unwrap_used, reason = "what cannot be is a failed test")]

use std::{sync::Arc, time::Duration};

use meetme_agent::FenceGate;
use meetme_app::{App, Error, MasterKey, Sealer, Settings, templates};
use meetme_base::{Id, RawId, SystemClock};
use meetme_bird::Bird;
use meetme_control::{Agents, Pace, Runner};
use meetme_lab::{Host, Lab, Skip, until, until_async};
use meetme_model::{
    BgpState,
    access::Organization,
    ops::{Equipment, Family},
    routing::{AutonomousSystem, DirectSession, Policy, Relationship, Router, Template},
};
use meetme_store::{Context, Filter, Object, Open, Resource, Store};
use serde_json::json;
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(60);

/// Of its routes the first may pass, the second is too long, the third is ours, the fourth is nobody's.
const NEIGHBOUR: &str = r#"
router id 192.0.2.2;
protocol device {}
protocol static { ipv4; route 203.0.113.0/24 blackhole; route 203.0.113.128/25 blackhole; route 198.51.100.0/24 blackhole; route 10.1.0.0/16 blackhole; }
protocol bgp back {
    local 192.0.2.2 as 64501;
    neighbor 192.0.2.1 as 64500;
    password "s3cret";
    local role peer;
    connect delay time 1; connect retry time 1; error wait time 1, 2;
    ipv4 { import all; export all; };
}
"#;

async fn start(lab: &mut Lab, host: &Host, name: &str, config: &str) {
    let path = |kind: &str| lab.file(&format!("{name}.{kind}")).to_str().unwrap().to_owned();
    let [file, socket, process, log] = ["conf", "ctl", "pid", "log"].map(path);
    std::fs::write(&file, format!("log \"{log}\" all;\n{config}")).unwrap();
    let daemon = lab.start(host, name, &["bird", "-f", "-c", &file, "-s", &socket, "-P", &process]).unwrap();
    let up = until(SOON, || !lab.is_running(daemon) || std::fs::metadata(&process).is_ok_and(|f| f.len() > 0));
    assert!(up.await && lab.is_running(daemon), "{name} does not start");
}

async fn room() -> Result<Lab, Skip> {
    let mut lab = Lab::new()?;
    meetme_lab::program("bird")?;
    let us = lab.host("us", &["192.0.2.1/24"])?;
    let peer = lab.host("peer", &["192.0.2.2/24"])?;
    start(&mut lab, &us, "us", "router id 192.0.2.1;\nprotocol device { }\n").await;
    start(&mut lab, &peer, "peer", NEIGHBOUR).await;
    Ok(lab)
}

/// The rows of a place with one router whose configuration is the shipped template's.
async fn lay(app: &App, equipment: Equipment) -> (Id<DirectSession>, Id<Equipment>) {
    let inside = app.clone();
    let of = |json: serde_json::Value| json;
    let laid = app.store().write::<_, Error, _>(Context::system(), move |tx| {
        let operator: Organization = serde_json::from_value(of(json!({"name": "O", "form": "operator"}))).unwrap();
        let top = tx.create(RawId::new(0), operator)?.id.any();
        templates::install(tx, top)?;
        let template = tx.one::<Template>(&Filter::eq("name", "Meetme BIRD 2"))?.unwrap().id;
        let equipment = tx.create(top, equipment.clone())?.id;
        let system = |json| serde_json::from_value::<AutonomousSystem>(json).unwrap();
        let ours = tx.create(top, system(json!({"asn": 64500, "name": "Us", "ours": true})))?.id;
        let policy = |json| serde_json::from_value::<Policy>(json).unwrap();
        let both = tx.create(top, policy(json!({"name": "Both", "slug": "both-ways", "direction": "both"})))?.id;
        let peer = json!({"asn": 64501, "name": "Peer", "max4": 10, "import": [both], "export": [both]});
        let peer = tx.create(top, system(peer))?.id;
        let relationship = json!({"name": "Peering", "slug": "private-peering"});
        let relationship = tx.create(top, serde_json::from_value::<Relationship>(relationship).unwrap())?.id;
        let router = json!({
            "name": "edge1", "hostname": "192.0.2.1", "local": ours, "equipment": equipment, "template": template,
            "context": {"lab": true, "irr": false, "networks": ["198.51.100.0/24"]},
        });
        let router = tx.create(top, serde_json::from_value::<Router>(router).unwrap())?.id;
        let session = json!({
            "asn": 64501, "local": ours, "remote": peer, "router": router, "relationship": relationship,
            "local_ip": "192.0.2.1/24", "ip": "192.0.2.2/24", "password": inside.sealer().seal("s3cret")?,
        });
        Ok((tx.create(top, serde_json::from_value::<DirectSession>(session).unwrap())?.id, equipment))
    });
    laid.await.unwrap()
}

async fn get<R: Resource>(app: &App, id: Id<R>) -> Object<R> {
    app.store().read(Context::system(), move |tx| tx.get(id)).await.unwrap()
}

#[tokio::test]
async fn a_shipped_template_brings_a_session_up_and_lets_pass_what_should_pass() {
    let lab = match room().await {
        Ok(lab) => lab,
        Err(skip) => return skip.report(),
    };
    let home = tempfile::tempdir().unwrap();
    let open = Open::Sqlite { path: home.path().join("db"), readers: 2 };
    let store = Store::open(&open, meetme_control::registry(), Arc::new(SystemClock)).unwrap();
    let sealer = Sealer::new(&MasterKey::parse(&"5".repeat(64)).unwrap());
    let app = App::new(store.clone(), sealer, Settings::default());
    let agents =
        Agents::new("bird").with_router("bird", Arc::new(Bird::new(Arc::new(SystemClock), FenceGate::in_memory())));
    let controllers = meetme_control::controllers_at(app.clone(), agents, Pace::default());
    let settings = meetme_control::Settings { poll: Duration::from_millis(50), ..meetme_control::Settings::default() };
    let stop = CancellationToken::new();
    let running = tokio::spawn(Runner::new(store, controllers, settings).run(stop.clone()));
    let settings = json!({
        "socket": lab.file("us.ctl"), "config_path": lab.file("us.conf"), "confirm_seconds": 10, "poll_seconds": 1,
    });
    let (session, equipment) =
        lay(&app, Equipment { settings, ..Equipment::new("edge1", Family::Router, "bird", "") }).await;
    let passed = until_async(SOON, async || {
        let status = get(&app, session).await.status;
        status.state == Some(BgpState::Established) && status.accepted == 1 && status.advertised == 1
    });
    let passed = passed.await;
    let (session, box_) = (get(&app, session).await, get(&app, equipment).await);
    let config = std::fs::read_to_string(lab.file("us.conf")).unwrap();
    assert!(passed, "{:?}\n{:?}\n{config}", session.status, box_.status);
    assert_eq!((session.status.received, box_.status.drift, box_.status.reason), (4, None, None));
    assert!(config.contains("receive limit 10") && config.contains("local role peer"), "{config}");
    stop.cancel();
    running.await.unwrap();
}

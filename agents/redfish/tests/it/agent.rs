//! Against the strict controller.

use std::sync::Arc;

use meetme_agent::{
    Agent as _, AgentError, Fence, FenceGate, Target, WireSecret,
    server::{Busy, Desired, Discover as _, Health, Install, Observed},
};
use meetme_base::SystemClock;
use meetme_redfish::{Bmc, Redfish};
use serde_json::json;

use crate::mock::{Mock, State};

pub fn agent() -> Redfish {
    Redfish::new(Arc::new(SystemClock), FenceGate::in_memory())
}

pub fn want(number: Option<u32>, power: bool, starts: u32) -> Desired {
    let install = number.map(|number| Install {
        number,
        plan: "c3".into(),
        image: "debian_13".into(),
        ipxe_url: None,
        userdata: None,
        root_password: None,
        ssh_keys: vec![],
        addresses: vec![],
        keep_disks: false,
        steps: ["101", "103", "104", "109"].map(|n| format!("provisioning.{n}")).to_vec(),
    });
    Desired { key: "d1".into(), hostname: "one".into(), power, install, starts, rescue: false, netboot: false }
}

/// One pass as a controller makes it: look, recall, plan, apply, recall.
pub async fn pass(agent: &Redfish, target: &Target, want: &Desired, last: &Observed) -> Result<Observed, AgentError> {
    let told = last.told();
    let seen = agent.observe(target).await?.recall(told.as_ref());
    let plan = agent.plan(want, &seen)?;
    if !plan.is_change {
        return Ok(seen);
    }
    Ok(agent.apply(target, plan, Fence(1)).await?.recall(told.as_ref()))
}

#[tokio::test]
async fn a_server_is_installed_switched_and_wiped_and_every_session_is_ended() {
    let bmc = Mock::start(State { power: true, delay: 2, ..State::default() }).await;
    let (agent, target) = (agent(), bmc.target(json!({})));
    let bare = agent.observe(&target).await.unwrap();
    assert_eq!((bare.version.as_str(), bare.power, bare.health), ("Acme M1, BIOS 2.4", true, Some(Health::Warning)));
    let mut seen = pass(&agent, &target, &want(Some(1), true, 0), &bare).await.unwrap();
    assert_eq!((seen.busy, seen.installed, seen.power), (Some(Busy::Installing), 1, true));
    assert_eq!(
        seen.done.iter().map(|(code, _)| code.as_str()).collect::<Vec<_>>(),
        ["provisioning.101", "provisioning.103"]
    );
    let boot = r#"boot {"BootSourceOverrideTarget":"Pxe","BootSourceOverrideEnabled":"Once"}"#;
    assert_eq!(std::mem::take(&mut bmc.lock().orders), ["ForceOff", boot, "On"]);
    // The machine reports that it is done; what is to do next follows.
    seen.busy = None;
    let seen = pass(&agent, &target, &want(Some(1), true, 1), &seen).await.unwrap();
    assert_eq!((seen.starts, seen.key.as_deref()), (1, Some("d1")));
    let off = r#"boot {"BootSourceOverrideEnabled":"Disabled"}"#;
    assert_eq!(std::mem::take(&mut bmc.lock().orders), [off, "ForceRestart"]);
    let seen = pass(&agent, &target, &want(Some(1), false, 1), &seen).await.unwrap();
    assert_eq!((seen.power, seen.starts, seen.key.as_deref()), (false, 1, Some("d1")));
    assert_eq!(std::mem::take(&mut bmc.lock().orders), ["ForceOff"]);
    let seen = pass(&agent, &target, &want(None, false, 1), &seen).await.unwrap();
    assert_eq!((seen.busy, seen.power), (Some(Busy::Wiping), true));
    assert_eq!(bmc.lock().orders, [boot, "On"]);
    assert_eq!(bmc.sessions(), 0, "sessions were left open");
    assert!(bmc.lock().logins > 4);
}

#[tokio::test]
async fn a_machine_that_always_starts_over_the_network_does_so_at_every_start() {
    let bmc = Mock::start(State::default()).await;
    let (agent, target) = (agent(), bmc.target(json!({"boot_mode": "uefi"})));
    let seen = agent.observe(&target).await.unwrap();
    pass(&agent, &target, &Desired { netboot: true, ..want(Some(1), true, 0) }, &seen).await.unwrap();
    let state = bmc.lock();
    assert_eq!((state.target.as_str(), state.enabled.as_str()), ("Pxe", "Continuous"));
    assert!(state.orders[0].contains(r#""BootSourceOverrideMode":"UEFI""#));
}

#[tokio::test]
async fn a_machine_that_fetches_by_http_is_told_so_where_its_controller_knows_the_word() {
    let bmc = Mock::start(State::default()).await;
    let (agent, target) = (agent(), bmc.target(json!({"boot_mode": "uefi_http"})));
    let seen = agent.observe(&target).await.unwrap();
    let error = pass(&agent, &target, &want(Some(1), true, 0), &seen).await.unwrap_err();
    assert!(matches!(&error, AgentError::Unsupported { what } if what.contains("from UefiHttp")), "{error}");
    bmc.lock().http = true;
    pass(&agent, &target, &want(Some(1), true, 0), &seen).await.unwrap();
    let state = bmc.lock();
    assert_eq!((state.target.as_str(), state.enabled.as_str()), ("UefiHttp", "Once"));
    assert!(state.orders[0].contains(r#""BootSourceOverrideMode":"UEFI""#), "{:?}", state.orders);
}

#[tokio::test]
async fn a_controller_that_takes_orders_and_does_nothing_is_found_out() {
    let bmc = Mock::start(State { lies: true, ..State::default() }).await;
    let (agent, target) = (agent(), bmc.target(json!({"power_seconds": 1})));
    let seen = agent.observe(&target).await.unwrap();
    let error = pass(&agent, &target, &want(Some(1), true, 0), &seen).await.unwrap_err();
    assert!(matches!(&error, AgentError::Broken { why } if why.contains("from Pxe and shows \"None\"")), "{error}");
    let off = Bmc::open(&target).await.unwrap();
    let error = off.power_on().await.unwrap_err();
    assert!(matches!(&error, AgentError::Unreachable { why } if why.contains("not on after 1 s")), "{error}");
    off.close().await;
}

#[tokio::test]
async fn a_change_by_somebody_else_is_read_again_and_a_refusal_is_told_in_its_words() {
    let bmc = Mock::start(State { meddle: true, ..State::default() }).await;
    let target = bmc.target(json!({}));
    let open = Bmc::open(&target).await.unwrap();
    bmc.lock().meddle = true;
    open.boot_from(meetme_redfish::Boot::Network(meetme_redfish::Once::Yes)).await.unwrap();
    assert_eq!(bmc.lock().target, "Pxe");
    open.close().await;
    bmc.lock().words = vec!["Bogus", "PushPowerButton"];
    let open = Bmc::open(&target).await.unwrap();
    let error = open.power_on().await.unwrap_err();
    let said = "The value PushPowerButton for the property ResetType is not in the list.";
    assert!(matches!(&error, AgentError::Refused { why } if why.contains(said)), "{error}");
    bmc.lock().words = vec!["Bogus"];
    let error = open.power_on().await.unwrap_err();
    assert!(matches!(&error, AgentError::Unsupported { what } if what.contains("knows none of On")), "{error}");
    open.close().await;
}

#[tokio::test]
async fn a_task_is_waited_for_and_its_failure_is_told() {
    let bmc = Mock::start(State { task: Some("Completed"), ..State::default() }).await;
    let open = Bmc::open(&bmc.target(json!({}))).await.unwrap();
    open.power_on().await.unwrap();
    assert!(bmc.lock().power);
    open.close().await;
    let bmc = Mock::start(State { task: Some("Exception"), ..State::default() }).await;
    let open = Bmc::open(&bmc.target(json!({}))).await.unwrap();
    let error = open.power_on().await.unwrap_err();
    assert!(matches!(&error, AgentError::Refused { why } if why == "The power supply is missing."), "{error}");
    open.close().await;
}

#[tokio::test]
async fn a_machine_that_does_not_listen_loses_its_power_after_a_while() {
    let bmc = Mock::start(State { power: true, ..State::default() }).await;
    let open = Bmc::open(&bmc.target(json!({"graceful_seconds": 1}))).await.unwrap();
    open.power_off(true).await.unwrap();
    open.close().await;
    assert_eq!(bmc.lock().orders, ["GracefulShutdown", "ForceOff"]);
}

#[tokio::test]
async fn a_wrong_password_is_refused_in_words_and_shows_nothing() {
    let bmc = Mock::start(State::default()).await;
    let target = Target { access: Some(WireSecret::new("hunter2")), ..bmc.target(json!({})) };
    let error = agent().observe(&target).await.unwrap_err();
    let AgentError::Refused { why } = &error else { panic!("{error:?}") };
    assert!(why.contains("the password is wrong") && !why.contains("hunter2"), "{why}");
    let nobody = Target { access: None, ..bmc.target(json!({})) };
    assert!(matches!(agent().observe(&nobody).await, Err(AgentError::Refused { .. })));
}

#[tokio::test]
async fn a_controller_without_sessions_is_shown_the_password_each_time() {
    let bmc = Mock::start(State { basic: true, power: true, ..State::default() }).await;
    assert!(agent().observe(&bmc.target(json!({}))).await.unwrap().power);
    let only = agent().observe(&bmc.target(json!({"auth": "session"}))).await.unwrap_err();
    assert!(only.to_string().contains("has no sessions"), "{only}");
}

#[tokio::test]
async fn a_link_that_leads_elsewhere_is_not_followed() {
    let thief = Mock::start(State::default()).await;
    let foreign = Some(format!("{}/redfish/v1/Sys", thief.address));
    let bmc = Mock::start(State { foreign, ..State::default() }).await;
    let error = agent().observe(&bmc.target(json!({}))).await.unwrap_err();
    assert!(matches!(&error, AgentError::Broken { why } if why.contains("has a link to http://127.0.0.1")), "{error}");
}

#[tokio::test]
async fn only_the_certificate_that_is_expected_is_trusted() {
    let bmc = Mock::secure(State { power: true, ..State::default() }).await;
    let error = agent().observe(&bmc.target(json!({}))).await.unwrap_err();
    assert!(matches!(error, AgentError::Unreachable { .. }), "a certificate nobody vouches for was taken: {error:?}");
    assert_eq!(bmc.lock().logins, 0);
    let wrong = bmc.target(json!({"certificate_sha256": "00".repeat(32)}));
    let error = agent().observe(&wrong).await.unwrap_err().to_string();
    let is = bmc.certificate.clone().unwrap();
    assert!(error.contains(&is), "the certificate is not named: {error}");
    let pinned = bmc.target(json!({"certificate_sha256": is}));
    assert!(agent().observe(&pinned).await.unwrap().power);
    assert!(agent().observe(&bmc.target(json!({"accept_any_certificate": true}))).await.unwrap().power);
}

#[tokio::test]
async fn a_server_is_found_with_its_serial_number_addresses_and_faults() {
    let bmc = Mock::start(State { power: true, ..State::default() }).await;
    let found = agent().discover(&bmc.target(json!({"system": "sn-1"}))).await.unwrap();
    assert_eq!((found.serial.as_str(), found.maker.as_str(), found.model.as_str()), ("SN-1", "Acme", "M1"));
    assert_eq!((found.memory_mib, found.processors, found.power), (Some(65_536), Some(2), true));
    let nics: Vec<_> = found.nics.iter().map(|n| (n.name.as_str(), n.mac.to_string(), n.link)).collect();
    assert_eq!(
        nics,
        [("NIC.1", "02:00:5e:10:00:01".into(), Some(true)), ("NIC.2", "02:00:5e:10:00:02".into(), Some(false))]
    );
    assert_eq!(found.faults, ["Fan 3"]);
    let error = agent().discover(&bmc.target(json!({"system": "SN-2"}))).await.unwrap_err();
    assert!(error.to_string().contains("has no server SN-2"), "{error}");
}

#[tokio::test]
async fn a_medium_is_put_in_by_the_controller_that_manages_the_system() {
    let bmc = Mock::start(State::default()).await;
    let target = bmc.target(json!({"boot_media": "http://192.0.2.1/ipxe.iso"}));
    let open = Bmc::open(&target).await.unwrap();
    open.boot_from(meetme_redfish::Boot::Network(meetme_redfish::Once::Yes)).await.unwrap();
    let media = |state: &State| (state.medium.clone(), state.target.clone(), state.enabled.clone());
    let (medium, target, _) = media(&bmc.lock());
    assert_eq!((medium.as_deref(), target.as_str()), (Some("http://192.0.2.1/ipxe.iso"), "Cd"));
    open.boot_from(meetme_redfish::Boot::Disk).await.unwrap();
    let (medium, _, enabled) = media(&bmc.lock());
    assert_eq!((medium, enabled.as_str()), (None, "Disabled"));
    open.close().await;
}

#[tokio::test]
async fn an_older_holder_of_the_work_changes_nothing() {
    let bmc = Mock::start(State::default()).await;
    let (agent, target) = (agent(), bmc.target(json!({})));
    let seen = agent.observe(&target).await.unwrap();
    let plan = agent.plan(&want(Some(1), true, 0), &seen).unwrap();
    agent.apply(&target, plan.clone(), Fence(5)).await.unwrap();
    bmc.lock().orders.clear();
    let error = agent.apply(&target, plan, Fence(4)).await.unwrap_err();
    assert_eq!((error.metric_label(), bmc.lock().orders.len()), ("fenced", 0));
}

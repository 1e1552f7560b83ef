//! Agents that dial in.

use std::{sync::Arc, time::Duration};

use meetme_agent::{Agent, AgentError, Fence, Target, router::Router};
use meetme_base::{RawId, SystemClock};
use meetme_control::hub::{Assignment, Hub, Report, Work};
use meetme_sim::Sim;
use tokio_util::sync::CancellationToken;

/// The credential of the agent.
const KEY: RawId = RawId::new(3);

fn target(name: &str) -> Target {
    Target {
        id: 7,
        name: name.into(),
        address: String::new(),
        settings: serde_json::Value::Null,
        access: None,
        repair: false,
    }
}

#[tokio::test]
async fn work_is_handed_to_the_agent_that_serves_the_box_and_its_answer_comes_back() {
    let hub = Hub::new(Duration::from_secs(10), CancellationToken::new());
    let sim = Arc::new(Sim::new(Arc::new(SystemClock)));
    let remote = hub.routers(sim.clone());
    let agent = {
        let (hub, sim) = (Arc::clone(&hub), sim.clone());
        tokio::spawn(async move {
            let serves = ["edge1".to_owned()];
            let mut done = 0;
            while let Some(given) = hub.next(KEY, &serves, Duration::from_millis(500)).await {
                // It travels as JSON.
                let given: Assignment = serde_json::from_str(&serde_json::to_string(&given).unwrap()).unwrap();
                let result = match given.work {
                    Work::Observe => Agent::<Router>::observe(&*sim, &given.target).await,
                    Work::Apply { plan, fence } => Agent::<Router>::apply(&*sim, &given.target, *plan, fence).await,
                };
                assert!(hub.done(KEY, Report { id: given.id, result }));
                done += 1;
            }
            done
        })
    };
    let target = target("edge1");
    let seen = remote.observe(&target).await.unwrap();
    let want = meetme_agent::router::Desired::new("edge1", "192.0.2.1".parse().unwrap(), meetme_base::Asn::MAX);
    let plan = remote.plan(&want, &seen).unwrap();
    let after = remote.apply(&target, plan, Fence(1)).await.unwrap();
    assert!(after.config.expose().contains("edge1"));
    assert_eq!(agent.await.unwrap(), 2);
}

#[tokio::test]
async fn an_agent_that_does_not_come_or_does_not_come_back_is_not_reachable() {
    let hub = Hub::new(Duration::from_millis(100), CancellationToken::new());
    let remote = hub.routers(Arc::new(Sim::new(Arc::new(SystemClock))));
    let lost = |error: AgentError| match error {
        AgentError::Unreachable { why } => why,
        other => panic!("{other}"),
    };
    assert!(lost(remote.observe(&target("edge1")).await.unwrap_err()).contains("asked for work"));
    let (serves, edge1) = (["edge1".to_owned()], target("edge1"));
    let fetch = hub.next(KEY, &serves, Duration::from_secs(5));
    let (given, outcome) = tokio::join!(fetch, remote.observe(&edge1));
    assert!(lost(outcome.unwrap_err()).contains("did not come back"));
    let late = Report { id: given.unwrap().id, result: Err(AgentError::unreachable("late")) };
    assert!(!hub.done(KEY, late), "nobody waits for it any more");
    assert_eq!(hub.next(KEY, &["other".to_owned()], Duration::from_millis(10)).await, None);
}

#[tokio::test]
async fn a_result_counts_only_from_whom_the_work_was_given_to() {
    let hub = Hub::new(Duration::from_secs(10), CancellationToken::new());
    let remote = hub.routers(Arc::new(Sim::new(Arc::new(SystemClock))));
    let (serves, edge1) = (["edge1".to_owned()], target("edge1"));
    let agent = async {
        let given = hub.next(KEY, &serves, Duration::from_secs(5)).await.unwrap();
        let report = |why: &str| Report { id: given.id, result: Err(AgentError::unreachable(why)) };
        assert!(!hub.done(RawId::new(4), report("a stranger says so")));
        assert!(hub.done(KEY, report("the agent says so")));
        assert!(!hub.done(KEY, report("it is told once")));
    };
    let (outcome, ()) = tokio::join!(remote.observe(&edge1), agent);
    assert_eq!(outcome.unwrap_err(), AgentError::unreachable("the agent says so"));
}

#[tokio::test]
async fn a_hub_that_stops_sends_waiting_agents_away() {
    let stop = CancellationToken::new();
    let hub = Hub::new(Duration::from_secs(10), stop.clone());
    let serves = ["edge1".to_owned()];
    // Without the stop this would take longer than any test may.
    let waiting = hub.next(KEY, &serves, Duration::from_secs(3600));
    let (given, ()) = tokio::join!(waiting, async { stop.cancel() });
    assert_eq!(given, None);
    assert_eq!(hub.next(KEY, &serves, Duration::from_secs(3600)).await, None);
}

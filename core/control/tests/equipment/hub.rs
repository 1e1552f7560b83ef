//! Agents that dial in.

use std::{sync::Arc, time::Duration};

use meetme_agent::{Agent, AgentError, Fence, Target, router::Router};
use meetme_base::SystemClock;
use meetme_control::hub::{Hub, Work};
use meetme_sim::Sim;

fn target(name: &str) -> Target {
    Target { id: 7, name: name.into(), address: String::new(), settings: serde_json::Value::Null, access: None }
}

#[tokio::test]
async fn work_is_handed_to_the_agent_that_serves_the_box_and_its_answer_comes_back() {
    let hub = Hub::new(Duration::from_secs(10));
    let sim = Arc::new(Sim::new(Arc::new(SystemClock)));
    let remote = hub.routers(sim.clone());
    let agent = {
        let (hub, sim) = (Arc::clone(&hub), sim.clone());
        tokio::spawn(async move {
            let serves = ["edge1".to_owned()];
            let mut done = 0;
            while let Some(given) = hub.next(&serves, Duration::from_millis(500)).await {
                // It travels as JSON.
                let given: meetme_control::hub::Assignment =
                    serde_json::from_str(&serde_json::to_string(&given).unwrap()).unwrap();
                let result = match given.work {
                    Work::Observe => Agent::<Router>::observe(&*sim, &given.target).await,
                    Work::Apply { plan, fence } => Agent::<Router>::apply(&*sim, &given.target, *plan, fence).await,
                };
                assert!(hub.done(given.id, result));
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
    let hub = Hub::new(Duration::from_millis(100));
    let remote = hub.routers(Arc::new(Sim::new(Arc::new(SystemClock))));
    let lost = |error: AgentError| match error {
        AgentError::Unreachable { why } => why,
        other => panic!("{other}"),
    };
    assert!(lost(remote.observe(&target("edge1")).await.unwrap_err()).contains("asked for work"));
    let (serves, edge1) = (["edge1".to_owned()], target("edge1"));
    let fetch = hub.next(&serves, Duration::from_secs(5));
    let (given, outcome) = tokio::join!(fetch, remote.observe(&edge1));
    assert!(lost(outcome.unwrap_err()).contains("did not come back"));
    let late = hub.done(given.unwrap().id, Err(AgentError::unreachable("late")));
    assert!(!late, "nobody waits for it any more");
    assert_eq!(hub.next(&["other".to_owned()], Duration::from_millis(10)).await, None);
}

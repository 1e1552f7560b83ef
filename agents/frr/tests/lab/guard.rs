//! What happens to a change that nobody confirms.

use meetme_agent::{Agent, AgentError, Fence, FenceGate};
use meetme_frr::Frr;
use meetme_lab::{SOON, until, until_async};
use serde_json::json;

use crate::room::Room;

fn has_session(room: &Room) -> bool {
    room.running().contains("neighbor 192.0.2.2 remote-as")
}

/// A room whose router runs without sessions, and the agent in the middle of giving it some: the change is made, and its proof
/// does not end.
async fn in_the_middle(confirm_seconds: u16) -> Option<Room> {
    let mut room = Room::empty().await?;
    room.apply(&room.alone()).await;
    room.target.settings["confirm_seconds"] = json!(confirm_seconds);
    room.target.settings["prove_command"] = json!(["sleep", "600"]);
    let plan = room.plan(&room.peering()).await;
    // The change must have its turn between two looks.
    let is_made = async || {
        tokio::task::yield_now().await;
        has_session(&room)
    };
    {
        let change = room.agent.apply(&room.target, plan, Fence(1));
        tokio::select! {
            early = change => panic!("the change has ended: {early:?}"),
            is_made = until_async(SOON, is_made) => assert!(is_made),
        }
        // Here the change is dropped, as it is when the process that makes it dies.
    }
    assert_eq!(room.left().len(), 1);
    // The guard of the change before ends when it next looks.
    assert!(until(SOON, || room.guards().len() == 1).await, "{:?}", room.guards());
    Some(room)
}

#[tokio::test]
async fn a_change_whose_maker_died_is_taken_back_by_itself() {
    let Some(room) = in_the_middle(6).await else { return };
    let before = room.text("frr/frr.conf");
    assert!(until(SOON, || !has_session(&room) && room.left().is_empty()).await, "{:?}", room.left());
    assert_eq!(room.text("frr/frr.conf"), before);
    assert!(!room.plan(&room.alone()).await.is_change);
}

#[tokio::test]
async fn a_change_whose_guard_died_too_is_taken_back_by_the_next_agent() {
    let Some(mut room) = in_the_middle(600).await else { return };
    for guard in room.guards() {
        assert!(std::process::Command::new("kill").args(["-9", &guard]).status().unwrap().success());
    }
    assert!(until(SOON, || room.guards().is_empty()).await);
    assert!(has_session(&room));
    room.agent = Frr::new(FenceGate::in_memory());
    let seen = room.observe().await.unwrap();
    assert_eq!((seen.sessions, has_session(&room), room.left()), (vec![], false, vec![]));
}

#[tokio::test]
async fn a_change_that_cannot_be_proved_is_taken_back_at_once() {
    let Some(mut room) = Room::empty().await else { return };
    room.apply(&room.alone()).await;
    room.target.settings["prove_command"] = json!(["sh", "-c", "echo the uplink is gone; exit 1"]);
    let refusal = room.try_apply(&room.peering(), 1).await.unwrap_err();
    let AgentError::Refused { why } = &refusal else { panic!("{refusal}") };
    assert!(why.contains("the uplink is gone"), "{why}");
    assert_eq!((has_session(&room), room.left()), (false, vec![]));
    room.target.settings["prove_command"] = json!(["true"]);
    room.apply(&room.peering()).await;
    assert!(has_session(&room));
}

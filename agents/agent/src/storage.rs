//! The family of storage: what is wanted of one volume, what is seen of it, and the change.
//!
//! Here the unit is the volume, and [`crate::Target::id`] is the volume's. Copying and putting back are happenings; they become states
//! by what a volume began as, and by the number of the last time it was put back, so that a repeated call does nothing twice.

use std::net::IpAddr;

use meetme_base::Time;
use serde::{Deserialize, Serialize};

use crate::Family;

/// Storage.
#[derive(Clone, Copy, Debug)]
pub enum Storage {}

impl Family for Storage {
    type Desired = Desired;
    type Observed = Observed;
    type Plan = Plan;
    const NAME: &'static str = "storage";
}

/// Everything one volume should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desired {
    /// The volume's name on the equipment, the same for its whole life, such as `v123`.
    pub key: String,
    /// What it is; none for a volume that is to be gone.
    pub volume: Option<Volume>,
}

/// A volume as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Its size in GB.
    pub size_gb: u32,
    /// How fast it is: the slug of its plan.
    pub class: String,
    /// What it begins as a copy of; empty when absent. It says nothing once the volume is there.
    #[serde(default)]
    pub copy_of: Option<Origin>,
    /// The snapshots that are to be, by their names.
    #[serde(default)]
    pub snapshots: Vec<String>,
    /// The last time its content is to be put back.
    #[serde(default)]
    pub restore: Option<Restore>,
    /// The machines that may use it, by their initiator names.
    #[serde(default)]
    pub initiators: Vec<String>,
}

/// What a volume begins as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The other volume's name on the equipment.
    pub volume: String,
    /// The snapshot of it; what it holds now when absent.
    pub snapshot: Option<String>,
}

/// A time at which a volume's content is put back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// Which time, from 1; a higher number asks for another one.
    pub number: u32,
    /// The snapshot that is put back.
    pub snapshot: String,
}

/// Everything one volume was seen to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// What answered, in its own words.
    pub version: String,
    /// The volume, if it is there.
    pub volume: Option<Seen>,
}

/// One volume as it was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// Its size in GB.
    pub size_gb: u32,
    /// How fast it is.
    pub class: String,
    /// The name by which machines find it.
    pub iqn: String,
    /// Where machines reach it.
    pub portals: Vec<IpAddr>,
    /// The snapshots that are there, with their moments.
    pub snapshots: Vec<(String, Time)>,
    /// The machines that may use it.
    pub initiators: Vec<String>,
    /// The number of the last time its content was put back.
    pub restored: u32,
    /// Whether something is still under way.
    pub busy: bool,
    /// What it holds, in a form in which equal content is equal; for equipment that can tell.
    #[serde(default)]
    pub content: Option<String>,
}

/// One step of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Make the volume.
    Create,
    /// Make it as large as is wished.
    Grow,
    /// Move it to another class.
    Reclass,
    /// Take this snapshot.
    Take(String),
    /// Put its content back.
    Restore,
    /// Throw this snapshot away.
    Drop(String),
    /// Let exactly the wished machines use it.
    Admit,
    /// Take it down.
    Remove,
}

/// The exact change to one volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What it is to be.
    pub want: Desired,
    /// What is to be done, in this order.
    pub actions: Vec<Action>,
    /// The same, one sentence each: this is what users are shown.
    pub steps: Vec<String>,
    /// Whether anything is to change.
    pub is_change: bool,
}

impl Plan {
    /// The change that makes `seen` into `want`: the same for every make of equipment.
    ///
    /// Snapshots are taken before the content is put back, and thrown away after it: what is put back may be one that goes.
    pub fn between(want: &Desired, seen: &Observed) -> Self {
        let mut actions = Vec::new();
        match (&want.volume, &seen.volume) {
            (None, None) => {}
            (None, Some(_)) => actions.push(Action::Remove),
            (Some(wish), None) => {
                actions.push(Action::Create);
                if !wish.initiators.is_empty() {
                    actions.push(Action::Admit);
                }
            }
            // One thing after another: what is under way is not changed.
            (Some(_), Some(seen)) if seen.busy => {}
            (Some(wish), Some(seen)) => {
                if wish.size_gb > seen.size_gb {
                    actions.push(Action::Grow);
                }
                if wish.class != seen.class {
                    actions.push(Action::Reclass);
                }
                let is_there = |name: &String| seen.snapshots.iter().any(|(known, _)| known == name);
                actions.extend(wish.snapshots.iter().filter(|name| !is_there(name)).cloned().map(Action::Take));
                if wish.restore.as_ref().is_some_and(|restore| restore.number > seen.restored) {
                    actions.push(Action::Restore);
                }
                let stays = |name: &String| wish.snapshots.contains(name);
                let gone = seen.snapshots.iter().map(|(name, _)| name).filter(|name| !stays(name));
                actions.extend(gone.cloned().map(Action::Drop));
                let mut wished = wish.initiators.clone();
                let mut admitted = seen.initiators.clone();
                wished.sort();
                admitted.sort();
                if wished != admitted {
                    actions.push(Action::Admit);
                }
            }
        }
        let steps: Vec<String> = actions.iter().map(|action| sentence(want, action)).collect();
        let is_change = !steps.is_empty();
        Self { want: want.clone(), actions, steps, is_change }
    }
}

fn sentence(want: &Desired, action: &Action) -> String {
    let (key, size) = (&want.key, want.volume.as_ref().map_or(0, |v| v.size_gb));
    match action {
        Action::Create => match want.volume.as_ref().and_then(|v| v.copy_of.as_ref()) {
            Some(origin) => format!("Make the volume {key} of {size} GB as a copy of {}.", origin.volume),
            None => format!("Make the volume {key} of {size} GB."),
        },
        Action::Grow => format!("Make the volume {key} {size} GB large."),
        Action::Reclass => format!("Move the volume {key} to another class."),
        Action::Take(name) => format!("Take the snapshot {name} of {key}."),
        Action::Restore => format!("Put the content of {key} back."),
        Action::Drop(name) => format!("Throw the snapshot {name} of {key} away."),
        Action::Admit => format!("Say which machines may use {key}."),
        Action::Remove => format!("Take the volume {key} down."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish() -> Volume {
        Volume {
            size_gb: 10,
            class: "fast".into(),
            copy_of: None,
            snapshots: vec!["s1".into()],
            restore: None,
            initiators: vec!["iqn.a".into()],
        }
    }

    fn seen() -> Seen {
        Seen {
            size_gb: 10,
            class: "fast".into(),
            iqn: "iqn.v".into(),
            portals: vec![],
            snapshots: vec![("s1".into(), Time(0))],
            initiators: vec!["iqn.a".into()],
            restored: 0,
            busy: false,
            content: None,
        }
    }

    fn actions(want: Option<Volume>, volume: Option<Seen>) -> Vec<Action> {
        let want = Desired { key: "v1".into(), volume: want };
        let plan = Plan::between(&want, &Observed { version: "x".into(), volume });
        assert_eq!((plan.is_change, plan.steps.len()), (!plan.actions.is_empty(), plan.actions.len()));
        plan.actions
    }

    #[test]
    fn a_plan_holds_what_has_to_be_done_in_an_order_that_loses_nothing() {
        assert_eq!(actions(None, None), []);
        assert_eq!(actions(Some(wish()), None), [Action::Create, Action::Admit]);
        assert_eq!(actions(Some(wish()), Some(seen())), []);
        assert_eq!(actions(None, Some(seen())), [Action::Remove]);
        let larger = Volume { size_gb: 20, class: "slow".into(), ..wish() };
        assert_eq!(actions(Some(larger), Some(seen())), [Action::Grow, Action::Reclass]);
        let back = Volume {
            snapshots: vec!["s2".into()],
            restore: Some(Restore { number: 1, snapshot: "s1".into() }),
            initiators: vec![],
            ..wish()
        };
        let wanted = [Action::Take("s2".into()), Action::Restore, Action::Drop("s1".into()), Action::Admit];
        assert_eq!(actions(Some(back.clone()), Some(seen())), wanted);
        assert_eq!(actions(Some(back), Some(Seen { busy: true, ..seen() })), [], "one thing after another");
    }
}

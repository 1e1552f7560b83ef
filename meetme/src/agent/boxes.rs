//! The boxes of an agent: doing what it is given, remembering it, and looking after the boxes alone.
//!
//! Rule: alone, the agent does what the server would have done with the same wish and nothing more. It never goes back behind a
//! change it does not know the end of: that change has raised the box's fence, and what was kept before it is refused.

use std::{
    collections::{BTreeMap, HashMap},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use meetme_agent::{
    Agent, AgentError, Fence, Target, WireSecret, keep,
    router::{Plan, Router},
};
use meetme_control::hub::{Assignment, Done, Work};
use serde::{Deserialize, Serialize};

/// What a box was last given: enough to give it again.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Kept {
    target: Target,
    config: WireSecret,
    fence: Fence,
}

/// How a box was found that was looked after.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    Well,
    PutBack,
    /// Somebody changed it, and its equipment does not say that this is to be undone.
    LeftAlone,
    Trouble(String),
}

/// The boxes an agent serves, by the names of their equipments.
pub struct Boxes {
    makes: HashMap<String, Arc<dyn Agent<Router>>>,
    serves: HashMap<String, String>,
    file: PathBuf,
    kept: Mutex<BTreeMap<String, Kept>>,
    /// How each was found when it was last looked after, so that the log says only what is new.
    found: Mutex<HashMap<String, Found>>,
}

impl Boxes {
    /// The boxes of these names and makes, with what `file` remembers of them. A memory that cannot be read is told and begins
    /// anew: it is made good by the next change.
    pub fn open(
        makes: HashMap<String, Arc<dyn Agent<Router>>>,
        serves: HashMap<String, String>,
        file: PathBuf,
    ) -> Self {
        let kept = read(&file).unwrap_or_else(|why| {
            tracing::warn!(file = %file.display(), %why, "what the boxes were last given is not known");
            BTreeMap::new()
        });
        Self { makes, serves, file, kept: Mutex::new(kept), found: Mutex::default() }
    }

    /// Does a piece of work.
    pub async fn perform(&self, work: Assignment) -> Done {
        let Assignment { equipment, target, work, .. } = work;
        let agent = self.agent(&equipment)?;
        // Alone, the box is looked after as it was last described, which may have changed since it was last given something.
        self.change(&equipment, |kept| match kept {
            Some(known) if known.target.id == target.id => known.target = target.clone(),
            other => *other = None,
        });
        match work {
            Work::Observe => agent.observe(&target).await,
            Work::Apply { plan, fence } => {
                let config = plan.after.clone();
                match agent.apply(&target, *plan, fence).await {
                    Ok(seen) => {
                        self.change(&equipment, |kept| *kept = Some(Kept { target: target.clone(), config, fence }));
                        Ok(seen)
                    }
                    Err(error) => {
                        // The box has seen this fence and runs on with what it had.
                        if !matches!(error, AgentError::Fenced { .. }) {
                            self.change(&equipment, |kept| {
                                if let Some(known) = kept {
                                    known.fence = known.fence.max(fence);
                                }
                            });
                        }
                        Err(error)
                    }
                }
            }
        }
    }

    /// Looks at every box, and puts back what it was last given where somebody changed it and its equipment says that this is to be
    /// undone. A box that lost its configuration altogether gets it back in any case.
    pub async fn look_after(&self) {
        let kept: Vec<(String, Kept)> = self.kept().iter().map(|(name, kept)| (name.clone(), kept.clone())).collect();
        for (name, kept) in kept {
            let Ok(agent) = self.agent(&name) else { continue };
            let found = put_back(&**agent, &kept).await.unwrap_or_else(|e| Found::Trouble(e.to_string()));
            let before = self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone(), found.clone());
            let is_news = before.as_ref() != Some(&found);
            match found {
                Found::Well => {}
                Found::PutBack => tracing::info!(equipment = %name, "the box was changed by hand and is put back"),
                Found::LeftAlone if is_news => {
                    tracing::info!(equipment = %name, "the box was changed by hand and is left as it is");
                }
                Found::Trouble(error) if is_news => {
                    tracing::warn!(equipment = %name, %error, "the box cannot be looked after");
                }
                Found::LeftAlone | Found::Trouble(_) => {}
            }
        }
    }

    fn agent(&self, equipment: &str) -> Result<&Arc<dyn Agent<Router>>, AgentError> {
        self.serves
            .get(equipment)
            .and_then(|make| self.makes.get(make))
            .ok_or_else(|| AgentError::Unsupported { what: format!("This agent does not serve {equipment}.") })
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        // It is changed in one step, so a panic elsewhere leaves it whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is kept of a box, on disk too where that is a change. A disk that does not take it is told: what is lost is
    /// only the looking after the box alone.
    fn change(&self, equipment: &str, change: impl FnOnce(&mut Option<Kept>)) {
        let mut all = self.kept();
        let before = all.get(equipment).cloned();
        let mut after = before.clone();
        change(&mut after);
        if before == after {
            return;
        }
        match after {
            Some(after) => all.insert(equipment.to_owned(), after),
            None => all.remove(equipment),
        };
        let written = serde_json::to_vec(&*all).map_err(std::io::Error::other).and_then(|text| keep(&self.file, &text));
        if let Err(e) = written {
            tracing::warn!(error = %e, "the configuration could not be kept for a time without the server");
        }
    }
}

fn read(file: &Path) -> Result<BTreeMap<String, Kept>, String> {
    match std::fs::read(file) {
        Ok(text) => serde_json::from_slice(&text).map_err(|e| e.to_string()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(e) => Err(e.to_string()),
    }
}

async fn put_back(agent: &dyn Agent<Router>, kept: &Kept) -> Result<Found, AgentError> {
    let seen = agent.observe(&kept.target).await?;
    if seen.config == kept.config && seen.running.is_some() {
        return Ok(Found::Well);
    }
    let is_lost = seen.config.expose().is_empty();
    if !(kept.target.repair || is_lost) {
        return Ok(Found::LeftAlone);
    }
    // The difference is for people, and nobody is shown this one.
    let (diff, notes) = (String::new(), Vec::new());
    let plan = Plan { before: seen.config, after: kept.config.clone(), diff, notes, is_change: true };
    agent.apply(&kept.target, plan, kept.fence).await?;
    Ok(Found::PutBack)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use meetme_agent::router::Desired;
    use meetme_base::{Asn, SystemClock};
    use meetme_sim::Sim;
    use serde_json::{Value, json};

    use super::*;

    /// One simulated box and the agent that serves it.
    struct Room {
        directory: tempfile::TempDir,
        sim: Arc<Sim>,
        boxes: Boxes,
    }

    impl Room {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let sim = Arc::new(Sim::new(Arc::new(SystemClock)));
            let boxes = open(&sim, &directory.path().join("kept.json"));
            Self { directory, sim, boxes }
        }

        fn file(&self) -> PathBuf {
            self.directory.path().join("kept.json")
        }

        /// The agent's process ends and begins again; the box does not mind.
        fn restart(&mut self) {
            self.boxes = open(&self.sim, &self.file());
        }

        async fn give(&self, target: Target, name: &str, fence: u64) -> Done {
            let look = Assignment { id: 1, equipment: "edge1".into(), target: target.clone(), work: Work::Observe };
            let seen = self.boxes.perform(look).await?;
            let want = Desired::new(name, "192.0.2.1".parse().unwrap(), Asn::MAX);
            let plan = Box::new(Agent::<Router>::plan(&*self.sim, &want, &seen)?);
            let work = Work::Apply { plan, fence: Fence(fence) };
            self.boxes.perform(Assignment { id: 2, equipment: "edge1".into(), target, work }).await
        }

        fn meddle(&self) {
            assert!(self.sim.meddle("edge1", |runs| runs.name = "by hand".into()));
        }

        async fn runs(&self) -> String {
            let seen = Agent::<Router>::observe(&*self.sim, &target(json!({}), false)).await.unwrap();
            serde_json::from_str::<Value>(seen.config.expose())
                .map_or_else(|_| "nothing".into(), |c| c["name"].to_string())
        }
    }

    fn open(sim: &Arc<Sim>, file: &Path) -> Boxes {
        let makes = HashMap::from([("sim".to_owned(), Arc::clone(sim) as Arc<dyn Agent<Router>>)]);
        Boxes::open(makes, HashMap::from([("edge1".to_owned(), "sim".to_owned())]), file.to_owned())
    }

    fn target(settings: Value, repair: bool) -> Target {
        Target { id: 7, name: "edge1".into(), address: String::new(), settings, access: None, repair }
    }

    #[tokio::test]
    async fn alone_an_agent_puts_back_what_was_changed_by_hand_also_after_a_restart() {
        let mut room = Room::new();
        room.give(target(json!({}), true), "wanted", 3).await.unwrap();
        room.meddle();
        room.boxes.look_after().await;
        assert_eq!(room.runs().await, "\"wanted\"");
        room.restart();
        room.meddle();
        room.boxes.look_after().await;
        assert_eq!(room.runs().await, "\"wanted\"");
        assert_eq!(std::fs::metadata(room.file()).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[tokio::test]
    async fn alone_an_agent_leaves_changes_by_hand_where_they_are_only_to_be_shown() {
        let room = Room::new();
        room.give(target(json!({}), false), "wanted", 3).await.unwrap();
        room.meddle();
        room.boxes.look_after().await;
        assert_eq!(room.runs().await, "\"by hand\"");
        room.sim.reboot("edge1");
        room.boxes.look_after().await;
        assert_eq!(room.runs().await, "\"wanted\"", "a box that lost everything is no change by hand");
    }

    #[tokio::test]
    async fn the_word_on_repairs_counts_from_the_next_look_on() {
        let room = Room::new();
        room.give(target(json!({}), true), "wanted", 3).await.unwrap();
        let look =
            Assignment { id: 3, equipment: "edge1".into(), target: target(json!({}), false), work: Work::Observe };
        room.boxes.perform(look).await.unwrap();
        room.meddle();
        room.boxes.look_after().await;
        assert_eq!(room.runs().await, "\"by hand\"");
    }

    #[tokio::test]
    async fn a_refused_change_leaves_the_last_good_one_to_be_put_back() {
        let room = Room::new();
        room.give(target(json!({}), true), "wanted", 3).await.unwrap();
        let refused = room.give(target(json!({"refuse": "No."}), true), "refused", 4).await.unwrap_err();
        assert_eq!(refused.metric_label(), "refused");
        let look =
            Assignment { id: 3, equipment: "edge1".into(), target: target(json!({}), true), work: Work::Observe };
        room.boxes.perform(look).await.unwrap();
        room.meddle();
        room.boxes.look_after().await;
        assert_eq!(room.runs().await, "\"wanted\"");
    }

    #[tokio::test]
    async fn an_agent_does_not_go_back_behind_a_change_whose_end_it_does_not_know() {
        let mut room = Room::new();
        room.give(target(json!({}), true), "first", 3).await.unwrap();
        let before = std::fs::read(room.file()).unwrap();
        room.give(target(json!({}), true), "second", 4).await.unwrap();
        // As after a crash between the change and its being kept.
        std::fs::write(room.file(), before).unwrap();
        room.restart();
        room.boxes.look_after().await;
        assert_eq!(room.runs().await, "\"second\"");
    }

    #[tokio::test]
    async fn another_box_of_the_same_name_is_not_given_what_the_first_had() {
        let room = Room::new();
        room.give(target(json!({}), true), "wanted", 3).await.unwrap();
        let other = Target { id: 8, ..target(json!({}), true) };
        let look = Assignment { id: 3, equipment: "edge1".into(), target: other, work: Work::Observe };
        room.boxes.perform(look).await.unwrap();
        room.meddle();
        room.boxes.look_after().await;
        assert_eq!(room.runs().await, "\"by hand\"");
    }
}

//! Fences: the proof that whoever speaks to a box still holds the work.
//!
//! Work on a box is leased with a number that only rises. A controller that was thought dead and comes back still holds an
//! older number, and its change is refused here, at the last door before the equipment.

use std::{
    collections::BTreeMap,
    fmt,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::{AgentError, keep};

/// The number of a lease on the work for one box. A later lease has a higher one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(pub u64);

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Remembers the highest fence seen for each box and refuses older ones.
#[derive(Debug, Default)]
pub struct FenceGate {
    highest: Mutex<BTreeMap<i64, Fence>>,
    file: Option<PathBuf>,
}

impl FenceGate {
    /// A gate that forgets when the process ends; right where the leases end with the process too.
    pub fn in_memory() -> Self {
        Self::default()
    }

    /// A gate that keeps its memory in `file`, for an agent that restarts while old controllers may still be alive. The file
    /// need not exist yet; one that cannot be understood is an error, because to start from nothing would open the gate.
    pub fn kept_in(file: impl Into<PathBuf>) -> Result<Self, AgentError> {
        let file = file.into();
        let highest = match std::fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).map_err(|e| file_error(&file, "be understood", &e))?,
            Err(e) if e.kind() == ErrorKind::NotFound => BTreeMap::new(),
            Err(e) => return Err(file_error(&file, "be read", &e)),
        };
        Ok(Self { highest: Mutex::new(highest), file: Some(file) })
    }

    /// Lets `fence` pass for the box `target` unless a higher one has passed before. A new highest fence is on disk before
    /// this returns, so that no change is made that a restarted agent would not know of.
    pub fn admit(&self, target: i64, fence: Fence) -> Result<(), AgentError> {
        let mut highest = self.lock();
        match highest.get(&target).copied() {
            Some(seen) if seen > fence => return Err(AgentError::Fenced { seen }),
            Some(seen) if seen == fence => return Ok(()),
            _ => {}
        }
        if let Some(file) = &self.file {
            let mut next = highest.clone();
            next.insert(target, fence);
            let text = serde_json::to_vec(&next).map_err(|e| file_error(file, "be written", &e))?;
            keep(file, &text).map_err(|e| file_error(file, "be written", &e))?;
        }
        highest.insert(target, fence);
        Ok(())
    }

    /// The highest fence that has passed for a box.
    pub fn highest(&self, target: i64) -> Option<Fence> {
        self.lock().get(&target).copied()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Fence>> {
        // The map is changed in one step at the end of `admit`, so a panic elsewhere leaves it whole.
        self.highest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn file_error(file: &Path, what: &str, why: &dyn fmt::Display) -> AgentError {
    AgentError::broken(format!("the fence file {} cannot {what}: {why}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_fence_is_refused_and_other_boxes_do_not_mind() {
        let gate = FenceGate::in_memory();
        assert_eq!(gate.admit(1, Fence(5)), Ok(()));
        assert_eq!(gate.admit(1, Fence(5)), Ok(()));
        assert_eq!(gate.admit(1, Fence(4)), Err(AgentError::Fenced { seen: Fence(5) }));
        assert_eq!(gate.admit(2, Fence(4)), Ok(()));
        assert_eq!(gate.admit(1, Fence(6)), Ok(()));
    }

    #[test]
    fn a_restarted_agent_still_refuses_an_older_fence() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("fences.json");
        FenceGate::kept_in(&file).unwrap().admit(1, Fence(9)).unwrap();
        let again = FenceGate::kept_in(&file).unwrap();
        assert_eq!(again.admit(1, Fence(8)), Err(AgentError::Fenced { seen: Fence(9) }));
    }

    #[test]
    fn a_gate_whose_file_is_damaged_does_not_open() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("fences.json");
        std::fs::write(&file, "{\"1\":").unwrap();
        assert_eq!(FenceGate::kept_in(&file).unwrap_err().metric_label(), "broken");
    }

    #[test]
    fn a_fence_that_cannot_be_kept_is_not_let_through() {
        let directory = tempfile::tempdir().unwrap();
        let gate = FenceGate::kept_in(directory.path().join("gone/fences.json")).unwrap();
        assert_eq!(gate.admit(1, Fence(1)).unwrap_err().metric_label(), "broken");
        assert_eq!(gate.highest(1), None);
    }
}

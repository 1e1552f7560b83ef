//! Hearing of commits. Whoever follows the change log sleeps here until something was written by this process; commits of other
//! processes are found by looking again after a while.

use std::sync::{Arc, Mutex, PoisonError};

use futures_channel::oneshot;
use meetme_store::Store;

/// Those who wait for the next commit.
#[derive(Clone, Default)]
pub struct Commits {
    waiting: Arc<Mutex<Vec<oneshot::Sender<()>>>>,
}

impl Commits {
    /// Listens to a store from now on.
    pub(crate) fn of(store: &Store) -> Self {
        let commits = Self::default();
        // Held weakly: the store outlives nobody, and must not be kept alive by those who wait for it.
        let waiting = Arc::downgrade(&commits.waiting);
        store.on_commit(move |_| {
            let Some(waiting) = waiting.upgrade() else { return };
            let all = std::mem::take(&mut *waiting.lock().unwrap_or_else(PoisonError::into_inner));
            let gone = all.into_iter().map(|one| one.send(())).filter(Result::is_err).count();
            tracing::trace!(followers.gone = gone, "followers were told of a commit");
        });
        commits
    }

    /// Is ready after the next commit. Ask for it before looking at the data: a commit in between is then not slept through.
    pub fn next(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|one| !one.is_canceled());
        waiting.push(sender);
        receiver
    }
}

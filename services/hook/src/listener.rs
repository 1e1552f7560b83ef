//! Hears of commits and wakes the hooks that they concern. It keeps nothing: when it begins, every hook is woken once, so what was
//! committed before is looked at by each hook from its own place in the log.

use std::time::Duration;

use meetme_app::{App, Error};
use meetme_control::Controller as _;
use meetme_model::ops::Hook;
use meetme_store::{ChangeQuery, Context, Cursor, Filter, Tx};
use tokio_util::sync::CancellationToken;

use crate::HookController;

/// How often the log is looked at though no commit of this process was heard of: other processes write too.
const POLL: Duration = Duration::from_secs(1);

/// Wakes hooks.
pub struct Listener {
    app: App,
}

impl Listener {
    /// Over the core.
    pub fn new(app: App) -> Self {
        Self { app }
    }

    /// Listens until `stop` is cancelled.
    pub async fn run(self, stop: CancellationToken) {
        let mut place = None;
        while !stop.is_cancelled() {
            let commit = self.app.commits().next();
            match self.look(place).await {
                Ok(next) => place = next,
                Err(e) => tracing::warn!(error = %e, "hooks cannot be looked after"),
            }
            tokio::select! {
                () = stop.cancelled() => {}
                _ = commit => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Wakes the hooks that something since this place in the log concerns, or all. The answer is the place to go on from; none as long as
    /// there are no hooks, since the first one is then to be woken whatever happened before.
    async fn look(&self, place: Option<Cursor>) -> Result<Option<Cursor>, Error> {
        let read = self.app.store().read::<_, Error, _>(Context::system(), move |tx| concerned(tx, place)).await?;
        let (hooks, next) = read;
        if !hooks.is_empty() {
            let wake = move |tx: &mut Tx<'_>| {
                let now = tx.now();
                hooks.iter().try_for_each(|id| Ok(tx.enqueue(HookController::NAME, *id, now)?))
            };
            self.app.store().write::<_, Error, _>(Context::system(), wake).await?;
        }
        Ok(next)
    }
}

type Concerned = (Vec<meetme_base::RawId>, Option<Cursor>);

fn concerned(tx: &mut Tx<'_>, place: Option<Cursor>) -> Result<Concerned, Error> {
    let hooks = tx.all::<Hook>(Filter::eq("enabled", true))?;
    if hooks.is_empty() {
        return Ok((Vec::new(), None));
    }
    let next = Some(tx.last_cursor()?);
    let Some(after) = place else { return Ok((hooks.iter().map(|hook| hook.id.any()).collect(), next)) };
    let mut out = Vec::new();
    for hook in hooks {
        let kinds = hook.spec.kinds.iter().filter_map(|name| tx.registry().kind(name)).map(|info| info.kind).collect();
        let query =
            ChangeQuery { after: Some(after), kinds, verbs: hook.spec.verbs(), limit: 1, ..ChangeQuery::default() };
        if !tx.changes(&query)?.is_empty() {
            out.push(hook.id.any());
        }
    }
    Ok((out, next))
}

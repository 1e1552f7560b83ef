//! The work of asking a router how its sessions are: its controller is woken, and what it leaves behind is waited for.

use std::time::Duration;

use meetme_app::{
    App, Error,
    routers::poll::{self, Asked, POLL, Seen},
};
use meetme_base::Id;
use meetme_model::routing::Router;
use tokio::time::{Instant, timeout};

use crate::{
    controller::Soon,
    jobs::{Done, Work, Worker},
};

/// How long a router's pass is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// After how long to look again though nothing was written by this process: another one may have.
const AGAIN: Duration = Duration::from_millis(250);

/// Asks routers how their sessions are.
pub struct PollWorker {
    app: App,
}

impl PollWorker {
    /// Over the core.
    pub const fn new(app: App) -> Self {
        Self { app }
    }

    async fn poll(&self, work: &Work) -> Result<Done, String> {
        let router: Id<Router> = work.job.spec.subject.ok_or("The router is gone.")?.of();
        let asked: Result<Asked, Error> =
            self.app.store().write(work.context(), move |tx| poll::wake(tx, router)).await;
        let asked = match asked {
            Ok(asked) => asked,
            // Nothing went wrong: there is nobody to ask.
            Err(Error::Unavailable(why)) => {
                work.log.warning(why.clone());
                return Ok(Done::said(why));
            }
            Err(e) => return Err(e.to_string()),
        };
        let end = Instant::now() + PATIENCE;
        loop {
            let next = self.app.commits().next();
            let seen: Result<Seen, Error> =
                self.app.store().read(work.context(), move |tx| poll::seen(tx, &asked)).await;
            match seen.map_err(|e| e.to_string())? {
                Seen::Looked => {
                    work.log.success("The sessions were looked at.");
                    return Ok(Done::said("The sessions were looked at."));
                }
                Seen::Failed(why) => return Err(format!("The router could not be looked at: {why}")),
                Seen::Not => {}
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(format!("The router was not looked at within {} seconds.", PATIENCE.as_secs()));
            }
            // Whichever comes first, a commit or the end of the pause.
            drop(timeout(AGAIN.min(left), next).await);
        }
    }
}

impl Worker for PollWorker {
    fn what(&self) -> &'static [&'static str] {
        &[POLL]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        Box::pin(self.poll(work))
    }
}

//! Waiting for what a controller does. A request may wait for the one thing it asked for; whatever takes longer is a job.

use std::time::Duration;

use meetme_app::{App, Caller, Error};
use meetme_store::Tx;
use tokio::time::{Instant, timeout};

/// How long a request waits, less than clients and the server's own limit do.
pub const PATIENCE: Duration = Duration::from_secs(25);
/// After how long it looks again though nothing was written by this process: another one may have.
const AGAIN: Duration = Duration::from_millis(250);

/// Looks until there is something; none when that takes too long.
pub async fn until<T, F>(app: &App, caller: &Caller, look: F) -> Result<Option<T>, Error>
where
    T: Send + 'static,
    F: Fn(&mut Tx<'_>) -> Result<Option<T>, Error> + Clone + Send + 'static,
{
    let end = Instant::now() + PATIENCE;
    loop {
        let next = app.commits().next();
        if let Some(found) = app.read(caller, look.clone()).await? {
            return Ok(Some(found));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        // Whichever comes first, a commit or the end of the pause.
        drop(timeout(AGAIN.min(left), next).await);
    }
}

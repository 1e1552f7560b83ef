//! Asking for synchronisations in time, so that nobody has to.

use std::time::Duration;

use meetme_app::{App, Error, mirror};
use meetme_store::Context;
use tokio_util::sync::CancellationToken;

use crate::Settings;

/// How soon to try again when a synchronisation could not even be asked for.
const SOON: Duration = Duration::from_secs(60);

/// Asks for a synchronisation whenever the last one is older than the interval, until the server stops. Several servers over one
/// database ask once: the age of the last job decides, whoever asked for it.
pub async fn keep_fresh(app: App, settings: Settings, stop: CancellationToken) {
    if settings.interval_minutes == 0 {
        return;
    }
    let interval = Duration::from_secs(u64::from(settings.interval_minutes) * 60);
    loop {
        let pass = app.store().write::<_, Error, _>(Context::system(), move |tx| {
            let wait = mirror::due(tx, interval)?;
            if wait.is_zero() {
                mirror::ask(tx)?;
            }
            Ok(if wait.is_zero() { interval } else { wait })
        });
        let wait = match pass.await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::warn!(%error, "the copy of the public peering database could not be looked after");
                SOON
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
    }
}

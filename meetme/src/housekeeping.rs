//! What is thrown away with time: old lines of the change log, and answers kept for idempotency keys.

use std::time::Duration;

use meetme_app::{App, Error};
use meetme_store::Context;
use tokio_util::sync::CancellationToken;

/// How often it is looked after.
const PERIOD: Duration = Duration::from_secs(3600);
/// For how many seconds an answer is kept under its idempotency key.
const ANSWERS: i64 = 24 * 3600;

/// Throws away what is too old, once an hour, until the server stops.
pub async fn run(app: App, change_days: u32, stop: CancellationToken) {
    loop {
        let pass = app.store().write::<_, Error, _>(Context::system(), move |tx| {
            let now = tx.now();
            let answers = tx.forget_answers(now.plus_seconds(-ANSWERS))?;
            let changes = match change_days {
                0 => 0,
                days => tx.forget_changes(now.plus_seconds(-i64::from(days) * 24 * 3600))?,
            };
            Ok((answers, changes))
        });
        match pass.await {
            Ok((0, 0)) => {}
            Ok((answers, changes)) => tracing::info!(answers, changes, "what was too old is thrown away"),
            Err(e) => tracing::warn!(error = %e, "what is too old could not be thrown away"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PERIOD) => {}
        }
    }
}

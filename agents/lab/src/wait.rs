//! Waiting for a condition with a deadline. The only place where a test lets time pass.

use std::time::Duration;

use tokio::time::{Instant, interval};

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(20);

/// Waits until the condition holds. False when it still does not at the deadline.
#[must_use]
pub async fn until(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    until_async(deadline, async || condition()).await
}

/// Waits until a condition holds that itself has to wait for an answer. False when it still does not at the deadline.
#[must_use]
pub async fn until_async(deadline: Duration, mut condition: impl AsyncFnMut() -> bool) -> bool {
    let end = Instant::now() + deadline;
    let mut poll = interval(POLL);
    loop {
        poll.tick().await;
        if condition().await {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waiting_ends_when_the_condition_holds_or_the_time_is_up() {
        let mut looks = 0;
        let held = until(Duration::from_secs(5), || {
            looks += 1;
            looks == 3
        });
        assert!(held.await);
        assert!(!until(Duration::from_millis(30), || false).await);
    }
}

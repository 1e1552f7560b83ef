//! How often things are looked at again.

use std::time::Duration;

use meetme_base::Time;

/// How often things are looked at though nothing changed.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// What works: to see that it still does.
    pub watch: Duration,
    /// What equipment refused: to see whether it still does.
    pub retry: Duration,
    /// What is being built, at the most often; the longer it takes the less often.
    pub build: Duration,
    /// After how long what is still being built counts as failed.
    pub give_up: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            watch: Duration::from_secs(300),
            retry: Duration::from_secs(60),
            build: Duration::from_millis(100),
            give_up: Duration::from_secs(3600),
        }
    }
}

impl Pace {
    /// When to look again at what has been under way since then: after a quarter of its time so far, at most half a minute.
    pub(crate) fn patience(&self, since: Option<Time>, now: Time) -> Duration {
        let age = since.map_or(0, |t| u64::try_from(now.0 - t.0).unwrap_or(0));
        Duration::from_millis(age / 4).clamp(self.build, self.build.max(Duration::from_secs(30)))
    }

    /// Whether what has been under way since then takes too long.
    pub(crate) fn is_too_long(&self, since: Option<Time>, now: Time) -> bool {
        since.is_some_and(|t| now.0 - t.0 > i64::try_from(self.give_up.as_millis()).unwrap_or(i64::MAX))
    }
}

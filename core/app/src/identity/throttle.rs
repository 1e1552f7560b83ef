//! Slows down guessing: counts failures per name and per address in a sliding minute.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use meetme_base::Time;

use crate::Error;

/// Counts failures.
pub struct Throttle {
    most: u32,
    seen: Mutex<HashMap<String, (Time, u32)>>,
}

const WINDOW_MS: i64 = 60_000;
/// How many names and addresses are remembered at once.
const ROOM: usize = 100_000;

impl Throttle {
    /// Lets `most` failures pass in a minute.
    pub fn new(most: u32) -> Self {
        Self { most, seen: Mutex::default() }
    }

    /// Refuses when any of these names has failed too often lately.
    ///
    /// # Errors
    /// [`Error::Limited`] with the time to wait.
    pub fn check(&self, names: &[String], now: Time) -> Result<(), Error> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for name in names {
            if let Some((since, n)) = seen.get(name)
                && *n >= self.most
                && now.0 - since.0 < WINDOW_MS
            {
                let wait = u64::try_from(WINDOW_MS - (now.0 - since.0)).unwrap_or(1000);
                return Err(Error::Limited { retry_after: Duration::from_millis(wait) });
            }
        }
        Ok(())
    }

    /// Notes a failure under each of these names.
    pub fn failed(&self, names: &[String], now: Time) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() > ROOM {
            seen.retain(|_, (since, _)| now.0 - since.0 < WINDOW_MS);
        }
        for name in names {
            let entry = seen.entry(name.clone()).or_insert((now, 0));
            if now.0 - entry.0.0 >= WINDOW_MS {
                *entry = (now, 0);
            }
            entry.1 += 1;
        }
    }

    /// Forgets the failures of a name that has now succeeded.
    pub fn succeeded(&self, name: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_is_stopped_for_a_minute() {
        let throttle = Throttle::new(2);
        let names = ["user:ada".to_owned()];
        throttle.failed(&names, Time(0));
        assert!(throttle.check(&names, Time(1)).is_ok());
        throttle.failed(&names, Time(1));
        assert!(matches!(throttle.check(&names, Time(2)), Err(Error::Limited { .. })));
        assert!(throttle.check(&names, Time(60_000)).is_ok());
    }
}

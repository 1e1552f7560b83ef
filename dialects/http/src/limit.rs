//! How often one client may ask, and how often it may guess.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use meetme_app::Error;

use crate::Limits;

/// Two limiters keyed by client address. The second counts bad credentials; who exceeds it is kept out altogether until it
/// has recovered, or it could go on guessing and merely not be told.
pub(crate) struct Gate {
    requests: Option<DefaultKeyedRateLimiter<IpAddr>>,
    failures: Option<DefaultKeyedRateLimiter<IpAddr>>,
    clock: governor::clock::DefaultClock,
    /// Looked at only while `any_out`, so that the usual request takes no lock.
    out: RwLock<HashMap<IpAddr, Instant>>,
    any_out: AtomicBool,
}

impl Gate {
    pub fn new(limits: &Limits) -> Self {
        let per_second = NonZeroU32::new(limits.rate_per_second)
            .map(|rate| Quota::per_second(rate).allow_burst(NonZeroU32::new(limits.burst).unwrap_or(rate)));
        let per_minute = NonZeroU32::new(limits.auth_failures_per_minute).map(Quota::per_minute);
        Self {
            requests: per_second.map(RateLimiter::dashmap),
            failures: per_minute.map(RateLimiter::dashmap),
            clock: governor::clock::DefaultClock::default(),
            out: RwLock::default(),
            any_out: AtomicBool::new(false),
        }
    }

    /// Whether this client may be answered now.
    pub fn admit(&self, peer: IpAddr) -> Result<(), Error> {
        let key = key(peer);
        if self.any_out.load(Ordering::Relaxed) {
            let until = self.out.read().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
            if let Some(left) = until.and_then(|until| until.checked_duration_since(Instant::now())) {
                return Err(Error::Limited { retry_after: left });
            }
        }
        match &self.requests {
            Some(limiter) => limiter
                .check_key(&key)
                .map_err(|refused| Error::Limited { retry_after: refused.wait_time_from(self.clock.now()) }),
            None => Ok(()),
        }
    }

    /// Counts a bad credential of this client.
    pub fn failed(&self, peer: IpAddr) {
        let (Some(limiter), key) = (&self.failures, key(peer)) else { return };
        if let Err(refused) = limiter.check_key(&key) {
            let left = refused.wait_time_from(self.clock.now()).max(Duration::from_secs(1));
            self.out.write().unwrap_or_else(PoisonError::into_inner).insert(key, Instant::now() + left);
            self.any_out.store(true, Ordering::Relaxed);
        }
    }

    /// Forgets clients that have recovered. Called now and then.
    pub fn tidy(&self) {
        for limiter in [&self.requests, &self.failures].into_iter().flatten() {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
        let mut out = self.out.write().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        out.retain(|_, until| *until > now);
        self.any_out.store(!out.is_empty(), Ordering::Relaxed);
    }
}

/// An IPv6 client usually holds a whole /64 and could use a new address for each request.
fn key(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_guesses_is_kept_out_and_others_are_not() {
        let gate = Gate::new(&Limits { auth_failures_per_minute: 2, ..Limits::default() });
        let (guesser, neighbour, other) =
            ("2001:db8::1".parse().unwrap(), "2001:db8::2".parse().unwrap(), "192.0.2.1".parse().unwrap());
        gate.failed(guesser);
        gate.failed(guesser);
        assert!(gate.admit(guesser).is_ok());
        gate.failed(guesser);
        assert!(
            matches!(gate.admit(guesser), Err(Error::Limited { retry_after }) if retry_after > Duration::from_secs(20))
        );
        assert!(gate.admit(neighbour).is_err() && gate.admit(other).is_ok());
        gate.tidy();
        assert!(gate.admit(guesser).is_err());
    }

    #[test]
    fn a_burst_is_admitted_and_then_the_rate_counts() {
        let gate = Gate::new(&Limits { rate_per_second: 1, burst: 3, ..Limits::default() });
        let peer = "192.0.2.1".parse().unwrap();
        let admitted = (0..10).filter(|_| gate.admit(peer).is_ok()).count();
        assert_eq!(admitted, 3);
        let open = Gate::new(&Limits { rate_per_second: 0, ..Limits::default() });
        assert!((0..5000).all(|_| open.admit(peer).is_ok()));
    }
}

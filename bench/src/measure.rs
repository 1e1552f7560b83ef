//! The closed loop: so many workers, each doing one thing after another until the time is over.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::task::JoinSet;

/// Somebody who does one thing again and again.
pub trait Worker: Send + 'static {
    /// Does it once.
    fn once(&mut self) -> impl Future<Output = Result<()>> + Send;
}

/// What a run gave.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    micros: Vec<u32>,
    seconds: f64,
}

impl Figures {
    /// How many in a second.
    pub fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.micros.len() as f64 / self.seconds } else { 0.0 }
    }

    /// The time in milliseconds within which this share was done.
    pub fn within(&self, share: f64) -> f64 {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let at = (sorted.len() as f64 * share).ceil() as usize;
        sorted.get(at.saturating_sub(1)).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }

    /// Adds another run of the same.
    pub fn add(&mut self, other: Self) {
        self.micros.extend(other.micros);
        self.seconds += other.seconds;
    }
}

/// Lets the workers work for this long. What is under way at the end is finished and counted, with the time it took.
pub async fn repeat<W: Worker>(workers: Vec<W>, time: Duration) -> Result<Figures> {
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for mut worker in workers {
        tasks.spawn(async move {
            let mut micros = Vec::new();
            while start.elapsed() < time {
                let begun = Instant::now();
                worker.once().await?;
                micros.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
            }
            anyhow::Ok(micros)
        });
    }
    let mut figures = Figures::default();
    while let Some(done) = tasks.join_next().await {
        figures.micros.extend(done??);
    }
    figures.seconds = start.elapsed().as_secs_f64();
    Ok(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_from_the_sorted_times() {
        let figures = Figures { micros: (1..=100).rev().map(|n| n * 1000).collect(), seconds: 2.0 };
        assert_eq!((figures.within(0.5), figures.within(0.99), figures.rate()), (50.0, 99.0, 50.0));
        assert_eq!(Figures::default().within(0.5), 0.0);
    }

    #[test]
    fn two_runs_add_up_to_their_common_rate() {
        let mut figures = Figures { micros: vec![1; 30], seconds: 1.0 };
        figures.add(Figures { micros: vec![1; 10], seconds: 1.0 });
        assert_eq!(figures.rate(), 20.0);
    }
}

//! The table that is printed.

use crate::{case::LISTED, measure::Figures, server::Memory};

/// At least this share of the other's rate is the aim.
const AIM: f64 = 0.5;
/// Who ours is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Against {
    /// The bare program, for reads.
    Bare,
    /// The store alone, for writes.
    Store,
}

/// One line of the table.
pub struct Line {
    /// The request.
    pub case: &'static str,
    /// How many connections at the same time.
    pub connections: usize,
    /// Through the server.
    pub ours: Figures,
    /// Through the other.
    pub other: Figures,
    /// Which other.
    pub against: Against,
    /// The server's memory when this was over.
    pub memory: Memory,
}

impl Line {
    fn ratio(&self) -> f64 {
        let other = self.other.rate();
        if other > 0.0 { self.ours.rate() / other } else { 0.0 }
    }

    /// What to say when the aim was not reached.
    fn missed(&self) -> Option<String> {
        let (ratio, than) = (self.ratio(), self.against.word());
        (ratio < AIM).then(|| {
            format!("target missed: {}, {} connections: {ratio:.2} of {than}'s rate", self.case, self.connections)
        })
    }
}

impl Against {
    fn word(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Store => "store",
        }
    }
}

/// The head of the table.
pub fn head() -> String {
    format!(
        "{:<29}{:>6}{:>10}{:>9}{:>9}  {:<6}{:>9}{:>9}{:>9}{:>7}{:>9}{:>9}",
        "request",
        "conns",
        "ours/s",
        "p50 ms",
        "p99 ms",
        "other",
        "other/s",
        "p50 ms",
        "p99 ms",
        "ratio",
        "MiB",
        "most"
    )
}

/// One line of it.
pub fn line(line: &Line) -> String {
    let Line { case, connections, ours, other, against, memory } = line;
    format!(
        "{case:<29}{connections:>6}{:>10.0}{:>9.2}{:>9.2}  {:<6}{:>9.0}{:>9.2}{:>9.2}{:>7.2}{:>9}{:>9}",
        ours.rate(),
        ours.within(0.5),
        ours.within(0.99),
        against.word(),
        other.rate(),
        other.within(0.5),
        other.within(0.99),
        line.ratio(),
        memory.now / 1024,
        memory.most / 1024,
    )
}

/// What a list takes while the store holds so many more rows, beside the line that was measured without them.
pub fn crowded(count: usize, before: &Line, after: &Figures) -> String {
    let (before, after) = (before.ours.within(0.99), after.within(0.99));
    format!("{LISTED} with {count} more machines: p99 {after:.2} ms, {:.2} times that without them", after / before)
}

/// What did not reach the aim, a line for each.
pub fn missed(lines: &[Line]) -> Vec<String> {
    lines.iter().filter_map(Line::missed).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::measure::{Worker, repeat};

    struct Idle;
    impl Worker for Idle {
        async fn once(&mut self) -> anyhow::Result<()> {
            tokio::task::yield_now().await;
            Ok(())
        }
    }

    #[tokio::test]
    async fn less_than_half_is_said_aloud() {
        let some = repeat(vec![Idle], Duration::from_millis(5)).await.unwrap();
        let memory = Memory { now: 2048, most: 4096 };
        let line = |ours: &Figures, other: &Figures| Line {
            case: "AS detail",
            connections: 8,
            ours: ours.clone(),
            other: other.clone(),
            against: Against::Bare,
            memory,
        };
        assert!(missed(&[line(&some, &some)]).is_empty());
        let said = missed(&[line(&Figures::default(), &some)]);
        assert_eq!(said, ["target missed: AS detail, 8 connections: 0.00 of bare's rate"]);
    }
}

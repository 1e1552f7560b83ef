//! What a list asks for.

use crate::{Filter, Path};

/// Which way to sort.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Smallest first; rows without a value before all others.
    Up,
    /// Largest first; rows without a value after all others.
    Down,
}

/// One key of an order.
#[derive(Clone, PartialEq, Debug)]
pub struct Order {
    /// A field, possibly across references to one (`autonomous_system.asn`).
    pub path: Path,
    /// Which way.
    pub direction: Direction,
}

impl Order {
    /// Ascending.
    pub fn up(path: impl Into<Path>) -> Self {
        Self { path: path.into(), direction: Direction::Up }
    }
    /// Descending.
    pub fn down(path: impl Into<Path>) -> Self {
        Self { path: path.into(), direction: Direction::Down }
    }
}

/// A list: which rows, in which order, which part. Ties are broken by id, so pages never overlap.
#[derive(Clone, PartialEq, Debug)]
pub struct Query {
    /// Which rows.
    pub filter: Filter,
    /// In which order; by id when empty.
    pub order: Vec<Order>,
    /// At most this many rows.
    pub limit: u32,
    /// Leaving out this many rows first.
    pub offset: u64,
}

impl Query {
    /// The most rows one call may ask for. Callers that need all rows page.
    pub const MOST: u32 = 100_000;

    /// The rows that match, by id, up to [`Query::MOST`].
    pub fn of(filter: Filter) -> Self {
        Self { filter, order: Vec::new(), limit: Self::MOST, offset: 0 }
    }
    /// Sets the order.
    #[must_use]
    pub fn order(mut self, order: impl Into<Vec<Order>>) -> Self {
        self.order = order.into();
        self
    }
    /// Sets the part.
    #[must_use]
    pub fn page(mut self, limit: u32, offset: u64) -> Self {
        self.limit = limit.min(Self::MOST);
        self.offset = offset;
        self
    }
}

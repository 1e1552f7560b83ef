//! The store: a table per kind, the document is the truth, and everything generic about keeping resources.
//!
//! Promise: `store` knows no kind by name, no dialect and no runtime. Nothing outside this crate speaks SQL.
//!
//! A kind is a [`Resource`]: a serde struct kept as one JSON document, with declared fields that become columns and declared
//! edges that become references. An operation is one closure over a [`Tx`]: nothing can be awaited while a transaction is open. It
//! runs on a database thread or, where it reads and was quick the last time, on the thread that asks. SQLite and PostgreSQL behave the same; one test suite runs on both.
//!
//! Roads not taken: one big table for all kinds (an unindexed filter over 100,000 rows took 464 ms against 25 ms here), and
//! hand-written relational rows for about a hundred kinds on two databases.

mod along;
mod bulk;
mod change;
mod claim;
mod conn;
mod error;
mod fields;
mod filter;
mod fold;
mod follow;
mod habit;
mod job;
mod kind;
mod lines;
mod memo;
mod order;
mod postgres;
mod read;
mod registry;
mod remove;
mod resource;
mod sample;
mod schema;
mod sealed;
mod search;
mod sql;
mod sqlite;
mod store;
mod tenancy;
mod tx;
mod unclaimed;
mod value;
mod work;
mod write;

pub use change::{Change, ChangeQuery, Cursor, Moved, Verb};
pub use claim::Claim;
pub use error::Error;
pub use fields::{FieldRight, Fields};
pub use filter::{Filter, Op, Path};
pub use fold::fold;
pub use kind::{AnyObject, EdgeInfo, FieldInfo, KindInfo};
pub use lines::{Likeness, LineFilter, LineNumber, LineTest, LineText, Sign};
pub use memo::Memo;
pub use order::{Direction, Order, Query};
pub use registry::{Registry, Touched, TriggerOn};
pub use resource::{Edge, EdgeMode, Field, Object, OnDelete, Reach, Resource};
pub use sample::{Sample, Step};
pub use store::{Committed, Context, Open, Store};
pub use tenancy::Tie;
pub use tx::{Actor, Everything, Scope, Tx};
pub use value::{FieldType, Value};
pub use work::{Lease, Work};

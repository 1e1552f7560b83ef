//! Circuits: ordering one against an offer, changing it, and giving it up. A circuit has one leg, or two in different zones; what a
//! leg needs (a gateway router, a VLAN, a link subnet, a BGP session) is claimed in the transaction that orders it, so an order that
//! is accepted can be built.
//!
//! Phases that follow from wishes alone are set here, with the wish: `draft`, `asking`, `queued`, `ending` and `removing`. All others
//! are a controller's. It calls [`fold`] to tell a circuit's phase from its legs', and [`bury`] when the equipment has let go.
//!
//! The words of no door are known here: doors bring a [`NewCircuit`] and read back a [`Whole`].

mod change;
mod far;
mod nat;
mod order;
mod place;
mod remove;
mod session;
mod whole;

pub use change::{CircuitChange, LegChange, change};
pub use order::{Buy, NewCircuit, NewLeg, answer, order, submit};
pub use remove::{bury, cancel, lock, restore, take_along};
pub use whole::{Whole, fold, get, of_leg, of_network, of_owner, wholes};

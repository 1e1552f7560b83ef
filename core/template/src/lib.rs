//! Renders a template over a tree of objects: a router's configuration, a mail, an export of a list.
//!
//! Promise: it knows no store, no kind, no file and no network. What a template may see is a [`Tree`] that somebody else made,
//! whole, before the rendering begins; nothing is fetched on the way. A template is a stranger's program: its steps, the
//! memory it makes, the length of its text and its time are bounded, and it ends in a text or in a [`Failure`] that names
//! the line.
//!
//! The language is Jinja with the variables, filters and tags that operators' templates already use, `filter(...)` with
//! Django-style lookups included. The road not taken: turning the objects into JSON before the rendering. A router with
//! 20,000 sessions refers to the same few hundred rows from everywhere; written out it would be a thousand times as large.

mod address;
mod engine;
mod failure;
mod filters;
mod includes;
mod json;
mod lookup;
mod tree;

#[cfg(test)]
mod tests;

pub use address::Address;
pub use engine::{Flags, Limits, Rendering, Sources, check, render};
pub use failure::Failure;
pub use filters::{names as filter_names, routing_policies};
pub use includes::exports;
pub use json::{from_json, to_json};
pub use minijinja::Value;
pub use tree::{Entity, Key, Model, Rows, Tree};

//! Fields that stand in many models: what they are called, what they are in the core, how long they may be and where they
//! lead is said once. A model says only where its kind keeps the value.

use meetme_base::RawId;
use meetme_store::Resource;
use serde_json::Value as Json;

use super::{community, routing_policy};
use crate::model::Field;

impl<R: Resource> Field<R> {
    /// `description`: a line for people.
    pub const fn description(get: fn(&R) -> Option<&str>, set: fn(&mut R, Option<String>)) -> Self {
        Self::text("description", "description", 200, get, set)
    }

    /// `comments`: free text.
    pub const fn comments(get: fn(&R) -> Option<&str>, set: fn(&mut R, Option<String>)) -> Self {
        Self::text("comments", "comments", usize::MAX, get, set)
    }

    /// `import_routing_policies`: policies on what is accepted.
    pub const fn import(get: fn(&R) -> Vec<RawId>, set: fn(&mut R, Vec<RawId>)) -> Self {
        Self::many("import_routing_policies", "import", &routing_policy::MODEL, get, set)
    }

    /// `export_routing_policies`: policies on what is announced.
    pub const fn export(get: fn(&R) -> Vec<RawId>, set: fn(&mut R, Vec<RawId>)) -> Self {
        Self::many("export_routing_policies", "export", &routing_policy::MODEL, get, set)
    }

    /// `communities`: those that are set on routes.
    pub const fn communities(get: fn(&R) -> Vec<RawId>, set: fn(&mut R, Vec<RawId>)) -> Self {
        Self::many("communities", "communities", &community::MODEL, get, set)
    }

    /// `local_context_data`: the row's own data for templates.
    pub const fn local_context_data(get: fn(&R) -> Option<&Json>, set: fn(&mut R, Option<Json>)) -> Self {
        Self::json("local_context_data", "context", get, set).unordered()
    }
}

//! Fields that stand in many models: what they are called, what they are in the core, how long they may be and where they
//! lead is said once. A model says only where its kind keeps the value.

use meetme_app::sources::Follower;
use meetme_base::{Id, RawId};
use meetme_model::ops::Follows;
use meetme_store::Resource;
use serde_json::Value as Json;

use super::{community, data_source, routing_policy};
use crate::model::Field;

/// What the core calls the fields that say which file a text follows.
pub const FOLLOWS: &[(&str, &str)] = &[("follows.source", "data_source"), ("follows.path", "data_path")];

impl<R: Follower> Field<R> {
    /// `data_source`: the source of the file that the text is taken from.
    pub const fn data_source() -> Self {
        Self::one(
            "data_source",
            "source",
            &data_source::MODEL,
            |s| s.follows().source.map(Id::any),
            |s, id| match id {
                Some(id) => s.follows_mut().source = Some(id.of()),
                None => *s.follows_mut() = Follows::default(),
            },
        )
        .nullable()
        .ours()
    }

    /// `data_path`: where the file is in its source.
    pub const fn data_path() -> Self {
        Self::text(
            "data_path",
            "data_path",
            1000,
            |s| Some(&s.follows().path),
            |s, t| s.follows_mut().path = t.unwrap_or_default(),
        )
        .ours()
    }

    /// `auto_synchronisation_enabled`: whether the text is taken anew at each synchronisation.
    pub const fn auto_synchronisation() -> Self {
        Self::flag(
            "auto_synchronisation_enabled",
            "automatic",
            |s| s.follows().automatic,
            |s, b| s.follows_mut().automatic = b,
        )
        .ours()
    }

    /// `data_synchronised`: when the text was last taken from the file.
    pub const fn data_synchronised() -> Self {
        Self::moment("data_synchronised", "", |r| r.spec.follows().synced_at, None).ours()
    }
}

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

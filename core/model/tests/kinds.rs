//! Rules that every kind keeps, whoever wrote it. The store builds tables, filters and references from these declarations, so
//! a slip in one of them would show only when a database is opened.

use std::{collections::BTreeSet, sync::Arc};

use meetme_base::{ManualClock, Time};
use meetme_store::{FieldType, KindInfo, Open, Registry, Store};

/// Looks at every kind and fails with everything that was found, so that one run shows it all.
#[track_caller]
fn every_kind(find: impl Fn(&Registry, &KindInfo) -> Vec<String>) {
    let registry = meetme_model::registry();
    let named =
        |kind: &KindInfo| find(&registry, kind).into_iter().map(|what| format!("{}: {what}", kind.kind)).collect();
    let found: Vec<String> = registry.kinds().flat_map(|kind: &KindInfo| -> Vec<String> { named(kind) }).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(registry.kinds().count() > 0);
}

/// The columns that every kind has.
const BUILT_IN: &[&str] = &["id", "tenant", "created", "updated", "version"];

fn has_column(kind: &KindInfo, name: &str) -> bool {
    BUILT_IN.contains(&name) || kind.field(name).is_some() || kind.edge(name).is_some_and(|edge| !edge.many)
}

#[test]
fn every_kind_has_a_schema_with_a_meaning_for_each_value() {
    every_kind(|_, kind| {
        let (spec, status) = kind.schemas();
        let mut found = Vec::new();
        if spec["properties"].as_object().is_none_or(|properties| properties.is_empty()) {
            found.push("its schema has no properties".to_owned());
        }
        for (part, schema) in [("spec", &spec), ("status", &status)] {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let mute = properties.filter(|(_, value)| value["description"].as_str().is_none_or(str::is_empty));
            found.extend(mute.map(|(name, _)| format!("{part}.{name} has no description")));
        }
        found
    });
}

#[test]
fn names_of_fields_and_references_are_unique_and_fit_a_column() {
    every_kind(|_, kind| {
        let mut seen = BTreeSet::new();
        let names = kind.fields.iter().map(|f| f.name).chain(kind.edges.iter().map(|e| e.name));
        let mut found = Vec::new();
        for name in names {
            if !seen.insert(name) {
                found.push(format!("{name} is declared twice"));
            }
            if BUILT_IN.contains(&name) || ["uid", "seen", "live", "spec", "status"].contains(&name) {
                found.push(format!("{name} is a name of the store's own"));
            }
            if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
                found.push(format!("{name} cannot name a column"));
            }
        }
        found
    });
}

#[test]
fn every_reference_leads_to_a_registered_kind() {
    every_kind(|registry, kind| {
        let targets = kind.edges.iter().flat_map(|edge| edge.to.iter().map(move |to| (edge.name, *to)));
        let lost = targets.filter(|(_, to)| registry.kind(to.name()).is_none());
        lost.map(|(edge, to)| format!("{edge} leads to {to}, which is not registered")).collect()
    });
}

#[test]
fn every_column_of_a_unique_set_or_an_index_exists() {
    every_kind(|_, kind| {
        let sets = kind.unique.iter().chain(kind.indexes);
        let lost = sets.flat_map(|set| set.iter()).filter(|name| !has_column(kind, name));
        lost.map(|name| format!("there is no column {name}")).collect()
    });
}

#[test]
fn names_of_indexes_are_short_enough_for_every_database() {
    every_kind(|_, kind| {
        let names = kind.unique.iter().chain(kind.indexes).map(|set| format!("u_{}_{}", kind.kind, set.join("_")));
        // PostgreSQL cuts names at 63 bytes, and two that are cut alike would be one.
        names.filter(|name| name.len() > 63).map(|name| format!("{name} is too long")).collect()
    });
}

#[test]
fn only_texts_are_limited_to_words() {
    every_kind(|_, kind| {
        let worded = kind.fields.iter().filter(|field| !field.words.is_empty());
        let wrong = worded.filter(|field| !matches!(field.ty, FieldType::Text | FieldType::Texts));
        wrong.map(|field| format!("{} has words and is {}", field.name, field.ty.name())).collect()
    });
}

#[test]
fn every_kind_stands_in_its_area() {
    let areas = ["access", "place", "fabric", "routing", "metal", "catalog", "ops", "mirror"];
    every_kind(
        |_, kind| if areas.contains(&kind.area) { Vec::new() } else { vec![format!("{} is no area", kind.area)] },
    );
}

#[test]
fn a_database_can_be_made_for_all_kinds_and_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let open = Open::Sqlite { path: folder.path().join("kinds.db"), readers: 1 };
    for _ in 0..2 {
        let store = Store::open(&open, meetme_model::registry(), Arc::new(ManualClock::new(Time(0))));
        assert_eq!(store.err().map(|e| e.to_string()), None);
    }
}

//! The operation table, put together from the resources, and the schemas its rows name.

use meetme_http::Op;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

use crate::{page::Meta, resource};

/// The table.
pub fn ops() -> Vec<Op> {
    resource::ops()
}

/// The schemas: each resource's fields with its links, and what lists carry besides.
pub fn components() -> Map<String, Value> {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut generator = settings.into_generator();
    let mut own: Map<String, Value> =
        resource::SHOWN.iter().map(|entry| (entry.name.to_owned(), entry.schema(&mut generator))).collect();
    own.insert("Meta".to_owned(), Meta::json_schema(&mut generator).to_value());
    own.insert("Event".to_owned(), resource::event_schema(&mut generator));
    own.insert("VlanAssignment".to_owned(), resource::vlan_assignment_schema(&mut generator));
    own.insert("VlanAssignmentBatch".to_owned(), resource::batch_schema(&mut generator));
    own.insert("Member".to_owned(), resource::member_schema(&mut generator));
    let mut all = generator.take_definitions(true);
    all.append(&mut own);
    all
}

//! From the core's values to what is written on the wire.

use meetme_app::resources::{self, Create, Remove, Replace};
use meetme_model::registry;
use meetme_store::{AnyObject, Change, KindInfo, OnDelete, Reach, Registry};
use serde_json::{Value as Json, json};

use crate::wire::{Actor, ChangeLine, EdgeDescription, FieldDescription, KindDescription, Schemas, Writes};

/// The kinds as this program was built with: what paths and documents are made from before any store is open.
pub fn kinds() -> &'static Registry {
    static KINDS: std::sync::LazyLock<Registry> = std::sync::LazyLock::new(registry);
    &KINDS
}

/// A row.
pub fn row(object: &AnyObject) -> Json {
    json!({
        "kind": object.kind.name(),
        "id": object.id,
        "uid": object.uid,
        "tenant": object.tenant,
        "version": object.version,
        "seen": object.seen,
        "created": object.created,
        "updated": object.updated,
        "title": object.title,
        "spec": object.spec,
        "status": object.status,
    })
}

/// A line of the change log.
pub fn change(line: Change) -> ChangeLine {
    ChangeLine {
        cursor: line.cursor.to_string(),
        seq: line.seq,
        kind: line.kind.name(),
        id: line.id,
        tenant: line.tenant,
        version: line.version,
        verb: line.verb.name(),
        title: line.title,
        at: line.at,
        actor: Actor { id: line.actor, name: line.actor_name },
        dialect: line.dialect,
        request: line.request,
        code: line.code,
        note: line.note,
        before: line.before,
        after: line.after,
    }
}

/// A kind.
pub fn kind(info: &KindInfo, with_schemas: bool) -> KindDescription {
    let fields = info.shown_fields();
    KindDescription {
        kind: info.kind.name(),
        area: info.area,
        reach: match info.reach {
            Reach::Own => "own",
            Reach::Shared => "shared",
        },
        node: info.node,
        fields: fields
            .map(|field| FieldDescription {
                name: field.name,
                kind: field.ty.name(),
                of: if field.of_status { "status" } else { "spec" },
                indexed: field.indexed,
                searchable: field.searchable,
                words: field.words,
            })
            .collect(),
        edges: info
            .edges
            .iter()
            .map(|edge| EdgeDescription {
                name: edge.name,
                to: edge.to.iter().map(|kind| kind.name()).collect(),
                many: edge.many,
                on_delete: match edge.on_delete {
                    OnDelete::Refuse => "refuse",
                    OnDelete::Cascade => "cascade",
                    OnDelete::Detach => "detach",
                },
            })
            .collect(),
        unique: info.unique.iter().map(|set| set.to_vec()).collect(),
        indexes: info.indexes.iter().map(|set| set.to_vec()).collect(),
        writes: writes(info),
        schemas: with_schemas.then(|| schemas(info)),
    }
}

fn writes(info: &KindInfo) -> Writes {
    let hooks = resources::hooks(info);
    let mut note = None;
    let mut refused = |why| {
        note = note.or(Some(why));
        "refused"
    };
    Writes {
        create: match hooks.create {
            Create::Plain => "plain",
            Create::Refused(why) => refused(why),
            Create::By(_) | Create::Taking(..) => "operation",
        },
        replace: match hooks.replace {
            Replace::Plain => "plain",
            Replace::Words(_) => "words",
            Replace::Refused(why) => refused(why),
            Replace::By(_) => "operation",
        },
        remove: match hooks.remove {
            Remove::Plain => "plain",
            Remove::Refused(why) => refused(why),
            Remove::By(_) => "operation",
        },
        note,
    }
}

fn schemas(info: &KindInfo) -> Schemas {
    let (spec, status) = info.schemas();
    let create = matches!(resources::hooks(info).create, Create::Taking(..)).then(|| resources::creation_schema(info));
    Schemas { spec, status, create }
}

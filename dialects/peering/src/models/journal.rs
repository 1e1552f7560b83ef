//! Journal entries: what people noted about objects.

use meetme_base::{Id, RawId};
use meetme_model::{
    access::User,
    ops::{Journal, JournalLevel},
};
use meetme_store::{Object, Resource as _};

use super::{content_type, raw, typed};
use crate::{
    model::{About, Field, How, Model, Sieve, Words, everything},
    query,
};

type Of = Journal;
type F = Field<Of>;

/// Wire word and label.
const LEVELS: Words = &[("info", "Info"), ("success", "Success"), ("warning", "Warning"), ("danger", "Danger")];

/// The same for filters, where the core's words are the wire's.
const LEVEL_FILTER: Words = &[("info", "info"), ("success", "success"), ("warning", "warning"), ("danger", "danger")];

fn fresh() -> Of {
    Of {
        on: RawId::new(0),
        sort: String::new(),
        level: JournalLevel::Info,
        text: String::new(),
        by: None,
        tags: Vec::new(),
    }
}

/// `2026-11-25 23:57 (Info)`.
fn display(row: &Object<Of>) -> String {
    let word = row.spec.level.word();
    let label = LEVELS.iter().find(|(known, _)| *known == word).map_or(word, |(_, label)| label);
    let minute: String = row.created.to_string().replace('T', " ").chars().take(16).collect();
    format!("{minute} ({label})")
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "JournalEntry",
        verbose: "journal entry",
        app: "extras",
        path: "journal-entries",
        old: &[],
        number: 49,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "created"],
        order: &["-created"],
        filters: &[
            Sieve::new("assigned_object_type", How::Type("sort")),
            Sieve::new("assigned_object_type_id", How::Type("sort")),
            Sieve::new("assigned_object_id", How::Number("on")),
            Sieve::new("created_by", How::Row("by", User::KIND, "username")),
            Sieve::new("created_by_id", How::Row("by", User::KIND, "id")),
            Sieve::new("kind", How::Choice("level", LEVEL_FILTER)),
        ],
        aliases: &[],
        read_only: false,
        tagged: true,
        only: everything,
        search: |text| query::holds(&["text"], text),
    },
    needs: &[],
    display: |row, _| display(row),
    fresh: Some(fresh),
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::parsed(
            "assigned_object_type",
            "sort",
            |s| content_type::spelled(&s.sort),
            |s, t| {
                s.sort = content_type::read(t)?;
                Ok(())
            },
        )
        .required(),
        F::integer(
            "assigned_object_id",
            "on",
            0,
            i64::MAX,
            |r| Some(r.spec.on.get()),
            |d, n| {
                d.spec.on = RawId::new(n.unwrap_or_default());
            },
        )
        .required(),
        F::object("assigned_object", |s| &s.sort, |s| s.on),
        F::created(),
        F::updated(),
        F::integer("created_by", "by", 0, i64::MAX, |r| r.spec.by.map(Id::get), |d, n| d.spec.by = n.map(Id::new))
            .nullable(),
        F::choice(
            "kind",
            "level",
            LEVELS,
            |r| Some(r.spec.level.word()),
            |d, w| {
                d.spec.level = w.and_then(JournalLevel::parse).unwrap_or_default();
            },
        )
        .labelled(),
        F::verbatim("comments", "text", |s| Some(&s.text), |s, t| s.text = t.unwrap_or_default()).required(),
        F::tags(|s| raw(&s.tags), |s, v| s.tags = typed(v)),
    ],
};

//! Files of data sources, to be read: they come by synchronising.

use meetme_model::ops::{DataFile, DataSource};
use meetme_store::Resource as _;

use super::data_source;
use crate::{
    json,
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = DataFile;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "DataFile",
        verbose: "data file",
        app: "core",
        path: "data-files",
        old: &[],
        number: 141,
        kind: Of::KIND,
        brief: &["id", "url", "display_url", "display", "path"],
        order: &["source.name", "path"],
        filters: &[
            Sieve::new("path", How::Text("path")),
            Sieve::new("hash", How::Text("hash")),
            Sieve::new("size", How::Number("size")),
            Sieve::new("source", How::Row("source", DataSource::KIND, "name")),
            Sieve::new("source_id", How::Row("source", DataSource::KIND, "id")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["path"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::id(),
        F::url(),
        F::page(),
        F::display(),
        F::one("source", "source.name", &data_source::MODEL, |s| Some(s.source.any()), |_, _| {}),
        F::text("path", "path", 1000, |s| Some(&s.path), |_, _| {}),
        F::updated(),
        F::integer("size", "size", 0, i64::MAX, |r| i64::try_from(r.spec.size).ok(), |_, _| {}),
        F::text("hash", "hash", 64, |s| Some(&s.hash), |_, _| {}),
        F::made("text", "string", |r, _, _, out| json::maybe(out, r.spec.text.as_deref())).ours(),
        F::made("data", "string", |r, _, _, out| json::maybe(out, r.spec.base64.as_deref())).ours(),
    ],
};

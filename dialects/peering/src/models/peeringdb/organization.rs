//! Organizations in the copy of the public peering database.

use meetme_model::mirror::PdbOrg;
use meetme_store::Resource as _;

use crate::{
    json,
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbOrg;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Organization",
        verbose: "organization",
        app: "peeringdb",
        path: "organizations",
        old: &[],
        number: 101,
        kind: Of::KIND,
        // Its nested form is the whole of it.
        brief: &[
            "id",
            "address1",
            "address2",
            "city",
            "state",
            "zipcode",
            "country",
            "latitude",
            "longitude",
            "suite",
            "floor",
            "name",
            "name_long",
            "aka",
            "website",
            "notes",
        ],
        order: &["name"],
        filters: &[Sieve::new("id", How::Number("pdb_id")), Sieve::new("name", How::Text("name"))],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["name", "name_long", "aka"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::number(),
        F::text("address1", "", 255, |s| Some(&s.address1), |_, _| {}).kept(),
        F::text("address2", "", 255, |s| Some(&s.address2), |_, _| {}).kept(),
        F::text("city", "city", 255, |s| Some(&s.city), |_, _| {}).kept(),
        F::text("state", "", 255, |s| Some(&s.state), |_, _| {}).kept(),
        F::text("zipcode", "", 48, |s| Some(&s.zipcode), |_, _| {}).kept(),
        F::text("country", "country", 7, |s| Some(&s.country), |_, _| {}).kept(),
        F::made("latitude", "decimal", |r, _, _, out| json::value(out, &r.spec.latitude.into())),
        F::made("longitude", "decimal", |r, _, _, out| json::value(out, &r.spec.longitude.into())),
        F::text("suite", "", 255, |s| Some(&s.suite), |_, _| {}).kept(),
        F::text("floor", "", 255, |s| Some(&s.floor), |_, _| {}).kept(),
        F::text("name", "name", 255, |s| Some(&s.name), |_, _| {}).kept(),
        F::text("name_long", "name_long", 255, |s| Some(&s.name_long), |_, _| {}).kept(),
        F::text("aka", "aka", 255, |s| Some(&s.aka), |_, _| {}).kept(),
        F::text("website", "", 255, |s| Some(&s.website), |_, _| {}).kept(),
        F::text("notes", "", usize::MAX, |s| Some(&s.notes), |_, _| {}).kept(),
    ],
};

//! Campuses in the copy of the public peering database.

use meetme_model::mirror::{PdbCampus, PdbOrg};
use meetme_store::Resource as _;

use super::organization;
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbCampus;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Campus",
        verbose: "campus",
        app: "peeringdb",
        path: "campuses",
        old: &[],
        number: 102,
        kind: Of::KIND,
        // Its nested form is the whole of it.
        brief: &["name", "name_long", "aka", "website", "social_media", "notes", "org"],
        order: &["name"],
        filters: &[
            Sieve::new("id", How::Number("pdb_id")),
            Sieve::new("name", How::Text("name")),
            Sieve::new("org_id", How::Row("org", PdbOrg::KIND, "pdb_id")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["name"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::text("name", "name", 255, |s| Some(&s.name), |_, _| {}).kept(),
        F::text("name_long", "", 255, |s| Some(&s.name_long), |_, _| {}).kept(),
        F::text("aka", "", 255, |s| Some(&s.aka), |_, _| {}).kept(),
        F::text("website", "", 255, |s| Some(&s.website), |_, _| {}).kept(),
        F::json("social_media", "", |s| Some(&s.social_media), |_, _| {}).kept(),
        F::text("notes", "", usize::MAX, |s| Some(&s.notes), |_, _| {}).kept(),
        F::one("org", "org", &organization::MODEL, |s| s.org, |_, _| {}).kept(),
    ],
};

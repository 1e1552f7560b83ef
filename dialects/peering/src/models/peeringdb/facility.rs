//! Facilities in the copy of the public peering database.

use meetme_model::mirror::{PdbFacility, PdbOrg};
use meetme_store::Resource as _;

use super::{joined, organization};
use crate::{
    json,
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbFacility;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Facility",
        verbose: "facility",
        app: "peeringdb",
        path: "facilities",
        old: &[],
        number: 103,
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
            "clli",
            "rencode",
            "npanxx",
            "tech_email",
            "tech_phone",
            "sales_email",
            "sales_phone",
            "property",
            "diverse_serving_substations",
            "available_voltage_services",
            "notes",
            "org",
        ],
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
        search: |text| query::holds(&["name", "name_long", "aka", "city"], text),
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
        F::text("clli", "", 18, |s| Some(&s.clli), |_, _| {}).kept(),
        F::text("rencode", "", 18, |s| Some(&s.rencode), |_, _| {}).kept(),
        F::text("npanxx", "", 21, |s| Some(&s.npanxx), |_, _| {}).kept(),
        F::text("tech_email", "", 254, |s| Some(&s.tech_email), |_, _| {}).kept(),
        F::text("tech_phone", "", 192, |s| Some(&s.tech_phone), |_, _| {}).kept(),
        F::text("sales_email", "", 254, |s| Some(&s.sales_email), |_, _| {}).kept(),
        F::text("sales_phone", "", 192, |s| Some(&s.sales_phone), |_, _| {}).kept(),
        F::text("property", "", 255, |s| s.property.as_deref(), |_, _| {}).nullable().kept(),
        F::made("diverse_serving_substations", "boolean", |r, _, _, out| match r.spec.diverse_serving_substations {
            Some(truth) => json::boolean(out, truth),
            None => json::null(out),
        }),
        F::made("available_voltage_services", "string", |r, _, _, out| joined(out, &r.spec.available_voltage_services)),
        F::text("notes", "", usize::MAX, |s| Some(&s.notes), |_, _| {}).kept(),
        F::one("org", "org", &organization::MODEL, |s| s.org, |_, _| {}).kept(),
    ],
};

//! Internet exchanges in the copy of the public peering database.

use meetme_model::mirror::{PdbExchange, PdbOrg};
use meetme_store::Resource as _;

use super::organization;
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbExchange;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "PeeringDBInternetExchange",
        verbose: "internet exchange",
        app: "peeringdb",
        path: "internet-exchanges",
        old: &[],
        number: 106,
        kind: Of::KIND,
        // Its nested form is the whole of it.
        brief: &[
            "id",
            "name",
            "name_long",
            "aka",
            "city",
            "country",
            "notes",
            "region_continent",
            "media",
            "proto_unicast",
            "proto_multicast",
            "proto_ipv6",
            "website",
            "url_stats",
            "tech_email",
            "tech_phone",
            "policy_email",
            "policy_phone",
            "sales_email",
            "sales_phone",
            "ixf_net_count",
            "ixf_last_import",
            "service_level",
            "terms",
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
        F::text("name", "name", 64, |s| Some(&s.name), |_, _| {}).kept(),
        F::text("name_long", "name_long", 255, |s| Some(&s.name_long), |_, _| {}).kept(),
        F::text("aka", "aka", 255, |s| Some(&s.aka), |_, _| {}).kept(),
        F::text("city", "city", 192, |s| Some(&s.city), |_, _| {}).kept(),
        F::text("country", "country", 7, |s| Some(&s.country), |_, _| {}).kept(),
        F::text("notes", "", usize::MAX, |s| Some(&s.notes), |_, _| {}).kept(),
        F::text("region_continent", "region_continent", usize::MAX, |s| Some(&s.region_continent), |_, _| {}).kept(),
        F::text("media", "", usize::MAX, |s| Some(&s.media), |_, _| {}).kept(),
        F::flag("proto_unicast", "", |s| s.proto_unicast.0, |_, _| {}).kept(),
        F::flag("proto_multicast", "", |s| s.proto_multicast.0, |_, _| {}).kept(),
        F::flag("proto_ipv6", "", |s| s.proto_ipv6.0, |_, _| {}).kept(),
        F::text("website", "", 255, |s| Some(&s.website), |_, _| {}).kept(),
        F::text("url_stats", "", 255, |s| Some(&s.url_stats), |_, _| {}).kept(),
        F::text("tech_email", "", 254, |s| Some(&s.tech_email), |_, _| {}).kept(),
        F::text("tech_phone", "", 192, |s| Some(&s.tech_phone), |_, _| {}).kept(),
        F::text("policy_email", "", 254, |s| Some(&s.policy_email), |_, _| {}).kept(),
        F::text("policy_phone", "", 192, |s| Some(&s.policy_phone), |_, _| {}).kept(),
        F::text("sales_email", "", 254, |s| Some(&s.sales_email), |_, _| {}).kept(),
        F::text("sales_phone", "", 192, |s| Some(&s.sales_phone), |_, _| {}).kept(),
        F::integer("ixf_net_count", "", 0, u32::MAX as i64, |r| Some(r.spec.ixf_net_count.0), |_, _| {}).kept(),
        F::moment("ixf_last_import", "", |r| r.spec.ixf_last_import, None),
        F::text("service_level", "", usize::MAX, |s| Some(&s.service_level), |_, _| {}).kept(),
        F::text("terms", "", usize::MAX, |s| Some(&s.terms), |_, _| {}).kept(),
        F::one("org", "org", &organization::MODEL, |s| s.org, |_, _| {}).kept(),
    ],
};

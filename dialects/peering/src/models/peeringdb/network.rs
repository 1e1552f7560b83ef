//! Networks in the copy of the public peering database.

use meetme_model::mirror::{PdbNetwork, PdbOrg};
use meetme_store::Resource as _;

use super::{joined, organization};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbNetwork;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "Network",
        verbose: "network",
        app: "peeringdb",
        path: "networks",
        old: &[],
        number: 104,
        kind: Of::KIND,
        // Its nested form is the whole of it.
        brief: &[
            "id",
            "display",
            "asn",
            "name",
            "name_long",
            "aka",
            "irr_as_set",
            "website",
            "looking_glass",
            "route_server",
            "notes",
            "notes_private",
            "info_traffic",
            "info_ratio",
            "info_scope",
            "info_type",
            "info_types",
            "info_prefixes4",
            "info_prefixes6",
            "info_unicast",
            "info_multicast",
            "info_ipv6",
            "info_never_via_route_servers",
            "policy_url",
            "policy_general",
            "policy_locations",
            "policy_ratio",
            "policy_contracts",
            "org",
        ],
        order: &["asn"],
        filters: &[
            Sieve::new("id", How::Number("pdb_id")),
            Sieve::new("asn", How::Number("asn")),
            Sieve::new("name", How::Text("name")),
            Sieve::new("org_id", How::Row("org", PdbOrg::KIND, "pdb_id")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| {
            query::holds(&["name", "name_long", "aka", "irr_as_set"], text).or(query::begins_with(
                "asn",
                text,
                i64::from(u32::MAX),
            ))
        },
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::number(),
        F::display(),
        F::integer("asn", "asn", 1, u32::MAX as i64, |r| Some(r.spec.asn.get().into()), |_, _| {}).kept(),
        F::text("name", "name", 255, |s| Some(&s.name), |_, _| {}).kept(),
        F::text("name_long", "name_long", 255, |s| Some(&s.name_long), |_, _| {}).kept(),
        F::text("aka", "aka", 255, |s| Some(&s.aka), |_, _| {}).kept(),
        F::text("irr_as_set", "irr_as_set", 255, |s| Some(&s.irr_as_set), |_, _| {}).kept(),
        F::text("website", "", 255, |s| Some(&s.website), |_, _| {}).kept(),
        F::text("looking_glass", "", 255, |s| Some(&s.looking_glass), |_, _| {}).kept(),
        F::text("route_server", "", 255, |s| Some(&s.route_server), |_, _| {}).kept(),
        F::text("notes", "", usize::MAX, |s| Some(&s.notes), |_, _| {}).kept(),
        // Only its owner is told, and the copy is not the owner's.
        F::text("notes_private", "", usize::MAX, |_| Some(""), |_, _| {}).kept(),
        F::text("info_traffic", "info_traffic", usize::MAX, |s| Some(&s.info_traffic), |_, _| {}).kept(),
        F::text("info_ratio", "info_ratio", usize::MAX, |s| Some(&s.info_ratio), |_, _| {}).kept(),
        F::text("info_scope", "info_scope", usize::MAX, |s| Some(&s.info_scope), |_, _| {}).kept(),
        F::text("info_type", "info_type", usize::MAX, |s| Some(&s.info_type), |_, _| {}).kept(),
        F::made("info_types", "string", |r, _, _, out| joined(out, &r.spec.info_types)),
        F::integer("info_prefixes4", "", 0, u32::MAX as i64, |r| r.spec.info_prefixes4, |_, _| {}).kept(),
        F::integer("info_prefixes6", "", 0, u32::MAX as i64, |r| r.spec.info_prefixes6, |_, _| {}).kept(),
        F::flag("info_unicast", "", |s| s.info_unicast.0, |_, _| {}).kept(),
        F::flag("info_multicast", "", |s| s.info_multicast.0, |_, _| {}).kept(),
        F::flag("info_ipv6", "", |s| s.info_ipv6.0, |_, _| {}).kept(),
        F::flag("info_never_via_route_servers", "", |s| s.info_never_via_route_servers.0, |_, _| {}).kept(),
        F::text("policy_url", "", 255, |s| Some(&s.policy_url), |_, _| {}).kept(),
        F::text("policy_general", "policy_general", usize::MAX, |s| Some(&s.policy_general), |_, _| {}).kept(),
        F::text("policy_locations", "policy_locations", usize::MAX, |s| Some(&s.policy_locations), |_, _| {}).kept(),
        F::flag("policy_ratio", "policy_ratio", |s| s.policy_ratio.0, |_, _| {}).kept(),
        F::text("policy_contracts", "policy_contracts", usize::MAX, |s| Some(&s.policy_contracts), |_, _| {}).kept(),
        F::one("org", "org", &organization::MODEL, |s| s.org, |_, _| {}).kept(),
    ],
};

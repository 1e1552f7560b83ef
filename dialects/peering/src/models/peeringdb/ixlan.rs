//! Peering networks of exchanges in the copy of the public peering database.

use meetme_model::mirror::{PdbExchange, PdbLan};
use meetme_store::Resource as _;

use super::exchange;
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbLan;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "IXLan",
        verbose: "ixlan",
        app: "peeringdb",
        path: "ixlans",
        old: &[],
        number: 108,
        kind: Of::KIND,
        // Its nested form is the whole of it.
        brief: &[
            "id",
            "name",
            "descr",
            "mtu",
            "vlan",
            "dot1q_support",
            "rs_asn",
            "arp_sponge",
            "ixf_ixp_member_list_url",
            "ixf_ixp_member_list_url_visible",
            "ix",
        ],
        order: &["pdb_id"],
        filters: &[
            Sieve::new("id", How::Number("pdb_id")),
            Sieve::new("ix_id", How::Row("ix", PdbExchange::KIND, "pdb_id")),
            Sieve::new("rs_asn", How::Number("rs_asn")),
            Sieve::new("vlan", How::Number("vlan")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["name", "ix.name"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::number(),
        F::text("name", "name", 255, |s| Some(&s.name), |_, _| {}).kept(),
        F::text("descr", "", usize::MAX, |s| Some(&s.descr), |_, _| {}).kept(),
        F::integer("mtu", "", 0, u32::MAX as i64, |r| r.spec.mtu, |_, _| {}).kept(),
        F::integer("vlan", "vlan", 0, u32::MAX as i64, |r| r.spec.vlan, |_, _| {}).kept(),
        F::flag("dot1q_support", "", |s| s.dot1q_support.0, |_, _| {}).kept(),
        F::integer("rs_asn", "rs_asn", 0, u32::MAX as i64, |r| r.spec.rs_asn, |_, _| {}).kept(),
        F::parsed("arp_sponge", "", |s| s.arp_sponge.map(|mac| mac.to_string()), |_, _| Ok(())).kept(),
        F::text("ixf_ixp_member_list_url", "", 200, |s| Some(&s.ixf_ixp_member_list_url), |_, _| {}).kept(),
        F::text(
            "ixf_ixp_member_list_url_visible",
            "",
            usize::MAX,
            |s| Some(&s.ixf_ixp_member_list_url_visible),
            |_, _| {},
        )
        .kept(),
        F::one("ix", "ix", &exchange::MODEL, |s| s.ix, |_, _| {}).kept(),
    ],
};

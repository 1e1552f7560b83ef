//! Presences of networks in facilities in the copy of the public peering database.

use meetme_model::mirror::{PdbFacility, PdbNetwork, PdbNetworkFacility};
use meetme_store::Resource as _;

use super::{facility, network};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbNetworkFacility;
type F = Field<Of>;

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "NetworkFacility",
        verbose: "network facility",
        app: "peeringdb",
        path: "network-facilities",
        old: &[],
        number: 110,
        kind: Of::KIND,
        // Its nested form is the whole of it.
        brief: &["id", "local_asn", "avail_sonet", "avail_ethernet", "avail_atm", "net", "fac"],
        order: &["pdb_id"],
        filters: &[
            Sieve::new("id", How::Number("pdb_id")),
            Sieve::new("net_id", How::Row("net", PdbNetwork::KIND, "pdb_id")),
            Sieve::new("fac_id", How::Row("fac", PdbFacility::KIND, "pdb_id")),
            Sieve::new("local_asn", How::Number("local_asn")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search: |text| query::holds(&["net.name", "fac.name"], text),
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::number(),
        F::integer("local_asn", "local_asn", 0, u32::MAX as i64, |r| r.spec.local_asn, |_, _| {}).kept(),
        F::flag("avail_sonet", "", |s| s.avail_sonet.0, |_, _| {}).kept(),
        F::flag("avail_ethernet", "", |s| s.avail_ethernet.0, |_, _| {}).kept(),
        F::flag("avail_atm", "", |s| s.avail_atm.0, |_, _| {}).kept(),
        F::one("net", "net", &network::MODEL, |s| s.net, |_, _| {}).kept(),
        F::one("fac", "fac", &facility::MODEL, |s| s.fac, |_, _| {}).kept(),
    ],
};

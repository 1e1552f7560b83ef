//! Ports of networks at exchanges in the copy of the public peering database.

use meetme_model::mirror::{PdbLan, PdbNetwork, PdbPort};
use meetme_store::{Filter, Resource as _};

use super::{
    facility,
    words::{CONTRACTS, LOCATIONS, POLICIES, SCOPES, TRAFFIC, TYPES},
};
use crate::{
    model::{About, Field, How, Model, Sieve, everything},
    query,
};

type Of = PdbPort;
type F = Field<Of>;

/// An address is found by itself, a number by how it begins.
fn search(text: &str) -> Filter {
    let named = query::holds(&["net.name"], text).or(query::begins_with("asn", text, u32::MAX.into()));
    match text.parse::<std::net::IpAddr>() {
        Ok(ip) if ip.is_ipv4() => named.or(Filter::eq("ip4", ip)),
        Ok(ip) => named.or(Filter::eq("ip6", ip)),
        Err(_) => named,
    }
}

/// The model.
pub static MODEL: Model<Of> = Model {
    about: About {
        name: "NetworkIXLan",
        verbose: "network ixlan",
        app: "peeringdb",
        path: "network-ixlans",
        old: &[],
        number: 111,
        kind: Of::KIND,
        // Its nested form is the whole of it.
        brief: &[
            "id",
            "asn",
            "ipaddr4",
            "ipaddr6",
            "is_rs_peer",
            "bfd_support",
            "notes",
            "speed",
            "operational",
            "net",
            "ixlan",
            "net_side",
            "ix_side",
        ],
        order: &["asn", "pdb_id"],
        filters: &[
            Sieve::new("id", How::Number("pdb_id")),
            Sieve::new("asn", How::Number("asn")),
            Sieve::new("net_id", How::Row("net", PdbNetwork::KIND, "pdb_id")),
            Sieve::new("net_asn", How::Row("net", PdbNetwork::KIND, "asn")),
            Sieve::new("ixlan_id", How::Row("ixlan", PdbLan::KIND, "pdb_id")),
            Sieve::new("is_rs_peer", How::Flag("is_rs_peer")),
            Sieve::new("bfd_support", How::Flag("bfd_support")),
            Sieve::new("net__info_scope", How::Choice("net.info_scope", SCOPES)),
            Sieve::new("net__info_traffic", How::Choice("net.info_traffic", TRAFFIC)),
            Sieve::new("net__info_type", How::Choice("net.info_type", TYPES)),
            Sieve::new("net__policy_contracts", How::Choice("net.policy_contracts", CONTRACTS)),
            Sieve::new("net__policy_general", How::Choice("net.policy_general", POLICIES)),
            Sieve::new("net__policy_locations", How::Choice("net.policy_locations", LOCATIONS)),
            Sieve::new("net__policy_ratio", How::Flag("net.policy_ratio")),
        ],
        aliases: &[],
        read_only: true,
        tagged: false,
        only: everything,
        search,
    },
    needs: &[],
    display: |row, _| row.spec.title(),
    fresh: None,
    fields: &[
        F::number(),
        F::integer("asn", "asn", 1, u32::MAX as i64, |r| Some(r.spec.asn.get().into()), |_, _| {}).kept(),
        F::parsed("ipaddr4", "ip4", |s| s.ipaddr4.map(|ip| format!("{ip}/32")), |_, _| Ok(())).kept(),
        F::parsed("ipaddr6", "ip6", |s| s.ipaddr6.map(|ip| format!("{ip}/128")), |_, _| Ok(())).kept(),
        F::flag("is_rs_peer", "is_rs_peer", |s| s.is_rs_peer.0, |_, _| {}).kept(),
        F::flag("bfd_support", "bfd_support", |s| s.bfd_support.0, |_, _| {}).kept(),
        F::text("notes", "", 255, |s| Some(&s.notes), |_, _| {}).kept(),
        F::integer("speed", "speed", 0, u32::MAX as i64, |r| Some(r.spec.speed.0), |_, _| {}).kept(),
        F::flag("operational", "operational", |s| s.operational.unwrap_or(true), |_, _| {}).kept(),
        F::integer("net", "", 1, i32::MAX as i64, |r| r.spec.net_id, |_, _| {}).kept(),
        F::integer("ixlan", "", 1, i32::MAX as i64, |r| r.spec.ixlan_id, |_, _| {}).kept(),
        F::one("net_side", "net_side", &facility::MODEL, |s| s.net_side, |_, _| {}).kept(),
        F::one("ix_side", "ix_side", &facility::MODEL, |s| s.ix_side, |_, _| {}).kept(),
    ],
};

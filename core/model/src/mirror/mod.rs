//! Area `mirror`: our copy of the public peering database (PeeringDB), and what people say about its rows.
//!
//! The copy belongs to the installation: its rows hang on the operator's node, everybody below reads them, and only the
//! synchronisation writes them. A row keeps the database's own numbers beside the references made of them here, so that what
//! was written down by number (an exchange's network, a hidden peer) outlives a copy that is thrown away and fetched anew.

mod campus;
mod carrier;
mod carrier_facility;
mod contact;
mod exchange;
mod exchange_facility;
mod facility;
mod hidden_peer;
mod lan;
mod loose;
mod network;
mod network_facility;
mod org;
mod port;
mod prefix;
mod sync;

pub use campus::PdbCampus;
pub use carrier::PdbCarrier;
pub use carrier_facility::PdbCarrierFacility;
pub use contact::PdbContact;
pub use exchange::PdbExchange;
pub use exchange_facility::PdbExchangeFacility;
pub use facility::PdbFacility;
pub use hidden_peer::HiddenPeer;
pub use lan::PdbLan;
pub use loose::Loose;
pub use network::PdbNetwork;
pub use network_facility::PdbNetworkFacility;
pub use org::PdbOrg;
pub use port::PdbPort;
pub use prefix::PdbPrefix;
pub use sync::PdbSync;

use meetme_base::{Asn, Invalid, RawId, Time};
use meetme_store::{Registry, Resource};

use crate::{Nothing, check};

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<PdbOrg>()
        .with::<PdbCampus>()
        .with::<PdbFacility>()
        .with::<PdbCarrier>()
        .with::<PdbCarrierFacility>()
        .with::<PdbNetwork>()
        .with::<PdbExchange>()
        .with::<PdbExchangeFacility>()
        .with::<PdbLan>()
        .with::<PdbPrefix>()
        .with::<PdbNetworkFacility>()
        .with::<PdbPort>()
        .with::<PdbContact>()
        .with::<PdbSync>()
        .with::<HiddenPeer>()
}

/// A kind that is copied. Its JSON form is the database's own, with our references beside.
pub trait Mirrored: Resource<Status = Nothing> {
    /// What the database calls such objects in its addresses.
    const TYPE: &'static str;
    /// The database's own number for the row.
    fn pdb_id(&self) -> i64;
    /// When it was last changed there.
    fn pdb_updated(&self) -> Option<Time>;
    /// What it refers to.
    fn references(&mut self) -> Vec<Reference<'_>>;
}

/// A reference of a copied row, by number and as it is kept here.
pub struct Reference<'a> {
    /// The type it leads to, as [`Mirrored::TYPE`].
    pub to: &'static str,
    /// The database's own number of the target.
    pub number: Option<i64>,
    /// Our row of it.
    pub row: &'a mut Option<RawId>,
    /// Whether the row means nothing without it.
    pub needed: bool,
}

/// Whether a number may stand in the public peering database at all: not those for documentation, private use and the like
/// (RFC 5398, RFC 6996, RFC 7300, RFC 7607), which are never looked up there.
pub fn is_public(asn: Asn) -> bool {
    !matches!(asn.get(), 0 | 23456 | 64496..=131_071 | 4_200_000_000..)
}

fn check_id(id: i64) -> Result<(), Invalid> {
    check::range("id", id, 1, i64::from(i32::MAX))
}

fn check_name(name: &str) -> Result<(), Invalid> {
    check::name("name", name, 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the database answers, with the nulls and the fields of other versions that it has.
    #[test]
    fn rows_are_read_as_the_database_writes_them() {
        let net = serde_json::json!({
            "id": 7, "org_id": 3, "org": null, "asn": 64500, "name": "Example", "aka": null, "irr_as_set": "RIPE::AS-X",
            "info_types": ["NSP", "Content"], "info_prefixes4": 100, "info_prefixes6": null, "info_ipv6": true,
            "policy_general": "Open", "updated": "2024-01-02T03:04:05Z", "created": "2010-01-01T00:00:00Z", "status": "ok",
            "netixlan_updated": "2024-01-01T00:00:00Z", "logo": null,
        });
        let mut net: PdbNetwork = serde_json::from_value(net).unwrap();
        assert_eq!((net.aka.as_str(), net.info_types.0.len(), net.title().as_str()), ("", 2, "AS64500 - Example"));
        let reference = net.references().pop().unwrap();
        assert_eq!((reference.to, reference.number, reference.needed), ("org", Some(3), true));
        let port = serde_json::json!({
            "id": 1, "net_id": 7, "ix_id": 2, "ixlan_id": 2, "asn": 64500, "ipaddr4": "192.0.2.1", "ipaddr6": null,
            "speed": 10000, "is_rs_peer": null, "net_side_id": null, "ix_side_id": 9, "operational": true,
        });
        let port: PdbPort = serde_json::from_value(port).unwrap();
        assert_eq!((port.ipaddr4, port.ix_side_id, port.is_rs_peer.0), ("192.0.2.1".parse().ok(), Some(9), false));
        let fac = serde_json::json!({"id": 9, "org_id": 3, "name": "Here", "latitude": 52.3, "diverse_serving_substations": null,
            "available_voltage_services": null, "property": "", "country": "NL"});
        let fac: PdbFacility = serde_json::from_value(fac).unwrap();
        assert_eq!((fac.latitude, fac.check(None)), (Some(52.3), Ok(())));
    }

    #[test]
    fn what_is_kept_reads_back() {
        let lan =
            serde_json::json!({"id": 4, "ix_id": 4, "mtu": 9000, "arp_sponge": "02:00:5e:10:00:00", "descr": "x"});
        let lan: PdbLan = serde_json::from_value(lan).unwrap();
        let kept = serde_json::to_value(&lan).unwrap();
        assert_eq!(serde_json::from_value::<PdbLan>(kept).unwrap(), lan);
    }

    #[test]
    fn numbers_for_private_use_are_not_public() {
        let public = |n: i64| is_public(Asn::try_from(n).unwrap());
        assert!(public(1) && public(64495) && public(131_072) && public(4_199_999_999));
        for n in [23456, 64496, 65536, 131_071, 4_200_000_000, 4_294_967_295] {
            assert!(!public(n), "{n}");
        }
    }
}

//! The kinds of the copy of the public peering database: nothing but the synchronisation writes them, so they have no rules.

use meetme_model::mirror::{
    HiddenPeer, PdbCampus, PdbCarrier, PdbCarrierFacility, PdbContact, PdbExchange, PdbExchangeFacility, PdbFacility,
    PdbLan, PdbNetwork, PdbNetworkFacility, PdbOrg, PdbPort, PdbPrefix, PdbSync,
};

use super::Ruled;

impl Ruled for HiddenPeer {}
impl Ruled for PdbCampus {}
impl Ruled for PdbCarrier {}
impl Ruled for PdbCarrierFacility {}
impl Ruled for PdbContact {}
impl Ruled for PdbExchange {}
impl Ruled for PdbExchangeFacility {}
impl Ruled for PdbFacility {}
impl Ruled for PdbLan {}
impl Ruled for PdbNetwork {}
impl Ruled for PdbNetworkFacility {}
impl Ruled for PdbOrg {}
impl Ruled for PdbPort {}
impl Ruled for PdbPrefix {}
impl Ruled for PdbSync {}

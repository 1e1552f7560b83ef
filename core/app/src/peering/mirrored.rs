//! The kinds of the copy of the public peering database: nothing but the synchronisation writes them, so they have no rules. Hidden
//! peers are people's own.

use meetme_model::mirror::{
    HiddenPeer, PdbCampus, PdbCarrier, PdbCarrierFacility, PdbContact, PdbExchange, PdbExchangeFacility, PdbFacility,
    PdbLan, PdbNetwork, PdbNetworkFacility, PdbOrg, PdbPort, PdbPrefix, PdbSync,
};

use meetme_base::{Invalid, RawId};
use meetme_store::{Filter, Tx};

use super::Ruled;
use crate::Error;

impl Ruled for HiddenPeer {
    /// What is hidden must be there, when somebody says so; later it may go and come back under its number.
    fn settle(&mut self, tx: &mut Tx<'_>, _: RawId, before: Option<&Self>) -> Result<(), Error> {
        let changed = |now: Option<i64>, then: Option<Option<i64>>| now.filter(|_| then != Some(now));
        let network = changed(self.network, before.map(|b| b.network));
        let lan = changed(self.lan, before.map(|b| b.lan));
        tx.as_system(|tx| {
            if let Some(number) = network
                && !tx.exists::<PdbNetwork>(&Filter::eq("pdb_id", number))?
            {
                return Err(unknown("network", number));
            }
            if let Some(number) = lan
                && !tx.exists::<PdbLan>(&Filter::eq("pdb_id", number))?
            {
                return Err(unknown("lan", number));
            }
            Ok(())
        })
    }
}

fn unknown(field: &str, number: i64) -> Error {
    Invalid::new(field, "reference", format!("Invalid pk \"{number}\" - object does not exist.")).into()
}

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

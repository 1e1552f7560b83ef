//! The kinds whose own checks are all, or nearly all, there is to check.

use meetme_base::RawId;
use meetme_model::{
    ops::{DataFile, DataSource, Job, Tag},
    routing::{Bfd, Community, Exchange, ExchangeLink, PeerGroup, PeeringRequest, Policy, Relationship, Template},
};
use meetme_store::Tx;

use super::Ruled;
use crate::{Error, sources};

impl Ruled for Bfd {}
impl Ruled for Community {}
impl Ruled for DataFile {}
impl Ruled for DataSource {}
impl Ruled for Exchange {}
impl Ruled for ExchangeLink {}
impl Ruled for Job {}
impl Ruled for PeerGroup {}
impl Ruled for PeeringRequest {}
impl Ruled for Policy {}
impl Ruled for Relationship {}
impl Ruled for Tag {}

impl Ruled for Template {
    fn settle(&mut self, tx: &mut Tx<'_>, _: RawId, before: Option<&Self>) -> Result<(), Error> {
        sources::settle(self, tx, before)
    }
}

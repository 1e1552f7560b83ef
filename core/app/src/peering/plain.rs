//! The kinds whose own checks are all there is to check.

use meetme_model::{
    access::User,
    ops::{Job, Tag},
    routing::{Bfd, Community, Exchange, ExchangeLink, PeerGroup, PeeringRequest, Policy, Relationship, Template},
};

use super::Ruled;

impl Ruled for Bfd {}
impl Ruled for Community {}
impl Ruled for Exchange {}
impl Ruled for ExchangeLink {}
impl Ruled for Job {}
impl Ruled for PeerGroup {}
impl Ruled for PeeringRequest {}
impl Ruled for Policy {}
impl Ruled for Relationship {}
impl Ruled for Tag {}
impl Ruled for Template {}
impl Ruled for User {}

//! Area `routing`: who speaks BGP with whom, over what, and under which policies.
//!
//! Rows hang in the book of whoever runs the routers. `admin` is what a person wants, the state of a session is what its
//! protocol says, and a phase exists only for what is provisioned here.

mod autonomous_system;
mod bfd;
mod bgp_config;
mod community;
mod config_context;
mod config_context_assignment;
mod direct_session;
mod exchange;
mod exchange_link;
mod exchange_session;
mod irr_set;
mod ix_api;
mod peer_group;
mod peering_request;
mod platform;
mod policy;
mod relationship;
mod requested_session;
mod roa;
mod router;
mod session_event;
mod template;

pub use autonomous_system::{AutonomousSystem, Irr, Sync};
pub use bfd::Bfd;
pub use bgp_config::{Answer, BgpConfig, BgpReach};
pub use community::{Community, CommunityDirection, CommunityKind};
pub use config_context::ConfigContext;
pub use config_context_assignment::ConfigContextAssignment;
pub use direct_session::DirectSession;
pub use exchange::Exchange;
pub use exchange_link::{ExchangeLink, ExchangeLinkStatus};
pub use exchange_session::ExchangeSession;
pub use irr_set::{IrrNames, IrrQuestion, IrrSet, IrrSetStatus};
pub use ix_api::{IxApi, LONGEST as LONGEST_CREDENTIAL};
pub use peer_group::PeerGroup;
pub use peering_request::{PeeringRequest, RequestState};
pub use platform::{PasswordForm, Platform};
pub use policy::{Policy, PolicyDirection};
pub use relationship::Relationship;
pub use requested_session::RequestedSession;
pub use roa::{RoaChunk, RoaTable, RoaTableStatus};
pub use router::{Driver, Flavour, Router, RouterStatus, Stranger};
pub use session_event::{SessionEvent, SessionEventKind};
pub use template::{Template, TemplatePurpose};

use meetme_base::Invalid;
use meetme_store::Registry;

use crate::Admin;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<AutonomousSystem>()
        .with::<Community>()
        .with::<Policy>()
        .with::<Bfd>()
        .with::<Relationship>()
        .with::<Platform>()
        .with::<Template>()
        .with::<PeerGroup>()
        .with::<IxApi>()
        .with::<Exchange>()
        .with::<Router>()
        .with::<ExchangeLink>()
        .with::<ExchangeSession>()
        .with::<DirectSession>()
        .with::<BgpConfig>()
        .with::<PeeringRequest>()
        .with::<RequestedSession>()
        .with::<IrrSet>()
        .with::<SessionEvent>()
        .with::<RoaTable>()
        .with::<RoaChunk>()
        .with::<ConfigContext>()
        .with::<ConfigContextAssignment>()
}

/// The words of [`Admin`] for what is in service or in maintenance. Only sessions are requested and decommissioned by steps.
pub const SERVICE_WORDS: &[&str] = &["enabled", "pre-maintenance", "maintenance", "post-maintenance", "disabled"];

/// The wish is one of [`SERVICE_WORDS`].
fn service(admin: Admin) -> Result<(), Invalid> {
    if SERVICE_WORDS.contains(&admin.word()) { Ok(()) } else { Err(Invalid::choice("admin", admin.word())) }
}

/// Data for templates is an object, so that it can be merged.
fn context(data: Option<&serde_json::Value>) -> Result<(), Invalid> {
    if data.is_none_or(serde_json::Value::is_object) {
        Ok(())
    } else {
        Err(Invalid::format("context", "a JSON object"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sessions_are_requested_or_decommissioned() {
        assert_eq!(service(Admin::Maintenance), Ok(()));
        for admin in [Admin::Requested, Admin::Provisioning, Admin::Decommissioning, Admin::Decommissioned] {
            assert_eq!(service(admin).unwrap_err().code, "choice");
        }
    }

    #[test]
    fn context_is_an_object() {
        assert_eq!(context(Some(&serde_json::json!({"a": 1}))), Ok(()));
        assert!(context(Some(&serde_json::json!([1]))).is_err());
    }
}

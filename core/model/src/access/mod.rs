//! Who may do what: parties, people, keys, logins, and the roles that give rights on a node of the tenant tree.

mod email_address;
mod hash;
mod invitation;
mod key;
mod membership;
mod organization;
mod project;
mod quota;
mod role;
mod second_factor;
mod session;
mod ssh_key;
mod team;
mod ticket;
mod transfer;
mod user;

pub use email_address::{EmailAddress, EmailAddressStatus, check_email};
pub use hash::Hash;
pub use invitation::{Invitation, InvitationStatus};
pub use key::{Key, KeyStatus};
pub use membership::Membership;
pub use organization::{Form, Organization};
pub use project::Project;
pub use quota::Quota;
pub use role::{Grant, Role};
pub use second_factor::{SecondFactor, SecondFactorStatus};
pub use session::{Session, SessionStatus};
pub use ssh_key::SshKey;
pub use team::Team;
pub use ticket::{Purpose, Ticket};
pub use transfer::Transfer;
pub use user::{User, UserStatus};

use meetme_store::Registry;

/// Adds the kinds of this area.
pub fn register(r: Registry) -> Registry {
    r.with::<Organization>()
        .with::<Project>()
        .with::<User>()
        .with::<EmailAddress>()
        .with::<Team>()
        .with::<Role>()
        .with::<Membership>()
        .with::<Invitation>()
        .with::<Key>()
        .with::<Session>()
        .with::<SshKey>()
        .with::<Quota>()
        .with::<Transfer>()
        .with::<SecondFactor>()
        .with::<Ticket>()
}

/// The default of switches that are on unless somebody turns them off.
const fn yes() -> bool {
    true
}

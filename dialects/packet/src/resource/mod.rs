//! The resources, one file each, and the table of all that are shown.

mod account;
mod address;
mod api_key;
mod attachment;
mod batch;
mod bgp;
mod block;
mod capacity;
mod device;
mod email;
mod event;
mod facility;
mod health;
mod help;
mod image;
mod invitation;
mod license;
mod member;
mod membership;
mod metal_gateway;
mod metro;
mod new_device;
mod notification;
mod organization;
mod otp;
mod payment_method;
mod plan;
mod port;
mod project;
mod reservation;
mod snapshot;
mod spot;
mod ssh_key;
mod transfer;
mod usage;
mod user;
mod virtual_network;
mod vlan_assignment;
mod volume;

use meetme_app::Error;
use meetme_base::{Invalid, Time};
use meetme_http::Op;
use meetme_model::{
    access::{EmailAddress, Invitation, Key, Membership, Organization, Project, SshKey, Transfer, User},
    fabric::{Address, Block, Landing, Port, Segment},
    metal::{Attachment, Batch, Device, License, Reservation, Snapshot, SnapshotPolicy, SpotRequest, Volume},
    ops::Notification,
    place::{Billing, Image, Metro, Money, Plan, Site},
    routing::{BgpConfig, DirectSession},
};

use crate::{input::Input, show::Entry, work::Row};

/// Every kind that is shown.
pub static SHOWN: &[Entry] = &[
    Entry::of::<Organization>(),
    Entry::of::<Project>(),
    Entry::of::<User>(),
    Entry::of::<EmailAddress>(),
    Entry::of::<Membership>(),
    Entry::of::<Invitation>(),
    Entry::of::<Transfer>(),
    Entry::of::<Key>(),
    Entry::of::<SshKey>(),
    Entry::of::<Plan>(),
    Entry::of::<Image>(),
    Entry::of::<Site>(),
    Entry::of::<Metro>(),
    Entry::of::<Device>(),
    Entry::of::<Batch>(),
    Entry::of::<Reservation>(),
    Entry::of::<SpotRequest>(),
    Entry::of::<Address>(),
    Entry::of::<Block>(),
    Entry::of::<Port>(),
    Entry::of::<Segment>(),
    Entry::of::<Landing>(),
    Entry::of::<BgpConfig>(),
    Entry::of::<DirectSession>(),
    Entry::of::<Notification>(),
    Entry::of::<Billing>(),
    Entry::of::<License>(),
    Entry::of::<Volume>(),
    Entry::of::<Attachment>(),
    Entry::of::<Snapshot>(),
    Entry::of::<SnapshotPolicy>(),
];

/// Every operation, by chapter.
pub fn ops() -> Vec<Op> {
    let chapters: Vec<(&'static str, Vec<Row>)> = vec![
        ("Organizations", organization::rows()),
        ("Projects", project::rows()),
        ("Memberships", membership::rows()),
        ("Members", member::rows()),
        ("Invitations", invitation::rows()),
        ("Transfers", transfer::rows()),
        ("Users", user::rows()),
        ("Accounts", account::rows()),
        ("Two-factor authentication", otp::rows()),
        ("Emails", email::rows()),
        ("SSH keys", ssh_key::rows()),
        ("API keys", api_key::rows()),
        ("Plans", plan::rows()),
        ("Operating systems", image::rows()),
        ("Facilities", facility::rows()),
        ("Metros", metro::rows()),
        ("Capacity", capacity::rows()),
        ("Devices", device::rows()),
        ("Diagnostics", health::rows()),
        ("Usage", usage::rows()),
        ("Batches", batch::rows()),
        ("Hardware reservations", reservation::rows()),
        ("Spot market", spot::rows()),
        ("IP addresses", address::rows()),
        ("IP reservations", block::rows()),
        ("Volumes", volume::rows()),
        ("Volume attachments", attachment::rows()),
        ("Volume snapshots", snapshot::rows()),
        ("Ports", port::rows()),
        ("VLAN assignments", vlan_assignment::rows()),
        ("Virtual networks", virtual_network::rows()),
        ("Metal gateways", metal_gateway::rows()),
        ("BGP", bgp::rows()),
        ("Events", event::rows()),
        ("Notifications", notification::rows()),
        ("Payment methods", payment_method::rows()),
        ("Licenses", license::rows()),
        ("Help", help::rows()),
    ];
    chapters.into_iter().flat_map(|(group, rows)| rows.into_iter().map(move |row| row.op(group))).collect()
}

pub use device::{Own, iqn, state};
pub use event::schema as event_schema;
pub use facility::code as code_of_site;
pub use member::schema as member_schema;
pub use metro::code as code_of_metro;
pub use plan::specs;
pub use vlan_assignment::{batch_schema, schema as vlan_assignment_schema};

/// Millionths of a currency as this dialect writes money.
#[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 millionths")]
fn unit(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// An amount as this dialect writes it.
fn money(amount: &Money) -> f64 {
    unit(amount.micros)
}

/// A moment that must be said.
///
/// # Errors
/// When it is absent, or none.
fn required(input: &Input, name: &str) -> Result<Time, Error> {
    input.moment(name)?.ok_or_else(|| Invalid::required(name).into())
}

/// The error for an input that names nothing the caller sees.
fn unknown(field: &str, text: &str) -> Error {
    Invalid::reference(field, format!("The object {text}")).into()
}

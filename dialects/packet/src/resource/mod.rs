//! The resources, one file each, and the table of all that are shown.

mod address;
mod api_key;
mod bgp;
mod block;
mod capacity;
mod device;
mod email;
mod event;
mod facility;
mod image;
mod invitation;
mod membership;
mod metal_gateway;
mod metro;
mod new_device;
mod organization;
mod plan;
mod port;
mod project;
mod ssh_key;
mod user;
mod virtual_network;
mod vlan_assignment;

use meetme_http::Op;
use meetme_model::{
    access::{EmailAddress, Invitation, Key, Membership, Organization, Project, SshKey, User},
    fabric::{Address, Block, Landing, Port, Segment},
    metal::Device,
    place::{Image, Metro, Plan, Site},
    routing::{BgpConfig, DirectSession},
};

use crate::{show::Entry, work::Row};

/// Every kind that is shown.
pub static SHOWN: &[Entry] = &[
    Entry::of::<Organization>(),
    Entry::of::<Project>(),
    Entry::of::<User>(),
    Entry::of::<EmailAddress>(),
    Entry::of::<Membership>(),
    Entry::of::<Invitation>(),
    Entry::of::<Key>(),
    Entry::of::<SshKey>(),
    Entry::of::<Plan>(),
    Entry::of::<Image>(),
    Entry::of::<Site>(),
    Entry::of::<Metro>(),
    Entry::of::<Device>(),
    Entry::of::<Address>(),
    Entry::of::<Block>(),
    Entry::of::<Port>(),
    Entry::of::<Segment>(),
    Entry::of::<Landing>(),
    Entry::of::<BgpConfig>(),
    Entry::of::<DirectSession>(),
];

/// Every operation, by chapter.
pub fn ops() -> Vec<Op> {
    let chapters: Vec<(&'static str, Vec<Row>)> = vec![
        ("Organizations", organization::rows()),
        ("Projects", project::rows()),
        ("Memberships", membership::rows()),
        ("Invitations", invitation::rows()),
        ("Users", user::rows()),
        ("Emails", email::rows()),
        ("SSH keys", ssh_key::rows()),
        ("API keys", api_key::rows()),
        ("Plans", plan::rows()),
        ("Operating systems", image::rows()),
        ("Facilities", facility::rows()),
        ("Metros", metro::rows()),
        ("Capacity", capacity::rows()),
        ("Devices", device::rows()),
        ("IP addresses", address::rows()),
        ("IP reservations", block::rows()),
        ("Ports", port::rows()),
        ("VLAN assignments", vlan_assignment::rows()),
        ("Virtual networks", virtual_network::rows()),
        ("Metal gateways", metal_gateway::rows()),
        ("BGP", bgp::rows()),
        ("Events", event::rows()),
    ];
    chapters.into_iter().flat_map(|(group, rows)| rows.into_iter().map(move |row| row.op(group))).collect()
}

pub use event::schema as event_schema;
pub use vlan_assignment::{batch_schema, schema as vlan_assignment_schema};

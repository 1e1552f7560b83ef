//! What is wished of a machine before there is one: an order, kept where it is carried out later or again and again.

use meetme_base::{Id, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AddressWish;
use crate::{
    Ext, Term,
    access::{SshKey, User},
    place::{Image, Metro, Money, Plan, Site},
};

/// A wish for a machine. Of what it names, a site, a plan or an image may be gone when the wish is carried out; it then fails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceWish {
    /// Its host name; made of its own id and `domain` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
    /// The domain of host names that are made for it.
    pub domain: String,
    /// A line for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its size.
    pub plan: Id<Plan>,
    /// What shall run on it.
    pub image: Id<Image>,
    /// Where it may stand, the best first.
    pub places: Vec<Place>,
    /// What its hardware must have, in single words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required: Vec<String>,
    /// What its hardware should have, in single words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub preferred: Vec<String>,
    /// For how long.
    pub term: Term,
    /// Whether it is locked from the start.
    #[serde(default)]
    pub locked: bool,
    /// When it shall end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_at: Option<Time>,
    /// The most that is paid for an hour of it on the spot market; at the usual price when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bid: Option<Money>,
    /// Hardware of one's own that it shall stand on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<Reserved>,
    /// What it reads when it first starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub userdata: Option<String>,
    /// The script it starts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipxe_url: Option<String>,
    /// Whether it starts from the script every time.
    #[serde(default)]
    pub always_pxe: bool,
    /// How its disks are divided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<serde_json::Value>,
    /// Whether its network may not be changed.
    #[serde(default)]
    pub network_frozen: bool,
    /// Who may log in.
    #[serde(default)]
    pub keys: Keys,
    /// Its addresses; one public of each family and a private one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addresses: Option<Vec<AddressWish>>,
    /// The length of the public IPv4 network in the usual set of addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public4_length: Option<u8>,
    /// Its tags, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// What only one dialect can mean.
    #[serde(default, skip_serializing_if = "Ext::is_empty")]
    pub ext: Ext,
}

/// A wish about a place. Several are tried in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// This site.
    Site(Id<Site>),
    /// Any site of this metro, the one with most room first.
    Metro(Id<Metro>),
    /// Any site at all, the one with most room first.
    Any,
}

/// Which of a project's own reserved servers is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reserved {
    /// This one.
    This(Id<super::Reservation>),
    /// The oldest one of the plan that is free.
    Next,
}

/// Which keys a machine is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// All keys of the project, of its members, and of the people who have the organization above it.
    #[default]
    Usual,
    /// These, and all keys of these users.
    These {
        /// Single keys.
        keys: Vec<Id<SshKey>>,
        /// Users whose keys are all meant.
        users: Vec<Id<User>>,
    },
}

impl DeviceWish {
    /// A machine of that plan and image, at one of these places, with nothing said about its details.
    pub fn new(plan: Id<Plan>, image: Id<Image>, places: Vec<Place>) -> Self {
        Self {
            hostname: None,
            domain: "localdomain".to_owned(),
            description: None,
            plan,
            image,
            places,
            required: Vec::new(),
            preferred: Vec::new(),
            term: Term::Hour,
            locked: false,
            gone_at: None,
            bid: None,
            reserved: None,
            userdata: None,
            ipxe_url: None,
            always_pxe: false,
            layout: None,
            network_frozen: false,
            keys: Keys::Usual,
            addresses: None,
            public4_length: None,
            tags: Vec::new(),
            ext: Ext::new(),
        }
    }
}

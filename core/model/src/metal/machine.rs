//! What is known of the machine under a device though no equipment remembers it: what it was told, and what it says itself.

use meetme_base::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a machine was told last. Kept for equipment that does not remember it by itself, as management controllers do not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MachineTold {
    /// Which installation of the device was begun last, from 1.
    pub installed: u32,
    /// How many of the starts asked for were made.
    pub starts: u32,
    /// What it is busy with until it says that it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub busy: Option<MachineBusy>,
    /// When it was told.
    pub at: Time,
}

/// What a machine is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MachineBusy {
    /// Installing.
    Installing,
    /// Starting.
    Starting,
    /// Stopping.
    Stopping,
    /// Removing everything that was stored on it.
    Wiping,
}

/// What a machine said of itself last: where to look when it says nothing more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MachineSaid {
    /// When.
    pub at: Time,
    /// What it was about.
    pub what: SaidWhat,
    /// In words.
    pub text: String,
}

/// What a machine can say of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SaidWhat {
    /// It asked what to start from.
    Started,
    /// A step of its installation is done.
    Step,
    /// Its installation, or its wiping, cannot go on.
    Failed,
    /// Everything that was stored on it is removed.
    Wiped,
    /// Its own system has started.
    CalledHome,
    /// What its owner's programs had to say.
    State,
}

//! The seam between controllers and equipment: what is wanted of a box, what was seen of it, and who may change it.
//!
//! Promise: this crate knows no make of equipment, no store and no network. Everything that crosses the seam is a value that
//! can be written as JSON, because an agent may run beside the equipment, far from the controller.
//!
//! The whole desired state goes in, never a delta, so every call is safe to repeat. The road not taken: one call per
//! session or port. A box with 400 sessions would be reloaded 400 times, and a lost call would never be made good.

mod diff;
mod error;
pub mod fabric;
mod fence;
mod keep;
pub mod router;
pub mod server;
pub mod storage;
pub mod switch;
mod wire;

use std::{fmt::Debug, future::Future, pin::Pin};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use diff::unified;
pub use error::AgentError;
pub use fence::{Fence, FenceGate};
pub use keep::keep;
pub use wire::WireSecret;

/// A boxed answer of an agent that comes later: a value, or what the controller has to do about its absence.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = Result<T, AgentError>> + Send + 'a>>;

/// What a value must be able to do to cross the seam: travel as JSON, be compared and be printed without its secrets.
pub trait Message: Serialize + DeserializeOwned + Clone + Debug + PartialEq + Send + Sync + 'static {}
impl<T: Serialize + DeserializeOwned + Clone + Debug + PartialEq + Send + Sync + 'static> Message for T {}

/// A family of equipment that is told the same things: routers, switches, servers, clouds.
pub trait Family: Send + Sync + 'static {
    /// Everything the box should be.
    type Desired: Message;
    /// Everything the box was seen to be.
    type Observed: Message;
    /// The exact change from the one to the other, as shown to a user before it is made.
    type Plan: Message;
    /// The family's stable, lower-case name.
    const NAME: &'static str;
}

/// Drives one make of equipment of a family.
pub trait Agent<F: Family>: Send + Sync {
    /// Looks at the box without changing it.
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, F::Observed>;
    /// Works out the change. Pure: it asks no box, reads no clock and gives the same answer for the same arguments.
    fn plan(&self, want: &F::Desired, seen: &F::Observed) -> Result<F::Plan, AgentError>;
    /// Makes the change, proves it and looks again. A fence older than one already seen for this box is refused.
    fn apply<'a>(&'a self, target: &'a Target, plan: F::Plan, fence: Fence) -> Soon<'a, F::Observed>;
}

/// One piece of equipment, and how to get at it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The id in the core of what is driven as one: the equipment, or the circuit or device of the families in which these are
    /// the unit. Fences are counted per id.
    pub id: i64,
    /// The name people call it by.
    pub name: String,
    /// Where it is reached, in the form its agent wants: a host name, a URL, or nothing for the machine the agent is on.
    pub address: String,
    /// What else its agent needs to know; each agent checks and documents its own form.
    #[serde(default)]
    pub settings: serde_json::Value,
    /// The credential that opens it.
    #[serde(default)]
    pub access: Option<WireSecret>,
    /// Whether what people change on it by hand is undone. An agent that is on its own for a while keeps to it.
    #[serde(default)]
    pub repair: bool,
}

impl Target {
    /// Reads the settings in an agent's own form. None at all are an object with nothing in it: what is left out is as the agent
    /// has it.
    ///
    /// # Errors
    /// [`AgentError::Refused`] with the target's name, and what is not understood.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<T, AgentError> {
        let said = match &self.settings {
            serde_json::Value::Null => serde_json::Value::Object(serde_json::Map::new()),
            said => said.clone(),
        };
        if !said.is_object() {
            return Err(self.unusable("they must be an object."));
        }
        serde_json::from_value(said).map_err(|e| self.unusable(&format!("{e}.")))
    }

    /// The refusal of settings that are understood and cannot be used.
    pub fn unusable(&self, why: &str) -> AgentError {
        AgentError::refused(format!("The settings of {} are not usable: {why}", self.name))
    }
}

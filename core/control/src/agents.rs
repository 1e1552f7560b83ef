//! Which agent drives what: the program says at its start which makes of equipment it can speak to.

use std::{collections::HashMap, sync::Arc};

use meetme_agent::{
    Agent, Family,
    fabric::Circuit,
    router::Router,
    server::{Discover, Server},
    storage::Storage,
    switch::Switch,
};

/// The agents of one family, by make of equipment.
pub struct Makes<F: Family> {
    by_make: HashMap<String, Arc<dyn Agent<F>>>,
}

impl<F: Family> Default for Makes<F> {
    fn default() -> Self {
        Self { by_make: HashMap::new() }
    }
}

impl<F: Family> Clone for Makes<F> {
    fn clone(&self) -> Self {
        Self { by_make: self.by_make.clone() }
    }
}

impl<F: Family> Makes<F> {
    /// The agent for a make; the error is a sentence a customer can read.
    pub(crate) fn get(&self, make: &str) -> Result<Arc<dyn Agent<F>>, String> {
        self.by_make.get(make).cloned().ok_or_else(|| format!("No agent here drives a {} of the make {make}.", F::NAME))
    }
}

/// Every agent this process can use.
#[derive(Clone, Default)]
pub struct Agents {
    pub(crate) routers: Makes<Router>,
    pub(crate) circuits: Makes<Circuit>,
    pub(crate) servers: Makes<Server>,
    pub(crate) storage: Makes<Storage>,
    pub(crate) switches: Makes<Switch>,
    discoverers: HashMap<String, Arc<dyn Discover>>,
    pub(crate) usual: String,
}

impl Agents {
    /// No agents. Where something is ordered for which no equipment is entered, the make `usual` does it, on equipment that
    /// exists by name only: `sim` in a world that is tried out.
    pub fn new(usual: impl Into<String>) -> Self {
        Self { usual: usual.into(), ..Self::default() }
    }

    /// Adds an agent for routers of a make.
    #[must_use]
    pub fn with_router(mut self, make: impl Into<String>, agent: Arc<dyn Agent<Router>>) -> Self {
        self.routers.by_make.insert(make.into(), agent);
        self
    }

    /// The make under which the agent is added that drives equipment of `make` by agents elsewhere.
    pub fn remote(make: &str) -> String {
        format!("remote:{make}")
    }

    /// Adds an agent for circuits over equipment of a make.
    #[must_use]
    pub fn with_circuit(mut self, make: impl Into<String>, agent: Arc<dyn Agent<Circuit>>) -> Self {
        self.circuits.by_make.insert(make.into(), agent);
        self
    }

    /// Adds an agent for storage of a make.
    #[must_use]
    pub fn with_storage(mut self, make: impl Into<String>, agent: Arc<dyn Agent<Storage>>) -> Self {
        self.storage.by_make.insert(make.into(), agent);
        self
    }

    /// Adds an agent for servers of a make.
    #[must_use]
    pub fn with_server(mut self, make: impl Into<String>, agent: Arc<dyn Agent<Server>>) -> Self {
        self.servers.by_make.insert(make.into(), agent);
        self
    }

    /// Adds an agent for switches of a make.
    #[must_use]
    pub fn with_switch(mut self, make: impl Into<String>, agent: Arc<dyn Agent<Switch>>) -> Self {
        self.switches.by_make.insert(make.into(), agent);
        self
    }

    /// Adds an agent that says what servers of a make are made of.
    #[must_use]
    pub fn with_discoverer(mut self, make: impl Into<String>, agent: Arc<dyn Discover>) -> Self {
        self.discoverers.insert(make.into(), agent);
        self
    }

    /// The agent that says what servers of a make are made of; the error is a sentence for whoever asked.
    pub(crate) fn discoverer(&self, make: &str) -> Result<Arc<dyn Discover>, String> {
        let found = self.discoverers.get(make).cloned();
        found.ok_or_else(|| format!("No agent here can say what a server of the make {make} is made of."))
    }
}

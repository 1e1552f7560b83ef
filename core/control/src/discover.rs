//! The work of finding out what stands behind a management controller.

use meetme_agent::{
    AgentError,
    server::{Health as Felt, Inventory},
};
use meetme_app::{
    App, Error,
    servers::{self, DISCOVER, Discovery, Found},
};
use meetme_base::Id;
use meetme_model::{
    metal::{Health, Power},
    ops::Equipment,
};
use meetme_store::Object;
use serde_json::json;

use crate::{
    agents::Agents,
    controller::Soon,
    jobs::{Done, Work, Worker},
    life,
    target::target,
};

/// Finds servers.
pub struct DiscoverWorker {
    app: App,
    agents: Agents,
}

impl DiscoverWorker {
    /// Over the core and these agents.
    pub const fn new(app: App, agents: Agents) -> Self {
        Self { app, agents }
    }

    async fn discover(&self, work: &Work) -> Result<Done, String> {
        let equipment: Id<Equipment> = work.job.spec.subject.ok_or("The equipment is gone.")?.of();
        let wish: Discovery = serde_json::from_value(work.job.spec.inputs.clone()).map_err(|e| e.to_string())?;
        let read: Result<Object<Equipment>, Error> =
            self.app.store().read(work.context(), move |tx| Ok(tx.get(equipment)?)).await;
        let equipment = read.map_err(|e| e.to_string())?;
        let agent = self.agents.discoverer(&equipment.spec.make)?;
        let target = target(&self.app, equipment.id.any(), Some(&equipment.spec), "").map_err(|e| e.to_string())?;
        let inventory = agent.discover(&target).await.map_err(|e: AgentError| life::sentence(&e))?;
        work.log.info(told(&inventory));
        let seen = found(&inventory);
        let kept: Result<_, Error> =
            self.app.store().write(work.context(), move |tx| servers::found(tx, &equipment, &wish, &seen)).await;
        let (server, is_new) = kept.map_err(|e| e.to_string())?;
        let what = if is_new { "is entered" } else { "is up to date" };
        let text = format!("The server {} {what}.", server.spec.serial);
        work.log.success(text.clone());
        Ok(Done {
            output: text,
            answer: json!({"server": server.id, "uid": server.uid, "new": is_new, "inventory": inventory}),
        })
    }
}

fn told(inventory: &Inventory) -> String {
    let macs: Vec<String> = inventory.nics.iter().map(|nic| nic.mac.to_string()).collect();
    let model = format!("{} {}", inventory.maker, inventory.model);
    format!("{} ({}) with {} interfaces: {}.", inventory.serial, model.trim(), macs.len(), macs.join(", "))
}

fn found(inventory: &Inventory) -> Found {
    Found {
        serial: inventory.serial.clone(),
        macs: inventory.nics.iter().map(|nic| nic.mac).collect(),
        power: Some(if inventory.power { Power::On } else { Power::Off }),
        health: inventory.health.map(|health| match health {
            Felt::Ok => Health::Ok,
            Felt::Warning => Health::Warning,
            Felt::Critical => Health::Critical,
        }),
        faults: inventory.faults.iter().map(|name| format!("The sensor {name} is not as it should be.")).collect(),
    }
}

impl Worker for DiscoverWorker {
    fn what(&self) -> &'static [&'static str] {
        &[DISCOVER]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        Box::pin(self.discover(work))
    }
}

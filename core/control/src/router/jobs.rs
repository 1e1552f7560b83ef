//! What is asked of a router's box outside of the controller's own passes. Nothing here changes a box by itself: a change that is
//! ordered is the controller's to make, and is waited for here.

use std::time::{Duration, Instant};

use meetme_app::{
    Error,
    routers::jobs::{CONFIGURE, RENDER, TEST},
    templates::{self, Passwords},
};
use meetme_base::{Id, Time};
use meetme_model::{Admin, ops::Equipment, routing::Router};
use meetme_store::Object;
use serde_json::json;

use crate::{
    controller::Soon,
    jobs::{Done, Work, Worker},
    router::RouterController,
};

/// How long an ordered change may take: longer than a box waits for a confirmation.
const LONGEST: Duration = Duration::from_secs(120);

/// Does the jobs of routers.
pub struct RouterWorker {
    controller: RouterController,
}

impl RouterWorker {
    /// Over a controller of its own, which shares nothing with the one that makes changes but the agents.
    pub const fn new(controller: RouterController) -> Self {
        Self { controller }
    }

    /// The configuration by the router's template, passwords masked: what a job answers is kept, and read by all who may see
    /// jobs.
    async fn render(&self, work: &Work) -> Result<Done, String> {
        let id: Id<Router> = work.job.spec.subject.ok_or("The router is gone.")?.of();
        let app = self.controller.app.clone();
        let read = self
            .controller
            .app
            .store()
            .read(work.context(), move |tx| templates::configuration(&app, tx, id, Passwords::Masked));
        let Some(prepared) = read.await.map_err(|e: Error| e.to_string())? else {
            work.log.info("The router has no template: its agent makes the configuration by itself.");
            return Ok(Done::default());
        };
        let name = prepared.name().to_owned();
        let rendered = tokio::task::spawn_blocking(move || prepared.render());
        let text = rendered.await.map_err(|_| "The template could not be rendered.".to_owned())?;
        let text = text.map_err(|failure| format!("The template {name} failed: {failure}"))?;
        work.log.success(format!("The template {name} gives {} lines.", text.lines().count()));
        Ok(Done::said(text))
    }

    /// The change a box needs, and, when that was ordered, the change made.
    async fn configure(&self, work: &Work) -> Result<Done, String> {
        let id: Id<Router> = work.job.spec.subject.ok_or("The router is gone.")?.of();
        let is_commit = work.job.spec.inputs.get("commit").and_then(serde_json::Value::as_bool).unwrap_or(false);
        let (router, equipment) = self.box_of(work, id).await?;
        if router.spec.admin == Admin::Disabled {
            work.log.warning("The router is disabled: nothing is done.");
            return Ok(Done::default());
        }
        let preview = self.controller.preview(id).await?;
        let notes: String = preview.notes.iter().map(|note| format!("# {note}\n")).collect();
        let output = format!("{notes}{}", preview.diff);
        let answer = json!({"is_change": preview.is_change, "commit": is_commit});
        if !is_commit {
            work.log.info(if preview.is_change { "The box would be changed." } else { "The box is as it should be." });
            return Ok(Done { output, answer });
        }
        if !preview.is_change {
            work.log.success("The box is as it should be.");
            return Ok(Done { output, answer });
        }
        let from = self.order(work, id, equipment.id).await?;
        self.wait(work, id, from).await?;
        work.log.success("The box took the configuration.");
        Ok(Done { output, answer })
    }

    async fn box_of(&self, work: &Work, id: Id<Router>) -> Result<(Object<Router>, Object<Equipment>), String> {
        let read = self.controller.app.store().read(work.context(), move |tx| {
            let router = tx.get(id)?;
            let equipment = router.spec.equipment.map(|id| tx.get(id)).transpose()?;
            Ok::<_, Error>((router, equipment))
        });
        match read.await.map_err(|e| e.to_string())? {
            (router, Some(equipment)) => Ok((router, equipment)),
            (_, None) => Err("No equipment of ours stands behind the router.".to_owned()),
        }
    }

    /// Has the controller load the configuration whatever it loaded last; answers since when.
    async fn order(&self, work: &Work, id: Id<Router>, equipment: Id<Equipment>) -> Result<Time, String> {
        let order = self.controller.app.store().write(work.context(), move |tx| {
            let mut equipment = tx.get(equipment)?;
            let status = meetme_model::ops::EquipmentStatus { applied_sha256: None, ..equipment.status.clone() };
            tx.observe(&mut equipment, status, None)?;
            let now = tx.now();
            tx.enqueue(<RouterController as crate::controller::Controller>::NAME, id.any(), now)?;
            Ok::<_, Error>(now)
        });
        order.await.map_err(|e| e.to_string())
    }

    /// Waits until the controller has loaded a configuration since, or says why it cannot.
    async fn wait(&self, work: &Work, id: Id<Router>, from: Time) -> Result<(), String> {
        let end = Instant::now() + LONGEST;
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        loop {
            tick.tick().await;
            let (_, equipment) = self.box_of(work, id).await?;
            let status = &equipment.status;
            if status.applied_sha256.is_some() && status.drift.is_none() && status.reason.is_none() {
                return Ok(());
            }
            let looked = self.controller.app.store().read(work.context(), move |tx| {
                tx.work_of(<RouterController as crate::controller::Controller>::NAME, id.any())
            });
            let note = looked.await.map_err(|e| e.to_string())?;
            // A pass that ended since says in its note what came of it; the reason on the equipment may be an older one.
            let is_over = note.as_ref().is_some_and(|w| w.leased_by.is_none() && w.due_at.is_none_or(|due| due > from));
            if is_over && let Some(reason) = &status.reason {
                return Err(reason.text.clone());
            }
            if Instant::now() >= end {
                return Err(format!("The box was not changed within {} s.", LONGEST.as_secs()));
            }
        }
    }

    async fn test(&self, work: &Work) -> Result<Done, String> {
        let router = work.job.spec.subject.ok_or("The router is gone.")?;
        let begun = Instant::now();
        let seen = self.controller.look(router.of()).await?;
        let millis = begun.elapsed().as_millis();
        work.log.success(format!("The router answered in {millis} ms: {}.", seen.version));
        Ok(Done::said(seen.version))
    }
}

impl Worker for RouterWorker {
    fn what(&self) -> &'static [&'static str] {
        &[TEST, RENDER, CONFIGURE]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        Box::pin(async move {
            match work.job.spec.what.as_str() {
                RENDER => self.render(work).await,
                CONFIGURE => self.configure(work).await,
                _ => self.test(work).await,
            }
        })
    }
}

//! What is asked of a router's box outside of the controller's own passes. Nothing here changes a box.

use std::time::Instant;

use meetme_app::routers::jobs::TEST;

use crate::{
    controller::Soon,
    jobs::{Done, Work, Worker},
    router::RouterController,
};

/// Does the jobs of routers.
pub struct RouterWorker {
    controller: RouterController,
}

impl RouterWorker {
    /// Over a controller of its own, which shares nothing with the one that makes changes but the agents.
    pub const fn new(controller: RouterController) -> Self {
        Self { controller }
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
        &[TEST]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        Box::pin(self.test(work))
    }
}

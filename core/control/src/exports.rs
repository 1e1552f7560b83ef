//! Rendering exports: the rows of a book as text. Passwords are masked, as in all that a job answers.

use meetme_app::{
    App, Error,
    templates::jobs::{EXPORT, export_whole},
};

use crate::{
    controller::Soon,
    jobs::{Done, Work, Worker},
};

/// Renders exports.
pub struct ExportWorker {
    app: App,
}

impl ExportWorker {
    /// Over a core.
    pub const fn new(app: App) -> Self {
        Self { app }
    }

    async fn render(&self, work: &Work) -> Result<Done, String> {
        let id = work.job.spec.subject.ok_or("The template is gone.")?.of();
        let app = self.app.clone();
        let read = self.app.store().read::<_, Error, _>(work.context(), move |tx| export_whole(&app, tx, id));
        let prepared = read.await.map_err(|e| e.to_string())?;
        Ok(Done::said(prepared.render_apart().await.map_err(|e| e.to_string())?))
    }
}

impl Worker for ExportWorker {
    fn what(&self) -> &'static [&'static str] {
        &[EXPORT]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        Box::pin(self.render(work))
    }
}

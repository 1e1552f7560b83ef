//! The work on data sources.

use meetme_app::{
    App, Error,
    sources::{self, Changed, Found},
    templates::{self, Passwords},
};
use meetme_base::{Id, Time};
use meetme_control::{
    Soon,
    jobs::{Done, Work, Worker},
};
use meetme_model::{
    ops::{DataSource, DataSourceStatus, SourceForm, SourceState},
    routing::Router,
};
use meetme_store::{Object, Tx};

use crate::{
    Settings,
    files::Basket,
    git::{self, Remote, Repository},
    local,
};

/// Reads data sources.
pub struct SourceWorker {
    app: App,
    settings: Settings,
}

/// What was read.
struct Looked {
    found: Vec<Found>,
    revision: Option<String>,
}

impl SourceWorker {
    /// Over the core, within what the operator opened.
    pub fn new(app: App, settings: Settings) -> Self {
        Self { app, settings }
    }

    async fn synchronise(&self, work: &Work) -> Result<Done, String> {
        let id: Id<DataSource> = work.job.spec.subject.ok_or("The job names no data source.")?.of();
        let source = self.note(work, id, |_, status| status.state = SourceState::Synchronising).await?;
        let looked = match self.look(work, &source).await {
            Ok(looked) => looked,
            Err(why) => {
                let said = why.clone();
                self.note(work, id, move |_, status| {
                    (status.state, status.error) = (SourceState::Failed, Some(said.clone()));
                })
                .await?;
                return Err(why);
            }
        };
        let changed = self.keep(work, id, looked).await?;
        for line in &changed.followed {
            work.log.info(line.clone());
        }
        let Changed { made, changed, removed, .. } = changed;
        let said = format!("{made} files are new, {changed} have changed, {removed} are gone.");
        work.log.success(said.clone());
        Ok(Done::said(said))
    }

    async fn look(&self, work: &Work, source: &Object<DataSource>) -> Result<Looked, String> {
        let spec = &source.spec;
        if !spec.enabled {
            return Err("The data source is not enabled.".to_owned());
        }
        let mut basket = Basket::new(self.settings.limits, &spec.ignore);
        match spec.form {
            SourceForm::Local => {
                let (root, url) = (self.settings.root.clone(), spec.url.clone());
                // On a thread that may wait for a disk.
                let read = tokio::task::spawn_blocking(move || local::read(root.as_deref(), &url, basket));
                let basket = read.await.map_err(|_| "The directory could not be read.")??;
                told(work, &basket);
                Ok(Looked { found: basket.found, revision: None })
            }
            SourceForm::Git => {
                let remote = self.remote(spec)?;
                let repository = Repository::new(&self.settings, &remote).await?;
                let revision = repository.fetch(&remote).await?;
                work.log.info(format!("The newest commit is {revision}."));
                repository.read(&revision, &mut basket).await?;
                told(work, &basket);
                Ok(Looked { found: basket.found, revision: Some(revision) })
            }
        }
    }

    /// Renders a router's configuration and writes it to its file.
    async fn push(&self, work: &Work) -> Result<Done, String> {
        let id: Id<Router> = work.job.spec.subject.ok_or("The router is gone.")?.of();
        let reveal = work.job.spec.inputs.get("passwords").and_then(serde_json::Value::as_bool).unwrap_or(false);
        let app = self.app.clone();
        let read = self.app.store().read::<_, Error, _>(work.context(), move |tx| {
            let router = tx.get(id)?.spec;
            let passwords = if reveal { Passwords::Clear } else { Passwords::Masked };
            Ok((router, templates::configuration(&app, tx, id, passwords)?))
        });
        let (router, prepared) = read.await.map_err(|e| e.to_string())?;
        let source = router.publishes.source.ok_or("The router has no data source.")?;
        let Some(prepared) = prepared else {
            work.log.info("The router has no template: its agent makes the configuration by itself.");
            return Ok(Done::said("The router has no template."));
        };
        let text = prepared.render_apart().await.map_err(|e| e.to_string())?;
        let source = self.note(work, source, |_, status| status.state = SourceState::Pushing).await?;
        let put = self.put(&source, &router.publishes.path, text, &router.name).await;
        let error = put.as_ref().err().cloned();
        let state = if error.is_some() { SourceState::Failed } else { SourceState::Completed };
        self.note(work, source.id, move |_, status| (status.state, status.error) = (state, error.clone())).await?;
        let said = put?;
        work.log.success(said.clone());
        Ok(Done::said(said))
    }

    /// Writes a file of a source; the answer says what came of it.
    async fn put(&self, source: &Object<DataSource>, path: &str, text: String, of: &str) -> Result<String, String> {
        let spec = &source.spec;
        if !spec.enabled {
            return Err("The data source is not enabled.".to_owned());
        }
        let same = format!("{path} is as it was.");
        match spec.form {
            SourceForm::Local => {
                let (root, url, at) = (self.settings.root.clone(), spec.url.clone(), path.to_owned());
                let written = tokio::task::spawn_blocking(move || local::write(root.as_deref(), &url, &at, &text));
                let is_new = written.await.map_err(|_| "The file could not be written.")??;
                Ok(if is_new { format!("{path} is written.") } else { same })
            }
            SourceForm::Git => {
                let remote = self.remote(spec)?;
                let repository = Repository::new(&self.settings, &remote).await?;
                let revision = repository.fetch(&remote).await?;
                let message = format!("Configuration of {of}");
                let pushed = repository.push(&remote, &revision, (path, text), &message).await?;
                Ok(pushed.map_or(same, |commit| format!("{path} is in the commit {commit}.")))
            }
        }
    }

    /// Where the repository of a source is, opened with its password.
    fn remote<'s>(&self, spec: &'s DataSource) -> Result<Remote<'s>, String> {
        if !git::is_there() {
            return Err("There is no git program on this machine.".to_owned());
        }
        let password = spec.password.as_ref().map(|sealed| self.app.sealer().open(sealed)).transpose();
        let password = password.map_err(|_| "The password cannot be opened.")?;
        Ok(Remote { url: &spec.url, parameters: spec.git(), password })
    }

    /// Changes what is seen of the source.
    async fn note(
        &self,
        work: &Work,
        id: Id<DataSource>,
        change: impl Fn(Time, &mut DataSourceStatus) + Send + 'static,
    ) -> Result<Object<DataSource>, String> {
        let written = self.app.store().write::<_, Error, _>(work.context(), move |tx| {
            let mut source = tx.get(id)?;
            let mut status = source.status.clone();
            change(tx.now(), &mut status);
            tx.observe(&mut source, status, None)?;
            Ok(source)
        });
        written.await.map_err(|e| e.to_string())
    }

    /// The files, what follows them and the state, all or nothing.
    async fn keep(&self, work: &Work, id: Id<DataSource>, looked: Looked) -> Result<Changed, String> {
        let Looked { found, revision } = looked;
        let written = self.app.store().write::<_, Error, _>(work.context(), move |tx: &mut Tx<'_>| {
            let mut source = tx.get(id)?;
            let changed = sources::apply(tx, &source, &found)?;
            let status = DataSourceStatus {
                state: SourceState::Completed,
                synced_at: Some(tx.now()),
                revision: revision.clone(),
                error: None,
            };
            tx.observe(&mut source, status, None)?;
            Ok(changed)
        });
        written.await.map_err(|e| e.to_string())
    }
}

/// Says what was passed over.
fn told(work: &Work, basket: &Basket) {
    basket.passed.iter().for_each(|line| work.log.warning(line.clone()));
}

impl Worker for SourceWorker {
    fn what(&self) -> &'static [&'static str] {
        &[sources::SYNCHRONISE, sources::PUSH]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        Box::pin(async move {
            if work.job.spec.what == sources::PUSH { self.push(work).await } else { self.synchronise(work).await }
        })
    }
}

//! The work on data sources.

use meetme_app::{
    App, Error,
    sources::{self, Changed, Found},
};
use meetme_base::{Id, Time};
use meetme_control::{
    Soon,
    jobs::{Done, Work, Worker},
};
use meetme_model::ops::{DataSource, DataSourceStatus, SourceForm, SourceState};
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
                if !git::is_there() {
                    return Err("There is no git program on this machine.".to_owned());
                }
                let password = spec.password.as_ref().map(|sealed| self.app.sealer().open(sealed)).transpose();
                let password = password.map_err(|_| "The password cannot be opened.")?;
                let remote = Remote { url: &spec.url, parameters: spec.git(), password };
                let repository = Repository::new(&self.settings, &remote).await?;
                let revision = repository.fetch(&remote).await?;
                work.log.info(format!("The newest commit is {revision}."));
                repository.read(&revision, &mut basket).await?;
                told(work, &basket);
                Ok(Looked { found: basket.found, revision: Some(revision) })
            }
        }
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
        &[sources::SYNCHRONISE]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        Box::pin(self.synchronise(work))
    }
}

//! A small place with simulated equipment, and the controllers at work on it.

use std::{sync::Arc, time::Duration};

use meetme_app::{App, Error, MasterKey, Sealer};
use meetme_base::{Id, RawId, SystemClock};
use meetme_control::{
    Agents, Pace, Runner, Settings,
    jobs::{JobController, Worker},
};
use meetme_model::{
    access::{Organization, Project},
    ops::{Equipment, Family},
    place::{Image, Metro, Plan, Site},
    routing::{AutonomousSystem, Router},
};
use meetme_sim::Sim;
use meetme_store::{Context, Object, Open, Resource, Store, Tx};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The place.
pub struct World {
    pub app: App,
    pub sim: Arc<Sim>,
    pub operator: RawId,
    pub metro: Id<Metro>,
    pub site: Id<Site>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _home: tempfile::TempDir,
}

/// A value from its JSON form.
pub fn of<T: DeserializeOwned>(json: Value) -> T {
    serde_json::from_value(json).unwrap()
}

impl World {
    /// A place with an operator, a metro and a site; simulated equipment takes 50 ms for everything.
    pub async fn new() -> Self {
        Self::with(Vec::new()).await
    }

    /// The same with workers for jobs.
    pub async fn with(workers: Vec<Arc<dyn Worker>>) -> Self {
        Self::with_workers(move |_, _| workers).await
    }

    /// The same with workers over the place's own core and equipment.
    pub async fn with_workers(workers: impl FnOnce(App, Arc<Sim>) -> Vec<Arc<dyn Worker>>) -> Self {
        Self::with_agents(workers, |agents| agents, Pace::default().give_up).await
    }

    /// The same with further agents, and patience for so long.
    pub async fn with_agents(
        workers: impl FnOnce(App, Arc<Sim>) -> Vec<Arc<dyn Worker>>,
        further: impl FnOnce(Agents) -> Agents,
        give_up: Duration,
    ) -> Self {
        let home = tempfile::tempdir().unwrap();
        let open = Open::Sqlite { path: home.path().join("db"), readers: 2 };
        let store = Store::open(&open, meetme_control::registry(), Arc::new(SystemClock)).unwrap();
        let sealer = Sealer::new(&MasterKey::parse(&"5".repeat(64)).unwrap());
        let app = App::new(store.clone(), sealer, meetme_app::Settings::default());
        let quick = meetme_sim::Settings { delay_ms: Some(50), ..meetme_sim::Settings::default() };
        let sim = Arc::new(Sim::behaving(Arc::new(SystemClock), quick));
        let agents = Agents::new("sim")
            .with_router("sim", sim.clone())
            .with_circuit("sim", sim.clone())
            .with_switch("sim", sim.clone())
            .with_server("sim", sim.clone())
            .with_storage("sim", sim.clone())
            .with_storage("shelf", sim.clone());
        let agents = further(agents);
        let pace = Pace {
            watch: Duration::from_millis(300),
            retry: Duration::from_millis(100),
            build: Duration::from_millis(20),
            give_up,
        };
        let settings =
            Settings { poll: Duration::from_millis(50), first_pause: Duration::from_millis(20), ..Settings::default() };
        let mut controllers = meetme_control::controllers_at(app.clone(), agents, pace);
        let workers = workers(app.clone(), sim.clone());
        controllers.push(Box::new(JobController::new(app.clone(), workers)));
        let runner = Runner::new(store, controllers, settings);
        let stop = CancellationToken::new();
        let task = tokio::spawn(runner.run(stop.clone()));
        let begun = app.store().write(Context::system(), |tx| {
            let operator: Organization = of(json!({"name": "Operator", "form": "operator"}));
            let operator = tx.create(RawId::new(0), operator)?.id.any();
            let metro: Metro = of(json!({"slug": "us-ral", "name": "Raleigh", "country": "US"}));
            let metro = tx.create(operator, metro)?.id;
            let site: Site = of(json!({"slug": "ral1", "name": "Raleigh 1", "metro": metro, "zones": ["a", "b"]}));
            let site = tx.create(operator, site)?.id;
            Ok::<_, meetme_store::Error>((operator, metro, site))
        });
        let (operator, metro, site) = begun.await.unwrap();
        Self { app, sim, operator, metro, site, stop, task, _home: home }
    }

    /// Runs an operation with every right.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.app.store().write(Context::system(), f).await
    }

    /// Makes a row of the operator's from its JSON form.
    pub async fn make<R: Resource>(&self, json: Value) -> Id<R> {
        let operator = self.operator;
        self.write(move |tx| Ok(tx.create::<R>(operator, of(json.clone()))?.id)).await.unwrap()
    }

    /// Changes a row.
    pub async fn edit<R: Resource>(&self, id: Id<R>, edit: impl Fn(&mut R) + Send + 'static) {
        let saved = self.write(move |tx| {
            let mut row = tx.get(id)?;
            let mut spec = row.spec.clone();
            edit(&mut spec);
            Ok(tx.save(&mut row, spec)?)
        });
        saved.await.unwrap();
    }

    /// A row as it is.
    pub async fn get<R: Resource>(&self, id: Id<R>) -> Object<R> {
        self.app.store().read(Context::system(), move |tx| tx.get(id)).await.unwrap()
    }

    /// Waits until a row is as told, and answers it.
    pub async fn until<R: Resource>(&self, id: Id<R>, what: &str, test: impl Fn(&Object<R>) -> bool) -> Object<R> {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let met = tokio::time::timeout(Duration::from_secs(20), async {
            loop {
                let row = self.get(id).await;
                if test(&row) {
                    return row;
                }
                tick.tick().await;
            }
        });
        match met.await {
            Ok(row) => row,
            Err(_) => panic!("{what}: not in time; it is {}", json!(self.get(id).await.status)),
        }
    }

    /// What the controller says of a row.
    pub async fn note(&self, controller: &'static str, id: RawId) -> String {
        let work = self.app.store().read(Context::system(), move |tx| tx.work_of(controller, id));
        work.await.unwrap().and_then(|w| w.note).unwrap_or_default()
    }

    /// A simulated router on simulated equipment, in an AS of the operator's.
    pub async fn router(&self, name: &str) -> (Id<Router>, Id<Equipment>) {
        let equipment =
            Equipment { settings: json!({"poll_seconds": 1}), ..Equipment::new(name, Family::Router, "sim", "") };
        let equipment = self.make::<Equipment>(serde_json::to_value(equipment).unwrap()).await;
        let local = self.make::<AutonomousSystem>(json!({"asn": 64500, "name": format!("Us {name}"), "ours": true}));
        let local = local.await;
        let router = self.make::<Router>(json!({
            "name": name, "hostname": name, "local": local, "equipment": equipment, "site": self.site, "zone": "a",
        }));
        (router.await, equipment)
    }

    /// A project below the operator.
    pub async fn project(&self) -> Id<Project> {
        let operator = self.operator;
        let made = self.write(move |tx| {
            let project: Project = of(json!({"name": "P", "organization": operator.get()}));
            Ok(tx.create(operator, project)?.id)
        });
        made.await.unwrap()
    }

    /// A plan and an image for servers.
    pub async fn wares(&self) -> (Id<Plan>, Id<Image>) {
        let plan = self.make::<Plan>(json!({"slug": "c3", "name": "c3.small", "sold_at": [self.site]})).await;
        let image = self.make::<Image>(json!({"slug": "debian_13", "name": "Debian 13", "distro": "debian"})).await;
        (plan, image)
    }

    /// Stops the controllers.
    pub async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

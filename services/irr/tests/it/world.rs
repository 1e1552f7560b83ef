//! An operator with autonomous systems, a registry, and the controllers at work.

use std::{sync::Arc, time::Duration};

use meetme_app::{App, Error, MasterKey, Sealer, Settings};
use meetme_base::{Asn, Id, RawId, SystemClock};
use meetme_control::{Runner, Settings as Pace};
use meetme_irr::Config;
use meetme_model::{
    access::{Form, Organization},
    routing::{AutonomousSystem, IrrQuestion, IrrSet},
};
use meetme_store::{Context, Filter, Object, Open, Query, Store, Tx};
use meetme_testdb::Temp;
use meetme_whois::Whois;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine.
const SOON: Duration = Duration::from_secs(60);

pub struct World {
    pub app: App,
    pub whois: Whois,
    pub operator: RawId,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _database: Temp<Open>,
}

/// Whether the program is there; says so if not.
pub fn is_there(program: &str) -> bool {
    let found = std::process::Command::new(program).arg("-v").output().is_ok();
    if !found {
        eprintln!("SKIPPED: {program} is not installed");
    }
    found
}

/// A world on each database, its registry asked as `change` says.
pub async fn both(change: impl Fn(&mut Config)) -> Vec<World> {
    let mut out = Vec::new();
    for (_, database) in meetme_testdb::both() {
        out.push(World::on(database, &change).await);
    }
    out
}

/// A world on the database that is always there.
pub async fn one(change: impl Fn(&mut Config)) -> World {
    World::on(meetme_testdb::sqlite(), &change).await
}

impl World {
    async fn on(database: Temp<Open>, change: &impl Fn(&mut Config)) -> Self {
        let open = (*database).clone();
        let opening = std::thread::spawn(move || {
            Store::open(&open, meetme_irr::triggers(meetme_control::registry()), Arc::new(SystemClock)).unwrap()
        });
        let store = opening.join().unwrap();
        let sealer = Sealer::new(&MasterKey::parse(&"5".repeat(64)).unwrap());
        let app = App::new(store.clone(), sealer, Settings { registries: true, ..Settings::default() });
        let whois = Whois::start().unwrap();
        let mut config = Config { host: Some(whois.address.to_string()), timeout_seconds: 20, ..Config::default() };
        change(&mut config);
        config.check().unwrap();
        let pace = Pace {
            poll: Duration::from_millis(50),
            first_pause: Duration::from_millis(50),
            longest_pause: Duration::from_millis(200),
            ..meetme_irr::settings(&config)
        };
        let runner = Runner::new(store, meetme_irr::controllers(&app, &config), pace);
        let stop = CancellationToken::new();
        let task = tokio::spawn(runner.run(stop.clone()));
        let begun = app.store().write::<_, Error, _>(Context::system(), |tx| {
            let operator =
                Organization { name: "Operator".to_owned(), form: Form::Operator, ..Organization::default() };
            Ok(tx.create(RawId::new(0), operator)?.id.any())
        });
        let operator = begun.await.unwrap();
        Self { app, whois, operator, stop, task, _database: database }
    }

    /// Runs an operation with every right.
    pub async fn write<T: Send + 'static>(&self, f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static) -> T {
        self.app.store().write(Context::system(), f).await.unwrap()
    }

    /// Makes an AS of the operator's.
    pub async fn system(&self, asn: u32, as_set: &'static str) -> Id<AutonomousSystem> {
        let operator = self.operator;
        let asn = Asn::try_from(i64::from(asn)).unwrap();
        let made = self.write(move |tx| {
            let as_set = Some(as_set.to_owned()).filter(|set| !set.is_empty());
            let system = AutonomousSystem { as_set, ..AutonomousSystem::new(asn, format!("AS {asn}")) };
            Ok(tx.create(operator, system)?.id)
        });
        made.await
    }

    /// Changes an AS.
    pub async fn edit(&self, id: Id<AutonomousSystem>, edit: impl Fn(&mut AutonomousSystem) + Send + 'static) {
        let saved = self.write(move |tx| {
            let mut row = tx.get(id)?;
            let mut spec = row.spec.clone();
            edit(&mut spec);
            Ok(tx.save(&mut row, spec)?)
        });
        saved.await;
    }

    /// Every question, by set.
    pub async fn questions(&self) -> Vec<Object<IrrSet>> {
        let mut rows = self.write(|tx| Ok(tx.list::<IrrSet>(&Query::of(Filter::All))?)).await;
        rows.sort_by(|a, b| (&a.spec.set, a.spec.what).cmp(&(&b.spec.set, b.spec.what)));
        rows
    }

    /// The one question about a set.
    pub async fn question(&self, set: &str, what: IrrQuestion) -> Option<Object<IrrSet>> {
        self.questions().await.into_iter().find(|row| row.spec.set == set && row.spec.what == what)
    }

    /// Waits until the questions are as told.
    pub async fn until(&self, what: &str, holds: impl Fn(&[Object<IrrSet>]) -> bool) -> Vec<Object<IrrSet>> {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        let met = tokio::time::timeout(SOON, async {
            loop {
                let rows = self.questions().await;
                if holds(&rows) {
                    return rows;
                }
                tick.tick().await;
            }
        });
        match met.await {
            Ok(rows) => rows,
            Err(_) => panic!("{what}: not in time; it is {:#?}", self.questions().await),
        }
    }

    /// What the controller says of an object.
    pub async fn note(&self, controller: &'static str, id: RawId) -> String {
        self.write(move |tx| Ok(tx.work_of(controller, id)?)).await.and_then(|work| work.note).unwrap_or_default()
    }

    /// Stops the controllers.
    pub async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

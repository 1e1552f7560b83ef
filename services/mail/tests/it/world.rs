//! A core with an AS and its contacts, and the runner that does its jobs, on a database.

use std::{sync::Arc, time::Duration};

use meetme_app::{App, Error, MasterKey, Sealer};
use meetme_base::{Id, RawId, SystemClock};
use meetme_control::{Runner, Settings as RunnerSettings, jobs::JobController};
use meetme_mail::{Delivery, MailWorker, Settings, Tls};
use meetme_model::{
    access::{Form, Organization},
    ops::{Contact, ContactAssignment, Job},
    routing::AutonomousSystem,
};
use meetme_store::{Context, Object, Open, Resource, Store, Tx};
use meetme_testdb::Temp;
use tokio_util::sync::{CancellationToken, DropGuard};

pub struct World {
    pub make: &'static str,
    pub app: App,
    pub home: RawId,
    pub system: Id<AutonomousSystem>,
    _stop: DropGuard,
    // Last: the database goes when the store is gone.
    _database: Temp<Open>,
}

/// Settings for a server on this machine, without a pause between tries.
pub fn settings(port: u16) -> Settings {
    Settings {
        host: Some("127.0.0.1".to_owned()),
        port: Some(port),
        tls: Tls::None,
        from: "Peering Desk <peering@example.net>".to_owned(),
        timeout_seconds: 5,
        attempts: 3,
        pause_seconds: 0,
        ..Settings::default()
    }
}

/// A world on each database.
pub async fn both(settings: &Settings) -> Vec<World> {
    let mut out = Vec::new();
    for (make, database) in meetme_testdb::both() {
        out.push(World::on(make, database, settings).await);
    }
    out
}

/// A world on the database that is always there.
pub async fn one(settings: &Settings) -> World {
    World::on("sqlite", meetme_testdb::sqlite(), settings).await
}

impl World {
    async fn on(make: &'static str, database: Temp<Open>, settings: &Settings) -> Self {
        let open = database.clone();
        // Opening blocks, which the threads of an asynchronous test must not.
        let opening = std::thread::spawn(move || Store::open(&open, meetme_control::registry(), Arc::new(SystemClock)));
        let store = opening.join().unwrap().unwrap();
        let sealer = Sealer::new(&MasterKey::parse(&"5e".repeat(32)).unwrap());
        let app = App::new(store.clone(), sealer, meetme_app::Settings::default());
        let worker = MailWorker::new(app.clone(), Delivery::of(settings).unwrap());
        let jobs = JobController::new(app.clone(), vec![Arc::new(worker)]);
        let pace = RunnerSettings { poll: Duration::from_millis(50), ..RunnerSettings::default() };
        let stop = CancellationToken::new();
        tokio::spawn(Runner::new(store, vec![Box::new(jobs)], pace).run(stop.clone()));
        let made = app.store().write::<_, Error, _>(Context::system(), |tx| {
            let operator = Organization { name: "Operator".into(), form: Form::Operator, ..Organization::default() };
            let home = tx.create(RawId::new(0), operator)?.id.any();
            Ok((home, tx.create(home, AutonomousSystem::new(64500.try_into()?, "Peer"))?.id))
        });
        let (home, system) = made.await.unwrap();
        Self { make, app, home, system, _stop: stop.drop_guard(), _database: database }
    }

    pub async fn write<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.app.store().write(Context::system(), f).await
    }

    /// A contact of the AS.
    pub async fn contact(&self, name: &str, email: &str) -> Id<Contact> {
        let (home, object) = (self.home, self.system.any());
        let contact = Contact { name: name.to_owned(), email: email.to_owned(), ..Contact::default() };
        let made = self.write(move |tx| {
            let contact = tx.create(home, contact.clone())?.id;
            let sort = AutonomousSystem::KIND.name().to_owned();
            tx.create(home, ContactAssignment { object, sort, contact, role: None })?;
            Ok(contact)
        });
        made.await.unwrap()
    }

    /// Puts a letter into the queue.
    pub async fn send(&self, contacts: Vec<Id<Contact>>, subject: &str, body: &str) -> Result<Id<Job>, Error> {
        let (system, subject, body) = (self.system, subject.to_owned(), body.to_owned());
        self.write(move |tx| Ok(meetme_app::mails::send(tx, system, &contacts, &subject, &body)?.id)).await
    }

    /// The job once it is over.
    pub async fn over(&self, id: Id<Job>) -> Object<Job> {
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let wait = tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                let job = self.app.store().read(Context::system(), move |tx| tx.get(id)).await.unwrap();
                if job.status.state.is_over() {
                    return job;
                }
                tick.tick().await;
            }
        });
        wait.await.unwrap_or_else(|_| panic!("{}: the job does not end", self.make))
    }
}

/// What a job said, line by line.
pub fn log(job: &Object<Job>) -> String {
    job.status.log.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
}

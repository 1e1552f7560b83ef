//! An installation with an operator and a customer, and a made-up database beside it.

use std::sync::Arc;

use meetme_app::{App, Error, identity, mirror};
use meetme_base::{Id, ManualClock, Secret, Time};
use meetme_control::jobs::Work;
use meetme_model::access::Organization;
use meetme_peeringdb::{PeeringDb, Settings, Summary};
use meetme_store::{Actor, ChangeQuery, Context, Tx};
use meetme_testkit::{Database, Place, as_system, customer};
use meetme_testregister::{EPOCH, Register, Server, Size};

/// The moment the tests live in: a month after the database last changed.
pub const NOW: i64 = EPOCH + 30 * 86_400;

pub struct World {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub register: Arc<Register>,
    pub server: Server,
    pub service: PeeringDb,
    pub customer: Id<Organization>,
    pub operator: Id<Organization>,
    _database: Database,
}

/// A world on each database, with a register of this size.
pub async fn both(size: Size) -> Vec<World> {
    let mut out = Vec::new();
    for place in meetme_testkit::both(Time(NOW * 1000)) {
        eprintln!("on {}", place.make);
        out.push(World::on(place, size, |_| ()).await);
    }
    out
}

/// A world on the database that is always there.
pub async fn one(size: Size, change: impl Fn(&mut Settings)) -> World {
    World::on(meetme_testkit::one(Time(NOW * 1000)), size, change).await
}

impl World {
    async fn on(place: Place, size: Size, change: impl Fn(&mut Settings)) -> Self {
        // Only the first one in a process can, and one is enough.
        drop(rustls::crypto::ring::default_provider().install_default());
        let Place { app, clock, database, .. } = place;
        let (operator, customer) = as_system(&app, |app, tx| {
            let first = identity::first(app, tx, "Operator", "root", &Secret::new("correct horse".to_owned()))?;
            Ok((first.operator.id, customer(tx, first.operator.id, "Customer")?))
        })
        .await;
        let register = Arc::new(Register::of(size));
        let server = Server::of(register.clone());
        let mut settings = Settings { url: server.url(), ..Settings::default() };
        change(&mut settings);
        let service = PeeringDb::new(app.clone(), &settings);
        Self { app, clock, register, server, service, customer, operator, _database: database }
    }

    /// Asks for a synchronisation, does it, and answers what it came to.
    pub async fn try_synchronise(&self) -> Result<Summary, String> {
        let job = self.write(mirror::ask).await;
        let work = Work::new(job, Actor::system(), self.app.clock().clone());
        self.service.synchronise(&work.context(), &work.log).await
    }

    pub async fn synchronise(&self) -> Summary {
        self.try_synchronise().await.unwrap()
    }

    pub async fn write<T: Send + 'static>(&self, f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static) -> T {
        as_system(&self.app, move |_, tx| f(tx)).await
    }

    pub async fn read<T: Send + 'static>(&self, f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static) -> T {
        self.app.store().read::<_, Error, _>(Context::system(), f).await.unwrap()
    }

    /// How many lines of the log are about a kind.
    pub async fn lines(&self, kind: &'static str) -> u64 {
        self.read(move |tx| {
            let kinds = vec![tx.registry().kind(kind).unwrap().kind];
            Ok(tx.count_changes(&ChangeQuery { kinds, limit: 1_000_000, ..ChangeQuery::default() })?)
        })
        .await
    }
}

//! The way from a wish in the core to the IX-API and back.

use std::{sync::Arc, time::Duration};

use meetme_app::{App, Error, MasterKey, Sealer, ixapis};
use meetme_base::{Id, Invalid, RawId, Secret, SystemClock};
use meetme_control::{Runner, Settings, jobs::JobController};
use meetme_ixapi::IxApiWorker;
use meetme_model::{
    access::{Form, Organization},
    ops::{Job, JobState},
    routing::{AutonomousSystem, Exchange, ExchangeLink, IxApi},
};
use meetme_store::{Context, Object, Store, Tx};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{asked::client, fake::Fake};

async fn write<T: Send + 'static>(
    app: &App,
    f: impl Fn(&App, &mut Tx<'_>) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let inside = app.clone();
    app.store().write(Context::system(), move |tx| f(&inside, tx)).await
}

async fn over(app: &App, id: Id<Job>) -> Object<Job> {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    let wait = tokio::time::timeout(Duration::from_secs(30), async {
        loop {
            let job = app.store().read(Context::system(), move |tx| tx.get(id)).await.unwrap();
            if job.status.state.is_over() {
                return job;
            }
            tick.tick().await;
        }
    });
    wait.await.expect("the job ends")
}

#[tokio::test]
async fn a_wish_is_carried_out_with_credentials_that_no_document_shows() {
    for (make, database) in meetme_testdb::both() {
        let open = database.clone();
        let opening = std::thread::spawn(move || Store::open(&open, meetme_control::registry(), Arc::new(SystemClock)));
        let store = opening.join().unwrap().unwrap();
        let sealer = Sealer::new(&MasterKey::parse(&"5e".repeat(32)).unwrap());
        let app = App::new(store.clone(), sealer, meetme_app::Settings::default());
        let worker = IxApiWorker::new(app.clone(), client());
        let jobs = JobController::new(app.clone(), vec![Arc::new(worker)]);
        let pace = Settings { poll: Duration::from_millis(50), ..Settings::default() };
        let stop = CancellationToken::new();
        let _stop = stop.clone().drop_guard();
        tokio::spawn(Runner::new(store, vec![Box::new(jobs)], pace).run(stop));
        let fake = Fake::new().await;
        let url = fake.url.clone();
        let made = write(&app, move |app, tx| {
            let operator = Organization { name: "Operator".into(), form: Form::Operator, ..Organization::default() };
            let home = tx.create(RawId::new(0), operator)?.id.any();
            let local = tx.create(home, AutonomousSystem::new(64500.try_into()?, "Us"))?.id;
            let ixapi = tx.create(
                home,
                IxApi {
                    name: "IX".into(),
                    url: url.clone(),
                    key: app.sealer().seal("key")?,
                    secret: app.sealer().seal("hunter2")?,
                    identity: "1234".into(),
                },
            )?;
            let exchange = Exchange { ixapi: Some(ixapi.id), ..Exchange::new("IX", "ix", local) };
            let exchange = tx.create(home, exchange)?.id;
            let link = ExchangeLink {
                exchange: Some(exchange),
                mac: Some("02:00:5e:10:00:0a".parse().unwrap()),
                ip4: Some("192.0.2.80/24".parse().unwrap()),
                ..ExchangeLink::default()
            };
            let bare = ExchangeLink { exchange: Some(exchange), ..ExchangeLink::default() };
            Ok((home, tx.create(home, link)?.id, tx.create(home, bare)?.id))
        });
        let (home, link, bare) = made.await.unwrap();
        let asked = write(&app, move |_, tx| Ok(ixapis::register(tx, link)?.id)).await.unwrap();
        let job = over(&app, asked).await;
        assert_eq!(job.status.state, JobState::Ok, "{make}: {}", job.status.output);
        assert_eq!(fake.changes().len(), 2);
        let said = write(&app, move |_, tx| Ok(ixapis::register(tx, bare)?.id)).await;
        let Err(Error::Invalid(bad)) = said else { panic!("{make}: it has no hardware address") };
        assert_eq!(bad, [Invalid::rule("mac", "This connection has no MAC address.")]);
        let (url, wrong) = (fake.url.clone(), fake.url.clone());
        let secret = |text: &str| Secret::new(text.to_owned());
        let ask = move |app: &App, tx: &mut Tx<'_>| {
            Ok(ixapis::accounts(app, tx, home, &url, &secret("key"), &secret("hunter2"))?.id)
        };
        let job = over(&app, write(&app, ask).await.unwrap()).await;
        assert_eq!(job.status.answer, json!([{"id": "1234", "name": "Example Networks"}]), "{make}");
        let ask = move |app: &App, tx: &mut Tx<'_>| {
            Ok(ixapis::accounts(app, tx, home, &wrong, &secret("key"), &secret("wr0ng"))?.id)
        };
        let refused = over(&app, write(&app, ask).await.unwrap()).await;
        assert_eq!(refused.status.state, JobState::Failed);
        assert!(refused.status.output.contains("401"), "{}", refused.status.output);
        let documents = format!("{:?}{}", refused.spec, serde_json::to_string(&Tx::erased(&refused).spec).unwrap());
        assert!(!documents.contains("wr0ng"), "{documents}");
    }
}

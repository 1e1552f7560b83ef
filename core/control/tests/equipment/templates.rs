//! Routers with a template: its text goes to the box whole, an error of it changes nothing there, and the jobs that show and order.

use std::sync::Arc;

use meetme_agent::{Agent, Target};
use meetme_app::{Error, routers::jobs, templates};
use meetme_base::Id;
use meetme_control::{
    Agents,
    router::{RouterController, jobs::RouterWorker},
};
use meetme_model::{
    BgpState,
    access::User,
    ops::{Equipment, Job, JobState},
    routing::{AutonomousSystem, DirectSession, Router, Template},
};
use meetme_store::Filter;
use serde_json::{Value, json};

use crate::world::World;

/// A simulated router with a session and a template.
struct Room {
    world: World,
    router: Id<Router>,
    equipment: Id<Equipment>,
    template: Id<Template>,
    session: Id<DirectSession>,
}

impl Room {
    async fn with(text: &str) -> Self {
        let world = World::with_router_jobs().await;
        let (router, equipment) = world.router("edge1").await;
        let remote = world.make::<AutonomousSystem>(json!({"asn": 64501, "name": "Peer"})).await;
        let password = world.app.sealer().seal("s3cret").unwrap();
        let session = json!({
            "asn": 64501, "remote": remote, "router": router, "local_ip": "10.0.0.1/30", "ip": "10.0.0.2/30",
            "password": password,
        });
        let session = world.make::<DirectSession>(session).await;
        let template = world.make::<Template>(json!({"name": "Main", "text": text})).await;
        world.edit(router, move |r| r.template = Some(template)).await;
        Self { world, router, equipment, template, session }
    }

    async fn text(&self, text: &'static str) {
        self.world.edit(self.template, move |t| t.text = text.to_owned()).await;
    }

    /// What the box runs.
    async fn runs(&self) -> String {
        let row = self.world.get(self.equipment).await;
        let target = Target {
            id: row.id.get(),
            name: row.spec.name.clone(),
            address: String::new(),
            settings: Value::Null,
            access: None,
            repair: false,
        };
        let seen = Agent::<meetme_agent::router::Router>::observe(&*self.world.sim, &target).await.unwrap();
        seen.config.expose().to_owned()
    }

    async fn until_runs(&self, part: &str) {
        self.world
            .until(self.equipment, "loaded", |e| e.status.applied_sha256.is_some() && e.status.drift.is_none())
            .await;
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(20));
        let end = tokio::time::timeout(std::time::Duration::from_secs(20), async {
            while !self.runs().await.contains(part) {
                tick.tick().await;
            }
        });
        assert!(end.await.is_ok(), "{part}: {}", self.runs().await);
    }

    async fn job(
        &self,
        ask: impl Fn(&mut meetme_store::Tx<'_>, Id<Router>) -> Result<meetme_store::Object<Job>, Error> + Send + 'static,
    ) -> meetme_store::Object<Job> {
        let router = self.router;
        let app = self.world.app.clone();
        // Whoever asks showed who they are.
        let user = User::new("somebody", self.world.operator.of());
        let user = self.world.write(move |tx| match tx.one::<User>(&Filter::eq("username", "somebody"))? {
            Some(user) => Ok(user.id),
            None => Ok(tx.create(user.home.any(), user.clone())?.id),
        });
        let by = Some(user.await.unwrap().any());
        let actor = meetme_store::Actor { by, name: "somebody".into(), dialect: "test" };
        let context = meetme_store::Context { actor, ..meetme_store::Context::system() };
        let asked = app.store().write::<_, Error, _>(context, move |tx| Ok(ask(tx, router)?.id)).await.unwrap();
        self.world.until(asked, "over", |job| job.status.state.is_over()).await
    }
}

impl World {
    /// A world whose jobs of routers are done.
    async fn with_router_jobs() -> Self {
        Self::with_workers(|app, sim| {
            let agents = Agents::new("sim").with_router("sim", sim);
            vec![Arc::new(RouterWorker::new(RouterController::new(app, agents)))]
        })
        .await
    }
}

#[tokio::test]
async fn the_text_of_a_template_goes_to_the_box_with_its_passwords_and_sessions_are_seen() {
    let text =
        "hello {{ router.name }} {% for s in router | direct_sessions %}{{ s | ip }} {{ s.password }}{% endfor %}";
    let room = Room::with(text).await;
    room.until_runs("hello edge1 10.0.0.2 s3cret").await;
    room.world.until(room.session, "up", |s| s.status.state == Some(BgpState::Established)).await;
    let drift = room.world.get(room.equipment).await.status.drift;
    assert_eq!(drift, None);
    room.world.end().await;
}

#[tokio::test]
async fn a_template_that_fails_says_where_and_why_and_changes_nothing_on_the_box() {
    let room = Room::with("alpha").await;
    room.until_runs("alpha").await;
    room.world.until(room.session, "up", |s| s.status.state == Some(BgpState::Established)).await;
    let before = room.world.get(room.equipment).await.status;
    room.text("alpha\n{{ router | nosuch }}").await;
    let after = room.world.until(room.equipment, "stuck", |e| e.status.reason.is_some()).await.status;
    let reason = after.reason.unwrap().text;
    assert!(reason.contains("Main") && reason.contains("line 2") && reason.contains("nosuch"), "{reason}");
    assert_eq!((after.reloads, after.applied_sha256), (before.reloads, before.applied_sha256));
    assert!(room.runs().await.contains("alpha"));
    let note = room.world.note("router", room.router.any()).await;
    assert!(note.starts_with("stuck") && note.contains("line 2"), "{note}");
    // The box is looked at all the same.
    let seen = after.seen_at;
    room.world.until(room.equipment, "seen", |e| e.status.seen_at > seen).await;
    room.text("omega").await;
    room.until_runs("omega").await;
    room.world.until(room.equipment, "well", |e| e.status.reason.is_none()).await;
    room.world.end().await;
}

#[tokio::test]
async fn the_job_that_renders_masks_passwords_and_fails_with_the_line() {
    let room = Room::with("{% for s in router | direct_sessions %}{{ s.password }}{% endfor %}").await;
    let job = room.job(jobs::render).await;
    assert_eq!((job.status.state, job.status.output.as_str()), (JobState::Ok, templates::MASK));
    room.text("\n\n{% for %}").await;
    let job = room.job(jobs::render).await;
    assert_eq!(job.status.state, JobState::Failed);
    assert!(job.status.output.contains("line 3"), "{}", job.status.output);
    room.world.edit(room.router, |r| r.template = None).await;
    let job = room.job(jobs::render).await;
    assert_eq!((job.status.state, job.status.output.as_str()), (JobState::Ok, ""));
    room.world.end().await;
}

#[tokio::test]
async fn a_change_is_shown_without_being_made_and_made_when_it_is_ordered() {
    let room = Room::with("alpha").await;
    room.until_runs("alpha").await;
    // Somebody changed the box by hand, and it is not to be repaired by itself.
    room.world.sim.meddle("edge1", |runs| runs.custom_text = None);
    let job = room.job(|tx, id| jobs::configure(tx, id, false)).await;
    assert_eq!((job.status.state, job.status.answer), (JobState::Ok, json!({"is_change": true, "commit": false})));
    assert!(job.status.output.contains("+") && !job.status.output.contains("s3cret"), "{}", job.status.output);
    assert!(!room.runs().await.contains("alpha"));
    let job = room.job(|tx, id| jobs::configure(tx, id, true)).await;
    assert_eq!(job.status.state, JobState::Ok, "{}", job.status.output);
    assert!(room.runs().await.contains("alpha"));
    let job = room.job(|tx, id| jobs::configure(tx, id, true)).await;
    assert_eq!((job.status.state, job.status.answer), (JobState::Ok, json!({"is_change": false, "commit": true})));
    room.world.end().await;
}

#[tokio::test]
async fn an_ordered_change_that_the_box_refuses_fails_with_its_words() {
    let room = Room::with("alpha").await;
    room.until_runs("alpha").await;
    let refuse = json!({"poll_seconds": 1, "refuse": "Line 1: no."});
    room.world.edit(room.equipment, move |e| e.settings = refuse.clone()).await;
    room.text("omega").await;
    let job = room.job(|tx, id| jobs::configure(tx, id, true)).await;
    assert_eq!(job.status.state, JobState::Failed, "{:?}", job.status);
    assert!(job.status.output.contains("Line 1: no."), "{}", job.status.output);
    assert!(room.runs().await.contains("alpha"));
    room.world.end().await;
}

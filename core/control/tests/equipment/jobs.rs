//! Jobs: the good end, the bad end, the mistake of ours, and the work that is done again after a crash.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use meetme_app::jobs::Ask;
use meetme_base::{Clock as _, Id, SystemClock, Time};
use meetme_control::{
    Soon,
    jobs::{Done, Work, Worker},
};
use meetme_model::ops::{Job, JobState, LogLevel};
use serde_json::json;

use crate::world::World;

/// Does what it is told to.
#[derive(Default)]
pub struct Toy {
    runs: AtomicU32,
}

impl Worker for Toy {
    fn what(&self) -> &'static [&'static str] {
        &["toy.good", "toy.bad", "toy.broken", "toy.loud"]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match work.job.spec.what.as_str() {
                "toy.good" => {
                    work.log.info("Here we go.");
                    Ok(Done { output: "fine\nvery".into(), answer: work.job.spec.inputs.clone() })
                }
                "toy.bad" => Err("It is too heavy.".to_owned()),
                "toy.loud" => {
                    (0..1500).for_each(|n| work.log.info(format!("{n}")));
                    Ok(Done::default())
                }
                _ => panic!("the toy fell over"),
            }
        })
    }
}

async fn asked(world: &World, what: &'static str) -> Id<Job> {
    let operator = world.operator;
    let ask = move || Ask { what, name: what.to_owned(), subject: Some(operator), inputs: json!({"n": 1}) };
    world.write(move |tx| Ok(meetme_app::jobs::ask(tx, operator, ask())?.id)).await.unwrap()
}

#[tokio::test]
async fn a_job_ends_as_its_worker_says() {
    let toy = Arc::new(Toy::default());
    let world = World::with(vec![toy.clone()]).await;
    let good = asked(&world, "toy.good").await;
    let good = world.until(good, "over", |job| job.status.state.is_over()).await;
    assert_eq!((good.status.state, good.status.output.as_str()), (JobState::Ok, "fine\nvery"));
    assert_eq!((good.status.answer, good.spec.about.as_deref()), (json!({"n": 1}), Some("organization")));
    assert!(good.status.started.is_some() && good.status.ended >= good.status.started);
    assert_eq!(good.status.log.len(), 1);
    let bad = asked(&world, "toy.bad").await;
    let bad = world.until(bad, "over", |job| job.status.state.is_over()).await;
    assert_eq!((bad.status.state, bad.status.output.as_str()), (JobState::Failed, "It is too heavy."));
    assert_eq!(bad.status.log.last().map(|line| line.level), Some(LogLevel::Failure));
    let broken = asked(&world, "toy.broken").await;
    let broken = world.until(broken, "over", |job| job.status.state.is_over()).await;
    assert_eq!(broken.status.state, JobState::Aborted);
    assert!(!broken.status.output.contains("fell over"), "what broke is for the log of the server");
    assert_eq!(toy.runs.load(Ordering::SeqCst), 3, "each was done once");
    world.end().await;
}

#[tokio::test]
async fn what_a_job_says_is_bounded_and_what_was_left_out_is_told() {
    let world = World::with(vec![Arc::new(Toy::default())]).await;
    let loud = asked(&world, "toy.loud").await;
    let loud = world.until(loud, "over", |job| job.status.state.is_over()).await;
    assert_eq!(loud.status.log.len(), 1001);
    assert_eq!(loud.status.log[1000].text, "500 more lines are not kept.");
    world.end().await;
}

#[tokio::test]
async fn a_job_that_was_at_work_when_its_process_died_is_done_again() {
    let world = World::with(vec![Arc::new(Toy::default())]).await;
    let operator = world.operator;
    let id = world.write(move |tx| {
        let ask = Ask { what: "toy.good", name: "again".into(), ..Ask::default() };
        let mut job = meetme_app::jobs::ask(tx, operator, ask)?;
        let running = meetme_model::ops::JobStatus { state: JobState::Running, ..job.status.clone() };
        tx.observe(&mut job, running, None)?;
        Ok(job.id)
    });
    let id = id.await.unwrap();
    let job = world.until(id, "over", |job| job.status.state.is_over()).await;
    assert_eq!(job.status.state, JobState::Ok);
    world.end().await;
}

#[tokio::test]
async fn a_job_waits_for_its_time_and_one_that_nobody_does_says_so() {
    let world = World::with(vec![Arc::new(Toy::default())]).await;
    let (operator, soon) = (world.operator, Time(SystemClock.now().0 + 400));
    let write = world.write(move |tx| {
        let job = |what: &str| Job { what: what.into(), name: "later".into(), due: Some(soon), ..Job::default() };
        let odd = Job { due: None, ..job("toy.nobody") };
        Ok((tx.create(operator, job("toy.good"))?.id, tx.create(operator, odd)?.id))
    });
    let (later, odd) = write.await.unwrap();
    let later = world.until(later, "over", |job| job.status.state.is_over()).await;
    assert!(later.status.started >= Some(soon), "{:?}", later.status);
    let note = world.note("job", odd.any()).await;
    assert!(note.contains("Nobody here does"), "{note}");
    world.end().await;
}

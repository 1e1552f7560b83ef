//! A closure on its way to a database thread and its answer on the way back.

use std::sync::Arc;

use futures_channel::oneshot;

use crate::{Context, Error, Tx, conn::Conn, habit::Habit, store::Shared};

/// What a database thread runs: the closure, inside a transaction that the thread opens and ends.
pub(crate) trait Job: Send {
    /// Runs the closure once; true when its writes should be kept. May be called again when the database asks for a retry.
    fn run(&mut self, conn: &mut dyn Conn, shared: &Shared, epochs: Vec<u64>) -> bool;
    /// Gives the answer out, after the writes are durable or gone.
    fn finish(self: Box<Self>, shared: &Shared, kept: Result<(), Error>);
    /// How it went the last time.
    fn habit(&self) -> &Habit;
}

pub(crate) struct Operation<F, T, E> {
    pub f: F,
    pub context: Context,
    pub writable: bool,
    pub out: Option<Result<T, E>>,
    pub written: Vec<usize>,
    pub worked: bool,
    pub habit: Arc<Habit>,
    pub reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Operation<F, T, E>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, conn: &mut dyn Conn, shared: &Shared, epochs: Vec<u64>) -> bool {
        *conn.doomed() = None;
        let mut tx = Tx::new(conn, shared, &self.context, self.writable, epochs);
        // A panic in an operation must cost that operation only, never the database thread.
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let out = (self.f)(&mut tx)?;
            tx.wake().map_err(E::from)?;
            Ok(out)
        }));
        self.written = tx.written.iter().copied().collect();
        self.worked = tx.worked;
        let mut out =
            ran.unwrap_or_else(|panic| Err(Error::Bug(format!("an operation panicked: {}", said(&panic))).into()));
        if self.writable
            && out.is_ok()
            && let Some(why) = conn.doomed().take()
        {
            out = Err(Error::Bug(format!("an operation went on after a failed write: {why}")).into());
        }
        let keep = out.is_ok() && !self.context.dry_run;
        self.out = Some(out);
        keep
    }

    fn finish(mut self: Box<Self>, shared: &Shared, kept: Result<(), Error>) {
        let answer = match (self.out.take(), kept) {
            (Some(Ok(out)), Ok(())) => {
                if self.writable && !self.context.dry_run {
                    shared.committed(&self.written, self.worked);
                }
                Ok(out)
            }
            (Some(Ok(_)) | None, Err(e)) => Err(e.into()),
            (Some(Err(e)), _) => Err(e),
            (None, Ok(())) => Err(Error::Bug("an operation was never run".into()).into()),
        };
        // The caller may have gone away; the operation stands all the same.
        drop(self.reply.send(answer));
    }

    fn habit(&self) -> &Habit {
        &self.habit
    }
}

fn said(panic: &Box<dyn std::any::Any + Send>) -> &str {
    panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("?")
}

pub(crate) type Queue = crossbeam_channel::Receiver<Box<dyn Job>>;

/// Answers every waiting job with an error: the database is gone for good.
pub(crate) fn refuse_all(queue: &Queue, shared: &Arc<Shared>, why: &str) {
    for job in queue.try_iter() {
        job.finish(shared, Err(Error::Unavailable(why.to_owned())));
    }
}

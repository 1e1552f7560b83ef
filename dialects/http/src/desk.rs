//! The threads that talk to clients. Each keeps its connections to itself, on a runtime of its own.
//!
//! Road not taken: one runtime whose threads take work from each other. A small request is over before another thread has woken up to
//! take it: with eight connections there were two system calls to wake or to sleep for each answer, and the slowest answers came later.

use std::{
    io,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::{CancellationToken, DropGuard};

/// All desks. Their threads end when this is dropped, with whatever is still under way there.
pub struct Desks {
    desks: Vec<Desk>,
    _open: DropGuard,
}

struct Desk {
    handle: Handle,
    busy: Arc<AtomicUsize>,
}

/// A place at a desk, for as long as this is kept.
pub struct Place {
    /// Where to run what serves the connection.
    pub handle: Handle,
    busy: Arc<AtomicUsize>,
}

impl Desks {
    /// As many as there are processors.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub fn open() -> io::Result<Self> {
        let count = std::thread::available_parallelism().map_or(1, NonZero::get);
        let closed = CancellationToken::new();
        let open = |number: usize| {
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let handle = runtime.handle().clone();
            let end = closed.clone();
            let stay = move || runtime.block_on(end.cancelled());
            std::thread::Builder::new().name(format!("desk-{number}")).spawn(stay)?;
            Ok(Desk { handle, busy: Arc::default() })
        };
        let desks = (0..count).map(open).collect::<io::Result<_>>()?;
        Ok(Self { desks, _open: closed.drop_guard() })
    }

    /// A place where the fewest connections are.
    pub fn place(&self) -> Option<Place> {
        let desk = self.desks.iter().min_by_key(|desk| desk.busy.load(Ordering::Relaxed))?;
        desk.busy.fetch_add(1, Ordering::Relaxed);
        Some(Place { handle: desk.handle.clone(), busy: Arc::clone(&desk.busy) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_sit_where_the_fewest_are() {
        let desks = Desks::open().unwrap();
        let count = desks.desks.len();
        let places: Vec<Place> = (0..2 * count).map(|_| desks.place().unwrap()).collect();
        let busy = || desks.desks.iter().map(|desk| desk.busy.load(Ordering::Relaxed)).collect::<Vec<_>>();
        assert_eq!(busy(), vec![2; count]);
        drop(places);
        assert_eq!(busy(), vec![0; count]);
    }

    #[test]
    fn a_desk_works_until_it_is_closed() {
        let desks = Desks::open().unwrap();
        let place = desks.place().unwrap();
        let (sent, heard) = std::sync::mpsc::channel();
        place.handle.spawn(async move { sent.send(std::thread::current().name().map(str::to_owned)) });
        assert_eq!(heard.recv().unwrap().as_deref(), Some("desk-0"));
        let (held, gone) = std::sync::mpsc::channel::<()>();
        place.handle.spawn(async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        drop(desks);
        // What is still there is dropped with the thread.
        assert!(gone.recv().is_err());
    }
}

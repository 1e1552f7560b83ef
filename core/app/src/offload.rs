//! Work that burns the processor for long (password hashes), kept away from database threads and from whatever runs our futures.

use std::{
    future::Future,
    sync::{Condvar, Mutex, PoisonError},
};

use futures_util::FutureExt as _;

use crate::Error;

/// How many such works run at once: password guessing must not take every core.
const MOST: usize = 2;

static RUNNING: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// Runs `f` on a thread of its own.
pub(crate) fn offload<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, Error>> + Send {
    let (send, receive) = futures_channel::oneshot::channel();
    let started = std::thread::Builder::new().name("offload".to_owned()).spawn(move || {
        let (count, freed) = &RUNNING;
        let mut running = count.lock().unwrap_or_else(PoisonError::into_inner);
        while *running >= MOST {
            running = freed.wait(running).unwrap_or_else(PoisonError::into_inner);
        }
        *running += 1;
        drop(running);
        let out = std::panic::catch_unwind(std::panic::AssertUnwindSafe(f));
        *count.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        freed.notify_one();
        if let Ok(out) = out {
            drop(send.send(out));
        }
    });
    let failed = started.err().map(|e| Error::Unavailable(format!("no thread is free: {e}")));
    receive.map(move |got| match failed {
        Some(e) => Err(e),
        None => got.map_err(|_| Error::Bug("a computation panicked".to_owned())),
    })
}

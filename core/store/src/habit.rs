//! What is remembered of each operation from the last time it ran: it decides where and how the next run is begun, never what
//! it answers.

use std::{
    any::TypeId,
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

/// Longer than this, in microseconds, an operation keeps nobody else waiting on the asker's own thread.
const QUICK: u32 = 500;

/// One operation: a closure of the program, whoever asks it for whatever.
#[derive(Debug)]
pub(crate) struct Habit {
    micros: AtomicU32,
    has_steps: AtomicBool,
}

impl Habit {
    pub fn new() -> Self {
        // What never ran is not trusted to be quick.
        Self { micros: AtomicU32::new(u32::MAX), has_steps: AtomicBool::new(false) }
    }

    /// Whether it was over in no time.
    pub fn is_quick(&self) -> bool {
        self.micros.load(Ordering::Relaxed) <= QUICK
    }

    /// Notes how long it took.
    pub fn took(&self, time: Duration) {
        self.micros.store(u32::try_from(time.as_micros()).unwrap_or(u32::MAX), Ordering::Relaxed);
    }

    /// Whether it asked the database more than once.
    pub fn has_steps(&self) -> bool {
        self.has_steps.load(Ordering::Relaxed)
    }

    /// Notes whether it asked the database more than once.
    pub fn stepped(&self, steps: bool) {
        if self.has_steps() != steps {
            self.has_steps.store(steps, Ordering::Relaxed);
        }
    }
}

/// All operations that ran.
#[derive(Debug, Default)]
pub(crate) struct Habits {
    // As many as the program has closures: it grows no further.
    known: RwLock<HashMap<TypeId, Arc<Habit>>>,
}

impl Habits {
    /// That of a closure.
    pub fn of<F: 'static>(&self) -> Arc<Habit> {
        let id = TypeId::of::<F>();
        if let Some(habit) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return habit.clone();
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.entry(id).or_insert_with(|| Arc::new(Habit::new())).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation_of<F: Fn() + 'static>(habits: &Habits, _: &F) -> Arc<Habit> {
        habits.of::<F>()
    }

    #[test]
    fn an_operation_is_quick_only_after_it_was() {
        let habits = Habits::default();
        let (one, other) = (|| (), || ());
        assert!(!operation_of(&habits, &one).is_quick());
        operation_of(&habits, &one).took(Duration::from_micros(20));
        assert!(operation_of(&habits, &one).is_quick() && !operation_of(&habits, &other).is_quick());
        operation_of(&habits, &one).took(Duration::from_secs(1));
        assert!(!operation_of(&habits, &one).is_quick());
    }
}

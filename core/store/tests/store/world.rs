//! A store with a first organization in it, on each database.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context as Task, Poll, Wake, Waker},
    thread::Thread,
};

use meetme_base::{ManualClock, RawId, SystemClock, Time};
use meetme_store::{Actor, Context, Error, Filter, Object, Open, Registry, Scope, Store, Tx};
use meetme_testdb::Temp;

use crate::kinds::{Device, Org, Site, registry};

pub const START: Time = Time(1_700_000_000_000);

pub struct World {
    pub name: &'static str,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub org: RawId,
    // Last: the database goes when the store is gone.
    pub open: Temp<Open>,
}

/// Runs the test on every database that this machine has.
pub fn on_both(test: impl Fn(&World)) {
    on_both_with(registry, test);
}

/// Runs the test with kinds of its own.
pub fn on_both_with(kinds: fn() -> Registry, test: impl Fn(&World)) {
    for (name, open) in meetme_testdb::both() {
        eprintln!("on {name}");
        test(&World::on(name, open, kinds()));
    }
}

impl World {
    fn on(name: &'static str, open: Temp<Open>, kinds: Registry) -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let store = Store::open(&open, kinds, clock.clone()).unwrap();
        let org = answer(store.write(Context::system(), |tx| tx.create(RawId::new(0), Org::named("acme")))).unwrap();
        Self { name, store, clock, org: org.id.any(), open }
    }

    /// Another store on the same database, as another process has it.
    pub fn again(&self, kinds: Registry) -> Store {
        Store::open(&self.open, kinds, Arc::new(SystemClock)).unwrap()
    }

    pub fn write<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        answer(self.store.write(Context::system(), f))
    }

    pub fn read<T: Send + 'static>(
        &self,
        f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        answer(self.store.read(Context::system(), f))
    }

    /// Writes with limited rights.
    pub fn write_as<T: Send + 'static>(
        &self,
        scope: &Arc<dyn Scope>,
        f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        answer(self.store.write(context(scope.clone()), f))
    }

    /// Reads with limited rights.
    pub fn read_as<T: Send + 'static>(
        &self,
        scope: &Arc<dyn Scope>,
        f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        answer(self.store.read(context(scope.clone()), f))
    }

    pub fn site(&self, name: &str) -> Object<Site> {
        let (org, name) = (self.org, name.to_owned());
        self.write(move |tx| tx.create(org, Site::named(&name))).unwrap()
    }

    pub fn device(&self, name: &str, site: &Object<Site>) -> Object<Device> {
        let spec = Device { name: name.to_owned(), site: Some(site.id.any()), ..Device::default() };
        self.create(spec)
    }

    pub fn create(&self, spec: Device) -> Object<Device> {
        self.try_create(spec).unwrap()
    }

    pub fn try_create(&self, spec: Device) -> Result<Object<Device>, Error> {
        let org = self.org;
        self.write(move |tx| tx.create(org, spec.clone()))
    }

    pub fn names(&self, filter: Filter) -> Vec<String> {
        self.read(move |tx| Ok(tx.all::<Device>(filter.clone())?.into_iter().map(|d| d.spec.name).collect())).unwrap()
    }
}

fn context(scope: Arc<dyn Scope>) -> Context {
    let actor = Actor { by: None, name: "somebody".to_owned(), dialect: "native" };
    Context { scope, actor, ..Context::system() }
}

/// Waits for an answer on this thread.
pub fn answer<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Task::from_waker(&waker)) {
            Poll::Ready(out) => return out,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Numbers that look random and are the same in every run.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % sides
    }
}

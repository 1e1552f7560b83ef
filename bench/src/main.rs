//! How fast Meetme is, as ratios that one run on one machine gives: reads against a bare program over the same data that
//! answers the same bytes, writes against the store's own transaction rate.
//!
//! Promise: nothing here is part of the product, and nothing is compared whose answers differ.
//!
//! Road not taken: rates alone, which say more about the machine and its other work than about the program.

mod bare;
mod case;
mod client;
mod load;
mod machines;
mod measure;
mod own;
mod place;
mod report;
mod server;

use std::{
    future::Future,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use tokio::{
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use crate::{
    bare::{Bare, Common},
    case::{Asker, LISTED, READS, Read, Requests, WRITES},
    client::{Caller, Client},
    load::{Loaded, Size},
    measure::{Figures, repeat},
    own::Own,
    place::Place,
    report::{Against, Line},
    server::{Memory, Server},
};

/// The server's own, so that both sides have the same.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Each side runs so many times in turn, so that what else the machine does meets both.
const ROUNDS: u32 = 2;
/// The share of the time before a measurement that is not counted.
const WARM_UP: f64 = 0.1;

/// The first numbers of the servers that are added for what is ordered, and for the machines that only are there.
const FIRST_FOR_ORDERS: usize = 20_000;
const SERVERS_FOR_ORDERS: usize = 30_000;
const FIRST_OF_CROWD: usize = 100_000;

#[derive(Parser)]
#[command(about = "Measures Meetme against a bare program and against its own store")]
struct Arguments {
    /// How long each side of each line is measured; 3 unless this is a quick run
    #[arg(long)]
    seconds: Option<f64>,
    /// A small data set and short runs, to see whether everything works
    #[arg(long)]
    quick: bool,
    /// The server's program, instead of a fresh optimised build
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// The stores to measure
    #[arg(long, value_enum, default_value = "both")]
    store: Which,
    /// Measure the list of machines once more with so many others in the store
    #[arg(long, value_name = "MACHINES")]
    crowd: Option<usize>,
    /// Numbers of connections
    #[arg(long, value_delimiter = ',', default_value = "1,8,64")]
    connections: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Sqlite,
    Postgres,
    Both,
}

impl Arguments {
    fn size(&self) -> Size {
        if self.quick {
            Size { networks: 200, sessions: 500, first: 50, servers: 2_000 }
        } else {
            Size { networks: 5_000, sessions: 20_000, first: 1_000, servers: 10_000 }
        }
    }

    fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds.unwrap_or(if self.quick { 0.3 } else { 3.0 }))
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    ensure!(arguments.connections.iter().all(|count| *count > 0), "no connections, no measurement");
    let program = server::program(arguments.binary.clone())?;
    let size = arguments.size();
    println!(
        "{} autonomous systems, {} exchange sessions, {} servers, {:.1} s for each side of a line in {ROUNDS} turns, \
         {} processors",
        size.networks,
        size.sessions,
        size.servers,
        arguments.time().as_secs_f64(),
        std::thread::available_parallelism()?,
    );
    let generator = Generator::new()?;
    if arguments.store != Which::Postgres {
        let folder = tempfile::Builder::new().prefix("meetme-bench-").tempdir()?;
        measure(&arguments, &program, &generator, folder.path(), &Place::sqlite(folder.path()))?;
    }
    if arguments.store != Which::Sqlite {
        let folder = tempfile::Builder::new().prefix("meetme-bench-").tempdir()?;
        match Place::postgres() {
            Ok(place) => measure(&arguments, &program, &generator, folder.path(), &place)?,
            Err(error) => println!("\nSKIPPED PostgreSQL: {error:#}"),
        }
    }
    Ok(())
}

/// Everything on one store.
fn measure(arguments: &Arguments, program: &Path, generator: &Generator, data: &Path, place: &Place) -> Result<()> {
    println!("\n{}", place.name());
    let settings = place.settings();
    let caller = Caller { token: server::set_up(program, data, &settings)?, machines: false };
    let server = Server::start(program, data, &settings)?;
    say("started", server.memory()?);
    let rows = generator.run(load::fill(server.address, &caller, arguments.size()))?;
    say("loaded", server.memory()?);
    server.stop()?;
    let machines = generator.run(machines::fill(&place.open(), arguments.size().servers))?;
    let mut run = Run {
        server: Server::start(program, data, &settings)?,
        generator,
        caller,
        loaded: Arc::new(Loaded::with(rows, machines)),
        time: arguments.time(),
        connections: arguments.connections.clone(),
    };
    say("started on the data", run.server.memory()?);
    let bare = Bare::start(place, run.generator.run(run.common())?)?;
    run.generator.run(run.compare(bare.address))?;
    println!("the bare program answers the same bytes to every kind of reading request\n\n{}", report::head());
    let mut lines = run.reads(bare.address)?;
    drop(bare);
    run.server.stop()?;
    let machines = &run.loaded.machines;
    // Writing uses up what reading counts.
    generator.run(machines.more(&place.open(), FIRST_FOR_ORDERS, SERVERS_FOR_ORDERS))?;
    let copy = place.copy()?;
    run.server = Server::start(program, data, &settings)?;
    let own = generator.run(Own::open(&copy, run.loaded.clone()))?;
    lines.extend(run.writes(&own)?);
    drop(own);
    report::missed(&lines).iter().for_each(|text| println!("{text}"));
    run.server.stop()?;
    if let Some(count) = arguments.crowd {
        let before = lines.iter().find(|line| line.case == LISTED && line.connections == run.connections[0]);
        generator.run(run.loaded.machines.crowd(&place.open(), FIRST_OF_CROWD, count))?;
        run.server = Server::start(program, data, &settings)?;
        println!("{}", report::crowded(count, before.context("no list of machines")?, &run.crowded()?));
        run.server.stop()?;
    }
    Ok(())
}

/// Where requests are made: one thread, which must not take more from one side than from the other.
struct Generator {
    runtime: Runtime,
    stopped: watch::Receiver<bool>,
}

impl Generator {
    /// From now on an interrupt or a polite kill ends what runs with an error, so that servers and files are cleared away.
    fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let (stop, stopped) = watch::channel(false);
        let inside = runtime.enter();
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        runtime.spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            stop.send_replace(true);
        });
        drop(inside);
        Ok(Self { runtime, stopped })
    }

    fn run<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let mut stopped = self.stopped.clone();
        self.runtime.block_on(async {
            tokio::select! {
                done = work => done,
                _ = stopped.wait_for(|stopped| *stopped) => bail!("stopped before the end"),
            }
        })
    }
}

fn say(when: &str, memory: Memory) {
    println!("memory, {when}: {} MiB, at most {} MiB", memory.now / 1024, memory.most / 1024);
}

/// What all measurements on one store share.
struct Run<'g> {
    server: Server,
    generator: &'g Generator,
    caller: Caller,
    loaded: Arc<Loaded>,
    time: Duration,
    connections: Vec<usize>,
}

impl Run<'_> {
    /// What the bare program need not read.
    async fn common(&self) -> Result<Common> {
        let project = &self.loaded.machines.listed;
        let request = self.caller.of_machines().get(&case::machines_of(project));
        Common::of(project, &Client::connect(self.server.address).await?.ask(&request).await?)
    }

    /// The list of a project's machines while the store holds many more.
    fn crowded(&self) -> Result<Figures> {
        let requests = Arc::new(Requests::reading(&self.caller, &self.loaded, Read::Machines));
        let ask = |time| self.ask(self.server.address, &requests, self.connections[0], time);
        self.warm(ask)?;
        ask(self.time)
    }

    /// Fails unless both programs answer the same.
    async fn compare(&self, bare: SocketAddr) -> Result<()> {
        let mut ours = Client::connect(self.server.address).await?;
        let mut theirs = Client::connect(bare).await?;
        for (name, read) in READS {
            let requests = Requests::reading(&self.caller, &self.loaded, *read);
            for _ in 0..if matches!(read, Read::Network | Read::Session) { 100 } else { 1 } {
                let request = requests.next();
                let (a, b) = (ours.ask(&request).await?, theirs.ask(&request).await?);
                if a != b {
                    let at = a.iter().zip(&b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
                    let near = |text: &[u8]| {
                        String::from_utf8_lossy(&text[at.saturating_sub(60)..text.len().min(at + 60)]).into_owned()
                    };
                    bail!("{name}: the answers differ at byte {at}: {:?} and {:?}", near(&a), near(&b));
                }
            }
        }
        Ok(())
    }

    fn reads(&self, bare: SocketAddr) -> Result<Vec<Line>> {
        let mut lines = Vec::new();
        for (case, read) in READS {
            for connections in &self.connections {
                let requests = Arc::new(Requests::reading(&self.caller, &self.loaded, *read));
                let (mut ours, mut other) = (Figures::default(), Figures::default());
                self.warm(|time| self.ask(bare, &requests, *connections, time))?;
                self.warm(|time| self.ask(self.server.address, &requests, *connections, time))?;
                for _ in 0..ROUNDS {
                    other.add(self.ask(bare, &requests, *connections, self.time / ROUNDS)?);
                    ours.add(self.ask(self.server.address, &requests, *connections, self.time / ROUNDS)?);
                }
                lines.push(self.line(case, *connections, ours, other, Against::Bare)?);
            }
        }
        Ok(lines)
    }

    fn writes(&self, own: &Own) -> Result<Vec<Line>> {
        let serial = Arc::new(AtomicU64::new(0));
        let mut lines = Vec::new();
        for (case, write) in WRITES {
            for connections in &self.connections {
                let requests = Arc::new(Requests::writing(&self.caller, &self.loaded, *write, &serial));
                let store = |time| self.generator.run(repeat(own.writers(*connections, *write), time));
                let (mut ours, mut other) = (Figures::default(), Figures::default());
                self.warm(store)?;
                self.warm(|time| self.ask(self.server.address, &requests, *connections, time))?;
                for _ in 0..ROUNDS {
                    other.add(store(self.time / ROUNDS)?);
                    ours.add(self.ask(self.server.address, &requests, *connections, self.time / ROUNDS)?);
                }
                lines.push(self.line(case, *connections, ours, other, Against::Store)?);
            }
        }
        Ok(lines)
    }

    fn warm(&self, run: impl FnOnce(Duration) -> Result<Figures>) -> Result<()> {
        run(self.time.mul_f64(WARM_UP)).map(drop)
    }

    fn ask(
        &self,
        address: SocketAddr,
        requests: &Arc<Requests>,
        connections: usize,
        time: Duration,
    ) -> Result<Figures> {
        self.generator.run(async {
            let mut askers = Vec::new();
            for _ in 0..connections {
                askers.push(Asker { client: Client::connect(address).await?, requests: requests.clone() });
            }
            repeat(askers, time).await
        })
    }

    fn line(
        &self,
        case: &'static str,
        connections: usize,
        ours: Figures,
        other: Figures,
        against: Against,
    ) -> Result<Line> {
        let line = Line { case, connections, ours, other, against, memory: self.server.memory()? };
        println!("{}", report::line(&line));
        Ok(line)
    }
}

//! What is measured: the requests, as bytes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use serde_json::Value;

use crate::{
    client::{Caller, Client},
    load::Loaded,
    machines::{Machines, ORDERED},
    measure::Worker,
};

/// How many rows a bulk request makes.
pub const BULK: u64 = 100;
/// How many rows a bulk request changes.
pub const MANY: u64 = 1000;
/// The first number of the autonomous systems that are made while measuring; free for private use (RFC 6996), and above those
/// that are loaded.
pub const FIRST_MADE: u64 = 4_210_000_000;
/// Autonomous systems.
pub const NETWORKS: &str = "/api/peering/autonomous-systems/";
/// Sessions across exchanges.
pub const SESSIONS: &str = "/api/peering/internet-exchange-peering-sessions/";

/// What is free.
pub const CAPACITY: &str = "/capacity";

/// The list of a project's machines.
pub fn machines_of(project: &str) -> String {
    format!("/projects/{project}/devices?per_page={ORDERED}&include=project,facility")
}

/// A kind of reading request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// One autonomous system, another one each time.
    Network,
    /// So many autonomous systems.
    Networks(u32),
    /// Autonomous systems with a text in their names.
    NetworksNamed,
    /// One session, another one each time.
    Session,
    /// So many sessions.
    Sessions(u32),
    /// Sessions of one exchange.
    SessionsAt,
    /// How many servers are free, of each plan at each site.
    Capacity,
    /// All ordered machines of a project, with project and site spelled out.
    Machines,
}

/// A kind of writing request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// One new autonomous system.
    Create,
    /// Another description of one.
    Patch,
    /// [`BULK`] new ones in one request.
    Bulk,
    /// Another comment on [`MANY`] sessions in one request.
    Sessions,
    /// One new machine.
    Machine,
    /// [`BATCH`](machines::BATCH) new machines, ordered together.
    Batch,
}

/// The name in the report of the list of machines.
pub const LISTED: &str = "device list of 1000";

/// Every reading request, with its name in the report.
pub const READS: &[(&str, Read)] = &[
    ("AS detail", Read::Network),
    ("AS list of 50", Read::Networks(50)),
    ("AS list of 1000", Read::Networks(1000)),
    ("AS list filtered by name", Read::NetworksNamed),
    ("session detail", Read::Session),
    ("session list of 50", Read::Sessions(50)),
    ("session list of 1000", Read::Sessions(1000)),
    ("session list of one exchange", Read::SessionsAt),
    ("capacity of all servers", Read::Capacity),
    (LISTED, Read::Machines),
];

/// Every writing request, with its name in the report.
pub const WRITES: &[(&str, Write)] = &[
    ("AS create", Write::Create),
    ("AS patch", Write::Patch),
    ("AS bulk create of 100", Write::Bulk),
    ("session bulk patch of 1000", Write::Sessions),
    ("device create", Write::Machine),
    ("device batch of 100", Write::Batch),
];

/// Makes the requests, each with its own number.
pub struct Requests {
    caller: Caller,
    loaded: Arc<Loaded>,
    what: What,
    /// Written once, for those that are the same each time.
    fixed: Bytes,
    serial: Arc<AtomicU64>,
}

#[derive(Clone, Copy)]
enum What {
    Read(Read),
    Write(Write),
}

impl Requests {
    /// Reading ones.
    pub fn reading(caller: &Caller, loaded: &Arc<Loaded>, read: Read) -> Self {
        let path = match read {
            Read::Network | Read::Session => String::new(),
            Read::Networks(limit) => format!("{NETWORKS}?limit={limit}"),
            Read::NetworksNamed => format!("{NETWORKS}?limit=50&name__ic=042"),
            Read::Sessions(limit) => format!("{SESSIONS}?limit={limit}"),
            Read::SessionsAt => format!("{SESSIONS}?internet_exchange_id={}&limit=50", loaded.exchange),
            Read::Capacity => CAPACITY.to_owned(),
            Read::Machines => machines_of(&loaded.machines.listed),
        };
        let is_of_machines = matches!(read, Read::Capacity | Read::Machines);
        let fixed = if is_of_machines { caller.of_machines().get(&path) } else { caller.get(&path) };
        Self { caller: caller.clone(), loaded: loaded.clone(), what: What::Read(read), fixed, serial: Arc::default() }
    }

    /// Writing ones; `serial` counts on from case to case, so that nothing is made twice.
    pub fn writing(caller: &Caller, loaded: &Arc<Loaded>, write: Write, serial: &Arc<AtomicU64>) -> Self {
        let (caller, loaded, serial) = (caller.clone(), loaded.clone(), serial.clone());
        Self { caller, loaded, what: What::Write(write), fixed: Bytes::new(), serial }
    }

    fn is_batch(&self) -> bool {
        matches!(self.what, What::Write(Write::Batch))
    }

    /// The next one.
    pub fn next(&self) -> Bytes {
        let one = |path: &str, ids: &[i64]| {
            let serial = self.serial.fetch_add(1, Ordering::Relaxed);
            (format!("{path}{}/", ids[serial as usize % ids.len()]), serial)
        };
        match self.what {
            What::Read(Read::Network) => self.caller.get(&one(NETWORKS, &self.loaded.networks).0),
            What::Read(Read::Session) => self.caller.get(&one(SESSIONS, &self.loaded.sessions).0),
            What::Read(_) => self.fixed.clone(),
            What::Write(Write::Patch) => {
                let (path, serial) = one(NETWORKS, &self.loaded.networks);
                self.caller.send("PATCH", &path, &format!(r#"{{"description":"patched {serial}"}}"#))
            }
            What::Write(Write::Create) => {
                let serial = self.serial.fetch_add(1, Ordering::Relaxed);
                self.caller.send("POST", NETWORKS, &network(serial))
            }
            What::Write(Write::Bulk) => {
                let serial = self.serial.fetch_add(BULK, Ordering::Relaxed);
                let rows: Vec<String> = (serial..serial + BULK).map(network).collect();
                self.caller.send("POST", NETWORKS, &format!("[{}]", rows.join(",")))
            }
            What::Write(Write::Machine) => {
                let serial = self.serial.fetch_add(1, Ordering::Relaxed);
                let path = format!("/projects/{}/devices", self.loaded.machines.project);
                self.caller.of_machines().send("POST", &path, &Machines::order(serial))
            }
            What::Write(Write::Batch) => {
                let serial = self.serial.fetch_add(1, Ordering::Relaxed);
                let path = format!("/projects/{}/devices/batch", self.loaded.machines.project);
                self.caller.of_machines().send("POST", &path, &Machines::batch(serial))
            }
            What::Write(Write::Sessions) => {
                let serial = self.serial.fetch_add(MANY, Ordering::Relaxed);
                let row = |id: i64| format!(r#"{{"id":{id},"comments":"patched {serial}"}}"#);
                let rows: Vec<String> = window(&self.loaded.sessions, serial).map(row).collect();
                self.caller.send("PATCH", SESSIONS, &format!("[{}]", rows.join(",")))
            }
        }
    }
}

/// [`MANY`] of these ids, or all where there are fewer: others for each serial.
pub fn window(ids: &[i64], serial: u64) -> impl Iterator<Item = i64> + '_ {
    let many = ids.len().min(MANY as usize);
    let from = serial as usize / MANY as usize * many;
    (from..from + many).map(|n| ids[n % ids.len()])
}

fn network(serial: u64) -> String {
    let number = FIRST_MADE + serial;
    format!(r#"{{"asn":{number},"name":"Bench Made {number}","comments":"made by the bench"}}"#)
}

/// One connection that asks.
pub struct Asker {
    /// The connection.
    pub client: Client,
    /// What it asks.
    pub requests: Arc<Requests>,
}

/// How long to wait before a batch is looked at again.
const PAUSE: Duration = Duration::from_millis(5);

impl Asker {
    /// A batch is ordered when all its machines are there: asked for until it says so.
    async fn batch(&mut self, request: &[u8]) -> Result<()> {
        let made: Value = serde_json::from_slice(&self.client.ask(request).await?)?;
        let id = made["batches"][0]["id"].as_str().context("a batch without an id")?.to_owned();
        let look = self.requests.caller.of_machines().get(&format!("/batches/{id}"));
        loop {
            let batch: Value = serde_json::from_slice(&self.client.ask(&look).await?)?;
            match batch["state"].as_str() {
                Some("completed") => return Ok(()),
                Some("failed") => bail!("a batch failed: {batch}"),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}

impl Worker for Asker {
    async fn once(&mut self) -> Result<()> {
        let request = self.requests.next();
        if self.requests.is_batch() { self.batch(&request).await } else { self.client.ask_blindly(&request).await }
    }
}

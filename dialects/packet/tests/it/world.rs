//! A small world: an operator, one customer with a user and a project, two sites with servers, a router, address pools.

use std::sync::Arc;

use http::{HeaderMap, Method};
use meetme_app::{App, Caller, Error, devices, gateways, identity, mails::Letter, organizations};
use meetme_base::{Id, IpNet, MacAddr, ManualClock, RawId, Secret, Time};
use meetme_http::{Limits, Server};
use meetme_model::{
    Phase, Term, Wanted,
    access::{EmailAddress, EmailAddressStatus, Membership, Organization, User},
    fabric::{Landing, LandingStatus, Pool, PoolOf, Segment},
    metal::{Device, Nic, Server as Metal},
    ops::Job,
    place::{Boot, Image, Line, Metro, Money, Part, Per, Plan, Price, Site, Specs},
    routing::Router,
};
use meetme_store::{Filter, Moved, Object, Tx};
use meetme_testkit::as_system;
use serde_json::{Value, json};

/// A running installation, with what tests need to know of it.
pub struct World {
    pub app: App,
    /// Its clock, which stands still until it is moved.
    pub clock: Arc<ManualClock>,
    server: Server,
    /// The token of the customer's user.
    pub token: String,
    /// The id of the customer's project.
    pub project: String,
    /// The id of the customer's organization.
    pub organization: String,
    /// The token of a user of another customer.
    pub stranger: String,
    /// The token of the operator's first user.
    pub operator: String,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// It has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
    /// Its errors hold these words.
    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        let text = self.body["errors"].to_string();
        assert!(text.contains(words), "{text}");
        self
    }
}

/// Runs a test on every database there is.
pub async fn everywhere(test: impl AsyncFn(World)) {
    for place in meetme_testkit::both(Time(1_780_000_000_000)) {
        eprintln!("on {}", place.make);
        test(World::new(place.app.clone(), place.clock.clone()).await).await;
    }
}

/// The public half of a key nobody has the other half of.
pub fn ssh_key(n: u8) -> String {
    use std::fmt::Write as _;
    // `ssh-ed25519`, its length before it, and 32 bytes; in base64 by hand to need no library for it.
    let mut bytes = vec![0, 0, 0, 11];
    bytes.extend(b"ssh-ed25519");
    bytes.extend([0, 0, 0, 32]);
    bytes.extend([n; 32]);
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = "ssh-ed25519 ".to_owned();
    for part in bytes.chunks(3) {
        let n = part.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - part.len()));
        for i in 0..=part.len() {
            write!(out, "{}", char::from(letters[(n >> (18 - 6 * i) & 63) as usize])).unwrap();
        }
        out.push_str(&"=".repeat(3 - part.len()));
    }
    out
}

impl World {
    async fn new(app: App, clock: Arc<ManualClock>) -> Self {
        let made = as_system(&app, make).await;
        let server = meetme_testkit::server(meetme_packet::dialect(), &app, Limits::default());
        let mut world = Self {
            app,
            clock,
            server,
            token: made.token,
            project: String::new(),
            organization: made.organization,
            stranger: made.stranger,
            operator: made.operator,
        };
        let project = world.post("/projects", json!({"name": "First"})).await.is(201);
        world.project = project.body["id"].as_str().unwrap().to_owned();
        world
    }

    pub async fn send(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send_text(token, method, path, body).await
    }

    pub async fn send_text(&self, token: &str, method: Method, path: &str, body: String) -> Answer {
        self.send_with(token, &[], method, path, body).await
    }

    /// The same with further headers.
    pub async fn send_with(
        &self,
        token: &str,
        more: &[(&str, &str)],
        method: Method,
        path: &str,
        body: String,
    ) -> Answer {
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(more);
        if !token.is_empty() {
            headers.push(("x-auth-token", token));
        }
        let said = meetme_testkit::call(&self.server, &format!("{method} {path}"), &headers, body).await;
        let body = if said.bytes.is_empty() { Value::Null } else { serde_json::from_slice(&said.bytes).unwrap() };
        Answer { status: said.status, headers: said.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(&self.token, Method::GET, path, None).await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(&self.token, Method::POST, path, Some(&body)).await
    }
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(&self.token, Method::PUT, path, Some(&body)).await
    }
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(&self.token, Method::DELETE, path, None).await
    }

    /// Asks what an operation of the contract is for, and proves its answer against it.
    #[track_caller]
    pub fn prove(&self, op: &'static str, path: &str, body: Option<Value>) -> impl Future<Output = Value> {
        let contract = meetme_contracts::of("packet").unwrap();
        let operation = contract.operation(op).unwrap_or_else(|| panic!("{op} is in no contract"));
        let found = contract.find(&operation.method, path.split('?').next().unwrap()).map(|o| o.id.clone());
        assert_eq!(found.as_deref(), Some(op), "{path}");
        let (method, path) = (operation.method.parse::<Method>().unwrap(), path.to_owned());
        async move {
            let answer = self.send(&self.token, method, &path, body.as_ref()).await;
            assert!(answer.status < 300, "{op} {path}: {} {}", answer.status, answer.body);
            meetme_contracts::prove("packet", op, answer.status, &answer.body);
            answer.body
        }
    }

    /// The same for somebody else than the customer's user.
    #[track_caller]
    pub fn prove_as(
        &self,
        token: &str,
        op: &'static str,
        path: &str,
        body: Option<Value>,
    ) -> impl Future<Output = Value> {
        let operation = meetme_contracts::of("packet").unwrap().operation(op).unwrap_or_else(|| panic!("{op}"));
        let (method, path) = (operation.method.parse::<Method>().unwrap(), path.to_owned());
        let token = token.to_owned();
        async move {
            let answer = self.send(&token, method, &path, body.as_ref()).await;
            assert!(answer.status < 300, "{op} {path}: {} {}", answer.status, answer.body);
            meetme_contracts::prove("packet", op, answer.status, &answer.body);
            answer.body
        }
    }

    /// The letters that were put into the queue, the last one first: where each goes, and its text.
    pub async fn letters(&self) -> Vec<(String, String)> {
        let app = self.app.clone();
        self.system(move |tx| {
            let mut jobs = tx.all::<Job>(Filter::eq("what", meetme_app::mails::SEND))?;
            jobs.reverse();
            let read = |job: Object<Job>| {
                let letter: Letter = serde_json::from_value(job.spec.inputs).unwrap();
                Ok((letter.to[0].address.clone(), letter.text(&app)?.expose().clone()))
            };
            jobs.into_iter().map(read).collect()
        })
        .await
    }

    /// Notes that a user, by login name, was seen to read an address.
    pub async fn verified(&self, username: &'static str, address: &'static str) {
        self.system(move |tx| {
            let user = tx.one::<User>(&Filter::eq("username", username))?.unwrap();
            let known = tx.one::<EmailAddress>(&Filter::eq("address_key", address))?;
            let mut row = match known {
                Some(row) => row,
                None => {
                    let email = EmailAddress { address: address.to_owned(), default: false, user: user.id };
                    tx.create(user.tenant, email)?
                }
            };
            let status = EmailAddressStatus { verified_at: Some(tx.now()) };
            Ok(tx.observe(&mut row, status, None)?)
        })
        .await;
    }

    /// Orders a device as simply as can be, and answers it.
    pub async fn device(&self, hostname: &str) -> Value {
        let path = format!("/projects/{}/devices", self.project);
        self.post(&path, simple(hostname)).await.is(201).body
    }

    /// Runs something with every right.
    pub async fn system<T: Send + 'static>(&self, f: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static) -> T {
        as_system(&self.app, move |_, tx| f(tx)).await
    }

    /// Does what a controller does to a device: moves it to a phase, with all its steps done once it is up.
    pub async fn moved(&self, device: &Value, phase: Phase) {
        let uid = device["id"].as_str().unwrap().parse().unwrap();
        self.system(move |tx| {
            let mut row: Object<Device> = tx.by_uid(uid)?;
            let mut status = row.status.clone();
            status.life = status.life.moved(phase, None, tx.now());
            status.restarts = row.spec.restarts;
            status.reinstalls = row.spec.reinstalls;
            if phase == Phase::Up {
                status.steps.iter_mut().for_each(|step| step.at = Some(tx.now()));
            }
            if phase == Phase::Gone {
                devices::finish(tx, &mut row)?;
            }
            let moved = Moved::new(format!("phase.{}", phase.word()), format!("The device is {}", phase.word()));
            Ok(tx.observe(&mut row, status, Some(moved))?)
        })
        .await;
    }

    /// Does what a controller does to everything that lands on a port: it is up, or gone when that is wished.
    pub async fn landings(&self, phase: Phase) {
        self.system(move |tx| {
            for mut row in tx.all::<Landing>(meetme_model::living())? {
                let to = if row.spec.life.wanted == Wanted::Gone { Phase::Gone } else { phase };
                let life = row.status.life.moved(to, None, tx.now());
                let status = LandingStatus { life, ..row.status.clone() };
                tx.observe(&mut row, status, None)?;
            }
            Ok(())
        })
        .await;
    }

    /// Does what controllers do with what lands nowhere any more, and with segments that are to go.
    pub async fn buried(&self) {
        self.system(|tx| {
            for row in tx.all::<Landing>(Filter::eq("wanted", Wanted::Gone.word()).and(meetme_model::living()))? {
                gateways::bury(tx, row.id)?;
            }
            for mut row in tx.all::<Segment>(Filter::eq("wanted", Wanted::Gone.word()).and(meetme_model::living()))? {
                tx.release_all(row.id.any())?;
                let status = row.status.moved(Phase::Gone, None, tx.now());
                tx.observe(&mut row, status, None)?;
            }
            Ok(())
        })
        .await;
    }

    /// A caller by token, for asking the core directly.
    pub async fn caller(&self, token: &str) -> Caller {
        let door = identity::Door { dialect: "packet", request: meetme_base::Uid::random(), ip: None };
        identity::authenticate(&self.app, door, identity::Credential::Secret(token)).await.unwrap()
    }
}

/// The smallest order there is.
pub fn simple(hostname: &str) -> Value {
    order_of("baremetal_0", hostname)
}

/// The same, of another plan.
pub fn order_of(plan: &str, hostname: &str) -> Value {
    json!({"facility": "sjc1", "plan": plan, "operating_system": "ubuntu_16_04", "hostname": hostname})
}

struct Made {
    token: String,
    organization: String,
    stranger: String,
    operator: String,
}

fn make(app: &App, tx: &mut Tx<'_>) -> Result<Made, Error> {
    let first = identity::first(app, tx, "Operator", "root", &Secret::new("correct horse battery".to_owned()))?;
    let operator = first.operator.id;
    let (organization, token) = customer(app, tx, operator, "Customer", "alice")?;
    let (_, stranger) = customer(app, tx, operator, "Stranger", "mallory")?;
    let node = operator.any();

    let metro = |slug: &str, name: &str| Metro {
        slug: slug.into(),
        name: name.into(),
        country: "US".into(),
        ..Metro::default()
    };
    let valley = tx.create(node, metro("sv", "Silicon Valley"))?;
    let york = tx.create(node, metro("ny", "New York"))?;
    let site = |slug: &str, metro| Site {
        features: vec!["baremetal".into(), "storage".into()],
        ..Site::new(slug, slug.to_uppercase(), metro)
    };
    let sjc1 = tx.create(node, site("sjc1", valley.id))?;
    let ewr1 = tx.create(node, site("ewr1", york.id))?;
    let plan = |slug: &str| Plan {
        slug: slug.into(),
        name: slug.into(),
        line: Line::Server,
        specs: Specs {
            cpus: vec![Part { count: 1, model: "Intel Atom C2550".into() }],
            memory_mib: 8192,
            nics: vec![Part { count: 2, model: "1Gbps".into() }],
            ..Specs::default()
        },
        sold_at: vec![sjc1.id, ewr1.id],
        ..Plan::default()
    };
    let small = tx.create(node, plan("baremetal_0"))?;
    let large = tx.create(node, plan("baremetal_1"))?;
    // Plans by what their networks can do.
    let networks = |slug: &str, features: &[&str]| Plan {
        features: features.iter().map(|f| (*f).to_owned()).collect(),
        ..plan(slug)
    };
    for (n, (slug, nics, features)) in [
        ("baremetal_2", 2, &[][..]),
        ("four_plan", 4, &[][..]),
        ("layer3_plan", 2, &[Plan::LAYER3_ONLY][..]),
        ("hybrid_plan", 2, &[Plan::HYBRID_ONLY][..]),
    ]
    .into_iter()
    .enumerate()
    {
        let plan = tx.create(node, networks(slug, features))?.id;
        for i in 0..3 {
            let number = u8::try_from(110 + 10 * n + i).unwrap();
            let server = metal(&format!("N{number}"), number, plan, sjc1.id);
            tx.create(node, Metal { nics: (0..nics).map(|i| nic(number, i)).collect(), ..server })?;
        }
    }
    let price = json!({
        "of": small.id, "per": Per::Hour, "amount": Money { micros: 50_000, currency: "USD".into() }, "term": Term::Hour,
        "from": Time(0),
    });
    tx.create(node, serde_json::from_value::<Price>(price).unwrap())?;
    let image = |slug: &str, distro: &str, boot| Image {
        slug: slug.into(),
        name: slug.into(),
        distro: distro.into(),
        version: "16.04".into(),
        boot,
        ..Image::default()
    };
    tx.create(node, image("ubuntu_16_04", "ubuntu", Boot::Disk))?;
    tx.create(node, image("custom_ipxe", "custom_ipxe", Boot::Script))?;

    for n in 0..10 {
        tx.create(node, metal(&format!("S{n}"), n, small.id, sjc1.id))?;
    }
    let tpm = Metal { features: vec!["tpm".into()], ..metal("T0", 100, large.id, sjc1.id) };
    tx.create(node, tpm)?;
    tx.create(node, metal("L0", 101, large.id, sjc1.id))?;
    tx.create(node, metal("E0", 102, small.id, ewr1.id))?;

    pool(tx, node, "device_public", &["192.0.2.0/24", "2001:db8::/48"])?;
    pool(tx, node, "device_private", &["10.0.0.0/8"])?;
    pool(tx, node, "device_global", &["198.51.100.0/24"])?;
    let router =
        Router { name: "edge1".into(), hostname: "edge1.example.net".into(), site: Some(sjc1.id), ..Router::default() };
    tx.create(node, router)?;
    Ok(Made { token, organization, stranger, operator: first.key.secret.expose().clone() })
}

fn nic(server: u8, i: u8) -> Nic {
    Nic { name: format!("eth{i}"), mac: MacAddr([2, 0, 0, 0, server, i]), switch: None, interface: None }
}

fn metal(serial: &str, n: u8, plan: Id<Plan>, site: Id<Site>) -> Metal {
    Metal { nics: vec![nic(n, 0), nic(n, 1)], rack: Some("R1".into()), ..Metal::new(serial, plan, site) }
}

fn pool(tx: &mut Tx<'_>, node: RawId, purpose: &str, networks: &[&str]) -> Result<(), Error> {
    let networks: Vec<IpNet> = networks.iter().map(|n| n.parse().unwrap()).collect();
    let pool = json!({ "what": PoolOf::Addresses, "purpose": purpose, "networks": networks });
    tx.create(node, serde_json::from_value::<Pool>(pool).unwrap())?;
    Ok(())
}

/// An organization, its user with every right in it, and the user's token.
fn customer(
    app: &App,
    tx: &mut Tx<'_>,
    above: Id<Organization>,
    name: &str,
    user: &str,
) -> Result<(String, String), Error> {
    let new = Organization { name: name.into(), ..Organization::default() };
    let organization = organizations::create(tx, above, None, &new)?;
    let node = organization.id.any();
    let user = User { superuser: true, ..User::new(user, organization.id) };
    let user = tx.create(node, user)?;
    let owner = identity::builtin_role(tx, "owner")?;
    tx.create(node, Membership { user: user.id, scope: node, roles: vec![owner], title: None })?;
    let address = format!("{}@example.net", user.spec.username);
    tx.create(node, EmailAddress { address, default: true, user: user.id })?;
    let key = identity::NewKey { name: "test".into(), ..identity::NewKey::default() };
    let key = identity::create_key(app, tx, identity::Giver::System, user.id.any(), &key)?;
    Ok((organization.uid.to_string(), key.secret.expose().clone()))
}

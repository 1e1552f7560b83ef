//! The data set of machines: sites, plans and free servers, made straight in the store while no server uses it, because making ten
//! thousand of them one by one through the public interface would take longer than all that is measured.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use anyhow::Result;
use meetme_base::{Id, IfAddr, IpNet, Ipv4Net, Ipv6Net, MacAddr, RawId, SystemClock};
use meetme_model::{
    LifeStatus, Phase,
    access::{Organization, Project},
    fabric::{Address, Block, BlockPurpose, Pool, Port, Shape},
    metal::{Device, DeviceStatus, Nic, Power, Server},
    place::{Image, Line, Metro, Part, Plan, Site, Specs},
};
use meetme_store::{Context, Error, Filter, Object, Open, Order, Query, Store, Tx};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How many sites there are, and plans at each.
const SITES: usize = 5;
const PLANS: usize = 2;

/// How many ordered machines the project has whose list is asked for.
pub const ORDERED: usize = 1_000;
/// How many machines one batch orders.
pub const BATCH: usize = 100;

/// What requests name.
#[derive(Clone, Debug)]
pub struct Machines {
    /// The UUID of the project whose machines are listed.
    pub listed: String,
    /// The UUID of the project in which machines are ordered.
    pub project: String,
    home: RawId,
    list: RawId,
    node: RawId,
    plan: Id<Plan>,
    image: Id<Image>,
    site: Id<Site>,
}

fn of<R: DeserializeOwned>(value: Value) -> Result<R, Error> {
    serde_json::from_value(value).map_err(|e| Error::Bug(e.to_string()))
}

/// Nobody is woken by what is loaded.
fn store(open: &Open) -> Result<Store> {
    Ok(Store::open(open, meetme_model::registry(), std::sync::Arc::new(SystemClock))?)
}

/// Puts so many servers, and [`ORDERED`] machines on some of them, into a store that has an organization.
pub async fn fill(open: &Open, servers: usize) -> Result<Machines> {
    let store = store(open)?;
    let made = store.write(Context::system(), move |tx| make(tx, servers)).await?;
    let list = made.list;
    made.order_many(&store, 0..ORDERED as u64, move |_| list).await?;
    Ok(made)
}

fn make(tx: &mut Tx<'_>, servers: usize) -> Result<Machines, Error> {
    let home = tx.one::<Organization>(&Filter::All)?.ok_or_else(|| Error::Bug("there is no organization".into()))?.id;
    let node = home.any();
    let metro: Metro = of(json!({"slug": "bench", "name": "Bench", "country": "US"}))?;
    let metro = tx.create(node, metro)?.id;
    let mut sites = Vec::new();
    for n in 0..SITES {
        sites.push(tx.create(node, Site::new(format!("b{n}"), format!("Bench {n}"), metro))?.id);
    }
    let mut plans = Vec::new();
    for n in 0..PLANS {
        let specs = Specs { nics: vec![Part { count: 2, model: "10Gbps".into() }], ..Specs::default() };
        let name = format!("bench.{n}");
        let (slug, line) = (name.clone(), Line::Server);
        plans.push(tx.create(node, Plan { slug, name, line, specs, sold_at: sites.clone(), ..Plan::default() })?.id);
    }
    let image: Image = of(json!({"slug": "bench", "name": "Bench", "distro": "bench", "version": "1"}))?;
    let image = tx.create(node, image)?.id;
    for (purpose, networks) in
        [("device_public", json!(["100.64.0.0/10", "2001:db8::/32"])), ("device_private", json!(["10.0.0.0/8"]))]
    {
        let pool: Pool = of(json!({"what": "addresses", "purpose": purpose, "networks": networks}))?;
        tx.create(node, pool)?;
    }
    let ordered = ORDERED.min(servers);
    let row = |n: usize| {
        if n < ordered { server(n, plans[0], sites[0]) } else { server(n, plans[n / SITES % PLANS], sites[n % SITES]) }
    };
    tx.create_many::<Server>(node, (0..servers).map(row).collect())?;
    let [listed, project] = ["Bench List", "Bench"].map(|name| project(tx, node, name));
    let (listed, project) = (listed?, project?);
    Ok(Machines {
        listed: listed.uid.to_string(),
        project: project.uid.to_string(),
        home: node,
        list: listed.id.any(),
        node: project.id.any(),
        plan: plans[0],
        image,
        site: sites[0],
    })
}

fn project(tx: &mut Tx<'_>, organization: RawId, name: &str) -> Result<Object<Project>, Error> {
    tx.create(organization, of::<Project>(json!({"name": name, "organization": organization}))?)
}

fn server(n: usize, plan: Id<Plan>, site: Id<Site>) -> Server {
    let [a, b, c] = [16, 8, 0].map(|shift| (n >> shift & 0xff) as u8);
    let nic = |i: u8| Nic { name: format!("eth{i}"), mac: MacAddr([2, i, 0, a, b, c]), switch: None, interface: None };
    Server { nics: vec![nic(0), nic(1)], ..Server::new(format!("B{n:06}"), plan, site) }
}

impl Machines {
    /// The order of one machine.
    pub fn order(serial: u64) -> String {
        format!(r#"{{"facility":"b0","plan":"bench.0","operating_system":"bench","hostname":"m{serial}"}}"#)
    }

    /// The order of [`BATCH`] machines.
    pub fn batch(serial: u64) -> String {
        format!(
            r#"{{"batches":[{{"quantity":{BATCH},"facility":"b0","plan":"bench.0","operating_system":"bench","hostname":"b{serial}-{{{{index}}}}"}}]}}"#
        )
    }

    /// Puts more free servers where machines are ordered; `first` is a number that no server has.
    pub async fn more(&self, open: &Open, first: usize, servers: usize) -> Result<()> {
        let (plan, site, node) = (self.plan, self.site, self.home);
        let rows = move |tx: &mut Tx<'_>| {
            tx.create_many(node, (first..first + servers).map(|n| server(n, plan, site)).collect()).map(drop)
        };
        Ok(store(open)?.write(Context::system(), rows).await?)
    }

    /// Orders more machines, in ten projects of their own, so that the store holds many. `first` is as for [`Machines::more`].
    pub async fn crowd(&self, open: &Open, first: usize, machines: usize) -> Result<()> {
        self.more(open, first, machines).await?;
        let (store, home) = (store(open)?, self.home);
        let projects = move |tx: &mut Tx<'_>| {
            let made = (0..10).map(|n| Ok(project(tx, home, &format!("Bench Crowd {n}"))?.id.any()));
            made.collect::<Result<Vec<_>, Error>>()
        };
        let projects = store.write(Context::system(), projects).await?;
        let serials = first as u64..(first + machines) as u64;
        self.order_many(&store, serials, move |n| projects[n as usize % projects.len()]).await
    }

    /// Orders machines, some in each transaction.
    async fn order_many(
        &self,
        store: &Store,
        serials: Range<u64>,
        node: impl Fn(u64) -> RawId + Clone + Send + 'static,
    ) -> Result<()> {
        let mut at = serials.start;
        while at < serials.end {
            let (part, machines, node) = (at..serials.end.min(at + 500), self.clone(), node.clone());
            at = part.end;
            let work = move |tx: &mut Tx<'_>| {
                part.clone().try_for_each(|n| {
                    let mut device = machines.machine(tx, node(n), n)?;
                    let life = LifeStatus { phase: Phase::Up, ..LifeStatus::default() };
                    let status = DeviceStatus { life, power: Some(Power::On), ..DeviceStatus::default() };
                    tx.observe(&mut device, status, None)
                })
            };
            store.write(Context::system(), work).await?;
        }
        Ok(())
    }

    /// The same rows and claims as an order makes, without a rule.
    pub fn one(&self, tx: &mut Tx<'_>, serial: u64) -> Result<(), Error> {
        self.machine(tx, self.node, serial).map(drop)
    }

    fn machine(&self, tx: &mut Tx<'_>, node: RawId, serial: u64) -> Result<Object<Device>, Error> {
        let pool = format!("servers.{}.{}", self.site, self.plan);
        let free = Query::of(Filter::eq("site", self.site).and(Filter::eq("plan", self.plan)));
        let server = tx.claim_row::<Server>(&pool, &free.order(vec![Order::up("extras")]), node)?;
        let server = server.ok_or_else(|| Error::Bug("the bench has used up its servers".into()))?;
        let spec =
            Device { server: Some(server.id), ..Device::new(format!("m{serial}"), self.plan, self.image, self.site) };
        let device = tx.create(node, spec)?;
        tx.hand_over(&pool, server.id.get(), node, device.id.any())?;
        let (v4, v6) = (serial as u32 * 2, u128::from(serial) * 2);
        let nets: [IpNet; 3] = [
            Ipv4Net::new_assert(Ipv4Addr::from(0x6440_0001 + v4), 31).into(),
            Ipv6Net::new_assert(Ipv6Addr::from((0x2001_0db8 << 96) + v6 + 1), 127).into(),
            Ipv4Net::new_assert(Ipv4Addr::from(0x0a00_0001 + v4), 31).into(),
        ];
        let block = Block {
            purpose: BlockPurpose::Management,
            at: Some(self.site.any()),
            prefix: Some(nets[0].trunc()),
            ..Block::new(4, 31)
        };
        let block = tx.create(node, block)?.id;
        for (n, ip) in nets.into_iter().enumerate() {
            let public = n < 2;
            let address =
                Address { device: Some(device.id), management: true, public, ..Address::new(IfAddr(ip), block) };
            let address = tx.create(node, address)?;
            tx.claim(["bench.public", "bench.v6", "bench.private"][n], 0..=1 << 30, 2, &[], address.id.any())?;
        }
        let rate = 10_000.try_into()?;
        let bond = Port { device: Some(device.id), bonded: true, ..Port::new("bond0", Shape::Bond, rate) };
        let bond = tx.create(node, bond)?.id;
        for (i, nic) in server.spec.nics.iter().enumerate() {
            let port = Port {
                device: Some(device.id),
                leader: Some(bond),
                mac: Some(nic.mac),
                index: u8::try_from(i).ok(),
                bonded: true,
                ..Port::new(nic.name.clone(), Shape::Nic, rate)
            };
            tx.create(node, port)?;
        }
        Ok(device)
    }

    /// The rows and claims of a batch.
    pub fn many(&self, tx: &mut Tx<'_>, serial: u64) -> Result<(), Error> {
        (0..BATCH as u64).try_for_each(|n| self.one(tx, serial * BATCH as u64 + n))
    }
}

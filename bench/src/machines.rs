//! The data set of machines: sites, plans and free servers, made straight in the store while no server uses it, because making ten
//! thousand of them one by one through the public interface would take longer than all that is measured.

use anyhow::Result;
use meetme_base::{Id, MacAddr, RawId, SystemClock};
use meetme_model::{
    access::{Organization, Project},
    fabric::{Address, Block, BlockPurpose, Pool, Port, Shape},
    metal::{Device, Nic, Server},
    place::{Image, Line, Metro, Part, Plan, Site, Specs},
};
use meetme_store::{Context, Error, Filter, Open, Order, Query, Store, Tx};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// How many sites there are, and plans at each.
const SITES: usize = 5;
const PLANS: usize = 2;

/// What requests name.
#[derive(Clone, Debug)]
pub struct Machines {
    /// The project's UUID.
    pub project: String,
    node: RawId,
    plan: Id<Plan>,
    image: Id<Image>,
    site: Id<Site>,
}

fn of<R: DeserializeOwned>(value: Value) -> Result<R, Error> {
    serde_json::from_value(value).map_err(|e| Error::Bug(e.to_string()))
}

/// Puts so many free servers into a store that has an organization.
pub async fn fill(open: &Open, servers: usize) -> Result<Machines> {
    // Nobody is woken by what is loaded.
    let store = Store::open(open, meetme_model::registry(), std::sync::Arc::new(SystemClock))?;
    let made = store.write(Context::system(), move |tx| make(tx, servers)).await?;
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
    let row = |n: usize| {
        let [a, b, c] = [16, 8, 0].map(|shift| (n >> shift & 0xff) as u8);
        let nic =
            |i: u8| Nic { name: format!("eth{i}"), mac: MacAddr([2, i, 0, a, b, c]), switch: None, interface: None };
        let (plan, site) = (plans[n / SITES % PLANS], sites[n % SITES]);
        Server { nics: vec![nic(0), nic(1)], ..Server::new(format!("B{n:06}"), plan, site) }
    };
    tx.create_many::<Server>(node, (0..servers).map(row).collect())?;
    let project: Project = of(json!({"name": "Bench", "organization": home}))?;
    let project = tx.create(node, project)?;
    Ok(Machines { project: project.uid.to_string(), node: project.id.any(), plan: plans[0], image, site: sites[0] })
}

impl Machines {
    /// The order of one machine.
    pub fn order(serial: u64) -> String {
        format!(r#"{{"facility":"b0","plan":"bench.0","operating_system":"bench","hostname":"m{serial}"}}"#)
    }

    /// The same rows and claims as an order makes, without a rule.
    pub fn machine(&self, tx: &mut Tx<'_>, serial: u64) -> Result<(), Error> {
        let pool = format!("servers.{}.{}", self.site, self.plan);
        let free = Query::of(Filter::eq("site", self.site).and(Filter::eq("plan", self.plan)));
        let server = tx.claim_row::<Server>(&pool, &free.order(vec![Order::up("extras")]), self.node)?;
        let server = server.ok_or_else(|| Error::Bug("the bench has used up its servers".into()))?;
        let spec =
            Device { server: Some(server.id), ..Device::new(format!("m{serial}"), self.plan, self.image, self.site) };
        let device = tx.create(self.node, spec)?;
        tx.hand_over(&pool, server.id.get(), self.node, device.id.any())?;
        let block = Block { purpose: BlockPurpose::Management, at: Some(self.site.any()), ..Block::new(4, 31) };
        let block = tx.create(self.node, block)?.id;
        for (realm, text) in
            [("bench.public", "100.64.0.1/31"), ("bench.v6", "2001:db8::1/127"), ("bench.private", "10.0.0.1/31")]
        {
            let ip = text.parse()?;
            let address = Address { device: Some(device.id), management: true, ..Address::new(ip, block) };
            let address = tx.create(self.node, address)?;
            tx.claim(realm, 0..=1 << 30, 2, &[], address.id.any())?;
        }
        let rate = 10_000.try_into()?;
        let bond = Port { device: Some(device.id), bonded: true, ..Port::new("bond0", Shape::Bond, rate) };
        let bond = tx.create(self.node, bond)?.id;
        for (i, nic) in server.spec.nics.iter().enumerate() {
            let port = Port {
                device: Some(device.id),
                leader: Some(bond),
                mac: Some(nic.mac),
                index: u8::try_from(i).ok(),
                bonded: true,
                ..Port::new(nic.name.clone(), Shape::Nic, rate)
            };
            tx.create(self.node, port)?;
        }
        Ok(())
    }
}

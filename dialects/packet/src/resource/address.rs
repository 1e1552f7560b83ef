//! IP addresses on devices.

use meetme_app::Error;
use meetme_base::{Id, IpNet};
use meetme_model::{
    Phase,
    fabric::{Address, Block, BlockReach},
    metal::Device,
    place::Metro,
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{block, device::names};
use crate::{
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Work},
};

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_device_ips", "/devices/{id}/ips", Gives::List("ip_addresses", "IPAssignment"), list),
        Row::get("get_ip", "/ips/{id}", Gives::One("IPAssignment"), get),
    ]
}

/// The fields of an address.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    address_family: u8,
    netmask: String,
    public: bool,
    enabled: bool,
    cidr: u8,
    management: bool,
    manageable: bool,
    global_ip: Option<bool>,
    network: String,
    address: String,
    gateway: String,
    created_at: String,
    parent_block: Option<ParentBlock>,
    state: &'static str,
    details: Option<String>,
    tags: Vec<String>,
    customdata: Value,
}

/// The block an address was cut from.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ParentBlock {
    network: String,
    netmask: String,
    cidr: u8,
    href: Option<String>,
}

impl Shown for Address {
    const NAME: &'static str = "IPAssignment";
    const PATH: Option<&'static str> = Some("/ips");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("assigned_to", &[Device::KIND], |a| a.device.map(|d| d.any())),
        Relation::<Self>::back("metro", &[Metro::KIND], |tx, of| {
            let devices = tx.many(of.iter().filter_map(|a| a.spec.device))?;
            let sites = tx.many(devices.values().map(|d| d.spec.site))?;
            let metro =
                |a: &Object<Self>| sites.get(&devices.get(&a.spec.device?)?.spec.site).map(|s| s.spec.metro.any());
            Ok(of.iter().filter_map(|a| Some((a.id.any(), metro(a)?))).collect())
        })
        .single()
        .or_null(),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let blocks = show.tx.many(objects.iter().map(|a| a.spec.block))?;
        let tags = show.tx.many(objects.iter().flat_map(|a| a.spec.tags.iter().copied()))?;
        let wire = |row: &Object<Self>| {
            let (spec, net) = (&row.spec, row.spec.ip.0);
            let block = blocks.get(&spec.block);
            Wire {
                id: row.uid.to_string(),
                address_family: family(net),
                netmask: net.netmask().to_string(),
                public: spec.public,
                enabled: true,
                cidr: net.prefix_len(),
                management: spec.management,
                manageable: spec.manageable,
                global_ip: block.map(|b| b.spec.reach == BlockReach::Global),
                network: net.network().to_string(),
                address: net.addr().to_string(),
                // A single address is its own way out: the machine's other addresses lead there.
                gateway: spec.gateway.unwrap_or(net.addr()).to_string(),
                created_at: at(row.created),
                parent_block: block.and_then(|block| parent(show, block)),
                state: match row.status.phase {
                    Phase::Removing => "deleting",
                    phase if phase.is_built() => "active",
                    _ => "pending",
                },
                details: block.and_then(|b| b.spec.details.clone()),
                tags: names(&spec.tags, &tags),
                customdata: block::customdata(&spec.ext),
            }
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn parent(show: &Show<'_, '_>, block: &Object<Block>) -> Option<ParentBlock> {
    let prefix = block.spec.prefix?;
    Some(ParentBlock {
        network: prefix.network().to_string(),
        netmask: prefix.netmask().to_string(),
        cidr: prefix.prefix_len(),
        href: Some(show.href::<Block>(block.uid)),
    })
}

/// 4 or 6.
pub const fn family(net: IpNet) -> u8 {
    match net {
        IpNet::V4(_) => 4,
        IpNet::V6(_) => 6,
    }
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device: Id<Device> = work.id("id")?;
    work.every::<Address>("ip_addresses", Filter::eq("device", device), vec![Order::up("id")])
}

/// The same path names addresses and the blocks they are from.
fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    match work.named::<Block>("id") {
        Ok(block) => Ok(Out::one(&block)),
        Err(Error::Missing { .. }) => Ok(Out::one(&work.named::<Address>("id")?)),
        Err(e) => Err(e),
    }
}

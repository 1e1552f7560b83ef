//! IP addresses on devices.

use meetme_app::{Error, blocks};
use meetme_base::{Id, Invalid, IpNet};
use meetme_http::ValueKind::{Boolean, Text};
use meetme_model::{
    Ext, Phase,
    fabric::{Address, Block, BlockReach},
    metal::Device,
    place::Metro,
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    block::{self, Own},
    device::names,
};
use crate::{
    ext,
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Work},
};

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_device_ips", "/devices/{id}/ips", Gives::List("ip_addresses", "IPAssignment"), list),
        Row::post("create_device_ip", "/devices/{id}/ips", Gives::One("IPAssignment"), create).takes(&[
            ("address", Text),
            ("manageable", Boolean),
            ("customdata", Text),
        ]),
        Row::get(
            "get_ip_assignment_customdata",
            "/devices/{instance_id}/ips/{id}/customdata",
            Gives::Free,
            customdata_of_assignment,
        ),
        Row::get("get_ip", "/ips/{id}", Gives::One("IPAssignment"), get),
        Row::patch("patch_ip", "/ips/{id}", Gives::One("IPReservation"), patch).takes(&[
            ("tags", Text),
            ("details", Text),
            ("customdata", Text),
        ]),
        Row::delete("delete_ip", "/ips/{id}", delete),
        Row::get("get_ip_customdata", "/ips/{id}/customdata", Gives::Free, customdata),
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
                details: ext::get::<Own>(&spec.ext).details.or_else(|| block.and_then(|b| b.spec.details.clone())),
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

/// The same path names blocks and addresses from them.
enum Named {
    Block(Object<Block>),
    Address(Object<Address>),
}

fn named(work: &mut Work<'_, '_>) -> Result<Named, Error> {
    match work.named::<Block>("id") {
        Ok(block) => Ok(Named::Block(block)),
        Err(Error::Missing { .. }) => Ok(Named::Address(work.named::<Address>("id")?)),
        Err(e) => Err(e),
    }
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(match named(work)? {
        Named::Block(block) => Out::one(&block),
        Named::Address(address) => Out::one(&address),
    })
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device: Id<Device> = work.id("id")?;
    let input = &work.ask.input;
    let text = input.required("address")?;
    // A lone address is a network of one.
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from));
    let network = network.map_err(|_| Invalid::format("address", "an address, or a network such as 192.0.2.8/30"))?;
    let manageable = input.flag("manageable")?.unwrap_or(true);
    let mut kept = Ext::new();
    if let Some(data) = input.json("customdata")? {
        ext::set(&mut kept, &Own { customdata: Some(data), details: None });
    }
    Ok(Out::one(&blocks::assign(work.tx, device, network, manageable, &kept)?))
}

fn patch(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let found = named(work)?;
    let input = &work.ask.input;
    let (tags, details, data) = (input.texts("tags")?, input.text("details")?, input.json("customdata")?);
    let keep = |kept: &mut Ext, details: Option<String>| {
        let own: Own = ext::get(kept);
        ext::set(kept, &Own { customdata: data.or(own.customdata), details: details.or(own.details) });
    };
    Ok(match found {
        Named::Block(block) => Out::one(&blocks::change(work.tx, block.id, tags.as_deref(), |block| {
            keep(&mut block.ext, None);
            block.details = details.or_else(|| block.details.clone());
        })?),
        Named::Address(address) => {
            Out::one(&blocks::change_address(work.tx, address.id, tags.as_deref(), |kept| keep(kept, details))?)
        }
    })
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    match named(work)? {
        Named::Block(block) => blocks::release(work.tx, block.id)?,
        Named::Address(address) => blocks::unassign(work.tx, address.id)?,
    }
    Ok(Out::Nothing)
}

fn customdata(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::Json(match named(work)? {
        Named::Block(block) => block::customdata(&block.spec.ext),
        Named::Address(address) => block::customdata(&address.spec.ext),
    }))
}

fn customdata_of_assignment(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device: Id<Device> = work.id("instance_id")?;
    let address = work.named::<Address>("id")?;
    if address.spec.device != Some(device) {
        return Err(Error::missing(Address::KIND, address.uid));
    }
    Ok(Out::Json(block::customdata(&address.spec.ext)))
}

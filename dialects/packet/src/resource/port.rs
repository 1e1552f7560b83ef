//! Network ports of devices.

use meetme_app::{Error, nics};
use meetme_base::{Id, Invalid};
use meetme_http::{
    ValueKind::{Boolean, Text},
    Verb,
};
use meetme_model::{
    fabric::{Landing, Port, PortMode, Segment, Shape},
    metal::{AddressWish, Device},
};
use meetme_store::{Filter, Object, Resource};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::new_device::known;
use crate::{
    input::Input,
    show::{Relation, Show, Shown},
    work::{Gives, Out, Row, Work},
};

const ONE: Gives = Gives::One("Port");

pub fn rows() -> Vec<Row> {
    let act = |id, path, act| Row::post(id, path, ONE, act).status(200).verb(Verb::Act);
    vec![
        Row::get("get_port", "/ports/{id}", ONE, get),
        act("assign_port", "/ports/{id}/assign", assign).takes(&[("vnid", Text)]),
        act("unassign_port", "/ports/{id}/unassign", unassign).takes(&[("vnid", Text)]),
        act("disbond_port", "/ports/{id}/disbond", disbond).takes(&[("bulk_disable", Boolean)]),
        act("bond_port", "/ports/{id}/bond", bond).takes(&[("bulk_enable", Boolean)]),
        act("convert_port_layer2", "/ports/{id}/convert/layer-2", layer2).takes(&[("vnid", Text)]),
        act("convert_port_layer3", "/ports/{id}/convert/layer-3", layer3).takes(&[("request_ips", Text)]),
        act("assign_native_vlan", "/ports/{id}/native-vlan", set_native).takes(&[("vnid", Text)]),
        Row::delete("remove_native_vlan", "/ports/{id}/native-vlan", remove_native).gives(ONE).status(200),
    ]
}

/// The fields of a port.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    #[serde(rename = "type")]
    form: &'static str,
    name: String,
    data: Data,
    connected_port: Option<Value>,
    bond: Option<Bond>,
    network_type: &'static str,
    disbond_operation_supported: bool,
}

/// What a port is made of.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Data {
    #[serde(skip_serializing_if = "Option::is_none")]
    mac: Option<String>,
    bonded: bool,
}

/// The bond an interface is in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Bond {
    id: String,
    name: String,
}

impl Shown for Port {
    const NAME: &'static str = "Port";
    const PATH: Option<&'static str> = Some("/ports");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("hardware", &[Device::KIND], |p| p.device.map(|d| d.any())),
        Relation::<Self>::back("virtual_networks", &[Segment::KIND], |tx, of| {
            let on = Filter::is_in("port", of.iter().map(|port| port.id)).and(meetme_app::segments::wanted());
            let landings = tx.all::<Landing>(on)?;
            Ok(landings.iter().filter_map(|l| Some((l.spec.port?.any(), l.spec.segment.any()))).collect())
        }),
        Relation::<Self>::one("native_virtual_network", &[Segment::KIND], |p| p.native.map(Id::any)).or_null(),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let leaders = show.tx.many(objects.iter().filter_map(|p| p.spec.leader))?;
        let wire = |row: &Object<Self>| {
            let leader = row.spec.leader.and_then(|id| leaders.get(&id));
            let is_bond = row.spec.shape == Shape::Bond;
            let mode = row.spec.mode.or_else(|| leader.and_then(|l| l.spec.mode)).unwrap_or(PortMode::Layer3);
            // An interface that is out of its bond shows none.
            let bond = leader.filter(|_| row.spec.bonded);
            Wire {
                id: row.uid.to_string(),
                form: if is_bond { "NetworkBondPort" } else { "NetworkPort" },
                name: row.spec.name.clone(),
                data: Data { mac: row.spec.mac.map(|mac| mac.to_string()), bonded: row.spec.bonded },
                connected_port: None,
                bond: bond.map(|l| Bond { id: l.uid.to_string(), name: l.spec.name.clone() }),
                network_type: mode.word(),
                disbond_operation_supported: !is_bond,
            }
        };
        Ok(objects.iter().map(wire).collect())
    }
}

/// The port of the path, if it is one of a device.
///
/// # Errors
/// [`Error::Missing`].
pub fn named(work: &mut Work<'_, '_>) -> Result<Object<Port>, Error> {
    let port = work.named::<Port>("id")?;
    if port.spec.device.is_none() {
        return Err(Error::missing(Port::KIND, port.uid));
    }
    Ok(port)
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&named(work)?))
}

/// The virtual network that is meant on a port: by its id, or by its number where it can be only one.
///
/// # Errors
/// When there is none.
pub fn segment(work: &mut Work<'_, '_>, port: Id<Port>, field: &str, text: &str) -> Result<Id<Segment>, Error> {
    let found = match text.parse::<i64>() {
        Ok(number) => match number.try_into() {
            Ok(vlan) => nics::segment_numbered(work.tx, port, vlan),
            Err(_) => Err(Error::missing(Segment::KIND, text)),
        },
        Err(_) => work.row::<Segment>(text),
    };
    Ok(known(field, text, found)?.id)
}

fn vnid(work: &mut Work<'_, '_>, port: Id<Port>) -> Result<Id<Segment>, Error> {
    let text = work.ask.input.required("vnid")?;
    segment(work, port, "vnid", &text)
}

fn assign(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = named(work)?.id;
    let segment = vnid(work, port)?;
    Ok(Out::one(&nics::assign(work.tx, port, segment)?))
}

fn unassign(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = named(work)?.id;
    let segment = vnid(work, port)?;
    Ok(Out::one(&nics::unassign(work.tx, port, segment)?))
}

fn disbond(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = named(work)?.id;
    // Of a bond all interfaces are taken out with this flag and without it: with some of them left it would still be one.
    work.ask.input.flag("bulk_disable")?;
    Ok(Out::one(&nics::unbond(work.tx, port)?))
}

fn bond(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = named(work)?.id;
    let all = work.ask.input.flag("bulk_enable")?.unwrap_or(false);
    Ok(Out::one(&nics::bond(work.tx, port, all)?))
}

fn layer2(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = named(work)?.id;
    let segment = match work.ask.input.words("vnid")? {
        Some(text) => Some(segment(work, port, "vnid", &text)?),
        None => None,
    };
    Ok(Out::one(&nics::bridge(work.tx, port, segment)?))
}

fn layer3(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = named(work)?.id;
    let wishes = work.ask.input.list("request_ips")?;
    let wishes = wishes.map(|list| list.iter().map(wish).collect::<Result<Vec<_>, _>>()).transpose()?;
    Ok(Out::one(&nics::route(work.tx, port, wishes.as_deref())?))
}

fn wish(each: &Input) -> Result<AddressWish, Error> {
    let family = each.integer("address_family")?.ok_or_else(|| Invalid::required("request_ips.address_family"))?;
    Ok(AddressWish {
        family: u8::try_from(family).unwrap_or(0),
        public: each.flag("public")?.unwrap_or(true),
        length: None,
        blocks: Vec::new(),
    })
}

fn set_native(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = named(work)?.id;
    let segment = vnid(work, port)?;
    Ok(Out::one(&nics::set_native(work.tx, port, Some(segment))?))
}

fn remove_native(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = named(work)?.id;
    Ok(Out::one(&nics::set_native(work.tx, port, None)?))
}

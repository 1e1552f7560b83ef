//! Network ports of devices.

use meetme_app::Error;
use meetme_model::{
    fabric::{Port, PortMode, Shape},
    metal::Device,
};
use meetme_store::{Object, Resource};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    show::{Relation, Show, Shown},
    work::{Gives, Out, Row, Work},
};

pub fn rows() -> Vec<Row> {
    vec![Row::get("get_port", "/ports/{id}", Gives::One("Port"), get)]
}

/// The fields of a port.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    #[serde(rename = "type")]
    form: &'static str,
    name: String,
    data: Data,
    virtual_networks: Vec<Value>,
    native_virtual_network: Option<Value>,
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
    const RELATIONS: &'static [Relation<Self>] =
        &[Relation::<Self>::one("hardware", &[Device::KIND], |p| p.device.map(|d| d.any()))];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let leaders = show.tx.many(objects.iter().filter_map(|p| p.spec.leader))?;
        let wire = |row: &Object<Self>| {
            let leader = row.spec.leader.and_then(|id| leaders.get(&id));
            let is_bond = row.spec.shape == Shape::Bond;
            let mode = row.spec.mode.or_else(|| leader.and_then(|l| l.spec.mode)).unwrap_or(PortMode::Layer3);
            Wire {
                id: row.uid.to_string(),
                form: if is_bond { "NetworkBondPort" } else { "NetworkPort" },
                name: row.spec.name.clone(),
                data: Data { mac: row.spec.mac.map(|mac| mac.to_string()), bonded: row.spec.bonded },
                virtual_networks: Vec::new(),
                native_virtual_network: None,
                connected_port: None,
                bond: leader.map(|l| Bond { id: l.uid.to_string(), name: l.spec.name.clone() }),
                network_type: mode.word(),
                disbond_operation_supported: !is_bond,
            }
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let port = work.named::<Port>("id")?;
    if port.spec.device.is_none() {
        return Err(Error::missing(Port::KIND, port.uid));
    }
    Ok(Out::one(&port))
}

//! Metal gateways: the way out of a virtual network.

use std::collections::HashSet;

use meetme_app::{
    Error,
    gateways::{self, Addresses},
    segments,
};
use meetme_base::{Id, Invalid};
use meetme_http::ValueKind::{Integer, Text};
use meetme_model::{
    Phase, Wanted,
    access::Project,
    fabric::{Block, Landing, Segment},
    living,
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::new_device::known;
use crate::{
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Work},
};

const ONE: Gives = Gives::One("MetalGateway");

pub fn rows() -> Vec<Row> {
    let of_project = "/projects/{id}/metal-gateways";
    vec![
        Row::get("list_metal_gateways", of_project, Gives::Pages("metal_gateways", "MetalGateway"), list),
        Row::post("create_metal_gateway", of_project, ONE, create).takes(&[
            ("virtual_network_id", Text),
            ("ip_reservation_id", Text),
            ("private_ipv4_subnet_size", Integer),
        ]),
        Row::get("get_metal_gateway", "/metal-gateways/{id}", ONE, get),
        Row::delete("delete_metal_gateway", "/metal-gateways/{id}", delete).gives(ONE).status(202),
        Row::post("create_internet_gateway", "/virtual-networks/{id}/internet-gateways", Gives::Free, create_internet)
            .takes(&[("length", Integer)]),
    ]
}

/// The fields of a gateway.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    state: &'static str,
    created_at: String,
    updated_at: String,
}

impl Shown for Landing {
    const NAME: &'static str = "MetalGateway";
    const PATH: Option<&'static str> = Some("/metal-gateways");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::back("project", &[Project::KIND], |_, of| {
            Ok(of.iter().map(|l| (l.id.any(), l.tenant)).collect())
        })
        .single(),
        Relation::<Self>::one("virtual_network", &[Segment::KIND], |l| Some(l.segment.any())),
        // One client takes a link for a reservation without a type, and gives up.
        Relation::<Self>::one("ip_reservation", &[Block::KIND], |l| l.block.map(Id::any)).whole(),
    ];
    type Wire = Wire;

    /// What lands on a port is shown with the port.
    fn is_hidden(row: &Object<Self>) -> bool {
        !row.spec.gateway || row.spec.is_gone(&row.status)
    }

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let beside = Filter::is_in("segment", objects.iter().map(|l| l.spec.segment)).and(segments::wanted());
        let beside = show.tx.all::<Landing>(beside)?;
        let on_ports = beside.iter().filter(|l| l.spec.port.is_some() && l.status.life.phase == Phase::Up);
        let used: HashSet<Id<Segment>> = on_ports.map(|l| l.spec.segment).collect();
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            // It is active once a device is in its network.
            state: match row.spec.life.wanted {
                Wanted::Gone => "deleting",
                _ if used.contains(&row.spec.segment) && row.status.life.phase == Phase::Up => "active",
                _ => "ready",
            },
            created_at: at(row.created),
            updated_at: at(row.updated),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let filter = Filter::eq("tenant", project).and(Filter::eq("gateway", true)).and(living());
    work.page::<Landing>("metal_gateways", filter, vec![Order::up("id")])
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let input = &work.ask.input;
    let (network, block) = (input.required("virtual_network_id")?, input.words("ip_reservation_id")?);
    let size = input.integer("private_ipv4_subnet_size")?;
    let segment = work.row::<Segment>(&network);
    let segment = known("virtual_network_id", &network, segment)?.id;
    let from = match (block, size) {
        (Some(_), Some(_)) => {
            let text = "Either a reservation or the size of a private one is given, not both.";
            return Err(Invalid::rule("private_ipv4_subnet_size", text).into());
        }
        (Some(id), None) => {
            let block = work.row::<Block>(&id);
            Addresses::Reserved(known("ip_reservation_id", &id, block)?.id)
        }
        (None, Some(size)) => Addresses::Private(length(size)),
        (None, None) => return Err(Invalid::required("ip_reservation_id").into()),
    };
    Ok(Out::one(&gateways::create(work.tx, project, segment, from)?))
}

/// The length of a network of so many addresses; 0, which no network has, for what is no such number.
fn length(size: i64) -> u8 {
    match u32::try_from(size) {
        Ok(size) if size.is_power_of_two() => 32 - u8::try_from(size.trailing_zeros()).unwrap_or(0),
        _ => 0,
    }
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Landing>("id")?))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Landing> = work.id("id")?;
    Ok(Out::one(&gateways::remove(work.tx, id)?))
}

/// The forerunner of metal gateways: always with public addresses of its own.
fn create_internet(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let segment = work.named::<Segment>("id")?;
    let length = work.ask.input.integer("length")?.unwrap_or(29);
    let from = Addresses::Public(u8::try_from(length).unwrap_or(0));
    let made = gateways::create(work.tx, segment.tenant.of(), segment.id, from)?;
    let href = work.show().href::<Landing>(made.uid);
    Ok(Out::Json(json!({ "id": made.uid, "href": href })))
}

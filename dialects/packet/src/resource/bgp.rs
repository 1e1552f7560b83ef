//! BGP: a project's permission, and the sessions of its devices.

use meetme_app::{
    Error,
    bgp::{self, NewConfig},
    blocks,
};
use meetme_base::{Asn, Id, Invalid};
use meetme_http::{
    ValueKind::{Boolean, Integer, Text},
    Verb,
};
use meetme_model::{
    BgpState,
    access::Project,
    fabric::Block,
    metal::Device,
    routing::{Answer, BgpConfig, BgpReach, DirectSession},
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Work},
};

const ONE: Gives = Gives::One("BgpSession");
const LIST: Gives = Gives::Pages("bgp_sessions", "BgpSession");

pub fn rows() -> Vec<Row> {
    vec![
        Row::post("request_bgp_config", "/projects/{id}/bgp-configs", Gives::Nothing, request)
            .takes(&[("deployment_type", Text), ("asn", Integer), ("md5", Text), ("use_case", Text)])
            .status(204),
        Row::get("get_bgp_config", "/projects/{id}/bgp-config", Gives::One("BgpConfig"), config),
        Row::get("list_project_bgp_sessions", "/projects/{id}/bgp/sessions", LIST, list_of_project),
        Row::get("list_device_bgp_sessions", "/devices/{id}/bgp/sessions", LIST, list_of_device),
        Row::post("create_bgp_session", "/devices/{id}/bgp/sessions", ONE, create)
            .takes(&[("address_family", Text), ("default_route", Boolean)]),
        Row::get("list_device_bgp_neighbors", "/devices/{id}/bgp/neighbors", Gives::Free, neighbors),
        Row::get("get_bgp_session", "/bgp/sessions/{id}", ONE, get),
        Row::put("update_bgp_session", "/bgp/sessions/{id}", ONE, update).takes(&[("default_route", Boolean)]),
        Row::get("list_global_bgp_ranges", "/projects/{id}/global-bgp-ranges", Gives::Free, ranges),
        Row::post("discover_bgp", "/bgp/discover/{id}", Gives::Free, discover).status(200).verb(Verb::Act),
        Row::delete("delete_bgp_session", "/bgp/sessions/{id}", delete),
    ]
}

/// The fields of a project's permission.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConfigWire {
    id: String,
    status: &'static str,
    deployment_type: &'static str,
    asn: u32,
    route_object: Option<String>,
    md5: Option<String>,
    max_prefix: u32,
    created_at: String,
    requested_at: String,
    ranges: Vec<Value>,
}

impl Shown for BgpConfig {
    const NAME: &'static str = "BgpConfig";
    const PATH: Option<&'static str> = Some("/bgp-configs");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("project", &[Project::KIND], |c| Some(c.project.any())),
        Relation::<Self>::back("sessions", &[DirectSession::KIND], |tx, of| {
            let filter = Filter::is_in("tenant", of.iter().map(|c| c.tenant)).and(of_devices());
            let sessions = tx.all::<DirectSession>(filter)?;
            let config =
                |s: &Object<DirectSession>| of.iter().find(|c| c.tenant == s.tenant).map(|c| (c.id.any(), s.id.any()));
            Ok(sessions.iter().filter_map(config).collect())
        })
        .whole(),
    ];
    type Wire = ConfigWire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<ConfigWire>, Error> {
        let mut announced = Vec::with_capacity(objects.len());
        for row in objects {
            announced.push(ranges_of(show, row.spec.project)?);
        }
        let wire = |(row, ranges): (&Object<Self>, Vec<Value>)| {
            let password = row.spec.password.as_ref().map(|sealed| show.app.sealer().open(sealed)).transpose()?;
            Ok(ConfigWire {
                id: row.uid.to_string(),
                status: match row.spec.answer {
                    Answer::Open => "requested",
                    Answer::Yes => "enabled",
                    Answer::No => "disabled",
                },
                deployment_type: row.spec.reach.word(),
                asn: row.spec.asn.get(),
                route_object: row.spec.route_object.clone(),
                md5: password.map(|secret| secret.expose().clone()),
                max_prefix: row.spec.max_prefix,
                created_at: at(row.created),
                requested_at: at(row.created),
                ranges,
            })
        };
        objects.iter().zip(announced).map(wire).collect()
    }
}

/// The fields of a session.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionWire {
    id: String,
    status: &'static str,
    learned_routes: Vec<String>,
    address_family: &'static str,
    default_route: bool,
    created_at: String,
    updated_at: String,
}

impl Shown for DirectSession {
    const NAME: &'static str = "BgpSession";
    const PATH: Option<&'static str> = Some("/bgp/sessions");
    const RELATIONS: &'static [Relation<Self>] =
        &[Relation::<Self>::one("device", &[Device::KIND], |s| s.device.map(|d| d.any()))];
    type Wire = SessionWire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<SessionWire>, Error> {
        let wire = |row: &Object<Self>| SessionWire {
            id: row.uid.to_string(),
            status: match row.status.state {
                None => "unknown",
                Some(BgpState::Established) => "up",
                Some(_) => "down",
            },
            learned_routes: Vec::new(),
            address_family: if row.spec.family() == 4 { "ipv4" } else { "ipv6" },
            default_route: row.spec.default_route,
            created_at: at(row.created),
            updated_at: at(row.updated),
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn of_devices() -> Filter {
    Filter::is("device", meetme_store::Op::Empty(false))
}

fn request(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let input = &work.ask.input;
    let word = input.required("deployment_type")?;
    let reach = match word.as_str() {
        "local" => BgpReach::Local,
        "global" => BgpReach::Global,
        other => return Err(Invalid::choice("deployment_type", other).into()),
    };
    let asn = input.integer("asn")?.ok_or_else(|| Invalid::required("asn"))?;
    let new = NewConfig {
        reach,
        asn: Asn::try_from(asn)?,
        password: input.words("md5")?,
        use_case: input.words("use_case")?,
    };
    bgp::request(work.tx, work.app.sealer(), project, &new)?;
    Ok(Out::Nothing)
}

fn config(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let config = bgp::config(work.tx, project)?;
    config.map(|c| Out::one(&c)).ok_or_else(|| Error::missing(BgpConfig::KIND, project))
}

fn list_of_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    work.page::<DirectSession>("bgp_sessions", Filter::eq("tenant", project).and(of_devices()), vec![Order::up("id")])
}

fn list_of_device(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device: Id<Device> = work.id("id")?;
    work.page::<DirectSession>("bgp_sessions", Filter::eq("device", device), vec![Order::up("id")])
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device: Id<Device> = work.id("id")?;
    let input = &work.ask.input;
    let family = match input.required("address_family")?.as_str() {
        "ipv4" => 4,
        "ipv6" => 6,
        other => return Err(Invalid::choice("address_family", other).into()),
    };
    let default_route = input.flag("default_route")?.unwrap_or(false);
    Ok(Out::one(&bgp::open(work.tx, device, family, default_route)?))
}

fn session(work: &mut Work<'_, '_>) -> Result<Object<DirectSession>, Error> {
    let session = work.named::<DirectSession>("id")?;
    if session.spec.device.is_some() { Ok(session) } else { Err(Error::missing(DirectSession::KIND, session.uid)) }
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&session(work)?))
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let session = session(work)?;
    let input = &work.ask.input;
    let default_route = input.flag("default_route")?.or(input.bare()).unwrap_or(session.spec.default_route);
    Ok(Out::one(&bgp::change(work.tx, session.id, default_route)?))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let session = session(work)?;
    bgp::close(work.tx, session.id)?;
    Ok(Out::Nothing)
}

/// What a device's BGP program has to be told, one for each session.
fn neighbors(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device: Id<Device> = work.id("id")?;
    let sessions = work.tx.all::<DirectSession>(Filter::eq("device", device))?;
    let neighbors = sessions
        .iter()
        .map(|row| {
            let spec = &row.spec;
            let password = spec.peer.password.as_ref().map(|sealed| work.app.sealer().open(sealed)).transpose()?;
            Ok(json!({
                "address_family": spec.family(),
                "customer_as": spec.peer.asn,
                "customer_ip": spec.ip.ip(),
                "md5_enabled": password.is_some(),
                "md5_password": password.map(|secret| secret.expose().clone()),
                "multihop": spec.peer.ttl > 1,
                "peer_as": spec.local_asn,
                "peer_ips": spec.locals,
                "routes_in": [],
                "routes_out": [],
            }))
        })
        .collect::<Result<Vec<Value>, Error>>()?;
    Ok(Out::Json(json!({ "bgp_neighbors": neighbors })))
}

/// The networks that a project may announce to the Internet. They have no path of their own.
fn ranges_of(show: &mut Show<'_, '_>, project: Id<Project>) -> Result<Vec<Value>, Error> {
    let blocks = blocks::announced(show.tx, project)?;
    let uid = show.tx.get(project)?.uid;
    let project = show.href::<Project>(uid);
    let range = |block: &Object<Block>| {
        json!({
            "id": block.uid,
            "address_family": block.spec.family,
            "range": block.spec.prefix,
            "project": { "href": project },
            "href": format!("#{}", block.uid),
        })
    };
    Ok(blocks.iter().map(range).collect())
}

fn ranges(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let ranges = ranges_of(&mut work.show(), project)?;
    Ok(Out::Json(json!({ "global_bgp_ranges": ranges })))
}

/// Has the routers of the project's sessions looked at, and tells when that was last done.
fn discover(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let last = bgp::discover(work.tx, project)?;
    Ok(Out::Json(json!({ "updated_at": at(last) })))
}

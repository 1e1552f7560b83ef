//! Devices.

use std::collections::HashMap;

use meetme_app::{
    Error,
    devices::{self, Action, spot},
};
use meetme_base::{Id, Invalid, RawId, Uid};
use meetme_http::{
    ValueKind::{Boolean, Integer, Number, Text},
    Verb,
};
use meetme_model::{
    Lock, Phase, Term, Wanted,
    access::{Organization, Project, SshKey},
    fabric::{Address, Port},
    metal::{Device, Reservation, Server},
    ops::{Equipment, Tag},
    place::{Image, Metro, Plan, Site},
};
use meetme_store::{Filter, Object, Op, Order, Resource, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{event, facility, image, metro, money, new_device};
use crate::{
    ext,
    metadata::{self, Doors},
    path::PREFIX,
    show::{Relation, Show, Shown, at, referring},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("Device");
const LIST: Gives = Gives::Pages("devices", "Device");
const CHANGES: Takes = &[
    ("hostname", Text),
    ("description", Text),
    ("billing_cycle", Text),
    ("userdata", Text),
    ("locked", Boolean),
    ("tags", Text),
    ("always_pxe", Boolean),
    ("ipxe_script_url", Text),
    ("spot_instance", Boolean),
    ("customdata", Text),
    ("network_frozen", Boolean),
];
const NEW: Takes = &[
    ("plan", Text),
    ("operating_system", Text),
    ("facility", Text),
    ("metro", Text),
    ("hostname", Text),
    ("description", Text),
    ("billing_cycle", Text),
    ("always_pxe", Boolean),
    ("ipxe_script_url", Text),
    ("userdata", Text),
    ("locked", Boolean),
    ("customdata", Text),
    ("hardware_reservation_id", Text),
    ("spot_instance", Boolean),
    ("spot_price_max", Number),
    ("termination_time", Text),
    ("tags", Text),
    ("project_ssh_keys", Text),
    ("user_ssh_keys", Text),
    ("no_ssh_keys", Boolean),
    ("features", Text),
    ("public_ipv4_subnet_size", Integer),
    ("ip_addresses", Text),
    ("storage", Text),
    ("network_frozen", Boolean),
];
const FILTERS: &[&str] =
    &["search", "facility", "metro", "hostname", "tag", "type", "reserved", "has_termination_time", "mac_address"];

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_project_devices", "/projects/{id}/devices", LIST, list_of_project).query(FILTERS),
        Row::get("list_organization_devices", "/organizations/{id}/devices", LIST, list_of_organization).query(FILTERS),
        Row::post("create_device", "/projects/{id}/devices", ONE, new_device::create).takes(NEW),
        Row::get("get_device", "/devices/{id}", ONE, get),
        Row::put("update_device", "/devices/{id}", ONE, update).takes(CHANGES),
        Row::patch("patch_device", "/devices/{id}", ONE, update).takes(CHANGES),
        Row::delete("delete_device", "/devices/{id}", delete).query(&["force_delete"]),
        Row::post("device_action", "/devices/{id}/actions", Gives::Nothing, act)
            .takes(&[("type", Text), ("operating_system", Text), ("ipxe_script_url", Text), ("preserve_data", Boolean)])
            .status(202)
            .verb(Verb::Act),
        Row::get("get_device_customdata", "/devices/{id}/customdata", Gives::Free, customdata),
        Row::get("get_device_userdata", "/devices/{id}/userdata", Gives::Free, userdata),
        Row::get("get_device_metadata", "/devices/{id}/metadata", Gives::Free, metadata),
    ]
}

/// What only this dialect knows of a device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Own {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customdata: Option<Value>,
}

/// The fields of a device.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    short_id: String,
    hostname: String,
    description: Option<String>,
    state: &'static str,
    tags: Vec<String>,
    image_url: Option<String>,
    billing_cycle: &'static str,
    user: String,
    iqn: String,
    locked: bool,
    bonding_mode: u8,
    created_at: String,
    updated_at: String,
    spot_instance: bool,
    spot_price_max: Option<f64>,
    termination_time: Option<String>,
    customdata: Value,
    provisioning_percentage: f64,
    always_pxe: bool,
    ipxe_script_url: Option<String>,
    location: Location,
    userdata: String,
    root_password: Option<String>,
    volumes: Vec<Value>,
    hardware_reservation_id: Option<String>,
    storage: Option<Value>,
    network_frozen: bool,
    switch_uuid: Option<String>,
    provisioning_events: Vec<event::Wire>,
}

/// Where its server stands.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Location {
    cage: String,
    facility: String,
    rack: String,
    row: String,
    switch: String,
}

impl Shown for Device {
    const NAME: &'static str = "Device";
    const PATH: Option<&'static str> = Some("/devices");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("plan", &[Plan::KIND], |d| Some(d.plan.any())).whole(),
        Relation::<Self>::one("operating_system", &[Image::KIND], |d| Some(d.image.any())).whole(),
        Relation::<Self>::one("facility", &[Site::KIND], |d| Some(d.site.any())).whole(),
        Relation::<Self>::back("metro", &[Metro::KIND], |tx, of| {
            let sites = tx.many(of.iter().map(|d| d.spec.site))?;
            Ok(of.iter().filter_map(|d| Some((d.id.any(), sites.get(&d.spec.site)?.spec.metro.any()))).collect())
        })
        .single()
        .whole(),
        Relation::<Self>::back("project", &[Project::KIND], |_, of| {
            Ok(of.iter().map(|d| (d.id.any(), d.tenant)).collect())
        })
        .single(),
        Relation::<Self>::back("project_lite", &[Project::KIND], |_, of| {
            Ok(of.iter().map(|d| (d.id.any(), d.tenant)).collect())
        })
        .single(),
        Relation::<Self>::one("hardware_reservation", &[Reservation::KIND], |d| d.reservation.map(|r| r.any()))
            .or_null(),
        Relation::<Self>::many("ssh_keys", &[SshKey::KIND], |d| d.keys.iter().map(|k| k.any()).collect()),
        Relation::<Self>::back("ip_addresses", &[Address::KIND], |tx, of| referring::<_, Address>(tx, of, "device"))
            .whole(),
        Relation::<Self>::back("network_ports", &[Port::KIND], |tx, of| referring::<_, Port>(tx, of, "device")).whole(),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let images = show.tx.many(objects.iter().map(|d| d.spec.image))?;
        let tags = show.tx.many(objects.iter().flat_map(|d| d.spec.tags.iter().copied()))?;
        let places = locations(show.tx, objects)?;
        let reservations = show.tx.many(objects.iter().filter_map(|d| d.spec.reservation))?;
        let now = show.tx.now();
        let mut out = Vec::with_capacity(objects.len());
        for row in objects {
            let (spec, status) = (&row.spec, &row.status);
            let login = images.get(&spec.image).and_then(|image| image.spec.login.clone());
            let password = status.root_password.as_ref().filter(|p| p.until > now);
            let password = password.map(|p| show.app.sealer().open(&p.value)).transpose()?;
            let short = row.uid.short();
            out.push(Wire {
                id: row.uid.to_string(),
                hostname: spec.hostname.clone(),
                description: spec.description.clone(),
                state: state(row, show.base),
                tags: names(&spec.tags, &tags),
                image_url: None,
                billing_cycle: billing(spec.life.term),
                user: login.unwrap_or_else(|| "root".to_owned()),
                iqn: iqn(row),
                short_id: short,
                locked: spec.life.lock != Lock::None,
                bonding_mode: 4,
                created_at: at(row.created),
                updated_at: at(row.updated),
                spot_instance: spec.spot.is_some(),
                spot_price_max: spec.spot.as_ref().map(|spot| money(&spot.max)),
                termination_time: spec.life.gone_at.map(at),
                customdata: ext::custom(ext::get::<Own>(&spec.ext).customdata.as_ref()),
                provisioning_percentage: percentage(row),
                always_pxe: spec.always_pxe,
                ipxe_script_url: spec.ipxe_url.clone(),
                location: places.get(&row.id.any()).map(|place| place.location.clone()).unwrap_or_default(),
                userdata: spec.userdata.clone().unwrap_or_default(),
                root_password: password.map(|secret| secret.expose().clone()),
                volumes: Vec::new(),
                hardware_reservation_id: spec
                    .reservation
                    .and_then(|id| reservations.get(&id))
                    .map(|r| r.uid.to_string()),
                storage: spec.layout.clone(),
                network_frozen: spec.network_frozen,
                switch_uuid: places.get(&row.id.any()).and_then(|place| place.switch_uuid.clone()),
                provisioning_events: event::steps(show, row),
            });
        }
        Ok(out)
    }
}

/// What is known of where a server stands.
struct Standing {
    location: Location,
    switch_uuid: Option<String>,
}

/// The names of tags, in the order they were given.
pub fn names(ids: &[Id<Tag>], known: &HashMap<Id<Tag>, Object<Tag>>) -> Vec<String> {
    ids.iter().filter_map(|id| known.get(id)).map(|tag| tag.spec.name.clone()).collect()
}

/// Where the servers of these devices stand. Servers are the operator's; where one's own stands is for its user to know.
fn locations(tx: &mut Tx<'_>, devices: &[Object<Device>]) -> Result<HashMap<RawId, Standing>, Error> {
    tx.as_system(|tx| {
        let servers: HashMap<_, Object<Server>> = tx.many(devices.iter().filter_map(|d| d.spec.server))?;
        let switches: HashMap<_, Object<Equipment>> =
            tx.many(servers.values().flat_map(|s| s.spec.nics.iter().filter_map(|nic| nic.switch)))?;
        let sites: HashMap<_, Object<Site>> = tx.many(servers.values().map(|s| s.spec.site))?;
        let place = |server: &Object<Server>| {
            let switch = server.spec.nics.iter().find_map(|nic| switches.get(&nic.switch?));
            let location = Location {
                facility: sites.get(&server.spec.site).map(|s| facility::code(&s.spec)).unwrap_or_default(),
                rack: server.spec.rack.clone().unwrap_or_default(),
                switch: switch.map(|e| e.spec.name.clone()).unwrap_or_default(),
                ..Location::default()
            };
            Standing { location, switch_uuid: switch.map(|e| e.uid.to_string()) }
        };
        let of = |d: &Object<Device>| Some((d.id.any(), place(servers.get(&d.spec.server?)?)));
        Ok(devices.iter().filter_map(of).collect())
    })
}

/// The word for where a device stands. A wish that the machine has not followed yet counts as being followed: clients look right
/// after they asked.
pub fn state(device: &Object<Device>, base: &str) -> &'static str {
    let (spec, status) = (&device.spec, &device.status);
    // Strict clients of the later deployment do not know the word.
    let rebooting = if base == PREFIX { "powering_on" } else { "rebooting" };
    let phase = status.life.phase;
    if spec.life.wanted == Wanted::Gone || phase == Phase::Removing {
        return "deprovisioning";
    }
    match (phase, status.life.step.as_deref()) {
        (Phase::Draft | Phase::Asking | Phase::Queued, _) => "queued",
        (Phase::Building, _) if spec.reinstalls > 0 => "reinstalling",
        (Phase::Building, _) => "provisioning",
        (Phase::Failed, Some("removal")) => "deprovisioning",
        (Phase::Failed, Some("change")) => "active",
        (Phase::Failed, _) => "failed",
        (Phase::Changing, Some("reinstall")) => "reinstalling",
        (Phase::Changing, Some("stop")) => "powering_off",
        (Phase::Changing, Some("start")) => "powering_on",
        (Phase::Changing, Some("reboot" | "rescue")) => rebooting,
        _ if spec.reinstalls > status.reinstalls => "reinstalling",
        (Phase::Off, _) if spec.life.wanted == Wanted::Up => "powering_on",
        (Phase::Off, _) => "inactive",
        _ if spec.life.wanted == Wanted::Off => "powering_off",
        _ if spec.restarts > status.restarts => rebooting,
        (Phase::Gone, _) => "deleted",
        _ => "active",
    }
}

/// How far it is, from the steps; everything is done once there is a machine.
fn percentage(device: &Object<Device>) -> f64 {
    let steps = &device.status.steps;
    let done = steps.iter().filter(|step| step.at.is_some()).count();
    if device.status.life.phase.is_built() && device.status.life.phase != Phase::Changing {
        return 100.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "there are about ten steps")]
    if steps.is_empty() { 0.0 } else { done as f64 * 100.0 / steps.len() as f64 }
}

pub const fn billing(term: Option<Term>) -> &'static str {
    match term {
        None | Some(Term::Hour) => "hourly",
        Some(Term::Day) => "daily",
        Some(Term::Months(n)) if n >= 12 => "yearly",
        Some(Term::Months(_)) => "monthly",
    }
}

/// The name a device is told to call itself towards storage.
pub fn iqn(row: &Object<Device>) -> String {
    format!("iqn.{}.net.packet:device.{}", &at(row.created)[..7], row.uid.short())
}

/// The term behind a word for it.
///
/// # Errors
/// When there is none.
pub fn term(word: &str) -> Result<Term, Error> {
    Ok(match word {
        "hourly" => Term::Hour,
        "daily" => Term::Day,
        "monthly" => Term::Months(1),
        "yearly" => Term::Months(12),
        other => return Err(Invalid::choice("billing_cycle", other).into()),
    })
}

fn list_of_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    list(work, Filter::eq("tenant", project))
}

fn list_of_organization(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let organization: Id<Organization> = work.id("id")?;
    list(work, Filter::Below(organization.any()))
}

fn list(work: &mut Work<'_, '_>, of: Filter) -> Result<Out, Error> {
    // Devices being removed are left out: one client stops at a state it does not know.
    let going = Filter::eq("wanted", Wanted::Gone.word())
        .or(Filter::is_in("phase", [Phase::Removing.word(), Phase::Gone.word()]))
        .or(Filter::is("gone_at", Op::Le(work.tx.now().into())));
    let mut filter = of.and(Filter::eq("form", "metal")).and(going.not());
    if let Some(words) = work.asked("search") {
        filter = filter.and(Filter::Text(words.to_owned()));
    }
    if let Some(name) = work.asked("hostname") {
        filter = filter.and(Filter::is("hostname", Op::ContainsFold(name.to_owned())));
    }
    if let Some(tag) = work.asked("tag") {
        filter = filter.and(Filter::eq("tags.name", tag));
    }
    if let Some(has) = work.ask.input.flag("has_termination_time")? {
        filter = filter.and(Filter::is("gone_at", Op::Empty(!has)));
    }
    if let Some(reserved) = work.ask.input.flag("reserved")? {
        filter = filter.and(Filter::is("reservation", Op::Empty(!reserved)));
    }
    // A place nobody knows has no devices.
    if let Some(code) = work.asked("facility").map(str::to_owned) {
        let site = found(facility::find(work, &code))?;
        filter = filter.and(site.map_or(Filter::Never, |site| Filter::eq("site", site.id)));
    }
    if let Some(code) = work.asked("metro").map(str::to_owned) {
        let metro = found(metro::find(work, &code))?;
        filter = filter.and(metro.map_or(Filter::Never, |metro| Filter::eq("site.metro", metro.id)));
    }
    if let Some(mac) = work.asked("mac_address").map(str::to_lowercase) {
        let ports = work.tx.all::<Port>(Filter::eq("mac", mac.as_str()))?;
        filter = filter.and(Filter::is_in("id", ports.iter().filter_map(|port| port.spec.device)));
    }
    work.page::<Device>("devices", filter, vec![Order::down("created"), Order::down("id")])
}

fn found<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(row) => Ok(Some(row)),
        Err(Error::Missing { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Device>("id")?))
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Device> = work.id("id")?;
    let input = &work.ask.input;
    let term = input.words("billing_cycle")?.map(|word| term(&word)).transpose()?;
    let (hostname, description) = (input.words("hostname")?, input.text("description")?);
    let (userdata, url) = (input.text("userdata")?, input.text("ipxe_script_url")?);
    let (locked, always) = (input.flag("locked")?, input.flag("always_pxe")?);
    let (frozen, data) = (input.flag("network_frozen")?, input.json("customdata")?);
    let on_market = input.flag("spot_instance")?;
    if on_market == Some(true) && work.tx.get(id)?.spec.spot.is_none() {
        let text = "A device comes to the spot market by being ordered there.";
        return Err(Invalid::rule("spot_instance", text).into());
    }
    let tags = input.texts("tags")?;
    let changed = devices::change(work.tx, id, tags.as_deref(), |now| {
        now.hostname = hostname.unwrap_or_else(|| now.hostname.clone());
        now.description = description.or_else(|| now.description.clone());
        now.life.term = term.or(now.life.term);
        now.userdata = userdata.or_else(|| now.userdata.clone());
        now.ipxe_url = url.or_else(|| now.ipxe_url.clone()).filter(|url| !url.is_empty());
        now.always_pxe = always.unwrap_or(now.always_pxe);
        now.network_frozen = frozen.unwrap_or(now.network_frozen);
        match locked {
            Some(true) if now.life.lock == Lock::None => now.life.lock = Lock::Owner,
            Some(false) => now.life.lock = Lock::None,
            _ => {}
        }
        if on_market == Some(false) {
            spot::leave(now);
        }
        if let Some(data) = data {
            ext::set(&mut now.ext, &Own { customdata: Some(data) });
        }
    })?;
    Ok(Out::one(&changed))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Device> = work.id("id")?;
    devices::remove(work.tx, id)?;
    Ok(Out::Nothing)
}

fn act(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Device> = work.id("id")?;
    let input = &work.ask.input;
    let action = match input.required("type")?.as_str() {
        "power_on" => Action::PowerOn,
        "power_off" => Action::PowerOff,
        "reboot" => Action::Restart,
        "rescue" => Action::Rescue,
        "reinstall" => {
            let slug = input.words("operating_system")?;
            let image = slug.map(|slug| image::find(work, &slug)).transpose()?;
            Action::Reinstall {
                image: image.map(|image| image.id),
                ipxe_url: input.words("ipxe_script_url")?,
                keep_disks: input.flag("preserve_data")?.unwrap_or(false),
            }
        }
        other => return Err(Invalid::choice("type", other).into()),
    };
    devices::act(work.tx, id, &action)?;
    Ok(Out::Nothing)
}

fn customdata(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let own: Own = ext::get(&work.named::<Device>("id")?.spec.ext);
    Ok(Out::Json(ext::custom(own.customdata.as_ref())))
}

fn userdata(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device = work.named::<Device>("id")?;
    Ok(Out::Json(json!({ "userdata": device.spec.userdata.unwrap_or_default() })))
}

/// The same document that the machine reads about itself. The services it talks to have no address here.
fn metadata(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Device> = work.id("id")?;
    let facts = devices::facts(work.tx, id)?;
    let document = metadata::document(&facts, &Doors::default());
    serde_json::to_value(document).map(Out::Json).map_err(|e| Error::Bug(e.to_string()))
}

/// The id of a step: the device's own with the step's number mixed in, so that it is the same whenever it is shown.
pub fn step_id(device: Uid, number: usize) -> Uid {
    let mut bytes = *device.bytes();
    let mix = u16::try_from(number + 1).unwrap_or(u16::MAX).to_be_bytes();
    bytes[14] ^= mix[0];
    bytes[15] ^= mix[1];
    Uid::from_bytes(bytes)
}

//! Blocks of addresses of a project.

use meetme_app::{
    Error,
    blocks::{self, NewBlock},
};
use meetme_base::{Id, Invalid, RawId};
use meetme_http::ValueKind::{Boolean, Integer, Text};
use meetme_model::{
    Ext, Phase,
    access::Project,
    fabric::{Address, Block, BlockPurpose, BlockReach},
    place::{Metro, Site},
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{device::names, facility, metro, new_device::known};
use crate::{
    ext,
    show::{Relation, Show, Shown, at, referring},
    work::{Gives, Out, Row, Takes, Work},
};

const NEW: Takes = &[
    ("type", Text),
    ("quantity", Integer),
    ("comments", Text),
    ("details", Text),
    ("facility", Text),
    ("metro", Text),
    ("customdata", Text),
    ("tags", Text),
    ("fail_on_approval_required", Boolean),
];

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_project_ips", "/projects/{id}/ips", Gives::List("ip_addresses", "IPReservation"), list)
            .query(&["types", "ipv4", "ipv6", "public", "global", "metro"]),
        Row::post("request_project_ips", "/projects/{id}/ips", Gives::One("IPReservation"), request).takes(NEW),
        Row::get("list_ip_available", "/ips/{id}/available", Gives::Free, available)
            .query(&["cidr"])
            .takes(&[("cidr", Integer)]),
        Row::get(
            "get_ip_reservation_customdata",
            "/projects/{project_id}/ips/{id}/customdata",
            Gives::Free,
            customdata_of_reservation,
        ),
    ]
}

/// What only this dialect knows of a block, or of an address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Own {
    /// The customer's own data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customdata: Option<Value>,
    /// What is said of an address; the core keeps what is said of a block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
}

/// The customer's own data of a block or an address.
pub fn customdata(kept: &Ext) -> Value {
    ext::custom(ext::get::<Own>(kept).customdata.as_ref())
}

/// The fields of a block.
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
    addon: bool,
    bill: bool,
    network: String,
    address: String,
    gateway: String,
    created_at: String,
    details: Option<String>,
    global_ip: bool,
    state: &'static str,
    #[serde(rename = "type")]
    form: &'static str,
    tags: Vec<String>,
    customdata: Value,
    available: String,
}

impl Shown for Block {
    const NAME: &'static str = "IPReservation";
    const PATH: Option<&'static str> = Some("/ips");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::back("assignments", &[Address::KIND], |tx, of| referring::<_, Address>(tx, of, "block")),
        Relation::<Self>::one("facility", &[Site::KIND], |b| b.at).whole().or_null(),
        Relation::<Self>::back("metro", &[Metro::KIND], |tx, of| {
            let sites = tx.many(of.iter().filter_map(|b| b.spec.at.map(|at| at.of::<Site>())))?;
            let metro = |b: &Object<Self>| {
                let at = b.spec.at?;
                Some((b.id.any(), sites.get(&at.of()).map_or(at, |site| site.spec.metro.any())))
            };
            Ok(of.iter().filter_map(metro).collect())
        })
        .single()
        .whole()
        .or_null(),
        Relation::<Self>::back("project", &[Project::KIND], |_, of| {
            Ok(of.iter().map(|b| (b.id.any(), b.tenant)).collect())
        })
        .single(),
        Relation::<Self>::back("project_lite", &[Project::KIND], |_, of| {
            Ok(of.iter().map(|b| (b.id.any(), b.tenant)).collect())
        })
        .single(),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let tags = show.tx.many(objects.iter().flat_map(|b| b.spec.tags.iter().copied()))?;
        let wire = |row: &Object<Self>| {
            let spec = &row.spec;
            let text =
                |of: fn(&ipnet::IpNet) -> std::net::IpAddr| spec.prefix.as_ref().map(of).map(|ip| ip.to_string());
            let network = text(|net| net.network()).unwrap_or_default();
            Wire {
                id: row.uid.to_string(),
                address_family: spec.family,
                netmask: text(|net| net.netmask()).unwrap_or_default(),
                public: spec.reach != BlockReach::Private,
                enabled: spec.prefix.is_some(),
                // A block that waits for its addresses has none yet.
                cidr: spec.prefix.map_or(0, |net| net.prefix_len()),
                management: spec.purpose == BlockPurpose::Management,
                manageable: spec.manageable,
                addon: spec.addon,
                bill: spec.bill,
                address: network.clone(),
                gateway: network.clone(),
                network,
                created_at: at(row.created),
                details: spec.details.clone(),
                global_ip: spec.reach == BlockReach::Global,
                state: match row.status.phase {
                    Phase::Failed => "denied",
                    phase if phase.is_built() => "created",
                    _ => "pending",
                },
                form: match (spec.reach, spec.family) {
                    (BlockReach::Global, _) => "global_ipv4",
                    (BlockReach::Private, _) => "private_ipv4",
                    (BlockReach::Vrf, _) => "vrf",
                    (BlockReach::Public, 6) => "public_ipv6",
                    (BlockReach::Public, _) => "public_ipv4",
                },
                tags: names(&spec.tags, &tags),
                customdata: customdata(&spec.ext),
                available: format!("{}/available", show.href::<Self>(row.uid)),
            }
        };
        Ok(objects.iter().map(wire).collect())
    }
}

fn request(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let input = &work.ask.input;
    let word = input.required("type")?;
    let (reach, family) = match word.as_str() {
        "public_ipv4" => (BlockReach::Public, 4),
        "private_ipv4" => (BlockReach::Private, 4),
        "public_ipv6" => (BlockReach::Public, 6),
        "global_ipv4" => (BlockReach::Global, 4),
        "vrf" => (BlockReach::Vrf, 4),
        other => return Err(Invalid::choice("type", other).into()),
    };
    let count = input.integer("quantity")?.ok_or_else(|| Invalid::required("quantity"))?;
    let details = match input.text("details")? {
        None => input.text("comments")?,
        said => said,
    };
    let mut new = NewBlock {
        reach,
        family,
        // What is no such number is no power of two either.
        count: u32::try_from(count).unwrap_or(0),
        at: None,
        details,
        tags: input.texts("tags")?.unwrap_or_default(),
        at_once: input.flag("fail_on_approval_required")?.unwrap_or(false),
        ext: Ext::new(),
    };
    if let Some(data) = input.json("customdata")? {
        ext::set(&mut new.ext, &Own { customdata: Some(data), details: None });
    }
    if reach != BlockReach::Global {
        new.at = place(work)?;
    }
    Ok(Out::one(&blocks::request(work.tx, project, &new)?))
}

/// Where something is to be: a facility, or the metro that is the later way to say it.
///
/// # Errors
/// When there is no such place.
pub fn place(work: &mut Work<'_, '_>) -> Result<Option<RawId>, Error> {
    let input = &work.ask.input;
    let (site, town) = (input.words("facility")?, input.words("metro")?);
    if let Some(code) = site {
        let site = facility::find(work, &code);
        return Ok(Some(known("facility", &code, site)?.id.any()));
    }
    let Some(code) = town else { return Ok(None) };
    let metro = metro::find(work, &code);
    Ok(Some(known("metro", &code, metro)?.id.any()))
}

/// One client sends the length in the body of this GET, the others in the query.
fn available(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let block = work.named::<Block>("id")?;
    let length = work.ask.input.integer("cidr")?.ok_or_else(|| Invalid::required("cidr"))?;
    let free = blocks::available(work.tx, &block, u8::try_from(length).unwrap_or(u8::MAX))?;
    let free: Vec<String> = free.iter().map(ToString::to_string).collect();
    Ok(Out::Json(json!({ "available": free })))
}

fn customdata_of_reservation(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("project_id")?;
    let block = work.named::<Block>("id")?;
    if block.tenant != project.any() {
        return Err(Error::missing(Block::KIND, block.uid));
    }
    Ok(Out::Json(customdata(&block.spec.ext)))
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let gone = Filter::eq("phase", Phase::Gone.word());
    let mut filter = Filter::eq("tenant", project).and(gone.not());
    let input = &work.ask.input;
    let (four, six) = (input.flag("ipv4")?, input.flag("ipv6")?);
    if let (Some(four), None) | (None, Some(four)) = (four, six.map(|six| !six)) {
        filter = filter.and(Filter::eq("family", if four { 4 } else { 6 }));
    }
    if let Some(public) = input.flag("public")? {
        let private = Filter::eq("reach", BlockReach::Private.word());
        filter = filter.and(if public { private.not() } else { private });
    }
    if let Some(global) = input.flag("global")? {
        let is = Filter::eq("reach", BlockReach::Global.word());
        filter = filter.and(if global { is } else { is.not() });
    }
    if let Some(types) = input.texts("types")? {
        let of = |word: &str| match word {
            "public_ipv4" => Filter::eq("reach", "public").and(Filter::eq("family", 4)),
            "public_ipv6" => Filter::eq("reach", "public").and(Filter::eq("family", 6)),
            "private_ipv4" => Filter::eq("reach", "private"),
            "global_ipv4" => Filter::eq("reach", "global"),
            "vrf" => Filter::eq("reach", "vrf"),
            _ => Filter::Never,
        };
        filter = filter.and(types.iter().fold(Filter::Never, |all, word| all.or(of(word))));
    }
    if let Some(code) = work.asked("metro").map(str::to_owned) {
        let metro = metro::find(work, &code)?;
        let sites = work.tx.ids::<Site>(&Filter::eq("metro", metro.id))?;
        let at = sites.into_iter().map(Id::any).chain([metro.id.any()]);
        filter = filter.and(Filter::is_in("at", at));
    }
    work.every::<Block>("ip_addresses", filter, vec![Order::up("id")])
}

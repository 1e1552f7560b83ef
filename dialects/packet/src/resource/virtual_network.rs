//! Virtual networks: layer 2 networks of a project.

use std::collections::HashMap;

use meetme_app::{
    Error,
    segments::{self, NewSegment},
};
use meetme_base::{Id, Invalid};
use meetme_http::ValueKind::{Integer, Text};
use meetme_model::{
    Ext, Wanted,
    access::Project,
    fabric::{Landing, Leg, Port, Segment},
    living,
    metal::Device,
    place::{Metro, Site},
};
use meetme_store::{Filter, Object, Order, Resource, Tx};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{block, device::names, facility, metro};
use crate::{
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("VirtualNetwork");
const NEW: Takes = &[
    ("project_id", Text),
    ("description", Text),
    ("facility", Text),
    ("metro", Text),
    ("vxlan", Integer),
    ("vlan", Integer),
    ("tags", Text),
];

pub fn rows() -> Vec<Row> {
    let of_project = "/projects/{id}/virtual-networks";
    vec![
        Row::get("list_virtual_networks", of_project, Gives::List("virtual_networks", "VirtualNetwork"), list)
            .query(&["facility", "metro", "page", "per_page"]),
        Row::post("create_virtual_network", of_project, ONE, create).takes(NEW),
        Row::get("get_virtual_network", "/virtual-networks/{id}", ONE, get),
        Row::put("update_virtual_network", "/virtual-networks/{id}", ONE, update)
            .takes(&[("description", Text), ("tags", Text)]),
        Row::delete("delete_virtual_network", "/virtual-networks/{id}", delete),
    ]
}

/// The fields of a virtual network.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    description: Option<String>,
    vxlan: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    facility_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metro_code: Option<String>,
    created_at: String,
    tags: Vec<String>,
    internet_gateway: Option<Value>,
    assigned_to_virtual_circuit: bool,
}

impl Shown for Segment {
    const NAME: &'static str = "VirtualNetwork";
    const PATH: Option<&'static str> = Some("/virtual-networks");
    const RELATIONS: &'static [Relation<Self>] = &[
        // One for a whole metro is in no facility.
        Relation::<Self>::one("facility", &[Site::KIND], |s| Some(s.at)).or_null(),
        Relation::<Self>::back("metro", &[Metro::KIND], |tx, of| {
            let places = places(tx, of)?;
            Ok(of.iter().filter_map(|s| Some((s.id.any(), places.metro(&s.spec)?.id.any()))).collect())
        })
        .single()
        .whole(),
        Relation::<Self>::back("instances", &[Device::KIND], |tx, of| {
            let on = Filter::is_in("segment", of.iter().map(|s| s.id)).and(segments::wanted());
            let landings = tx.all::<Landing>(on)?;
            let ports: HashMap<Id<Port>, Object<Port>> = tx.many(landings.iter().filter_map(|l| l.spec.port))?;
            let device =
                |l: &Object<Landing>| Some((l.spec.segment.any(), ports.get(&l.spec.port?)?.spec.device?.any()));
            let mut out: Vec<_> = landings.iter().filter_map(device).collect();
            out.sort_unstable();
            out.dedup();
            Ok(out)
        }),
        Relation::<Self>::back("metal_gateways", &[Landing::KIND], |tx, of| {
            let on = Filter::is_in("segment", of.iter().map(|s| s.id)).and(Filter::eq("gateway", true));
            let gateways = tx.all::<Landing>(on.and(segments::wanted()))?;
            Ok(gateways.iter().map(|l| (l.spec.segment.any(), l.id.any())).collect())
        }),
        Relation::<Self>::back("assigned_to", &[Project::KIND], |_, of| {
            Ok(of.iter().map(|s| (s.id.any(), s.tenant)).collect())
        })
        .single(),
    ];
    type Wire = Wire;

    /// Clients look for a 404 once they have deleted one; what is still on equipment then is nobody's concern but ours.
    fn is_hidden(row: &Object<Self>) -> bool {
        row.spec.life.wanted == Wanted::Gone
    }

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let tags = show.tx.many(objects.iter().flat_map(|s| s.spec.tags.iter().copied()))?;
        let places = places(show.tx, objects)?;
        let ids = || objects.iter().map(|s| s.id);
        let ends = Filter::is_in("a_end", ids()).or(Filter::is_in("z_end", ids())).and(living());
        let legs = show.tx.all::<Leg>(ends)?;
        let wire = |row: &Object<Self>| {
            let spec = &row.spec;
            let ends_here = |leg: &Object<Leg>| {
                [leg.spec.a.at, leg.spec.z.at].into_iter().flatten().any(|end| end.any() == row.id.any())
            };
            Wire {
                id: row.uid.to_string(),
                description: spec.description.clone(),
                vxlan: spec.vlan.get(),
                facility_code: places.sites.get(&spec.at.of()).map(|site| facility::code(&site.spec)),
                metro_code: places.metro(spec).map(|found| metro::code(&found.spec)),
                created_at: at(row.created),
                tags: names(&spec.tags, &tags),
                internet_gateway: None,
                assigned_to_virtual_circuit: legs.iter().any(ends_here),
            }
        };
        Ok(objects.iter().map(wire).collect())
    }
}

/// The places segments reach.
struct Places {
    sites: HashMap<Id<Site>, Object<Site>>,
    metros: HashMap<Id<Metro>, Object<Metro>>,
}

impl Places {
    fn metro(&self, segment: &Segment) -> Option<&Object<Metro>> {
        let of_site = self.sites.get(&segment.at.of()).map(|site| site.spec.metro);
        self.metros.get(&of_site.unwrap_or(segment.at.of()))
    }
}

fn places(tx: &mut Tx<'_>, segments: &[Object<Segment>]) -> Result<Places, Error> {
    let sites: HashMap<_, Object<Site>> = tx.many(segments.iter().map(|s| s.spec.at.of::<Site>()))?;
    let direct = segments.iter().map(|s| s.spec.at.of::<Metro>());
    let metros = tx.many(sites.values().map(|site| site.spec.metro).chain(direct))?;
    Ok(Places { sites, metros })
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let mut filter = Filter::eq("tenant", project).and(segments::wanted());
    if let Some(code) = work.asked("facility").map(str::to_owned) {
        let site = facility::find(work, &code)?;
        filter = filter.and(Filter::eq("at", site.id));
    }
    if let Some(code) = work.asked("metro").map(str::to_owned) {
        let metro = metro::find(work, &code)?;
        let sites = work.tx.ids::<Site>(&Filter::eq("metro", metro.id))?;
        let at = sites.into_iter().map(Id::any).chain([metro.id.any()]);
        filter = filter.and(Filter::is_in("at", at));
    }
    work.every::<Segment>("virtual_networks", filter, vec![Order::up("id")])
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let input = &work.ask.input;
    let number = match input.integer("vxlan")? {
        None => input.integer("vlan")?,
        said => said,
    };
    let (low, high) = (segments::CHOICE.start(), segments::CHOICE.end());
    let vlan = number.map(|n| n.try_into().map_err(|_| Invalid::range("vxlan", low, high))).transpose()?;
    let new = NewSegment {
        at: block::place(work)?.ok_or_else(|| Invalid::required("facility"))?,
        vlan,
        description: work.ask.input.text("description")?,
        tags: work.ask.input.texts("tags")?.unwrap_or_default(),
        ext: Ext::new(),
    };
    Ok(Out::one(&segments::create(work.tx, project.any(), &new)?))
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Segment>("id")?))
}

fn update(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Segment> = work.id("id")?;
    let (description, tags) = (work.ask.input.text("description")?, work.ask.input.texts("tags")?);
    Ok(Out::one(&segments::change(work.tx, id, description, tags.as_deref())?))
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Segment> = work.id("id")?;
    segments::remove(work.tx, id)?;
    Ok(Out::Nothing)
}

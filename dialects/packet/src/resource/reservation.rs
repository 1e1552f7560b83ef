//! Hardware reservations: servers that a project has for itself.

use meetme_app::{
    Error,
    devices::reservations::{self, Standing},
};
use meetme_base::{Id, RawId};
use meetme_http::ValueKind::Text;
use meetme_model::{
    access::Project,
    metal::{Device, Reservation, Server},
    ops::Equipment,
    place::{Plan, Site},
};
use meetme_store::{Filter, Object, Op, Order, Query, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use super::{device::billing, money};
use crate::{
    page::Page,
    show::{Relation, Show, Shown, at},
    work::{Gives, Out, Row, Work},
};

const ONE: Gives = Gives::One("HardwareReservation");
const LIST: Gives = Gives::Pages("hardware_reservations", "HardwareReservation");

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("list_hardware_reservations", "/projects/{id}/hardware-reservations", LIST, list).query(&[
            "provisionable",
            "state",
            "query",
        ]),
        Row::get("get_hardware_reservation", "/hardware-reservations/{id}", ONE, get),
        Row::post("move_hardware_reservation", "/hardware-reservations/{id}/move", ONE, move_to)
            .takes(&[("project_id", Text)]),
        Row::post("activate_hardware_reservation", "/hardware-reservations/{id}/activate", ONE, activate)
            .takes(&[("description", Text)]),
    ]
}

/// The fields of a hardware reservation.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    short_id: String,
    created_at: String,
    provisionable: bool,
    spare: bool,
    need_of_service: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    switch_uuid: Option<String>,
    intervals: u16,
    current_period: i64,
    started_at: String,
    billing_cycle: &'static str,
    custom_rate: f64,
    termination_time: Option<String>,
    remove_at: Option<String>,
}

impl Shown for Reservation {
    const NAME: &'static str = "HardwareReservation";
    const PATH: Option<&'static str> = Some("/hardware-reservations");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("plan", &[Plan::KIND], |r| Some(r.plan.any())).whole(),
        Relation::<Self>::one("facility", &[Site::KIND], |r| Some(r.site.any())).whole(),
        Relation::<Self>::back("project", &[Project::KIND], |_, of| {
            Ok(of.iter().map(|r| (r.id.any(), r.tenant)).collect())
        })
        .single(),
        Relation::<Self>::back("device", &[Device::KIND], |tx, of| {
            let mut on = reservations::devices_on(tx, of)?;
            // What comes last is what it is lent to now.
            on.reverse();
            Ok(on)
        })
        .single()
        .or_null(),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let standings = reservations::standings(show.tx, objects)?;
        let now = show.tx.now();
        // Servers and switches are the operator's; which one a cable of one's own server ends on is for its user to know.
        let (servers, switches) = show.tx.as_system(|tx| {
            let servers = tx.many::<Server>(objects.iter().map(|r| r.spec.server))?;
            let ids = servers.values().flat_map(|s| s.spec.nics.iter().filter_map(|nic| nic.switch));
            let switches = tx.many::<Equipment>(ids.collect::<Vec<_>>())?;
            Ok::<_, Error>((servers, switches))
        })?;
        let wire = |(row, standing): (&Object<Self>, Standing)| {
            let spec = &row.spec;
            let switch = servers.get(&spec.server).and_then(|s| s.spec.nics.iter().find_map(|nic| nic.switch));
            let started = spec.started_at.unwrap_or(row.created);
            let days = i64::from(spec.term.days().max(1));
            Wire {
                id: row.uid.to_string(),
                short_id: row.uid.short(),
                created_at: at(row.created),
                provisionable: standing == Standing::Free,
                spare: spec.spare,
                need_of_service: standing == Standing::Broken,
                switch_uuid: switch.and_then(|id| switches.get(&id)).map(|e| e.uid.to_string()),
                intervals: spec.intervals.unwrap_or(1),
                current_period: (now.seconds() - started.seconds()) / (days * 86_400) + 1,
                started_at: at(started),
                billing_cycle: billing(Some(spec.term)),
                custom_rate: spec.rate.as_ref().map_or(0.0, money),
                termination_time: spec.remove_at.map(at),
                remove_at: spec.remove_at.map(at),
            }
        };
        Ok(objects.iter().zip(standings).map(wire).collect())
    }
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let mut filter = Filter::eq("tenant", project);
    if let Some(text) = work.asked("query") {
        filter = filter.and(Filter::is("description", Op::ContainsFold(text.to_owned())).or(named_so(text)));
    }
    let wanted = match (work.asked("provisionable"), work.asked("state")) {
        (Some("only" | "true"), _) => Some(Standing::Free),
        (_, Some("spare")) => {
            filter = filter.and(Filter::eq("spare", true));
            None
        }
        (_, Some("active")) => {
            filter = filter.and(Filter::eq("spare", false));
            None
        }
        (_, Some("need_of_service")) => Some(Standing::Broken),
        _ => None,
    };
    let Some(wanted) = wanted else {
        return work.page::<Reservation>("hardware_reservations", filter, vec![Order::up("id")]);
    };
    // How a reservation stands follows from several rows; it is worked out for all of the project's.
    let rows = work.tx.list::<Reservation>(&Query::of(filter).order(vec![Order::up("id")]))?;
    let standings = reservations::standings(work.tx, &rows)?;
    let fit = rows.iter().zip(standings).filter(|(_, standing)| *standing == wanted);
    let ids: Vec<RawId> = fit.map(|(row, _)| row.id.any()).collect();
    let page = Page::of(&work.ask.query)?;
    let meta = page.meta(&work.ask.path, &work.ask.query, ids.len() as u64);
    let skip = usize::try_from(page.offset()).unwrap_or(usize::MAX);
    let part = ids.into_iter().skip(skip).take(page.limit() as usize).collect();
    Ok(Out::Many("hardware_reservations", Reservation::KIND, part, Some(meta)))
}

/// Reservations of a plan or a facility of this name.
fn named_so(text: &str) -> Filter {
    Filter::is("plan.slug", Op::ContainsFold(text.to_owned()))
        .or(Filter::is("site.slug", Op::ContainsFold(text.to_owned())))
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<Reservation>("id")?))
}

fn move_to(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    let text = work.ask.input.required("project_id")?;
    let project = work.row::<Project>(&text);
    let project = super::new_device::known("project_id", &text, project)?.id;
    Ok(Out::one(&reservations::move_to(work.tx, id, project)?))
}

fn activate(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    let description = work.ask.input.words("description")?;
    Ok(Out::one(&reservations::activate(work.tx, id, description)?))
}

//! The spot market: what an hour costs, what it cost, and requests that stand as long as the price is right.

use std::collections::BTreeMap;

use meetme_app::{
    Error,
    devices::{spot, usage::POINTS},
};
use meetme_base::{Id, Invalid, Time};
use meetme_http::ValueKind::{Boolean, Integer, Number, Text};
use meetme_model::{
    Ext,
    access::Project,
    metal::{Device, Place, SpotPrice, SpotRequest},
    place::{Metro, Money, Plan, Site},
};
use meetme_store::{Filter, Object, Order, Resource, Step};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{facility, metro, money, new_device, required, unit};
use crate::{
    input::Input,
    page::Link,
    show::{Relation, Show, Shown, at, referring},
    work::{Gives, Out, Row, Takes, Work},
};

const ONE: Gives = Gives::One("SpotMarketRequest");
const LIST: Gives = Gives::Pages("spot_market_requests", "SpotMarketRequest");
const NEW: Takes = &[
    ("devices_min", Integer),
    ("devices_max", Integer),
    ("max_bid_price", Number),
    ("end_at", Text),
    ("facilities", Text),
    ("metro", Text),
    ("instance_attributes", Text),
    ("instance_parameters", Text),
];

pub fn rows() -> Vec<Row> {
    vec![
        Row::get("get_spot_prices", "/market/spot/prices", Gives::Free, by_facility).query(&["facility", "plan"]),
        Row::get("get_spot_price_history", "/market/spot/prices/history", Gives::Free, history)
            .query(&["facility", "metro", "plan", "from", "until"]),
        Row::get("get_spot_prices_metros", "/market/spot/prices/metros", Gives::Free, by_metro)
            .query(&["metro", "plan"]),
        Row::get("list_spot_market_requests", "/projects/{id}/spot-market-requests", LIST, list),
        Row::post("create_spot_market_request", "/projects/{id}/spot-market-requests", ONE, create).takes(NEW),
        Row::get("list_spot_market_requests_singular", "/projects/{id}/spot-market-request", LIST, list),
        Row::post("create_spot_market_request_singular", "/projects/{id}/spot-market-request", ONE, create).takes(NEW),
        Row::get("get_spot_market_request", "/spot-market-requests/{id}", ONE, get),
        Row::delete("delete_spot_market_request", "/spot-market-requests/{id}", delete)
            .takes(&[("force_termination", Boolean)]),
    ]
}

/// The fields of a spot market request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
    devices_min: u16,
    devices_max: u16,
    max_bid_price: f64,
    created_at: String,
    end_at: Option<String>,
    /// One link, as the oldest clients read it: to the facility that is tried first. Null where a metro was named.
    facilities: Option<Link>,
    /// Where the devices are found.
    instances: Link,
}

impl Shown for SpotRequest {
    const NAME: &'static str = "SpotMarketRequest";
    const PATH: Option<&'static str> = Some("/spot-market-requests");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::back("project", &[Project::KIND], |_, of| {
            Ok(of.iter().map(|r| (r.id.any(), r.tenant)).collect())
        })
        .single(),
        Relation::<Self>::back("devices", &[Device::KIND], |tx, of| referring::<_, Device>(tx, of, "request")),
        Relation::<Self>::one("plan", &[Plan::KIND], |r| Some(r.wish.plan.any())).whole(),
        Relation::<Self>::one("metro", &[Metro::KIND], |r| {
            r.wish.places.iter().find_map(|place| match place {
                Place::Metro(metro) => Some(metro.any()),
                _ => None,
            })
        })
        .whole()
        .or_null(),
    ];
    type Wire = Wire;

    fn draw(show: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        let first = |row: &Object<Self>| match row.spec.wish.places.first() {
            Some(Place::Site(site)) => Some(*site),
            _ => None,
        };
        let sites = show.tx.many::<Site>(objects.iter().filter_map(first))?;
        let wire = |row: &Object<Self>| Wire {
            id: row.uid.to_string(),
            devices_min: row.spec.min,
            devices_max: row.spec.max,
            max_bid_price: money(&row.spec.bid),
            created_at: at(row.created),
            end_at: row.spec.end_at.map(at),
            facilities: first(row).and_then(|id| sites.get(&id)).map(|site| Link { href: show.href::<Site>(site.uid) }),
            instances: Link { href: format!("{}?include=devices", show.href::<Self>(row.uid)) },
        };
        Ok(objects.iter().map(wire).collect())
    }
}

/// Prices by the code of a place and the plan. Where several markets have one code, the lowest: that is where a machine would be got.
fn report(work: &mut Work<'_, '_>, code: impl Fn(Id<Site>) -> Option<String>, place: &str) -> Result<Out, Error> {
    let rows = spot::prices(work.tx)?;
    let plans = work.tx.many(rows.iter().map(|row| row.spec.plan))?;
    let (only, slug) = (work.asked(place).map(str::to_owned), work.asked("plan").map(str::to_owned));
    let mut out: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
    for row in &rows {
        let (Some(plan), Some(amount), Some(code)) =
            (plans.get(&row.spec.plan), &row.status.amount, code(row.spec.site))
        else {
            continue;
        };
        if only.as_ref().is_some_and(|only| *only != code) || slug.as_ref().is_some_and(|slug| *slug != plan.spec.slug)
        {
            continue;
        }
        let price = money(amount);
        let known = out.entry(code).or_default().entry(plan.spec.slug.clone()).or_insert(price);
        *known = known.min(price);
    }
    let priced = |plans: BTreeMap<String, f64>| -> Value {
        plans
            .into_iter()
            .map(|(plan, price)| (plan, json!({ "price": price })))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let all: serde_json::Map<String, Value> = out.into_iter().map(|(code, plans)| (code, priced(plans))).collect();
    Ok(Out::Json(json!({ "spot_market_prices": all })))
}

fn by_facility(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let sites = work.tx.all::<Site>(Filter::All)?;
    let codes: BTreeMap<_, _> = sites.into_iter().map(|site| (site.id, facility::code(&site.spec))).collect();
    report(work, |site| codes.get(&site).cloned(), "facility")
}

fn by_metro(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let sites = work.tx.all::<Site>(Filter::All)?;
    let metros = work.tx.many(sites.iter().map(|site| site.spec.metro))?;
    let code = |site: &Object<Site>| metros.get(&site.spec.metro).map(|metro| metro::code(&metro.spec));
    let codes: BTreeMap<_, _> = sites.iter().filter_map(|site| Some((site.id, code(site)?))).collect();
    report(work, |site| codes.get(&site).cloned(), "metro")
}

/// What the price of a plan at a facility was: each time it was looked at, in the finest steps that are kept for so long.
fn history(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let input = &work.ask.input;
    let (from, until) = (required(input, "from")?, required(input, "until")?);
    if from >= until {
        return Err(Invalid::rule("until", "The time ends before it begins.").into());
    }
    let slug = input.required("plan")?;
    let plan = work.tx.one::<Plan>(&Filter::eq("slug", slug.as_str()))?;
    let plan = plan.ok_or_else(|| Invalid::reference("plan", format!("The plan {slug}")))?;
    let filter = match input.words("facility")? {
        Some(code) => {
            let site = facility::find(work, &code);
            Filter::eq("site", new_device::known("facility", &code, site)?.id)
        }
        None => {
            let code = work.ask.input.words("metro")?.ok_or_else(|| Invalid::required("facility"))?;
            let metro = metro::find(work, &code);
            Filter::eq("site.metro", new_device::known("metro", &code, metro)?.id)
        }
    };
    let rows = work.tx.all::<SpotPrice>(filter.and(Filter::eq("plan", plan.id)))?;
    let mut step = Step::for_age(work.tx.now().0 - from.0);
    while (until.0 - from.0) / step.millis() > POINTS {
        step = match step {
            Step::Minute => Step::Hour,
            Step::Hour => Step::Day,
            Step::Day => break,
        };
    }
    let first = Time(from.0.div_euclid(step.millis()) * step.millis());
    let mut points: BTreeMap<i64, i64> = BTreeMap::new();
    for row in rows {
        for sample in work.tx.samples(row.id.any(), SpotPrice::SERIES, step, first, until)? {
            let known = points.entry(sample.at.seconds()).or_insert(sample.last);
            *known = (*known).min(sample.last);
        }
    }
    let datapoints: Vec<Value> = points.into_iter().map(|(at, micros)| json!([unit(micros), at])).collect();
    Ok(Out::Json(json!({ "prices_history": { "datapoints": datapoints } })))
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let order = vec![Order::down("created"), Order::down("id")];
    work.page::<SpotRequest>("spot_market_requests", Filter::eq("tenant", project), order)
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&work.named::<SpotRequest>("id")?))
}

fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let input = &work.ask.input;
    let mut template = match input.object("instance_parameters")? {
        Some(template) => template,
        None => input.object("instance_attributes")?.ok_or_else(|| Invalid::required("instance_parameters"))?,
    };
    // The places stand beside the template, or in it.
    for (from, to) in [("facilities", "facility"), ("metro", "metro")] {
        if let Some(value) = input.raw(from) {
            template.set(to, value.clone());
        }
    }
    let number = |name: &str, usual: i64| -> Result<u16, Error> {
        let n = input.integer(name)?.unwrap_or(usual);
        u16::try_from(n).map_err(|_| Invalid::range(name, 1, SpotRequest::MOST).into())
    };
    let (min, max) = (number("devices_min", 1)?, number("devices_max", 1)?);
    let bid = input.micros("max_bid_price")?.ok_or_else(|| Invalid::required("max_bid_price"))?;
    let end_at = input.time("end_at")?;
    let names = template.texts("hostnames")?.unwrap_or_default();
    let wish = new_device::read(work, &unpriced(template))?;
    let bid = Money { micros: bid, currency: spot::currency(work.tx, wish.plan)? };
    let new = SpotRequest { wish, names, min, max, bid, end_at, ext: Ext::new() };
    Ok(Out::one(&spot::request(work.tx, project, new)?))
}

/// The bid and the end are the request's, whatever the template says of them.
fn unpriced(mut template: Input) -> Input {
    for name in ["spot_instance", "spot_price_max", "termination_time", "hardware_reservation_id"] {
        template.set(name, Value::Null);
    }
    template
}

fn delete(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id = work.id("id")?;
    let force = work.ask.input.flag("force_termination")?.unwrap_or(false);
    spot::withdraw(work.tx, id, force)?;
    Ok(Out::Nothing)
}

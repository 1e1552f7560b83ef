//! Capacity: what can be ordered where.

use std::collections::BTreeMap;

use meetme_app::{
    Error,
    devices::{self, Level, Place},
};
use meetme_base::{Id, Invalid};
use meetme_http::{ValueKind::Text, Verb};
use meetme_model::{
    access::Organization,
    place::{Metro, Plan, Site},
};
use meetme_store::{Filter, Object};
use serde_json::{Map, Value, json};

use super::{facility, metro, new_device::known};
use crate::{
    input::Input,
    work::{Gives, Out, Row, Work},
};

/// The most questions that are asked at once.
const MOST: usize = 100;

pub fn rows() -> Vec<Row> {
    // The checks are questions though they are asked by POST.
    let check =
        |id, path, act| Row::post(id, path, Gives::Free, act).takes(&[("servers", Text)]).status(200).verb(Verb::Read);
    vec![
        Row::get("get_capacity", "/capacity", Gives::Free, by_facility).query(&["legacy"]),
        check("check_capacity", "/capacity", ask),
        Row::get("get_capacity_metros", "/capacity/metros", Gives::Free, by_metro),
        check("check_capacity_metros", "/capacity/metros", ask),
        Row::get("get_organization_capacity", "/organizations/{id}/capacity", Gives::Free, of_organization),
        Row::get(
            "get_organization_capacity_metros",
            "/organizations/{id}/capacity/metros",
            Gives::Free,
            of_organization_metros,
        ),
    ]
}

fn by_facility(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let sites = work.tx.all::<Site>(Filter::All)?;
    let codes = sites.into_iter().map(|site| (site.id, facility::code(&site.spec))).collect();
    report(work, &codes)
}

fn by_metro(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let sites = work.tx.all::<Site>(Filter::All)?;
    let metros = work.tx.many(sites.iter().map(|site| site.spec.metro))?;
    let code = |id: Id<Metro>| metros.get(&id).map(|m| metro::code(&m.spec));
    let codes = sites.into_iter().filter_map(|site| Some((site.id, code(site.spec.metro)?))).collect();
    report(work, &codes)
}

fn of_organization(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    work.id::<Organization>("id")?;
    by_facility(work)
}

fn of_organization_metros(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    work.id::<Organization>("id")?;
    by_metro(work)
}

/// Levels by code and plan; sites with the same code are taken together.
fn report(work: &mut Work<'_, '_>, codes: &BTreeMap<Id<Site>, String>) -> Result<Out, Error> {
    let stock = devices::stock(work.tx)?;
    let legacy = work.asked("legacy").unwrap_or("include").to_owned();
    let plans: BTreeMap<Id<Plan>, String> = work
        .tx
        .all::<Plan>(Filter::All)?
        .into_iter()
        .filter(|plan| match legacy.as_str() {
            "only" => plan.spec.legacy,
            "exclude" => !plan.spec.legacy,
            _ => true,
        })
        .map(|plan| (plan.id, plan.spec.slug))
        .collect();
    let mut sums: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for (site, plan, free, total) in stock.iter() {
        if let (Some(code), Some(slug)) = (codes.get(&site), plans.get(&plan)) {
            let sum = sums.entry((code, slug)).or_default();
            *sum = (sum.0 + free, sum.1 + total);
        }
    }
    let mut out: Map<String, Value> = Map::new();
    for ((code, slug), (free, total)) in sums {
        let level = json!({ "level": Level::of(free, total).word() });
        if let Value::Object(plans) = out.entry(code).or_insert_with(|| json!({})) {
            plans.insert(slug.to_owned(), level);
        }
    }
    Ok(Out::Json(json!({ "capacity": out })))
}

/// Answers each question with `available`, everything else as it was sent.
fn ask(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let questions = work.ask.input.list("servers")?.ok_or_else(|| Invalid::required("servers"))?;
    let sent = work.ask.input.raw("servers").and_then(Value::as_array).cloned().unwrap_or_default();
    if questions.len() > MOST {
        return Err(Invalid::range("servers", 1, MOST).into());
    }
    let stock = devices::stock(work.tx)?;
    let mut out = Vec::with_capacity(sent.len());
    for (question, mut answer) in questions.iter().zip(sent) {
        let plan = plan(work, question)?;
        let place = place(work, question)?;
        let quantity = question.integer("quantity")?.unwrap_or(1);
        let count = usize::try_from(quantity).ok().filter(|count| *count > 0);
        let count = count.ok_or_else(|| Invalid::range("quantity", 1, i64::MAX))?;
        answer["available"] = devices::check_stock(work.tx, &stock, place, &plan, count)?.into();
        out.push(answer);
    }
    Ok(Out::Json(json!({ "servers": out })))
}

fn plan(work: &mut Work<'_, '_>, question: &Input) -> Result<Object<Plan>, Error> {
    let slug = question.required("plan")?;
    let plan = work.tx.one::<Plan>(&Filter::eq("slug", slug.as_str()))?;
    plan.ok_or_else(|| Invalid::reference("plan", format!("The plan {slug}")).into())
}

fn place(work: &mut Work<'_, '_>, question: &Input) -> Result<Place, Error> {
    if let Some(code) = question.words("facility")? {
        if code == "any" {
            return Ok(Place::Any);
        }
        let site = facility::find(work, &code);
        return Ok(Place::Site(known("facility", &code, site)?.id));
    }
    let code = question.words("metro")?.ok_or_else(|| Invalid::required("facility"))?;
    let metro = metro::find(work, &code);
    Ok(Place::Metro(known("metro", &code, metro)?.id))
}

//! What devices used: hours and their price, bandwidth, traffic.

use meetme_app::{
    Error,
    devices::usage::{self, Direction, Interval, Usage},
};
use meetme_base::{Id, Invalid, Time};
use meetme_http::ValueKind::Text;
use meetme_model::{access::Project, metal::Device, place::Site};
use meetme_store::{Object, Step};
use serde_json::{Value, json};

use super::{facility, money, required};
use crate::{
    input::Input,
    show::at,
    work::{Gives, Out, Row, Work},
};

/// For how long usage is told when nothing is said: a month.
const USUAL_DAYS: i64 = 31;

pub fn rows() -> Vec<Row> {
    const CREATED: &[&str] = &["created[after]", "created[before]"];
    vec![
        Row::get("list_device_usages", "/devices/{id}/usages", Gives::Free, of_device).query(CREATED),
        Row::get("list_project_usages", "/projects/{id}/usages", Gives::Free, of_project).query(CREATED),
        Row::get("get_device_bandwidth", "/devices/{id}/bandwidth", Gives::Free, bandwidth).query(&["from", "until"]),
        Row::get("get_device_traffic", "/devices/{id}/traffic", Gives::Free, traffic)
            .query(&["direction", "interval", "bucket", "timeframe[started_at]", "timeframe[ended_at]"])
            .takes(&[("started_at", Text), ("ended_at", Text)]),
    ]
}

/// The stretch of time that was asked for; the last month when nothing is said.
fn stretch(work: &Work<'_, '_>) -> Result<(Time, Time), Error> {
    let input = &work.ask.input;
    let until = input.moment("created[before]")?.unwrap_or(work.tx.now());
    let from = input.moment("created[after]")?.unwrap_or(until.plus_seconds(-USUAL_DAYS * 86_400));
    Ok((from, until))
}

fn of_device(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Device> = work.id("id")?;
    let (from, until) = stretch(work)?;
    let used = usage::of_device(work.tx, id, from, until)?;
    draw(work, &used)
}

fn of_project(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Project> = work.id("id")?;
    let (from, until) = stretch(work)?;
    let used = usage::of_project(work.tx, id, from, until)?;
    draw(work, &used)
}

fn draw(work: &mut Work<'_, '_>, used: &[Usage]) -> Result<Out, Error> {
    let sites = work.tx.many::<Site>(used.iter().map(|u| u.device.spec.site))?;
    let base = work.ask.base;
    let one = |u: &Usage| {
        let code = sites.get(&u.device.spec.site).map(|site: &Object<Site>| facility::code(&site.spec));
        json!({
            "name": u.device.spec.hostname,
            "type": "Instance",
            "plan": u.plan.spec.slug,
            "facility": code,
            // Numbers are texts here, and nowhere else: clients take nothing else.
            "quantity": u.hours().to_string(),
            "unit": "hour",
            "price": u.hour.as_ref().map(|hour| money(hour).to_string()),
            "total": u.total().map(|total| money(&total).to_string()),
            "start_date": at(u.from),
            "end_date": at(u.until),
            "spot_instance": u.device.spec.spot.is_some(),
            "device": { "href": format!("{base}/devices/{}", u.device.uid) },
        })
    };
    Ok(Out::Json(json!({ "usages": used.iter().map(one).collect::<Vec<Value>>() })))
}

/// Two series, to the device and from it, in bits per second; null where nothing was counted.
fn bandwidth(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Device> = work.id("id")?;
    let input = &work.ask.input;
    let (from, until) = (required(input, "from")?, required(input, "until")?);
    let seen = usage::bandwidth(work.tx, id, from, until)?;
    let series = |target: &str, points: Vec<(Time, Option<i64>)>| {
        let points: Vec<Value> = points.into_iter().map(|(at, rate)| json!([rate, at.seconds()])).collect();
        let name = format!("{target} bits per second");
        json!({ "target": target, "datapoints": points, "tags": { "aggregatedBy": "average", "name": name } })
    };
    Ok(Out::Json(json!({
        "bandwidth": [series("inbound", seen.inbound), series("outbound", seen.outbound)],
    })))
}

/// Bytes in one direction, by interval. What left the place and what stayed inside is counted by nobody, so there is no such choice.
fn traffic(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let id: Id<Device> = work.id("id")?;
    let input = &work.ask.input;
    if let Some(bucket) = input.words("bucket")? {
        let text = format!("Nobody counts which traffic is {bucket}; leave it out to see all of it.");
        return Err(Invalid::rule("bucket", text).into());
    }
    let word = input.required("direction")?;
    let direction = match word.as_str() {
        "inbound" => Direction::Inbound,
        "outbound" => Direction::Outbound,
        other => return Err(Invalid::choice("direction", other).into()),
    };
    let (from, until) = timeframe(input, work.tx.now())?;
    let spelled = input.words("interval")?.unwrap_or_else(|| "hour".to_owned());
    let interval = match spelled.as_str() {
        "minute" => Interval::Each(Step::Minute),
        "hour" => Interval::Each(Step::Hour),
        "day" => Interval::Each(Step::Day),
        "week" => Interval::Week,
        "month" => Interval::Month,
        "year" => Interval::Year,
        "hour_of_day" => Interval::HourOfDay,
        "day_of_week" => Interval::DayOfWeek,
        "day_of_month" => Interval::DayOfMonth,
        "month_of_year" => Interval::MonthOfYear,
        other => return Err(Invalid::choice("interval", other).into()),
    };
    let points = usage::traffic(work.tx, id, direction, interval, from, until)?;
    let points: Vec<Value> = points.into_iter().map(|(at, bytes)| json!([bytes, at])).collect();
    Ok(Out::Json(json!({
        "traffic": {
            "direction": word, "interval": spelled, "unit": "bytes", "started_at": at(from), "ended_at": at(until),
            "datapoints": points,
        },
    })))
}

/// The time frame, in the query in brackets, in the body by itself or in an object; the last day when nothing is said.
fn timeframe(input: &Input, now: Time) -> Result<(Time, Time), Error> {
    let frame = input.object("timeframe")?;
    let read = |name: &str, usual: Time| -> Result<Time, Error> {
        let bracketed = format!("timeframe[{name}]");
        let said = match input.moment(&bracketed)? {
            Some(said) => Some(said),
            None => frame.as_ref().unwrap_or(input).moment(name)?,
        };
        Ok(said.unwrap_or(usual))
    };
    let until = read("ended_at", now)?;
    Ok((read("started_at", until.plus_seconds(-86_400))?, until))
}

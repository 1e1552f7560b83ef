//! What was used of machines: for how long they ran and at what price, and what their interfaces carried.
//!
//! Nothing is estimated. Hours follow from when a machine was ready and when it ended; bytes are what its server's interfaces counted,
//! as agents read them. Where nothing was read there is nothing to show.

use std::collections::BTreeMap;

use meetme_base::{Id, Invalid, RawId, Time};
use meetme_model::{
    Term,
    access::Project,
    metal::{Device, SpotPrice, Traffic},
    place::{Money, Per, Plan, Price},
};
use meetme_store::{Filter, Object, Op, Order, Query, Sample, Step, Tx};

use crate::Error;

/// The most machines whose use is told at once.
const MOST: u32 = 1000;
/// The most points of a series that are told at once.
pub const POINTS: i64 = 1500;

/// For how long a machine was used within a stretch of time.
#[derive(Clone, Debug)]
pub struct Usage {
    /// The machine.
    pub device: Object<Device>,
    /// Its size.
    pub plan: Object<Plan>,
    /// From when on, within what was asked.
    pub from: Time,
    /// Until when.
    pub until: Time,
    /// The price of an hour: the plan's, or what the spot market's was on average. Absent where there is none, and on a server of
    /// one's own, which is paid for whether or not it is used.
    pub hour: Option<Money>,
}

impl Usage {
    /// Hours that were begun.
    pub fn hours(&self) -> i64 {
        (self.until.0 - self.from.0 + Step::Hour.millis() - 1) / Step::Hour.millis()
    }

    /// What they cost.
    pub fn total(&self) -> Option<Money> {
        let hour = self.hour.as_ref()?;
        Some(Money { micros: hour.micros.saturating_mul(self.hours()), currency: hour.currency.clone() })
    }
}

/// How long a machine was used within a stretch of time; nothing when it was not ready then.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Invalid`] when the stretch ends before it begins.
pub fn of_device(tx: &mut Tx<'_>, id: Id<Device>, from: Time, until: Time) -> Result<Vec<Usage>, Error> {
    let device = tx.get(id)?;
    of(tx, vec![device], from, until)
}

/// How long the machines of a project were used within a stretch of time, those that are gone included: the newest first, at most a
/// thousand.
///
/// # Errors
/// As [`of_device`].
pub fn of_project(tx: &mut Tx<'_>, id: Id<Project>, from: Time, until: Time) -> Result<Vec<Usage>, Error> {
    let project = tx.get(id)?;
    let ready = Filter::is("ready_at", Op::Empty(false)).and(Filter::is("ready_at", Op::Lt(until.into())));
    let query = Query::of(Filter::eq("tenant", project.id).and(ready));
    let query = query.order(vec![Order::down("created"), Order::down("id")]).page(MOST, 0);
    let devices = tx.list::<Device>(&query)?;
    of(tx, devices, from, until)
}

fn ordered(from: Time, until: Time) -> Result<(), Error> {
    if from < until { Ok(()) } else { Err(Invalid::rule("until", "The time ends before it begins.").into()) }
}

fn of(tx: &mut Tx<'_>, devices: Vec<Object<Device>>, from: Time, until: Time) -> Result<Vec<Usage>, Error> {
    ordered(from, until)?;
    let now = tx.now();
    let plans = tx.many(devices.iter().map(|d| d.spec.plan))?;
    let mut out = Vec::with_capacity(devices.len());
    for device in devices {
        let (Some(ready), Some(plan)) = (device.status.life.ready_at, plans.get(&device.spec.plan)) else { continue };
        let (from, until) = (from.max(ready), until.min(device.status.life.ended_at.unwrap_or(now)));
        if from < until {
            let hour = price(tx, &device, plan, from, until)?;
            out.push(Usage { plan: plan.clone(), device, from, until, hour });
        }
    }
    Ok(out)
}

fn price(
    tx: &mut Tx<'_>,
    device: &Object<Device>,
    plan: &Object<Plan>,
    from: Time,
    until: Time,
) -> Result<Option<Money>, Error> {
    if device.spec.reservation.is_some() {
        return Ok(None);
    }
    if let Some(spot) = &device.spec.spot {
        let row = tx.one::<SpotPrice>(&Filter::eq("site", device.spec.site).and(Filter::eq("plan", plan.id)))?;
        let Some(row) = row else { return Ok(None) };
        let step = Step::for_age(tx.now().0 - from.0).max(Step::Hour);
        let first = Time(from.0.div_euclid(step.millis()) * step.millis());
        let prices = tx.samples(row.id.any(), SpotPrice::SERIES, step, first, until)?;
        let count = i64::try_from(prices.len()).unwrap_or(i64::MAX);
        let sum: i64 = prices.iter().map(|s| s.last).sum();
        return Ok((count > 0).then(|| Money { micros: sum / count, currency: spot.max.currency.clone() }));
    }
    let prices = tx.all::<Price>(Filter::eq("of", plan.id).and(Filter::eq("per", Per::Hour.word())))?;
    // The price that held when it was ordered goes on holding.
    let at = device.created;
    let holds = |p: &&Object<Price>| {
        p.spec.term == Term::Hour && p.spec.from <= at && p.spec.until.is_none_or(|until| until > at)
    };
    Ok(prices.iter().filter(holds).max_by_key(|p| (p.spec.from, p.id)).map(|p| p.spec.amount.clone()))
}

/// Which way bytes went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the machine.
    Inbound,
    /// From it.
    Outbound,
}

impl Direction {
    const fn series(self) -> &'static str {
        match self {
            Self::Inbound => Traffic::INBOUND,
            Self::Outbound => Traffic::OUTBOUND,
        }
    }
}

/// How traffic is taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// Of each step of a series.
    Each(Step),
    /// Of each week, from Monday on.
    Week,
    /// Of each month.
    Month,
    /// Of each year.
    Year,
    /// Of all hours with the same number, from 0.
    HourOfDay,
    /// Of all days of the week with the same number, from 1 for Monday.
    DayOfWeek,
    /// Of all days with the same number in their month.
    DayOfMonth,
    /// Of all months with the same number.
    MonthOfYear,
}

impl Interval {
    /// The step of the series from which it is made.
    fn step(self) -> Step {
        match self {
            Self::Each(step) => step,
            Self::HourOfDay => Step::Hour,
            _ => Step::Day,
        }
    }

    /// What a bucket counts for: the moment in seconds at which its interval begins, or the number of its interval. In UTC.
    fn key(self, at: Time) -> i64 {
        let stamp = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        let moment = stamp.to_zoned(jiff::tz::TimeZone::UTC);
        let date = moment.date();
        let day = |date: jiff::civil::Date| {
            date.to_zoned(jiff::tz::TimeZone::UTC).map_or(at.seconds(), |zoned| zoned.timestamp().as_second())
        };
        match self {
            Self::Each(_) => at.seconds(),
            Self::Week => {
                let back = i64::from(date.weekday().to_monday_zero_offset());
                day(date) - back * Step::Day.millis() / 1000
            }
            Self::Month => day(date.first_of_month()),
            Self::Year => day(date.first_of_year()),
            Self::HourOfDay => moment.hour().into(),
            Self::DayOfWeek => date.weekday().to_monday_one_offset().into(),
            Self::DayOfMonth => date.day().into(),
            Self::MonthOfYear => date.month().into(),
        }
    }
}

/// What a machine's interfaces carried in one direction, in bytes: by the moment in seconds at which an interval begins, or by the
/// number of an interval.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Invalid`] when the stretch ends before it begins, or is too long for so fine an interval.
pub fn traffic(
    tx: &mut Tx<'_>,
    id: Id<Device>,
    direction: Direction,
    interval: Interval,
    from: Time,
    until: Time,
) -> Result<Vec<(i64, i64)>, Error> {
    let device = tx.get(id)?;
    ordered(from, until)?;
    let step = interval.step();
    if let Interval::Each(_) = interval
        && (until.0 - from.0) / step.millis() > POINTS
    {
        return Err(Invalid::rule("interval", format!("That are more than {POINTS} points.")).into());
    }
    let first = Time(from.0.div_euclid(step.millis()) * step.millis());
    let mut out: BTreeMap<i64, i64> = BTreeMap::new();
    for sample in tx.samples(device.id.any(), direction.series(), step, first, until)? {
        let sum = out.entry(interval.key(sample.at)).or_default();
        *sum = sum.saturating_add(sample.sum);
    }
    Ok(out.into_iter().collect())
}

/// How fast a machine's interfaces carried bytes: a point for each step, in bits per second, or nothing where nothing was counted.
#[derive(Clone, Debug)]
pub struct Bandwidth {
    /// How far points lie apart.
    pub step: Step,
    /// To the machine.
    pub inbound: Vec<(Time, Option<i64>)>,
    /// From it.
    pub outbound: Vec<(Time, Option<i64>)>,
}

/// The bandwidth of a machine, in the finest step that is kept for so long and does not make too many points.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Invalid`] when the stretch ends before it begins, or is longer than anything is kept.
pub fn bandwidth(tx: &mut Tx<'_>, id: Id<Device>, from: Time, until: Time) -> Result<Bandwidth, Error> {
    let device = tx.get(id)?;
    ordered(from, until)?;
    let kept = Step::for_age(tx.now().0 - from.0);
    let fits = |step: &Step| *step >= kept && (until.0 - from.0) / step.millis() <= POINTS;
    let step = Step::ALL.into_iter().find(fits);
    let step = step.ok_or_else(|| Invalid::rule("from", "Nothing is kept for so long."))?;
    let mut of = |direction: Direction| points(tx, device.id.any(), direction.series(), step, from, until);
    Ok(Bandwidth { step, inbound: of(Direction::Inbound)?, outbound: of(Direction::Outbound)? })
}

fn points(
    tx: &mut Tx<'_>,
    id: RawId,
    name: &str,
    step: Step,
    from: Time,
    until: Time,
) -> Result<Vec<(Time, Option<i64>)>, Error> {
    let width = step.millis();
    let first = Time(from.0.div_euclid(width) * width);
    let samples: Vec<Sample> = tx.samples(id, name, step, first, until)?;
    let mut samples = samples.into_iter().peekable();
    let mut out = Vec::new();
    let mut at = first;
    while at < until {
        let here = samples.next_if(|s| s.at == at);
        // Bytes over milliseconds are bits per second after eight thousand.
        let rate = here.map(|s| i64::try_from(i128::from(s.sum) * 8000 / i128::from(width)).unwrap_or(i64::MAX));
        out.push((at, rate));
        at = at.plus_millis(width);
    }
    Ok(out)
}

/// Keeps what a server's interfaces had counted, as its agent read it: what came since the last reading goes into the series of the
/// machine on it. For its controller; answers what the machine's status keeps until the next reading.
///
/// # Errors
/// When the store fails.
pub fn read(tx: &mut Tx<'_>, device: RawId, before: Option<Traffic>, now: Traffic) -> Result<Traffic, Error> {
    let Some(before) = before else { return Ok(now) };
    // A counter that is lower than before began anew in between.
    let since = |before: u64, now: u64| i64::try_from(now.checked_sub(before).unwrap_or(now)).unwrap_or(i64::MAX);
    let (inbound, outbound) = (since(before.inbound, now.inbound), since(before.outbound, now.outbound));
    tx.keep_amount(device, Traffic::INBOUND, before.at, now.at, inbound)?;
    tx.keep_amount(device, Traffic::OUTBOUND, before.at, now.at, outbound)?;
    Ok(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_begin_where_the_calendar_says() {
        // Wednesday, 27 May 2026, 15:30 UTC.
        let at: Time = "2026-05-27T15:30:00Z".parse().unwrap();
        let begins = |interval: Interval| Time(interval.key(at) * 1000).rfc3339_seconds();
        assert_eq!(begins(Interval::Week), "2026-05-25T00:00:00Z");
        assert_eq!(begins(Interval::Month), "2026-05-01T00:00:00Z");
        assert_eq!(begins(Interval::Year), "2026-01-01T00:00:00Z");
        let numbers = [Interval::HourOfDay, Interval::DayOfWeek, Interval::DayOfMonth, Interval::MonthOfYear];
        assert_eq!(numbers.map(|interval| interval.key(at)), [15, 3, 27, 5]);
    }
}

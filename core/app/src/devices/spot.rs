//! The spot market: machines that nobody needs at the usual price, for as long as that is so.
//!
//! The price of an hour of a plan at a site follows from what stands there and who wants it, and from nothing else:
//!
//! - A tenth of the servers in service, and at least one, is **kept** for orders at the usual price. What is free beyond that, and what
//!   runs on the spot market now, is the market's **supply**.
//! - The **floor** is a fifth of the plan's usual price for an hour while all servers are free. It rises with the square of the share
//!   of servers that are taken, to the whole usual price when none is free.
//! - Everything that runs on the market bids its own most, and every open request bids for as many machines as it still wants. When more
//!   bid than there is supply, the price is one thousandth of a unit over the highest bid that gets nothing, but not more than the
//!   lowest bid that gets something: equal bids do not push each other out. Without any supply it is over every bid.
//!
//! The price is the higher of the two. A machine whose most is below it is told to go, with two minutes' notice.

use std::collections::BTreeMap;

use meetme_base::{Id, Invalid, RawId, Time};
use meetme_model::{
    Term, Wanted,
    access::{Form, Organization, Project},
    living,
    metal::{Device, Keys, SpotPrice, SpotPriceStatus, SpotRequest, SpotRequestStatus, check_hostname},
    place::{Line, Money, OrderForm, Per, Plan, Price, Site},
};
use meetme_store::{Filter, Moved, Object, Op, Query, Resource as _, Tx};

use super::{order::Order, place};
use crate::{Error, access, ssh_keys};

/// How long a machine that is outbid may go on, in seconds.
pub const NOTICE_SECONDS: i64 = 120;
/// The smallest step of a price: a thousandth of the currency's unit.
const TICK: i64 = 1000;
/// How many machines of a request are ordered in one transaction; others wait for it.
const AT_ONCE: usize = 10;

/// The supply of a market and what is bid on it.
#[derive(Clone, Debug)]
struct Market {
    /// What an hour costs at the usual price, in millionths.
    usual: i64,
    /// Servers in service.
    total: usize,
    /// Those that nobody has.
    free: usize,
    /// The most of each machine on the market, and of each machine that is asked for.
    bids: Vec<i64>,
    /// How many of the bids are machines that run.
    running: usize,
}

impl Market {
    fn supply(&self) -> usize {
        (self.free + self.running).saturating_sub(self.total.div_ceil(10))
    }

    /// How many more machines can be had: never one that is kept for the usual price.
    fn room(&self) -> usize {
        self.free.saturating_sub(self.total.div_ceil(10))
    }

    fn floor(&self) -> i64 {
        let (taken, total) = (self.total - self.free.min(self.total), self.total.max(1));
        let square = |n: usize| i128::try_from(n * n).unwrap_or(i128::MAX);
        let fifth = i128::from(self.usual) / 5;
        let rise = (i128::from(self.usual) - fifth) * square(taken) / square(total);
        i64::try_from(fifth + rise).unwrap_or(self.usual)
    }

    /// The price, in whole ticks.
    fn price(&self) -> i64 {
        let mut bids = self.bids.clone();
        bids.sort_unstable_by(|a, b| b.cmp(a));
        let supply = self.supply();
        let cleared = match (supply.checked_sub(1).and_then(|n| bids.get(n)), bids.get(supply)) {
            (_, None) => 0,
            (None, Some(highest)) => highest.saturating_add(TICK),
            (Some(served), Some(left_out)) => (*served).min(left_out.saturating_add(TICK)),
        };
        let floor = (self.floor() + TICK - 1) / TICK * TICK;
        floor.max(cleared)
    }
}

/// What is on the market of a plan: one market at each site that has servers of it. Empty for a plan that is not sold so.
fn markets(tx: &mut Tx<'_>, plan: &Object<Plan>) -> Result<(BTreeMap<Id<Site>, Market>, String), Error> {
    let mut out = BTreeMap::new();
    let usual = usual(tx, plan)?;
    let is_sold =
        plan.spec.line == Line::Server && (plan.spec.forms.is_empty() || plan.spec.forms.contains(&OrderForm::Spot));
    let Some(usual) = usual.filter(|_| is_sold) else { return Ok((out, String::new())) };
    let stock = place::stock_of(tx, plan.id)?;
    for (site, _, free, total) in stock.iter() {
        out.insert(site, Market { usual: usual.micros, total, free, bids: Vec::new(), running: 0 });
    }
    for device in running(tx, Filter::eq("plan", plan.id))? {
        if let (Some(market), Some(spot)) = (out.get_mut(&device.spec.site), &device.spec.spot) {
            market.bids.push(spot.max.micros);
            market.running += 1;
        }
    }
    for request in tx.all::<SpotRequest>(Filter::eq("plan", plan.id))? {
        let alive = usize::try_from(request.status.alive).unwrap_or(usize::MAX);
        let more = usize::from(request.spec.max).saturating_sub(alive);
        if more == 0 || is_over(&request, tx.now()) || request.spec.bid.currency != usual.currency {
            continue;
        }
        for site in place::candidates(tx, plan, &request.spec.wish.places, &stock).unwrap_or_default() {
            if let Some(market) = out.get_mut(&site) {
                market.bids.extend(std::iter::repeat_n(request.spec.bid.micros, more));
            }
        }
    }
    Ok((out, usual.currency))
}

/// What an hour of a plan costs at the usual price.
fn usual(tx: &mut Tx<'_>, plan: &Object<Plan>) -> Result<Option<Money>, Error> {
    let now = tx.now();
    let prices = tx.all::<Price>(Filter::eq("of", plan.id).and(Filter::eq("per", Per::Hour.word())))?;
    let holds = |p: &&Object<Price>| {
        p.spec.term == Term::Hour && p.spec.from <= now && p.spec.until.is_none_or(|until| until > now)
    };
    Ok(prices.iter().filter(holds).max_by_key(|p| (p.spec.from, p.id)).map(|p| p.spec.amount.clone()))
}

/// In what a plan is paid for on the spot market.
///
/// # Errors
/// [`Error::Conflict`] `price` when it is not sold there.
pub fn currency(tx: &mut Tx<'_>, plan: Id<Plan>) -> Result<String, Error> {
    let plan = tx.get(plan)?;
    let usual = usual(tx, &plan)?;
    let none = || Error::conflict("price", format!("{} is not on the spot market.", plan.spec.slug));
    Ok(usual.ok_or_else(none)?.currency)
}

/// Takes a machine off the market: it goes on at the usual price, and is not told to go any more.
pub fn leave(device: &mut Device) {
    if device.spot.take().is_some() {
        device.request = None;
        device.life.gone_at = None;
    }
}

/// Machines on the market that have not been told to go and are not going by themselves within the notice.
fn running(tx: &mut Tx<'_>, of: Filter) -> Result<Vec<Object<Device>>, Error> {
    let soon = tx.now().plus_seconds(NOTICE_SECONDS);
    let filter = of
        .and(Filter::eq("spot", true))
        .and(Filter::is("server", Op::Empty(false)))
        .and(Filter::eq("wanted", Wanted::Gone.word()).not())
        .and(living());
    let mut out = tx.all::<Device>(filter)?;
    out.retain(|d| d.spec.life.gone_at.is_none_or(|at| at > soon));
    Ok(out)
}

/// Works out the prices of a plan anew, and tells those to go whose most they are above. For the market's controller. Answers
/// whether anything has changed.
///
/// # Errors
/// When the store fails.
pub fn reprice(tx: &mut Tx<'_>, plan: Id<Plan>) -> Result<bool, Error> {
    tx.as_system(|tx| {
        let Some(plan) = tx.find(plan)? else { return Ok(false) };
        let (markets, currency) = markets(tx, &plan)?;
        let mut known: BTreeMap<Id<Site>, Object<SpotPrice>> =
            tx.all::<SpotPrice>(Filter::eq("plan", plan.id))?.into_iter().map(|row| (row.spec.site, row)).collect();
        let (mut has_changed, node) = (false, operator(tx)?);
        for (site, market) in &markets {
            let price = market.price();
            let amount = Money { micros: price, currency: currency.clone() };
            let mut row = match known.remove(site) {
                Some(row) => row,
                None => tx.create(node, SpotPrice { site: *site, plan: plan.id })?,
            };
            has_changed |= quote(tx, &mut row, Some(amount), market.room())?;
            has_changed |= outbid(tx, &plan, *site, price)?;
        }
        // What is sold no more has no price, and whoever still runs there may go on.
        for mut row in known.into_values() {
            has_changed |= quote(tx, &mut row, None, 0)?;
        }
        Ok(has_changed)
    })
}

fn operator(tx: &mut Tx<'_>) -> Result<RawId, Error> {
    let operator = tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))?;
    operator.map(|o| o.id.any()).ok_or_else(|| Error::Bug("there is no operator".to_owned()))
}

/// Writes a price down, and into its series.
fn quote(tx: &mut Tx<'_>, row: &mut Object<SpotPrice>, amount: Option<Money>, room: usize) -> Result<bool, Error> {
    if let Some(amount) = &amount {
        tx.keep_reading(row.id.any(), SpotPrice::SERIES, amount.micros)?;
    }
    let moved = amount != row.status.amount;
    let room = u32::try_from(room).unwrap_or(u32::MAX);
    let since = if moved { Some(tx.now()) } else { row.status.since };
    let status = SpotPriceStatus { amount, room, since };
    let has_changed = status != row.status;
    tx.observe(row, status, None)?;
    Ok(has_changed)
}

/// Tells the machines at a site whose most is below the price that they go.
fn outbid(tx: &mut Tx<'_>, plan: &Object<Plan>, site: Id<Site>, price: i64) -> Result<bool, Error> {
    let end = tx.now().plus_seconds(NOTICE_SECONDS);
    let mut has_changed = false;
    for mut device in running(tx, Filter::eq("plan", plan.id).and(Filter::eq("site", site)))? {
        if device.spec.spot.as_ref().is_some_and(|spot| spot.max.micros < price) {
            let mut spec = device.spec.clone();
            spec.life.gone_at = Some(end);
            tx.save(&mut device, spec)?;
            has_changed = true;
        }
    }
    Ok(has_changed)
}

/// Those of these sites at which a bid gets a machine now.
///
/// # Errors
/// [`Error::Conflict`] `price` when the bid is below the price everywhere, [`Error::Exhausted`] when there is no more supply at that
/// price.
pub(super) fn affordable(
    tx: &mut Tx<'_>,
    plan: &Object<Plan>,
    sites: Vec<Id<Site>>,
    bid: &Money,
) -> Result<Vec<Id<Site>>, Error> {
    let rows = tx.as_system(|tx| tx.all::<SpotPrice>(Filter::eq("plan", plan.id)))?;
    let of = |site: &Id<Site>| rows.iter().find(|row| row.spec.site == *site);
    let price = |site: &Id<Site>| of(site)?.status.amount.as_ref().filter(|a| a.currency == bid.currency);
    let Some(lowest) = sites.iter().filter_map(price).map(|a| a.micros).min() else {
        return Err(Error::conflict("price", format!("{} is not on the spot market there.", plan.spec.slug)));
    };
    if bid.micros < lowest {
        #[expect(clippy::cast_precision_loss, reason = "prices are far below 2^53 millionths")]
        let unit = |micros: i64| micros as f64 / 1e6;
        let text = format!(
            "The bid of {} is below the spot market price of {} {}.",
            unit(bid.micros),
            unit(lowest),
            bid.currency
        );
        return Err(Error::conflict("price", text));
    }
    let stock = place::stock_of(tx, plan.id)?;
    let kept = |site: Id<Site>| stock.total(site, plan.id).div_ceil(10);
    let out: Vec<_> = sites
        .into_iter()
        .filter(|site| price(site).is_some_and(|a| a.micros <= bid.micros))
        .filter(|site| stock.free(*site, plan.id) > kept(*site))
        .collect();
    if out.is_empty() {
        return Err(Error::Exhausted { pool: format!("the spot market of plan {}", plan.spec.slug) });
    }
    Ok(out)
}

fn is_over(request: &Object<SpotRequest>, now: Time) -> bool {
    request.spec.end_at.is_some_and(|end| end <= now)
}

/// Asks for machines as long as the price is right.
///
/// # Errors
/// What can be said of it before any server is looked for: [`Error::Invalid`], [`Error::Missing`], [`Error::Denied`].
pub fn request(tx: &mut Tx<'_>, project: Id<Project>, mut new: SpotRequest) -> Result<Object<SpotRequest>, Error> {
    if new.end_at.is_some_and(|end| end <= tx.now()) {
        return Err(Invalid::rule("end_at", "This moment is past.").into());
    }
    new.wish.bid = None;
    {
        let order = Order::new(tx, project, &new.wish)?;
        order.sites(tx)?;
    }
    for number in 0..usize::from(new.max).min(new.names.len().max(1)) {
        if let Some(name) = new.name(number) {
            check_hostname("hostname", &name)?;
        }
    }
    let keys = ssh_keys::resolve(tx, &new.wish.keys, project)?;
    new.wish.keys = Keys::These { keys, users: Vec::new() };
    new.wish.bid = Some(new.bid.clone());
    // Its machines end with it.
    new.wish.gone_at = new.end_at;
    Ok(tx.as_system(|tx| tx.create(project.any(), new))?)
}

/// Takes a request away. Its machines live on, on the spot market like others; with `devices` they are wished gone.
///
/// # Errors
/// [`Error::Conflict`] `locked`; [`Error::Missing`], [`Error::Denied`].
pub fn withdraw(tx: &mut Tx<'_>, id: Id<SpotRequest>, devices: bool) -> Result<(), Error> {
    let request = tx.get(id)?;
    access::require(tx, Device::KIND, "remove", request.tenant)?;
    if devices {
        for device in alive(tx, id)? {
            super::remove(tx, device.id)?;
        }
    }
    Ok(tx.as_system(|tx| tx.remove(id))?)
}

fn alive(tx: &mut Tx<'_>, id: Id<SpotRequest>) -> Result<Vec<Object<Device>>, Error> {
    let filter = Filter::eq("request", id).and(Filter::eq("wanted", Wanted::Gone.word()).not()).and(living());
    tx.as_system(|tx| Ok(tx.all::<Device>(filter)?))
}

/// What a look at a request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It has what it wants.
    Whole,
    /// It got some and may get more at once.
    More,
    /// It has less than it wants; the sentence says why.
    Short(String),
    /// Its time is over.
    Over,
}

/// Orders what a request still wants, as far as price and supply allow. For its controller.
///
/// # Errors
/// When the store fails; what keeps machines from being ordered is kept with the request.
pub fn keep(tx: &mut Tx<'_>, request: &mut Object<SpotRequest>) -> Result<Kept, Error> {
    let soon = tx.now().plus_seconds(NOTICE_SECONDS);
    let mut living = alive(tx, request.id)?;
    living.retain(|d| d.spec.life.gone_at.is_none_or(|at| at > soon || Some(at) == request.spec.end_at));
    let over = is_over(request, tx.now());
    let (mut have, mut ordered) = (living.len(), request.status.ordered);
    let mut why = None;
    let wanted = usize::from(request.spec.max).saturating_sub(have);
    let mut got = 0;
    if wanted > 0 && !over {
        match tx.attempt(|tx| buy(tx, request, have, wanted, ordered)) {
            Ok(n) => got = n,
            Err(error @ (Error::Unavailable(_) | Error::Bug(_) | Error::Stale { .. } | Error::Limited { .. })) => {
                return Err(error);
            }
            Err(error) => why = Some(error.to_string()),
        }
    }
    have += got;
    ordered = ordered.saturating_add(u32::try_from(got).unwrap_or(u32::MAX));
    let count = u32::try_from(have).unwrap_or(u32::MAX);
    let line = (count != request.status.alive)
        .then(|| Moved::new("spot_market_request.devices", format!("The spot market request has {count} devices.")));
    let status = SpotRequestStatus { alive: count, ordered, reason: why.clone() };
    tx.observe(request, status, line)?;
    Ok(match why {
        _ if over => Kept::Over,
        Some(why) => Kept::Short(why),
        None if got < wanted => Kept::More,
        None => Kept::Whole,
    })
}

/// Orders up to `wanted` machines, but none when the request would stay below its fewest.
fn buy(
    tx: &mut Tx<'_>,
    request: &Object<SpotRequest>,
    have: usize,
    wanted: usize,
    ordered: u32,
) -> Result<usize, Error> {
    let order = Order::new(tx, request.tenant.of(), &request.spec.wish)?;
    let sites = order.sites(tx)?;
    let stock = place::stock_of(tx, order.plan.id)?;
    let mut rooms = Vec::with_capacity(sites.len());
    for site in &sites {
        let kept = stock.total(*site, order.plan.id).div_ceil(10);
        let room = order.hardware().free(tx, *site)?.min(stock.free(*site, order.plan.id).saturating_sub(kept));
        rooms.push((*site, room));
    }
    let room: usize = rooms.iter().map(|(_, room)| room).sum();
    let fewest = usize::from(request.spec.min).saturating_sub(have);
    if room == 0 || room < fewest {
        return Err(order.hardware().exhausted(tx, &sites));
    }
    let count = wanted.min(room).min(AT_ONCE.max(fewest));
    let mut done = 0;
    for (site, room) in rooms {
        for _ in 0..room.min(count - done) {
            let name = request.spec.name(usize::try_from(ordered).unwrap_or(usize::MAX).saturating_add(done));
            order.make(tx, name, &[site], Some(request.id))?;
            done += 1;
        }
    }
    Ok(done)
}

/// The prices the caller sees, with where they hold.
///
/// # Errors
/// When the store fails.
pub fn prices(tx: &mut Tx<'_>) -> Result<Vec<Object<SpotPrice>>, Error> {
    let mut rows = tx.list::<SpotPrice>(&Query::of(Filter::is("micros", Op::Empty(false))))?;
    rows.retain(|row| row.status.amount.is_some());
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(total: usize, free: usize, running: &[i64], asked: &[i64]) -> Market {
        let bids = running.iter().chain(asked).copied().collect();
        Market { usual: 100_000, total, free, bids, running: running.len() }
    }

    #[test]
    fn the_floor_rises_from_a_fifth_to_the_usual_price() {
        let floor = |free| market(10, free, &[], &[]).price();
        assert_eq!([floor(10), floor(5), floor(1), floor(0)], [20_000, 40_000, 85_000, 100_000]);
    }

    #[test]
    fn more_bids_than_supply_raise_the_price_over_the_highest_that_gets_nothing() {
        // Ten servers, one kept, nine on the market, all of them running.
        let nine = [50_000; 9];
        let price = |asked: &[i64]| market(100, 19, &nine, asked).price();
        // Nineteen free and nine running, less ten kept: supply for eighteen.
        assert_eq!(market(100, 19, &nine, &[]).supply(), 18);
        let floor = price(&[]);
        assert_eq!(price(&[90_000; 9]), floor);
        assert_eq!(price(&[90_000; 10]), floor.max(51_000));
        let dear = market(100, 91, &[], &[]);
        assert_eq!(dear.room(), 81);
    }

    #[test]
    fn equal_bids_do_not_push_each_other_out() {
        let bids = vec![150_000; 12];
        let full = Market { usual: 100_000, total: 10, free: 1, bids, running: 9 };
        assert_eq!((full.supply(), full.price()), (9, 150_000));
        let outbid = Market { bids: [vec![150_000; 9], vec![140_000]].concat(), ..full.clone() };
        assert_eq!(outbid.price(), 141_000);
        let close = Market { bids: [vec![150_000; 9], vec![149_500]].concat(), ..full };
        assert_eq!(close.price(), 150_000);
    }

    #[test]
    fn without_supply_nobody_bids_enough() {
        let none = Market { usual: 100_000, total: 10, free: 0, bids: vec![150_000], running: 1 };
        assert_eq!((none.supply(), none.price()), (0, 151_000));
    }
}

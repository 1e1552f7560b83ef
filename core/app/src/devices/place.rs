//! Where a machine can stand: which servers are free, where, and which of them is taken.
//!
//! A server that is in use by anybody is a claim in the pool of its plan and site. Rule: what is free is counted and taken by the
//! database from the claims themselves; no order reads all servers, however many there are.

use std::collections::BTreeMap;

use meetme_base::{Id, Invalid, RawId};
use meetme_model::{
    metal::{Place, Server},
    place::{Line, Plan, Site, SiteState},
};
use meetme_store::{Filter, Object, Op, Order, Query, Tx};

use crate::Error;

/// How much is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Unavailable,
    /// A tenth or less.
    Limited,
    /// More than a tenth.
    Normal,
}

impl Level {
    /// The level of `free` out of `total`.
    pub const fn of(free: usize, total: usize) -> Self {
        if free == 0 {
            Self::Unavailable
        } else if free * 10 <= total {
            Self::Limited
        } else {
            Self::Normal
        }
    }
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Limited => "limited",
            Self::Normal => "normal",
        }
    }
}

/// Servers by site and plan: how many are free out of how many. A pair is there when the plan is sold at the site, or servers of it
/// stand there.
#[derive(Clone, Debug, Default)]
pub struct Stock(BTreeMap<(Id<Site>, Id<Plan>), (usize, usize)>);

impl Stock {
    /// Site, plan, how many are free, out of how many.
    pub fn iter(&self) -> impl Iterator<Item = (Id<Site>, Id<Plan>, usize, usize)> {
        self.0.iter().map(|((site, plan), (free, total))| (*site, *plan, *free, *total))
    }
    /// How many servers of a plan stand at a site and may be given to somebody.
    pub fn total(&self, site: Id<Site>, plan: Id<Plan>) -> usize {
        self.0.get(&(site, plan)).map_or(0, |(_, total)| *total)
    }
    /// How many servers of a plan are free at a site.
    pub fn free(&self, site: Id<Site>, plan: Id<Plan>) -> usize {
        self.0.get(&(site, plan)).map_or(0, |(free, _)| *free)
    }
}

/// What is left of everything, everywhere. Servers are the operator's; how many are left is for everybody to know.
///
/// # Errors
/// When the database fails.
pub fn stock(tx: &mut Tx<'_>) -> Result<Stock, Error> {
    let plans = tx.all::<Plan>(Filter::eq("line", Line::Server.word()))?;
    let mut out = Stock::default();
    for plan in &plans {
        for site in &plan.spec.sold_at {
            out.0.entry((*site, plan.id)).or_default();
        }
    }
    tx.as_system(|tx| count(tx, Filter::All, &mut out))?;
    Ok(out)
}

/// What is left of one plan.
pub(super) fn stock_of(tx: &mut Tx<'_>, plan: Id<Plan>) -> Result<Stock, Error> {
    let mut out = Stock::default();
    tx.as_system(|tx| count(tx, Filter::eq("plan", plan), &mut out))?;
    Ok(out)
}

fn count(tx: &mut Tx<'_>, of: Filter, out: &mut Stock) -> Result<(), Error> {
    let all = tx.count_by::<Server>(&["site", "plan"], &in_use().and(of.clone()))?;
    let pair = |key: &[RawId]| match key {
        [site, plan] => Some((site.of::<Site>(), plan.of::<Plan>())),
        _ => None,
    };
    let all: Vec<_> = all.into_iter().filter_map(|(key, n)| Some((pair(&key)?, n))).collect();
    let held = tx.held_in(all.iter().map(|((site, plan), _)| pool(*site, *plan)).collect())?;
    // A server that was taken out of service while somebody has it is held and not among those counted.
    let beside = tx.count_by::<Server>(&["site", "plan"], &in_use().not().and(of.clone()))?;
    let beside: Vec<_> = beside.iter().filter_map(|(key, _)| pair(key)).collect();
    for ((site, plan), total) in all {
        let pool = pool(site, plan);
        let free = if beside.contains(&(site, plan)) {
            tx.count_unclaimed::<Server>(&pool, &at(site, plan))?
        } else {
            total.saturating_sub(held.get(&pool).copied().unwrap_or(0))
        };
        let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        out.0.insert((site, plan), (number(free), number(total)));
    }
    Ok(())
}

/// Whether so many machines could be ordered now at one of the places. Each question is answered by itself.
///
/// # Errors
/// When the database fails.
pub fn check_stock(
    tx: &mut Tx<'_>,
    stock: &Stock,
    place: Place,
    plan: &Object<Plan>,
    count: usize,
) -> Result<bool, Error> {
    let sites = sites(tx, place, plan, stock)?;
    // Several machines may be spread over a metro's sites, as several orders would be.
    Ok(sites.iter().map(|site| stock.free(*site, plan.id)).sum::<usize>() >= count)
}

/// The claims' name for the servers of a plan at a site.
pub(crate) fn pool(site: Id<Site>, plan: Id<Plan>) -> String {
    format!("servers.{site}.{plan}")
}

/// Whether somebody has a server: a machine, or a reservation.
///
/// # Errors
/// When the database fails.
pub fn held(tx: &mut Tx<'_>, server: &Object<Server>) -> Result<bool, Error> {
    let pool = pool(server.spec.site, server.spec.plan);
    Ok(tx.taken(&pool, server.id.get(), 1)?.is_some())
}

/// Servers that may be given to somebody.
fn in_use() -> Filter {
    Filter::eq("in_service", true).and(Filter::eq("spare", false))
}

fn at(site: Id<Site>, plan: Id<Plan>) -> Filter {
    in_use().and(Filter::eq("site", site)).and(Filter::eq("plan", plan))
}

/// The sites a wish allows for a plan, the best first.
pub(super) fn sites(tx: &mut Tx<'_>, place: Place, plan: &Object<Plan>, stock: &Stock) -> Result<Vec<Id<Site>>, Error> {
    let open = Filter::eq("state", SiteState::Active.word());
    let filter = match place {
        Place::Site(site) => Filter::eq("id", site),
        Place::Metro(metro) => open.and(Filter::eq("metro", metro)),
        Place::Any => open,
    };
    let mut out = tx.all::<Site>(filter)?;
    out.retain(|site| plan.spec.sold_at.is_empty() || plan.spec.sold_at.contains(&site.id));
    // Of sites with equal room, the oldest.
    out.sort_by_key(|site| (std::cmp::Reverse(stock.free(site.id, plan.id)), site.id));
    Ok(out.into_iter().map(|site| site.id).collect())
}

/// All sites that wishes allow for a plan: each once, in the order in which they are to be tried.
///
/// # Errors
/// [`Error::Invalid`] when there is none.
pub(super) fn candidates(
    tx: &mut Tx<'_>,
    plan: &Object<Plan>,
    places: &[Place],
    stock: &Stock,
) -> Result<Vec<Id<Site>>, Error> {
    let mut out: Vec<Id<Site>> = Vec::new();
    for place in places {
        for site in sites(tx, *place, plan, stock)? {
            if !out.contains(&site) {
                out.push(site);
            }
        }
    }
    if out.is_empty() {
        return Err(Invalid::rule("site", format!("{} is not sold there.", plan.spec.name)).into());
    }
    Ok(out)
}

/// What hardware is looked for.
#[derive(Clone, Copy)]
pub(crate) struct Hardware<'a> {
    /// The plan.
    pub plan: &'a Object<Plan>,
    /// What it must have.
    pub required: &'a [String],
    /// What it should have.
    pub preferred: &'a [String],
}

impl Hardware<'_> {
    fn filter(&self, site: Id<Site>) -> Filter {
        self.required.iter().fold(at(site, self.plan.id), |filter, feature| {
            filter.and(Filter::is("features", Op::Has(feature.clone())))
        })
    }

    /// How many such servers are free at a site.
    pub fn free(&self, tx: &mut Tx<'_>, site: Id<Site>) -> Result<usize, Error> {
        let pool = pool(site, self.plan.id);
        let free = tx.as_system(|tx| tx.count_unclaimed::<Server>(&pool, &self.filter(site)))?;
        Ok(usize::try_from(free).unwrap_or(usize::MAX))
    }

    /// The error when there is none at any of these sites.
    pub fn exhausted(&self, tx: &mut Tx<'_>, sites: &[Id<Site>]) -> Error {
        let names: Vec<String> = match tx.many(sites.iter().copied()) {
            Ok(known) => sites.iter().filter_map(|id| known.get(id)).map(|s| s.spec.slug.clone()).collect(),
            Err(e) => return e.into(),
        };
        let has = if self.required.is_empty() { String::new() } else { format!(" with {}", self.required.join(", ")) };
        Error::Exhausted { pool: format!("the servers of plan {}{has} at {}", self.plan.spec.slug, names.join(", ")) }
    }

    /// Takes a free one at the first of these sites that has one, for `owner`.
    ///
    /// # Errors
    /// [`Error::Exhausted`].
    pub fn take(&self, tx: &mut Tx<'_>, sites: &[Id<Site>], owner: RawId) -> Result<Object<Server>, Error> {
        for site in sites {
            if let Some(server) = tx.as_system(|tx| self.take_at(tx, *site, owner))? {
                return Ok(server);
            }
        }
        Err(self.exhausted(tx, sites))
    }

    /// Takes one that has most of what is preferred; of equal ones the plainest, because special ones are kept for those who ask.
    fn take_at(&self, tx: &mut Tx<'_>, site: Id<Site>, owner: RawId) -> Result<Option<Object<Server>>, Error> {
        let pool = pool(site, self.plan.id);
        // All of what is preferred, then all but one, and so on: few features are ever asked for.
        for wanted in subsets(self.preferred) {
            let filter = wanted.iter().fold(self.filter(site), |filter, feature| {
                filter.and(Filter::is("features", Op::Has((*feature).clone())))
            });
            let query = Query::of(filter).order(vec![Order::up("extras")]);
            if let Some(server) = tx.claim_row::<Server>(&pool, &query, owner)? {
                return Ok(Some(server));
            }
        }
        Ok(None)
    }
}

/// The most features that may be preferred: each doubles the number of questions.
pub(super) const MOST_PREFERRED: usize = 5;

/// All choices from a list, the largest first, each in the list's order; the last is empty.
fn subsets(list: &[String]) -> Vec<Vec<&String>> {
    let count = list.len().min(MOST_PREFERRED);
    let mut masks: Vec<u32> = (0..1 << count).rev().collect();
    masks.sort_by_key(|mask| std::cmp::Reverse(mask.count_ones()));
    let of = |mask: u32| list.iter().take(count).enumerate().filter(move |(n, _)| mask & (1 << n) != 0).map(|(_, f)| f);
    masks.into_iter().map(|mask| of(mask).collect()).collect()
}

/// Chooses over which sites a number of machines is spread: at most `most` of them, in the order given, as many machines at each as
/// it has room for. Earlier sites are used where the rest can still be placed. `None` when there is not enough room.
pub(super) fn spread<S: Copy>(rooms: &[(S, usize)], count: usize, most: usize) -> Option<Vec<(S, usize)>> {
    let mut out = Vec::new();
    let mut left = count;
    for (n, (site, room)) in rooms.iter().enumerate() {
        if left == 0 || out.len() == most {
            break;
        }
        let mut later: Vec<usize> = rooms[n + 1..].iter().map(|(_, room)| *room).collect();
        later.sort_unstable_by(|a, b| b.cmp(a));
        let beyond: usize = later.iter().take(most - out.len() - 1).sum();
        if *room > 0 && room.saturating_add(beyond) >= left {
            let here = left.min(*room);
            out.push((*site, here));
            left -= here;
        }
    }
    (left == 0).then_some(out)
}

/// A site that can be ordered at, or a complaint about the field.
pub(super) fn check_open(site: &Site) -> Result<(), Error> {
    match site.state {
        SiteState::Active => Ok(()),
        _ => Err(Invalid::rule("site", format!("Nothing new can be ordered at {}.", site.slug)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_or_less_is_limited() {
        assert_eq!(
            [0, 1, 2, 10].map(|free| Level::of(free, 10).word()),
            ["unavailable", "limited", "normal", "normal"]
        );
        assert_eq!(Level::of(1, 1), Level::Normal);
        assert_eq!(Level::of(0, 0), Level::Unavailable);
    }

    #[test]
    fn machines_are_spread_over_few_sites_in_the_order_asked() {
        let rooms = [("sjc1", 4), ("ewr1", 10), ("ams1", 3)];
        let check = |count, most, want: &[(&str, usize)]| {
            let got = spread(&rooms, count, most);
            assert_eq!(got.as_deref(), (!want.is_empty()).then_some(want), "{count} over {most}");
        };
        check(4, 1, &[("sjc1", 4)]);
        check(10, 1, &[("ewr1", 10)]);
        check(10, 2, &[("sjc1", 4), ("ewr1", 6)]);
        check(13, 2, &[("sjc1", 4), ("ewr1", 9)]);
        check(15, 2, &[]);
        check(17, 3, &[("sjc1", 4), ("ewr1", 10), ("ams1", 3)]);
        check(18, 3, &[]);
        check(11, 1, &[]);
    }

    #[test]
    fn what_is_preferred_is_asked_for_together_first() {
        let list = ["a".to_owned(), "b".to_owned()];
        let all: Vec<String> =
            subsets(&list).iter().map(|s| s.iter().map(|f| f.as_str()).collect::<Vec<_>>().join("+")).collect();
        assert_eq!(all.len(), 4);
        assert_eq!((all[0].as_str(), all[3].as_str()), ("a+b", ""));
    }
}

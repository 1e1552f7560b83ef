//! Where a machine can stand: which servers are free, where, and which of them is taken.

use std::collections::BTreeMap;

use meetme_base::{Id, Invalid, RawId};
use meetme_model::{
    metal::Server,
    place::{Line, Metro, Plan, Site, SiteState},
};
use meetme_store::{Filter, Object, Op, Query, Tx};

use crate::Error;

/// A wish about a place. Several are tried in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// This site.
    Site(Id<Site>),
    /// Any site of this metro, the one with most room first.
    Metro(Id<Metro>),
    /// Any site at all, the one with most room first.
    Any,
}

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
    tx.as_system(|tx| {
        let mut servers: BTreeMap<_, Vec<RawId>> = BTreeMap::new();
        tx.each::<Server>(&Query::of(in_use()), |server| {
            servers.entry((server.spec.site, server.spec.plan)).or_default().push(server.id.any());
            Ok(())
        })?;
        for ((site, plan), all) in servers {
            let taken = tx.claims(&pool(site, plan), 0)?;
            let free = all.iter().filter(|id| !taken.iter().any(|c| c.item == id.get())).count();
            out.0.insert((site, plan), (free, all.len()));
        }
        Ok::<_, Error>(())
    })?;
    Ok(out)
}

/// Whether so many machines could be ordered now at one of the places. Each question is answered by itself.
///
/// # Errors
/// When the database fails.
pub fn check_stock(tx: &mut Tx<'_>, stock: &Stock, place: Place, plan: Id<Plan>, count: usize) -> Result<bool, Error> {
    let plan = tx.get(plan)?;
    let sites = sites(tx, place, &plan, stock)?;
    // Several machines may be spread over a metro's sites, as several orders would be.
    Ok(sites.iter().map(|site| stock.free(*site, plan.id)).sum::<usize>() >= count)
}

/// The claims' name for the servers of a plan at a site.
pub(super) fn pool(site: Id<Site>, plan: Id<Plan>) -> String {
    format!("servers.{site}.{plan}")
}

/// Servers that may be given to somebody.
fn in_use() -> Filter {
    Filter::eq("in_service", true).and(Filter::eq("spare", false))
}

/// The sites a wish allows for a plan, the best first.
fn sites(tx: &mut Tx<'_>, place: Place, plan: &Object<Plan>, stock: &Stock) -> Result<Vec<Id<Site>>, Error> {
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

/// Finds a free server for a plan and takes it for `owner`, going through the wishes in their order. Servers must have all of
/// `required`; of those, one with most of `preferred` is taken.
pub(super) fn take(
    tx: &mut Tx<'_>,
    plan: &Object<Plan>,
    places: &[Place],
    required: &[String],
    preferred: &[String],
    owner: RawId,
) -> Result<Object<Server>, Error> {
    let stock = stock(tx)?;
    let mut looked: Vec<Id<Site>> = Vec::new();
    for place in places {
        for site in sites(tx, *place, plan, &stock)? {
            if looked.contains(&site) {
                continue;
            }
            looked.push(site);
            if let Some(server) = take_at(tx, site, plan.id, required, preferred, owner)? {
                return Ok(server);
            }
        }
    }
    if looked.is_empty() {
        return Err(Invalid::rule("site", format!("{} is not sold there.", plan.spec.name)).into());
    }
    let names: Vec<String> = tx.many(looked.iter().copied())?.into_values().map(|s| s.spec.slug).collect();
    let has = if required.is_empty() { String::new() } else { format!(" with {}", required.join(", ")) };
    Err(Error::Exhausted { pool: format!("the servers of plan {}{has} at {}", plan.spec.slug, names.join(", ")) })
}

fn take_at(
    tx: &mut Tx<'_>,
    site: Id<Site>,
    plan: Id<Plan>,
    required: &[String],
    preferred: &[String],
    owner: RawId,
) -> Result<Option<Object<Server>>, Error> {
    let mut filter = in_use().and(Filter::eq("site", site)).and(Filter::eq("plan", plan));
    for feature in required {
        filter = filter.and(Filter::is("features", Op::Has(feature.clone())));
    }
    let pool = pool(site, plan);
    tx.as_system(|tx| {
        let mut servers = tx.all::<Server>(filter)?;
        let taken = tx.claims(&pool, 0)?;
        servers.retain(|s| !taken.iter().any(|c| c.item == s.id.get()));
        // Plain machines are kept for those who want nothing special, special ones for those who ask.
        servers.sort_by_key(|s| {
            let wanted = preferred.iter().filter(|f| s.spec.features.contains(f)).count();
            (std::cmp::Reverse(wanted), s.spec.features.len(), s.id)
        });
        for server in servers {
            match tx.claim_exact(&pool, server.id.get(), 1, owner) {
                Ok(()) => return Ok(Some(server)),
                // Somebody was faster.
                Err(meetme_store::Error::Exhausted { .. }) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(None)
    })
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
}

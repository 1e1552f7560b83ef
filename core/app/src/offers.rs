//! Offers: what may be bought where. Every order is checked against exactly one.

use meetme_base::{Id, Invalid, Mbps, RawId};
use meetme_model::{
    Term,
    access::Organization,
    place::{Offer, Peering, Price, Region, Service},
};
use meetme_store::{Filter, Object, Order, Query, Tx};

use crate::Error;

/// What somebody wants to buy.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// What is sold.
    pub service: Service,
    /// The provider or partner at the far end.
    pub far: Option<&'a str>,
    /// The metro or site.
    pub at: RawId,
    /// The rate.
    pub rate: Mbps,
    /// Whether it shall have two legs.
    pub redundant: bool,
    /// How a cloud is to be reached.
    pub peering: Option<Peering>,
    /// The cloud's region.
    pub region: Option<Id<Region>>,
    /// For how long.
    pub term: Term,
}

/// The offers of a service that the organization above a node may see, by rank.
///
/// # Errors
/// When the database fails.
pub fn visible(tx: &mut Tx<'_>, node: RawId, service: Service) -> Result<Vec<Object<Offer>>, Error> {
    let groups = groups_of(tx, node)?;
    let query = Query::of(Filter::eq("service", service.word())).order([Order::up("rank"), Order::up("slug")]);
    let mut offers = tx.list::<Offer>(&query)?;
    offers.retain(|offer| is_open_to(&offer.spec, &groups));
    Ok(offers)
}

/// The one offer that an order is made against: the first by rank that has all that is wished.
///
/// # Errors
/// [`Error::Invalid`] on `offer`: code `offer` when nothing of the kind is sold there, `offer_pending` when it is only announced.
pub fn find(tx: &mut Tx<'_>, node: RawId, wish: &Wish<'_>) -> Result<Object<Offer>, Error> {
    let mut fitting: Vec<_> = visible(tx, node, wish.service)?;
    fitting.retain(|offer| fits(&offer.spec, wish).is_ok());
    if let Some(at) = fitting.iter().position(|offer| offer.spec.permitted && !offer.spec.pending) {
        return Ok(fitting.swap_remove(at));
    }
    if fitting.iter().any(|offer| offer.spec.pending) {
        return Err(Invalid::new("offer", "offer_pending", "This is announced here and not sold yet.").into());
    }
    Err(not_sold("Nothing of this kind is sold here at this rate."))
}

/// Checks an order against an offer that was chosen by name.
///
/// # Errors
/// As [`find`].
pub fn check(tx: &mut Tx<'_>, node: RawId, offer: &Offer, wish: &Wish<'_>) -> Result<(), Error> {
    let groups = groups_of(tx, node)?;
    if !is_open_to(offer, &groups) || !offer.permitted {
        return Err(not_sold("This cannot be ordered now."));
    }
    if offer.pending {
        return Err(Invalid::new("offer", "offer_pending", "This is announced here and not sold yet.").into());
    }
    fits(offer, wish).map_err(not_sold)
}

/// The prices of an offer that hold at this moment.
///
/// # Errors
/// When the database fails.
pub fn prices(tx: &mut Tx<'_>, of: RawId) -> Result<Vec<Object<Price>>, Error> {
    let now = tx.now();
    let mut list = tx.all::<Price>(Filter::eq("of", of))?;
    list.retain(|p| p.spec.from <= now && p.spec.until.is_none_or(|until| now < until));
    Ok(list)
}

fn not_sold(why: &str) -> Error {
    Invalid::new("offer", "offer", why).into()
}

/// Whether an offer has what is wished, and if not, why.
fn fits(offer: &Offer, wish: &Wish<'_>) -> Result<(), &'static str> {
    if offer.service != wish.service || offer.far.as_deref() != wish.far || offer.at != wish.at {
        return Err("Nothing of this kind is sold here.");
    }
    if offer.rates.as_ref().is_some_and(|rates| !rates.allows(wish.rate)) {
        return Err("It is not sold at this rate.");
    }
    if offer.redundant.is_some_and(|redundant| redundant != wish.redundant) {
        return Err(if wish.redundant { "It is not sold with two legs." } else { "It is sold with two legs only." });
    }
    if let Some(peering) = wish.peering
        && !offer.peerings.is_empty()
        && !offer.peerings.contains(&peering)
    {
        return Err("It is not sold with this peering.");
    }
    if let Some(region) = wish.region
        && !offer.reach.is_empty()
        && !offer.reach.contains(&region)
    {
        return Err("The region is not reached from here.");
    }
    if !offer.terms.is_empty() && !offer.terms.contains(&wish.term) {
        return Err("It is not sold for this term.");
    }
    Ok(())
}

fn is_open_to(offer: &Offer, groups: &[String]) -> bool {
    offer.groups.is_empty() || offer.groups.iter().any(|group| groups.contains(group))
}

/// The groups of the organizations at and above a node.
fn groups_of(tx: &mut Tx<'_>, node: RawId) -> Result<Vec<String>, Error> {
    tx.as_system(|tx| {
        let above = tx.above(node)?;
        let list = tx.all::<Organization>(Filter::is_in("id", above))?;
        Ok(list.into_iter().flat_map(|o| o.spec.offer_groups).collect())
    })
}

#[cfg(test)]
mod tests {
    use meetme_model::place::Rates;

    use super::*;

    fn offer(edit: impl FnOnce(&mut Offer)) -> Offer {
        let mut offer = Offer::new("o", "O", Service::Circuit, RawId::new(1));
        offer.far = Some("aws".to_owned());
        offer.rates = Some(Rates::Range { low: Mbps::try_from(50).unwrap(), high: Mbps::try_from(500).unwrap() });
        edit(&mut offer);
        offer
    }

    #[track_caller]
    fn check(wanted: bool, edit_offer: impl FnOnce(&mut Offer), edit_wish: impl FnOnce(&mut Wish<'_>)) {
        let mut wish = Wish {
            service: Service::Circuit,
            far: Some("aws"),
            at: RawId::new(1),
            rate: Mbps::try_from(100).unwrap(),
            redundant: true,
            peering: Some(Peering::Private),
            region: Some(Id::new(7)),
            term: Term::Hour,
        };
        edit_wish(&mut wish);
        assert_eq!(fits(&offer(edit_offer), &wish).is_ok(), wanted);
    }

    #[test]
    fn an_offer_fits_when_it_has_everything_that_is_wished() {
        check(true, |_| {}, |_| {});
        check(true, |o| o.reach = vec![Id::new(7)], |_| {});
        check(false, |o| o.reach = vec![Id::new(8)], |_| {});
        check(false, |o| o.redundant = Some(false), |_| {});
        check(false, |o| o.peerings = vec![Peering::Public], |_| {});
        check(false, |o| o.terms = vec![Term::Months(12)], |_| {});
        check(false, |_| {}, |w| w.rate = Mbps::try_from(501).unwrap());
        check(false, |_| {}, |w| w.far = Some("azure"));
        check(false, |_| {}, |w| w.at = RawId::new(2));
    }
}

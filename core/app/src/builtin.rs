//! What every installation begins with besides its roles: the platforms of routers and the relationships of sessions, in the
//! operator's book, open to everybody below.
//!
//! Nothing depends on their being there: an operator may change and remove them, and installations made before there were any go on
//! without.

use meetme_base::{Id, RawId};
use meetme_model::{
    access::{Form, Organization},
    routing::{Platform, Relationship},
};
use meetme_store::{Filter, Tx};
use serde_json::json;

use crate::Error;

/// Name, slug, driver, how passwords are enciphered. The first five are those that network automation tools know.
const PLATFORMS: &[(&str, &str, &str, Option<&str>)] = &[
    ("Arista EOS", "arista-eos", "eos", Some("arista-type7")),
    ("Juniper Junos", "juniper-junos", "junos", Some("juniper-type9")),
    ("Cisco IOS XR", "cisco-iosxr", "iosxr", Some("cisco-type7")),
    ("Cisco NX-OS", "cisco-nxos", "nxos", Some("cisco-type7")),
    ("Cisco IOS", "cisco-ios", "ios", Some("cisco-type7")),
    ("BIRD 2", "bird", "bird", None),
    ("GoBGP 3", "gobgp", "gobgp", None),
    ("Simulated", "sim", "sim", None),
];

/// Name, slug, colour. The first three are those that network automation tools know.
const RELATIONSHIPS: &[(&str, &str, &str)] = &[
    ("Customer", "customer", "2196f3"),
    ("Private Peering", "private-peering", "4caf50"),
    ("Transit Provider", "transit-provider", "f44336"),
    ("Cloud", "cloud", "00bcd4"),
    ("Server", "server", "795548"),
];

/// What the peer of a session is that comes with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Business {
    /// A network of whoever ordered.
    Customer,
    /// A cloud that whoever ordered reaches through us.
    Cloud,
    /// A machine in a rack.
    Server,
}

impl Business {
    const fn slug(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Cloud => "cloud",
            Self::Server => "server",
        }
    }
}

/// Makes everything an installation begins with.
pub(crate) fn make(tx: &mut Tx<'_>, operator: RawId) -> Result<(), Error> {
    for (name, slug, driver, form) in PLATFORMS {
        let document = json!({"name": name, "slug": slug, "driver": driver, "password_form": form});
        let platform: Platform =
            serde_json::from_value(document).map_err(|e| Error::Bug(format!("a built-in platform: {e}")))?;
        tx.create(operator, platform)?;
    }
    for (name, slug, colour) in RELATIONSHIPS {
        let relationship = Relationship {
            name: (*name).to_owned(),
            slug: (*slug).to_owned(),
            colour: (*colour).to_owned(),
            ..Relationship::default()
        };
        tx.create(operator, relationship)?;
    }
    Ok(())
}

/// The operator's relationship for a business, found by its slug; none in an installation that has none.
pub(crate) fn relationship(tx: &mut Tx<'_>, business: Business) -> Result<Option<Id<Relationship>>, Error> {
    tx.as_system(|tx| {
        let Some(operator) = tx.one::<Organization>(&Filter::eq("form", Form::Operator.word()))? else {
            return Ok(None);
        };
        let slug = Filter::eq("tenant", operator.id).and(Filter::eq("slug", business.slug()));
        Ok(tx.one::<Relationship>(&slug)?.map(|found| found.id))
    })
}

//! Machines and the ways to order them, spoken of as kinds and fields. What is ordered is ordered through its own operations; what the
//! operator settles (which servers there are, who has one reserved) is done here.

use meetme_base::{Id, Invalid, Kind, RawId, Time};
use meetme_model::{
    Ext, Term,
    metal::{Batch, Reservation, Server, SpotPrice, SpotRequest},
    place::Money,
};
use meetme_store::{AnyObject, KindInfo, Resource as _, Tx};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{By, Create, Hooks, Made, Remove, Replace, read, refused};
use crate::{
    Error, access,
    devices::{batches, held, reservations, spot},
};

/// What is said of batches and requests.
const ORDERED: &str = "It is ordered through a dialect, which looks at the whole order.";
const SETTLED: &str = "What was ordered is not changed; order anew.";

/// The kinds of the area with a policy.
pub(super) const HOOKS: &[(Kind, Hooks)] = &[
    (Server::KIND, Hooks { replace: Replace::By(replace_server), ..Hooks::PLAIN }),
    (
        Reservation::KIND,
        Hooks {
            create: Create::Taking(|| schemars::schema_for!(NewReservation).to_value(), create_reservation),
            replace: Replace::By(replace_reservation),
            remove: Remove::By(|_, tx, _, old| reservations::give_back(tx, old.id.of())),
        },
    ),
    (
        SpotPrice::KIND,
        Hooks {
            create: Create::Refused("The server works prices out by itself."),
            // Everybody sees prices; that they cannot be set is said only to who may set things there.
            replace: Replace::By(|_, tx, kind, old, _| Err(fixed(tx, kind, old, "change"))),
            remove: Remove::By(|_, tx, kind, old| Err(fixed(tx, kind, old, "remove"))),
        },
    ),
    (
        SpotRequest::KIND,
        Hooks {
            create: Create::Refused(ORDERED),
            replace: Replace::Refused(SETTLED),
            remove: Remove::By(|_, tx, _, old| spot::withdraw(tx, old.id.of(), false)),
        },
    ),
    (
        Batch::KIND,
        Hooks {
            create: Create::Refused(ORDERED),
            replace: Replace::Refused(SETTLED),
            remove: Remove::By(|_, tx, _, old| batches::remove(tx, old.id.of(), false)),
        },
    ),
];

fn fixed(tx: &mut Tx<'_>, kind: &KindInfo, old: &AnyObject, verb: &'static str) -> Error {
    match access::require(tx, kind.kind, verb, old.tenant) {
        Ok(()) => refused(kind, "The server works prices out by itself."),
        Err(error) => error,
    }
}

/// A server that somebody has stays what and where it is: the claim on it speaks of its plan and its site.
fn replace_server(
    _: By<'_>,
    tx: &mut Tx<'_>,
    kind: &KindInfo,
    old: &AnyObject,
    spec: Json,
) -> Result<AnyObject, Error> {
    if ["plan", "site"].iter().any(|name| old.spec.get(*name) != spec.get(*name)) {
        let server = tx.get::<Server>(old.id.of())?;
        if held(tx, &server)? {
            return Err(Error::conflict(
                "in_use",
                "Somebody has the server: its plan and its site stay what they are.",
            ));
        }
    }
    Ok(tx.replace_any(kind, old.id, Some(old.version), spec)?)
}

/// A server to be kept for a project; the tenant is the project.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewReservation {
    /// The server.
    server: Id<Server>,
    /// Whether it is kept to replace another: nothing is put on it before it is made active.
    #[serde(default)]
    spare: bool,
    /// A line for people.
    #[serde(default)]
    description: Option<String>,
    /// How often it is paid for; by the month when absent.
    #[serde(default)]
    term: Option<Term>,
    /// For how many of these terms.
    #[serde(default)]
    intervals: Option<u16>,
    /// What one term costs, where that was agreed on.
    #[serde(default)]
    rate: Option<Money>,
    /// When it shall be given back.
    #[serde(default)]
    remove_at: Option<Time>,
    /// What only one dialect can mean.
    #[serde(default)]
    ext: Ext,
}

fn create_reservation(
    _: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    tenant: Option<RawId>,
    spec: Json,
) -> Result<Made, Error> {
    let NewReservation { server, spare, description, term, intervals, rate, remove_at, ext } = read(&spec)?;
    let project = tenant.ok_or_else(|| Invalid::required("tenant"))?;
    let new = reservations::NewReservation {
        server,
        spare,
        description,
        term: term.unwrap_or(Term::Months(1)),
        intervals,
        rate,
        remove_at,
        ext,
    };
    Ok(Tx::erased(&reservations::reserve(tx, project.of(), &new)?).into())
}

fn replace_reservation(
    _: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    old: &AnyObject,
    spec: Json,
) -> Result<AnyObject, Error> {
    let row = tx.get::<Reservation>(old.id.of())?;
    let new = Tx::sent_for(&row, spec)?;
    Ok(Tx::erased(&reservations::change(tx, row.id, |wish| *wish = new)?))
}

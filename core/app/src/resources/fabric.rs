//! Networks and ports: ordered here as at every other door.

use meetme_base::{Asn, Id, Kind, Mbps, RawId};
use meetme_model::{
    Ext, Labels, Term,
    fabric::{Network, Port},
    place::{Site, Zone},
};
use meetme_store::{AnyObject, KindInfo, Resource as _, Tx};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::{By, Create, Hooks, Made, Remove, Replace, only, read};
use crate::{Error, networks, ports};

/// The kinds of the area with operations that need no more than one row.
pub(super) const HOOKS: &[(Kind, Hooks)] = &[
    (
        Network::KIND,
        Hooks {
            create: Create::Taking(|| schemars::schema_for!(NewNetwork).to_value(), create_network),
            replace: Replace::By(replace_network),
            remove: Remove::By(|_, tx, _, old| networks::remove(tx, old.id.of()).map(drop)),
        },
    ),
    (
        Port::KIND,
        Hooks {
            create: Create::Taking(|| schemars::schema_for!(NewPort).to_value(), create_port),
            replace: Replace::By(replace_port),
            remove: Remove::By(|_, tx, _, old| ports::cancel(tx, old.id.of(), None, true).map(drop)),
        },
    ),
];

/// A network as a caller wishes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewNetwork {
    /// Its name.
    name: String,
    /// A line for people.
    #[serde(default)]
    description: Option<String>,
    /// The AS number we speak with in it; the operator's own when absent.
    #[serde(default)]
    asn: Option<Asn>,
    /// Labels.
    #[serde(default)]
    labels: Labels,
    /// What only one dialect can mean.
    #[serde(default)]
    ext: Ext,
}

fn create_network(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let NewNetwork { name, description, asn, labels, ext } = read(&spec)?;
    let wish = networks::NewNetwork { name, description, asn, labels, ext };
    let owner = tenant.unwrap_or(by.caller.home().any());
    Ok(Tx::erased(&networks::create(tx, owner, &wish)?).into())
}

fn replace_network(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    only(old, &spec, &["name", "description", "labels", "ext"], "This was fixed when the network was made.")?;
    let new = Tx::sent_for(&networks::get(tx, old.id.of())?, spec)?;
    let changed = networks::change(tx, old.id.of(), |wish| {
        wish.name = new.name;
        wish.description = new.description;
        wish.labels = new.labels;
        wish.ext = new.ext;
    })?;
    Ok(Tx::erased(&changed))
}

/// A port, or a group of ports that work as one, as a caller wishes it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPort {
    /// Its name; those of a group are numbered.
    name: String,
    /// The rate of each port, in megabits per second.
    rate: Mbps,
    /// Where.
    site: Id<Site>,
    /// In which zone; the one with the fewest ports when absent.
    #[serde(default)]
    zone: Option<Zone>,
    /// For how long.
    term: Term,
    /// The owner's own reference for invoices.
    #[serde(default)]
    cost_centre: Option<String>,
    /// How many ports work as one: 1 for a port that stands alone.
    #[serde(default = "one")]
    members: u8,
    /// Whether everybody may see it and ask for circuits to it.
    #[serde(default)]
    visible: bool,
    /// Whether a cross connect is ordered with it.
    #[serde(default)]
    cross_connect: bool,
    /// Labels.
    #[serde(default)]
    labels: Labels,
    /// What only one dialect can mean.
    #[serde(default)]
    ext: Ext,
}

const fn one() -> u8 {
    1
}

fn create_port(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: NewPort = read(&spec)?;
    let wish = ports::NewPort {
        owner: tenant.unwrap_or(by.caller.home().any()),
        name: new.name,
        rate: new.rate,
        site: new.site,
        zone: new.zone,
        term: new.term,
        cost_centre: new.cost_centre,
        members: new.members,
        visible: new.visible,
        cross_connect: new.cross_connect,
        labels: new.labels,
        ext: new.ext,
    };
    // The first of a group leads it, and stands for it.
    let made = ports::order(tx, &wish)?;
    let first = made.first().ok_or_else(|| Error::Bug("an order of ports made none".to_owned()))?;
    Ok(Tx::erased(first).into())
}

fn replace_port(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    let fixed = "This was fixed when the port was ordered.";
    only(old, &spec, &["name", "description", "labels", "visible", "tags", "ext"], fixed)?;
    let new: Port = Tx::sent_for(&ports::get(tx, old.id.of())?, spec)?;
    Ok(Tx::erased(&ports::change(tx, old.id.of(), |port| *port = new)?))
}

//! What rows say of themselves by what the public peering database says: asked for all rows of a page at once, and only where a
//! field shows it.

use std::{any::Any, collections::HashMap};

use meetme_app::{
    App, Error,
    peering::{
        Ruled, import,
        meeting::{self, Standing},
    },
};
use meetme_base::IpNet;
use meetme_model::routing::{Exchange, ExchangeSession};
use meetme_store::{Filter, Object, Tx};

use crate::{json, model::Field, query::truth, scene::Loaded};

/// What was asked for, by the ids of the rows.
#[derive(Default)]
pub struct Said {
    standing: HashMap<i64, Standing>,
    prefixes: HashMap<i64, Vec<IpNet>>,
}

impl Said {
    /// How a session stands.
    pub fn standing(&self, session: &Object<ExchangeSession>) -> Standing {
        self.standing.get(&session.id.get()).copied().unwrap_or_default()
    }
    /// The networks of an exchange.
    pub fn prefixes(&self, exchange: &Object<Exchange>) -> &[IpNet] {
        self.prefixes.get(&exchange.id.get()).map_or(&[], Vec::as_slice)
    }
}

/// Asks for what these fields of these rows show.
pub fn gather<R: Ruled>(
    app: &App,
    tx: &mut Tx<'_>,
    rows: &[Object<R>],
    fields: &[&'static Field<R>],
    loaded: &mut Loaded,
) -> Result<(), Error> {
    let wants = |name: &str| fields.iter().any(|field| field.name == name);
    if (wants("exists_in_peeringdb") || wants("is_abandoned")) && meeting::has_copy(app, tx)? {
        let sessions: Vec<&Object<ExchangeSession>> =
            rows.iter().filter_map(|row| (row as &dyn Any).downcast_ref()).collect();
        let standing = meeting::standing(tx, &sessions)?;
        loaded.register.standing.extend(sessions.iter().map(|row| row.id.get()).zip(standing));
    }
    if wants("peeringdb_prefixes") {
        let exchanges: Vec<&Object<Exchange>> =
            rows.iter().filter_map(|row| (row as &dyn Any).downcast_ref()).collect();
        let nets = import::prefixes(tx, exchanges.iter().filter_map(|row| row.spec.pdb_lan))?;
        let of = |row: &&Object<Exchange>| Some((row.id.get(), nets.get(&row.spec.pdb_lan?)?.clone()));
        loaded.register.prefixes.extend(exchanges.iter().filter_map(of));
    }
    Ok(())
}

/// Networks by family: both families, or only those there are.
pub fn write_prefixes(out: &mut Vec<u8>, nets: &[IpNet], both: bool) {
    out.push(b'{');
    for (name, v4) in [("ipv6", false), ("ipv4", true)] {
        let of_family: Vec<&IpNet> = nets.iter().filter(|net| net.addr().is_ipv4() == v4).collect();
        if of_family.is_empty() && !both {
            continue;
        }
        json::key(out, name);
        out.push(b'[');
        for (n, net) in of_family.into_iter().enumerate() {
            if n > 0 {
                out.push(b',');
            }
            json::text(out, &net.to_string());
        }
        out.push(b']');
    }
    out.push(b'}');
}

/// Sessions that are known to the public peering database, or are not.
pub fn exists(tx: &mut Tx<'_>, values: &[&str]) -> Result<Result<Filter, String>, Error> {
    standing_so(tx, values, |standing| standing.exists)
}

/// Sessions that were abandoned, or were not.
pub fn abandoned(tx: &mut Tx<'_>, values: &[&str]) -> Result<Result<Filter, String>, Error> {
    standing_so(tx, values, |standing| standing.abandoned)
}

fn standing_so(tx: &mut Tx<'_>, values: &[&str], so: fn(Standing) -> bool) -> Result<Result<Filter, String>, Error> {
    let Some(wanted) = values.last().and_then(|text| truth(text)) else { return Ok(Ok(Filter::All)) };
    let found = Filter::is_in("id", meeting::standing_so(tx, so)?);
    Ok(Ok(if wanted { found } else { found.not() }))
}

//! What is asked of an exchange's own interface: the accounts that credentials are good for, and the hardware address of a link.
//!
//! The asking itself is work for a job, because only services speak to others. Credentials are sealed before they are written into one.

use std::net::IpAddr;

use meetme_base::{Id, Invalid, MacAddr, RawId, Sealed, Secret};
use meetme_model::{
    ops::Job,
    routing::{Exchange, ExchangeLink, IxApi, LONGEST_CREDENTIAL},
};
use meetme_store::{Object, Resource as _, Tx};
use serde::{Deserialize, Serialize};

use crate::{
    App, Error, access,
    jobs::{self, Ask},
};

/// The work of listing accounts.
pub const ACCOUNTS: &str = "ixapi.accounts";
/// The work of registering a hardware address.
pub const MAC: &str = "ixapi.mac";

/// How we show who we are at an IX-API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Where it is.
    pub url: String,
    /// The key.
    pub key: Sealed,
    /// The secret.
    pub secret: Sealed,
}

/// A hardware address for the service with these addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Where and as whom.
    pub access: Access,
    /// Our account there.
    pub identity: String,
    /// The IP addresses of the link.
    pub addresses: Vec<IpAddr>,
    /// The hardware address.
    pub mac: MacAddr,
}

/// Asks which accounts credentials are good for that are not kept yet. For whoever may keep some on `home`: others could use this
/// installation to try credentials.
///
/// # Errors
/// [`Error::Denied`] without that right; when a value cannot be one.
pub fn accounts(
    app: &App,
    tx: &mut Tx<'_>,
    home: RawId,
    url: &str,
    key: &Secret<String>,
    secret: &Secret<String>,
) -> Result<Object<Job>, Error> {
    access::require(tx, IxApi::KIND, "create", home)?;
    let mut bad = Vec::new();
    for (field, text) in [("url", url), ("key", key.expose()), ("secret", secret.expose())] {
        if text.is_empty() {
            bad.push(Invalid::required(field));
        } else if text.chars().count() > LONGEST_CREDENTIAL {
            let text = format!("Ensure this field has no more than {LONGEST_CREDENTIAL} characters.");
            bad.push(Invalid::new(field, "max_length", text));
        }
    }
    if !url.is_empty() && !["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)) {
        bad.push(Invalid::new("url", "format", "Enter a valid URL."));
    }
    if !bad.is_empty() {
        return Err(Error::Invalid(bad));
    }
    let seal = |secret: &Secret<String>| app.sealer().seal(secret.expose());
    let access = Access { url: url.to_owned(), key: seal(key)?, secret: seal(secret)? };
    let name = "List the accounts at an IX-API".to_owned();
    jobs::ask(tx, home, Ask { what: ACCOUNTS, name, subject: None, inputs: document(&access)? })
}

/// Asks for the hardware address of a link to be registered at its exchange.
///
/// # Errors
/// [`Error::Missing`] when the link is not there for the caller; [`Error::Denied`] without the right to act on the exchange; when the
/// link has no hardware address, no IP address, or its exchange no IX-API.
pub fn register(tx: &mut Tx<'_>, id: Id<ExchangeLink>) -> Result<Object<Job>, Error> {
    let link = tx.get(id)?;
    let exchange = match link.spec.exchange {
        Some(exchange) => tx.find::<Exchange>(exchange)?,
        None => None,
    };
    access::require(tx, Exchange::KIND, "act", exchange.as_ref().map_or(link.tenant, |exchange| exchange.tenant))?;
    let missing = |field, text: &str| Error::from(Invalid::rule(field, text));
    let account = exchange.and_then(|exchange| exchange.spec.ixapi);
    let account = account.ok_or_else(|| missing("exchange", "The exchange of this connection has no IX-API."))?;
    let mac = link.spec.mac.ok_or_else(|| missing("mac", "This connection has no MAC address."))?;
    let addresses: Vec<IpAddr> = [link.spec.ip6, link.spec.ip4].into_iter().flatten().map(|ip| ip.ip()).collect();
    if addresses.is_empty() {
        return Err(missing("ip6", "This connection has no IP address by which its service could be found."));
    }
    let account = tx.as_system(|tx| tx.get::<IxApi>(account))?.spec;
    let access = Access { url: account.url, key: account.key, secret: account.secret };
    let wish = Registration { access, identity: account.identity, addresses, mac };
    let name = format!("Register {mac} at {}", account.name);
    jobs::ask(tx, link.tenant, Ask { what: MAC, name, subject: Some(id.any()), inputs: document(&wish)? })
}

fn document(value: &impl Serialize) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value).map_err(|e| Error::Bug(e.to_string()))
}

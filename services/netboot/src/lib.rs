//! Handing out addresses to machines that start over the network: dnsmasq, whose files are written here and whose process is kept
//! running here.
//!
//! Promise: it decides nothing. Which server has which address is settled in the core (`meetme_app::devices::machine`); here that is
//! written down in dnsmasq's words. Nobody gets an address but servers that are entered, each by its hardware addresses: there are
//! no free leases. What a machine then starts from is not said by DHCP but by our own listener, which knows it.
//!
//! The files are written whole and in one step. A change of hosts is a new file and a hangup; everything else is in a file that does
//! not change while the server runs.

mod config;
mod daemon;
mod render;

use std::{collections::BTreeSet, net::IpAddr, path::Path, time::Duration};

use meetme_app::{App, Error, devices::machine};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

pub use config::{Config, DhcpConfig};

use daemon::Daemon;
use render::Host;

/// How often the servers are looked at at the most.
const PACE: Duration = Duration::from_secs(2);
/// How often they are looked at though this process wrote nothing: another one may have.
const AGAIN: Duration = Duration::from_secs(30);
/// How long a daemon that ended is left alone before it is started again.
const PAUSE: Duration = Duration::from_secs(5);

/// Keeps dnsmasq running, and its hosts those of the core, until it is told to stop. `directory` is for its files alone.
///
/// # Errors
/// When the directory cannot be made. What goes wrong later is logged and tried again.
pub async fn run(app: App, config: Config, directory: &Path, stop: CancellationToken) -> std::io::Result<()> {
    let (Some(dhcp), Some(site)) = (config.dhcp.clone(), config.site.clone()) else { return Ok(()) };
    std::fs::create_dir_all(directory)?;
    let except = dhcp.taken(&config.listen);
    let mut daemon = Daemon::new(&dhcp, &config.base(), directory);
    let mut told: Option<String> = None;
    while !stop.is_cancelled() {
        let next = app.commits().next();
        match hosts(&app, &site, &except).await {
            Ok(hosts) => {
                told = None;
                if let Err(why) = daemon.serve(&hosts).await {
                    tracing::warn!(%why, "addresses are not handed out as they should be");
                    tokio::select! { () = stop.cancelled() => break, () = sleep_until(Instant::now() + PAUSE) => {} }
                }
            }
            Err(error) => {
                let said = error.to_string();
                if told.as_ref() != Some(&said) {
                    tracing::warn!(error = %said, "the servers that start over the network cannot be read");
                    told = Some(said);
                }
            }
        }
        let soonest = Instant::now() + PACE;
        tokio::select! {
            () = stop.cancelled() => break,
            () = async { next.await.ok(); sleep_until(soonest).await } => {}
            () = sleep_until(Instant::now() + AGAIN) => {}
            () = daemon.ended() => {
                tracing::warn!("dnsmasq ended; it is started again");
                tokio::select! { () = stop.cancelled() => break, () = sleep_until(Instant::now() + PAUSE) => {} }
            }
        }
    }
    daemon.stop().await;
    Ok(())
}

async fn hosts(app: &App, site: &str, except: &BTreeSet<IpAddr>) -> Result<Vec<Host>, Error> {
    let (site, except) = (site.to_owned(), except.iter().copied().collect::<Vec<_>>());
    let context = meetme_store::Context::system();
    let found = app.store().write(context, move |tx| machine::boot_addresses(tx, &site, &except)).await?;
    let host = |host: machine::BootHost| Host {
        macs: host.server.spec.nics.iter().map(|nic| nic.mac).collect(),
        address: host.address,
        name: format!("s{}", host.server.id),
    };
    Ok(found.into_iter().map(host).collect())
}

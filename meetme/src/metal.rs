//! The listener for machines that start, and the daemon that gives them addresses.

use std::{net::SocketAddr, path::Path};

use anyhow::{Context as _, Result};
use futures_util::future::join;
use meetme_app::App;
use meetme_http::{Dialect, Limits, Server, ServerConfig};
use meetme_machine::Settings;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::config::Config;

/// What machines are answered, in the order in which the dialects are asked.
pub fn dialects(config: &Config) -> Vec<Dialect> {
    let metal = &config.metal;
    let settings = Settings {
        site: metal.site.clone(),
        url: metal.url.clone(),
        files: metal.files.clone(),
        arguments: metal.arguments.clone(),
    };
    let own = meetme_packet::instance::Settings { site: metal.site.clone(), url: metal.url.clone() };
    vec![meetme_machine::dialect(settings), meetme_packet::instance::dialect(own)]
}

/// Opens the listener and starts the daemon, as far as the configuration has them. The task ends when `stop` is cancelled.
///
/// # Errors
/// When the listener cannot be opened.
pub async fn start(app: &App, config: &Config, data: &Path, stop: &CancellationToken) -> Result<JoinHandle<()>> {
    let metal = config.metal.clone();
    if !metal.is_on() {
        return Ok(tokio::spawn(async {}));
    }
    let server = ServerConfig {
        listen: metal.listen.clone(),
        trusted_proxies: metal.trusted_proxies.clone(),
        // A large file is read slowly by a machine with nothing but a network card's program.
        limits: Limits { rate_per_second: 0, ..config.server.limits.clone() },
        compression: false,
        ..ServerConfig::default()
    };
    let bound = Server::new(server, dialects(config), app.clone())?.bare().bind().await.context("metal.listen")?;
    let listen: Vec<SocketAddr> = bound.listening().map(|door| door.address).collect();
    tracing::info!(?listen, "machines are answered");
    let directory = data.join("netboot");
    let (app, stop) = (app.clone(), stop.child_token());
    Ok(tokio::spawn(async move {
        let served = join(bound.run(stop.clone()), meetme_netboot::run(app, metal, &directory, stop));
        if let (_, Err(error)) = served.await {
            tracing::error!(%error, directory = %directory.display(), "addresses are not handed out to machines");
        }
    }))
}

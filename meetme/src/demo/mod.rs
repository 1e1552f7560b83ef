//! The demo world: small, complete, and made by the same operations as anything else. In it every example of the dialects' documents
//! works once host, credentials and ids are replaced.

mod access;
mod metal;
mod place;
mod ready;
mod routing;

use std::path::Path;

use anyhow::{Context as _, Result};
use meetme_app::{App, Error};
use meetme_base::Secret;
use meetme_store::{Actor, Context};

pub use ready::Readiness;

/// What a visitor of the demo needs to know.
pub struct World {
    key: String,
    secret: Secret<String>,
    username: String,
    password: Secret<String>,
}

/// The door for clients that speak HTTPS only.
pub struct Https<'a> {
    /// Its address.
    pub base: &'a str,
    /// The file with the certificate they have to be told to trust.
    pub certificate: &'a Path,
}

/// Makes the world in an empty store, or finds it in one that holds it already.
pub async fn prepare(app: &App) -> Result<World> {
    let context =
        Context { actor: Actor { by: None, name: "demo".to_owned(), dialect: "system" }, ..Context::system() };
    let inner = app.clone();
    app.store()
        .write::<_, Error, _>(context, move |tx| {
            if let Some(world) = access::known(&inner, tx)? {
                return Ok(world);
            }
            let (people, world) = access::make(&inner, tx)?;
            let places = place::make(tx, &people)?;
            metal::make(tx, &people, &places)?;
            routing::make(tx, &people, &places)?;
            Ok(world)
        })
        .await
        .context("making the demo world")
}

impl World {
    /// Writes `demo.json` into the data directory and prints how to call each dialect.
    pub fn announce(&self, data: &Path, base: &str, https: Option<Https<'_>>) -> Result<()> {
        let (key, secret) = (&self.key, self.secret.expose());
        let (username, password) = (&self.username, self.password.expose());
        let https = https.map(|h| serde_json::json!({ "base_url": h.base, "certificate": h.certificate }));
        let document = serde_json::json!({
            "base_url": base,
            "https": https,
            "pureport": {"key": key, "secret": secret},
            "megaport": {"username": username, "password": password},
            "peering_manager": {"token": secret},
            "port": {"clientId": key, "clientSecret": secret},
            "packet": {"token": secret},
            "native": {"token": secret},
        });
        let file = data.join("demo.json");
        // Written beside and moved, so that nobody reads half of it.
        let fresh = data.join("demo.json.new");
        write_private(&fresh, &serde_json::to_string_pretty(&document)?)?;
        std::fs::rename(&fresh, &file).with_context(|| format!("writing {}", file.display()))?;
        println!("Meetme serves a demo world at {base}; its credentials are in {}.\n", file.display());
        println!("native           curl -H 'Authorization: Bearer {secret}' {base}/meetme/v1/router");
        println!("peering manager  curl -H 'Authorization: Token {secret}' {base}/api/peering/autonomous-systems/");
        println!("packet           curl -H 'X-Auth-Token: {secret}' {base}/projects");
        println!(
            "pureport         curl -H 'Content-Type: application/json' -d '{{\"key\": \"{key}\", \"secret\": \"{secret}\"}}' {base}/login"
        );
        println!("megaport         curl -d 'username={username}' -d 'password={password}' {base}/login");
        println!(
            "port             curl -H 'Content-Type: application/json' -d '{{\"clientId\": \"{key}\", \"clientSecret\": \"{secret}\"}}' \
             {base}/v1/auth/access_token"
        );
        Ok(())
    }
}

fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    writeln!(file, "{text}")?;
    Ok(())
}

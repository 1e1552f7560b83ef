//! The client: one login and a few questions.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use meetme_base::{MacAddr, Reach, Secret};
use reqwest::{Client as Http, Method, Url, redirect::Policy};
use serde_json::{Value as Json, json};

/// How long one answer may take.
const LONGEST: Duration = Duration::from_secs(10);
/// How long it may take until there is a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How large an answer may be, in bytes.
const LARGEST: usize = 4 * 1024 * 1024;

/// Who asks where.
#[derive(Clone, Debug)]
pub struct Account {
    /// The address that paths are put behind.
    pub url: String,
    /// Who we are.
    pub key: Secret<String>,
    /// What proves it.
    pub secret: Secret<String>,
}

/// The way to IX-APIs.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Which addresses may be called besides those of the Internet. To these it may also go without TLS.
    pub reach: Reach,
}

/// Logged in.
struct Session {
    http: Http,
    base: Url,
    token: Secret<String>,
}

impl Client {
    /// The accounts that these credentials may act for, as the other side spells them.
    ///
    /// # Errors
    /// One sentence: it cannot be reached, may not be called, or refuses.
    pub async fn accounts(&self, account: &Account) -> Result<Vec<Json>, String> {
        let session = self.log_in(account).await?;
        list(session.ask(Method::GET, "accounts", None).await?)
    }

    /// Makes `mac` the address that is let through for the service with these IP addresses; `identity` is our account there. What is
    /// so already is left alone. Answers what was done.
    ///
    /// # Errors
    /// As [`Client::accounts`]; also when no service has one of the addresses.
    pub async fn register(
        &self,
        account: &Account,
        identity: &str,
        addresses: &[IpAddr],
        mac: MacAddr,
    ) -> Result<String, String> {
        let session = self.log_in(account).await?;
        let configs = list(session.ask(Method::GET, "network-service-configs", None).await?)?;
        let config = session.of_addresses(&configs, addresses).await?;
        let name = text(&config["id"]).ok_or("The IX-API names a service without an id.")?;
        let known = list(session.ask(Method::GET, "macs", None).await?)?;
        let is_ours = |row: &&Json| row["address"].as_str().and_then(|text| text.parse().ok()) == Some(mac);
        let found = known.iter().find(is_ours).and_then(|row| text(&row["id"]));
        let id = match found {
            Some(id) => id,
            None => {
                let new =
                    json!({"managing_account": identity, "consuming_account": identity, "address": mac.to_string()});
                let made = session.ask(Method::POST, "macs", Some(&new)).await?;
                text(&made["id"]).ok_or("The IX-API made an address without an id.")?
            }
        };
        let set: Vec<String> = config["macs"].as_array().into_iter().flatten().filter_map(text).collect();
        if set == [id.as_str()] {
            return Ok(format!("{mac} is registered there already."));
        }
        let path = format!("network-service-configs/{name}");
        session.ask(Method::PATCH, &path, Some(&json!({"macs": [id]}))).await?;
        Ok(format!("{mac} is registered now."))
    }

    async fn log_in(&self, account: &Account) -> Result<Session, String> {
        let mut base = Url::parse(&account.url).map_err(|_| "The address of the IX-API cannot be read.".to_owned())?;
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        let http = self.way(&base).await?;
        let mut session = Session { http, base, token: Secret::new(String::new()) };
        let body = json!({"api_key": account.key.expose(), "api_secret": account.secret.expose()});
        let answer = session.ask(Method::POST, "auth/token", Some(&body)).await?;
        let token = answer["access_token"].as_str().ok_or("The IX-API gives no token.")?;
        session.token = Secret::new(token.to_owned());
        Ok(session)
    }

    /// A client that connects to the addresses that were looked at and to no other: a name that leads inside a moment later wins
    /// nothing, and redirections are not followed.
    async fn way(&self, base: &Url) -> Result<Http, String> {
        let host = base.host_str().unwrap_or_default().to_owned();
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = base.port_or_known_default().unwrap_or(443);
        let found = tokio::time::timeout(CONNECT, tokio::net::lookup_host((bare, port))).await;
        let Ok(Ok(found)) = found else { return Err(format!("The name {host} cannot be resolved.")) };
        // Without TLS it goes only where the operator said so by name.
        let plain = base.scheme() != "https";
        let opened = |ip: IpAddr| self.reach.allow.iter().any(|net| net.contains(&ip));
        let may = |to: &SocketAddr| if plain { opened(to.ip()) } else { self.reach.permits(to.ip()) };
        let open: Vec<SocketAddr> = found.filter(may).collect();
        if open.is_empty() {
            return Err(format!("{host} is not a place that may be called; the operator can allow its network."));
        }
        let builder = Http::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(LONGEST)
            .connect_timeout(CONNECT)
            .user_agent("meetme")
            .resolve_to_addrs(&host, &open);
        builder.build().map_err(|e| sentence(&e))
    }
}

impl Session {
    async fn ask(&self, method: Method, path: &str, body: Option<&Json>) -> Result<Json, String> {
        let url = self.base.join(path).map_err(|_| "The address of the IX-API cannot be read.".to_owned())?;
        let mut request = self.http.request(method, url);
        if !self.token.expose().is_empty() {
            request = request.bearer_auth(self.token.expose());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let mut answer = request.send().await.map_err(|e| sentence(&e))?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|e| sentence(&e))? {
            if bytes.len() + part.len() > LARGEST {
                return Err("The IX-API answers with more than can be read.".to_owned());
            }
            bytes.extend_from_slice(&part);
        }
        let value: Json = serde_json::from_slice(&bytes).unwrap_or(Json::Null);
        if status.is_success() {
            return Ok(value);
        }
        // RFC 7807 is how the interface says what is wrong.
        let why = ["detail", "title"].iter().find_map(|name| value[*name].as_str()).unwrap_or_default();
        let why: String = why.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
        let colon = if why.is_empty() { "" } else { ": " };
        Err(format!("The IX-API answers {} to {path}{colon}{why}", status.as_u16()))
    }

    /// The one of these services that has one of our addresses.
    async fn of_addresses<'c>(&self, configs: &'c [Json], ours: &[IpAddr]) -> Result<&'c Json, String> {
        let ids = |config: &Json| -> Vec<String> {
            config["ips"].as_array().into_iter().flatten().filter_map(text).collect()
        };
        let rows = list(self.ask(Method::GET, "ips", None).await?)?;
        let is_ours = |row: &&Json| {
            row["address"].as_str().and_then(|text| text.parse().ok()).is_some_and(|ip: IpAddr| ours.contains(&ip))
        };
        let wanted: Vec<String> = rows.iter().filter(is_ours).filter_map(|row| text(&row["id"])).collect();
        configs
            .iter()
            .find(|config| ids(config).iter().any(|id| wanted.contains(id)))
            .ok_or_else(|| "The IX-API knows no service with the addresses of this connection.".to_owned())
    }
}

fn list(value: Json) -> Result<Vec<Json>, String> {
    match value {
        Json::Array(list) => Ok(list),
        _ => Err("The IX-API answers with something else than a list.".to_owned()),
    }
}

/// An id, which some write as a number.
fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text)
            if !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b)) =>
        {
            Some(text.clone())
        }
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What went wrong, without the address, which may hold what is nobody's business.
fn sentence(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "The IX-API does not answer in time.".to_owned();
    }
    if error.is_connect() {
        return "The IX-API cannot be reached.".to_owned();
    }
    "The conversation with the IX-API broke off.".to_owned()
}

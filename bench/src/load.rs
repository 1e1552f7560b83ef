//! The data set, made through the public interface: autonomous systems, exchanges, the routers at them and the sessions there.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{
    case::{NETWORKS, SESSIONS},
    client::{Caller, Client},
    machines::Machines,
};

/// Numbers for private use (RFC 6996): nobody looks them up.
const FIRST_NUMBER: usize = 4_200_000_001;
const OWN_NUMBER: usize = 4_199_999_999;
const EXCHANGES: usize = 50;
const ROUTERS: usize = 10;
/// How many rows one request makes.
const CHUNK: usize = 500;
const TEMPLATE: &str = "hostname {{ router.hostname }}\n{% for exchange in internet_exchange_points %}\
    {% for peer in exchange | sessions %}neighbor {{ peer.ip_address }} remote-as {{ peer.autonomous_system.asn }}\n\
    {% endfor %}{% endfor %}";

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Autonomous systems.
    pub networks: usize,
    /// Sessions.
    pub sessions: usize,
    /// How many of the sessions are at the first exchange, and so on the first router.
    pub first: usize,
    /// Free servers.
    pub servers: usize,
}

/// The ids of what there is.
#[derive(Debug)]
pub struct Loaded {
    /// Autonomous systems.
    pub networks: Vec<i64>,
    /// Sessions.
    pub sessions: Vec<i64>,
    /// One exchange.
    pub exchange: i64,
    /// The machines.
    pub machines: Machines,
}

impl Loaded {
    /// All of it, with what was put into the store later.
    pub fn with(rows: Rows, machines: Machines) -> Self {
        let Rows { networks, sessions, exchange } = rows;
        Self { networks, sessions, exchange, machines }
    }
}

/// What is made through the public interface.
#[derive(Debug)]
pub struct Rows {
    networks: Vec<i64>,
    sessions: Vec<i64>,
    exchange: i64,
}

/// Fills an empty server.
pub async fn fill(address: SocketAddr, caller: &Caller, size: Size) -> Result<Rows> {
    let mut api = Api { client: Client::connect(address).await?, caller };
    let own = api.one(NETWORKS, &json!({"asn": OWN_NUMBER, "name": "Bench Local", "affiliated": true})).await?;
    let rows = (0..size.networks).map(|i| {
        json!({
            "asn": FIRST_NUMBER + i, "name": format!("Bench Network {i:05}"), "irr_as_set": format!("AS-BENCH{i}"),
            "ipv6_max_prefixes": 10 + i % 500, "ipv4_max_prefixes": 100 + i % 5000, "comments": "loaded by the bench",
        })
    });
    let networks = api.many(NETWORKS, rows.collect()).await?;
    let links = equipment(&mut api, own).await?;
    let mut taken = [0; EXCHANGES];
    let rows = (0..size.sessions).map(|n| {
        let at = if n < size.first { 0 } else { 1 + n % (EXCHANGES - 1) };
        let host = 10 + taken[at];
        taken[at] += 1;
        json!({
            "autonomous_system": networks[n % networks.len()], "ixp_connection": links.connections[at],
            "ip_address": address_at(at, host), "status": "enabled", "is_route_server": n % 50 == 0,
        })
    });
    let sessions = api.many(SESSIONS, rows.collect()).await?;
    Ok(Rows { networks, sessions, exchange: links.exchanges[1] })
}

struct Links {
    exchanges: Vec<i64>,
    connections: Vec<i64>,
}

/// Routers, exchanges, and one connection to each exchange: the first router is at the first exchange only.
async fn equipment(api: &mut Api<'_>, own: i64) -> Result<Links> {
    let path = "/api/devices/platforms/";
    let found = api.get(&format!("{path}?limit=1")).await?["results"][0]["id"].as_i64();
    let platform = match found {
        Some(id) => id,
        None => api.one(path, &json!({"name": "Bench OS", "slug": "bench-os"})).await?,
    };
    let template = json!({"name": "bench", "template": TEMPLATE});
    let template = api.one("/api/devices/configurations/", &template).await?;
    let rows = (0..ROUTERS).map(|i| {
        json!({
            "name": format!("bench-r{i}"), "hostname": format!("r{i}.bench.example"), "platform": platform,
            "status": "enabled", "configuration_template": template, "local_autonomous_system": own,
        })
    });
    let routers = api.many("/api/devices/routers/", rows.collect()).await?;
    let rows = (0..EXCHANGES).map(|i| {
        json!({"name": format!("Bench IX {i:02}"), "slug": format!("bench-ix-{i:02}"), "local_autonomous_system": own})
    });
    let exchanges = api.many("/api/peering/internet-exchanges/", rows.collect()).await?;
    let rows = exchanges.iter().enumerate().map(|(i, exchange)| {
        let router = if i == 0 { routers[0] } else { routers[1 + i % (ROUTERS - 1)] };
        json!({
            "internet_exchange_point": exchange, "ipv4_address": format!("{}/20", address_at(i, 1)), "router": router,
            "vlan": 100 + i,
        })
    });
    let connections = api.many("/api/net/connections/", rows.collect()).await?;
    Ok(Links { exchanges, connections })
}

/// Each exchange has a network of 4,094 hosts.
fn address_at(exchange: usize, host: usize) -> String {
    Ipv4Addr::from((10 << 24 | exchange << 16 | host) as u32).to_string()
}

struct Api<'a> {
    client: Client,
    caller: &'a Caller,
}

impl Api<'_> {
    async fn get(&mut self, path: &str) -> Result<Value> {
        let answer = self.client.ask(&self.caller.get(path)).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn post(&mut self, path: &str, body: &Value) -> Result<Value> {
        let answer = self.client.ask(&self.caller.send("POST", path, &body.to_string())).await?;
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn one(&mut self, path: &str, row: &Value) -> Result<i64> {
        self.post(path, row).await?["id"].as_i64().context("a new row without an id")
    }

    async fn many(&mut self, path: &str, rows: Vec<Value>) -> Result<Vec<i64>> {
        let mut ids = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(CHUNK) {
            let made = self.post(path, &Value::from(chunk.to_vec())).await?;
            ids.extend(made.as_array().into_iter().flatten().filter_map(|row| row["id"].as_i64()));
        }
        ensure!(ids.len() == rows.len(), "{path}: {} rows of {} were made", ids.len(), rows.len());
        Ok(ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_of_an_exchange_are_in_its_network() {
        assert_eq!(address_at(3, 1), "10.3.0.1");
        assert_eq!(address_at(49, 1000), "10.49.3.232");
    }
}

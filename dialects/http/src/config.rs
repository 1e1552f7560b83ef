//! The server's part of the one configuration file.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Where the server listens and what it puts up with. Unknown keys are errors; every key has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Addresses for plain HTTP, all dialects at the root of each. Default `["127.0.0.1:8080"]`; empty for none.
    pub listen: Vec<SocketAddr>,
    /// Addresses for `/healthz`, `/readyz` and `/metrics` alone. When any is given, the other listeners do not answer these
    /// paths. Default none: every listener answers them.
    pub admin: Vec<SocketAddr>,
    /// HTTPS; absent for none.
    pub tls: Option<TlsConfig>,
    /// Listeners and host names that belong to one dialect, by its name.
    pub dialects: BTreeMap<String, DialectConfig>,
    /// Networks whose `X-Forwarded-For`, `X-Real-IP`, `X-Forwarded-Host` and `X-Forwarded-Proto` are believed. Default none.
    pub trusted_proxies: Vec<IpNet>,
    /// Limits on connections and requests.
    pub limits: Limits,
    /// Whether answers above 1 KiB are sent with gzip to clients that accept it. Default true.
    pub compression: bool,
}

/// HTTPS listeners and their certificate: either the two files or `self_signed`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// Addresses for HTTPS, all dialects at the root of each.
    pub listen: Vec<SocketAddr>,
    /// File with the certificate chain in PEM, the server's own first.
    pub certificate: Option<PathBuf>,
    /// File with the private key in PEM (PKCS#8, PKCS#1 or SEC1).
    pub key: Option<PathBuf>,
    /// Host names and addresses for which a self-signed certificate is made at each start.
    pub self_signed: Vec<String>,
}

/// Doors that lead to one dialect only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DialectConfig {
    /// Addresses at which only this dialect answers.
    pub listen: Vec<SocketAddr>,
    /// Whether these addresses speak HTTPS, with the certificate of `tls`. Default false.
    pub tls: bool,
    /// Host names (without a port) under which only this dialect answers, at any address.
    pub hosts: Vec<String>,
}

/// What one server puts up with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The largest body in bytes, where an operation has no limit of its own. Default 4194304 (4 MiB).
    pub body_bytes: usize,
    /// Seconds a request may take, from its head to the head of the answer. Event streams last longer. Default 60.
    pub request_seconds: u64,
    /// Seconds a connection may take to send the head of its next request, idle time included. Default 75.
    pub idle_seconds: u64,
    /// Seconds that requests under way are given when the server stops. Default 30.
    pub drain_seconds: u64,
    /// Connections open at once; further ones wait to be accepted. Default 10000.
    pub connections: usize,
    /// Requests per second of one client address (an IPv6 client is its /64) in the long run; 0 for no limit. Default 500.
    pub rate_per_second: u32,
    /// Requests one client address may send at once before the rate counts. Default 1000.
    pub burst: u32,
    /// Bad credentials per minute of one client address before it is kept out for a while; 0 for no limit. Default 60.
    pub auth_failures_per_minute: u32,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 8080))],
            admin: Vec::new(),
            tls: None,
            dialects: BTreeMap::new(),
            trusted_proxies: Vec::new(),
            limits: Limits::default(),
            compression: true,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 4 << 20,
            request_seconds: 60,
            idle_seconds: 75,
            drain_seconds: 30,
            connections: 10_000,
            rate_per_second: 500,
            burst: 1000,
            auth_failures_per_minute: 60,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_read_from_toml_and_unknown_keys_are_refused() {
        let text = r#"
            listen = ["[::1]:80"]
            trusted_proxies = ["10.0.0.0/8"]
            [tls]
            listen = ["127.0.0.1:443"]
            self_signed = ["localhost"]
            [dialects.alpha]
            hosts = ["alpha.example"]
            [limits]
            burst = 7
        "#;
        let config: ServerConfig = toml::from_str(text).unwrap();
        assert_eq!((config.limits.burst, config.limits.body_bytes, config.compression), (7, 4 << 20, true));
        assert_eq!(toml::from_str::<ServerConfig>(&toml::to_string(&config).unwrap()).unwrap(), config);
        for bad in ["lisen = []", "[limits]\nbodybytes = 1", "[tls]\ncert = 'x'", "[dialects.alpha]\nport = 1"] {
            assert!(toml::from_str::<ServerConfig>(bad).is_err(), "{bad}");
        }
    }
}

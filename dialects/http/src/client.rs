//! Who is at the other end, and by which name it called us. Headers that claim either are believed from trusted proxies only.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::{HeaderMap, Uri, header};
use ipnet::IpNet;

/// Where a request came in.
#[derive(Clone, Copy, Debug)]
pub struct Door {
    /// The other end of the connection: the client, or a proxy before it.
    pub socket: IpAddr,
    /// Our end of the connection.
    pub local: SocketAddr,
    /// Whether the connection is TLS.
    pub secure: bool,
    /// The position of the only dialect that answers here; `None` for all.
    pub dialect: Option<usize>,
    /// Whether the dialects answer here.
    pub api: bool,
    /// Whether health, readiness and metrics answer here.
    pub admin: bool,
}

impl Door {
    /// A door for requests that come over no socket: all dialects, plain HTTP, from this machine.
    pub fn inside() -> Self {
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self { socket: here, local: SocketAddr::new(here, 80), secure: false, dialect: None, api: true, admin: true }
    }
}

/// The client's address: the last one in `X-Forwarded-For` that is no trusted proxy, for everything before it may be made up.
pub(crate) fn peer(socket: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let socket = socket.to_canonical();
    if !is_trusted(socket, trusted) {
        return socket;
    }
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    if lines.is_empty() {
        let real = headers.get("x-real-ip").and_then(|value| value.to_str().ok()).and_then(address);
        return real.unwrap_or(socket);
    }
    let mut client = socket;
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Some(hop) = address(hop) else { break };
        client = hop;
        if !is_trusted(hop, trusted) {
            break;
        }
    }
    client
}

/// Scheme and host as the client called us. A host with characters that no host has would end in links that we write, so our
/// own address stands in for it.
pub(crate) fn base_url(door: &Door, uri: &Uri, headers: &HeaderMap, trusted: &[IpNet]) -> String {
    let believed = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        let first = value.split(',').next().unwrap_or_default().trim();
        is_trusted(door.socket.to_canonical(), trusted).then_some(first)
    };
    let secure = match believed("x-forwarded-proto") {
        Some(scheme) => scheme.eq_ignore_ascii_case("https"),
        None => door.secure,
    };
    let scheme = if secure { "https://" } else { "http://" };
    let said = believed("x-forwarded-host")
        .or_else(|| uri.authority().map(|authority| authority.as_str()))
        .or_else(|| headers.get(header::HOST).and_then(|value| value.to_str().ok()));
    match said.filter(|host| is_host(host)) {
        Some(host) => [scheme, host].concat(),
        None => format!("{scheme}{}", door.local),
    }
}

/// The host of a base URL, without scheme and port.
pub(crate) fn host_of(base_url: &str) -> &str {
    let host = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']'))
}

/// An address as proxies write it: bare, with a port, or in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let found = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    found.map(|ip: IpAddr| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }
    fn seen(socket: &str, pairs: &[(&'static str, &'static str)]) -> String {
        peer(socket.parse().unwrap(), &headers(pairs), &["10.0.0.0/8".parse().unwrap()]).to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_its_address() {
        assert_eq!(
            seen("192.0.2.1", &[("x-forwarded-for", "198.51.100.7"), ("x-real-ip", "198.51.100.7")]),
            "192.0.2.1"
        );
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_of_ours_is_the_client() {
        assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, 198.51.100.7, 10.0.0.2")]), "198.51.100.7");
        assert_eq!(
            seen("10.0.0.1", &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "198.51.100.7:4711")]),
            "198.51.100.7"
        );
        assert_eq!(seen("10.0.0.1", &[("x-forwarded-for", "1.1.1.1, unknown, 10.0.0.2")]), "10.0.0.2");
        assert_eq!(seen("::ffff:10.0.0.1", &[("x-real-ip", "[2001:db8::1]")]), "2001:db8::1");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn links_are_made_for_the_host_the_client_called() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let url = |socket: &str, uri: &str, pairs: &[_]| {
            let door = Door { socket: socket.parse().unwrap(), secure: true, ..Door::inside() };
            base_url(&door, &uri.parse().unwrap(), &headers(pairs), &trusted)
        };
        assert_eq!(
            url("192.0.2.1", "/", &[("host", "meetme.example:8443"), ("x-forwarded-host", "evil.example")]),
            "https://meetme.example:8443"
        );
        assert_eq!(
            url("10.0.0.1", "/", &[("host", "a"), ("x-forwarded-host", "b.example, c"), ("x-forwarded-proto", "http")]),
            "http://b.example"
        );
        assert_eq!(url("192.0.2.1", "https://h2.example/x", &[]), "https://h2.example");
        assert_eq!(url("192.0.2.1", "/", &[("host", "a\"><script>")]), "https://127.0.0.1:80");
        assert_eq!(
            (host_of("https://a.example:8443"), host_of("http://[::1]:80"), host_of("http://a")),
            ("a.example", "[::1]", "a")
        );
    }
}

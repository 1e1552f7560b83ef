//! Addresses in templates: they print as text and tell their parts, as those of Python's `ipaddress` do.

use std::{cmp::Ordering, fmt, net::IpAddr, sync::Arc};

use ipnet::IpNet;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, Value};

/// An address, perhaps with the length of its network.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The host's address.
    pub ip: IpAddr,
    /// The length of its network, where it has one.
    pub length: Option<u8>,
}

impl Address {
    /// The address of a host.
    pub const fn host(ip: IpAddr) -> Self {
        Self { ip, length: None }
    }
    /// The address of an interface.
    pub fn interface(net: IpNet) -> Self {
        Self { ip: net.addr(), length: Some(net.prefix_len()) }
    }
    /// As a value of the template language.
    pub fn value(self) -> Value {
        Value::from_object(self)
    }
    /// Reads the text of an address with or without a length.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.parse::<IpAddr>() {
            Ok(ip) => Some(Self::host(ip)),
            Err(_) => text.parse::<IpNet>().ok().map(Self::interface),
        }
    }
    /// The address in a value: an address already, or the text of one.
    pub fn of(value: &Value) -> Option<Self> {
        value.downcast_object_ref::<Self>().copied().or_else(|| Self::parse(value.as_str()?))
    }
    /// 4 or 6.
    pub const fn version(self) -> u8 {
        if self.ip.is_ipv4() { 4 } else { 6 }
    }
    /// The network it is in; the host alone when it has no length.
    pub fn network(self) -> IpNet {
        let whole = IpNet::from(self.ip);
        self.length.and_then(|length| IpNet::new(self.ip, length).ok()).unwrap_or(whole).trunc()
    }

    fn part(self, name: &str) -> Option<Value> {
        let longest = if self.ip.is_ipv4() { 32 } else { 128 };
        Some(match name {
            "ip" => Self::host(self.ip).value(),
            "version" | "family" => self.version().into(),
            "network" => Self::interface(self.network()).value(),
            "network_address" => Self::host(self.network().addr()).value(),
            "netmask" => Self::host(self.network().netmask()).value(),
            "hostmask" => Self::host(self.network().hostmask()).value(),
            "prefixlen" | "prefix_length" => self.length.unwrap_or(longest).into(),
            "max_prefixlen" => longest.into(),
            "compressed" | "with_prefixlen" => self.to_string().into(),
            "exploded" => self.exploded().into(),
            "is_private" => is_private(self.ip).into(),
            "is_global" => (!is_private(self.ip)).into(),
            "is_link_local" => match self.ip {
                IpAddr::V4(ip) => ip.is_link_local(),
                IpAddr::V6(ip) => ip.is_unicast_link_local(),
            }
            .into(),
            "is_multicast" => self.ip.is_multicast().into(),
            "is_loopback" => self.ip.is_loopback().into(),
            _ => return None,
        })
    }

    fn exploded(self) -> String {
        let ip = match self.ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => ip.segments().map(|part| format!("{part:04x}")).join(":"),
        };
        self.length.map_or(ip.clone(), |length| format!("{ip}/{length}"))
    }
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_documentation() || ip.is_unspecified()
        }
        IpAddr::V6(ip) => {
            let first = ip.segments()[0];
            ip.is_loopback()
                || ip.is_unspecified()
                || ip.is_unicast_link_local()
                || first & 0xfe00 == 0xfc00
                || (first == 0x2001 && ip.segments()[1] == 0xdb8)
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length {
            None => self.ip.fmt(f),
            Some(length) => write!(f, "{}/{length}", self.ip),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Object for Address {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.part(key.as_str()?)
    }
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.part(key)
    }
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some((self.ip, self.length).cmp(&(other.ip, other.length)))
    }
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.as_ref(), f)
    }
}

//! Field values as filters, orders and columns see them.

use std::net::IpAddr;

use meetme_base::{IpNet, Time};
use serde_json::Value as Json;

use crate::conn::Cell;

/// The type of a declared field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldType {
    /// true or false
    Bool,
    /// a signed 64-bit integer
    Int,
    /// text; compared and ordered by its bytes, or folded where the operator says so
    Text,
    /// an IPv4 or IPv6 address; IPv4 sorts before IPv6
    Ip,
    /// a network or an interface address with its length
    Net,
    /// a moment, UTC milliseconds
    Time,
    /// a list of texts, for array membership
    Texts,
    /// the id of another object (edges and `tenant`)
    Ref,
}

impl FieldType {
    /// The word that descriptors show.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "boolean",
            Self::Int => "integer",
            Self::Text => "text",
            Self::Ip => "ip",
            Self::Net => "cidr",
            Self::Time => "time",
            Self::Texts => "texts",
            Self::Ref => "reference",
        }
    }

    /// Reads a value of this type from text, as query strings carry it.
    pub fn parse(self, text: &str) -> Option<Value> {
        Some(match self {
            Self::Bool => match text {
                "true" | "True" | "1" => Value::Bool(true),
                "false" | "False" | "0" => Value::Bool(false),
                _ => return None,
            },
            Self::Int => Value::Int(text.parse().ok()?),
            Self::Ref => Value::Ref(text.parse().ok()?),
            Self::Text | Self::Texts => Value::Text(text.to_owned()),
            Self::Ip => Value::Ip(text.parse().ok()?),
            Self::Net => Value::Net(text.parse::<meetme_base::IfAddr>().ok()?.0),
            Self::Time => Value::Time(text.parse().ok()?),
        })
    }
}

/// One value of a field.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// no value; no comparison with it holds
    Null,
    /// see [`FieldType::Bool`]
    Bool(bool),
    /// see [`FieldType::Int`]
    Int(i64),
    /// see [`FieldType::Text`]
    Text(String),
    /// see [`FieldType::Ip`]
    Ip(IpAddr),
    /// see [`FieldType::Net`]
    Net(IpNet),
    /// see [`FieldType::Time`]
    Time(Time),
    /// see [`FieldType::Texts`]
    Texts(Vec<String>),
    /// see [`FieldType::Ref`]
    Ref(i64),
}

impl Value {
    /// Whether a field of type `t` may be compared with this value.
    pub(crate) fn fits(&self, t: FieldType) -> bool {
        matches!(
            (self, t),
            (Self::Bool(_), FieldType::Bool)
                | (Self::Int(_), FieldType::Int)
                | (Self::Text(_), FieldType::Text | FieldType::Texts)
                | (Self::Ip(_), FieldType::Ip)
                | (Self::Net(_), FieldType::Net)
                | (Self::Time(_), FieldType::Time)
                | (Self::Ref(_), FieldType::Ref)
        )
    }

    /// The column form. Addresses are bytes that sort as addresses do: family, address, length.
    pub(crate) fn cell(&self) -> Cell {
        match self {
            Self::Null => Cell::Null,
            Self::Bool(b) => Cell::Int(i64::from(*b)),
            Self::Int(n) | Self::Ref(n) => Cell::Int(*n),
            Self::Text(s) => Cell::Text(s.clone()),
            Self::Ip(ip) => Cell::Blob(ip_bytes(*ip)),
            Self::Net(net) => {
                let mut bytes = ip_bytes(net.addr());
                bytes.push(net.prefix_len());
                Cell::Blob(bytes)
            }
            Self::Time(t) => Cell::Int(t.0),
            Self::Texts(list) => Cell::Text(serde_json::to_string(list).unwrap_or_default()),
        }
    }

    /// The JSON form, as the native API writes it.
    pub fn json(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Int(n) | Self::Ref(n) => Json::from(*n),
            Self::Text(s) => Json::from(s.as_str()),
            Self::Ip(ip) => Json::from(ip.to_string()),
            Self::Net(net) => Json::from(net.to_string()),
            Self::Time(t) => Json::from(t.to_string()),
            Self::Texts(list) => Json::from(list.clone()),
        }
    }

    /// The order of two values of one type; `Null` sorts first.
    pub(crate) fn compare(&self, other: &Self) -> std::cmp::Ordering {
        use std::cmp::Ordering::Equal;
        match (self, other) {
            (Self::Null, Self::Null) => Equal,
            (Self::Null, _) => std::cmp::Ordering::Less,
            (_, Self::Null) => std::cmp::Ordering::Greater,
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Int(a) | Self::Ref(a), Self::Int(b) | Self::Ref(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            _ => match (self.cell(), other.cell()) {
                (Cell::Blob(a), Cell::Blob(b)) => a.cmp(&b),
                (Cell::Text(a), Cell::Text(b)) => a.cmp(&b),
                _ => Equal,
            },
        }
    }
}

fn ip_bytes(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(a) => [&[4u8][..], &a.octets()].concat(),
        IpAddr::V6(a) => [&[6u8][..], &a.octets()].concat(),
    }
}

macro_rules! from {
    ($($t:ty => |$x:ident| $make:expr),* $(,)?) => {$(
        impl From<$t> for Value {
            fn from($x: $t) -> Self {
                $make
            }
        }
    )*};
}

from! {
    bool => |x| Self::Bool(x),
    i64 => |x| Self::Int(x),
    i32 => |x| Self::Int(x.into()),
    u8 => |x| Self::Int(x.into()),
    u16 => |x| Self::Int(x.into()),
    u32 => |x| Self::Int(x.into()),
    &str => |x| Self::Text(x.to_owned()),
    String => |x| Self::Text(x),
    &String => |x| Self::Text(x.clone()),
    IpAddr => |x| Self::Ip(x),
    IpNet => |x| Self::Net(x),
    meetme_base::IfAddr => |x| Self::Net(x.0),
    Time => |x| Self::Time(x),
    Vec<String> => |x| Self::Texts(x),
    meetme_base::Asn => |x| Self::Int(x.get().into()),
    meetme_base::VlanId => |x| Self::Int(x.get().into()),
    meetme_base::Mbps => |x| Self::Int(x.get().into()),
    meetme_base::MacAddr => |x| Self::Text(x.to_string()),
    meetme_base::Uid => |x| Self::Text(x.to_string()),
}

impl<T> From<meetme_base::Id<T>> for Value {
    fn from(id: meetme_base::Id<T>) -> Self {
        Self::Ref(id.get())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(x: Option<T>) -> Self {
        x.map_or(Self::Null, Into::into)
    }
}

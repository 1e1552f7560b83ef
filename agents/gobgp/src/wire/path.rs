//! Routes, and the tables they are in.

use prost::Message;

use super::Family;

/// A message of a named type inside another.
#[derive(Clone, PartialEq, Message)]
pub struct Any {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct IpAddressPrefix {
    #[prost(uint32, tag = "1")]
    pub prefix_len: u32,
    #[prost(string, tag = "2")]
    pub prefix: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct OriginAttribute {
    #[prost(uint32, tag = "1")]
    pub origin: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct NextHopAttribute {
    #[prost(string, tag = "1")]
    pub next_hop: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct MpReachNlriAttribute {
    #[prost(message, optional, tag = "1")]
    pub family: Option<Family>,
    #[prost(string, repeated, tag = "2")]
    pub next_hops: Vec<String>,
    #[prost(message, repeated, tag = "3")]
    pub nlris: Vec<Any>,
}

/// A route.
#[derive(Clone, PartialEq, Message)]
pub struct Path {
    #[prost(message, optional, tag = "1")]
    pub nlri: Option<Any>,
    #[prost(message, repeated, tag = "2")]
    pub pattrs: Vec<Any>,
    #[prost(message, optional, tag = "9")]
    pub family: Option<Family>,
    #[prost(bool, tag = "12")]
    pub filtered: bool,
    /// The peer a route is from; `<nil>` for one that the daemon announces itself.
    #[prost(string, tag = "15")]
    pub neighbor_ip: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Destination {
    #[prost(string, tag = "1")]
    pub prefix: String,
    #[prost(message, repeated, tag = "2")]
    pub paths: Vec<Path>,
}

/// Numbers of tables.
pub mod table {
    pub const GLOBAL: i32 = 0;
    pub const ADJ_IN: i32 = 2;
    pub const ADJ_OUT: i32 = 3;
}

#[derive(Clone, PartialEq, Message)]
pub struct AddPath {
    #[prost(int32, tag = "1")]
    pub table_type: i32,
    #[prost(message, optional, tag = "3")]
    pub path: Option<Path>,
}

#[derive(Clone, PartialEq, Message)]
pub struct DeletePath {
    #[prost(int32, tag = "1")]
    pub table_type: i32,
    #[prost(message, optional, tag = "3")]
    pub family: Option<Family>,
    #[prost(message, optional, tag = "4")]
    pub path: Option<Path>,
}

#[derive(Clone, PartialEq, Message)]
pub struct LookupPrefix {
    #[prost(string, tag = "1")]
    pub prefix: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ListPath {
    #[prost(int32, tag = "1")]
    pub table_type: i32,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, optional, tag = "3")]
    pub family: Option<Family>,
    #[prost(message, repeated, tag = "4")]
    pub prefixes: Vec<LookupPrefix>,
    #[prost(bool, tag = "6")]
    pub enable_filtered: bool,
    /// Leaves out the attributes in words, which are most of an answer.
    #[prost(bool, tag = "9")]
    pub enable_only_binary: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct PathAnswer {
    #[prost(message, optional, tag = "1")]
    pub destination: Option<Destination>,
}

#[derive(Clone, PartialEq, Message)]
pub struct GetTable {
    #[prost(int32, tag = "1")]
    pub table_type: i32,
    #[prost(message, optional, tag = "2")]
    pub family: Option<Family>,
    #[prost(string, tag = "3")]
    pub name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct TableAnswer {
    #[prost(uint64, tag = "2")]
    pub num_path: u64,
}

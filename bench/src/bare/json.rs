//! The bare program's answers, written column by column. What the data set leaves at its default is written as such, without
//! being read: that is to the bare program's advantage.

use anyhow::{Context, Result};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    machines::{Common, Open},
    sql::{Ask, NETWORK_COUNT, SESSION_COUNT},
};
use crate::case::{NETWORKS, SESSIONS};

/// A row of either database.
pub trait Cells {
    /// A number.
    fn int(&self, at: usize) -> Result<i64>;
    /// A text, unless there is none.
    fn text(&self, at: usize) -> Result<Option<&str>>;
    /// Bytes.
    fn bytes(&self, at: usize) -> Result<&[u8]>;
}

/// An answer that is being written.
pub struct Answer<'a> {
    out: Vec<u8>,
    base: &'a str,
    ask: &'a Ask,
    rows: usize,
    /// The site of the last row, where rows are grouped by sites.
    site: Option<String>,
    /// What all machines have in common.
    pub(super) common: &'a Common,
    /// The machine that is being written.
    pub(super) open: Open,
}

impl<'a> Answer<'a> {
    /// Nothing yet. `base` is what links begin with.
    pub fn new(ask: &'a Ask, base: &'a str, common: &'a Common) -> Self {
        let room = 1024 * usize::try_from(ask.limit().unwrap_or(1)).unwrap_or(1);
        Self { out: Vec::with_capacity(room), base, ask, rows: 0, site: None, common, open: Open::default() }
    }

    /// Adds a row.
    pub fn row(&mut self, row: &impl Cells) -> Result<()> {
        if let Some(limit) = self.ask.limit() {
            if self.rows == 0 {
                self.head(row, limit)?;
            } else {
                self.raw(",");
            }
        }
        self.rows += 1;
        match self.ask {
            Ask::Network(_) | Ask::Networks(_) | Ask::NetworksNamed(..) => self.network(row),
            Ask::Session(_) | Ask::Sessions(_) | Ask::SessionsAt(..) => self.session(row),
            Ask::Capacity => self.capacity(row),
            Ask::Machines => self.machine(row),
        }
    }

    /// A plan at a site; the rows of a site come one after another.
    fn capacity(&mut self, row: &impl Cells) -> Result<()> {
        let (site, plan) = (row.text(0)?.unwrap_or_default(), row.text(1)?.unwrap_or_default());
        let (free, total) = (row.int(2)?, row.int(3)?);
        if self.site.as_deref() == Some(site) {
            self.raw(",");
        } else {
            let before = if self.site.is_none() { "{\"capacity\":{" } else { "}," };
            self.raw(before).text(Some(site)).raw(":{");
            self.site = Some(site.to_owned());
        }
        let level = match free {
            0 => "unavailable",
            _ if free * 10 <= total => "limited",
            _ => "normal",
        };
        self.text(Some(plan)).raw(":{\"level\":").text(Some(level)).raw("}");
        Ok(())
    }

    /// The whole text; none when one row was asked for and is not there.
    pub fn finish(mut self) -> Option<Vec<u8>> {
        if *self.ask == Ask::Capacity {
            self.raw(if self.rows == 0 { "{\"capacity\":{}}" } else { "}}}" });
        }
        if *self.ask == Ask::Machines {
            self.end_machines();
        }
        if self.ask.limit().is_some() {
            if self.rows == 0 {
                self.raw(r#"{"count":0,"next":null,"previous":null,"results":["#);
            }
            self.raw("]}");
        }
        (!self.out.is_empty()).then_some(self.out)
    }

    fn head(&mut self, row: &impl Cells, limit: i64) -> Result<()> {
        let (path, place) = match self.ask {
            Ask::Network(_) | Ask::Networks(_) | Ask::NetworksNamed(..) => (NETWORKS, NETWORK_COUNT),
            Ask::Session(_) | Ask::Sessions(_) | Ask::SessionsAt(..) => (SESSIONS, SESSION_COUNT),
            // They have no such head.
            Ask::Capacity | Ask::Machines => return Ok(()),
        };
        let count = row.int(place)?;
        let next = match self.ask {
            _ if count <= limit => "null".to_owned(),
            Ask::NetworksNamed(_, text) => {
                format!("\"{}{path}?limit={limit}&name__ic={text}&offset={limit}\"", self.base)
            }
            Ask::SessionsAt(_, at) => {
                format!("\"{}{path}?internet_exchange_id={at}&limit={limit}&offset={limit}\"", self.base)
            }
            _ => format!("\"{}{path}?limit={limit}&offset={limit}\"", self.base),
        };
        self.raw("{\"count\":").int(count).raw(",\"next\":").raw(&next).raw(",\"previous\":null,\"results\":[");
        Ok(())
    }

    /// Id, address and page, up to the display name.
    fn begin(&mut self, id: i64, app: &str, path: &str) -> &mut Self {
        let base = self.base;
        self.raw("{\"id\":").int(id).raw(",\"url\":\"").raw(base).raw("/api").raw(app).raw(path).int(id);
        self.raw("/\",\"display_url\":\"").raw(base).raw(app).raw(path).int(id).raw("/\",\"display\":")
    }

    fn network(&mut self, row: &impl Cells) -> Result<()> {
        let (number, name) = (row.int(1)?, row.text(2)?.unwrap_or_default());
        self.begin(row.int(0)?, "/peering", "/autonomous-systems/").raw("\"AS").int(number).raw(" - ").within(name);
        self.raw("\",\"asn\":").int(number).raw(",\"name\":").text(Some(name));
        self.raw(",\"name_peeringdb_sync\":").flag(row.int(3)?);
        self.raw(",\"description\":").text(Some(row.text(4)?.unwrap_or_default()));
        self.raw(",\"comments\":").text(Some(row.text(5)?.unwrap_or_default()));
        self.raw(",\"irr_as_set\":").text(row.text(6)?).raw(",\"irr_as_set_peeringdb_sync\":").flag(row.int(7)?);
        self.raw(",\"ipv6_max_prefixes\":").int(row.int(8)?);
        self.raw(",\"ipv6_max_prefixes_peeringdb_sync\":").flag(row.int(9)?);
        self.raw(",\"ipv4_max_prefixes\":").int(row.int(10)?);
        self.raw(",\"ipv4_max_prefixes_peeringdb_sync\":").flag(row.int(11)?);
        self.raw(",\"import_routing_policies\":[],\"export_routing_policies\":[],\"communities\":[],\"prefixes\":null");
        self.raw(",\"retrieve_prefixes\":true,\"as_list\":[],\"retrieve_as_list\":true,\"irr_sources_override\":\"\"");
        self.raw(",\"irr_ipv6_prefixes_args_override\":\"\",\"irr_ipv4_prefixes_args_override\":\"\",\"affiliated\":");
        self.flag(row.int(12)?).raw(",\"local_context_data\":null,\"config_context\":null");
        self.end(row.int(13)?, row.int(14)?)
    }

    fn session(&mut self, row: &impl Cells) -> Result<()> {
        let ip = host(row.bytes(2)?)?;
        let (number, name) = (row.int(14)?, row.text(15)?.unwrap_or_default());
        let exchange = row.text(20)?.unwrap_or_default();
        let router = row.text(21)?.unwrap_or_default();
        self.begin(row.int(0)?, "/peering", "/internet-exchange-peering-sessions/").raw("\"").within(exchange);
        self.raw(" - AS").int(number).raw(" - IP ").raw(&ip);
        self.raw("\",\"service_reference\":").text(row.text(1)?).raw(",\"autonomous_system\":");
        self.begin(row.int(13)?, "/peering", "/autonomous-systems/").raw("\"AS").int(number).raw(" - ").within(name);
        self.raw("\",\"asn\":").int(number).raw(",\"name\":").text(Some(name));
        self.raw(",\"ipv6_max_prefixes\":").int(row.int(16)?).raw(",\"ipv4_max_prefixes\":").int(row.int(17)?);
        self.raw("},\"ixp_connection\":").begin(row.int(18)?, "/net", "/connections/");
        self.raw("\"").within(exchange).raw(" on ").within(router);
        self.raw("\",\"name\":\"").within(exchange).raw(" on ").within(router);
        self.raw("\",\"mac_address\":null,\"ipv6_address\":null,\"ipv4_address\":\"");
        let bytes = row.bytes(19)?;
        self.raw(&host(bytes)?).raw("/").int(i64::from(bytes.get(5).copied().context("no prefix length")?));
        self.raw("\"},\"ip_address\":\"").raw(&ip).raw("\",\"status\":{\"value\":");
        let status = row.text(3)?.unwrap_or_default();
        let (first, rest) = status.split_at(1);
        self.text(Some(status)).raw(",\"label\":\"").raw(&first.to_uppercase()).within(rest);
        self.raw("\"},\"password\":null,\"encrypted_password\":null,\"multihop_ttl\":").int(row.int(4)?);
        self.raw(",\"passive\":").flag(row.int(5)?).raw(",\"is_route_server\":").flag(row.int(6)?);
        self.raw(",\"import_routing_policies\":[],\"export_routing_policies\":[],\"communities\":[],\"bfd\":null");
        self.raw(",\"local_context_data\":null,\"config_context\":null,\"exists_in_peeringdb\":false");
        self.raw(",\"is_abandoned\":false,\"bgp_state\":null,\"received_prefix_count\":").int(row.int(7)?);
        self.raw(",\"accepted_prefix_count\":").int(row.int(8)?).raw(",\"advertised_prefix_count\":").int(row.int(9)?);
        self.raw(",\"last_established_state\":null,\"comments\":").text(Some(row.text(10)?.unwrap_or_default()));
        self.end(row.int(11)?, row.int(12)?)
    }

    fn end(&mut self, created: i64, updated: i64) -> Result<()> {
        self.raw(",\"tags\":[],\"created\":").moment(created)?.raw(",\"updated\":").moment(updated)?.raw("}");
        Ok(())
    }

    pub(super) fn raw(&mut self, text: &str) -> &mut Self {
        self.out.extend_from_slice(text.as_bytes());
        self
    }

    pub(super) fn flag(&mut self, number: i64) -> &mut Self {
        self.raw(if number == 0 { "false" } else { "true" })
    }

    pub(super) fn int(&mut self, number: i64) -> &mut Self {
        let mut digits = [0; 20];
        let (mut at, mut left) = (digits.len(), number.unsigned_abs());
        while left > 0 || at == digits.len() {
            at -= 1;
            digits[at] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        if number < 0 {
            self.out.push(b'-');
        }
        self.out.extend_from_slice(&digits[at..]);
        self
    }

    pub(super) fn text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.raw("\"").within(text).raw("\""),
            None => self.raw("null"),
        }
    }

    /// A part of a text that stands in quotes.
    fn within(&mut self, text: &str) -> &mut Self {
        if text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
            return self.raw(text);
        }
        let quoted = serde_json::Value::from(text).to_string();
        self.raw(&quoted[1..quoted.len() - 1])
    }

    fn moment(&mut self, millis: i64) -> Result<&mut Self> {
        let time = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(millis)?);
        self.clock(time).raw(".");
        Ok(self.padded(time.millisecond().into(), 3).raw("000Z\""))
    }

    /// A moment to the second.
    pub(super) fn second(&mut self, millis: i64) -> Result<&mut Self> {
        let time = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(millis)?);
        Ok(self.clock(time).raw("Z\""))
    }

    /// The month of a moment.
    pub(super) fn month(&mut self, millis: i64) -> Result<&mut Self> {
        let time = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(millis)?);
        Ok(self.padded(time.year().into(), 4).raw("-").padded(time.month().into(), 2))
    }

    /// A quote, the day and the time, up to the second.
    fn clock(&mut self, time: DateTime) -> &mut Self {
        self.raw("\"").padded(time.year().into(), 4).raw("-").padded(time.month().into(), 2).raw("-");
        self.padded(time.day().into(), 2).raw("T").padded(time.hour().into(), 2).raw(":");
        self.padded(time.minute().into(), 2).raw(":").padded(time.second().into(), 2)
    }

    fn padded(&mut self, number: i64, width: u32) -> &mut Self {
        for place in (0..width).rev() {
            self.out.push(b'0' + (number / 10_i64.pow(place) % 10) as u8);
        }
        self
    }
}

/// An IPv4 address as the store keeps it: the length of the family in front.
fn host(bytes: &[u8]) -> Result<String> {
    let [4, a, b, c, d, ..] = bytes else { anyhow::bail!("not an IPv4 address: {bytes:?}") };
    Ok(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string())
}

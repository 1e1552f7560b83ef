//! Who may originate what: the payloads of validated ROAs, kept so that some 600,000 of them take a few megabytes, and the
//! judgement of RFC 6811.
//!
//! The table is one value, replaced as a whole. It is stored in parts beside its row ([`RoaChunk`]) and read once for each version;
//! a row for each payload would be half a million rows to replace every few minutes, for no question but the two asked here.

use std::sync::{Arc, PoisonError, RwLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use meetme_base::{Asn, Id, IpNet, NetRange};
use meetme_model::routing::{RoaChunk, RoaTable};
use meetme_store::{Filter, Order, Query, Tx};

use crate::{App, Error};

/// A validated ROA payload: this number may originate the prefix and its parts up to a length. The number 0 may originate nothing
/// (RFC 6483 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vrp {
    /// The prefix.
    pub prefix: IpNet,
    /// The longest length of a part that may be originated.
    pub longest: u8,
    /// The number.
    pub asn: u32,
}

/// What payloads say of a route (RFC 6811 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// No payload covers it.
    NotFound,
    /// One that covers it matches.
    Valid,
    /// Some cover it, none matches.
    Invalid,
}

/// A payload as it is kept: the prefix's bits from the left, its length, the longest length, the number. Twelve bytes for IPv4 and
/// 32 for IPv6.
type Entry<B> = (B, u8, u8, u32);

/// The payloads of one family, sorted by prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Side<B> {
    entries: Vec<Entry<B>>,
    /// The lengths that prefixes have.
    lengths: Vec<u8>,
}

/// The bits of an address of one family.
trait Bits: Copy + Ord {
    const WIDTH: u8;
    fn cut(self, len: u8) -> Self;
    fn end(self, len: u8) -> Self;
}

impl Bits for u32 {
    const WIDTH: u8 = 32;
    fn cut(self, len: u8) -> Self {
        if len == 0 { 0 } else { self & (u32::MAX << (32 - len)) }
    }
    fn end(self, len: u8) -> Self {
        if len == 0 { u32::MAX } else { self | u32::MAX.checked_shr(len.into()).unwrap_or(0) }
    }
}

impl Bits for u128 {
    const WIDTH: u8 = 128;
    fn cut(self, len: u8) -> Self {
        if len == 0 { 0 } else { self & (u128::MAX << (128 - len)) }
    }
    fn end(self, len: u8) -> Self {
        if len == 0 { u128::MAX } else { self | u128::MAX.checked_shr(len.into()).unwrap_or(0) }
    }
}

impl<B: Bits> Side<B> {
    fn of(mut entries: Vec<Entry<B>>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        entries.shrink_to_fit();
        let mut lengths: Vec<u8> = entries.iter().map(|e| e.1).collect();
        lengths.sort_unstable();
        lengths.dedup();
        lengths.shrink_to_fit();
        Self { entries, lengths }
    }

    /// The payloads whose prefix is this network or one that it lies in.
    fn covering(&self, net: B, len: u8) -> impl Iterator<Item = &Entry<B>> {
        self.lengths.iter().take_while(move |l| **l <= len).flat_map(move |l| {
            let key = (net.cut(*l), *l);
            let from = self.entries.partition_point(|e| (e.0, e.1) < key);
            self.entries[from..].iter().take_while(move |e| (e.0, e.1) == key)
        })
    }

    /// The payloads whose prefix is a part of this network, and not the network.
    fn inside(&self, net: B, len: u8) -> impl Iterator<Item = &Entry<B>> {
        let from = self.entries.partition_point(|e| e.0 < net);
        let end = net.end(len);
        self.entries[from..].iter().take_while(move |e| e.0 <= end).filter(move |e| e.1 > len)
    }

    fn validity(&self, net: B, len: u8, origin: Option<u32>) -> Validity {
        let mut covered = Validity::NotFound;
        for (_, _, longest, asn) in self.covering(net, len) {
            if len <= *longest && *asn != 0 && Some(*asn) == origin {
                return Validity::Valid;
            }
            covered = Validity::Invalid;
        }
        covered
    }
}

/// All payloads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    v4: Side<u32>,
    v6: Side<u128>,
}

/// What payloads make of a range of routes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// The routes that no payload covers.
    pub open: Vec<NetRange>,
    /// The routes that are valid if this number originates them.
    pub valid: Vec<(Asn, NetRange)>,
}

/// Makes a table of payloads one by one, so that no list of them need be held beside it.
#[derive(Default)]
pub struct Builder {
    v4: Vec<Entry<u32>>,
    v6: Vec<Entry<u128>>,
}

impl Builder {
    /// Adds a payload; false when its lengths contradict each other.
    pub fn push(&mut self, vrp: Vrp) -> bool {
        let len = vrp.prefix.prefix_len();
        if vrp.longest < len || vrp.longest > vrp.prefix.max_prefix_len() {
            return false;
        }
        match vrp.prefix.trunc() {
            IpNet::V4(net) => self.v4.push((net.addr().to_bits(), len, vrp.longest, vrp.asn)),
            IpNet::V6(net) => self.v6.push((net.addr().to_bits(), len, vrp.longest, vrp.asn)),
        }
        true
    }

    /// The table.
    pub fn table(self) -> Table {
        Table { v4: Side::of(self.v4), v6: Side::of(self.v6) }
    }
}

/// The most bytes of a part of a stored table, before they are spelled as text.
const PART: usize = 240_000;

impl Table {
    /// How many payloads there are, IPv4 and IPv6.
    pub fn counts(&self) -> (usize, usize) {
        (self.v4.entries.len(), self.v6.entries.len())
    }

    /// What the payloads say of a route with this origin; none when its path ends in a set.
    pub fn validity(&self, route: IpNet, origin: Option<Asn>) -> Validity {
        let origin = origin.map(Asn::get);
        match route.trunc() {
            IpNet::V4(net) => self.v4.validity(net.addr().to_bits(), net.prefix_len(), origin),
            IpNet::V6(net) => self.v6.validity(net.addr().to_bits(), net.prefix_len(), origin),
        }
    }

    /// Whether any of these numbers may originate a route: [`Validity::Valid`] if one may.
    pub fn validity_of_any(&self, route: IpNet, origins: &[Asn]) -> Validity {
        let mut out = self.validity(route, None);
        if out == Validity::Invalid
            && self
                .covering(route)
                .iter()
                .any(|vrp| route.prefix_len() <= vrp.longest && origins.iter().any(|asn| asn.get() == vrp.asn))
        {
            out = Validity::Valid;
        }
        out
    }

    fn covering(&self, route: IpNet) -> Vec<Vrp> {
        match route.trunc() {
            IpNet::V4(net) => self.v4.covering(net.addr().to_bits(), net.prefix_len()).map(vrp4).collect(),
            IpNet::V6(net) => self.v6.covering(net.addr().to_bits(), net.prefix_len()).map(vrp6).collect(),
        }
    }

    fn inside(&self, network: IpNet) -> Vec<Vrp> {
        match network.trunc() {
            IpNet::V4(net) => self.v4.inside(net.addr().to_bits(), net.prefix_len()).map(vrp4).collect(),
            IpNet::V6(net) => self.v6.inside(net.addr().to_bits(), net.prefix_len()).map(vrp6).collect(),
        }
    }

    /// Takes a range of routes apart: what no payload covers, and what is valid for whom. What is in neither is invalid.
    pub fn split(&self, range: NetRange) -> Split {
        let network = range.network();
        let covering = self.covering(network);
        let inside: Vec<Vrp> =
            self.inside(network).into_iter().filter(|vrp| vrp.prefix.prefix_len() <= range.longest()).collect();
        let mut out = Split::default();
        for vrp in covering.iter().chain(&inside) {
            let own = NetRange::new(vrp.prefix, vrp.prefix.prefix_len(), vrp.longest).ok();
            if let (Some(range), Ok(asn)) = (own.and_then(|own| own.and(range)), Asn::try_from(i64::from(vrp.asn))) {
                out.valid.push((asn, range));
            }
        }
        if covering.is_empty() {
            let mut covered: Vec<IpNet> = inside.iter().map(|vrp| vrp.prefix).collect();
            covered.dedup();
            carve(network, range.shortest(), range.longest(), &covered, &mut out.open);
        }
        out
    }

    /// The table in parts of bytes.
    pub fn parts(&self) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for entries in self.v4.entries.chunks(PART / 10) {
            let mut part = vec![4];
            for (net, len, longest, asn) in entries {
                part.extend(net.to_be_bytes());
                part.extend([*len, *longest]);
                part.extend(asn.to_be_bytes());
            }
            out.push(part);
        }
        for entries in self.v6.entries.chunks(PART / 22) {
            let mut part = vec![6];
            for (net, len, longest, asn) in entries {
                part.extend(net.to_be_bytes());
                part.extend([*len, *longest]);
                part.extend(asn.to_be_bytes());
            }
            out.push(part);
        }
        out
    }

    /// Reads the parts again; none when they are damaged.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for part in parts {
            let (family, bytes) = part.split_first()?;
            let width = match family {
                4 => 4,
                6 => 16,
                _ => return None,
            };
            let entries = bytes.chunks_exact(width + 6);
            if !entries.remainder().is_empty() {
                return None;
            }
            for entry in entries {
                let (net, rest) = entry.split_at(width);
                let asn = u32::from_be_bytes(rest[2..].try_into().ok()?);
                if *family == 4 {
                    v4.push((u32::from_be_bytes(net.try_into().ok()?), rest[0], rest[1], asn));
                } else {
                    v6.push((u128::from_be_bytes(net.try_into().ok()?), rest[0], rest[1], asn));
                }
            }
        }
        let fits = |width: u8, len: u8, longest: u8| len <= longest && longest <= width;
        let good = v4.iter().all(|e| fits(u32::WIDTH, e.1, e.2)) && v6.iter().all(|e| fits(u128::WIDTH, e.1, e.2));
        good.then(|| Self { v4: Side::of(v4), v6: Side::of(v6) })
    }
}

fn vrp4(entry: &Entry<u32>) -> Vrp {
    let net = ipnet::Ipv4Net::new(entry.0.into(), entry.1).unwrap_or_default();
    Vrp { prefix: net.into(), longest: entry.2, asn: entry.3 }
}

fn vrp6(entry: &Entry<u128>) -> Vrp {
    let net = ipnet::Ipv6Net::new(entry.0.into(), entry.1).unwrap_or_default();
    Vrp { prefix: net.into(), longest: entry.2, asn: entry.3 }
}

/// The routes of a network whose lengths lie in a range and that lie in none of `covered`, which are sorted and parts of it.
fn carve(network: IpNet, low: u8, high: u8, covered: &[IpNet], out: &mut Vec<NetRange>) {
    let len = network.prefix_len();
    if high < len || covered.first() == Some(&network) {
        return;
    }
    if covered.is_empty() {
        out.extend(NetRange::new(network, low.max(len), high));
        return;
    }
    // A network above a covered one is not covered itself.
    if low <= len {
        out.push(NetRange::exact(network));
    }
    let Ok(halves) = network.subnets(len + 1) else { return };
    let mut rest = covered;
    for half in halves {
        let mine = rest.partition_point(|net| half.contains(net));
        carve(half, low, high, &rest[..mine], out);
        rest = &rest[mine..];
    }
}

/// The table that was read last, by its row and version.
#[derive(Default)]
pub(crate) struct Cache(RwLock<Option<(Id<RoaTable>, u32, Arc<Table>)>>);

/// The table in use; an empty one when there is none.
///
/// # Errors
/// [`Error::Bug`] when what is stored is damaged.
pub fn table(app: &App, tx: &mut Tx<'_>) -> Result<Arc<Table>, Error> {
    tx.as_system(|tx| {
        let Some(row) = tx.one::<RoaTable>(&Filter::All)?.filter(|row| row.status.version > 0) else {
            return Ok(Arc::default());
        };
        let key = (row.id, row.status.version);
        let cache = &app.roas().0;
        if let Some((id, version, table)) = &*cache.read().unwrap_or_else(PoisonError::into_inner)
            && (*id, *version) == key
        {
            return Ok(Arc::clone(table));
        }
        let parts = Filter::eq("table", row.id.get()).and(Filter::eq("edition", i64::from(key.1)));
        let mut bytes = Vec::new();
        tx.each::<RoaChunk>(&Query::of(parts).order(vec![Order::up("part")]), |chunk| {
            bytes.push(STANDARD.decode(&chunk.spec.data).unwrap_or_default());
            Ok(())
        })?;
        let table = Table::of_parts(bytes.iter().map(Vec::as_slice));
        let table = Arc::new(table.ok_or_else(|| Error::Bug("the stored table of ROAs is damaged".to_owned()))?);
        *cache.write().unwrap_or_else(PoisonError::into_inner) = Some((key.0, key.1, Arc::clone(&table)));
        Ok(table)
    })
}

/// Puts a table in the place of the one that is stored. The row's status says of which version it is.
///
/// # Errors
/// When the database fails.
pub fn store(tx: &mut Tx<'_>, row: &meetme_store::Object<RoaTable>, table: &Table, version: u32) -> Result<(), Error> {
    tx.as_system(|tx| {
        let old = Filter::eq("table", row.id.get());
        while tx.forget::<RoaChunk>(&old, 1000)? > 0 {}
        for (part, bytes) in (0..).zip(table.parts()) {
            let chunk = RoaChunk { table: row.id.any(), edition: version, part, data: STANDARD.encode(bytes) };
            tx.create(row.tenant, chunk)?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests;

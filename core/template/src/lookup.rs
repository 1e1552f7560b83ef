//! Django-style lookups: `filter(status="enabled", ip_address__family=6, autonomous_system__asn__in=[64500, 64501])`.
//!
//! A name is a path of fields joined by `__`, perhaps with a comparison at its end. A path that goes through a list holds
//! when one of its members does. A field that an object does not have is an error, as a mistyped filter must not quietly
//! select nothing; in maps and lists of the template's own making it is a condition that fails.

use std::cmp::Ordering;

use ipnet::IpNet;
use minijinja::{Error, ErrorKind, Value, value::ValueKind};
use regex::{Regex, RegexBuilder};

use crate::{Address, Entity, Rows};

/// The longest regular expression, in bytes.
const LONGEST_REGEX: usize = 1_000;
/// The largest compiled regular expression, in bytes.
const LARGEST_REGEX: usize = 1 << 20;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Exact,
    Iexact,
    Contains,
    Icontains,
    Startswith,
    Istartswith,
    Endswith,
    Iendswith,
    In,
    Gt,
    Gte,
    Lt,
    Lte,
    Range,
    IsNull,
    Regex,
    NetContained,
    NetContainedOrEqual,
    NetContains,
    NetContainsOrEquals,
    NetOverlaps,
}

const OPS: &[(&str, Op)] = &[
    ("exact", Op::Exact),
    ("iexact", Op::Iexact),
    ("contains", Op::Contains),
    ("icontains", Op::Icontains),
    ("startswith", Op::Startswith),
    ("istartswith", Op::Istartswith),
    ("endswith", Op::Endswith),
    ("iendswith", Op::Iendswith),
    ("in", Op::In),
    ("gt", Op::Gt),
    ("gte", Op::Gte),
    ("lt", Op::Lt),
    ("lte", Op::Lte),
    ("range", Op::Range),
    ("isnull", Op::IsNull),
    ("regex", Op::Regex),
    ("iregex", Op::Regex),
    ("net_contained", Op::NetContained),
    ("net_contained_or_equal", Op::NetContainedOrEqual),
    ("net_contains", Op::NetContains),
    ("net_contains_or_equals", Op::NetContainsOrEquals),
    ("net_overlaps", Op::NetOverlaps),
];

/// One condition of a filter, read once for all rows.
pub(crate) struct Condition {
    path: Vec<String>,
    op: Op,
    want: Value,
    /// The members of `want`, where it is a list.
    list: Vec<Value>,
    pattern: Option<Regex>,
    net: Option<IpNet>,
}

fn wrong(why: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

impl Condition {
    /// Reads a condition from the name and value of an argument.
    pub fn read(name: &str, want: Value) -> Result<Self, Error> {
        let mut path: Vec<String> = name.split("__").map(str::to_owned).collect();
        let found = path.last().and_then(|last| OPS.iter().find(|(word, _)| word == last));
        let mut op = Op::Exact;
        let mut ignore_case = false;
        if let Some((word, named)) = found
            && path.len() > 1
        {
            op = *named;
            ignore_case = *word == "iregex";
            path.pop();
        }
        if path.iter().any(String::is_empty) || path.len() > 8 {
            return Err(wrong(format!("{name:?} is not a lookup")));
        }
        let list = match op {
            Op::In | Op::Range => {
                if want.as_str().is_some() {
                    return Err(wrong(format!("{name} wants a list")));
                }
                want.try_iter().map_err(|_| wrong(format!("{name} wants a list")))?.collect()
            }
            _ => Vec::new(),
        };
        if op == Op::Range && list.len() != 2 {
            return Err(wrong(format!("{name} wants a lower and an upper end")));
        }
        let pattern = if op == Op::Regex { Some(regex(name, &want, ignore_case)?) } else { None };
        let is_net = matches!(
            op,
            Op::NetContained | Op::NetContainedOrEqual | Op::NetContains | Op::NetContainsOrEquals | Op::NetOverlaps
        );
        let net = match is_net {
            true => Some(Address::of(&want).ok_or_else(|| wrong(format!("{name} wants a network")))?.network()),
            false => None,
        };
        Ok(Self { path, op, want, list, pattern, net })
    }

    /// How many values a row is compared with.
    pub fn weight(&self) -> usize {
        self.list.len().max(1)
    }

    /// Whether it holds for an item.
    pub fn holds(&self, item: &Value) -> Result<bool, Error> {
        self.walk(item, &self.path)
    }

    fn walk(&self, value: &Value, path: &[String]) -> Result<bool, Error> {
        if let Some(rows) = Rows::of(value) {
            if path.is_empty() && self.op == Op::IsNull {
                return Ok(rows.at.is_empty() == self.want.is_true());
            }
            for entity in rows.entities() {
                let member = Entity::value(&entity.tree, entity.key);
                if self.walk(&member, path)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let Some((name, rest)) = path.split_first() else { return Ok(self.compare(value)) };
        if let Some(entity) = Entity::of(value) {
            let next = entity.field(name).or_else(|| {
                // `autonomous_system_id` is the number of `autonomous_system`.
                let target = entity.tree.one(entity.key, name.strip_suffix("_id")?)?;
                Some(target.map_or(Value::from(()), |key| entity.tree.id(key).into()))
            });
            let Some(next) = next else {
                let model = entity.key.model.word();
                return Err(wrong(format!("cannot resolve keyword '{name}' into a field of {model}")));
            };
            return self.walk(&next, rest);
        }
        if value.downcast_object_ref::<Address>().is_some() {
            let next = value.get_attr(name)?;
            if next.is_undefined() {
                return Err(wrong(format!("an address has no '{name}'")));
            }
            return self.walk(&next, rest);
        }
        match value.kind() {
            ValueKind::Map => self.walk(&value.get_attr(name)?, rest),
            ValueKind::Seq | ValueKind::Iterable => {
                for member in value.try_iter()? {
                    if self.walk(&member, path)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            // Behind nothing is nothing.
            ValueKind::None | ValueKind::Undefined => Ok(self.compare(&Value::from(()))),
            _ => Ok(self.op == Op::IsNull && self.want.is_true()),
        }
    }

    fn compare(&self, value: &Value) -> bool {
        let is_null = value.is_none() || value.is_undefined();
        match self.op {
            Op::IsNull => return is_null == self.want.is_true(),
            Op::Exact => return same(value, &self.want),
            Op::In => return self.list.iter().any(|want| same(value, want)),
            _ if is_null => return false,
            _ => {}
        }
        let text = || value.to_string();
        let low = || value.to_string().to_lowercase();
        let want = || self.want.to_string();
        let low_want = || self.want.to_string().to_lowercase();
        match self.op {
            Op::Iexact => low() == low_want(),
            Op::Contains => text().contains(&want()),
            Op::Icontains => low().contains(&low_want()),
            Op::Startswith => text().starts_with(&want()),
            Op::Istartswith => low().starts_with(&low_want()),
            Op::Endswith => text().ends_with(&want()),
            Op::Iendswith => low().ends_with(&low_want()),
            Op::Gt => order(value, &self.want).is_some_and(Ordering::is_gt),
            Op::Gte => order(value, &self.want).is_some_and(Ordering::is_ge),
            Op::Lt => order(value, &self.want).is_some_and(Ordering::is_lt),
            Op::Lte => order(value, &self.want).is_some_and(Ordering::is_le),
            Op::Range => {
                let [low, high] = &self.list[..] else { return false };
                order(value, low).is_some_and(Ordering::is_ge) && order(value, high).is_some_and(Ordering::is_le)
            }
            Op::Regex => self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(&text())),
            _ => self.net_holds(value),
        }
    }

    fn net_holds(&self, value: &Value) -> bool {
        let (Some(want), Some(have)) = (self.net, Address::of(value).map(Address::network)) else { return false };
        match self.op {
            Op::NetContained => want.contains(&have) && want != have,
            Op::NetContainedOrEqual => want.contains(&have),
            Op::NetContains => have.contains(&want) && want != have,
            Op::NetContainsOrEquals => have.contains(&want),
            Op::NetOverlaps => want.contains(&have) || have.contains(&want),
            _ => false,
        }
    }
}

fn regex(name: &str, want: &Value, ignore_case: bool) -> Result<Regex, Error> {
    let text = want.as_str().ok_or_else(|| wrong(format!("{name} wants a regular expression")))?;
    if text.len() > LONGEST_REGEX {
        return Err(wrong(format!("{name}: a regular expression has at most {LONGEST_REGEX} bytes")));
    }
    let built = RegexBuilder::new(text).case_insensitive(ignore_case).size_limit(LARGEST_REGEX).build();
    built.map_err(|_| wrong(format!("{name}: {text:?} is not a regular expression that can be used")))
}

/// Whether two values are the same to a filter: objects by their number, numbers and their texts, addresses and theirs.
pub(crate) fn same(value: &Value, want: &Value) -> bool {
    if value == want {
        return true;
    }
    match (Entity::of(value), Entity::of(want)) {
        (Some(a), Some(b)) => a.key.model == b.key.model && a.tree.id(a.key) == b.tree.id(b.key),
        (Some(entity), None) => number(want) == Some(entity.tree.id(entity.key)),
        (None, Some(entity)) => number(value) == Some(entity.tree.id(entity.key)),
        (None, None) => {
            if value.is_none() || want.is_none() || value.is_undefined() || want.is_undefined() {
                return false;
            }
            match (value.downcast_object_ref::<Address>(), want.downcast_object_ref::<Address>()) {
                (Some(address), None) => Address::of(want).as_ref() == Some(address),
                (None, Some(address)) => Address::of(value).as_ref() == Some(address),
                _ => match (value.kind(), want.kind()) {
                    (ValueKind::Number, ValueKind::String) | (ValueKind::String, ValueKind::Number) => {
                        number(value).is_some() && number(value) == number(want)
                    }
                    _ => false,
                },
            }
        }
    }
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().filter(|_| value.is_number()).or_else(|| value.as_str()?.trim().parse().ok())
}

fn order(value: &Value, want: &Value) -> Option<Ordering> {
    if let (Some(a), Some(b)) = (value.downcast_object_ref::<Address>(), Address::of(want)) {
        return Some((a.ip, a.length).cmp(&(b.ip, b.length)));
    }
    match (value.kind(), want.kind()) {
        (ValueKind::Number, ValueKind::String) => Some(number(value)?.cmp(&number(want)?)),
        (a, b) if a == b => Some(value.cmp(want)),
        _ => None,
    }
}

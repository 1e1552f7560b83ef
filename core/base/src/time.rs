//! Time as a value: UTC milliseconds, taken from a clock that tests can set.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicI64, Ordering},
};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: milliseconds since 1970-01-01T00:00:00Z. JSON form: RFC 3339 with milliseconds and `Z`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Time(pub i64);

impl Time {
    /// This moment moved by whole seconds, which may be negative.
    #[must_use]
    pub const fn plus_seconds(self, s: i64) -> Self {
        Self(self.0 + s * 1000)
    }
    /// This moment moved by milliseconds, which may be negative.
    #[must_use]
    pub const fn plus_millis(self, ms: i64) -> Self {
        Self(self.0 + ms)
    }
    /// Whole seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
    /// RFC 3339 in UTC to the second, such as `2026-11-22T09:30:00Z`.
    pub fn rfc3339_seconds(self) -> String {
        self.stamp().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
    /// RFC 3339 in UTC with six fraction digits, such as `2026-11-22T09:30:00.123000Z`.
    pub fn rfc3339_micros(self) -> String {
        self.stamp().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
    }
    fn stamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.stamp().strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}
impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Time {
    type Err = ();
    /// Reads RFC 3339 with any offset, with `T` or a blank between date and time.
    fn from_str(s: &str) -> Result<Self, ()> {
        s.parse::<jiff::Timestamp>().map(|t| Self(t.as_millisecond())).map_err(|_| ())
    }
}
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(|()| serde::de::Error::custom("must be an RFC 3339 time"))
    }
}
impl JsonSchema for Time {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Time".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// Where the present moment comes from. The only source of it outside tests is [`SystemClock`].
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Time;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
    fn now(&self) -> Time {
        Time(jiff::Timestamp::now().as_millisecond())
    }
}

/// A clock that stands still until it is stepped.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    pub const fn new(start: Time) -> Self {
        Self(AtomicI64::new(start.0))
    }
    /// Moves the clock forward.
    pub fn step_seconds(&self, s: i64) {
        self.0.fetch_add(s * 1000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_what_it_writes() {
        let t = Time(1_784_000_000_123);
        assert_eq!(t.to_string().parse(), Ok(t));
        assert_eq!("2022-09-17T21:37:24.928949+02:00".parse::<Time>().unwrap().to_string(), "2022-09-17T19:37:24.928Z");
        assert_eq!(t.rfc3339_micros().len(), 27);
    }
}

//! Time series: what was counted or read of an object, by name, in buckets of a minute, an hour and a day. Each step is kept for its
//! own time, so a series never has more than some 5,500 rows however long it goes on.
//!
//! Values are whole numbers in the smallest unit of what they measure (bytes, millionths of a currency). A bucket knows the sum of
//! its values, for amounts, and the last one, for readings.

use meetme_base::{RawId, Time};

use crate::{Error, Tx, conn::Cell};

/// How wide the buckets of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A minute; kept for two days.
    Minute,
    /// An hour; kept for sixty days.
    Hour,
    /// A day, in UTC; kept for three years.
    Day,
}

impl Step {
    /// All of them, the finest first.
    pub const ALL: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// Its width in milliseconds.
    pub const fn millis(self) -> i64 {
        match self {
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    /// For how many milliseconds it is kept.
    pub const fn kept(self) -> i64 {
        match self {
            Self::Minute => 2 * Self::Day.millis(),
            Self::Hour => 60 * Self::Day.millis(),
            Self::Day => 3 * 366 * Self::Day.millis(),
        }
    }

    /// The finest step that is still kept for a moment so long ago.
    pub fn for_age(millis: i64) -> Self {
        Self::ALL.into_iter().find(|step| millis < step.kept()).unwrap_or(Self::Day)
    }

    fn start(self, at: Time) -> i64 {
        at.0.div_euclid(self.millis()) * self.millis()
    }
}

/// One bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it begins.
    pub at: Time,
    /// The sum of its values.
    pub sum: i64,
    /// The value that came last.
    pub last: i64,
}

/// The most buckets of one step that an amount is spread over; one that took longer is kept in coarser steps only.
const SPREAD: i64 = 120;

impl Tx<'_> {
    /// Keeps a reading: what a value is at this moment.
    ///
    /// # Errors
    /// When the database fails.
    pub fn keep_reading(&mut self, object: RawId, name: &str, value: i64) -> Result<(), Error> {
        self.must_write()?;
        let now = self.now;
        for step in Step::ALL {
            self.keep(object, name, step, step.start(now), value)?;
        }
        self.prune(object, name)
    }

    /// Keeps an amount that came together between two moments: each bucket in between gets its share.
    ///
    /// # Errors
    /// When the database fails.
    pub fn keep_amount(
        &mut self,
        object: RawId,
        name: &str,
        from: Time,
        until: Time,
        amount: i64,
    ) -> Result<(), Error> {
        self.must_write()?;
        let whole = until.0 - from.0;
        if whole <= 0 || amount < 0 {
            return Ok(());
        }
        for step in Step::ALL {
            let (first, width) = (step.start(from), step.millis());
            if (until.0 - first) / width >= SPREAD {
                continue;
            }
            // Shares are differences of rounded running sums, so that they add up to the amount.
            let upto = |at: i64| {
                let part = i128::from(amount) * i128::from(at.clamp(from.0, until.0) - from.0) / i128::from(whole);
                i64::try_from(part).unwrap_or(amount)
            };
            let mut at = first;
            while at < until.0 {
                self.keep(object, name, step, at, upto(at + width) - upto(at))?;
                at += width;
            }
        }
        self.prune(object, name)
    }

    /// The buckets of a series that begin at or after `from` and before `until`, in order. Buckets in which nothing was kept are not
    /// among them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn samples(
        &mut self,
        object: RawId,
        name: &str,
        step: Step,
        from: Time,
        until: Time,
    ) -> Result<Vec<Sample>, Error> {
        self.conn.all(
            "SELECT at, sum, last FROM sample WHERE object = ?1 AND name = ?2 AND step = ?3 AND at >= ?4 AND at < ?5 ORDER BY at",
            &[
                Cell::Int(object.get()),
                Cell::Text(name.to_owned()),
                Cell::Int(step.millis()),
                Cell::Int(from.0),
                Cell::Int(until.0),
            ],
            |r| Ok(Sample { at: Time(r.int(0)?), sum: r.int(1)?, last: r.int(2)? }),
        )
    }

    fn keep(&mut self, object: RawId, name: &str, step: Step, at: i64, value: i64) -> Result<(), Error> {
        self.conn.execute(
            "INSERT INTO sample (object, name, step, at, sum, last) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
             ON CONFLICT (object, name, step, at) DO UPDATE SET sum = sample.sum + excluded.sum, last = excluded.last",
            &[
                Cell::Int(object.get()),
                Cell::Text(name.to_owned()),
                Cell::Int(step.millis()),
                Cell::Int(at),
                Cell::Int(value),
            ],
        )?;
        Ok(())
    }

    /// Forgets what is older than its step is kept.
    fn prune(&mut self, object: RawId, name: &str) -> Result<(), Error> {
        for step in Step::ALL {
            self.conn.execute(
                "DELETE FROM sample WHERE object = ?1 AND name = ?2 AND step = ?3 AND at < ?4",
                &[
                    Cell::Int(object.get()),
                    Cell::Text(name.to_owned()),
                    Cell::Int(step.millis()),
                    Cell::Int(self.now.0 - step.kept()),
                ],
            )?;
        }
        Ok(())
    }
}

//! Pools of numbered things and who holds them: addresses, VLANs, AS numbers, servers, units of speed. A claim is taken inside the
//! caller's transaction, under a lock on the pool's row, so two callers never get the same item and none has to retry.
//!
//! Road not taken: read the free items, then insert; under 8 writers that retried 3,954 times where the lock retried none.

use std::ops::RangeInclusive;

use meetme_base::RawId;

use crate::{
    Error, Tx,
    conn::{Cell, Row},
};

/// A held stretch of a pool: items `item .. item + size`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The first item.
    pub item: i64,
    /// How many items.
    pub size: i64,
    /// Who holds them.
    pub owner: RawId,
}

impl Tx<'_> {
    /// Takes the lowest free stretch of `size` items inside `range`, beginning at a multiple of `size` counted from the range's
    /// start, and answers its first item. Items named in `except` are passed over.
    ///
    /// # Errors
    /// [`Error::Exhausted`] when nothing fits.
    pub fn claim(
        &mut self,
        pool: &str,
        range: RangeInclusive<i64>,
        size: i64,
        except: &[i64],
        owner: RawId,
    ) -> Result<i64, Error> {
        self.must_write()?;
        positive(size)?;
        let start = *range.start();
        let mut run = self.lock(pool)?;
        if !(run.base..run.low).contains(&start) {
            // What is known of the pool says nothing of this range: look from its start.
            run = Run { base: start, low: start, ..run };
        }
        let mut except = except.to_vec();
        except.sort_unstable();
        let item = self.first_free(pool, &range, size, &except, &mut run)?;
        self.hold(pool, item, size, owner)?;
        run.add(&Claim { item, size, owner });
        if run.low - run.base >= run.known { self.set_run(pool, run.base, run.low) } else { Ok(()) }?;
        Ok(item)
    }

    /// Walks over what is held from the end of the known run on, a page at a time.
    fn first_free(
        &mut self,
        pool: &str,
        range: &RangeInclusive<i64>,
        size: i64,
        except: &[i64],
        run: &mut Run,
    ) -> Result<i64, Error> {
        let start = i128::from(*range.start());
        let align = |n: i128| start + (n - start + i128::from(size) - 1).div_euclid(size.into()) * i128::from(size);
        let mut item = align(run.low.into());
        let mut page = self.claims_from(pool, run.low)?;
        let mut held = page.iter().peekable();
        loop {
            if item + i128::from(size) - 1 > i128::from(*range.end()) {
                return Err(Error::Exhausted { pool: pool.to_owned() });
            }
            while let Some(c) = held.next_if(|c| i128::from(c.item) + i128::from(c.size) <= item) {
                run.add(c);
            }
            if held.peek().is_none()
                && page.len() == PAGE
                && let Some(last) = page.last()
            {
                page = self.claims_from(pool, last.item + last.size)?;
                held = page.iter().peekable();
                continue;
            }
            let last = item + i128::from(size) - 1;
            let barred = except.get(except.partition_point(|e| i128::from(*e) < item));
            if let Some(c) = held.peek().filter(|c| i128::from(c.item) <= last) {
                item = align(i128::from(c.item) + i128::from(c.size));
            } else if let Some(e) = barred.filter(|e| i128::from(**e) <= last) {
                item = align(i128::from(*e) + 1);
            } else {
                return i64::try_from(item).map_err(|_| Error::Bug("an item outside of its range".into()));
            }
        }
    }

    /// Takes exactly these items.
    ///
    /// # Errors
    /// [`Error::Exhausted`] with the holder's id in its text when any of them is held.
    pub fn claim_exact(&mut self, pool: &str, item: i64, size: i64, owner: RawId) -> Result<(), Error> {
        self.must_write()?;
        positive(size)?;
        self.lock(pool)?;
        if let Some(taken) = self.taken(pool, item, size)? {
            return Err(Error::Exhausted { pool: format!("{pool}: {item} is held by {}", taken.owner) });
        }
        self.hold(pool, item, size, owner)
    }

    /// Who holds any of these items.
    ///
    /// # Errors
    /// When the database fails.
    pub fn taken(&mut self, pool: &str, item: i64, size: i64) -> Result<Option<Claim>, Error> {
        // Claims do not overlap, so the last one that begins before the end reaches furthest.
        let found = self.conn.first(
            "SELECT item, size, owner FROM claim WHERE pool = ?1 AND item < ?2 ORDER BY item DESC LIMIT 1",
            &[Cell::Text(pool.to_owned()), Cell::Int(item.saturating_add(size))],
            read,
        )?;
        Ok(found.filter(|c| item < c.item + c.size))
    }

    /// All claims in a pool from `from` on, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub fn claims(&mut self, pool: &str, from: i64) -> Result<Vec<Claim>, Error> {
        let sql = format!("{FROM} ORDER BY item");
        let mut out = self.conn.all(&sql, &[Cell::Text(pool.to_owned()), Cell::Int(from)], read)?;
        out.retain(|c| c.item + c.size > from);
        Ok(out)
    }

    /// How many items of a pool are held.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count_claims(&mut self, pool: &str) -> Result<i64, Error> {
        let sql = "SELECT CAST(COALESCE(sum(size), 0) AS BIGINT) FROM claim WHERE pool = ?1";
        Ok(self.conn.first(sql, &[Cell::Text(pool.to_owned())], |r| r.int(0))?.unwrap_or(0))
    }

    /// What an object holds: pool and claim.
    ///
    /// # Errors
    /// When the database fails.
    pub fn held_by(&mut self, owner: RawId) -> Result<Vec<(String, Claim)>, Error> {
        self.conn.all(
            "SELECT pool, item, size FROM claim WHERE owner = ?1 ORDER BY pool, item",
            &[Cell::Int(owner.get())],
            |r| Ok((r.text(0)?.to_owned(), Claim { item: r.int(1)?, size: r.int(2)?, owner })),
        )
    }

    /// Gives back one stretch.
    ///
    /// # Errors
    /// When the database fails.
    pub fn release(&mut self, pool: &str, item: i64) -> Result<(), Error> {
        self.must_write()?;
        let run = self.lock(pool)?;
        let freed = self.conn.first(
            "DELETE FROM claim WHERE pool = ?1 AND item = ?2 RETURNING item, size, owner",
            &[Cell::Text(pool.to_owned()), Cell::Int(item)],
            read,
        )?;
        self.shorten(pool, &run, freed.as_slice())
    }

    /// Gives back everything an object holds.
    ///
    /// # Errors
    /// When the database fails.
    pub fn release_all(&mut self, owner: RawId) -> Result<(), Error> {
        self.must_write()?;
        self.free(&Cell::Ints(vec![owner.get()]))?;
        self.conn.execute("DELETE FROM claim WHERE owner = ?1", &[Cell::Int(owner.get())])?;
        Ok(())
    }

    /// Shortens the runs of the pools in which these owners hold something.
    pub(crate) fn free(&mut self, owners: &Cell) -> Result<(), Error> {
        let condition = self.conn.flavour().is_in("owner", 1);
        let sql = format!("SELECT pool, item, size FROM claim WHERE {condition} ORDER BY pool, item");
        let held = self.conn.all(&sql, std::slice::from_ref(owners), |r| {
            Ok((r.text(0)?.to_owned(), Claim { item: r.int(1)?, size: r.int(2)?, owner: RawId::new(0) }))
        })?;
        for group in held.chunk_by(|a, b| a.0 == b.0) {
            let pool = &group[0].0;
            let run = self.lock(pool)?;
            let freed: Vec<Claim> = group.iter().map(|(_, claim)| *claim).collect();
            self.shorten(pool, &run, &freed)?;
        }
        Ok(())
    }

    /// Ends the run where the first of these claims began; one may have begun before the run did.
    fn shorten(&mut self, pool: &str, run: &Run, freed: &[Claim]) -> Result<(), Error> {
        let inside = freed.iter().filter(|c| c.item < run.low && c.item + c.size > run.base);
        match inside.map(|c| c.item.max(run.base)).min() {
            Some(low) => self.set_run(pool, run.base, low),
            None => Ok(()),
        }
    }

    /// Locks the pool's row until the end of the transaction: whoever reads who holds what after this reads the truth.
    pub(crate) fn lock_pool(&mut self, pool: &str) -> Result<(), Error> {
        self.must_write()?;
        self.lock(pool).map(drop)
    }

    /// Locks the pool's row until the end of the transaction and answers what is known of it.
    fn lock(&mut self, pool: &str) -> Result<Run, Error> {
        let found = self.conn.first(
            "INSERT INTO pool (name, base, low) VALUES (?1, 0, 0)
             ON CONFLICT (name) DO UPDATE SET low = pool.low RETURNING base, low",
            &[Cell::Text(pool.to_owned())],
            |r| Ok((r.int(0)?, r.int(1)?)),
        )?;
        let (base, low) = found.ok_or_else(|| Error::Bug("a pool's row did not come back".into()))?;
        Ok(Run { base, low, known: low - base })
    }

    fn set_run(&mut self, pool: &str, base: i64, low: i64) -> Result<(), Error> {
        self.conn.execute(
            "UPDATE pool SET base = ?2, low = ?3 WHERE name = ?1",
            &[Cell::Text(pool.to_owned()), Cell::Int(base), Cell::Int(low)],
        )?;
        Ok(())
    }

    /// Some claims in order, beginning with the one that holds `from` or begins before it.
    fn claims_from(&mut self, pool: &str, from: i64) -> Result<Vec<Claim>, Error> {
        let sql = format!("{FROM} ORDER BY item LIMIT {PAGE}");
        self.conn.all(&sql, &[Cell::Text(pool.to_owned()), Cell::Int(from)], read)
    }

    fn hold(&mut self, pool: &str, item: i64, size: i64, owner: RawId) -> Result<(), Error> {
        self.conn.execute(
            "INSERT INTO claim (pool, item, size, owner) VALUES (?1, ?2, ?3, ?4)",
            &[Cell::Text(pool.to_owned()), Cell::Int(item), Cell::Int(size), Cell::Int(owner.get())],
        )?;
        Ok(())
    }
}

/// Claims of a pool from the last one on that begins at or before an item: claims do not overlap, so no other can reach it.
const FROM: &str = "SELECT item, size, owner FROM claim WHERE pool = ?1
     AND item >= COALESCE((SELECT max(item) FROM claim WHERE pool = ?1 AND item <= ?2), ?2)";

/// How many claims are read at once.
const PAGE: usize = 256;

/// A stretch of a pool in which everything is held, so that nobody needs to look there: `base .. low`.
struct Run {
    base: i64,
    low: i64,
    /// How long the stored one is: it gives way only to a longer one.
    known: i64,
}

impl Run {
    /// Makes it longer by a claim that begins inside it or right behind it.
    fn add(&mut self, claim: &Claim) {
        if claim.item <= self.low {
            self.low = self.low.max(claim.item.saturating_add(claim.size));
        }
    }
}

fn positive(size: i64) -> Result<(), Error> {
    if size > 0 { Ok(()) } else { Err(Error::Bug("a claim of nothing".into())) }
}

fn read(r: &dyn Row) -> Result<Claim, Error> {
    Ok(Claim { item: r.int(0)?, size: r.int(1)?, owner: RawId::new(r.int(2)?) })
}

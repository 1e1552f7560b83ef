//! The work queue: which controller should look at which object, and when. Only keys travel; a controller decides from what is
//! stored when it looks. A row is leased to one worker at a time under a fence that only rises, also over restarts.

use meetme_base::{RawId, Time};

use crate::{
    Error, Tx,
    conn::{Cell, Flavour, Row},
};

/// A lease on one piece of work. Whoever holds the highest fence is right; equipment refuses lower ones.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lease {
    /// The controller.
    pub controller: String,
    /// The object to look at.
    pub id: RawId,
    /// Rises with every lease of this row.
    pub fence: u64,
    /// How many leases in a row ended without settling, this one included.
    pub attempts: u32,
    /// Who holds it.
    pub holder: String,
    pub(crate) rev: i64,
}

/// A row of the queue, for people who ask what is going on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Work {
    /// The controller.
    pub controller: String,
    /// The object.
    pub id: RawId,
    /// When it is next due; `None` when nothing is to do.
    pub due_at: Option<Time>,
    /// How many leases in a row ended without settling.
    pub attempts: u32,
    /// Who holds it, if anybody.
    pub leased_by: Option<String>,
    /// The last fence given out.
    pub fence: u64,
    /// The last outcome in words.
    pub note: Option<String>,
}

impl Tx<'_> {
    /// Asks for a look at an object, at the latest at `due`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn enqueue(&mut self, controller: &str, id: RawId, due: Time) -> Result<(), Error> {
        self.must_write()?;
        self.conn.execute(
            "INSERT INTO work (controller, id, due_at, attempts, leased_by, lease_until, fence, rev)
             VALUES (?1, ?2, ?3, 0, NULL, 0, 0, 1)
             ON CONFLICT (controller, id) DO UPDATE SET
               due_at = CASE WHEN work.due_at IS NULL OR work.due_at > excluded.due_at THEN excluded.due_at ELSE work.due_at END,
               attempts = 0, rev = work.rev + 1",
            &[Cell::Text(controller.to_owned()), Cell::Int(id.get()), Cell::Int(due.0)],
        )?;
        self.worked = true;
        Ok(())
    }

    /// Takes up to `limit` pieces of work that are due and not held, for `seconds`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn lease(&mut self, controllers: &[&str], holder: &str, seconds: i64, limit: u32) -> Result<Vec<Lease>, Error> {
        self.must_write()?;
        let now = self.now;
        let names = Cell::Texts(controllers.iter().map(|c| (*c).to_owned()).collect());
        let flavour = self.conn.flavour();
        let lock = if flavour == Flavour::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" };
        // Materialized: a plan that looked twice would lock twice as many.
        let sql = format!(
            "WITH pick AS MATERIALIZED (SELECT controller, id FROM work
               WHERE due_at <= ?1 AND lease_until <= ?1 AND {} ORDER BY due_at LIMIT ?3{lock})
             UPDATE work SET leased_by = ?4, lease_until = ?5, fence = work.fence + 1, attempts = work.attempts + 1
             FROM pick WHERE work.controller = pick.controller AND work.id = pick.id
             RETURNING work.controller, work.id, work.fence, work.attempts, work.rev, work.due_at",
            flavour.is_in("controller", 2)
        );
        let until = now.plus_seconds(seconds);
        let params =
            [Cell::Int(now.0), names, Cell::Int(limit.into()), Cell::Text(holder.to_owned()), Cell::Int(until.0)];
        let mut out = self.conn.all(&sql, &params, |r| {
            let lease = Lease {
                controller: r.text(0)?.to_owned(),
                id: RawId::new(r.int(1)?),
                fence: u64::try_from(r.int(2)?).unwrap_or(0),
                attempts: u32::try_from(r.int(3)?).unwrap_or(u32::MAX),
                holder: holder.to_owned(),
                rev: r.int(4)?,
            };
            Ok((r.opt_int(5)?, lease))
        })?;
        out.sort_by_key(|(due, lease)| (*due, lease.id));
        Ok(out.into_iter().map(|(_, lease)| lease).collect())
    }

    /// Whether the lease still stands; its end is put off by `seconds`. Call it first in the transaction that records an outcome.
    ///
    /// # Errors
    /// [`Error::Stale`] when somebody else holds a higher fence: nothing of this outcome may be kept.
    pub fn still_holds(&mut self, lease: &Lease, seconds: i64) -> Result<(), Error> {
        self.must_write()?;
        let n = self.conn.execute(
            "UPDATE work SET lease_until = ?4 WHERE controller = ?1 AND id = ?2 AND fence = ?3 AND leased_by = ?5",
            &[
                Cell::Text(lease.controller.clone()),
                Cell::Int(lease.id.get()),
                Cell::Int(i64::try_from(lease.fence).unwrap_or(i64::MAX)),
                Cell::Int(self.now.plus_seconds(seconds).0),
                Cell::Text(lease.holder.clone()),
            ],
        )?;
        if n == 1 { Ok(()) } else { Err(Error::Stale { version: lease.fence }) }
    }

    /// Ends a lease: look again at `next`, or only when something changes. What changed while it was held is looked at now.
    /// `settled` starts the count of attempts anew.
    ///
    /// # Errors
    /// [`Error::Stale`] when the lease no longer stands.
    pub fn finish(&mut self, lease: &Lease, next: Option<Time>, settled: bool, note: &str) -> Result<(), Error> {
        self.must_write()?;
        let n = self.conn.execute(
            "UPDATE work SET leased_by = NULL, lease_until = 0, note = ?7,
               due_at = CASE WHEN rev = ?4 THEN CAST(?5 AS BIGINT) ELSE ?8 END,
               attempts = CASE WHEN ?6 = 1 OR rev <> ?4 THEN 0 ELSE attempts END
             WHERE controller = ?1 AND id = ?2 AND fence = ?3 AND leased_by = ?9",
            &[
                Cell::Text(lease.controller.clone()),
                Cell::Int(lease.id.get()),
                Cell::Int(i64::try_from(lease.fence).unwrap_or(i64::MAX)),
                Cell::Int(lease.rev),
                next.map_or(Cell::Null, |t| Cell::Int(t.0)),
                Cell::Int(i64::from(settled)),
                Cell::Text(note.replace('\0', "")),
                Cell::Int(self.now.0),
                Cell::Text(lease.holder.clone()),
            ],
        )?;
        self.worked = true;
        if n == 1 { Ok(()) } else { Err(Error::Stale { version: lease.fence }) }
    }

    /// The queue's row for an object.
    ///
    /// # Errors
    /// When the database fails.
    pub fn work_of(&mut self, controller: &str, id: RawId) -> Result<Option<Work>, Error> {
        self.conn.first(
            "SELECT controller, id, due_at, attempts, leased_by, fence, note FROM work WHERE controller = ?1 AND id = ?2",
            &[Cell::Text(controller.to_owned()), Cell::Int(id.get())],
            read,
        )
    }

    /// When the next piece of work is due, if any waits.
    ///
    /// # Errors
    /// When the database fails.
    pub fn next_due(&mut self, controllers: &[&str]) -> Result<Option<Time>, Error> {
        let condition = self.conn.flavour().is_in("controller", 1);
        let names = Cell::Texts(controllers.iter().map(|c| (*c).to_owned()).collect());
        let sql = format!(
            "SELECT CAST(min(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) AS BIGINT) FROM work
             WHERE due_at IS NOT NULL AND {condition}"
        );
        Ok(self.conn.first(&sql, &[names], |r| r.opt_int(0))?.flatten().map(Time))
    }

    /// Forgets the queue's row of an object that is gone. Its fence is forgotten too, so ids must never be used twice: they are not.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_work(&mut self, lease: &Lease) -> Result<(), Error> {
        self.must_write()?;
        self.conn.execute(
            "DELETE FROM work WHERE controller = ?1 AND id = ?2 AND rev = ?3 AND fence = ?4",
            &[
                Cell::Text(lease.controller.clone()),
                Cell::Int(lease.id.get()),
                Cell::Int(lease.rev),
                Cell::Int(i64::try_from(lease.fence).unwrap_or(i64::MAX)),
            ],
        )?;
        Ok(())
    }

    /// Runs the triggers of everything this transaction touched. Each target is asked for once, however many rows point at it.
    pub(crate) fn wake(&mut self) -> Result<(), Error> {
        let mut due: std::collections::BTreeSet<(&'static str, RawId)> = std::collections::BTreeSet::new();
        let touched = std::mem::take(&mut self.touched);
        if touched.is_empty() {
            return Ok(());
        }
        let shared = self.shared;
        self.as_system(|tx| {
            for row in &touched {
                for trigger in shared.registry.triggers.iter().filter(|t| t.kind == row.kind) {
                    if row.status_only && trigger.on == crate::TriggerOn::Spec {
                        continue;
                    }
                    let targets = (trigger.targets)(tx, row.id, &row.before, &row.after)?;
                    due.extend(targets.into_iter().map(|id| (trigger.controller, id)));
                }
            }
            let now = tx.now;
            due.into_iter().try_for_each(|(controller, id)| tx.enqueue(controller, id, now))
        })
    }
}

fn read(r: &dyn Row) -> Result<Work, Error> {
    Ok(Work {
        controller: r.text(0)?.to_owned(),
        id: RawId::new(r.int(1)?),
        due_at: r.opt_int(2)?.map(Time),
        attempts: u32::try_from(r.int(3)?).unwrap_or(0),
        leased_by: r.opt_text(4)?.map(str::to_owned),
        fence: u64::try_from(r.int(5)?).unwrap_or(0),
        note: r.opt_text(6)?.map(str::to_owned),
    })
}

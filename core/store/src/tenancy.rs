//! The tenant tree: organizations under organizations, projects as leaves. Every row hangs on one node. The closure of the
//! tree is a table, so that "here and below" is one indexed condition.

use meetme_base::RawId;

use crate::{Error, Tx, conn::Cell};

impl Tx<'_> {
    /// Puts a new node under `parent`, or at the top.
    pub(crate) fn plant(&mut self, node: RawId, parent: Option<RawId>) -> Result<(), Error> {
        self.conn.execute("INSERT INTO tenancy (node, above) VALUES (?1, ?1)", &[Cell::Int(node.get())])?;
        if let Some(parent) = parent {
            self.conn.execute(
                "INSERT INTO tenancy (node, above) SELECT CAST(?1 AS BIGINT), above FROM tenancy WHERE node = ?2",
                &[Cell::Int(node.get()), Cell::Int(parent.get())],
            )?;
        }
        Ok(())
    }

    pub(crate) fn uproot(&mut self, node: RawId) -> Result<(), Error> {
        self.conn.execute("DELETE FROM tenancy WHERE node = ?1 OR above = ?1", &[Cell::Int(node.get())])?;
        Ok(())
    }

    /// The node and all nodes above it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn above(&mut self, node: RawId) -> Result<Vec<RawId>, Error> {
        self.conn
            .all("SELECT above FROM tenancy WHERE node = ?1", &[Cell::Int(node.get())], |r| r.int(0).map(RawId::new))
    }

    /// The node and all nodes below it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn below(&mut self, node: RawId) -> Result<Vec<RawId>, Error> {
        self.conn.all("SELECT node FROM tenancy WHERE above = ?1 ORDER BY node", &[Cell::Int(node.get())], |r| {
            r.int(0).map(RawId::new)
        })
    }

    /// Whether `node` is `above` or lies below it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn is_below(&mut self, node: RawId, above: RawId) -> Result<bool, Error> {
        let found = self.conn.first(
            "SELECT 1 FROM tenancy WHERE node = ?1 AND above = ?2",
            &[Cell::Int(node.get()), Cell::Int(above.get())],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }
}

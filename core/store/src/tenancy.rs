//! The tenant tree: organizations under organizations, projects as leaves. Every row hangs on one node. The closure of the
//! tree is a table, so that "here and below" is one indexed condition.

use meetme_base::{Kind, RawId};

use crate::{
    Error, Filter, KindInfo, Object, Resource, Tx, Value,
    conn::Cell,
    tx::{Facts, TypedFacts},
};

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

impl Tx<'_> {
    /// Whether the caller may do `verb` to rows of `kind` on this node, as far as the node alone decides it: a right that is narrowed
    /// to rows with certain fields, or to certain fields of rows, does not count.
    ///
    /// # Errors
    /// When the database fails.
    pub fn may(&mut self, kind: Kind, verb: &'static str, node: RawId) -> Result<bool, Error> {
        let info = self.shared.registry.info(kind)?;
        let mut rows = on_node(&self.scope.rows(kind, verb), true);
        if verb == "change"
            && let Some(fields) = self.scope.fields(kind)
        {
            rows = rows.and(on_node(&fields.whole(), true));
        }
        self.matches(&rows, &Node { info, node })
    }

    /// Whether the caller may do `verb` to this very row, counting in whatever narrows the right: fields, single objects.
    ///
    /// # Errors
    /// When the database fails.
    pub fn may_with<R: Resource>(&mut self, verb: &'static str, object: &Object<R>) -> Result<bool, Error> {
        let facts = TypedFacts::of(self.shared.registry.info(R::KIND)?, object, &object.spec);
        self.permits(verb, &facts)
    }
}

/// The part of a right that the node alone decides. What asks for more counts as not given, also under a negation.
fn on_node(filter: &Filter, given: bool) -> Filter {
    match filter {
        Filter::And(list) => Filter::And(list.iter().map(|f| on_node(f, given)).collect()),
        Filter::Or(list) => Filter::Or(list.iter().map(|f| on_node(f, given)).collect()),
        Filter::Not(inner) => Filter::Not(Box::new(on_node(inner, !given))),
        Filter::Is(path, _) if path.0 != ["tenant"] => {
            if given {
                Filter::Never
            } else {
                Filter::All
            }
        }
        Filter::Text(_) => {
            if given {
                Filter::Never
            } else {
                Filter::All
            }
        }
        other => other.clone(),
    }
}

struct Node<'a> {
    info: &'a KindInfo,
    node: RawId,
}

impl Facts for Node<'_> {
    fn info(&self) -> &KindInfo {
        self.info
    }
    fn tenant(&self) -> RawId {
        self.node
    }
    fn value(&self, name: &str) -> Option<Value> {
        (name == "tenant").then(|| self.node.into())
    }
    fn targets(&self, _: &str) -> Option<Vec<RawId>> {
        None
    }
    fn text(&self) -> String {
        String::new()
    }
}

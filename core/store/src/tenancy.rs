//! The tenant tree: organizations under organizations, projects as leaves. Every row hangs on one node. The closure of the
//! tree is a table, so that "here and below" is one indexed condition.

use std::collections::HashMap;

use meetme_base::{Invalid, Kind, RawId};

use crate::{
    Error, Filter, KindInfo, Object, Resource, Tx, Value,
    conn::{Cell, Flavour},
    tx::{Facts, TypedFacts},
};

/// A reference that crosses the border of a node: one of its rows hangs there, the other elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The row that hangs on the node.
    pub inside: (Kind, RawId),
    /// The reference, as the row that holds it calls it.
    pub edge: String,
    /// The row that hangs elsewhere.
    pub outside: (Kind, RawId),
    /// Where that one hangs.
    pub tenant: RawId,
    /// Whether the row on the node holds the reference, rather than the other one.
    pub outward: bool,
}

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

    /// Moves a node, with everything below it, under another parent. The rows that hang on the node go on hanging there. Whoever moves
    /// it writes the same into its document, which also makes everybody forget the rights they worked out before.
    ///
    /// # Errors
    /// When either node is not there, or the parent lies below the node.
    pub fn transplant(&mut self, node: RawId, parent: RawId) -> Result<(), Error> {
        self.must_write()?;
        let gone = |node| Error::Invalid(Invalid::reference("tenant", format!("The node {node}")));
        let lock = if self.conn.flavour() == Flavour::Postgres { " FOR UPDATE" } else { "" };
        // A node that is planted below it meanwhile would copy what is above it now.
        let sql = format!("SELECT node FROM tenancy WHERE above = ?1 ORDER BY node{lock}");
        let below = self.conn.all(&sql, &[Cell::Int(node.get())], |r| r.int(0))?;
        if below.is_empty() {
            return Err(gone(node));
        }
        self.nodes.clear();
        self.must_stand(false, parent)?;
        if below.contains(&parent.get()) {
            return Err(Error::Invalid(Invalid::rule("parent", "A node cannot be moved below itself.")));
        }
        self.whole(|tx| {
            let part = "SELECT node FROM tenancy WHERE above = ?1";
            let cut = format!("DELETE FROM tenancy WHERE node IN ({part}) AND above NOT IN ({part})");
            tx.conn.execute(&cut, &[Cell::Int(node.get())])?;
            tx.conn.execute(
                "INSERT INTO tenancy (node, above) SELECT low.node, high.above FROM tenancy low, tenancy high
                 WHERE low.above = ?1 AND high.node = ?2",
                &[Cell::Int(node.get()), Cell::Int(parent.get())],
            )?;
            Ok(())
        })?;
        // What is remembered of rows below other nodes holds no longer, whatever their kind.
        self.written.extend(self.shared.registry.kinds().map(|kind| kind.index));
        Ok(())
    }

    /// The references between rows that hang on a node and rows that do not.
    ///
    /// # Errors
    /// When the database fails.
    pub fn ties(&mut self, node: RawId) -> Result<Vec<Tie>, Error> {
        let registry = &self.shared.registry;
        let mut inside: HashMap<i64, Kind> = HashMap::new();
        for info in registry.kinds() {
            let sql = format!("SELECT id FROM {} WHERE tenant = ?1", info.table());
            for id in self.conn.all(&sql, &[Cell::Int(node.get())], |r| r.int(0))? {
                inside.insert(id, info.kind);
            }
        }
        let ids = [Cell::Ints(inside.keys().copied().collect())];
        let mut out = Vec::new();
        for (own, other) in [("src", "dst"), ("dst", "src")] {
            let condition = self.conn.flavour().is_in(&format!("e.{own}"), 1);
            let sql = format!(
                "SELECT e.{own}, e.name, e.{other}, o.kind FROM edge e JOIN object o ON o.id = e.{other}
                 WHERE {condition} ORDER BY e.{own}, e.name, e.{other}"
            );
            let rows = self
                .conn
                .all(&sql, &ids, |r| Ok((r.int(0)?, r.text(1)?.to_owned(), r.int(2)?, r.text(3)?.to_owned())))?;
            for (near, edge, far, kind) in rows.into_iter().filter(|(_, _, far, _)| !inside.contains_key(far)) {
                let (Some(near_kind), Some(info)) = (inside.get(&near), registry.kind(&kind)) else { continue };
                let sql = format!("SELECT tenant FROM {} WHERE id = ?1", info.table());
                let tenant = self.conn.first(&sql, &[Cell::Int(far)], |r| r.int(0).map(RawId::new))?;
                out.push(Tie {
                    inside: (*near_kind, RawId::new(near)),
                    edge,
                    outside: (info.kind, RawId::new(far)),
                    tenant: tenant.unwrap_or(RawId::new(0)),
                    outward: own == "src",
                });
            }
        }
        Ok(out)
    }

    /// Takes one reference out of a row, as the removal of its target would where the row only has to let go.
    ///
    /// # Errors
    /// As [`Tx::save`].
    pub fn let_go(&mut self, row: (Kind, RawId), edge: &str, target: RawId) -> Result<(), Error> {
        let info = self.shared.registry.info(row.0)?;
        info.ops.detach(self, row.1, edge, target)
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

//! Turns filters and orders into SQL. The text depends only on the shape, values are parameters, so statements are prepared
//! once and reused.

use std::fmt::Write as _;

use crate::{
    Direction, Error, FieldType, Filter, KindInfo, Op, Order, Path, Registry, Value,
    conn::{Cell, Flavour},
    search,
    tx::Scope,
};

/// The columns every read of a kind selects, in this order.
pub(crate) const ROW: &str =
    "a0.id, a0.uid, a0.tenant, a0.version, a0.seen, a0.created, a0.updated, a0.spec, a0.status";

/// How many they are.
pub(crate) const WIDTH: usize = 9;

pub(crate) struct Compiler<'a> {
    registry: &'a Registry,
    flavour: Flavour,
    scope: &'a dyn Scope,
    pub params: Vec<Cell>,
    aliases: usize,
    /// Whether a right is being written: it speaks of the rows themselves, not of what the caller sees of their targets.
    in_right: bool,
}

impl<'a> Compiler<'a> {
    pub fn new(registry: &'a Registry, flavour: Flavour, scope: &'a dyn Scope) -> Self {
        Self { registry, flavour, scope, params: Vec::new(), aliases: 0, in_right: false }
    }

    fn param(&mut self, cell: Cell) -> usize {
        self.params.push(cell);
        self.params.len()
    }

    /// A name for a table that no other has.
    pub fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("a{}", self.aliases)
    }

    /// Writes that the caller may see the row under the alias `a`, if that excludes any.
    pub fn seen(&mut self, out: &mut String, kind: &KindInfo, a: &str) -> Result<(), Error> {
        let seen = self.scope.rows(kind.kind, "see");
        if *seen == Filter::All || self.in_right {
            return Ok(());
        }
        out.push_str(" AND ");
        self.right(out, &seen, kind, a)
    }

    /// Writes the part of a statement that says which rows, from `FROM` on. They are called `a0`.
    pub fn from(&mut self, out: &mut String, kind: &KindInfo, filter: &Filter) -> Result<(), Error> {
        write(out, format_args!(" FROM {} a0 WHERE (", kind.table()));
        self.condition(out, filter, kind, "a0")?;
        out.push(')');
        self.seen(out, kind, "a0")
    }

    /// Writes a right.
    pub fn right(&mut self, out: &mut String, rows: &Filter, kind: &KindInfo, a: &str) -> Result<(), Error> {
        let outer = std::mem::replace(&mut self.in_right, true);
        out.push('(');
        let done = self.condition(out, rows, kind, a);
        out.push(')');
        self.in_right = outer;
        done
    }

    /// Writes that a column of text is one of these.
    pub fn is_one_of(&mut self, out: &mut String, column: &str, names: Vec<String>) {
        let n = self.param(Cell::Texts(names));
        out.push_str(&self.flavour.is_in(column, n));
    }

    /// Writes the condition for rows of `kind` under the alias `a`.
    pub fn condition(&mut self, out: &mut String, filter: &Filter, kind: &KindInfo, a: &str) -> Result<(), Error> {
        match filter {
            Filter::All => out.push_str("1=1"),
            Filter::Never => out.push_str("1=0"),
            Filter::And(list) => self.join(out, list, " AND ", "1=1", kind, a)?,
            Filter::Or(list) => self.join(out, list, " OR ", "1=0", kind, a)?,
            Filter::Not(inner) => {
                out.push_str("NOT COALESCE((");
                self.condition(out, inner, kind, a)?;
                out.push_str("), FALSE)");
            }
            Filter::Text(text) => self.text(out, text, a),
            Filter::Below(node) => {
                let n = self.param(Cell::Int(node.get()));
                write(out, format_args!("{a}.tenant IN (SELECT node FROM tenancy WHERE above = ?{n})"));
            }
            Filter::Above(node) => {
                let n = self.param(Cell::Int(node.get()));
                write(out, format_args!("{a}.tenant IN (SELECT above FROM tenancy WHERE node = ?{n})"));
            }
            Filter::Is(path, op) => self.is(out, &path.0, op, kind, a)?,
        }
        Ok(())
    }

    fn join(
        &mut self,
        out: &mut String,
        list: &[Filter],
        word: &str,
        empty: &str,
        kind: &KindInfo,
        a: &str,
    ) -> Result<(), Error> {
        if list.is_empty() {
            out.push_str(empty);
        }
        for (i, f) in list.iter().enumerate() {
            out.push_str(if i > 0 { word } else { "" });
            out.push('(');
            self.condition(out, f, kind, a)?;
            out.push(')');
        }
        Ok(())
    }

    fn is(&mut self, out: &mut String, path: &[String], op: &Op, kind: &KindInfo, a: &str) -> Result<(), Error> {
        let Some((name, rest)) = path.split_first() else { return Err(Error::Bug("an empty path".into())) };
        if !rest.is_empty() {
            return self.hop(out, name, rest, op, kind, a);
        }
        if let Some((column, ty)) = kind.column(name) {
            self.compare(out, &format!("{a}.{column}"), &format!("{a}.c_{name}"), ty, op);
            return Ok(());
        }
        let edge = kind.edge(name).ok_or_else(|| Error::Bug(format!("{} has no {name}", kind.kind)))?;
        // A list of references: look at its rows.
        let n = self.param(Cell::Text(edge.name.to_owned()));
        match op {
            Op::Empty(want) => {
                let no = if *want { "NOT " } else { "" };
                write(out, format_args!("{no}EXISTS (SELECT 1 FROM edge g WHERE g.src = {a}.id AND g.name = ?{n})"));
            }
            _ => {
                write(out, format_args!("{a}.id IN (SELECT g.src FROM edge g WHERE g.name = ?{n} AND "));
                self.compare(out, "g.dst", "", FieldType::Ref, op);
                out.push(')');
            }
        }
        Ok(())
    }

    /// A step across a reference. What the caller may not see of the target kind does not match.
    fn hop(
        &mut self,
        out: &mut String,
        name: &str,
        rest: &[String],
        op: &Op,
        kind: &KindInfo,
        a: &str,
    ) -> Result<(), Error> {
        let edge = kind.edge(name).ok_or_else(|| Error::Bug(format!("{} has no {name}", kind.kind)))?;
        let column = if edge.many {
            format!("{a}.id IN (SELECT g.src FROM edge g WHERE g.name = '{name}' AND g.dst")
        } else {
            format!("({a}.e_{name}")
        };
        out.push_str(&column);
        out.push_str(" IN (");
        let mut first = true;
        for to in edge.to {
            let target = self.registry.info(*to)?;
            if crate::filter::ends(target, self.registry, &Path(rest.to_vec())).is_err() {
                continue;
            }
            let b = self.alias();
            let union = if first { "" } else { " UNION ALL " };
            first = false;
            write(out, format_args!("{union}SELECT {b}.id FROM {} {b} WHERE (", target.table()));
            self.is(out, rest, op, target, &b)?;
            out.push(')');
            self.seen(out, target, &b)?;
        }
        out.push_str("))");
        Ok(())
    }

    fn compare(&mut self, out: &mut String, column: &str, folded: &str, ty: FieldType, op: &Op) {
        let sign = match op {
            Op::Eq(_) => "=",
            Op::Lt(_) => "<",
            Op::Le(_) => "<=",
            Op::Gt(_) => ">",
            Op::Ge(_) => ">=",
            _ => "",
        };
        match op {
            Op::Eq(v) | Op::Lt(v) | Op::Le(v) | Op::Gt(v) | Op::Ge(v) => {
                let (sign, cell) = match (v.cell(), sign) {
                    // No stored text has a null character: what sorts before the text sorts before, or is, its part up to there.
                    (Cell::Text(t), "<" | "<=") if t.contains('\0') => ("<=", Cell::Text(before_null(&t))),
                    (Cell::Text(t), ">" | ">=") if t.contains('\0') => (">", Cell::Text(before_null(&t))),
                    (Cell::Text(t), _) if t.contains('\0') => return out.push_str("1=0"),
                    (cell, sign) => (sign, cell),
                };
                let n = self.param(cell);
                write(out, format_args!("{column} {sign} ?{n}"));
            }
            Op::Contains(t)
            | Op::Starts(t)
            | Op::Ends(t)
            | Op::ContainsFold(t)
            | Op::StartsFold(t)
            | Op::EndsFold(t)
            | Op::EqFold(t)
            | Op::Has(t)
                if t.contains('\0') =>
            {
                out.push_str("1=0");
            }
            // One value is found by the whole of an index and keeps the index's order; a list of one is not always.
            Op::In(list) if list.len() == 1 => self.compare(out, column, folded, ty, &Op::Eq(list[0].clone())),
            Op::In(list) => {
                let n = self.param(cells(list, ty));
                out.push_str(&self.flavour.is_in(column, n));
            }
            Op::Contains(t) => self.matches(out, column, t, Where::Inside),
            Op::Starts(t) => self.matches(out, column, t, Where::Start),
            Op::Ends(t) => self.matches(out, column, t, Where::End),
            Op::ContainsFold(t) => self.matches(out, folded, &crate::fold(t), Where::Inside),
            Op::StartsFold(t) => self.matches(out, folded, &crate::fold(t), Where::Start),
            Op::EndsFold(t) => self.matches(out, folded, &crate::fold(t), Where::End),
            Op::EqFold(t) => {
                let n = self.param(Cell::Text(crate::fold(t)));
                write(out, format_args!("{folded} = ?{n}"));
            }
            Op::Has(t) => {
                let n = self.param(Cell::Text(t.clone()));
                match self.flavour {
                    Flavour::Sqlite => {
                        write(out, format_args!("EXISTS (SELECT 1 FROM json_each({column}) j WHERE j.value = ?{n})"));
                    }
                    Flavour::Postgres => write(out, format_args!("jsonb_exists(CAST({column} AS jsonb), ?{n})")),
                }
            }
            Op::Empty(want) => {
                let none = match ty {
                    FieldType::Text => format!("({column} IS NULL OR {column} = '')"),
                    FieldType::Texts => format!("({column} IS NULL OR {column} = '[]')"),
                    _ => format!("({column} IS NULL)"),
                };
                write(out, format_args!("{}{none}", if *want { "" } else { "NOT " }));
            }
        }
    }

    fn matches(&mut self, out: &mut String, column: &str, needle: &str, place: Where) {
        if needle.is_empty() {
            write(out, format_args!("{column} IS NOT NULL"));
            return;
        }
        let n = self.param(Cell::Text(needle.to_owned()));
        match (self.flavour, place) {
            (Flavour::Sqlite, Where::Inside) => write(out, format_args!("instr({column}, ?{n}) > 0")),
            (Flavour::Postgres, Where::Inside) => write(out, format_args!("strpos({column}, ?{n}) > 0")),
            (Flavour::Sqlite, Where::Start) => write(out, format_args!("substr({column}, 1, length(?{n})) = ?{n}")),
            (Flavour::Postgres, Where::Start) => write(out, format_args!("starts_with({column}, ?{n})")),
            (Flavour::Sqlite, Where::End) => write(out, format_args!("substr({column}, -length(?{n})) = ?{n}")),
            (Flavour::Postgres, Where::End) => {
                write(out, format_args!("right({column}, length(CAST(?{n} AS TEXT))) = ?{n}"));
            }
        }
    }

    fn text(&mut self, out: &mut String, words: &str, a: &str) {
        let words = search::words(words);
        if words.is_empty() {
            out.push_str("1=1");
            return;
        }
        match self.flavour {
            Flavour::Sqlite => {
                let query = words.iter().map(|w| format!("\"{w}\"*")).collect::<Vec<_>>().join(" AND ");
                let n = self.param(Cell::Text(query));
                write(out, format_args!("{a}.id IN (SELECT rowid FROM search WHERE search MATCH ?{n})"));
            }
            Flavour::Postgres => {
                let query = words.iter().map(|w| format!("'{w}':*")).collect::<Vec<_>>().join(" & ");
                let n = self.param(Cell::Text(query));
                write(
                    out,
                    format_args!(
                        "{a}.id IN (SELECT id FROM search WHERE words @@ CAST(CAST(?{n} AS TEXT) AS tsquery))"
                    ),
                );
            }
        }
    }

    /// Writes the ORDER BY clause.
    pub fn order(&mut self, out: &mut String, order: &[Order], kind: &KindInfo) -> Result<(), Error> {
        out.push_str(" ORDER BY ");
        for o in order {
            self.key(out, &o.path.0, kind, "a0")?;
            out.push_str(match o.direction {
                Direction::Up => " ASC NULLS FIRST, ",
                Direction::Down => " DESC NULLS LAST, ",
            });
        }
        // The index of a unique set has this column behind the set's own: with it the rows come in the index's order.
        if kind.unique.iter().any(|set| is_of(order, set)) {
            out.push_str("a0.live ASC NULLS FIRST, ");
        }
        out.push_str("a0.id");
        Ok(())
    }

    fn key(&mut self, out: &mut String, path: &[String], kind: &KindInfo, a: &str) -> Result<(), Error> {
        let no = || meetme_base::Invalid::new(path.join("."), "field", format!("{} cannot be ordered so.", kind.kind));
        match path {
            [name] => {
                let (column, _) = kind.column(name).ok_or_else(no)?;
                write(out, format_args!("{a}.{column}"));
            }
            [name, rest @ ..] => {
                let edge = kind.edge(name).filter(|e| !e.many).ok_or_else(no)?;
                let mut first = true;
                for to in edge.to {
                    let target = self.registry.info(*to)?;
                    if target.column(&rest[0]).is_none() && target.edge(&rest[0]).is_none() {
                        continue;
                    }
                    out.push_str(if first { "COALESCE(" } else { ", " });
                    first = false;
                    let b = self.alias();
                    out.push_str("(SELECT ");
                    self.key(out, rest, target, &b)?;
                    write(out, format_args!(" FROM {} {b} WHERE {b}.id = {a}.e_{name}", target.table()));
                    self.seen(out, target, &b)?;
                    out.push(')');
                }
                if first {
                    return Err(no().into());
                }
                out.push_str(", NULL)");
            }
            [] => return Err(no().into()),
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Where {
    Inside,
    Start,
    End,
}

/// Whether an order is that of a unique set, within a node where the set is unique within one.
fn is_of(order: &[Order], set: &[&str]) -> bool {
    let is_key = |(order, name): (&Order, &&str)| {
        order.direction == Direction::Up && matches!(&order.path.0[..], [only] if only == name)
    };
    let own = set.strip_prefix(&["tenant"]);
    // Who asks for the node first asks for the same order within it.
    let order = order
        .split_first()
        .filter(|(first, _)| own.is_some() && is_key((first, &"tenant")))
        .map_or(order, |(_, rest)| rest);
    let set = own.unwrap_or(set);
    !set.is_empty() && order.len() == set.len() && order.iter().zip(set).all(is_key)
}

/// PostgreSQL refuses null characters in text, in a parameter too.
fn before_null(text: &str) -> String {
    text.split('\0').next().unwrap_or_default().to_owned()
}

fn cells(list: &[Value], ty: FieldType) -> Cell {
    match ty {
        FieldType::Text | FieldType::Texts => Cell::Texts(
            list.iter()
                .filter_map(|v| match v {
                    Value::Text(s) if !s.contains('\0') => Some(s.clone()),
                    _ => None,
                })
                .collect(),
        ),
        FieldType::Ip | FieldType::Net => Cell::Blobs(
            list.iter()
                .filter_map(|v| match v.cell() {
                    Cell::Blob(b) => Some(b),
                    _ => None,
                })
                .collect(),
        ),
        _ => Cell::Ints(
            list.iter()
                .filter_map(|v| match v.cell() {
                    Cell::Int(n) => Some(n),
                    _ => None,
                })
                .collect(),
        ),
    }
}

/// Adds to a statement.
pub(crate) fn write(out: &mut String, args: std::fmt::Arguments<'_>) {
    out.write_fmt(args).expect("writing to a String cannot fail");
}

#[cfg(test)]
mod tests;

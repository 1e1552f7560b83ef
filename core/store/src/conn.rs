//! The narrow waist below which the two databases differ.

use crate::Error;

/// A parameter of a statement.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Blob(Vec<u8>),
    /// A list for `IN`.
    Ints(Vec<i64>),
    /// A list for `IN`.
    Texts(Vec<String>),
    /// A list for `IN`.
    Blobs(Vec<Vec<u8>>),
}

/// Which SQL to write where the two differ.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flavour {
    Sqlite,
    Postgres,
}

impl Flavour {
    /// The condition that `column` is in the list given as parameter `n`.
    pub fn is_in(self, column: &str, n: usize) -> String {
        match self {
            Self::Sqlite => format!("{column} IN rarray(?{n})"),
            Self::Postgres => format!("{column} = ANY(?{n})"),
        }
    }
}

/// Counts the statements of an operation that reads. The first is asked without a transaction: one statement sees one state
/// anyway. One that asks a second is run again from its beginning inside a transaction.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    asked: usize,
    alone: bool,
}

impl Steps {
    /// An operation begins, outside a transaction if `alone`.
    pub fn begin(&mut self, alone: bool) {
        *self = Self { asked: 0, alone };
    }

    /// It asks a statement.
    ///
    /// # Errors
    /// When it must be run again for that; nobody sees this error but the operation.
    pub fn ask(&mut self) -> Result<(), Error> {
        self.asked += 1;
        if self.alone && self.asked > 1 {
            return Err(Error::Unavailable("this is asked again inside a transaction".to_owned()));
        }
        Ok(())
    }

    /// Whether it asked more than once.
    pub fn are_many(&self) -> bool {
        self.asked > 1
    }
}

/// One row of an answer; columns count from 0.
pub(crate) trait Row {
    fn is_null(&self, i: usize) -> bool;
    fn int(&self, i: usize) -> Result<i64, Error>;
    fn text(&self, i: usize) -> Result<&str, Error>;
    fn blob(&self, i: usize) -> Result<&[u8], Error>;
    fn opt_int(&self, i: usize) -> Result<Option<i64>, Error> {
        if self.is_null(i) { Ok(None) } else { self.int(i).map(Some) }
    }
    fn opt_text(&self, i: usize) -> Result<Option<&str>, Error> {
        if self.is_null(i) { Ok(None) } else { self.text(i).map(Some) }
    }
}

/// A connection inside a transaction. Statements write `?1`, `?2` ... in both flavours and are prepared once.
pub(crate) trait Conn {
    fn flavour(&self) -> Flavour;
    fn query(
        &mut self,
        sql: &str,
        params: &[Cell],
        each: &mut dyn FnMut(&dyn Row) -> Result<(), Error>,
    ) -> Result<(), Error>;
    fn execute(&mut self, sql: &str, params: &[Cell]) -> Result<u64, Error>;
    fn batch(&mut self, sql: &str) -> Result<(), Error>;
    /// Why the open transaction can no longer be kept: a statement failed, or a step was left half done. PostgreSQL would
    /// throw such a transaction away at its end without a word, SQLite would keep the half.
    fn doomed(&mut self) -> &mut Option<String>;
    /// Asks for the whole transaction to be run again, under a new number.
    fn run_again(&mut self);
    /// The same, with this row held from the beginning: who was overtaken once is not overtaken there again.
    fn run_again_holding(&mut self, table: &str, id: i64);
}

impl dyn Conn + '_ {
    /// The first row's value, if there is a row.
    pub fn first<T>(
        &mut self,
        sql: &str,
        params: &[Cell],
        mut read: impl FnMut(&dyn Row) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut out = None;
        self.query(sql, params, &mut |row| {
            if out.is_none() {
                out = Some(read(row)?);
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// All rows.
    pub fn all<T>(
        &mut self,
        sql: &str,
        params: &[Cell],
        mut read: impl FnMut(&dyn Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut out = Vec::new();
        self.query(sql, params, &mut |row| {
            out.push(read(row)?);
            Ok(())
        })?;
        Ok(out)
    }

    /// Runs a statement over many rows of parameters, a few sizes of it: those are all that is ever prepared.
    pub fn rows(
        &mut self,
        statement: &Rows,
        rows: Vec<Vec<Cell>>,
        each: &mut dyn FnMut(&dyn Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let width = rows.first().map_or(0, Vec::len);
        let (mut known, mut sql) = (0, String::new());
        let mut rows = rows.into_iter();
        while rows.len() > 0 {
            let many = together(rows.len());
            if many != known {
                (known, sql) = (many, statement.of(many, width));
            }
            let mut params = Vec::with_capacity(statement.shared.len() + many * width);
            params.extend_from_slice(&statement.shared);
            rows.by_ref().take(many).for_each(|row| params.extend(row));
            self.query(&sql, &params, each)?;
        }
        Ok(())
    }
}

/// A statement over a list of rows: what stands before and behind the list.
#[derive(Default)]
pub(crate) struct Rows {
    pub before: String,
    pub after: String,
    /// The first parameters, which are those of all rows.
    pub shared: Vec<Cell>,
    /// How each row begins.
    pub marks: &'static str,
    /// The types of the columns, where the list is nobody's but its own and PostgreSQL could not know them.
    pub types: Vec<&'static str>,
}

impl Rows {
    fn of(&self, many: usize, width: usize) -> String {
        let mut sql = self.before.clone();
        for row in 0..many {
            sql.push_str(if row > 0 { ", (" } else { "(" });
            sql.push_str(self.marks);
            for at in 0..width {
                let number = self.shared.len() + row * width + at + 1;
                sql.push_str(if at > 0 { ", " } else { "" });
                // The types of the first row are those of all.
                match self.types.get(at).filter(|_| row == 0) {
                    Some(ty) => sql.push_str(&format!("CAST(?{number} AS {ty})")),
                    None => sql.push_str(&format!("?{number}")),
                }
            }
            sql.push(')');
        }
        sql.push_str(&self.after);
        sql
    }
}

/// The most rows that one statement writes: more of them are no faster, and SQLite takes 32,766 parameters in all.
const TOGETHER: usize = 64;

/// How many of so many rows the next statement takes.
fn together(left: usize) -> usize {
    [TOGETHER, 16, 4].into_iter().find(|many| left >= *many).unwrap_or(1)
}

//! Comparisons with what a line of the change log tells of itself. Lines are no rows of a kind and have no folded columns, so letters
//! beyond ASCII are compared as they are written.

use meetme_base::Kind;

use crate::{
    Verb,
    conn::{Cell, Flavour},
};

/// What is compared with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineNumber {
    /// The line's own number.
    Seq,
    /// The row it is about.
    Id,
    /// When it was written, in milliseconds.
    At,
    /// Who did it; nobody is 0.
    Actor,
}

/// What is compared with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineText {
    /// What the row was called then.
    Title,
    /// What whoever did it was called then.
    ActorName,
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// Equal.
    Eq,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
}

/// How two texts are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Likeness {
    /// Equal.
    Eq,
    /// Equal, case aside.
    EqFold,
    /// The text holds the other, case aside.
    Contains,
    /// The text begins with the other, case aside.
    Starts,
    /// The text ends with the other, case aside.
    Ends,
}

/// One comparison with a line.
#[derive(Clone, Debug, PartialEq)]
pub enum LineTest {
    /// With a number.
    Number(LineNumber, Sign, i64),
    /// With a text.
    Text(LineText, Likeness, String),
    /// The verb.
    Verb(Verb),
    /// The kind and, where several things share one, a word that a member of the document must be.
    Kind(Kind, Option<(String, String)>),
}

/// Comparisons of which one must hold, or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LineFilter {
    /// Whether none may hold.
    pub not: bool,
    /// The comparisons.
    pub any: Vec<LineTest>,
}

impl LineFilter {
    /// One of these must hold.
    pub fn any(any: Vec<LineTest>) -> Self {
        Self { not: false, any }
    }

    /// Writes the condition, two-valued.
    pub(crate) fn write(&self, flavour: Flavour, sql: &mut String, params: &mut Vec<Cell>) {
        sql.push_str(if self.not { " AND NOT (1=0" } else { " AND (1=0" });
        for test in &self.any {
            sql.push_str(" OR ");
            test.write(flavour, sql, params);
        }
        sql.push(')');
    }
}

impl LineTest {
    fn write(&self, flavour: Flavour, sql: &mut String, params: &mut Vec<Cell>) {
        let mut param = |cell: Cell| {
            params.push(cell);
            format!("?{}", params.len())
        };
        match self {
            Self::Number(of, sign, number) => {
                let column = match of {
                    LineNumber::Seq => "a0.seq",
                    LineNumber::Id => "a0.id",
                    LineNumber::At => "a0.at",
                    LineNumber::Actor => "COALESCE(a0.actor, 0)",
                };
                let sign = match sign {
                    Sign::Eq => "=",
                    Sign::Lt => "<",
                    Sign::Le => "<=",
                    Sign::Gt => ">",
                    Sign::Ge => ">=",
                };
                sql.push_str(&format!("{column} {sign} {}", param(Cell::Int(*number))));
            }
            Self::Text(of, how, text) => {
                let column = match of {
                    LineText::Title => "a0.title",
                    LineText::ActorName => "a0.actor_name",
                };
                let text = text.replace('\0', "");
                if *how == Likeness::Eq {
                    sql.push_str(&format!("{column} = {}", param(Cell::Text(text))));
                    return;
                }
                // Of the database's own ideas of case only the one about ASCII is the same everywhere.
                let low = match flavour {
                    Flavour::Sqlite => format!("lower({column})"),
                    Flavour::Postgres => format!("lower({column} COLLATE \"C\")"),
                };
                let n = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
                let text = param(Cell::Text(text.to_ascii_lowercase()));
                sql.push_str(&match (how, flavour) {
                    (Likeness::Contains, Flavour::Sqlite) => format!("instr({low}, {text}) > 0"),
                    (Likeness::Contains, Flavour::Postgres) => format!("strpos({low}, CAST({text} AS TEXT)) > 0"),
                    (Likeness::Starts, _) => format!("substr({low}, 1, {n}) = {text}"),
                    (Likeness::Ends, _) => {
                        format!("(length({column}) >= {n} AND substr({low}, length({column}) - {n} + 1) = {text})")
                    }
                    (Likeness::Eq | Likeness::EqFold, _) => format!("{low} = {text}"),
                });
            }
            Self::Verb(verb) => sql.push_str(&format!("a0.verb = {}", param(Cell::Text(verb.name().to_owned())))),
            Self::Kind(kind, member) => {
                let kind = param(Cell::Text(kind.name().to_owned()));
                let Some((member, word)) = member else { return sql.push_str(&format!("a0.kind = {kind}")) };
                let word = param(Cell::Text(word.clone()));
                // The name stands in the statement itself.
                let member: String = member.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let value = match flavour {
                    Flavour::Sqlite => format!("json_extract(COALESCE(a0.after, a0.before), '$.{member}')"),
                    Flavour::Postgres => format!("CAST(COALESCE(a0.after, a0.before) AS JSONB) ->> '{member}'"),
                };
                sql.push_str(&format!("(a0.kind = {kind} AND COALESCE({value}, '') = {word})"));
            }
        }
    }
}

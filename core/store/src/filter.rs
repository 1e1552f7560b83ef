//! The one filter language. Every dialect parses its own grammar into it; it runs as SQL and in memory with one meaning, which
//! a property test holds equal on both databases.
//!
//! It is two-valued: a comparison with an absent value does not hold, and `Not` turns exactly that around.

use meetme_base::{Invalid, RawId};

use crate::{FieldType, KindInfo, Registry, Value};

/// How deep conditions may lie inside each other: less than either database bears.
const DEEPEST: u32 = 100;

/// A condition on rows of a kind.
#[derive(Clone, PartialEq, Debug)]
pub enum Filter {
    /// Every row.
    All,
    /// No row.
    Never,
    /// All of these.
    And(Vec<Filter>),
    /// At least one of these.
    Or(Vec<Filter>),
    /// Not this.
    Not(Box<Filter>),
    /// A field compared.
    Is(Path, Op),
    /// Every word of the text begins a word of the row's searchable fields; case does not count.
    Text(String),
    /// The row hangs on this node of the tenant tree or below it.
    Below(RawId),
    /// The row hangs on this node of the tenant tree or above it.
    Above(RawId),
}

/// How a field is compared.
#[derive(Clone, PartialEq, Debug)]
pub enum Op {
    /// Equal. On a list of references: one of them is.
    Eq(Value),
    /// Equal to one of these. On a list of references: one of them is.
    In(Vec<Value>),
    /// Smaller.
    Lt(Value),
    /// Smaller or equal.
    Le(Value),
    /// Larger.
    Gt(Value),
    /// Larger or equal.
    Ge(Value),
    /// The text holds this.
    Contains(String),
    /// The text begins with this.
    Starts(String),
    /// The text ends with this.
    Ends(String),
    /// The text is this, case aside.
    EqFold(String),
    /// The text holds this, case aside.
    ContainsFold(String),
    /// The text begins with this, case aside.
    StartsFold(String),
    /// The text ends with this, case aside.
    EndsFold(String),
    /// The list of texts has this member.
    Has(String),
    /// There is no value (null, empty text, empty list), or, when false, there is one.
    Empty(bool),
}

/// The way to a field: names of references, then the name of a field or reference.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Path(pub Vec<String>);

impl From<&str> for Path {
    fn from(dotted: &str) -> Self {
        Self(dotted.split('.').map(str::to_owned).collect())
    }
}

impl From<String> for Path {
    fn from(dotted: String) -> Self {
        dotted.as_str().into()
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

impl Filter {
    /// The field at `path` equals `value`.
    pub fn eq(path: impl Into<Path>, value: impl Into<Value>) -> Self {
        Self::Is(path.into(), Op::Eq(value.into()))
    }
    /// The field at `path` is one of `values`.
    pub fn is_in<V: Into<Value>>(path: impl Into<Path>, values: impl IntoIterator<Item = V>) -> Self {
        Self::Is(path.into(), Op::In(values.into_iter().map(Into::into).collect()))
    }
    /// The field at `path` compared by `op`.
    pub fn is(path: impl Into<Path>, op: Op) -> Self {
        Self::Is(path.into(), op)
    }
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, x) | (x, Self::All) => x,
            (Self::Never, _) | (_, Self::Never) => Self::Never,
            (Self::And(mut a), Self::And(b)) => {
                a.extend(b);
                Self::And(a)
            }
            (Self::And(mut a), b) => {
                a.push(b);
                Self::And(a)
            }
            (a, Self::And(mut b)) => {
                b.insert(0, a);
                Self::And(b)
            }
            (a, b) => Self::And(vec![a, b]),
        }
    }
    /// Either. Two lists of values for one field become one list without doubles: a database finds such rows by an index and in
    /// order, where of two conditions it would look at every row.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Never, x) | (x, Self::Never) => x,
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::Or(mut a), b) => {
                if !a.iter_mut().any(|own| own.absorb(&b)) {
                    a.push(b);
                }
                Self::Or(a)
            }
            (mut a, b) => {
                if a.absorb(&b) {
                    return a;
                }
                Self::Or(vec![a, b])
            }
        }
    }

    /// Takes in another condition on the values of the same field; false when the two cannot be one.
    fn absorb(&mut self, other: &Self) -> bool {
        let (Self::Is(path, own), Self::Is(to, more)) = (self, other) else { return false };
        let (Some(mut values), Some(more)) = (own.values().map(<[Value]>::to_vec), more.values()) else { return false };
        if path != to {
            return false;
        }
        for value in more {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        *own = match <[Value; 1]>::try_from(values) {
            Ok([one]) => Op::Eq(one),
            Err(many) => Op::In(many),
        };
        true
    }
    /// The opposite.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "reads as the other combinators do; `!filter` would hide it")]
    pub fn not(self) -> Self {
        match self {
            Self::All => Self::Never,
            Self::Never => Self::All,
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// Proves the filter against a kind: every path exists and every value fits its field.
    ///
    /// # Errors
    /// Names the path that does not exist or does not fit.
    pub fn check(&self, kind: &KindInfo, registry: &Registry) -> Result<(), Invalid> {
        self.check_within(kind, registry, DEEPEST)
    }

    fn check_within(&self, kind: &KindInfo, registry: &Registry, depth: u32) -> Result<(), Invalid> {
        let deep = || Invalid::rule("", format!("A filter may be {DEEPEST} conditions deep."));
        let depth = depth.checked_sub(1).ok_or_else(deep)?;
        match self {
            Self::All | Self::Never | Self::Text(_) | Self::Below(_) | Self::Above(_) => Ok(()),
            Self::And(list) | Self::Or(list) => list.iter().try_for_each(|f| f.check_within(kind, registry, depth)),
            Self::Not(inner) => inner.check_within(kind, registry, depth),
            Self::Is(path, op) => {
                let ends = ends(kind, registry, path)?;
                ends.into_iter().try_for_each(|ty| op.check(path, ty))
            }
        }
    }
}

/// The types at the end of a path: one for each kind that the references on the way may point to.
pub(crate) fn ends(kind: &KindInfo, registry: &Registry, path: &Path) -> Result<Vec<FieldType>, Invalid> {
    let unknown = || Invalid::new(path.to_string(), "field", format!("{} has no field {path}.", kind.kind));
    let (last, way) = path.0.split_last().ok_or_else(unknown)?;
    let mut kinds = vec![kind];
    for step in way {
        let mut next = Vec::new();
        for k in kinds {
            let edge = k.edge(step).ok_or_else(unknown)?;
            next.extend(edge.to.iter().filter_map(|to| registry.kind(to.name())));
        }
        kinds = next;
    }
    let ends: Vec<_> = kinds
        .iter()
        .filter_map(|k| k.column(last).map(|(_, ty)| ty).or_else(|| k.edge(last).map(|_| FieldType::Ref)))
        .collect();
    if ends.is_empty() { Err(unknown()) } else { Ok(ends) }
}

impl Op {
    /// The values one of which the field must have, if that is what is asked.
    fn values(&self) -> Option<&[Value]> {
        match self {
            Self::Eq(value) => Some(std::slice::from_ref(value)),
            Self::In(list) => Some(list),
            _ => None,
        }
    }

    fn check(&self, path: &Path, ty: FieldType) -> Result<(), Invalid> {
        let wrong =
            || Invalid::new(path.to_string(), "type", format!("{path} is {} and cannot be compared so.", ty.name()));
        let ok = match self {
            Self::Eq(v) => ty != FieldType::Texts && v.fits(ty),
            Self::In(list) => ty != FieldType::Texts && list.iter().all(|v| v.fits(ty)),
            Self::Lt(v) | Self::Le(v) | Self::Gt(v) | Self::Ge(v) => {
                !matches!(ty, FieldType::Texts | FieldType::Bool) && v.fits(ty)
            }
            Self::Contains(_)
            | Self::Starts(_)
            | Self::Ends(_)
            | Self::EqFold(_)
            | Self::ContainsFold(_)
            | Self::StartsFold(_)
            | Self::EndsFold(_) => ty == FieldType::Text,
            Self::Has(_) => ty == FieldType::Texts,
            Self::Empty(_) => true,
        };
        if ok { Ok(()) } else { Err(wrong()) }
    }

    /// Whether the comparison holds for this value.
    pub(crate) fn holds(&self, value: &Value) -> bool {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let order = |v: &Value| if matches!(value, Value::Null) { None } else { Some(value.compare(v)) };
        let text = |test: &dyn Fn(&str) -> bool| matches!(value, Value::Text(s) if test(s));
        let folded = |test: &dyn Fn(&str) -> bool| matches!(value, Value::Text(s) if test(&crate::fold(s)));
        match self {
            Self::Eq(v) => order(v) == Some(Equal),
            Self::In(list) => list.iter().any(|v| order(v) == Some(Equal)),
            Self::Lt(v) => order(v) == Some(Less),
            Self::Le(v) => matches!(order(v), Some(Less | Equal)),
            Self::Gt(v) => order(v) == Some(Greater),
            Self::Ge(v) => matches!(order(v), Some(Greater | Equal)),
            Self::Contains(t) => text(&|s| s.contains(t)),
            Self::Starts(t) => text(&|s| s.starts_with(t)),
            Self::Ends(t) => text(&|s| s.ends_with(t)),
            Self::EqFold(t) => folded(&|s| s == crate::fold(t)),
            Self::ContainsFold(t) => folded(&|s| s.contains(&crate::fold(t))),
            Self::StartsFold(t) => folded(&|s| s.starts_with(&crate::fold(t))),
            Self::EndsFold(t) => folded(&|s| s.ends_with(&crate::fold(t))),
            Self::Has(t) => matches!(value, Value::Texts(list) if list.contains(t)),
            Self::Empty(want) => {
                let empty = match value {
                    Value::Null => true,
                    Value::Text(s) => s.is_empty(),
                    Value::Texts(list) => list.is_empty(),
                    _ => false,
                };
                empty == *want
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_one_field_are_asked_for_together() {
        let eq = |n: i64| Filter::eq("size", n);
        let of = |list: &[i64]| Filter::is_in("size", list.iter().copied());
        assert_eq!(eq(1).or(eq(1)), eq(1));
        assert_eq!(eq(1).or(eq(2)).or(of(&[2, 3])), of(&[1, 2, 3]));
        let name = Filter::eq("name", "x");
        assert_eq!(name.clone().or(eq(1)).or(eq(2)), Filter::Or(vec![name, of(&[1, 2])]));
        let above = Filter::is("size", Op::Gt(5.into()));
        assert_eq!(eq(1).or(above.clone()), Filter::Or(vec![eq(1), above]));
    }
}

//! The one shape that the five notations are turned into.

use serde_json::Value;

/// What a JSON value may be.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Anything: the contract leaves it open.
    Any,
    /// No body at all; an empty object passes for none.
    Empty,
    /// A body that is not JSON, such as a PDF or a page.
    Media,
    /// null.
    Null,
    /// true or false.
    Bool,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// A text, of a format and out of a list of words where the contract gives them.
    String {
        /// A format such as `date-time`; only those of the `format` module are checked.
        format: Option<String>,
        /// The only words allowed.
        words: Option<Vec<String>>,
    },
    /// A whole number out of a list.
    OneNumber(Vec<i64>),
    /// Exactly this value.
    Exactly(Value),
    /// A list of values of one shape.
    Array(Box<Shape>),
    /// A list of a fixed length with a shape for each place.
    Tuple(Vec<Shape>),
    /// An object whose keys are not known beforehand.
    Map(Box<Shape>),
    /// An object with known keys.
    Object {
        /// The keys the contract lists.
        fields: Vec<Field>,
        /// Whether a key beyond them is a mistake.
        closed: bool,
    },
    /// An object whose shape is chosen by a word in one of its fields.
    Tagged {
        /// The field that holds the word.
        field: String,
        /// The schema for each word.
        cases: Vec<(String, String)>,
        /// The shape when the word is absent or not among them.
        otherwise: Box<Shape>,
        /// Whether capitals matter in the word.
        any_case: bool,
    },
    /// A named schema of the same contract.
    Ref(String),
    /// Any one of several; of none, nothing at all.
    OneOf(Vec<Shape>),
}

/// A key of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// The key.
    pub name: String,
    /// What its value may be.
    pub shape: Shape,
    /// Whether an answer without it is wrong.
    pub required: bool,
    /// Whether its value may be null instead.
    pub nullable: bool,
}

impl Shape {
    /// A text without further rules.
    pub fn text() -> Self {
        Self::String { format: None, words: None }
    }

    /// A text of a format.
    pub fn format(name: &str) -> Self {
        Self::String { format: Some(name.to_owned()), words: None }
    }

    /// A text out of a list of words.
    pub fn words<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Self {
        Self::String { format: None, words: Some(words.into_iter().map(Into::into).collect()) }
    }

    /// A list of this.
    pub fn list(self) -> Self {
        Self::Array(Box::new(self))
    }

    /// This or another, flattened.
    pub fn or(self, other: Self) -> Self {
        let mut cases = match self {
            Self::OneOf(cases) if !cases.is_empty() => cases,
            shape => vec![shape],
        };
        match other {
            Self::OneOf(more) if !more.is_empty() => cases.extend(more),
            shape => cases.push(shape),
        }
        Self::OneOf(cases)
    }

    /// Whether the contract says nothing that an answer could fail: the answer itself, or what stands beside the
    /// envelope's constant keys, may be anything.
    pub fn is_loose(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Map(value) => **value == Self::Any,
            Self::Object { fields, .. } => fields.iter().any(|field| field.name == "data" && field.shape == Self::Any),
            _ => false,
        }
    }

    /// The shape in a few words, for a problem's text.
    pub fn describe(&self) -> String {
        match self {
            Self::Any => "anything".into(),
            Self::Empty => "no body".into(),
            Self::Media => "a body that is not JSON".into(),
            Self::Null => "null".into(),
            Self::Bool => "a boolean".into(),
            Self::Integer => "an integer".into(),
            Self::Number => "a number".into(),
            Self::String { words: Some(words), .. } if words.len() > 12 => {
                format!("one of {} and {} more", words[..12].join(", "), words.len() - 12)
            }
            Self::String { words: Some(words), .. } => format!("one of {}", words.join(", ")),
            Self::String { format: Some(format), .. } => format!("a string ({format})"),
            Self::String { .. } => "a string".into(),
            Self::OneNumber(numbers) => format!("one of {numbers:?}"),
            Self::Exactly(value) => value.to_string(),
            Self::Array(item) => format!("a list of {}", item.describe()),
            Self::Tuple(places) => format!("a list of exactly {}", places.len()),
            Self::Map(_) | Self::Object { .. } | Self::Tagged { .. } => "an object".into(),
            Self::Ref(name) => name.clone(),
            Self::OneOf(cases) if cases.is_empty() => "nothing".into(),
            Self::OneOf(cases) => cases.iter().map(Self::describe).collect::<Vec<_>>().join(" or "),
        }
    }
}

impl Field {
    /// A key that must be there and may not be null.
    pub fn required(name: &str, shape: Shape) -> Self {
        Self { name: name.to_owned(), shape, required: true, nullable: false }
    }

    /// A key that may be left out.
    pub fn optional(name: &str, shape: Shape) -> Self {
        Self { name: name.to_owned(), shape, required: false, nullable: false }
    }
}

//! One operation: a row of a dialect's table.

use std::{borrow::Cow, sync::Arc, time::Duration};

use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::{Cx, Problem, Reply, Soon};

/// What runs when an operation is called.
pub type Handler = Arc<dyn Fn(Cx) -> Soon<'static, Result<Reply, Problem>> + Send + Sync>;

/// One operation of a dialect. Routing, OpenAPI, the access test, metrics and contract coverage all read these fields.
///
/// Names are `&'static str` because labels and logs keep them; a table that is made at run time leaks its names once, when
/// the server starts.
#[derive(Clone)]
pub struct Op {
    /// The operation's name, unique in its dialect.
    pub id: &'static str,
    /// Its method. HEAD is answered by the operation for GET and has no row of its own.
    pub method: Method,
    /// Its path with parameters in braces: `/networks/{networkId}`; `{*rest}` at the end takes any number of segments.
    pub path: &'static str,
    /// The chapter it belongs to.
    pub group: &'static str,
    /// One line for people.
    pub summary: &'static str,
    /// What it does to what, for the access test.
    pub verb: Verb,
    /// Whether a caller must be known.
    pub auth: Auth,
    /// The query parameters it reads.
    pub query: Cow<'static, [QueryParam]>,
    /// The body it takes.
    pub request: Shape,
    /// The content type of that body.
    pub request_media: &'static str,
    /// The status of a good answer.
    pub success: u16,
    /// The body of a good answer.
    pub response: Shape,
    /// The content type of that answer.
    pub response_media: &'static str,
    /// The largest body it takes, where that is not the server's limit.
    pub body_limit: Option<usize>,
    /// How long it may take, where that is not the server's limit.
    pub time_limit: Option<Duration>,
    /// What runs.
    pub handler: Handler,
}

/// Whether an operation needs a known caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// No credential is looked at.
    Open,
    /// A credential is used when one is sent; a bad one is refused.
    Optional,
    /// Without a good credential the operation does not run.
    Required,
}

/// What an operation does, as the access test and the coverage list need to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Reads; changes nothing.
    Read,
    /// Makes something new.
    Create,
    /// Changes what is there.
    Change,
    /// Removes.
    Delete,
    /// Does something else, such as a login or a reboot.
    Act,
}

/// A query parameter an operation reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryParam {
    /// The name as it is sent.
    pub name: Cow<'static, str>,
    /// The form of its value.
    pub kind: ValueKind,
    /// Whether the operation refuses to run without it.
    pub required: bool,
    /// Whether it may be sent more than once.
    pub repeated: bool,
    /// One line for people.
    pub summary: &'static str,
}

/// The form of a query parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
}

impl QueryParam {
    /// An optional parameter that is sent once.
    pub const fn new(name: &'static str, kind: ValueKind) -> Self {
        Self { name: Cow::Borrowed(name), kind, required: false, repeated: false, summary: "" }
    }
    /// An optional text.
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, ValueKind::Text)
    }
    /// An optional whole number.
    pub const fn integer(name: &'static str) -> Self {
        Self::new(name, ValueKind::Integer)
    }
    /// An optional truth value.
    pub const fn boolean(name: &'static str) -> Self {
        Self::new(name, ValueKind::Boolean)
    }
    /// Makes it required.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }
    /// Allows it more than once.
    #[must_use]
    pub const fn repeated(mut self) -> Self {
        self.repeated = true;
        self
    }
    /// Says what it is for.
    #[must_use]
    pub const fn summary(mut self, text: &'static str) -> Self {
        self.summary = text;
        self
    }
}

/// The schema of a body.
#[derive(Clone, Default)]
pub enum Shape {
    /// There is no body.
    #[default]
    Nothing,
    /// A component the dialect supplies by this name, see [`crate::Dialect::components`].
    Named(&'static str),
    /// A list of such components.
    ListOf(&'static str),
    /// A schema that is written when the document is.
    Made(Arc<dyn Fn(&mut SchemaGenerator) -> Schema + Send + Sync>),
}

impl Shape {
    /// The schema of a type.
    pub fn of<T: JsonSchema>() -> Self {
        Self::Made(Arc::new(|generator| generator.subschema_for::<T>()))
    }
    /// A schema that is at hand as JSON.
    pub fn value(schema: Schema) -> Self {
        Self::Made(Arc::new(move |_| schema.clone()))
    }
}

/// An operation that lacks only what runs: end it with [`Draft::run`].
#[derive(Clone)]
pub struct Draft {
    op: Op,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty => |$op:ident, $value:ident| $set:expr;)*) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(mut self, $value: $type) -> Self {
            let $op = &mut self.op;
            $set;
            self
        })*
    };
}

impl Draft {
    setters! {
        /// The chapter it belongs to.
        group: &'static str => |op, value| op.group = value;
        /// One line for people.
        summary: &'static str => |op, value| op.summary = value;
        /// What it does, where the method does not say so.
        verb: Verb => |op, value| op.verb = value;
        /// Whether a caller must be known; required unless said otherwise.
        auth: Auth => |op, value| op.auth = value;
        /// The query parameters it reads.
        query: impl Into<Cow<'static, [QueryParam]>> => |op, value| op.query = value.into();
        /// The body it takes.
        takes: Shape => |op, value| op.request = value;
        /// The content type of the body it takes, where that is not JSON.
        takes_media: &'static str => |op, value| op.request_media = value;
        /// The body of a good answer.
        gives: Shape => |op, value| op.response = value;
        /// The content type of a good answer, where that is not JSON.
        gives_media: &'static str => |op, value| op.response_media = value;
        /// The status of a good answer, where that is not 200.
        success: u16 => |op, value| op.success = value;
        /// The largest body it takes, in bytes.
        body_limit: usize => |op, value| op.body_limit = Some(value);
        /// How long it may take.
        time_limit: Duration => |op, value| op.time_limit = Some(value);
    }
    /// For operations that anyone may call.
    #[must_use]
    pub fn open(self) -> Self {
        self.auth(Auth::Open)
    }
    /// Completes the operation. The handler's error may be the core's own or a [`Problem`].
    pub fn run<F, R, E>(self, handler: F) -> Op
    where
        F: Fn(Cx) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Reply, E>> + Send + 'static,
        E: Into<Problem>,
    {
        let handler: Handler = Arc::new(move |cx| {
            let answer = handler(cx);
            Box::pin(async move { answer.await.map_err(Into::into) })
        });
        Op { handler, ..self.op }
    }
}

impl Op {
    /// Begins an operation; what the method usually means is filled in.
    pub fn on(method: Method, id: &'static str, path: &'static str) -> Draft {
        let verb = match method {
            Method::GET | Method::OPTIONS => Verb::Read,
            Method::POST => Verb::Create,
            Method::DELETE => Verb::Delete,
            _ => Verb::Change,
        };
        Draft {
            op: Op {
                id,
                method,
                path,
                group: "",
                summary: "",
                verb,
                auth: Auth::Required,
                query: Cow::Borrowed(&[]),
                request: Shape::Nothing,
                request_media: "application/json",
                success: 200,
                response: Shape::Nothing,
                response_media: "application/json",
                body_limit: None,
                time_limit: None,
                handler: Arc::new(|_| Box::pin(async { Err(Problem::NoRoute) })),
            },
        }
    }
    /// Begins an operation that reads.
    pub fn get(id: &'static str, path: &'static str) -> Draft {
        Self::on(Method::GET, id, path)
    }
    /// Begins an operation that makes or does something.
    pub fn post(id: &'static str, path: &'static str) -> Draft {
        Self::on(Method::POST, id, path)
    }
    /// Begins an operation that replaces.
    pub fn put(id: &'static str, path: &'static str) -> Draft {
        Self::on(Method::PUT, id, path)
    }
    /// Begins an operation that changes.
    pub fn patch(id: &'static str, path: &'static str) -> Draft {
        Self::on(Method::PATCH, id, path)
    }
    /// Begins an operation that removes.
    pub fn delete(id: &'static str, path: &'static str) -> Draft {
        Self::on(Method::DELETE, id, path)
    }
    /// The names of the path's parameters, in order.
    pub fn path_params(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name.trim_start_matches('*'))
    }
}

impl std::fmt::Debug for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.method, self.path, self.id)
    }
}

//! What a handler gets.

use std::{ops::Deref, str::FromStr, sync::Arc};

use bytes::Bytes;

use crate::{App, Caller, Parts, route::Home};

/// One call of an operation: who asks, what, and the core to ask. The request's head is reached through it as well:
/// `cx.headers`, `cx.query`, `cx.peer` (see [`Parts`]).
#[derive(Clone)]
pub struct Cx {
    /// The core.
    pub app: App,
    /// The request's head.
    pub parts: Arc<Parts>,
    /// The path's parameters.
    pub path: Params,
    /// The body; empty while the caller is still being identified.
    pub body: Bytes,
    /// The operation's id.
    pub op: &'static str,
    /// The dialect's name.
    pub dialect: &'static str,
    pub(crate) caller: Option<Caller>,
    pub(crate) home: Arc<Home>,
}

impl Cx {
    /// Who asks.
    ///
    /// # Panics
    /// When nobody is known: only operations of [`crate::Auth::Required`] may ask. The client then sees our own error.
    pub fn caller(&self) -> &Caller {
        self.caller.as_ref().expect("the operation's row says that a caller is required")
    }
    /// Who asks, if that is known.
    pub fn known_caller(&self) -> Option<&Caller> {
        self.caller.as_ref()
    }
    /// A parameter of the path, percent-decoded.
    ///
    /// # Panics
    /// When the operation's path has no such parameter. The client then sees our own error.
    pub fn param(&self, name: &str) -> &str {
        self.path.get(name).expect("the operation's path has this parameter")
    }
    /// A parameter of the path as a `T`; `None` when it is no `T`, which for an id means that no such object exists.
    pub fn param_as<T: FromStr>(&self, name: &str) -> Option<T> {
        self.param(name).parse().ok()
    }
}

impl Deref for Cx {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// The parameters of a path, each decoded by itself after routing: an encoded slash in a value never splits a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(pub(crate) Vec<(&'static str, String)>);

impl Params {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    }
    /// Names and values in the path's order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str()))
    }
}

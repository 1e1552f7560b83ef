//! What a template sees: objects with fields that lead to other objects, and lists of them.
//!
//! An object in a template is a pair of numbers and a share of the tree, so a list of 20,000 sessions costs 80 kB and a step
//! from a session to its AS costs nothing but the pair.

use std::{cmp::Ordering, fmt, sync::Arc};

use minijinja::{
    Error, ErrorKind, State,
    value::{DynObject, Enumerator, Object, ObjectRepr, Value},
};

use crate::filters;

/// What sort of object it is, by the name operators know it under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of the models")]
pub enum Model {
    AutonomousSystem,
    BgpGroup,
    Bfd,
    Community,
    Configuration,
    Connection,
    Contact,
    ContactAssignment,
    DirectPeeringSession,
    InternetExchange,
    InternetExchangePeeringSession,
    Platform,
    Relationship,
    Router,
    RoutingPolicy,
    Tag,
    Network,
    NetworkIxLan,
    Facility,
    Other,
}

impl Model {
    /// The model's name in messages.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AutonomousSystem => "AutonomousSystem",
            Self::BgpGroup => "BGPGroup",
            Self::Bfd => "BFD",
            Self::Community => "Community",
            Self::Configuration => "Configuration",
            Self::Connection => "Connection",
            Self::Contact => "Contact",
            Self::ContactAssignment => "ContactAssignment",
            Self::DirectPeeringSession => "DirectPeeringSession",
            Self::InternetExchange => "InternetExchange",
            Self::InternetExchangePeeringSession => "InternetExchangePeeringSession",
            Self::Platform => "Platform",
            Self::Relationship => "Relationship",
            Self::Router => "Router",
            Self::RoutingPolicy => "RoutingPolicy",
            Self::Tag => "Tag",
            Self::Network => "Network",
            Self::NetworkIxLan => "NetworkIXLan",
            Self::Facility => "Facility",
            Self::Other => "object",
        }
    }

    /// Whether it is a BGP session of either sort.
    pub const fn is_session(self) -> bool {
        matches!(self, Self::DirectPeeringSession | Self::InternetExchangePeeringSession)
    }
}

/// One object: its model and its place among those of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its model.
    pub model: Model,
    /// Its place.
    pub at: u32,
}

impl Key {
    /// The object of this model at this place.
    pub const fn new(model: Model, at: u32) -> Self {
        Self { model, at }
    }
}

/// Everything a template may see. Nothing in it changes while a template is rendered.
///
/// The names are those of the template language. A name is in one of the three groups of an object's fields or it is none.
/// Beside the fields that templates name, filters ask for these lists: `direct_sessions` of systems, groups and routers,
/// `ixp_sessions` of systems, exchanges and routers, `connections` of exchanges and routers, `contacts` of systems and
/// exchanges, `missing` of systems and `facilities` of systems.
pub trait Tree: fmt::Debug + Send + Sync {
    /// A field that is a value of its own: text, number, address, JSON.
    fn plain(&self, key: Key, name: &str) -> Option<Value>;
    /// A field that is another object; the inner option is empty when the field is.
    fn one(&self, key: Key, name: &str) -> Option<Option<Key>>;
    /// A field that is a list of other objects of one model, by their places.
    fn many(&self, key: Key, name: &str) -> Option<(Model, Vec<u32>)>;
    /// The fields of a model that are shown when it is written out whole, in their order.
    fn fields(&self, model: Model) -> &'static [&'static str];
    /// The number the object is known by.
    fn id(&self, key: Key) -> i64;
    /// What people call the object.
    fn title(&self, key: Key) -> String;
    /// How many objects of a model there are.
    fn count(&self, model: Model) -> u32;
}

/// An object as a template holds it.
#[derive(Clone)]
pub struct Entity {
    /// Where it is from.
    pub tree: Arc<dyn Tree>,
    /// Which it is.
    pub key: Key,
}

impl Entity {
    /// The object as a value of the template language.
    pub fn value(tree: &Arc<dyn Tree>, key: Key) -> Value {
        Value::from_object(Self { tree: Arc::clone(tree), key })
    }

    /// The object in a value, if one is there.
    pub fn of(value: &Value) -> Option<&Self> {
        value.downcast_object_ref::<Self>()
    }

    /// A field, whatever it is.
    pub fn field(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.tree.plain(self.key, name) {
            return Some(value);
        }
        if let Some(target) = self.tree.one(self.key, name) {
            return Some(target.map_or(Value::from(()), |key| Self::value(&self.tree, key)));
        }
        if let Some((model, at)) = self.tree.many(self.key, name) {
            return Some(Rows::value(&self.tree, model, at));
        }
        match name {
            "id" | "pk" => Some(self.tree.id(self.key).into()),
            _ => None,
        }
    }

    /// The object one step on.
    pub fn one(&self, name: &str) -> Option<Self> {
        let key = self.tree.one(self.key, name)??;
        Some(Self { tree: Arc::clone(&self.tree), key })
    }

    /// The places in a list of other objects.
    pub fn many(&self, name: &str) -> Option<Rows> {
        let (model, at) = self.tree.many(self.key, name)?;
        Some(Rows { tree: Arc::clone(&self.tree), model, at })
    }

    /// A text field.
    pub fn word(&self, name: &str) -> Option<String> {
        self.tree.plain(self.key, name)?.as_str().map(str::to_owned)
    }
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}: {}>", self.key.model.word(), self.tree.title(self.key))
    }
}

impl Object for Entity {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.field(key.as_str()?)
    }
    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.field(key)
    }
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(self.tree.fields(self.key.model))
    }
    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        filters::method(state, self, method, args)
    }
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        let id = |e: &Self| (e.key.model, e.tree.id(e.key));
        Some(id(self).cmp(&id(other)))
    }
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tree.title(self.key))
    }
}

/// A list of objects of one model.
#[derive(Clone)]
pub struct Rows {
    /// Where they are from.
    pub tree: Arc<dyn Tree>,
    /// What they are.
    pub model: Model,
    /// Which they are.
    pub at: Vec<u32>,
}

impl Rows {
    /// The list as a value of the template language.
    pub fn value(tree: &Arc<dyn Tree>, model: Model, at: Vec<u32>) -> Value {
        Value::from_object(Self { tree: Arc::clone(tree), model, at })
    }

    /// Every object of a model.
    pub fn all(tree: &Arc<dyn Tree>, model: Model) -> Value {
        Self::value(tree, model, (0..tree.count(model)).collect())
    }

    /// The list in a value, if one is there.
    pub fn of(value: &Value) -> Option<&Self> {
        value.downcast_object_ref::<Self>()
    }

    /// The same list with other members.
    pub fn with(&self, at: Vec<u32>) -> Value {
        Self::value(&self.tree, self.model, at)
    }

    /// The members.
    pub fn entities(&self) -> impl Iterator<Item = Entity> {
        self.at.iter().map(|at| Entity { tree: Arc::clone(&self.tree), key: Key::new(self.model, *at) })
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.entities()).finish()
    }
}

impl Object for Rows {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let at = self.at.get(key.as_usize()?)?;
        Some(Entity::value(&self.tree, Key::new(self.model, *at)))
    }
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.at.len())
    }
    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.at.len())
    }
    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "all" | "iterator" | "distinct" | "select_related" | "prefetch_related" => {
                Ok(Value::from_dyn_object(Arc::clone(self)))
            }
            "count" => Ok(self.at.len().into()),
            "exists" => Ok((!self.at.is_empty()).into()),
            "none" => Ok(self.with(Vec::new())),
            "first" | "last" => {
                let at = if method == "first" { self.at.first() } else { self.at.last() };
                Ok(at.map_or(Value::from(()), |at| Entity::value(&self.tree, Key::new(self.model, *at))))
            }
            _ => filters::list_method(state, &Value::from_dyn_object(Arc::clone(self)), method, args)
                .unwrap_or_else(|| Err(Error::from(ErrorKind::UnknownMethod))),
        }
    }
}

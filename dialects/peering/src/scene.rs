//! What a request gives to every function that reads or writes rows: the address links begin with, the rows at hand, and which
//! fields are wanted.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
};

use meetme_app::{App, Caller, Error, irr::Registered, resources::By};

use meetme_base::{Id, RawId};
use meetme_http::Query;
use meetme_store::{Object, Resource};
use serde_json::{Map, Value as Json};

use crate::model::{About, Field};

/// What is the same for a whole request.
#[derive(Clone)]
pub struct Scene {
    /// The core, for opening and making sealed values.
    pub app: App,
    /// Scheme and host, without a final slash.
    pub base: String,
    /// The node new rows hang on.
    pub home: RawId,
    /// Whether sealed values of the model may be shown.
    pub reveal: bool,
    /// Whether anybody reads along: how equipment is reached is then not told.
    pub public: bool,
    /// Who asks; nobody where something is told unasked.
    pub caller: Option<Caller>,
}

impl Scene {
    /// Who asks, for rules that depend on it.
    ///
    /// # Errors
    /// [`Error::Bug`] where nobody does: what is told unasked writes nothing.
    pub fn by(&self) -> Result<By<'_>, Error> {
        let caller = self.caller.as_ref().ok_or_else(|| Error::Bug("nobody asks".to_owned()))?;
        Ok(By { app: &self.app, caller })
    }
    /// The address of a row in this API.
    pub fn url(&self, out: &mut Vec<u8>, about: &About, id: i64) {
        self.address(out, "/api/", about, id);
    }
    /// The address of a row for people.
    pub fn page(&self, out: &mut Vec<u8>, about: &About, id: i64) {
        self.address(out, "/", about, id);
    }
    fn address(&self, out: &mut Vec<u8>, root: &str, about: &About, id: i64) {
        out.push(b'"');
        for part in [self.base.as_str(), root, about.app, "/", about.path, "/"] {
            out.extend_from_slice(part.as_bytes());
        }
        crate::json::integer(out, id);
        out.extend_from_slice(b"/\"");
    }
}

/// Rows that others refer to, fetched in one query for each kind, and their nested forms, written once each.
#[derive(Default)]
pub struct Loaded {
    rows: HashMap<TypeId, Box<dyn Any>>,
    nested: HashMap<&'static str, HashMap<i64, Box<[u8]>>>,
    names: HashMap<&'static str, HashMap<i64, String>>,
    /// What other rows say of each, by the name of the field.
    pub beside: HashMap<(&'static str, i64), Vec<RawId>>,
    /// The same in words.
    pub words: HashMap<(&'static str, i64), Vec<String>>,
    /// How many rows refer to each, where that was asked for.
    pub counts: HashMap<RawId, u64>,
    /// What the routing registries say of each AS, where that was asked for.
    pub registered: HashMap<i64, Registered>,
    /// What is merged into the data for templates of each, where that was asked for.
    pub contexts: HashMap<RawId, Map<String, Json>>,
    /// What the public peering database says of the rows, where that was asked for.
    pub register: crate::mirror::Said,
}

impl Loaded {
    /// A row that is at hand.
    pub fn row<R: Resource>(&self, id: Id<R>) -> Option<&Object<R>> {
        let rows = self.rows.get(&TypeId::of::<R>())?.downcast_ref::<HashMap<Id<R>, Object<R>>>()?;
        rows.get(&id)
    }
    /// The nested form of a row that is at hand.
    pub fn nested(&self, model: &str, id: RawId) -> Option<&[u8]> {
        self.nested.get(model)?.get(&id.get()).map(|bytes| &**bytes)
    }
    /// The display name of a row that is at hand.
    pub fn name(&self, model: &str, id: RawId) -> Option<&str> {
        self.names.get(model)?.get(&id.get()).map(String::as_str)
    }
    /// Whether the row was fetched already.
    pub fn has(&self, model: &str, id: RawId) -> bool {
        self.nested.get(model).is_some_and(|rows| rows.contains_key(&id.get()))
    }
    /// Keeps rows, their nested forms and their names.
    pub fn keep<R: Resource>(
        &mut self,
        model: &'static str,
        rows: HashMap<Id<R>, Object<R>>,
        written: Vec<(i64, Box<[u8]>, String)>,
    ) {
        let shelf = self.rows.entry(TypeId::of::<R>()).or_insert_with(|| Box::<HashMap<Id<R>, Object<R>>>::default());
        if let Some(shelf) = shelf.downcast_mut::<HashMap<Id<R>, Object<R>>>() {
            shelf.extend(rows);
        }
        let (nested, names) = (self.nested.entry(model).or_default(), self.names.entry(model).or_default());
        for (id, bytes, name) in written {
            nested.insert(id, bytes);
            names.insert(id, name);
        }
    }
}

/// What a reading request asks for.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// The whole query, in order.
    pub query: Query,
    /// Whether the nested form is wanted.
    pub brief: bool,
    /// When not empty, only these fields.
    pub fields: Vec<String>,
    /// Without these fields.
    pub exclude: Vec<String>,
}

impl Ask {
    /// Reads the switches of a query.
    pub fn of(query: &Query) -> Self {
        let list = |name| -> Vec<String> {
            query.all(name).flat_map(|text| text.split(',')).filter(|t| !t.is_empty()).map(str::to_owned).collect()
        };
        Self {
            brief: query.last("brief").is_some_and(|text| !text.is_empty()),
            fields: list("fields"),
            exclude: list("exclude"),
            query: query.clone(),
        }
    }

    /// The fields that are wanted, in the order they are written.
    pub fn choose<R: Resource>(&self, about: &About, fields: &'static [Field<R>]) -> Vec<&'static Field<R>> {
        let all = if self.brief { brief(about, fields) } else { fields.iter().collect() };
        let named = |f: &Field<R>| self.fields.iter().any(|name| name == f.name);
        all.into_iter()
            .filter(|f| if self.fields.is_empty() { !f.ours } else { named(f) })
            .filter(|f| !f.write_only)
            .filter(|f| !self.exclude.iter().any(|name| name == f.name))
            .collect()
    }
}

/// The fields of the nested form.
pub fn brief<R: Resource>(about: &About, fields: &'static [Field<R>]) -> Vec<&'static Field<R>> {
    about.brief.iter().filter_map(|name| fields.iter().find(|f| f.name == *name)).collect()
}

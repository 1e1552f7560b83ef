//! The doors of a model without its type: what routes, references and the change log work with.

use std::collections::HashSet;

use meetme_app::{Error, peering::Ruled};
use meetme_base::{Id, RawId};
use meetme_store::{Change, Tx};
use serde_json::{Map, Value as Json};

use crate::{
    describe, dump,
    lookup::{self, Step},
    model::{About, Model},
    read,
    scene::{Ask, Loaded, Scene, brief},
    schema::fields::{self, Face},
    write,
};

/// A model of any kind.
pub trait AnyModel: Sync {
    /// Its names and lists.
    fn about(&self) -> &About;
    /// A page of a list, as JSON.
    fn page(&self, tx: &mut Tx<'_>, ask: &Ask, scene: &Scene) -> Result<Vec<u8>, Error>;
    /// One row, as JSON.
    fn one(&self, tx: &mut Tx<'_>, id: i64, ask: &Ask, scene: &Scene) -> Result<Vec<u8>, Error>;
    /// Makes rows, all or none.
    fn create(&self, tx: &mut Tx<'_>, rows: &[Json], bulk: bool, scene: &Scene) -> Result<write::Written, Error>;
    /// Changes rows, all or none; with `whole`, required fields must be there.
    fn update(&self, tx: &mut Tx<'_>, id: i64, row: &Json, whole: bool, scene: &Scene)
    -> Result<write::Written, Error>;
    /// Changes many rows named by their `id`, all or none; those that do not exist are passed over.
    fn update_many(&self, tx: &mut Tx<'_>, rows: &[Json], whole: bool, scene: &Scene) -> Result<write::Written, Error>;
    /// Removes a row.
    fn remove(&self, tx: &mut Tx<'_>, id: i64, scene: &Scene) -> Result<(), Error>;
    /// Removes rows, all or none; those that do not exist are passed over.
    fn remove_many(&self, tx: &mut Tx<'_>, rows: &[Json], scene: &Scene) -> Result<(), Error>;
    /// Adds the core's paths to what the nested form shows of other rows, each after `prefix`.
    fn along(&self, prefix: &str, out: &mut Vec<String>);
    /// Puts rows and their nested forms at hand.
    fn load(&self, tx: &mut Tx<'_>, ids: Vec<RawId>, scene: &Scene, loaded: &mut Loaded) -> Result<(), Error>;
    /// Which of these rows exist.
    fn existing(&self, tx: &mut Tx<'_>, ids: &[i64]) -> Result<HashSet<i64>, Error>;
    /// The one row with these attributes, of several the one at `home`; the error of the inner result is the text of the refusal.
    fn with(
        &self,
        tx: &mut Tx<'_>,
        home: RawId,
        attributes: &Map<String, Json>,
    ) -> Result<Result<RawId, String>, Error>;
    /// Where the first part of an attribute's name leads.
    fn step(&self, name: &str) -> Option<Step>;
    /// The names of all fields, sorted.
    fn names(&self) -> Vec<&'static str>;
    /// The fields as OPTIONS describes them.
    fn describe(&self) -> Map<String, Json>;
    /// Its schema in one of its forms.
    fn schema(&self, face: Face) -> Json;
    /// A document of the change log in this dialect's flat form.
    fn dump(&self, spec: &Json, id: i64, loaded: &Loaded) -> Option<Vec<u8>>;
    /// The rows whose names [`AnyModel::dump`] will want.
    fn dump_needs(&self, spec: &Json) -> Vec<RawId>;
    /// Whether it shows a row with this document: several models may show one kind.
    fn shows(&self, spec: &Json) -> bool;
    /// The row of a change in its whole form as it was then; `None` when this version can no longer read it.
    fn told(&self, tx: &mut Tx<'_>, change: &Change, scene: &Scene) -> Result<Option<Vec<u8>>, Error>;
}

impl<R: Ruled> AnyModel for Model<R> {
    fn about(&self) -> &About {
        &self.about
    }
    fn page(&self, tx: &mut Tx<'_>, ask: &Ask, scene: &Scene) -> Result<Vec<u8>, Error> {
        read::page(self, tx, ask, scene)
    }
    fn one(&self, tx: &mut Tx<'_>, id: i64, ask: &Ask, scene: &Scene) -> Result<Vec<u8>, Error> {
        read::one(self, tx, id, ask, scene)
    }
    fn create(&self, tx: &mut Tx<'_>, rows: &[Json], bulk: bool, scene: &Scene) -> Result<write::Written, Error> {
        write::create(self, tx, rows, bulk, scene)
    }
    fn update(
        &self,
        tx: &mut Tx<'_>,
        id: i64,
        row: &Json,
        whole: bool,
        scene: &Scene,
    ) -> Result<write::Written, Error> {
        write::update(self, tx, id, row, whole, scene)
    }
    fn update_many(&self, tx: &mut Tx<'_>, rows: &[Json], whole: bool, scene: &Scene) -> Result<write::Written, Error> {
        write::update_many(self, tx, rows, whole, scene)
    }
    fn remove(&self, tx: &mut Tx<'_>, id: i64, scene: &Scene) -> Result<(), Error> {
        write::remove(self, tx, id, scene)
    }
    fn remove_many(&self, tx: &mut Tx<'_>, rows: &[Json], scene: &Scene) -> Result<(), Error> {
        write::remove_many(self, tx, rows, scene)
    }
    fn along(&self, prefix: &str, out: &mut Vec<String>) {
        read::along(self, &brief(&self.about, self.fields), prefix, out);
    }
    fn load(&self, tx: &mut Tx<'_>, ids: Vec<RawId>, scene: &Scene, loaded: &mut Loaded) -> Result<(), Error> {
        read::load(self, tx, ids, scene, loaded)
    }
    fn existing(&self, tx: &mut Tx<'_>, ids: &[i64]) -> Result<HashSet<i64>, Error> {
        let filter = meetme_store::Filter::is_in("id", ids.iter().map(|id| Id::<R>::new(*id))).and((self.about.only)());
        Ok(tx.ids::<R>(&filter)?.into_iter().map(Id::get).collect())
    }
    fn with(
        &self,
        tx: &mut Tx<'_>,
        home: RawId,
        attributes: &Map<String, Json>,
    ) -> Result<Result<RawId, String>, Error> {
        lookup::find(self, tx, home, attributes)
    }
    fn step(&self, name: &str) -> Option<Step> {
        lookup::step(self, name)
    }
    fn names(&self) -> Vec<&'static str> {
        lookup::names(self)
    }
    fn describe(&self) -> Map<String, Json> {
        describe::fields(self)
    }
    fn schema(&self, face: Face) -> Json {
        fields::object(self, face)
    }
    fn dump(&self, spec: &Json, id: i64, loaded: &Loaded) -> Option<Vec<u8>> {
        dump::write(self, spec, id, loaded)
    }
    fn dump_needs(&self, spec: &Json) -> Vec<RawId> {
        dump::needs(self, spec)
    }
    fn shows(&self, spec: &Json) -> bool {
        dump::shows(self, spec)
    }
    fn told(&self, tx: &mut Tx<'_>, change: &Change, scene: &Scene) -> Result<Option<Vec<u8>>, Error> {
        dump::told(self, tx, change, scene)
    }
}

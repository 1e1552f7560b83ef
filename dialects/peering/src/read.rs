//! Reading: a row, a page of rows, and what rows refer to.

use meetme_app::{Error, contexts, irr, peering::Ruled};
use meetme_base::{Id, RawId};
use meetme_model::routing::{AutonomousSystem, IrrQuestion};
use meetme_store::{Filter, Object, Query, Resource as _, Tx};

use crate::{
    encode::{self, Shape},
    engine::AnyModel,
    json,
    model::{Field, Form, Model},
    models,
    page::Paging,
    query,
    scene::{Ask, Loaded, Scene, brief},
};

/// One row.
pub fn one<R: Ruled>(model: &Model<R>, tx: &mut Tx<'_>, id: i64, ask: &Ask, scene: &Scene) -> Result<Vec<u8>, Error> {
    let fields = ask.choose(&model.about, model.fields);
    let mut paths = Vec::new();
    along(model, &fields, "", &mut paths);
    let row = match model.about.key() {
        "id" => tx.find_along(Id::<R>::new(id), &(model.about.only)(), &paths)?,
        key => tx.one(&Filter::eq(key, id).and((model.about.only)()))?,
    };
    let row = row.ok_or_else(|| Error::missing(R::KIND, model.about.name))?;
    let rows = [row];
    let mut out = Vec::with_capacity(2048);
    let (loaded, scene) = (at_hand(model, tx, &rows, &fields, scene)?, shown(model, tx, scene)?);
    encode::row(model, &rows[0], &Shape::of(&fields, ask.brief), &scene, &loaded, &mut out);
    Ok(out)
}

/// The core's paths to everything that these fields show of other rows, each after `prefix`. Lists are not followed.
pub fn along<R: Ruled>(model: &Model<R>, fields: &[&'static Field<R>], prefix: &str, out: &mut Vec<String>) {
    let shown = fields.iter().filter_map(|field| field.reference());
    for (edge, of) in shown.chain(model.needs.iter().map(|need| (need.edge, need.of))) {
        let path = format!("{prefix}{edge}");
        if !out.contains(&path) {
            out.push(path.clone());
            of.along(&format!("{path}."), out);
        }
    }
}

/// The row of this id, if the model shows it.
pub fn find<R: Ruled>(model: &Model<R>, tx: &mut Tx<'_>, id: i64) -> Result<Object<R>, Error> {
    let filter = Filter::eq("id", Id::<R>::new(id)).and((model.about.only)());
    tx.one::<R>(&filter)?.ok_or_else(|| Error::missing(R::KIND, model.about.name))
}

/// A page of a list.
pub fn page<R: Ruled>(model: &Model<R>, tx: &mut Tx<'_>, ask: &Ask, scene: &Scene) -> Result<Vec<u8>, Error> {
    let filter = query::filter(&model.about, R::KIND, tx, scene, &ask.query)?;
    let order = query::order(model, &ask.query);
    let paging = Paging::of(&ask.query);
    let (count, rows) = tx.page::<R>(&Query::of(filter).order(order).page(paging.limit, paging.offset))?;
    let address = format!("{}/api/{}/{}/", scene.base, model.about.app, model.about.path);
    let mut out = Vec::with_capacity(256 + rows.len() * 1024);
    paging.head(&mut out, count, &address, &ask.query);
    list(model, tx, &rows, ask, scene, &mut out)?;
    out.push(b'}');
    Ok(out)
}

/// Rows as a JSON list.
pub fn list<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    rows: &[Object<R>],
    ask: &Ask,
    scene: &Scene,
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    let fields = ask.choose(&model.about, model.fields);
    let (loaded, scene) = (at_hand(model, tx, rows, &fields, scene)?, shown(model, tx, scene)?);
    let shape = Shape::of(&fields, ask.brief);
    out.push(b'[');
    for (i, row) in rows.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        encode::row(model, row, &shape, &scene, &loaded, out);
    }
    out.push(b']');
    Ok(())
}

/// The scene with the decision whether the caller may read this model's secrets.
fn shown<R: Ruled>(model: &Model<R>, tx: &mut Tx<'_>, scene: &Scene) -> Result<Scene, Error> {
    let mut scene = scene.clone();
    // What is told unasked reveals nothing.
    if scene.caller.is_some() && model.fields.iter().any(|f| matches!(f.form, Form::Secret { .. } | Form::Own { .. })) {
        scene.reveal = tx.may(R::KIND, "reveal", scene.home)?;
    }
    Ok(scene)
}

/// Everything that these fields of these rows show of other rows.
fn at_hand<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    rows: &[Object<R>],
    fields: &[&'static Field<R>],
    scene: &Scene,
) -> Result<Loaded, Error> {
    let mut loaded = Loaded::default();
    gather(model, tx, rows, fields, scene, &mut loaded)?;
    let ids: Vec<RawId> = rows.iter().map(|row| row.id.any()).collect();
    for field in fields {
        if let Form::Beside { gather, .. } = field.form {
            gather(tx, &ids, scene, &mut loaded)?;
        }
    }
    if fields.iter().any(|f| f.name == "tagged_items") {
        loaded.counts = tx.referred("tags", rows.iter().map(|row| row.id.any()))?;
    }
    if R::KIND == AutonomousSystem::KIND
        && scene.app.settings().registries
        && fields.iter().any(|f| matches!(f.name, "prefixes" | "as_list"))
    {
        let ids: Vec<Id<AutonomousSystem>> = rows.iter().map(|row| row.id.any().of()).collect();
        let known = irr::of_systems(tx, &ids, IrrQuestion::ALL)?;
        loaded.registered = known.into_iter().map(|(id, known)| (id.get(), known)).collect();
    }
    // Shared data is kept where people also keep secrets: what everybody may read is what the row says itself.
    if !scene.public && fields.iter().any(|f| f.name == "config_context") {
        loaded.contexts = contexts::assigned(&scene.app, tx, rows.iter().map(|row| row.id.any()))?;
    }
    crate::mirror::gather(&scene.app, tx, rows, fields, &mut loaded)?;
    Ok(loaded)
}

/// One query for each model that is referred to, however many fields and rows do.
fn gather<'r, R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    rows: impl IntoIterator<Item = &'r Object<R>> + Clone,
    fields: &[&'static Field<R>],
    scene: &Scene,
    loaded: &mut Loaded,
) -> Result<(), Error> {
    let mut wanted: Vec<(&'static dyn AnyModel, Vec<RawId>)> = Vec::new();
    let mut want = |of: &'static dyn AnyModel, ids: &mut dyn Iterator<Item = RawId>| {
        let at = wanted.iter().position(|(m, _)| m.about().name == of.about().name).unwrap_or_else(|| {
            wanted.push((of, Vec::new()));
            wanted.len() - 1
        });
        wanted[at].1.extend(ids);
    };
    for field in fields {
        match field.form {
            Form::One { of, get, .. } => want(of, &mut rows.clone().into_iter().filter_map(|row| get(&row.spec))),
            Form::Many { of, get, .. } => want(of, &mut rows.clone().into_iter().flat_map(|row| get(&row.spec))),
            Form::Object { sort, get } => {
                for row in rows.clone() {
                    if let Some(of) = models::content_type::of(sort(&row.spec)) {
                        want(of, &mut std::iter::once(get(&row.spec)));
                    }
                }
            }
            _ => {}
        }
    }
    for need in model.needs {
        want(need.of, &mut rows.clone().into_iter().filter_map(|row| (need.get)(&row.spec)));
    }
    for (of, ids) in wanted {
        if !ids.is_empty() {
            of.load(tx, ids, scene, loaded)?;
        }
    }
    Ok(())
}

/// Puts rows and their nested forms at hand. A nested form names rows that its reader could not open: whoever may see a
/// session may know whose it is.
pub fn load<R: Ruled>(
    model: &Model<R>,
    tx: &mut Tx<'_>,
    ids: Vec<RawId>,
    scene: &Scene,
    loaded: &mut Loaded,
) -> Result<(), Error> {
    let new: Vec<Id<R>> = ids.into_iter().filter(|id| !loaded.has(model.about.name, *id)).map(RawId::of).collect();
    if new.is_empty() {
        return Ok(());
    }
    let rows = tx.as_system(|tx| tx.many::<R>(new))?;
    let fields = brief(&model.about, model.fields);
    gather(model, tx, rows.values(), &fields, scene, loaded)?;
    let (mut out, shape) = (Vec::with_capacity(512), Shape::of(&fields, true));
    let written = rows
        .values()
        .map(|row| {
            out.clear();
            encode::row(model, row, &shape, scene, loaded, &mut out);
            (row.id.get(), out.as_slice().into(), (model.display)(row, loaded))
        })
        .collect();
    loaded.keep(model.about.name, rows, written);
    Ok(())
}

/// Starts the body of a page.
pub fn begin(out: &mut Vec<u8>, count: u64, next: Option<&str>, previous: Option<&str>) {
    out.extend_from_slice(b"{\"count\":");
    json::integer(out, i64::try_from(count).unwrap_or(i64::MAX));
    out.extend_from_slice(b",\"next\":");
    json::maybe(out, next);
    out.extend_from_slice(b",\"previous\":");
    json::maybe(out, previous);
    out.extend_from_slice(b",\"results\":");
}

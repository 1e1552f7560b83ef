//! One operation at work: a plain function over a transaction and what was asked. All operations of the tables run through here.

use std::{borrow::Cow, sync::Arc};

use http::{Method, StatusCode};
use meetme_app::{App, Caller, Error, Subject};
use meetme_base::{Id, Kind, RawId, Uid};
use meetme_http::{Auth, Cx, Op, Params, Problem, Query, QueryParam, Reply, Shape, Soon, ValueKind, Verb};
use meetme_store::{Filter, Object, Order, Tx};
use schemars::Schema;
use serde_json::{Map, Value, json};

use crate::{
    input::Input,
    page::{Meta, Page},
    path,
    show::{Show, Shown},
    text::{Text, Writer},
    wants::Wants,
};

/// What was asked, without the transaction.
#[derive(Debug)]
pub struct Ask {
    /// The parameters of the path.
    pub params: Params,
    /// The query.
    pub query: Query,
    /// Query and body together.
    pub input: Input,
    /// What to spell out.
    pub wants: Wants,
    /// What links begin with.
    pub base: &'static str,
    /// The path as links write it.
    pub path: String,
    /// Who asks.
    pub subject: Arc<Subject>,
}

/// The media type of every body.
const JSON: &str = "application/json";

impl Ask {
    fn of(cx: &Cx) -> Result<Self, Problem> {
        let input = Input::of(cx)?;
        let mut wants = Wants::default();
        // One client sends `include` in the body of what it creates.
        if let Some(names) = input.texts("include")? {
            wants.include(&names.join(","));
        }
        if let Some(names) = input.texts("exclude")? {
            wants.exclude(&names.join(","));
        }
        let base = path::base(cx.parts.path());
        Ok(Self {
            params: cx.path.clone(),
            query: cx.query.clone(),
            input,
            wants,
            base,
            path: format!("{base}{}", path::normalise(cx.parts.path()).trim_end_matches('/')),
            subject: cx.caller().subject.clone(),
        })
    }
}

/// An operation at work.
pub struct Work<'a, 'c> {
    /// The transaction.
    pub tx: &'a mut Tx<'c>,
    /// The core.
    pub app: &'a App,
    /// What was asked.
    pub ask: &'a Ask,
}

/// What an operation answers.
pub enum Out {
    /// Nothing.
    Nothing,
    /// A row.
    One(Kind, RawId),
    /// A node of the tenant tree that was made just now: the caller's rights were worked out before it was there, so it is drawn
    /// with every right. Below it is nothing yet but what came with it.
    Fresh(Kind, RawId),
    /// Rows under a name, perhaps a page of them.
    Many(&'static str, Kind, Vec<RawId>, Option<Meta>),
    /// Something that is no row.
    Json(Value),
    /// Something that is written already.
    Text(String),
}

impl Out {
    /// A row.
    pub fn one<R: Shown>(object: &Object<R>) -> Self {
        Self::One(R::KIND, object.id.any())
    }
}

/// What runs.
pub type Act = fn(&mut Work<'_, '_>) -> Result<Out, Error>;

/// What runs where one transaction is not enough: because a password is hashed, or what a wrong code costs must be kept although the
/// operation fails. Answers the body.
pub type Own = fn(Cx, Input) -> Soon<'static, Result<Option<Value>, Problem>>;

#[derive(Clone, Copy)]
enum Runs {
    Act(Act),
    Own(Own),
}

/// A row as somebody else than the caller of the request sees it: whoever has just logged in by it.
///
/// # Errors
/// When the row is gone.
pub async fn drawn<R: Shown>(app: &App, caller: &Caller, base: &'static str, id: Id<R>) -> Result<Value, Error> {
    let (inside, subject) = (app.clone(), Arc::clone(&caller.subject));
    let read = app.read(caller, move |tx| {
        let mut show = Show::new(tx, &inside, &subject, base);
        let drawn = show.whole(R::KIND, &[id.any()], &Wants::default())?.remove(&id.any());
        drawn.ok_or_else(|| Error::missing(R::KIND, id))
    });
    serde_json::from_str(read.await?.as_str()).map_err(|e| Error::Bug(e.to_string()))
}

impl<'c> Work<'_, 'c> {
    /// The body.
    fn answer(&mut self, act: Act) -> Result<Option<String>, Error> {
        let out = act(self)?;
        let ask = self.ask;
        let one = |show: &mut Show<'_, '_>, kind: Kind, id: RawId| {
            let drawn = show.whole(kind, &[id], &ask.wants)?.remove(&id);
            drawn.map(|text| Some(text.as_str().to_owned())).ok_or_else(|| Error::missing(kind, id))
        };
        match out {
            Out::Nothing => Ok(None),
            Out::Json(value) => Ok(Some(value.to_string())),
            Out::Text(text) => Ok(Some(text)),
            Out::One(kind, id) => one(&mut self.show(), kind, id),
            Out::Fresh(kind, id) => {
                let (app, base, subject) = (self.app, ask.base, &*ask.subject);
                self.tx.as_system(|tx| one(&mut Show::new(tx, app, subject, base), kind, id))
            }
            Out::Many(name, kind, ids, meta) => {
                let drawn = self.show().whole(kind, &ids, &ask.wants)?;
                let mut writer = Writer::new();
                writer.put_list(name, ids.iter().filter_map(|id| drawn.get(id)));
                if let Some(meta) = meta {
                    writer.put("meta", &Text::of(&meta)?);
                }
                Ok(Some(writer.finish()))
            }
        }
    }

    /// For drawing beside the answer.
    pub fn show(&mut self) -> Show<'_, 'c> {
        Show::new(self.tx, self.app, &self.ask.subject, self.ask.base)
    }

    /// A parameter of the path as text.
    ///
    /// # Errors
    /// Our own mistake, when the path has none of this name.
    pub fn param(&self, name: &str) -> Result<&str, Error> {
        self.ask.params.get(name).ok_or_else(|| Error::Bug(format!("the path has no {name}")))
    }

    /// The row a parameter of the path names. A text that is no UUID names nothing.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub fn named<R: Shown>(&mut self, name: &str) -> Result<Object<R>, Error> {
        let text = self.param(name)?.to_owned();
        self.row::<R>(&text)
    }

    /// The row of this UUID.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub fn row<R: Shown>(&mut self, text: &str) -> Result<Object<R>, Error> {
        let missing = || Error::missing(R::KIND, text);
        let uid: Uid = text.parse().map_err(|()| missing())?;
        let row = self.tx.by_uid::<R>(uid)?;
        if R::is_hidden(&row) { Err(missing()) } else { Ok(row) }
    }

    /// The id of the row a parameter names.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub fn id<R: Shown>(&mut self, name: &str) -> Result<Id<R>, Error> {
        Ok(self.named::<R>(name)?.id)
    }

    /// A page of what is no row: everything there is, cut to what was asked for.
    ///
    /// # Errors
    /// When the page is none.
    pub fn page_of<T: serde::Serialize>(&self, key: &'static str, all: Vec<T>) -> Result<Out, Error> {
        let page = Page::of(&self.ask.query)?;
        let total = all.len() as u64;
        let skip = usize::try_from(page.offset()).unwrap_or(usize::MAX);
        let part: Vec<T> = all.into_iter().skip(skip).take(page.limit() as usize).collect();
        let meta = page.meta(&self.ask.path, &self.ask.query, total);
        Ok(Out::Json(json!({ key: part, "meta": meta })))
    }

    /// A page of the rows that match.
    ///
    /// # Errors
    /// When the page is none.
    pub fn page<R: Shown>(&mut self, key: &'static str, filter: Filter, order: Vec<Order>) -> Result<Out, Error> {
        let page = Page::of(&self.ask.query)?;
        let total = self.tx.count::<R>(&filter)?;
        let query = meetme_store::Query::of(filter).order(order).page(page.limit(), page.offset());
        let ids = self.tx.list::<R>(&query)?.into_iter().map(|row| row.id.any()).collect();
        let meta = page.meta(&self.ask.path, &self.ask.query, total);
        Ok(Out::Many(key, R::KIND, ids, Some(meta)))
    }

    /// All rows that match: for lists that come whole. Who asks for a page gets one.
    ///
    /// # Errors
    /// When the page is none.
    pub fn every<R: Shown>(&mut self, key: &'static str, filter: Filter, order: Vec<Order>) -> Result<Out, Error> {
        if self.ask.query.has("page") || self.ask.query.has("per_page") {
            return self.page::<R>(key, filter, order);
        }
        let query = meetme_store::Query::of(filter).order(order);
        let ids = self.tx.list::<R>(&query)?.into_iter().map(|row| row.id.any()).collect();
        Ok(Out::Many(key, R::KIND, ids, None))
    }

    /// A row that the caller may read although their own rights do not reach it, such as an invitation that is theirs to answer. What it
    /// is related to stays links, whatever is asked for: those rights end at the row.
    ///
    /// # Errors
    /// When the row is gone.
    pub fn apart<R: Shown>(&mut self, id: Id<R>) -> Result<Out, Error> {
        let drawn = self.all_apart::<R>(&[id.any()])?.pop();
        drawn.map(|text| Out::Text(text.as_str().to_owned())).ok_or_else(|| Error::missing(R::KIND, id))
    }

    fn all_apart<R: Shown>(&mut self, ids: &[RawId]) -> Result<Vec<Text>, Error> {
        let (app, base, subject) = (self.app, self.ask.base, &*self.ask.subject);
        let drawn = self.tx.as_system(|tx| Show::new(tx, app, subject, base).whole(R::KIND, ids, &Wants::default()));
        let mut drawn = drawn?;
        Ok(ids.iter().filter_map(|id| drawn.remove(id)).collect())
    }

    /// A page of such rows: all that match. The operation sees to it that the filter finds none but those.
    ///
    /// # Errors
    /// When the page is none.
    pub fn page_apart<R: Shown>(
        &mut self,
        key: &'static str,
        filter: &Filter,
        order: Vec<Order>,
    ) -> Result<Out, Error> {
        let page = Page::of(&self.ask.query)?;
        let query = meetme_store::Query::of(filter.clone()).order(order).page(page.limit(), page.offset());
        let (total, ids) = self.tx.as_system(|tx| -> Result<_, Error> {
            let ids: Vec<RawId> = tx.list::<R>(&query)?.into_iter().map(|row| row.id.any()).collect();
            Ok((tx.count::<R>(filter)?, ids))
        })?;
        let list = self.all_apart::<R>(&ids)?;
        self.listed(key, &list, page, total)
    }

    /// A page that is drawn already.
    ///
    /// # Errors
    /// Our own mistake, when it cannot be written.
    pub fn listed(&self, key: &'static str, list: &[Text], page: Page, total: u64) -> Result<Out, Error> {
        let mut writer = Writer::new();
        writer.put_list(key, list);
        writer.put("meta", &Text::of(&page.meta(&self.ask.path, &self.ask.query, total))?);
        Ok(Out::Text(writer.finish()))
    }

    /// The words of a query parameter, when it says something.
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.ask.query.last(name).filter(|text| !text.is_empty())
    }
}

/// What an operation gives, for its row and its document.
#[derive(Clone, Copy)]
pub enum Gives {
    /// No body.
    Nothing,
    /// One object of this schema.
    One(&'static str),
    /// A list under this name.
    List(&'static str, &'static str),
    /// A page of a list under this name.
    Pages(&'static str, &'static str),
    /// An object of its own form.
    Free,
}

/// What an operation takes: names and forms of its inputs, each from the body or the query.
pub type Takes = &'static [(&'static str, ValueKind)];

/// A row of a table.
pub struct Row {
    method: Method,
    id: &'static str,
    path: &'static str,
    runs: Runs,
    gives: Gives,
    takes: Takes,
    query: &'static [&'static str],
    status: u16,
    verb: Verb,
    auth: Auth,
}

impl Row {
    const fn new(
        method: Method,
        id: &'static str,
        path: &'static str,
        status: u16,
        verb: Verb,
        gives: Gives,
        act: Act,
    ) -> Self {
        let auth = Auth::Required;
        Self { method, id, path, runs: Runs::Act(act), gives, takes: &[], query: &[], status, verb, auth }
    }
    /// An operation that is more than one transaction.
    pub const fn own(
        method: Method,
        id: &'static str,
        path: &'static str,
        status: u16,
        gives: Gives,
        own: Own,
    ) -> Self {
        let (verb, auth) = (Verb::Act, Auth::Required);
        Self { method, id, path, runs: Runs::Own(own), gives, takes: &[], query: &[], status, verb, auth }
    }
    /// An operation that reads.
    pub const fn get(id: &'static str, path: &'static str, gives: Gives, act: Act) -> Self {
        Self::new(Method::GET, id, path, 200, Verb::Read, gives, act)
    }
    /// An operation that makes something.
    pub const fn post(id: &'static str, path: &'static str, gives: Gives, act: Act) -> Self {
        Self::new(Method::POST, id, path, 201, Verb::Create, gives, act)
    }
    /// An operation that changes something.
    pub const fn put(id: &'static str, path: &'static str, gives: Gives, act: Act) -> Self {
        Self::new(Method::PUT, id, path, 200, Verb::Change, gives, act)
    }
    /// The same as the one for PUT.
    pub const fn patch(id: &'static str, path: &'static str, gives: Gives, act: Act) -> Self {
        Self::new(Method::PATCH, id, path, 200, Verb::Change, gives, act)
    }
    /// An operation that removes something.
    pub const fn delete(id: &'static str, path: &'static str, act: Act) -> Self {
        Self::new(Method::DELETE, id, path, 204, Verb::Delete, Gives::Nothing, act)
    }
    /// Names its inputs.
    #[must_use]
    pub const fn takes(mut self, inputs: Takes) -> Self {
        self.takes = inputs;
        self
    }
    /// Answers with something, where its method usually answers with nothing.
    #[must_use]
    pub const fn gives(mut self, gives: Gives) -> Self {
        self.gives = gives;
        self
    }
    /// Names further query parameters.
    #[must_use]
    pub const fn query(mut self, names: &'static [&'static str]) -> Self {
        self.query = names;
        self
    }
    /// Answers with another status than usual.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }
    /// Anyone may call it.
    #[must_use]
    pub const fn open(mut self) -> Self {
        self.auth = Auth::Open;
        self
    }
    /// Does something else than its method says.
    #[must_use]
    pub const fn verb(mut self, verb: Verb) -> Self {
        self.verb = verb;
        self
    }

    /// The operation, in the chapter `group`.
    pub fn op(self, group: &'static str) -> Op {
        let (runs, status) = (self.runs, StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK));
        let writes = self.verb != Verb::Read;
        let takes = match self.takes {
            [] => Shape::Nothing,
            list => Shape::value(object(list)),
        };
        Op::on(self.method, self.id, self.path)
            .group(group)
            .verb(self.verb)
            .auth(self.auth)
            .query(parameters(self.gives, self.query))
            .takes(takes)
            .gives(shape(self.gives))
            .success(self.status)
            .run(move |cx: Cx| async move {
                let body = match runs {
                    Runs::Own(own) => {
                        let input = Input::of(&cx)?;
                        own(cx, input).await?.map(|body| body.to_string())
                    }
                    Runs::Act(act) => {
                        let ask = Ask::of(&cx)?;
                        let app = cx.app.clone();
                        let run = move |tx: &mut Tx<'_>| Work { tx, app: &app, ask: &ask }.answer(act);
                        let caller = cx.caller();
                        if writes { cx.app.write(caller, run).await? } else { cx.app.read(caller, run).await? }
                    }
                };
                Ok::<_, Problem>(match body {
                    None => Reply::empty(status),
                    Some(body) => Reply::bytes(status, JSON, body),
                })
            })
    }
}

fn parameters(gives: Gives, names: &'static [&'static str]) -> Cow<'static, [QueryParam]> {
    let mut out: Vec<QueryParam> = names.iter().copied().map(QueryParam::text).collect();
    if !matches!(gives, Gives::Nothing | Gives::Free) {
        out.push(QueryParam::text("include").summary("What to spell out, separated by commas."));
        out.push(QueryParam::text("exclude").summary("What to leave as links, separated by commas."));
    }
    if matches!(gives, Gives::Pages(..)) {
        out.push(QueryParam::integer("page"));
        out.push(QueryParam::integer("per_page"));
    }
    out.into()
}

fn object(list: Takes) -> Schema {
    let properties = list.iter().map(|(name, kind)| {
        let word = match kind {
            ValueKind::Text => json!({}),
            ValueKind::Integer => json!({ "type": "integer" }),
            ValueKind::Number => json!({ "type": "number" }),
            ValueKind::Boolean => json!({ "type": "boolean" }),
        };
        ((*name).to_owned(), word)
    });
    let map = Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), Value::Object(properties.collect())),
    ]);
    Schema::from(map)
}

fn shape(gives: Gives) -> Shape {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let list = |key: &str, name: &str, meta: bool| {
        let mut properties = Map::from_iter([(key.to_owned(), json!({ "type": "array", "items": reference(name) }))]);
        if meta {
            properties.insert("meta".to_owned(), reference("Meta"));
        }
        let map = Map::from_iter([
            ("type".to_owned(), json!("object")),
            ("properties".to_owned(), Value::Object(properties)),
        ]);
        Shape::value(Schema::from(map))
    };
    match gives {
        Gives::Nothing => Shape::Nothing,
        Gives::One(name) => Shape::Named(name),
        Gives::List(key, name) => list(key, name, false),
        Gives::Pages(key, name) => list(key, name, true),
        Gives::Free => Shape::value(Schema::from(Map::from_iter([("type".to_owned(), json!("object"))]))),
    }
}

//! Reading what a template may see: seeds first, then what they refer to, one statement for each kind.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use meetme_base::{Id, Kind, Uid};
use meetme_model::{
    Peer,
    ops::Tag,
    routing::{
        AutonomousSystem, Bfd, Community, DirectSession, Exchange, ExchangeLink, ExchangeSession, PeerGroup, Platform,
        Policy, Relationship, Router, Template, TemplatePurpose,
    },
};
use meetme_store::{Filter, Object, Query, Resource, Tx};
use meetme_template::{Entity, Key, Model, Rows, Sources, Tree, Value, exports, routing_policies};

use super::{
    MASK, Passwords, Prepared,
    beside::{self, Wants},
    book::{Book, Table},
};
use crate::{App, AuthFailure, Error, routers};

/// The most rows an export lists, and the most rows of one kind that are read for a mail.
const MOST: u32 = 50_000;

/// The configuration of a router by its template; none when it has no template. The right to see it is the caller's to prove.
///
/// # Errors
/// [`Error::Missing`]; [`Error::Bug`] when a password cannot be opened.
pub fn configuration(
    app: &App,
    tx: &mut Tx<'_>,
    id: Id<Router>,
    passwords: Passwords,
) -> Result<Option<Prepared>, Error> {
    tx.as_system(|tx| {
        let row = tx.get(id)?;
        let Some(template) = row.spec.template else { return Ok(None) };
        let template = tx.get(template)?;
        let (direct, across) = routers::sessions(tx, &row)?;
        router(app, tx, &row, &template, (direct, across), passwords).map(Some)
    })
}

/// The configuration of a router as the caller may see it, and whether its passwords are masked: they are unless the caller may
/// reveal those of sessions in the router's book.
///
/// # Errors
/// [`Error::Unauthenticated`] for nobody; [`Error::Missing`] when the router is not there for the caller.
pub fn shown(app: &App, tx: &mut Tx<'_>, id: Id<Router>) -> Result<(Option<Prepared>, bool), Error> {
    if tx.actor().by.is_none() {
        return Err(Error::Unauthenticated(AuthFailure::Absent));
    }
    let row = tx.get(id)?;
    let may =
        tx.may(ExchangeSession::KIND, "reveal", row.tenant)? && tx.may(DirectSession::KIND, "reveal", row.tenant)?;
    let passwords = if may { Passwords::Clear } else { Passwords::Masked };
    Ok((configuration(app, tx, id, passwords)?, !may))
}

/// The same for a router whose template and sessions are at hand.
///
/// # Errors
/// When the database fails or a password cannot be opened.
pub fn router(
    app: &App,
    tx: &mut Tx<'_>,
    row: &Object<Router>,
    template: &Object<Template>,
    (mut direct, across): routers::Sessions,
    passwords: Passwords,
) -> Result<Prepared, Error> {
    let mut book = Book { home: Some(row.id), ..Book::default() };
    named(&mut book, &mut direct);
    book.routers.add([row.clone()]);
    book.direct.add(direct);
    book.across.add(across);
    book.templates.add([template.clone()]);
    book.communities.add(tx.all::<Community>(Filter::eq("tenant", row.tenant))?);
    let own = tx.all::<ExchangeLink>(Filter::eq("router", row.id))?;
    let exchanges: BTreeSet<Id<Exchange>> = own.iter().filter_map(|link| link.spec.exchange).collect();
    book.links.add(own);
    if !exchanges.is_empty() {
        // Ours on other routers there: templates ask for all our addresses at an exchange.
        book.links.add(tx.all::<ExchangeLink>(Filter::is_in("exchange", exchanges))?);
    }
    gather(tx, &mut book)?;
    let mut sources = sources(tx, template, TemplatePurpose::Router)?;
    beside::read(app, tx, &mut book, sources.2)?;
    open(app, &mut book, passwords)?;
    book.close();
    include_exports(app, tx, template, &mut sources)?;
    let moment = newest(&book);
    let size = book.size();
    let local = row.spec.local.or_else(|| {
        let first = book.links.rows.iter().find(|link| link.spec.router == Some(row.id))?;
        book.exchanges.find(first.spec.exchange?).map(|exchange| exchange.spec.local)
    });
    let tree: Arc<dyn Tree> = Arc::new(book);
    let variables = variables(&tree, row.id, local);
    let mut out = Prepared::new(template, sources.0, variables);
    (out.now, out.size) = (moment.max(template.updated.0), size);
    Ok(out)
}

/// The variables of a configuration.
fn variables(
    tree: &Arc<dyn Tree>,
    router: Id<Router>,
    local: Option<Id<AutonomousSystem>>,
) -> BTreeMap<&'static str, Value> {
    let find =
        |model: Model, id: i64| (0..tree.count(model)).map(|at| Key::new(model, at)).find(|key| tree.id(*key) == id);
    let Some(key) = find(Model::Router, router.get()) else { return BTreeMap::new() };
    let router = Entity { tree: Arc::clone(tree), key };
    let mut systems = BTreeSet::new();
    let mut groups = BTreeSet::new();
    for name in ["direct_sessions", "ixp_sessions"] {
        if let Some(rows) = router.many(name) {
            for at in &rows.at {
                let session = Key::new(rows.model, *at);
                systems.extend(tree.one(session, "autonomous_system").flatten().map(|key| key.at));
                groups.extend(tree.one(session, "bgp_group").flatten().map(|key| key.at));
            }
        }
    }
    let links = router.many("connections").map(|rows| rows.at).unwrap_or_default();
    let exchange = |at: u32| tree.one(Key::new(Model::Connection, at), "internet_exchange_point").flatten();
    let exchanges: BTreeSet<u32> = links.into_iter().filter_map(exchange).map(|key| key.at).collect();
    let list = |model: Model, at: BTreeSet<u32>| Rows::value(tree, model, at.into_iter().collect());
    let local = local.and_then(|id| find(Model::AutonomousSystem, id.get()));
    BTreeMap::from([
        ("local_as", local.map_or(Value::from(()), |key| Entity::value(tree, key))),
        ("autonomous_systems", list(Model::AutonomousSystem, systems)),
        ("bgp_groups", list(Model::BgpGroup, groups)),
        ("internet_exchange_points", list(Model::InternetExchange, exchanges)),
        ("communities", Rows::all(tree, Model::Community)),
        ("routing_policies", routing_policies(&router)),
        ("router", Entity::value(tree, key)),
    ])
}

/// A mail to the people of an AS.
///
/// # Errors
/// [`Error::Missing`] when the AS is not there for the caller.
pub fn mail(
    app: &App,
    tx: &mut Tx<'_>,
    template: &Object<Template>,
    system: Id<AutonomousSystem>,
) -> Result<Prepared, Error> {
    let system = tx.get(system)?;
    tx.as_system(|tx| {
        let mut book = Book::default();
        let here = || Filter::eq("tenant", system.tenant);
        let list = |filter: Filter| Query { limit: MOST, ..Query::of(filter) };
        book.systems.add([system.clone()]);
        book.systems.add(tx.list::<AutonomousSystem>(&list(here().and(Filter::eq("ours", true))))?);
        book.across.add(tx.list::<ExchangeSession>(&list(Filter::eq("remote", system.id)))?);
        book.direct.add(tx.list::<DirectSession>(&list(Filter::eq("remote", system.id)))?);
        book.exchanges.add(tx.list::<Exchange>(&list(here()))?);
        book.links.add(tx.list::<ExchangeLink>(&list(here()))?);
        gather(tx, &mut book)?;
        let wants = Wants::of(template.spec.subject.as_deref().unwrap_or_default());
        let (sources, _, texts) = sources(tx, template, TemplatePurpose::Mail)?;
        beside::read(app, tx, &mut book, wants.or(texts))?;
        // A mail leaves the house: no password is in it.
        open(app, &mut book, Passwords::Masked)?;
        book.close();
        let size = book.size();
        let ours = (0..).zip(&book.systems.rows).filter(|(_, s)| s.spec.ours).map(|(at, _)| at).collect();
        let place = book.systems.place(system.id).unwrap_or_default();
        let tree: Arc<dyn Tree> = Arc::new(book);
        let variables = BTreeMap::from([
            ("autonomous_system", Entity::value(&tree, Key::new(Model::AutonomousSystem, place))),
            ("affiliated_autonomous_systems", Rows::value(&tree, Model::AutonomousSystem, ours)),
        ]);
        let mut out = Prepared::new(template, sources, variables);
        (out.now, out.size) = (tx.now().0, size);
        Ok(out)
    })
}

/// An export: the rows of its kind that the caller may see and that match. Passwords are masked.
///
/// # Errors
/// [`Error::Invalid`] when the template is of a kind that templates cannot list.
pub fn export(app: &App, tx: &mut Tx<'_>, template: &Object<Template>, filter: &Filter) -> Result<Prepared, Error> {
    let mut book = Book::default();
    let model = seed(tx, &mut book, template.spec.kind.as_deref().unwrap_or_default(), filter)?;
    tx.as_system(|tx| {
        let seeds = count_of(&book, model);
        gather(tx, &mut book)?;
        let (sources, _, wants) = sources(tx, template, TemplatePurpose::Export)?;
        beside::read(app, tx, &mut book, wants)?;
        open(app, &mut book, Passwords::Masked)?;
        let wanted = ids_of(&book, model, seeds);
        book.close();
        let size = book.size();
        let tree: Arc<dyn Tree> = Arc::new(book);
        let at = (0..tree.count(model)).filter(|at| wanted.contains(&tree.id(Key::new(model, *at)))).collect();
        let mut out = Prepared::new(template, sources, BTreeMap::from([("dataset", Rows::value(&tree, model, at))]));
        (out.now, out.size) = (tx.now().0, size);
        Ok(out)
    })
}

/// An export by its name, of the rows of a kind that match. The template is one the caller may see.
///
/// # Errors
/// [`Error::Missing`] when there is no such template for this kind.
pub fn export_named(app: &App, tx: &mut Tx<'_>, name: &str, kind: Kind, filter: &Filter) -> Result<Prepared, Error> {
    let of_kind = Filter::eq("purpose", "export").and(Filter::eq("kind", kind.name()));
    let found = tx.one::<Template>(&of_kind.and(Filter::eq("name", name)))?;
    let template = found.ok_or_else(|| Error::missing(Template::KIND, name))?;
    export(app, tx, &template, filter)
}

/// Puts the rows of a kind into the book; says what they are in templates.
fn seed(tx: &mut Tx<'_>, book: &mut Book, kind: &str, filter: &Filter) -> Result<Model, Error> {
    fn rows<R: Resource>(tx: &mut Tx<'_>, filter: &Filter) -> Result<Vec<Object<R>>, Error> {
        Ok(tx.list(&Query { limit: MOST, ..Query::of(filter.clone()) })?)
    }
    const fn is<R: Resource>() -> Kind {
        R::KIND
    }
    let is_kind = |of: Kind| of.name() == kind;
    Ok(if is_kind(is::<AutonomousSystem>()) {
        book.systems.add(rows(tx, filter)?);
        Model::AutonomousSystem
    } else if is_kind(is::<PeerGroup>()) {
        book.groups.add(rows(tx, filter)?);
        Model::BgpGroup
    } else if is_kind(is::<Exchange>()) {
        book.exchanges.add(rows(tx, filter)?);
        Model::InternetExchange
    } else if is_kind(is::<ExchangeLink>()) {
        book.links.add(rows(tx, filter)?);
        Model::Connection
    } else if is_kind(is::<ExchangeSession>()) {
        book.across.add(rows(tx, filter)?);
        Model::InternetExchangePeeringSession
    } else if is_kind(is::<DirectSession>()) {
        let mut direct = rows(tx, filter)?;
        named(book, &mut direct);
        book.direct.add(direct);
        Model::DirectPeeringSession
    } else if is_kind(is::<Router>()) {
        book.routers.add(rows(tx, filter)?);
        Model::Router
    } else if is_kind(is::<Policy>()) {
        book.policies.add(rows(tx, filter)?);
        Model::RoutingPolicy
    } else if is_kind(is::<Community>()) {
        book.communities.add(rows(tx, filter)?);
        Model::Community
    } else if is_kind(is::<Bfd>()) {
        book.timers.add(rows(tx, filter)?);
        Model::Bfd
    } else if is_kind(is::<Relationship>()) {
        book.relationships.add(rows(tx, filter)?);
        Model::Relationship
    } else if is_kind(is::<Platform>()) {
        book.platforms.add(rows(tx, filter)?);
        Model::Platform
    } else if is_kind(is::<Tag>()) {
        book.tags.add(rows(tx, filter)?);
        Model::Tag
    } else {
        return Err(meetme_base::Invalid::rule("kind", format!("Templates cannot list rows of {kind:?}.")).into());
    })
}

fn count_of(book: &Book, model: Model) -> u32 {
    book.count(model)
}

/// The ids of the first rows of a model, before they are put in order.
fn ids_of(book: &Book, model: Model, first: u32) -> HashSet<i64> {
    (0..first).map(|at| book.id(Key::new(model, at))).collect()
}

/// Gives every direct session an AS: one of a leg or a device may know the number alone, and templates ask for the object.
fn named(book: &mut Book, direct: &mut [Object<DirectSession>]) {
    for session in direct {
        if session.spec.remote.is_some() {
            continue;
        }
        let asn = session.spec.peer.asn;
        let id = Id::new(-i64::from(asn.get()));
        session.spec.remote = Some(id);
        if !book.systems.has(id) {
            book.systems.add([Object {
                id,
                uid: Uid::from_bytes([0; 16]),
                tenant: session.tenant,
                version: 1,
                seen: 0,
                created: session.created,
                updated: session.created,
                spec: AutonomousSystem::new(asn, format!("AS{asn}")),
                status: Default::default(),
            }]);
        }
    }
}

/// Reads those of these rows that are not in the table yet.
fn load<R: Resource>(tx: &mut Tx<'_>, table: &mut Table<R>, ids: Vec<Id<R>>) -> Result<(), Error> {
    let ids: HashSet<Id<R>> = ids.into_iter().filter(|id| !table.has(*id)).collect();
    if !ids.is_empty() {
        table.add(tx.many(ids)?.into_values());
    }
    Ok(())
}

/// Reads what the rows in the book refer to, one statement for each kind.
fn gather(tx: &mut Tx<'_>, book: &mut Book) -> Result<(), Error> {
    let mut links = direct(book, |s| s.link);
    links.extend(book.across.rows.iter().map(|s| s.spec.link));
    load(tx, &mut book.links, links)?;
    let groups = direct(book, |s| s.group);
    load(tx, &mut book.groups, groups)?;
    let exchanges = book.links.rows.iter().filter_map(|l| l.spec.exchange).collect();
    load(tx, &mut book.exchanges, exchanges)?;
    let mut routers = direct(book, |s| s.router);
    routers.extend(book.links.rows.iter().filter_map(|l| l.spec.router));
    load(tx, &mut book.routers, routers)?;
    let platforms = book.routers.rows.iter().filter_map(|r| r.spec.platform).collect();
    load(tx, &mut book.platforms, platforms)?;
    let templates = book.routers.rows.iter().filter_map(|r| r.spec.template).collect();
    load(tx, &mut book.templates, templates)?;
    let mut systems = direct(book, |s| s.remote);
    systems.extend(direct(book, |s| s.local));
    systems.extend(book.across.rows.iter().map(|s| s.spec.remote));
    systems.extend(book.exchanges.rows.iter().map(|e| e.spec.local));
    systems.extend(book.routers.rows.iter().filter_map(|r| r.spec.local));
    systems.retain(|id| id.get() > 0);
    load(tx, &mut book.systems, systems)?;
    let relationships = direct(book, |s| s.relationship);
    load(tx, &mut book.relationships, relationships)?;
    let timers = peers(book).filter_map(|p| p.bfd).collect();
    load(tx, &mut book.timers, timers)?;
    let mut policies: HashSet<Id<Policy>> =
        peers(book).flat_map(|p| p.import.iter().chain(&p.export)).copied().collect();
    policies.extend(book.systems.rows.iter().flat_map(|s| s.spec.import.iter().chain(&s.spec.export)));
    policies.extend(book.groups.rows.iter().flat_map(|s| s.spec.import.iter().chain(&s.spec.export)));
    policies.extend(book.exchanges.rows.iter().flat_map(|s| s.spec.import.iter().chain(&s.spec.export)));
    load(tx, &mut book.policies, policies.into_iter().collect())?;
    let mut communities: HashSet<Id<Community>> = peers(book).flat_map(|p| &p.communities).copied().collect();
    communities.extend(book.systems.rows.iter().flat_map(|s| &s.spec.communities));
    communities.extend(book.groups.rows.iter().flat_map(|s| &s.spec.communities));
    communities.extend(book.exchanges.rows.iter().flat_map(|s| &s.spec.communities));
    communities.extend(book.routers.rows.iter().flat_map(|s| &s.spec.communities));
    communities.extend(book.policies.rows.iter().flat_map(|s| &s.spec.communities));
    load(tx, &mut book.communities, communities.into_iter().collect())?;
    let mut tags: HashSet<Id<Tag>> = book.across.rows.iter().flat_map(|s| &s.spec.tags).copied().collect();
    tags.extend(book.direct.rows.iter().flat_map(|s| &s.spec.tags));
    tags.extend(book.systems.rows.iter().flat_map(|s| &s.spec.tags));
    tags.extend(book.groups.rows.iter().flat_map(|s| &s.spec.tags));
    tags.extend(book.exchanges.rows.iter().flat_map(|s| &s.spec.tags));
    tags.extend(book.links.rows.iter().flat_map(|s| &s.spec.tags));
    tags.extend(book.routers.rows.iter().flat_map(|s| &s.spec.tags));
    tags.extend(book.policies.rows.iter().flat_map(|s| &s.spec.tags));
    tags.extend(book.communities.rows.iter().flat_map(|s| &s.spec.tags));
    tags.extend(book.timers.rows.iter().flat_map(|s| &s.spec.tags));
    tags.extend(book.platforms.rows.iter().flat_map(|s| &s.spec.tags));
    tags.extend(book.relationships.rows.iter().flat_map(|s| &s.spec.tags));
    load(tx, &mut book.tags, tags.into_iter().collect())
}

/// What direct sessions refer to.
fn direct<R>(book: &Book, get: fn(&DirectSession) -> Option<Id<R>>) -> Vec<Id<R>> {
    book.direct.rows.iter().filter_map(|s| get(&s.spec)).collect()
}

/// What sessions of both sorts have.
fn peers(book: &Book) -> impl Iterator<Item = &Peer> {
    book.across.rows.iter().map(|s| &s.spec.peer).chain(book.direct.rows.iter().map(|s| &s.spec.peer))
}

/// Opens or masks the passwords of sessions.
fn open(app: &App, book: &mut Book, passwords: Passwords) -> Result<(), Error> {
    let across = book.across.rows.iter().map(|s| (s.id.any(), &s.spec.peer));
    let direct = book.direct.rows.iter().map(|s| (s.id.any(), &s.spec.peer));
    for (id, peer) in across.chain(direct) {
        // A spelling is no secret kept: whoever reads it can turn it back.
        let kept = [(&peer.password, &mut book.beside.passwords), (&peer.encrypted, &mut book.beside.spelled)];
        for (sealed, texts) in kept {
            let Some(sealed) = sealed else { continue };
            let text = match passwords {
                Passwords::Clear => app.sealer().open(sealed)?.expose().clone(),
                Passwords::Masked => MASK.to_owned(),
            };
            texts.insert(id, text);
        }
    }
    Ok(())
}

/// When the newest of the rows was changed.
fn newest(book: &Book) -> i64 {
    fn of<R: Resource>(rows: &[Object<R>]) -> i64 {
        rows.iter().map(|row| row.updated.0).max().unwrap_or_default()
    }
    [
        of(&book.systems.rows),
        of(&book.groups.rows),
        of(&book.exchanges.rows),
        of(&book.links.rows),
        of(&book.routers.rows),
        of(&book.direct.rows),
        of(&book.across.rows),
        of(&book.policies.rows),
        of(&book.communities.rows),
        of(&book.timers.rows),
    ]
    .into_iter()
    .max()
    .unwrap_or_default()
}

/// The templates that one may include, the names of exports that any of them asks for, and what else they ask for.
fn sources(tx: &mut Tx<'_>, template: &Object<Template>, purpose: TemplatePurpose) -> Result<Asked, Error> {
    let mut asked: BTreeSet<String> = exports(&template.spec.text).into_iter().collect();
    let mut out = Sources::default();
    let mut wants = Wants::of(&template.spec.text);
    if !template.spec.text.contains("include") {
        return Ok((out, asked, wants));
    }
    let (sort, purpose) = match purpose {
        TemplatePurpose::Router => ("configuration", "router"),
        TemplatePurpose::Mail => ("email", "mail"),
        TemplatePurpose::Export => return Ok((out, asked, wants)),
    };
    let filter = Filter::eq("tenant", template.tenant).and(Filter::eq("purpose", purpose));
    for row in tx.all::<Template>(filter)? {
        asked.extend(exports(&row.spec.text));
        wants = wants.or(Wants::of(&row.spec.text));
        out.add(sort, row.id.get(), &row.spec.name, &row.spec.text);
    }
    Ok((out, asked, wants))
}

/// What a template and those it may include ask for.
type Asked = (Sources, BTreeSet<String>, Wants);

/// Renders the exports that a configuration includes.
fn include_exports(
    app: &App,
    tx: &mut Tx<'_>,
    template: &Object<Template>,
    (sources, asked, _): &mut Asked,
) -> Result<(), Error> {
    for name in asked.iter() {
        let here = Filter::eq("tenant", template.tenant).and(Filter::eq("purpose", "export"));
        let by = match name.parse::<i64>() {
            Ok(id) => Filter::eq("id", Id::<Template>::new(id)),
            Err(_) => Filter::eq("name", name.as_str()),
        };
        let Some(found) = tx.one::<Template>(&here.and(by))? else { continue };
        let rows = Filter::eq("tenant", template.tenant);
        let text = match export(app, tx, &found, &rows) {
            Ok(prepared) => prepared.render().map_err(|failure| failure.to_string()),
            Err(error) => Err(error.to_string()),
        };
        sources.add_export(name, text);
    }
    Ok(())
}

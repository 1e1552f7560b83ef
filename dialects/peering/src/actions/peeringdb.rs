//! What can be done with the copy of the public peering database, and with what is known from it.

use http::{Method, StatusCode};
use meetme_app::{
    Error, mirror,
    peering::{import, meeting},
};
use meetme_base::Id;
use meetme_http::{Cx, Op, Problem, Reply, Shape};
use meetme_model::{mirror::PdbPort, routing::AutonomousSystem};
use meetme_store::{Object, Tx};
use serde_json::{Map, Value as Json, json};

use super::{Action, accepted, enqueue, id};
use crate::{
    mirror::write_prefixes,
    models::{autonomous_system, exchange, peeringdb},
    read,
    scene::Ask,
    serve,
};

/// The actions.
pub const ACTIONS: &[Action] = &[
    Action {
        id: "peering_autonomous_systems_sync_with_peeringdb",
        method: Method::POST,
        model: &autonomous_system::MODEL,
        one: true,
        end: "sync-with-peeringdb",
        success: 200,
        takes: Shape::Nothing,
        gives: Shape::Nothing,
        run: |cx| Box::pin(synchronise(cx)),
    },
    Action {
        id: "peering_autonomous_systems_shared_ixps",
        method: Method::GET,
        model: &autonomous_system::MODEL,
        one: true,
        end: "shared-ixps",
        success: 200,
        takes: Shape::Nothing,
        gives: Shape::ListOf("NestedInternetExchange"),
        run: |cx| Box::pin(shared_exchanges(cx)),
    },
    Action {
        id: "peering_autonomous_systems_shared_facilities",
        method: Method::GET,
        model: &autonomous_system::MODEL,
        one: true,
        end: "shared-facilities",
        success: 200,
        takes: Shape::Nothing,
        gives: Shape::ListOf("Facility"),
        run: |cx| Box::pin(shared_facilities(cx)),
    },
    Action {
        id: "peering_internet_exchange_available_peers",
        method: Method::GET,
        model: &exchange::MODEL,
        one: true,
        end: "available-peers",
        success: 200,
        takes: Shape::Nothing,
        gives: Shape::ListOf("NetworkIXLan"),
        run: |cx| Box::pin(available_peers(cx)),
    },
    Action {
        id: "peering_internet_exchange_link_to_peeringdb",
        method: Method::POST,
        model: &exchange::MODEL,
        one: true,
        end: "link-to-peeringdb",
        success: 200,
        takes: Shape::Nothing,
        gives: Shape::Nothing,
        run: |cx| Box::pin(link(cx)),
    },
    Action {
        id: "peering_internet_exchanges_import_sessions",
        method: Method::POST,
        model: &exchange::MODEL,
        one: true,
        end: "import-sessions",
        success: 202,
        takes: Shape::Nothing,
        gives: Shape::Named("Job"),
        run: |cx| {
            Box::pin(async move {
                let exchange = id(&cx, &exchange::MODEL)?.of();
                enqueue(cx, move |tx| import::ask(tx, exchange)).await
            })
        },
    },
    Action {
        id: "peering_internet_exchanges_prefixes",
        method: Method::GET,
        model: &exchange::MODEL,
        one: true,
        end: "prefixes",
        success: 200,
        takes: Shape::Nothing,
        gives: Shape::Named("Prefixes"),
        run: |cx| Box::pin(prefixes(cx)),
    },
];

/// What can be done with the copy as a whole.
pub fn cache() -> Vec<Op> {
    let at = "/api/peeringdb/cache";
    let path = |end: &str| crate::ops::keep(format!("{at}/{end}/"));
    vec![
        Op::get("peeringdb_cache_statistics", path("statistics"))
            .group("peeringdb")
            .gives(Shape::Named("CacheStatistics"))
            .run(statistics),
        Op::on(Method::POST, "peeringdb_cache_update", path("update-local"))
            .group("peeringdb")
            .success(202)
            .gives(Shape::Named("Job"))
            .run(update),
        Op::on(Method::POST, "peeringdb_cache_clear", path("clear-local"))
            .group("peeringdb")
            .gives(Shape::Named("CacheClear"))
            .run(clear),
    ]
}

async fn synchronise(cx: Cx) -> Result<Reply, Problem> {
    let system = id(&cx, &autonomous_system::MODEL)?.of();
    let found = cx.app.write(cx.caller(), move |tx| mirror::synchronise(tx, system)).await?;
    Ok(Reply::empty(if found.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT }))
}

/// The system of ours that the caller looks from, chosen in the preferences.
fn chosen(tx: &mut Tx<'_>, cx: &Chooser) -> Result<Object<AutonomousSystem>, Error> {
    let none = || Error::Unavailable("User did not choose an affiliated AS.".to_owned());
    let user = tx.as_system(|tx| tx.find(cx.user.ok_or_else(none)?).map_err(Error::from))?.ok_or_else(none)?;
    let id = user.spec.preferences.get("context").and_then(|context| context.get("as")).and_then(Json::as_i64);
    tx.find(Id::new(id.ok_or_else(none)?))?.ok_or_else(none)
}

/// Who chooses.
#[derive(Clone, Copy)]
struct Chooser {
    user: Option<Id<meetme_model::access::User>>,
}

impl Chooser {
    fn of(cx: &Cx) -> Self {
        Self { user: cx.caller().subject.user }
    }
}

async fn shared_exchanges(cx: Cx) -> Result<Reply, Problem> {
    let (theirs, who, scene) = (id(&cx, &autonomous_system::MODEL)?.of(), Chooser::of(&cx), serve::scene(&cx));
    let read = move |tx: &mut Tx<'_>| {
        let theirs: Object<AutonomousSystem> = tx.get(theirs)?;
        let ours = chosen(tx, &who)?;
        let rows = meeting::shared_exchanges(tx, ours.id, theirs.spec.asn)?;
        let mut out = Vec::with_capacity(4096);
        read::list(&exchange::MODEL, tx, &rows, &Ask { brief: true, ..Ask::default() }, &scene, &mut out)?;
        Ok(out)
    };
    Ok(serve::written(StatusCode::OK, cx.app.read(cx.caller(), read).await?))
}

async fn shared_facilities(cx: Cx) -> Result<Reply, Problem> {
    let (theirs, who, scene) = (id(&cx, &autonomous_system::MODEL)?.of(), Chooser::of(&cx), serve::scene(&cx));
    let read = move |tx: &mut Tx<'_>| {
        let theirs: Object<AutonomousSystem> = tx.get(theirs)?;
        let ours = chosen(tx, &who)?;
        let rows = meeting::shared_facilities(tx, ours.spec.asn, theirs.spec.asn)?;
        let mut out = Vec::with_capacity(4096);
        read::list(&peeringdb::facility::MODEL, tx, &rows, &Ask::default(), &scene, &mut out)?;
        Ok(out)
    };
    Ok(serve::written(StatusCode::OK, cx.app.read(cx.caller(), read).await?))
}

async fn available_peers(cx: Cx) -> Result<Reply, Problem> {
    let (exchange, scene) = (id(&cx, &exchange::MODEL)?.of(), serve::scene(&cx));
    let read = move |tx: &mut Tx<'_>| {
        let exchange = tx.get(exchange)?;
        let open = meeting::available(tx, &[exchange])?;
        let rows: Vec<Object<PdbPort>> = open.into_iter().map(|meeting| meeting.port).collect();
        let mut out = Vec::with_capacity(256 + rows.len() * 512);
        read::list(&peeringdb::network_ixlan::MODEL, tx, &rows, &Ask::default(), &scene, &mut out)?;
        Ok(out)
    };
    Ok(serve::written(StatusCode::OK, cx.app.read(cx.caller(), read).await?))
}

async fn link(cx: Cx) -> Result<Reply, Problem> {
    let exchange = id(&cx, &exchange::MODEL)?.of();
    if cx.app.write(cx.caller(), move |tx| mirror::link_exchange(tx, exchange)).await? {
        return Ok(Reply::empty(StatusCode::OK));
    }
    let why = "The connections of this internet exchange do not agree on one peering network of PeeringDB.";
    Err(Error::Unavailable(why.to_owned()).into())
}

async fn prefixes(cx: Cx) -> Result<Reply, Problem> {
    let exchange = id(&cx, &exchange::MODEL)?.of();
    let read = move |tx: &mut Tx<'_>| {
        let exchange: Object<meetme_model::routing::Exchange> = tx.get(exchange)?;
        let nets = import::prefixes(tx, exchange.spec.pdb_lan)?.into_values().next().unwrap_or_default();
        let mut out = Vec::new();
        write_prefixes(&mut out, &nets, false);
        Ok(out)
    };
    Ok(serve::written(StatusCode::OK, cx.app.read(cx.caller(), read).await?))
}

async fn statistics(cx: Cx) -> Result<Reply, Problem> {
    let caller = cx.caller().clone();
    let found = cx.app.read(cx.caller(), move |tx| mirror::statistics(tx, &caller)).await?;
    let counts: Map<String, Json> =
        found.into_iter().map(|(name, many)| (format!("{name}-count"), many.into())).collect();
    Ok(Reply::json(StatusCode::OK, &counts))
}

async fn update(cx: Cx) -> Result<Reply, Problem> {
    let scene = serve::scene(&cx);
    let run = move |tx: &mut Tx<'_>| {
        let job = mirror::ask(tx)?;
        accepted(tx, &job, &scene)
    };
    Ok(serve::written(StatusCode::ACCEPTED, cx.app.write(cx.caller(), run).await?))
}

async fn clear(cx: Cx) -> Result<Reply, Problem> {
    cx.app.write(cx.caller(), mirror::clear_all).await?;
    Ok(Reply::ok(&json!({"status": "success"})))
}

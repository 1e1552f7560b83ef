//! What the routing registries say: of an AS, and of any set.

use http::{Method, StatusCode};
use meetme_app::{
    AuthFailure, Error,
    irr::{self, Question, Registered},
};
use meetme_base::{Id, RawId};
use meetme_http::{Cx, Op, Problem, QueryParam, Reply, Shape};
use meetme_model::routing::{AutonomousSystem, IrrQuestion, IrrSet};
use meetme_store::Object;

use super::{Action, id};
use crate::{
    json,
    models::autonomous_system::{self, prefixes, ranges},
    negotiate, serve, wait,
};

/// The questions about prefixes.
const PREFIXES: &[IrrQuestion] = &[IrrQuestion::Prefixes4, IrrQuestion::Prefixes6];

/// The actions.
pub const ACTIONS: &[Action] = &[Action {
    id: "peering_autonomous_systems_as_set_prefixes",
    method: Method::GET,
    model: &autonomous_system::MODEL,
    one: true,
    end: "as-set-prefixes",
    success: 200,
    takes: Shape::Nothing,
    gives: Shape::Named("Prefixes"),
    run: |cx| Box::pin(of_system(cx)),
}];

/// What is no action on a row.
pub fn ops() -> Vec<Op> {
    let query = ["as-set", "af", "skip-cache"].map(QueryParam::text).to_vec();
    let op = Op::get("extras_prefixlist_get", "/api/extras/prefix-list/").group("extras").query(query);
    vec![op.gives(Shape::Named("PrefixListResult")).run(list)]
}

/// Only who showed who they are may have the registries asked, and only where they are asked at all.
fn may_ask(cx: &Cx) -> Result<(), Error> {
    if cx.caller().subject.is_anonymous() {
        return Err(Error::Unauthenticated(AuthFailure::Absent));
    }
    if !cx.app.settings().registries {
        return Err(Error::Unavailable("No routing registry is configured here.".to_owned()));
    }
    Ok(())
}

/// Asks, and waits for the answers.
async fn ask(cx: &Cx, tenant: RawId, questions: Vec<Question>, fresh: bool) -> Result<Vec<Object<IrrSet>>, Error> {
    if questions.is_empty() {
        return Ok(Vec::new());
    }
    let asked = cx.app.write(cx.caller(), move |tx| irr::ask(tx, tenant, &questions, fresh));
    let ids: Vec<Id<IrrSet>> = asked.await?;
    let answers = wait::until(&cx.app, cx.caller(), move |tx| irr::answered(tx, &ids)).await?;
    answers.ok_or_else(|| Error::Unavailable("The routing registries did not answer in time.".to_owned()))
}

/// What an AS may announce: as it is kept, or else as the registries say now.
async fn of_system(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    let system: Id<AutonomousSystem> = id(&cx, &autonomous_system::MODEL)?.of();
    let read = cx.app.read(cx.caller(), move |tx| {
        let system = tx.get(system)?;
        let known = irr::of_systems(tx, &[system.id], PREFIXES)?.remove(&system.id);
        Ok((system, known))
    });
    let (system, known) = read.await?;
    let is_known = |known: &Registered| known.prefixes4.is_some() && known.prefixes6.is_some();
    let known = match known.filter(is_known) {
        Some(known) => known,
        None => {
            may_ask(&cx)?;
            let questions = irr::questions(&system.spec, PREFIXES);
            let rows = ask(&cx, system.tenant, questions, false).await?;
            let known = irr::registered(&rows);
            if let (None, None, Some((set, why))) = (&known.prefixes4, &known.prefixes6, known.failing.first()) {
                return Err(Error::Unavailable(format!("{set}: {why}")).into());
            }
            known
        }
    };
    let mut out = Vec::new();
    prefixes(&known, &mut out);
    Ok(serve::written(StatusCode::OK, out))
}

/// What the members of any sets may announce.
async fn list(cx: Cx) -> Result<Reply, Problem> {
    negotiate::form(&cx.parts)?;
    may_ask(&cx)?;
    let text = cx.query.all("as-set").collect::<Vec<_>>().join(",");
    let named = irr::named(&text).map_err(|bad| Problem::BadRequest(format!("as-set: {}", bad.message)))?;
    let families = families(cx.query.last("af"))?;
    let fresh = cx.query.has("skip-cache");
    let of = |set: &String| families.iter().map(|what| Question::plain(set.clone(), *what)).collect::<Vec<_>>();
    let questions = named.iter().filter_map(|n| n.set.as_ref()).flat_map(of).collect();
    let rows = ask(&cx, cx.caller().home().any(), questions, fresh).await?;
    let mut out = vec![b'{'];
    for named in &named {
        json::key(&mut out, &named.shown);
        out.push(b'{');
        for what in &families {
            json::key(&mut out, if *what == IrrQuestion::Prefixes4 { "ipv4" } else { "ipv6" });
            let row = rows.iter().find(|row| row.spec.what == *what && Some(&row.spec.set) == named.set.as_ref());
            match row.map(|row| &row.status) {
                Some(status) if status.fetched_at.is_some() => ranges(&status.prefixes, &mut out),
                // An empty list would look as if the registries knew of none.
                Some(status) => {
                    let why = status.failure.clone().unwrap_or_default();
                    return Err(Error::Unavailable(format!("{}: {why}", named.shown)).into());
                }
                None => out.extend_from_slice(b"[]"),
            }
        }
        out.push(b'}');
    }
    out.push(b'}');
    Ok(serve::written(StatusCode::OK, out))
}

/// `4`, `6` or both, in the order asked.
fn families(text: Option<&str>) -> Result<Vec<IrrQuestion>, Problem> {
    let mut out = Vec::new();
    for word in text.unwrap_or("4,6").split(',').map(str::trim) {
        let what = match word {
            "4" => IrrQuestion::Prefixes4,
            "6" => IrrQuestion::Prefixes6,
            _ => return Err(Problem::BadRequest("af: must be 4, 6 or both with a comma between.".to_owned())),
        };
        if !out.contains(&what) {
            out.push(what);
        }
    }
    Ok(out)
}

//! Cancelling products, taking a cancellation back, locking and unlocking.

use meetme_app::{Error, circuits, circuits::Whole, ports};
use meetme_base::{Invalid, Time};
use meetme_http::{Cx, Op, Problem, QueryParam, Reply, Verb};
use meetme_model::{Life, LifeStatus, Lock, fabric::Leg};
use meetme_store::{Object, Tx};
use serde_json::{Value, json};

use crate::{
    envelope,
    product::{self, Product},
    scene::Scene,
    show, update, words,
};

/// The notice a port is given up with, in seconds.
const NOTICE_SECONDS: i64 = 30 * 24 * 3600;

pub fn ops() -> Vec<Op> {
    let post = |id, path, summary| Op::post(id, path).group("lifecycle").summary(summary).verb(Verb::Act);
    vec![
        post("v3.action", "/v3/product/{productUid}/action/{action}", "Cancels a product, or takes that back")
            .query(vec![QueryParam::boolean("safeDelete")])
            .run(act),
        post("v2.action", "/v2/product/{productUid}/action/{action}", "Cancels a product, or takes that back")
            .query(vec![QueryParam::integer("terminationDate")])
            .run(act),
        post("v2.lock", "/v2/product/{productUid}/lock", "Locks a product").run(async |cx| lock(cx, Lock::Owner).await),
        Op::delete("v2.unlock", "/v2/product/{productUid}/lock")
            .group("lifecycle")
            .summary("Unlocks a product")
            .run(async |cx| lock(cx, Lock::None).await),
    ]
}

/// When a product shall go.
#[derive(Clone, Copy)]
enum Action {
    /// When its contract allows, or on the day named.
    Cancel(Option<Time>),
    /// At once.
    CancelNow,
    /// Not at all, after all.
    Restore,
}

fn action(cx: &Cx) -> Result<Action, Problem> {
    let body: Option<Value> = cx.json_if_any()?;
    let of_body = body.as_ref().and_then(|b| b.get("terminationDate")).and_then(Value::as_i64);
    let of_query = cx.query.get("terminationDate").and_then(|text| text.parse().ok());
    let day = of_body.or(of_query).filter(|ms| *ms > 0).map(Time);
    match cx.param("action").to_ascii_uppercase().as_str() {
        "CANCEL" => Ok(Action::Cancel(day)),
        "CANCEL_NOW" => Ok(Action::CancelNow),
        "UN_CANCEL" => Ok(Action::Restore),
        other => Err(Invalid::choice("action", other).into()),
    }
}

async fn act(cx: Cx) -> Result<Reply, Problem> {
    let action = action(&cx)?;
    let safe = cx.query.get("safeDelete") == Some("true");
    let wanted = cx.param("productUid").to_owned();
    let word = cx.param("action").to_ascii_uppercase();
    let data = cx
        .app
        .write(cx.caller(), move |tx| {
            match product::find(tx, &wanted)? {
                Product::Port(port) => {
                    let least = tx.now().plus_seconds(NOTICE_SECONDS);
                    let day = |day: Option<Time>| {
                        day.unwrap_or_else(|| {
                            end(&port.spec.life, &port.status.life).map_or(least, |end| end.max(least))
                        })
                    };
                    match action {
                        Action::Cancel(at) => drop(ports::cancel(tx, port.id, Some(day(at)), safe)?),
                        Action::CancelNow => drop(ports::cancel(tx, port.id, None, safe)?),
                        Action::Restore => drop(ports::restore(tx, port.id)?),
                    }
                }
                Product::Vxc(whole, leg) => {
                    let id = whole.circuit.id;
                    if matches!(action, Action::Cancel(_) | Action::CancelNow) {
                        refuse_one_of_two(&whole, &leg)?;
                    }
                    let later = match is_transit(tx, &whole)? {
                        true => None,
                        false => end(&whole.circuit.spec.life, &whole.circuit.status),
                    };
                    match action {
                        Action::Cancel(at) => drop(circuits::cancel(tx, id, at.or(later))?),
                        Action::CancelNow => drop(circuits::cancel(tx, id, None)?),
                        Action::Restore => drop(circuits::restore(tx, id)?),
                    }
                }
                Product::Network(network) => return Err(update::of_another(&network.spec.name)),
                Product::Router(router) => return Err(update::of_another(&router.spec.name)),
            }
            let product = product::find(tx, &wanted)?.show(tx, &mut Scene::default())?;
            Ok(json!({"productUid": product["productUid"], "provisioningStatus": product["provisioningStatus"]}))
        })
        .await?;
    Ok(envelope::ok(&format!("Action [{word} Service {}] has been done.", cx.param("productUid")), data))
}

/// When a contract of months ends; a contract by the month ends with the month that runs.
fn end(life: &Life, seen: &LifeStatus) -> Option<Time> {
    words::contract_end(seen.ready_at, life.term)
}

/// Transit is never cancelled for later.
fn is_transit(tx: &mut Tx<'_>, whole: &Whole) -> Result<bool, Error> {
    let Some(offer) = whole.circuit.spec.offer else { return Ok(false) };
    Ok(Scene::default().offer(tx, offer)?.is_some_and(|offer| offer.spec.far.as_deref() == Some("transit")))
}

/// One of two legs is not given up alone: that would break redundancy in silence.
fn refuse_one_of_two(whole: &Whole, leg: &Object<Leg>) -> Result<(), Error> {
    let Some(other) = show::other_name(whole, leg) else { return Ok(()) };
    let text = format!("{} is one of two; it cannot be cancelled without {other}.", show::name(whole, leg));
    Err(Invalid::rule("productUid", text).into())
}

async fn lock(cx: Cx, wish: Lock) -> Result<Reply, Problem> {
    let wanted = cx.param("productUid").to_owned();
    let data = cx
        .app
        .write(cx.caller(), move |tx| {
            match product::find(tx, &wanted)? {
                Product::Port(port) => drop(ports::lock(tx, port.id, wish)?),
                Product::Vxc(whole, _) => drop(circuits::lock(tx, whole.circuit.id, wish)?),
                Product::Network(network) => return Err(update::of_another(&network.spec.name)),
                Product::Router(router) => return Err(update::of_another(&router.spec.name)),
            }
            product::find(tx, &wanted)?.show(tx, &mut Scene::default())
        })
        .await?;
    Ok(envelope::ok(if wish == Lock::None { "Service unlocked" } else { "Service locked" }, data))
}

//! Resource tags: labels of the core, as a list. A list that is put replaces them all.

use meetme_app::{Error, circuits, ports};
use meetme_http::{Cx, Op, Problem, Reply};
use meetme_model::Labels;
use meetme_store::Tx;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    design::{self, Tag},
    envelope,
    product::{self, Product},
    update,
};

pub fn ops() -> Vec<Op> {
    vec![
        Op::get("v2.getTags", "/v2/product/{productUid}/tags").group("tags").summary("A product's tags").run(get),
        Op::put("v2.putTags", "/v2/product/{productUid}/tags")
            .group("tags")
            .summary("Replaces a product's tags")
            .run(put),
    ]
}

fn list(labels: &Labels) -> Value {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let tags: Vec<Value> = labels.iter().map(|(key, value)| json!({"key": key, "value": text(value)})).collect();
    json!({"resourceTags": tags})
}

fn labels(tx: &mut Tx<'_>, wanted: &str) -> Result<Labels, Error> {
    Ok(match product::find(tx, wanted)? {
        Product::Port(port) => port.spec.labels,
        Product::Router(router) => router.spec.labels,
        Product::Network(network) => network.spec.labels,
        Product::Vxc(whole, _) => whole.circuit.spec.labels,
    })
}

async fn get(cx: Cx) -> Result<Reply, Problem> {
    let wanted = cx.param("productUid").to_owned();
    let tags = cx.app.read(cx.caller(), move |tx| labels(tx, &wanted).map(|l| list(&l))).await?;
    Ok(envelope::ok("Resource tags", tags))
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Put {
    resource_tags: Vec<Tag>,
}

async fn put(cx: Cx) -> Result<Reply, Problem> {
    let sent: Put = cx.json()?;
    let (wanted, app) = (cx.param("productUid").to_owned(), cx.app.clone());
    let tags = cx
        .app
        .write(cx.caller(), move |tx| {
            let next = design::labels(&sent.resource_tags);
            match product::find(tx, &wanted)? {
                Product::Port(port) => {
                    update::refuse_locked(&port.spec.life, &port.spec.name)?;
                    ports::change(tx, port.id, |port| port.labels = next)?;
                }
                Product::Vxc(whole, _) => {
                    update::refuse_locked(&whole.circuit.spec.life, &whole.circuit.spec.name)?;
                    circuits::change(&app, tx, whole.circuit.id, |wish| wish.circuit.labels = next)?;
                }
                Product::Network(network) => return Err(update::of_another(&network.spec.name)),
                Product::Router(router) => return Err(update::of_another(&router.spec.name)),
            }
            labels(tx, &wanted).map(|l| list(&l))
        })
        .await?;
    Ok(envelope::ok("Resource tags updated", tags))
}

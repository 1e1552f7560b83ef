//! Partner ports: what a cross connect may end on besides one's own products. Offers of circuits are those of clouds and partners;
//! visible ports of other companies are those of other customers.

use meetme_app::{Error, allocate, offers, ports};
use meetme_http::{Cx, Op, Problem, QueryParam, Reply};
use meetme_model::place::{Offer, Rates, Service};
use meetme_store::{Object, Tx};
use serde_json::{Value, json};

use crate::{auth::Acting, envelope, scene::Scene, words};

pub fn ops() -> Vec<Op> {
    vec![
        Op::get("v2.partnerPorts", "/v2/dropdowns/partner/megaports")
            .group("partners")
            .summary("What a cross connect may end on at clouds, partners and other customers")
            .query(vec![QueryParam::text("connectType"), QueryParam::boolean("vxcPermitted")])
            .run(list),
    ]
}

async fn list(cx: Cx) -> Result<Reply, Problem> {
    let acting = Acting::of(&cx);
    let connect = cx.query.get("connectType").filter(|t| !t.is_empty()).map(str::to_owned);
    let permitted = cx.query.get("vxcPermitted").and_then(|t| t.parse::<bool>().ok());
    let list = cx
        .app
        .read(cx.caller(), move |tx| {
            let company = acting.company(tx)?;
            let mut scene = Scene::default();
            let mut out = Vec::new();
            for offer in offers::visible(tx, company.id.any(), Service::Circuit)? {
                // A cross connect has one leg.
                if offer.spec.far.is_some() && offer.spec.redundant != Some(true) {
                    for connect in words::connect_types(offer.spec.far.as_deref()) {
                        out.push(show(tx, &mut scene, &offer, connect)?);
                    }
                }
            }
            let own = allocate::nodes_of(tx, company.id.any())?;
            for port in ports::offered(tx, &own)? {
                let (uid, name) = scene.company_names(tx, port.tenant)?;
                out.push(json!({
                    "connectType": "DEFAULT",
                    "productUid": port.uid,
                    "title": port.spec.name,
                    "companyUid": uid,
                    "companyName": name,
                    "diversityZone": words::zone(port.spec.zone),
                    "locationId": scene.number(tx, port.spec.site)?,
                    "speed": port.spec.rate.get(),
                    "rank": 1,
                    "vxcPermitted": port.spec.leader.is_none(),
                }));
            }
            out.retain(|port: &Value| {
                connect.as_ref().is_none_or(|c| port["connectType"].as_str().is_some_and(|t| t.eq_ignore_ascii_case(c)))
                    && permitted.is_none_or(|p| port["vxcPermitted"] == p)
            });
            Ok(out)
        })
        .await?;
    Ok(envelope::ok("List all partner megaports", list))
}

fn show(tx: &mut Tx<'_>, scene: &mut Scene, offer: &Object<Offer>, connect: &str) -> Result<Value, Error> {
    let (uid, name) = scene.company_names(tx, offer.tenant)?;
    let site = scene.offer_site(tx, offer)?;
    let speed = match &offer.spec.rates {
        Some(Rates::List(list)) => list.iter().map(|rate| rate.get()).max().unwrap_or(0),
        Some(Rates::Range { high, .. }) => high.get(),
        None => 0,
    };
    Ok(json!({
        "connectType": connect,
        "productUid": offer.uid,
        "title": offer.spec.title,
        "companyUid": uid,
        "companyName": name,
        "diversityZone": words::zone(offer.spec.zone),
        "locationId": scene.number(tx, site)?,
        "speed": speed,
        "rank": offer.spec.rank,
        "vxcPermitted": offer.spec.permitted && !offer.spec.pending,
    }))
}

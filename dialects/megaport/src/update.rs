//! Changing products. A locked product refuses every change here, renaming included.

use meetme_app::{App, Error, circuits, circuits::Whole, ports};
use meetme_base::{Id, Invalid};
use meetme_http::{Cx, Op, Problem, Reply};
use meetme_model::{
    Life, LifeStatus, Lock,
    fabric::{End, Leg, VlanTag},
};
use meetme_store::{Object, Tx};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    design, envelope,
    product::{self, Product},
    scene::Scene,
    words,
};

pub fn ops() -> Vec<Op> {
    let put = |id, path, summary| Op::put(id, path).group("products").summary(summary);
    vec![
        put("v2.updateVxc", "/v2/product/vxc/{productUid}", "Changes a cross connect").run(vxc),
        put("v3.updateVxc", "/v3/product/vxc/{productUid}", "Changes a cross connect").run(vxc),
        put("v2.updatePort", "/v2/product/megaport/{productUid}", "Changes a port").run(modify),
        put("v2.updateProduct", "/v2/product/{productUid}", "Changes a product").run(modify),
    ]
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VxcUpdate {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    rate_limit: Option<i64>,
    #[serde(default)]
    cost_centre: Option<String>,
    #[serde(default)]
    shutdown: Option<bool>,
    #[serde(default)]
    a_end_vlan: Option<i64>,
    #[serde(default)]
    b_end_vlan: Option<i64>,
    #[serde(default)]
    term: Option<i64>,
    #[serde(default)]
    is_approved: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Modify {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    cost_centre: Option<String>,
    #[serde(default)]
    marketplace_visibility: Option<bool>,
    #[serde(default)]
    term: Option<i64>,
}

/// Refuses when a product is locked.
pub fn refuse_locked(life: &Life, name: &str) -> Result<(), Error> {
    if life.lock == Lock::None {
        return Ok(());
    }
    Err(Error::conflict("locked", format!("{name} is locked.")))
}

async fn vxc(cx: Cx) -> Result<Reply, Problem> {
    let sent: VxcUpdate = cx.json()?;
    let (wanted, app) = (cx.param("productUid").to_owned(), cx.app.clone());
    let shown = cx
        .app
        .write(cx.caller(), move |tx| {
            let Product::Vxc(whole, leg) = product::find(tx, &wanted)? else { return Err(product::missing(&wanted)) };
            let whole = change_vxc(&app, tx, &whole, &leg, &sent)?;
            let leg = whole.legs.iter().find(|l| l.id == leg.id).cloned().ok_or_else(|| product::missing(&wanted))?;
            Product::Vxc(Box::new(whole), Box::new(leg)).show(tx, &mut Scene::default())
        })
        .await?;
    Ok(envelope::ok("Product updated", shown))
}

fn change_vxc(app: &App, tx: &mut Tx<'_>, whole: &Whole, leg: &Object<Leg>, sent: &VxcUpdate) -> Result<Whole, Error> {
    let id = whole.circuit.id;
    if let Some(yes) = sent.is_approved {
        return circuits::answer(tx, id, yes);
    }
    refuse_locked(&whole.circuit.spec.life, &whole.circuit.spec.name)?;
    let rate = sent.rate_limit.map(|rate| design::rate("rateLimit", rate)).transpose()?;
    let term = sent.term.filter(|n| *n != 0).map(|n| words::parse_term(Some(n))).transpose()?;
    let tag = |vlan: Option<i64>, end: &End| match vlan {
        // Clients send back what they were shown.
        Some(n) if n != words::vlan(end.tag, end.vlan) => words::parse_vlan(Some(n)).map(Some),
        _ => Ok(None),
    };
    let (a, z) = (tag(sent.a_end_vlan, &leg.spec.a)?, tag(sent.b_end_vlan, &leg.spec.z)?);
    if let Some(rate) = rate {
        ports::carry(tx, &[&leg.spec.a, &leg.spec.z], rate)?;
    }
    let at = whole.legs.iter().position(|l| l.id == leg.id);
    circuits::change(app, tx, id, |wish| {
        if let Some(name) = &sent.name {
            wish.circuit.name = base_name(name, whole.circuit.spec.redundant).to_owned();
        }
        wish.circuit.rate = rate.unwrap_or(wish.circuit.rate);
        if let Some(cost_centre) = &sent.cost_centre {
            wish.circuit.life.cost_centre = Some(cost_centre.clone()).filter(|t| !t.is_empty());
        }
        wish.circuit.life.term = term.or(wish.circuit.life.term);
        let Some(changed) = at.and_then(|at| wish.legs.get_mut(at)) else { return };
        changed.leg.off = sent.shutdown.unwrap_or(changed.leg.off);
        retag(&mut changed.leg.a, a);
        retag(&mut changed.leg.z, z);
    })
}

fn retag(end: &mut End, tag: Option<VlanTag>) {
    if let Some(tag) = tag {
        end.tag = tag;
        end.vlan = None;
    }
}

/// The name of the circuit, from that of one of its legs.
fn base_name(name: &str, has_two: bool) -> &str {
    if !has_two {
        return name;
    }
    name.strip_suffix(" - Primary").or_else(|| name.strip_suffix(" - Secondary")).unwrap_or(name)
}

async fn modify(cx: Cx) -> Result<Reply, Problem> {
    let sent: Modify = cx.json()?;
    let (wanted, app) = (cx.param("productUid").to_owned(), cx.app.clone());
    let result = cx
        .app
        .write(cx.caller(), move |tx| match product::find(tx, &wanted)? {
            Product::Port(port) => {
                let port = change_port(tx, port.id, &sent)?;
                Ok(result(&port.uid.to_string(), port.id.get(), &port.spec.name, port.created.0, &port.status.life))
            }
            Product::Vxc(whole, leg) => {
                let update = VxcUpdate {
                    name: sent.name.clone(),
                    cost_centre: sent.cost_centre.clone(),
                    term: sent.term,
                    ..VxcUpdate::default()
                };
                let whole = change_vxc(&app, tx, &whole, &leg, &update)?;
                let name = crate::show::name(&whole, &leg);
                Ok(result(&leg.uid.to_string(), leg.id.get(), &name, leg.created.0, &leg.status.life))
            }
            Product::Network(network) => Err(of_another(&network.spec.name)),
            Product::Router(router) => Err(of_another(&router.spec.name)),
        })
        .await?;
    Ok(envelope::ok("Product updated", result))
}

/// A product that is only shown here.
pub fn of_another(name: &str) -> Error {
    Invalid::rule("productUid", format!("{name} is managed elsewhere and cannot be changed here.")).into()
}

fn change_port(
    tx: &mut Tx<'_>,
    id: Id<meetme_model::fabric::Port>,
    sent: &Modify,
) -> Result<Object<meetme_model::fabric::Port>, Error> {
    let port = ports::get(tx, id)?;
    refuse_locked(&port.spec.life, &port.spec.name)?;
    let term = sent.term.filter(|n| *n != 0).map(|n| words::parse_term(Some(n))).transpose()?;
    ports::change(tx, id, |port| {
        if let Some(name) = &sent.name {
            port.name.clone_from(name);
        }
        if let Some(cost_centre) = &sent.cost_centre {
            port.life.cost_centre = Some(cost_centre.clone()).filter(|t| !t.is_empty());
        }
        port.visible = sent.marketplace_visibility.unwrap_or(port.visible);
        port.life.term = term.or(port.life.term);
    })
}

fn result(uid: &str, id: i64, name: &str, created: i64, life: &LifeStatus) -> Value {
    json!({
        "technicalServiceUid": uid,
        "serviceName": name,
        "name": name,
        "secondaryName": null,
        "technicalServiceId": id,
        "requestedDate": created,
        "configuredDate": words::millis(life.ready_at),
        "provisioningStatus": words::status(life),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leg_is_renamed_with_its_circuit() {
        assert_eq!(base_name("Cloud - Secondary", true), "Cloud");
        assert_eq!(base_name("Cloud - Secondary", false), "Cloud - Secondary");
        assert_eq!(base_name("Cloud", true), "Cloud");
    }
}

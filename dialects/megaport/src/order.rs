//! Validating and buying a design. Both do the same thing; what was validated is thrown away.

use meetme_app::{App, Error, circuits, circuits::Whole, offers, ports};
use meetme_base::{Id, Invalid, Mbps, RawId};
use meetme_http::{Cx, Op, Problem, Reply, Verb};
use meetme_model::{
    Life, LifeStatus, Term, Wanted,
    access::Organization,
    fabric::{Leg, Port},
    place::{Per, Site},
};
use meetme_store::{Object, Tx};
use serde_json::{Value, json};

use crate::{
    auth::Acting,
    design::{self, Item},
    envelope,
    product::{self, Product},
    scene::Scene,
    words,
};

pub fn ops() -> Vec<Op> {
    let op = |id, path, summary| Op::post(id, path).group("orders").summary(summary);
    vec![
        op("v2.validate", "/v2/networkdesign/validate", "Tries an order").verb(Verb::Read).run(validate),
        op("v3.validate", "/v3/networkdesign/validate", "Tries an order").verb(Verb::Read).run(validate),
        op("v2.buy", "/v2/networkdesign/buy", "Orders").run(buy),
        op("v3.buy", "/v3/networkdesign/buy", "Orders").run(buy),
        op("v4.buy", "/v4/networkdesign/buy", "Orders").run(buy),
    ]
}

/// Something ordered, with its names where they are asked for.
struct Ordered {
    uid: String,
    id: i64,
    kind: &'static str,
    name: String,
    created: i64,
    life: Life,
    seen: LifeStatus,
    rate: Mbps,
    a_site: Option<Id<Site>>,
    z_site: Option<Id<Site>>,
    /// What its price is that of.
    priced: Option<RawId>,
}

async fn validate(cx: Cx) -> Result<Reply, Problem> {
    let lines = run(&cx, true, validate_line).await?;
    // Clients compare this sentence.
    Ok(envelope::ok("Validation passed", lines))
}

async fn buy(cx: Cx) -> Result<Reply, Problem> {
    let lines = run(&cx, false, buy_line).await?;
    Ok(envelope::ok("Order accepted", lines))
}

type Line = fn(&mut Tx<'_>, &mut Scene, &Object<Organization>, &Ordered) -> Result<Value, Error>;

async fn run(cx: &Cx, dry: bool, line: Line) -> Result<Vec<Value>, Problem> {
    let items = design::items(cx.json()?)?;
    let (acting, app) = (Acting::of(cx), cx.app.clone());
    let caller = cx.caller().clone().dry(dry);
    let lines = cx
        .app
        .write(&caller, move |tx| {
            let company = acting.company(tx)?;
            let mut scene = Scene::default();
            let mut lines = Vec::new();
            for item in &items {
                for ordered in order(&app, tx, &mut scene, company.id.any(), item)? {
                    lines.push(line(tx, &mut scene, &company, &ordered)?);
                }
            }
            Ok(lines)
        })
        .await?;
    Ok(lines)
}

fn order(app: &App, tx: &mut Tx<'_>, scene: &mut Scene, owner: RawId, item: &Item) -> Result<Vec<Ordered>, Error> {
    if !item.associated_ixs.is_empty() {
        return Err(Invalid::rule("associatedIxs", "Not supported service type").into());
    }
    if !item.associated_vxcs.is_empty() {
        let mut out = Vec::new();
        for sent in &item.associated_vxcs {
            let new = design::vxc(tx, owner, item.product_uid.as_deref(), sent)?;
            let whole = circuits::order(app, tx, &new).map_err(|e| taken(e, sent))?;
            out.extend(vxcs(tx, scene, &whole)?);
        }
        return Ok(out);
    }
    match (item.product_type.as_deref().map(str::to_ascii_uppercase).as_deref(), &item.product_uid) {
        (Some("MEGAPORT"), _) => {
            let new = design::port(tx, owner, item)?;
            let sold = ports::offer(tx, owner, new.site, new.rate, new.term)?;
            Ok(ports::order(tx, &new)?.iter().map(|port| of_port(port, sold.id.any())).collect())
        }
        (None, Some(uid)) => match product::find(tx, uid)? {
            Product::Vxc(whole, _) if whole.circuit.spec.life.wanted == Wanted::Draft => {
                let whole = circuits::submit(app, tx, whole.circuit.id)?;
                vxcs(tx, scene, &whole)
            }
            _ => Err(Invalid::rule("productUid", "Only a design can be ordered by its id.").into()),
        },
        _ => Err(Invalid::rule("productType", "Not supported service type").into()),
    }
}

/// A VLAN that is in use is named together with the port, as clients show it.
fn taken(error: Error, sent: &design::Vxc) -> Error {
    match error {
        Error::Conflict { code: "vlan_taken", message } => {
            let wanted = [&sent.a_end, &sent.b_end].into_iter().filter_map(|end| end.vlan).filter(|vlan| *vlan > 0);
            let numbers: Vec<String> = wanted.map(|vlan| vlan.to_string()).collect();
            Error::conflict("vlan_taken", format!("VLAN {} not available: {message}", numbers.join(", ")))
        }
        other => other,
    }
}

fn of_port(port: &Object<Port>, sold: RawId) -> Ordered {
    Ordered {
        uid: port.uid.to_string(),
        id: port.id.get(),
        kind: "MEGAPORT",
        name: port.spec.name.clone(),
        created: port.created.0,
        life: port.spec.life.clone(),
        seen: port.status.life.clone(),
        rate: port.spec.rate,
        a_site: port.spec.site,
        z_site: None,
        priced: Some(sold),
    }
}

fn vxcs(tx: &mut Tx<'_>, scene: &mut Scene, whole: &Whole) -> Result<Vec<Ordered>, Error> {
    whole.legs.iter().map(|leg| of_leg(tx, scene, whole, leg)).collect()
}

fn of_leg(tx: &mut Tx<'_>, scene: &mut Scene, whole: &Whole, leg: &Object<Leg>) -> Result<Ordered, Error> {
    let circuit = &whole.circuit;
    Ok(Ordered {
        uid: leg.uid.to_string(),
        id: leg.id.get(),
        kind: "VXC",
        name: crate::show::name(whole, leg),
        created: circuit.created.0,
        life: circuit.spec.life.clone(),
        seen: leg.status.life.clone(),
        rate: circuit.spec.rate,
        a_site: scene.attached(tx, leg.spec.a.at, leg.spec.router)?.site,
        z_site: scene.attached(tx, leg.spec.z.at, leg.spec.router)?.site,
        priced: circuit.spec.offer.map(Id::any),
    })
}

/// The union of what the generations call things: each client reads its own names.
fn buy_line(tx: &mut Tx<'_>, scene: &mut Scene, company: &Object<Organization>, of: &Ordered) -> Result<Value, Error> {
    Ok(json!({
        "technicalServiceUid": of.uid,
        "vxcJTechnicalServiceUid": of.uid,
        "uid": of.uid,
        "technicalServiceId": of.id,
        "vxcJTechnicalServiceId": of.id,
        "serviceName": of.name,
        "name": of.name,
        "productType": of.kind,
        "provisioningStatus": words::status(&of.seen),
        "companyName": company.spec.name,
        "companyId": company.id.get(),
        "companyUid": company.uid,
        "createDate": of.created,
        "contractStartDate": of.created,
        "terminationDate": null,
        "rateLimit": of.rate.get(),
        "aLocationId": scene.number(tx, of.a_site)?,
        "bLocationId": match of.z_site {
            Some(site) => Some(scene.number(tx, Some(site))?),
            None => None,
        },
        "contractTermMonths": words::months(of.life.term),
    }))
}

fn validate_line(tx: &mut Tx<'_>, scene: &mut Scene, _: &Object<Organization>, of: &Ordered) -> Result<Value, Error> {
    let metro = match of.a_site {
        Some(site) => scene.detail(tx, Some(site))?["metro"].as_str().unwrap_or_default().to_owned(),
        None => String::new(),
    };
    Ok(json!({
        "serviceName": of.name,
        "productUid": of.uid,
        "productType": of.kind,
        "market": scene.market(tx, of.a_site)?,
        "metro": metro,
        "string": metro,
        "error": null,
        "price": price(tx, of)?,
    }))
}

/// The price per month, from the rows that hold for the term and rate. Where nothing is charged, the price is zero.
fn price(tx: &mut Tx<'_>, of: &Ordered) -> Result<Value, Error> {
    let list = match of.priced {
        Some(id) => tx.as_system(|tx| offers::prices(tx, id))?,
        None => Vec::new(),
    };
    let term = of.life.term.unwrap_or(Term::Months(1));
    let mut fitting: Vec<_> = list.into_iter().map(|price| price.spec).collect();
    fitting.retain(|price| price.term == term && price.rate.is_none_or(|rate| rate == of.rate));
    // A price for this rate comes before one for any.
    fitting.sort_by_key(|price| price.rate.is_none());
    let (mut month, mut hour, mut day, mut setup, mut currency) = (0.0, 0.0, 0.0, 0.0, "USD".to_owned());
    if let Some(price) = fitting.first() {
        let amount = price.amount.micros as f64 / 1e6;
        currency.clone_from(&price.amount.currency);
        setup = price.setup.as_ref().map_or(0.0, |s| s.micros as f64 / 1e6);
        match price.per {
            Per::Hour => {
                hour = amount;
                month = amount * HOURS_A_MONTH;
            }
            Per::Day => {
                day = amount;
                month = amount * HOURS_A_MONTH / 24.0;
            }
            Per::Month => month = amount,
            Per::Year => month = amount / 12.0,
            Per::Mbps => month = amount * f64::from(of.rate.get()),
            Per::Once | Per::Gb => {}
        }
    }
    Ok(json!({
        "monthlySetup": setup,
        "monthlyRate": month,
        "monthlyRackRate": month,
        "hourlySetup": 0.0,
        "hourlyRate": hour,
        "dailySetup": 0.0,
        "dailyRate": day,
        "fixedRecurringCharge": 0.0,
        "longHaulMbpsRate": 0.0,
        "mbpsRate": 0.0,
        "postPaidBaseRate": 0.0,
        "currency": currency,
        "productType": of.kind,
        "key": null,
        "forceProductChange": null,
    }))
}

/// The hours in the twelfth part of a year.
const HOURS_A_MONTH: f64 = 730.0;

//! Companies.

use meetme_app::{Error, standing};
use meetme_base::RawId;
use meetme_http::{Cx, Op, Problem, QueryParam, Reply};
use meetme_model::access::Organization;
use meetme_store::Object;
use serde_json::{Value, json};

use crate::{envelope, session};

pub fn ops() -> Vec<Op> {
    vec![
        Op::get("v1.company", "/secure/party/company/{companyId}")
            .group("company")
            .summary("A company the caller has permissions under")
            .query(vec![QueryParam::text("token")])
            .run(company_v1),
        Op::get("v2.company", "/v2/company/{companyUid}")
            .group("company")
            .summary("A company the caller has permissions under")
            .run(company_v2),
    ]
}

async fn company_v1(cx: Cx) -> Result<Reply, Problem> {
    // No number of ours is negative, so a text that is no number names no company.
    let wanted = RawId::new(cx.param_as("companyId").unwrap_or(-1));
    let caller = cx.caller().clone();
    let company = cx.app.read(cx.caller(), move |tx| standing::enter(tx, &caller, wanted)).await?;
    Ok(Reply::ok(&show(&company)))
}

async fn company_v2(cx: Cx) -> Result<Reply, Problem> {
    let (caller, wanted) = (cx.caller().clone(), cx.param("companyUid").to_owned());
    let company = cx
        .app
        .read(cx.caller(), move |tx| match wanted.parse::<i64>() {
            Ok(id) => standing::enter(tx, &caller, RawId::new(id)),
            Err(_) => standing::enter_by_uid(tx, &caller, &wanted).map_err(|e| match e {
                Error::Invalid(_) => Error::Denied("There is no such company.".to_owned()),
                other => other,
            }),
        })
        .await?;
    Ok(envelope::ok("Company details.", show(&company)))
}

fn show(company: &Object<Organization>) -> Value {
    let spec = &company.spec;
    json!({
        "companyId": company.id.get(),
        "companyUid": company.uid,
        "partyId": company.id.get(),
        "legalName": spec.name,
        "tradingName": spec.name,
        "companyName": spec.name,
        "fax": "",
        "phone": spec.phone.clone().unwrap_or_default(),
        "www": spec.web.clone().unwrap_or_default(),
        "legalIdentifier": "",
        "legalIdentifierType": "",
        "attributeTags": {},
        "channelPartner": session::is_partner(spec.form),
        "active": true,
        "createDate": company.created.0,
        "postalAddress": null,
        "physicalAddress": null,
    })
}

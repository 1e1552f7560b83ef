//! The organization a token belongs to: the first thing integrations ask for.

use meetme_http::{Cx, Op, Problem, Reply};
use serde_json::json;

pub fn ops() -> Vec<Op> {
    vec![
        Op::get("get_organization", "/v1/organization")
            .group("organization")
            .summary("The organization of the caller")
            .run(get_organization),
    ]
}

async fn get_organization(cx: Cx) -> Result<Reply, Problem> {
    let home = cx.caller().home();
    let organization = cx.app.read(cx.caller(), move |tx| Ok(tx.get(home)?)).await?;
    Ok(Reply::ok(&json!({
        "ok": true,
        "organization": {
            "id": format!("org_{}", organization.id),
            "name": organization.spec.name,
            // No flag: each would send a client to a feature that is not here.
            "featureFlags": [],
            "settings": {"hiddenBlueprints": [], "federatedLogout": false, "portalIcon": "", "portalTitle": ""},
            "isOnboarded": true,
            "createdAt": organization.created,
            "updatedAt": organization.updated,
        },
    })))
}

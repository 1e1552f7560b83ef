//! The tree of texts that cloud-init and others read where they expect Amazon's service.

use std::sync::Arc;

use meetme_http::{Cx, Problem, Reply};
use serde_json::Value;

use super::{Settings, known, plain};

/// The leaves and branches at the top, in their order.
const TOP: &[&str] = &[
    "instance-id",
    "hostname",
    "local-hostname",
    "iqn",
    "plan",
    "facility",
    "tags",
    "operating-system",
    "public-keys",
    "public-ipv4",
    "public-ipv6",
    "local-ipv4",
];
/// What is below `operating-system`.
const SYSTEM: &[&str] = &["slug", "distro", "version", "license_activation", "image_tag"];

/// One node of the tree.
pub async fn get(cx: Cx, settings: Arc<Settings>) -> Result<Reply, Problem> {
    let document = known(&cx, &settings).await?;
    let path: Vec<&str> = cx.param("path").split('/').filter(|part| !part.is_empty()).collect();
    node(&document, &path).map(plain).ok_or(Problem::NoRoute)
}

/// The text of a node; lists are one to a line.
fn node(document: &Value, path: &[&str]) -> Option<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = |value: &Value| {
        let all = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        all.collect::<Vec<_>>().join("\n")
    };
    let system = &document["operating_system"];
    Some(match path {
        [] => "meta-data\nuser-data".to_owned(),
        ["meta-data"] => TOP.join("\n"),
        ["meta-data", "instance-id"] => text(&document["id"]),
        ["meta-data", "hostname" | "local-hostname"] => text(&document["hostname"]),
        ["meta-data", leaf @ ("iqn" | "plan" | "facility")] => text(&document[*leaf]),
        ["meta-data", "tags"] => lines(&document["tags"]),
        ["meta-data", "public-keys"] => lines(&document["ssh_keys"]),
        ["meta-data", "public-ipv4"] => address(document, 4, true)?,
        ["meta-data", "public-ipv6"] => address(document, 6, true)?,
        ["meta-data", "local-ipv4"] => address(document, 4, false)?,
        ["meta-data", "operating-system"] => SYSTEM.join("\n"),
        ["meta-data", "operating-system", "license_activation"] => "state".to_owned(),
        ["meta-data", "operating-system", "license_activation", "state"] => {
            text(&system["license_activation"]["state"])
        }
        ["meta-data", "operating-system", leaf] if SYSTEM.contains(leaf) => text(&system[*leaf]),
        _ => return None,
    })
}

/// The first address of a family and reach: those it was ordered with come first.
fn address(document: &Value, family: u64, public: bool) -> Option<String> {
    let mut all = document["network"]["addresses"].as_array()?.iter();
    let found = all.find(|a| a["address_family"] == family && a["public"] == public)?;
    found["address"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_name_of_a_list_leads_somewhere_and_nothing_else_does() {
        let document = json!({
            "id": "1", "hostname": "one", "iqn": "iqn.x", "plan": "p", "facility": "f", "tags": ["a", "b"], "ssh_keys": ["k"],
            "operating_system": {"slug": "s", "distro": "d", "version": "1", "image_tag": null,
                "license_activation": {"state": "unlicensed"}},
            "network": {"addresses": [
                {"address_family": 4, "public": true, "address": "192.0.2.1"},
                {"address_family": 6, "public": true, "address": "2001:db8::1"},
                {"address_family": 4, "public": false, "address": "10.0.0.1"}]},
        });
        let get = |path: &str| node(&document, &path.split('/').collect::<Vec<_>>());
        for name in TOP {
            assert!(get(&format!("meta-data/{name}")).is_some(), "{name}");
        }
        for name in SYSTEM {
            assert!(get(&format!("meta-data/operating-system/{name}")).is_some(), "{name}");
        }
        assert_eq!(get("meta-data/tags").unwrap(), "a\nb");
        assert_eq!(get("meta-data/local-ipv4").unwrap(), "10.0.0.1");
        assert_eq!(get("meta-data/operating-system/license_activation/state").unwrap(), "unlicensed");
        for none in ["meta-data/none", "metadata", "meta-data/operating-system/slug/x"] {
            assert_eq!(get(none), None, "{none}");
        }
    }
}

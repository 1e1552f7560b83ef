//! The examples of the five documents, with the documents' own curl lines.

use meetme_lab::Skip;
use serde_json::{Value, json};

use crate::kit::{Server, until};

/// Runs one line of a shell and reads what it printed; the variables are the document's placeholders.
fn sh(line: &str) -> (String, Value) {
    let done = std::process::Command::new("bash").args(["-c", line]).output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    (text, body)
}

#[tokio::test]
async fn the_pureport_document_works_as_written() {
    let server = Server::demo().await;
    let (base, key, secret) = (&server.base, server.secret("/pureport/key"), server.secret("/pureport/secret"));
    let (_, login) = sh(&format!(
        r#"curl -s -X POST -H "Content-Type: application/json" -d '{{
  "key": "{key}",
  "secret": "{secret}"
}}' {base}/login"#
    ));
    assert_eq!((&login["token_type"], &login["expires_in"]), (&json!("bearer"), &json!(3600)), "{login}");
    let token = login["access_token"].as_str().unwrap();
    let (_, accounts) = sh(&format!(r#"curl -s -H "Authorization: Bearer {token}" {base}/accounts"#));
    let account = accounts[0]["id"].as_str().unwrap_or_else(|| panic!("{accounts}"));
    let (made, _) = sh(&format!(
        r#"curl -si -H "Authorization: Bearer {token}" -H "Content-Type: application/json" -d '{{
  "name": "My New Network"
}}' {base}/accounts/{account}/networks"#
    ));
    assert!(made.starts_with("HTTP/1.1 201"), "{made}");
    let location = made
        .lines()
        .find_map(|l| l.to_lowercase().strip_prefix("location: ").map(|_| l[10..].trim().to_owned()))
        .unwrap();
    assert!(location.starts_with(&format!("{base}/networks/")), "{location}");
    let (connection, _) = sh(&format!(
        r#"curl -si -H "Authorization: Bearer {token}" -H "Content-Type: application/json" -d '{{
  "type": "AWS_DIRECT_CONNECT",
  "location": {{
    "id": "us-ral",
    "href: "/locations/us-ral"
  }},
  "awsAccountId": "123456789",
  "awgRegion": "us-east-1",
  "highAvailability": true,
  "speed": "MBPS_100"
}}' {location}/connections"#
    ));
    assert!(connection.starts_with("HTTP/1.1 201"), "{connection}");
    let active = until(std::time::Duration::from_secs(30), async || {
        let (_, list) = sh(&format!(r#"curl -s -H "Authorization: Bearer {token}" {location}/connections"#));
        Some(list[0].clone()).filter(|c| c["state"] == "ACTIVE")
    })
    .await
    .unwrap_or_else(|| panic!("{}", server.said()));
    assert!(active["primaryGateway"]["vlan"].is_number() && active["secondaryGateway"]["vlan"].is_number(), "{active}");
    assert_eq!(active["speed"], 100);
    sh(&format!(r#"curl -s -X DELETE -H "Authorization: Bearer {token}" {location}"#));
    let gone = until(std::time::Duration::from_secs(30), async || {
        let (code, _) =
            sh(&format!(r#"curl -s -o /dev/null -w '%{{http_code}}' -H "Authorization: Bearer {token}" {location}"#));
        (code == "404").then_some(())
    });
    gone.await.unwrap_or_else(|| panic!("{}", server.said()));
}

#[tokio::test]
async fn the_megaport_document_works_as_written() {
    let server = Server::demo().await;
    let (base, name, password) =
        (&server.base, server.secret("/megaport/username"), server.secret("/megaport/password"));
    let (_, session) = sh(&format!("curl -s -X POST {base}/login -d 'username={name}&password={password}'"));
    let company = session["companyId"].as_i64().unwrap_or_else(|| panic!("{session}"));
    let permissions = session["permissions"].as_object().unwrap();
    assert!(permissions.len() >= 2 && permissions.contains_key(&company.to_string()), "{session}");
    assert_eq!((&session["channelPartner"], &session["expiryDate"]), (&json!(false), &Value::Null));
    assert!(session["userAgent"].as_str().unwrap().starts_with("curl/") && session["loginDate"].is_i64());
    let token = session["session"].as_str().unwrap();
    let (_, read) = sh(&format!("curl -s -X GET '{base}/secure/party/company/{company}?token={token}'"));
    assert!(read.is_object() && read.to_string().contains("Demo Customer"), "{read}");
}

#[tokio::test]
async fn the_peering_manager_document_works_as_written() {
    let server = Server::demo().await;
    let base = &server.base;
    let auth = format!(
        r#"-H "Authorization: Token {}" -H "Content-Type: application/json""#,
        server.secret("/peering_manager/token")
    );
    let root = format!("{base}/api/peering/autonomous-systems/");
    let (_, list) = sh(&format!("curl -s -X GET {auth} {root}"));
    assert!(list["count"].as_i64().unwrap() >= 5 && list["next"].is_null(), "{list}");
    let (_, made) =
        sh(&format!(r#"curl -s -X POST {auth} {root} --data '{{"asn": 64535, "name": "Awesome Networks"}}'"#));
    assert_eq!(
        (&made["display"], &made["ipv6_max_prefixes_peeringdb_sync"]),
        (&json!("AS64535 - Awesome Networks"), &json!(true))
    );
    let id = made["id"].as_i64().unwrap();
    let (_, patched) =
        sh(&format!(r#"curl -s -X PATCH {auth} {root}{id}/ --data '{{"irr_as_set": "RIPE::AS-AWESOME"}}'"#));
    assert_eq!(patched["irr_as_set"], "RIPE::AS-AWESOME");
    let (text, bulk) = sh(&format!(
        r#"curl -s -X POST {auth} -H "Accept: application/json; indent=4" {root} --data '[
{{"asn": 64531, "name": "Brand New Network AS1"}},
{{"asn": 64532, "name": "Brand New Network AS2"}},
{{"asn": 64533, "name": "Brand New Network AS3"}}
]'"#
    ));
    assert!(bulk.as_array().is_some_and(|b| b.len() == 3) && text.contains("\n    "), "{text}");
    let ids: Vec<String> = bulk.as_array().unwrap().iter().map(|b| b["id"].to_string()).collect();
    let changes = ids
        .iter()
        .map(|i| format!(r#"{{"id": {i}, "ipv4_max_prefixes_peeringdb_sync": false}}"#))
        .collect::<Vec<_>>()
        .join(",");
    let (_, patched) = sh(&format!("curl -s -X PATCH {auth} {root} --data '[{changes}]'"));
    assert!(patched.as_array().unwrap().iter().all(|a| a["ipv4_max_prefixes_peeringdb_sync"] == false));
    let (_, brief) = sh(&format!("curl -s {auth} '{root}{id}/?brief=1'"));
    // The document's fields in the document's order; `display_url` came with a later version.
    let fields: Vec<&String> = brief.as_object().unwrap().keys().filter(|k| *k != "display_url").collect();
    assert_eq!(fields, ["id", "url", "display", "asn", "name", "ipv6_max_prefixes", "ipv4_max_prefixes"]);
    let code = r#"curl -s -o /dev/null -w '%{http_code}'"#;
    assert_eq!(sh(&format!("{code} -X DELETE {auth} {root}{id}/")).0, "204");
    let bodies = ids.iter().map(|i| format!(r#"{{"id": {i}}}"#)).collect::<Vec<_>>().join(", ");
    assert_eq!(sh(&format!("{code} -X DELETE {auth} {root} --data '[{bodies}]'")).0, "204");
    let (_, nobody) = sh(&format!("curl -s {root}"));
    assert_eq!(nobody["detail"], "Authentication credentials were not provided.");
    let (_, sessions) = sh(&format!("curl -s {auth} {base}/api/peering/internet-exchange-peering-sessions/"));
    let one = &sessions["results"][0]["id"];
    let (_, old) = sh(&format!("curl -s {auth} {base}/peering/internetexchangepeeringsessions/{one}/"));
    assert_eq!((&old["ip_address"], &old["status"]["value"]), (&json!("192.0.2.143"), &json!("requested")), "{old}");
}

/// What the document's script does, with the library it uses: a token for the pair, then one entity by that token.
const SCRIPT: &str = r#"
import os, requests
api = os.environ["API"]
pair = {"clientId": os.environ["CLIENT_ID"], "clientSecret": os.environ["CLIENT_SECRET"]}
token = requests.post(f"{api}/auth/access_token", json=pair).json()["accessToken"]
headers = {"Authorization": f"Bearer {token}"}
print(requests.get(f"{api}/blueprints/service/entities/meetme", headers=headers).text)
"#;

/// A Python that has the library; Debian's own, where the library is installed as a package.
fn python() -> Result<&'static str, Skip> {
    let has = |python: &&str| {
        let tried = std::process::Command::new(python).args(["-c", "import requests"]).output();
        tried.is_ok_and(|done| done.status.success())
    };
    ["/usr/bin/python3", "python3"].into_iter().find(has).ok_or_else(|| Skip::new("no Python has the library requests"))
}

#[tokio::test]
async fn the_script_of_the_port_document_reads_an_entity() {
    let python = match python() {
        Ok(python) => python,
        Err(skip) => return skip.report(),
    };
    let server = Server::demo().await;
    let mut script = std::process::Command::new(python);
    script.args(["-c", SCRIPT]).env("API", format!("{}/v1", server.base));
    script.env("CLIENT_ID", server.secret("/port/clientId")).env("CLIENT_SECRET", server.secret("/port/clientSecret"));
    let done = tokio::task::spawn_blocking(move || script.output().unwrap()).await.unwrap();
    let read: Value = serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    assert_eq!((&read["ok"], &read["entity"]["properties"]["language"]), (&json!(true), &json!("rust")));
}

#[tokio::test]
async fn the_port_document_works_as_written() {
    let server = Server::demo().await;
    let read = server.port("GET", "/v1/blueprints/service/entities/meetme", None).await.is(200);
    assert_eq!((&read["ok"], &read["entity"]["properties"]["language"]), (&json!(true), &json!("rust")));
    // With the slash at the end, as the document writes it, and again to update what is there.
    let new = json!({"identifier": "other", "properties": {"language": "go"}});
    server.port("POST", "/v1/blueprints/service/entities/", Some(&new)).await.is(201);
    let again = json!({"identifier": "other", "properties": {"language": "python"}});
    let path = "/v1/blueprints/service/entities/?upsert=true&merge=true";
    let merged = server.port("POST", path, Some(&again)).await;
    assert!(merged.status == 200 || merged.status == 201, "{merged:?}");
    assert_eq!(merged.body["entity"]["properties"]["language"], "python");
    server.port("DELETE", "/v1/blueprints/service/entities/other", None).await.is(200);
}

#[tokio::test]
async fn the_packet_document_works_as_written() {
    let server = Server::demo().await;
    let (base, token) = (&server.base, server.secret("/packet/token"));
    let get = |path: &str| sh(&format!("curl -s -H 'X-Auth-Token: {token}' '{base}{path}'")).1;
    let user = get("/user?include=emails,projects,memberships.projects");
    assert!(user["projects"][0]["name"].is_string() && user["emails"][0]["address"].is_string(), "{user}");
    let projects = get("/projects");
    assert!(projects["meta"]["total"].as_i64().unwrap() >= 2, "{projects}");
    let project = projects["projects"][0]["id"].as_str().unwrap();
    for path in ["/plans", "/operating-systems", "/facilities", "/capacity", "/organizations", "/ssh-keys"] {
        assert!(get(path).is_object(), "{path}");
    }
    let (_, device) = sh(&format!(
        r#"curl -s -X POST -H 'X-Auth-Token: {token}' -H 'Content-Type: application/json' {base}/projects/{project}/devices -d '{{
  "facility": ["sjc1", "ewr1", "any"], "plan": "baremetal_1", "operating_system": "ubuntu_22_04", "hostname": "web1",
  "features": {{"tpm": "preferred"}}
}}'"#
    ));
    assert_eq!(device["state"], "queued", "{device}");
    let id = device["id"].as_str().unwrap();
    let active = until(std::time::Duration::from_secs(60), async || {
        Some(get(&format!("/devices/{id}"))).filter(|d| d["state"] == "active")
    })
    .await
    .unwrap_or_else(|| panic!("{}\n{}", get(&format!("/devices/{id}")), server.said()));
    assert_eq!(active["ip_addresses"].as_array().unwrap().len(), 3, "{active}");
    let events = get(&format!("/devices/{id}/events"));
    assert!(events["events"].as_array().is_some_and(|e| e.iter().any(|e| e["type"] == "provisioning.109")), "{events}");
}

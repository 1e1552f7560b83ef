//! The world the walk happens in: a demo customer with things of many kinds, and a stranger beside it.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::{
    listed,
    tables::{BODIES, LAST, SHARED, SOURCES},
};
use crate::kit::{Server, until};

/// Names of the demo customer that no answer to a stranger may hold.
pub const NAMES: &[&str] = &["Demo Customer", "edge1.demo", "demo@meetme.example"];

/// The collections of the Peering Manager dialect with bulk verbs take a list of these.
const PEERING: &str = "peering-manager";

/// One operation of a dialect.
pub struct Operation {
    /// Whose it is.
    pub dialect: String,
    /// The method.
    pub method: String,
    /// The path with its parameters in braces.
    pub path: String,
}

/// A caller's header in each dialect; a dialect that is not there gets none.
pub type Credentials = HashMap<String, (HeaderName, HeaderValue)>;

/// One answer, unparsed.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The content type.
    pub content_type: String,
    /// The body.
    pub text: String,
}

impl Reply {
    /// Whether an error has the dialect's own form.
    pub fn has_form(&self, dialect: &str) -> bool {
        let Ok(body) = serde_json::from_str::<Value>(&self.text) else { return false };
        match dialect {
            "native" => {
                self.content_type == "application/problem+json"
                    && body["status"] == self.status
                    && body["code"].is_string()
                    && body["detail"].is_string()
            }
            "pureport" => body["status"] == self.status && body["code"].is_string() && body["message"].is_string(),
            "megaport" => body["message"].is_string() && body["terms"].is_string(),
            // A bad field is named in place of `detail`, a bad list item by item.
            PEERING => body["detail"].is_string() || (self.status == 400 && (body.is_object() || body.is_array())),
            "port" => body["ok"] == false && body["error"].is_string() && body["message"].is_string(),
            "packet" => body["errors"].as_array().is_some_and(|e| !e.is_empty() && e.iter().all(Value::is_string)),
            _ => body["error"].is_string(),
        }
    }
}

/// The server, its operations, and those who call them.
pub struct World {
    server: Server,
    client: reqwest::Client,
    /// Every operation of every dialect.
    pub operations: Vec<Operation>,
    /// The demo customer's user.
    pub demo: Credentials,
    /// Another customer's owner.
    pub stranger: Credentials,
    /// Texts only the demo customer may see: the uids and ids of its objects, and [`NAMES`].
    pub markers: Vec<String>,
    values: HashMap<(String, String), String>,
}

impl World {
    /// A server with the demo world, more things in it, and a stranger.
    pub async fn new() -> Self {
        let server = Server::with(&[("MEETME__SERVER__LIMITS__AUTH_FAILURES_PER_MINUTE", "0")]).await;
        let printed = server.admin(&["organization", "--name", "Stranger Limited", "--user", "stranger"]);
        let word = |name: &str| printed.lines().find_map(|l| l.strip_prefix(name)).unwrap().trim().to_owned();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let demo =
            log_in(&client, &server.base, server.secret("/pureport/key"), server.secret("/pureport/secret")).await;
        let stranger = log_in(&client, &server.base, &word("key"), &word("secret")).await;
        let mut world = Self {
            server,
            client,
            operations: operations(),
            demo,
            stranger,
            markers: Vec::new(),
            values: HashMap::new(),
        };
        world.populate().await;
        world.collect().await;
        world
    }

    /// No credential at all.
    #[expect(clippy::unused_self, reason = "it stands beside the other callers")]
    pub fn nobody(&self) -> Credentials {
        Credentials::new()
    }

    /// A credential of the right form that nobody was given.
    pub fn wrong(&self) -> Credentials {
        let change = |value: &HeaderValue| {
            let text = value.to_str().unwrap();
            let (scheme, secret) = text.rsplit_once(' ').map_or((String::new(), text), |(s, t)| (format!("{s} "), t));
            let other: String = secret.chars().map(|c| if c.is_ascii_hexdigit() { 'a' } else { c }).collect();
            HeaderValue::from_str(&format!("{scheme}{other}")).unwrap()
        };
        self.demo.iter().map(|(dialect, (name, value))| (dialect.clone(), (name.clone(), change(value)))).collect()
    }

    /// Sends one request; an empty object where the method wants a body and none is given.
    pub async fn send(&self, who: &Credentials, operation: &Operation, path: &str, body: Option<&Value>) -> Reply {
        let mut request = self.client.request(operation.method.parse().unwrap(), format!("{}{path}", self.server.base));
        if let Some((name, value)) = who.get(&operation.dialect) {
            request = request.header(name, value);
        }
        let body = body.cloned().or_else(|| matches!(&*operation.method, "POST" | "PUT" | "PATCH").then(|| json!({})));
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let mut answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let content_type = answer.headers().get(CONTENT_TYPE).map_or("", |v| v.to_str().unwrap()).to_owned();
        let mut bytes = Vec::new();
        // A watch never ends: what it says first is what it says about the past.
        let patience =
            if status < 300 && path.ends_with("/watch") { Duration::from_millis(50) } else { Duration::from_secs(30) };
        while let Ok(Some(chunk)) = tokio::time::timeout(patience, answer.chunk()).await.unwrap_or(Ok(None)) {
            bytes.extend_from_slice(&chunk);
        }
        Reply { status, content_type, text: String::from_utf8_lossy(&bytes).into_owned() }
    }

    async fn get(&self, dialect: &str, path: &str) -> Value {
        let operation = Operation { dialect: dialect.to_owned(), method: "GET".to_owned(), path: path.to_owned() };
        let reply = self.send(&self.demo, &operation, path, None).await;
        serde_json::from_str(&reply.text).unwrap_or(Value::Null)
    }

    async fn make(&self, dialect: &str, path: &str, body: Value) -> Value {
        let operation = Operation { dialect: dialect.to_owned(), method: "POST".to_owned(), path: path.to_owned() };
        let reply = self.send(&self.demo, &operation, path, Some(&body)).await;
        assert!(reply.status < 300, "{path}: {} {}", reply.status, reply.text);
        serde_json::from_str(&reply.text).unwrap_or(Value::Null)
    }

    /// Orders and makes what the demo world does not hold yet.
    async fn populate(&self) {
        let account = self.get("pureport", "/accounts").await[0]["id"].as_str().unwrap().to_owned();
        self.make("pureport", &format!("/accounts/{account}/networks"), json!({"name": "edge1.demo"})).await;
        let network =
            self.get("pureport", &format!("/accounts/{account}/networks")).await[0]["id"].as_str().unwrap().to_owned();
        let wish = json!({
            "type": "AWS_DIRECT_CONNECT", "location": {"id": "us-ral"}, "awsAccountId": "123456789",
            "awsRegion": "us-east-1", "highAvailability": true, "speed": 100,
        });
        self.make("pureport", &format!("/networks/{network}/connections"), wish).await;
        let project = self.get("packet", "/projects").await["projects"][0]["id"].as_str().unwrap().to_owned();
        let order = json!({
            "facility": ["sjc1"], "plan": "baremetal_2", "operating_system": "ubuntu_22_04",
            "hostname": "first.edge1.demo",
        });
        let device = self.make("packet", &format!("/projects/{project}/devices"), order).await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let active = until(Duration::from_secs(60), async || {
            let device = self.get("packet", &format!("/devices/{device}")).await;
            let gateway = self.get("pureport", &format!("/accounts/{account}/connections")).await;
            (device["state"] == "active" && gateway[0]["primaryGateway"]["id"].is_string()).then_some(())
        });
        active.await.unwrap_or_else(|| panic!("{}", self.server.said()));
        let local = json!({"deployment_type": "local", "asn": 65000});
        self.make("packet", &format!("/projects/{project}/bgp-configs"), local).await;
        self.make("packet", &format!("/devices/{device}/bgp/sessions"), json!({"address_family": "ipv4"})).await;
        self.make("packet", &format!("/projects/{project}/api-keys"), json!({"description": "edge1.demo"})).await;
        let lan = json!({"facility": "sjc1", "description": "edge1.demo"});
        let lan = self.make("packet", &format!("/projects/{project}/virtual-networks"), lan).await["id"].clone();
        let ports = self.get("packet", &format!("/devices/{device}")).await["network_ports"].clone();
        let port = ports[0]["id"].as_str().unwrap();
        let wish = json!({"vlan_assignments": [{"vlan": lan}]});
        self.make("packet", &format!("/ports/{port}/vlan-assignments/batches"), wish).await;
        let wish = json!({"virtual_network_id": lan, "private_ipv4_subnet_size": 8});
        self.make("packet", &format!("/projects/{project}/metal-gateways"), wish).await;
        self.populate_orders(&project).await;
        let invitee = json!({"invitee": "edge1@meetme.example"});
        self.make("packet", &format!("/projects/{project}/invitations"), invitee).await;
        let volume = json!({
            "plan": "storage_1", "facility": "sjc1", "size": 10, "description": "edge1.demo",
            "snapshot_policies": {"snapshot_frequency": "1day", "snapshot_count": 7},
        });
        let volume = self.make("packet", &format!("/projects/{project}/storage"), volume).await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let there = until(Duration::from_secs(60), async || {
            (self.get("packet", &format!("/storage/{volume}")).await["state"] == "active").then_some(())
        });
        there.await.unwrap_or_else(|| panic!("{}", self.server.said()));
        self.make("packet", &format!("/storage/{volume}/snapshots"), json!({})).await;
        self.make("packet", &format!("/storage/{volume}/attachments"), json!({"device_id": device})).await;
        self.make("packet", &format!("/projects/{project}/licenses"), json!({"description": "edge1.demo"})).await;
        let home = self.get("packet", "/organizations").await["organizations"][0]["id"].as_str().unwrap().to_owned();
        let pays = json!({"name": "edge1.demo", "nonce": "demo@meetme.example"});
        self.make("packet", &format!("/organizations/{home}/payment-methods"), pays).await;
        let told = json!({"form": "message", "state": "published", "text": "edge1.demo"});
        self.make("native", "/meetme/v1/notification", told).await;
        let told = self.get("packet", "/notifications").await["notifications"][0]["id"].as_str().unwrap().to_owned();
        let read = Operation { dialect: "packet".into(), method: "PUT".into(), path: format!("/notifications/{told}") };
        assert_eq!(self.send(&self.demo, &read, &read.path, None).await.status, 200);
        self.make("packet", "/user/otp/app/receive", json!({})).await;
        self.make("packet", "/verify-email", json!({"login": "dana@meetme.example"})).await;
        let other = self.make("packet", "/organizations", json!({"name": "edge1.demo"})).await["id"].clone();
        let target = json!({"target_organization_id": other});
        self.make("packet", &format!("/projects/{project}/transfers"), target).await;
        self.make("native", "/meetme/v1/team", json!({"name": "edge1.demo"})).await;
        let named = |more: Value| {
            let mut body = json!({"name": "edge1.demo", "slug": "edge1"});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (path, more) in [
            ("/api/extras/tags/", json!({})),
            ("/api/bgp/communities/", json!({"value": "64496:1"})),
            (
                "/api/net/bfd/",
                json!({"minimum_transmit_interval": 300, "minimum_receive_interval": 300, "detection_multiplier": 3}),
            ),
            ("/api/devices/configurations/", json!({"template": "x"})),
            ("/api/peering/routing-policies/", json!({"type": "import-policy", "weight": 1})),
            ("/api/peering/bgp-groups/", json!({})),
            ("/api/core/data-sources/", json!({"type": "local", "source_url": "texts"})),
            (
                "/api/extras/webhooks/",
                json!({"content_types": ["extras.tag"], "type_create": true, "payload_url": "https://hooks.example.net/"}),
            ),
        ] {
            self.make(PEERING, path, named(more)).await;
        }
        let asked = json!({"local_asn": 64501, "sessions": [{"local_ip": "192.0.2.77", "location": "ix:some-ix"}]});
        self.make(PEERING, "/api/peering/portal/sessions", asked).await;
        // Work that fails, for the operator has opened no directory, and leaves a job.
        let source = self.get(PEERING, "/api/core/data-sources/").await["results"][0]["id"].clone();
        self.make(PEERING, &format!("/api/core/data-sources/{source}/synchronise/"), json!({})).await;
        self.populate_messaging().await;
    }

    /// Devices ordered together, and at the price of the hour; both stand still once they are there.
    async fn populate_orders(&self, project: &str) {
        let wish = json!({
            "facility": ["sjc1"], "plan": "baremetal_1", "operating_system": "ubuntu_22_04", "hostname": "edge1.demo",
        });
        let (batches, requests) =
            (format!("/projects/{project}/batches"), format!("/projects/{project}/spot-market-requests"));
        self.make("packet", &format!("/projects/{project}/devices/batch"), json!({"batches": [wish]})).await;
        self.make(
            "packet",
            &requests,
            json!({"max_bid_price": 1, "facilities": ["sjc1"], "instance_parameters": wish}),
        )
        .await;
        let there = until(Duration::from_secs(60), async || {
            let batch = self.get("packet", &batches).await["batches"][0]["state"] == "completed";
            let request = self.get("packet", &format!("{requests}?include=devices")).await;
            let device = request["spot_market_requests"][0]["devices"][0]["state"] == "active";
            (batch && device).then_some(())
        });
        there.await.unwrap_or_else(|| panic!("{}", self.server.said()));
    }

    /// Rows that hang on objects of any kind, and what they name.
    async fn populate_messaging(&self) {
        let id = |made: Value| made["id"].as_i64().unwrap();
        let object = self.get(PEERING, "/api/peering/autonomous-systems/").await["results"][0]["id"].as_i64().unwrap();
        let about = |more: Value| {
            let mut body = json!({"content_type": "peering.autonomoussystem", "object_id": object});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let contact = json!({"name": "edge1.demo", "email": "demo@meetme.example"});
        let contact = id(self.make(PEERING, "/api/messaging/contacts/", contact).await);
        let role = json!({"name": "edge1.demo", "slug": "edge1"});
        let role = id(self.make(PEERING, "/api/messaging/contact-roles/", role).await);
        let body = about(json!({"contact": contact, "role": role}));
        self.make(PEERING, "/api/messaging/contact-assignments/", body).await;
        let context = json!({"name": "edge1.demo", "data": {"of": "edge1.demo"}});
        let context = id(self.make(PEERING, "/api/extras/config-contexts/", context).await);
        let body = about(json!({"config_context": context}));
        self.make(PEERING, "/api/extras/config-context-assignments/", body).await;
        for (path, body) in [
            ("/api/messaging/emails/", json!({"name": "edge1.demo", "subject": "edge1.demo", "template": "x"})),
            (
                "/api/extras/export-templates/",
                json!({"name": "edge1.demo", "content_type": "devices.router", "template": "x"}),
            ),
            (
                "/api/extras/ix-api/",
                json!({
                    "name": "edge1.demo", "api_url": "https://ixapi.invalid/v2/", "api_key": "demo@meetme.example",
                    "api_secret": "edge1.demo", "identity": "1",
                }),
            ),
            (
                "/api/extras/journal-entries/",
                json!({
                    "assigned_object_type": "peering.autonomoussystem", "assigned_object_id": object,
                    "comments": "edge1.demo",
                }),
            ),
        ] {
            self.make(PEERING, path, body).await;
        }
    }

    /// Finds an id for every parameter and gathers the markers.
    async fn collect(&mut self) {
        self.markers = NAMES.iter().map(|n| (*n).to_owned()).collect();
        let kinds = self.get("native", "/meetme/v1/kinds").await;
        for kind in kinds["items"].as_array().unwrap().iter().filter(|k| k["reach"] == "own") {
            let items = self.get("native", &format!("/meetme/v1/{}", kind["kind"].as_str().unwrap())).await;
            let uids = items["items"].as_array().into_iter().flatten().filter_map(|i| i["uid"].as_str());
            self.markers.extend(uids.map(str::to_owned));
        }
        // Lists depend on each other's ids; three rounds reach the deepest.
        let wanted: Vec<(String, String)> = self.operations.iter().flat_map(parameters).collect();
        for _ in 0..3 {
            for (dialect, before) in &wanted {
                let at = (dialect.clone(), before.clone());
                if self.values.contains_key(&at) {
                    continue;
                }
                if let Some(value) = self.find(dialect, before).await {
                    self.values.insert(at, value);
                }
            }
        }
        for operation in self.operations.iter().filter(|o| o.method == "GET" && !listed(SHARED, o)) {
            for at in parameters(operation) {
                // Built-in roles are everybody's, and short words are no proof.
                if let Some(value) = self.values.get(&at).filter(|v| v.len() > 20 && !at.1.ends_with("/roles/")) {
                    self.markers.push(value.clone());
                }
            }
        }
    }

    async fn find(&self, dialect: &str, before: &str) -> Option<String> {
        let source = SOURCES.iter().find(|(d, b, ..)| *d == dialect && *b == before);
        let (of, list, pointer) = match source {
            Some((_, _, "=", value)) => return Some((*value).to_owned()),
            Some((_, _, list, pointer)) => {
                let (of, list) = list.split_once(':').unwrap();
                (of, list.to_owned(), *pointer)
            }
            None if dialect == "native" => (dialect, before.trim_end_matches('/').to_owned(), "/items/0/id"),
            None if dialect == PEERING => (dialect, before.to_owned(), "/results/0/id"),
            None => return None,
        };
        let path = self.filled(of, &list)?;
        match self.get(of, &path).await.pointer(pointer)? {
            Value::String(text) => Some(text.clone()),
            other => other.as_i64().map(|n| n.to_string()),
        }
    }

    /// The operation's path with real ids of the demo customer.
    pub fn fill(&self, operation: &Operation) -> Option<String> {
        self.filled(&operation.dialect, &operation.path)
    }

    fn filled(&self, dialect: &str, path: &str) -> Option<String> {
        let (mut out, mut rest, mut before) = (String::new(), path, String::new());
        while let Some((head, tail)) = rest.split_once('{') {
            let (name, tail) = tail.split_once('}')?;
            out.push_str(head);
            before.push_str(head);
            out.push_str(self.values.get(&(dialect.to_owned(), before.clone()))?);
            before.push_str(&format!("{{{name}}}"));
            rest = tail;
        }
        out.push_str(rest);
        Some(out)
    }

    /// The path with every parameter spoilt, and with the last one alone.
    pub fn spoil(&self, operation: &Operation, bad: &str) -> Option<(String, String)> {
        let (head, tail) = operation.path.rsplit_once('{')?;
        let (_, tail) = tail.split_once('}')?;
        let last = format!("{}{bad}{tail}", self.filled(&operation.dialect, head)?);
        let mut all = operation.path.clone();
        while let (Some(from), Some(to)) = (all.find('{'), all.find('}')) {
            all.replace_range(from..=to, bad);
        }
        Some((all, last))
    }

    /// A body that gets as far as the object: the demo's own representation of it, or what [`BODIES`] says.
    pub async fn body_for(&self, operation: &Operation, path: &str) -> Option<Value> {
        let dialect = &*operation.dialect;
        let bulk = dialect == PEERING && !operation.path.contains('{');
        if bulk && matches!(&*operation.method, "PUT" | "PATCH" | "DELETE") && !path.ends_with("/userpref/") {
            let list = self.get(dialect, path).await;
            return list["results"].get(0).map(|one| json!([takeover(one.clone())]));
        }
        let written = BODIES
            .iter()
            .find(|(d, m, end, _)| *d == dialect && *m == operation.method && operation.path.ends_with(end));
        if let Some((_, _, _, body)) = written {
            let role = self.filled("pureport", "/accounts/{accountId}/roles/{roleId}")?;
            return Some(serde_json::from_str(&body.replace("ROLE", &role)).unwrap());
        }
        if matches!(&*operation.method, "PUT" | "PATCH") && operation.path.contains('{') {
            let mut read = self.get(dialect, path).await;
            let written = if dialect == "native" { read["spec"].take() } else { read };
            return Some(takeover(written)).filter(Value::is_object);
        }
        None
    }

    /// Things that operations hand out to everybody, as somebody would write them who is not the operator.
    pub async fn supply(&self) -> Vec<(&'static str, Value)> {
        let first = async |kind: &str| self.get("native", &format!("/meetme/v1/{kind}")).await["items"][0].clone();
        let (site, plan) = (first("site").await, first("plan").await);
        vec![
            ("server", json!({"serial": "foreign", "site": site["id"], "plan": plan["id"]})),
            ("pool", json!({"what": "vlans", "numbers": [{"first": 2, "last": 9}]})),
            ("offer", first("offer").await["spec"].clone()),
            ("price", first("price").await["spec"].clone()),
            ("quota", json!({"what": "reserved_public4", "limit": 9999, "scope": first("project").await["id"]})),
        ]
    }

    /// Every object of the demo customer as its user wrote it, by uid.
    pub async fn photograph(&self) -> BTreeMap<String, Value> {
        let kinds = self.get("native", "/meetme/v1/kinds").await;
        let mut out = BTreeMap::new();
        for kind in kinds["items"].as_array().unwrap() {
            let kind = kind["kind"].as_str().unwrap();
            let items = self.get("native", &format!("/meetme/v1/{kind}")).await;
            for item in items["items"].as_array().into_iter().flatten() {
                out.insert(format!("{kind} {}", item["uid"]), item["spec"].clone());
            }
        }
        out
    }
}

/// Each parameter of the path, known by the dialect and the path before it.
fn parameters(operation: &Operation) -> Vec<(String, String)> {
    let at = operation.path.match_indices('{').map(|(i, _)| operation.path[..i].to_owned());
    at.map(|before| (operation.dialect.clone(), before)).collect()
}

/// The same object with another description, name or price, so that a write that is let through is seen.
fn takeover(mut object: Value) -> Value {
    if object["amount"].is_object() {
        object["amount"]["micros"] = json!(1);
    } else if let Some(field) = ["description", "name", "slug"].into_iter().find(|f| object[*f].is_string()) {
        object[field] = json!("taken-over");
    }
    object
}

fn operations() -> Vec<Operation> {
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_meetme")).arg("ops").output().unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    let read = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let word = |name: &str| row[name].as_str().unwrap().to_owned();
        Operation { dialect: word("dialect"), method: word("method"), path: word("path") }
    };
    let mut operations: Vec<Operation> = text.lines().map(read).collect();
    operations.sort_by_key(|o| listed(LAST, o));
    assert!(operations.len() > 600, "{}", operations.len());
    operations
}

/// Logs a key in everywhere.
async fn log_in(client: &reqwest::Client, base: &str, key: &str, secret: &str) -> Credentials {
    let post = async |path: &str, body: Value| -> Value {
        let request =
            client.post(format!("{base}{path}")).header(CONTENT_TYPE, "application/json").body(body.to_string());
        request.send().await.unwrap().json().await.unwrap()
    };
    let pureport = post("/login", json!({"key": key, "secret": secret})).await;
    let port = post("/v1/auth/access_token", json!({"clientId": key, "clientSecret": secret})).await;
    let form = [("grant_type", "client_credentials"), ("client_id", key), ("client_secret", secret)];
    let megaport: Value =
        client.post(format!("{base}/oauth2/token")).form(&form).send().await.unwrap().json().await.unwrap();
    let mut out = Credentials::new();
    for (dialect, name, value) in [
        ("native", "authorization", format!("Bearer {secret}")),
        ("agent", "authorization", format!("Bearer {secret}")),
        ("pureport", "authorization", format!("Bearer {}", pureport["access_token"].as_str().unwrap())),
        ("megaport", "authorization", format!("Bearer {}", megaport["access_token"].as_str().unwrap())),
        (PEERING, "authorization", format!("Token {secret}")),
        ("port", "authorization", format!("Bearer {}", port["accessToken"].as_str().unwrap())),
        ("packet", "x-auth-token", secret.to_owned()),
    ] {
        let name: HeaderName = name.parse().unwrap();
        out.insert(dialect.to_owned(), (name, value.parse().unwrap()));
    }
    out
}

//! Every operation of every model, called for good and checked against the contract.

use meetme_contracts::prove;
use meetme_testregister::{Register, Size};
use serde_json::{Value, json};

use crate::world::{self, Said, World};

const DIALECT: &str = "peering-manager";

/// A model as the walk needs it: the common beginning of its operations' ids, where it is, a body for each new row, and a change.
pub struct Sample {
    id: &'static str,
    pub places: &'static [(&'static str, &'static str)],
    pub new: Box<dyn Fn(u32) -> Value>,
    change: Value,
}

pub fn sample(
    id: &'static str,
    places: &'static [(&'static str, &'static str)],
    change: Value,
    new: impl Fn(u32) -> Value + 'static,
) -> Sample {
    Sample { id, places, new: Box::new(new), change }
}

pub async fn samples(w: &World) -> Vec<Sample> {
    let at = w.exchange().await;
    let tag = w.make("extras/tags", json!({"name": "Core", "slug": "core"})).await;
    let community = w.make("bgp/communities", json!({"name": "Own", "slug": "own", "value": "64999:1"})).await;
    let policy = json!({"name": "In", "slug": "in", "type": "import-policy", "communities": [community]});
    let policy = w.make("peering/routing-policies", policy).await;
    let bfd = w.make("net/bfd", json!({"name": "Fast", "slug": "fast"})).await;
    let relationship = w.make("bgp/relationships", json!({"name": "Transit", "slug": "transit"})).await;
    let group = w.make("peering/bgp-groups", json!({"name": "Upstreams", "slug": "upstreams"})).await;
    let template =
        w.make("devices/configurations", json!({"name": "base", "template": "router {{ router.name }}"})).await;
    let peer = w.autonomous_system(64500).await;
    let (local, platform, router) = (at.at.local, at.at.platform, at.at.router);
    let (exchange, connection) = (at.exchange, at.connection);
    let extras = move |mut body: Value| {
        body["tags"] = json!([tag, {"slug": "core"}]);
        body
    };
    vec![
        sample("bgp_communities", &[("bgp_communities", "bgp/communities")], json!({"type": "egress"}), move |n| {
            extras(
                json!({"name": format!("C{n}"), "slug": format!("c{n}"), "value": format!("{n}:1"), "type": "ingress"}),
            )
        }),
        sample(
            "bgp_relationships",
            &[("bgp_relationships", "bgp/relationships")],
            json!({"color": "ff0000"}),
            move |n| extras(json!({"name": format!("R{n}"), "slug": format!("r{n}")})),
        ),
        sample(
            "devices_configurations",
            &[("devices_configurations", "devices/configurations")],
            json!({"jinja2_trim": true}),
            move |n| extras(json!({"name": format!("T{n}"), "template": " {{ x }} \n"})),
        ),
        sample(
            "devices_platforms",
            &[("devices_platforms", "devices/platforms")],
            json!({"napalm_driver": "sim"}),
            move |n| {
                extras(json!({"name": format!("P{n}"), "slug": format!("p{n}"), "password_algorithm": "cisco-type7"}))
            },
        ),
        sample(
            "devices_routers",
            &[("devices_routers", "devices/routers"), ("seed_alias_devices_routers", "peering/routers")],
            json!({"status": "maintenance"}),
            move |n| {
                extras(json!({
                    "name": format!("r{n}"), "hostname": format!("r{n}.example.net"), "platform": platform,
                    "local_autonomous_system": local, "configuration_template": template, "communities": [community],
                    "netbox_device_id": n, "local_context_data": {"rack": n}, "napalm_args": {"port": 22},
                }))
            },
        ),
        sample(
            "extras_tags",
            &[("extras_tags", "extras/tags")],
            json!({"color": "00ff00"}),
            |n| json!({"name": format!("T{n}"), "slug": format!("t{n}")}),
        ),
        sample("core_data_sources", &[("core_data_sources", "core/data-sources")], json!({"enabled": false}), |n| {
            json!({
                "name": format!("D{n}"), "type": "git", "source_url": format!("https://git.example.net/{n}"),
                "parameters": {"branch": "main", "username": "noc", "password": "hunter2"}, "ignore_rules": "*.md",
            })
        }),
        sample("extras_webhooks", &[("extras_webhooks", "extras/webhooks")], json!({"enabled": false}), |n| {
            json!({
                "name": format!("W{n}"), "content_types": ["peering.autonomoussystem", "devices.configuration"],
                "type_create": true, "payload_url": format!("https://hooks.example.net/{n}"), "secret": "hunter2",
                "conditions": {"and": [{"attr": "asn", "op": "gt", "value": 64500}]},
            })
        }),
        sample("users_groups", &[("users_groups", "users/groups")], json!({}), |n| json!({"name": format!("G{n}")})),
        sample(
            "users_users",
            &[("users_users", "users/users")],
            json!({"first_name": "Grace"}),
            |n| json!({"username": format!("u{n}"), "password": "a long password", "email": "noc@example.net"}),
        ),
        sample("net_bfd", &[("net_bfd", "net/bfd")], json!({"detection_multiplier": 5}), move |n| {
            extras(json!({"name": format!("B{n}"), "slug": format!("b{n}"), "hold_time": n}))
        }),
        sample("net_connections", &[("net_connections", "net/connections")], json!({"vlan": 7}), move |n| {
            extras(json!({
                "internet_exchange_point": exchange, "router": {"name": "edge1"}, "vlan": n, "interface": format!("ae{n}"),
                "mac_address": "02:00:5e:10:00:00", "ipv4_address": format!("192.0.2.{n}/24"),
            }))
        }),
        sample(
            "peering_autonomous_systems",
            &[("peering_autonomous_systems", "peering/autonomous-systems")],
            json!({"irr_as_set": "RIPE::AS-AWESOME"}),
            move |n| {
                extras(json!({
                    "asn": 65000 + n, "name": format!("A{n}"), "import_routing_policies": [policy],
                    "communities": [community], "ipv4_max_prefixes": n, "local_context_data": {"a": [1, {"b": null}]},
                }))
            },
        ),
        sample(
            "peering_bgp_groups",
            &[("peering_bgp_groups", "peering/bgp-groups")],
            json!({"status": "disabled"}),
            move |n| {
                extras(json!({"name": format!("G{n}"), "slug": format!("g{n}"), "import_routing_policies": [policy]}))
            },
        ),
        sample(
            "peering_direct_peering_sessions",
            &[("peering_direct_peering_sessions", "peering/direct-peering-sessions")],
            json!({"bgp_state": "established", "received_prefix_count": 7}),
            move |n| {
                extras(json!({
                    "local_autonomous_system": local, "local_ip_address": format!("198.51.100.{}/30", 4 * n + 1),
                    "autonomous_system": {"asn": 64500}, "ip_address": format!("198.51.100.{}/30", 4 * n + 2),
                    "relationship": relationship, "bgp_group": group, "router": router, "connection": connection,
                    "bfd": bfd, "import_routing_policies": [policy], "password": "hunter2", "service_reference": "S",
                }))
            },
        ),
        sample(
            "peering_internet_exchanges",
            &[("peering_internet_exchanges", "peering/internet-exchanges")],
            json!({"status": "pre-maintenance"}),
            move |n| {
                let (name, slug) = (format!("I{n}"), format!("i{n}"));
                extras(json!({"name": name, "slug": slug, "local_autonomous_system": local, "peeringdb_ixlan": n}))
            },
        ),
        sample(
            "peering_internet_exchange_peering_sessions",
            &[("peering_internet_exchange_peering_sessions", "peering/internet-exchange-peering-sessions")],
            json!({"bgp_state": "active", "last_established_state": "2022-10-15T21:35:43.646794+02:00"}),
            move |n| {
                extras(json!({
                    "autonomous_system": peer, "ixp_connection": connection, "ip_address": format!("192.0.2.{n}/24"),
                    "status": "requested", "bfd": {"slug": "fast"}, "communities": [community],
                }))
            },
        ),
        sample(
            "peering_routing_policies",
            &[("peering_routing_policies", "peering/routing-policies")],
            json!({"weight": 10}),
            move |n| {
                extras(json!({
                    "name": format!("P{n}"), "slug": format!("p{n}"), "type": "export-policy", "address_family": 6,
                    "communities": [community],
                }))
            },
        ),
    ]
}

/// Proves an answer, and says which one when it cannot.
#[track_caller]
pub fn proven(id: &str, said: &Said, status: u16) {
    said.is(status);
    prove(DIALECT, id, said.status, &said.body);
}

#[tokio::test]
async fn hidden_peers_keep_the_contract() {
    for w in world::both().await {
        crate::peeringdb::fill(&w.app, &Register::of(Size::of(60))).await;
        let until = "2031-10-15T21:35:43.646000Z";
        let sample = sample(
            "peeringdb_hidden_peers",
            &[("peeringdb_hidden_peers", "peeringdb/hidden-peers")],
            json!({"comments": "They asked us not to."}),
            move |n| json!({"peeringdb_network": n, "peeringdb_ixlan": 1, "until": until, "comments": "Full."}),
        );
        walk(&w, &sample, "peeringdb_hidden_peers", "peeringdb/hidden-peers", &mut 20).await;
    }
}

#[tokio::test]
async fn every_operation_of_every_model_keeps_the_contract() {
    for w in world::both().await {
        let samples = samples(&w).await;
        walk_all(&w, &samples).await;
    }
}

/// Calls every operation of these models.
pub async fn walk_all(w: &World, samples: &[Sample]) {
    for sample in samples {
        let mut next = 20;
        for (id, path) in sample.places {
            walk(w, sample, id, path, &mut next).await;
        }
        let said = w.ask(&format!("OPTIONS /api/{}/", sample.places[0].1)).await;
        proven("any_options", &said, 200);
        assert!(said.body["actions"]["POST"]["id"]["read_only"] == true, "{}", sample.id);
    }
}

async fn walk(w: &World, sample: &Sample, id: &str, path: &str, next: &mut u32) {
    let list = format!("/api/{path}/");
    let mut new = || {
        *next += 1;
        (sample.new)(*next)
    };
    let said = w.tell(&format!("POST {list}"), new()).await;
    proven(&format!("{id}_create"), &said, 201);
    let url = said.header("location").to_owned();
    assert_eq!(url, said.body["url"], "{path}");
    let row = url.strip_prefix("http://pm.example").unwrap_or_else(|| panic!("{url}")).to_owned();
    assert!(row.starts_with(&format!("/api/{}/", sample.places[0].1)), "{row} is the present path");
    // The former path leads to the same row.
    let row = format!("{list}{}/", said.body["id"]);
    let read = w.ask(&format!("GET {row}")).await;
    proven(&format!("{id}_retrieve"), &read, 200);
    assert_eq!(read.body, said.body, "{path}");
    let whole = new();
    let said = w.tell(&format!("PUT {row}"), whole).await;
    proven(&format!("{id}_update"), &said, 200);
    let said = w.tell(&format!("PATCH {row}"), sample.change.clone()).await;
    proven(&format!("{id}_partial_update"), &said, 200);
    for (name, value) in sample.change.as_object().unwrap() {
        let now = &said.body[name];
        let time = name == "last_established_state";
        assert!(time || now == value || &now["value"] == value, "{path} {name}: {now}");
    }
    let said = w.tell(&format!("POST {list}"), json!([new(), new()])).await;
    proven(&format!("{id}_create"), &said, 201);
    assert!(!said.headers.contains_key("location"));
    let ids: Vec<Value> = said.body.as_array().unwrap().iter().map(|row| row["id"].clone()).collect();
    let with = |body: Value, id: &Value| {
        let mut body = body;
        body["id"] = id.clone();
        body
    };
    let said = w.tell(&format!("PUT {list}"), json!([with(new(), &ids[0]), with(new(), &ids[1])])).await;
    proven(&format!("{id}_bulk_update"), &said, 200);
    let both = json!([with(sample.change.clone(), &ids[0]), with(json!({}), &ids[1]), {"id": 99_999_999}]);
    let said = w.tell(&format!("PATCH {list}"), both).await;
    proven(&format!("{id}_bulk_partial_update"), &said, 200);
    assert_eq!(said.body.as_array().unwrap().len(), 2, "what does not exist is passed over");
    let said = w.ask(&format!("GET {list}")).await;
    proven(&format!("{id}_list"), &said, 200);
    let count = said.body["count"].as_u64().unwrap();
    assert_eq!(said.body["results"].as_array().unwrap().len() as u64, count, "{path}");
    let said = w.tell(&format!("DELETE {list}"), json!([{"id": ids[0]}, {"id": ids[1]}])).await;
    proven(&format!("{id}_bulk_destroy"), &said, 204);
    let said = w.ask(&format!("DELETE {row}")).await;
    proven(&format!("{id}_destroy"), &said, 204);
    w.ask(&format!("GET {row}")).await.is(404);
    assert_eq!(w.ask(&format!("GET {list}?limit=1&brief=1")).await.body["count"].as_u64(), Some(count - 3), "{path}");
}

#[tokio::test]
async fn maps_status_users_and_preferences_keep_the_contract() {
    let w = world::one().await;
    proven("api_root", &w.ask("GET /api/").await, 200);
    proven("status_retrieve", &w.ask("GET /api/status/").await, 200);
    for app in ["bgp", "core", "devices", "extras", "messaging", "net", "peering", "users"] {
        proven(&format!("{app}_root"), &w.ask(&format!("GET /api/{app}/")).await, 200);
    }
    let said = w.ask("GET /api/users/users/").await;
    proven("users_users_list", &said, 200);
    let id = said.ids()[0];
    proven("users_users_retrieve", &w.ask(&format!("GET /api/users/users/{id}/")).await, 200);
    proven("users_userpref_retrieve", &w.ask("GET /api/users/userpref/").await, 200);
    w.tell("PATCH /api/users/userpref/", json!({"context": {"as": 1}, "theme": "dark"})).await.is(200);
    let said = w.tell("PATCH /api/users/userpref/", json!({"context": {"page": 2}})).await;
    proven("users_userpref_patch", &said, 200);
    said.says(json!({"context": {"as": 1, "page": 2}, "theme": "dark"}));
}

#[tokio::test]
async fn what_is_refused_on_purpose_is_refused() {
    let w = world::one().await;
    let id = w.autonomous_system(64500).await;
    let contract = meetme_contracts::of(DIALECT).unwrap();
    for refused in meetme_contracts::REFUSED.iter().filter(|one| one.dialect == DIALECT) {
        let operation = contract.operation(refused.id).unwrap();
        let path = operation.path.replace("{id}", &id.to_string());
        let said = w.tell(&format!("{} {path}", operation.method), json!({})).await;
        said.is(refused.status);
        assert!(contract.check(refused.id, said.status, &said.body).is_empty(), "{}", said.body);
    }
}

#[tokio::test]
async fn data_files_keep_the_contract() {
    for w in world::both().await {
        let (id, file) = w.source(&[("base.j2", "router {{ router.name }}")]).await;
        let said = w.ask("GET /api/core/data-files/").await;
        proven("core_data_files_list", &said, 200);
        assert_eq!((said.ids(), &said.body["results"][0]["size"]), (vec![file[0]], &json!(24)));
        let said = w.ask(&format!("GET /api/core/data-files/{}/", file[0])).await;
        proven("core_data_files_retrieve", &said, 200);
        assert_eq!(w.ask(&format!("GET /api/core/data-files/?source_id={id}&path__iew=.J2")).await.ids(), file);
        let said = w.ask(&format!("POST /api/core/data-sources/{id}/synchronise/")).await;
        proven("core_data_sources_synchronise_create", &said, 202);
        assert_eq!((&said.body["object_type"], &said.body["object_id"]), (&json!("core.datasource"), &json!(id)));
        let said = w.ask(&format!("GET /api/core/data-sources/{id}/")).await;
        assert_eq!((&said.body["status"]["value"], &said.body["file_count"]), (&json!("queued"), &json!(1)));
    }
}

#[tokio::test]
async fn pushing_configurations_keeps_the_contract_at_both_places() {
    for w in world::both().await {
        let at = w.router().await;
        let (source, _) = w.source(&[]).await;
        let target = json!({"data_source": source, "data_path": "edge1.conf"});
        let body = json!({"routers": [at.router]});
        let said = w.tell("POST /api/devices/routers/push-datasource/", body.clone()).await;
        said.is(400).says(json!({"routers": ["The router edge1 has no data source to push to."]}));
        w.tell(&format!("PATCH /api/devices/routers/{}/", at.router), target).await.is(200);
        for (id, path) in [("devices_routers", "devices"), ("seed_alias_devices_routers", "peering")] {
            let said = w.tell(&format!("POST /api/{path}/routers/push-datasource/"), body.clone()).await;
            proven(&format!("{id}_push_datasource"), &said, 202);
            assert_eq!((&said.body[0]["name"], &said.body[0]["object_id"]), (&json!("router.push"), &json!(at.router)));
        }
        let line = "POST /api/devices/routers/push-datasource/";
        assert!(w.by(&w.reader, line, body.clone()).await.is(403).bytes.is_empty());
        w.by(&w.stranger().await, line, body.clone()).await.is(404);
        w.send(line, &[], "{}").await.is(403);
        for bad in ["../x", ".git/config"] {
            let said = w.tell(&format!("PATCH /api/devices/routers/{}/", at.router), json!({"data_path": bad})).await;
            assert!(said.is(400).body["data_path"].is_array(), "{}", said.body);
        }
    }
}

#[tokio::test]
async fn object_changes_keep_the_contract_at_both_places() {
    let w = world::one().await;
    w.autonomous_system(64500).await;
    for (id, path) in [("core_object_changes", "core"), ("seed_alias_core_object_changes", "extras")] {
        let said = w.ask(&format!("GET /api/{path}/object-changes/")).await;
        proven(&format!("{id}_list"), &said, 200);
        let row = said.ids()[0];
        proven(&format!("{id}_retrieve"), &w.ask(&format!("GET /api/{path}/object-changes/{row}/")).await, 200);
    }
}

#[tokio::test]
async fn jobs_keep_the_contract_and_are_their_askers() {
    let w = world::one().await;
    let at = w.exchange().await;
    for (id, path) in [("devices_routers", "devices/routers"), ("seed_alias_devices_routers", "peering/routers")] {
        let said = w.ask(&format!("GET /api/{path}/{}/test-napalm-connection/", at.at.router)).await;
        proven(&format!("{id}_test_napalm_connection"), &said, 202);
        assert_eq!(said.body["status"], json!({"value": "pending", "label": "Pending"}));
    }
    let list = w.ask(&format!("GET /api/core/jobs/?object_id={}&status=pending", at.at.router)).await;
    proven("core_jobs_list", &list, 200);
    assert_eq!(list.body["count"], 2);
    let job = w.ask(&format!("GET /api/core/jobs/{}/", list.ids()[0])).await;
    proven("core_jobs_retrieve", &job, 200);
    assert_eq!(job.body["name"], "router.test");
    w.ask("GET /api/core/jobs/?object_id=x").await.is(400);
    w.tell("POST /api/core/jobs/", json!({"name": "router.test"})).await.is(405);
    w.ask("GET /api/devices/routers/99999999/test-napalm-connection/").await.is(404);
}

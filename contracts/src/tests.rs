//! Each contract read whole, and a good and a bad answer in every dialect.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;

/// The operations whose answers a contract leaves open, one `dialect id` to a line. It should only shrink.
const LOOSE: &str = include_str!("../tests/loose.txt");

fn contract(dialect: &str) -> &'static Contract {
    of(dialect).expect("a dialect of ours")
}

/// What a check says, one problem to a line.
#[track_caller]
fn says(dialect: &str, operation: &str, status: u16, body: Value) -> String {
    let problems = contract(dialect).check(operation, status, &body);
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_contract_is_read_whole() {
    let read = dialect::read_all().expect("five contracts");
    let counts: Vec<_> = read.iter().map(|contract| (contract.dialect, contract.operations.len())).collect();
    assert_eq!(
        counts,
        [("pureport", 102), ("megaport", 164), ("peering-manager", 355), ("port", 178), ("packet", 220)]
    );
}

#[test]
fn operations_have_ids_of_their_own_and_are_found_by_their_paths() {
    for contract in all() {
        let ids: BTreeSet<_> = contract.operations.iter().map(|operation| &operation.id).collect();
        assert_eq!(ids.len(), contract.operations.len(), "{}", contract.dialect);
        for operation in &contract.operations {
            let path = operation.path.replace('{', "a-").replace('}', "-z");
            let found = contract.find(&operation.method, &path).expect("a path of the contract");
            assert_eq!(found.id, operation.id, "{} {path}", contract.dialect);
        }
    }
}

#[test]
fn answers_that_a_contract_leaves_open_are_the_listed_ones() {
    let is_loose = |operation: &&Operation| operation.response.is_loose();
    let loose = all().iter().flat_map(|contract| {
        let open = contract.operations.iter().filter(is_loose);
        open.map(|operation| format!("{} {}", contract.dialect, operation.id))
    });
    let found: Vec<String> = loose.collect();
    let listed: Vec<&str> = LOOSE.lines().collect();
    assert_eq!(found, listed, "tests/loose.txt says otherwise; now it would be:\n{}", found.join("\n"));
}

#[test]
fn a_contract_is_found_by_the_name_of_its_crate_too() {
    assert_eq!(contract("peering").dialect, "peering-manager");
    assert!(of("carrier-pigeon").is_none());
}

#[test]
fn an_operation_that_is_not_in_the_contract_cannot_be_checked() {
    assert_eq!(says("port", "fly", 200, json!({})), "operation: fly is not in the contract of port");
}

#[test]
fn another_status_of_success_is_a_problem() {
    assert_eq!(says("port", "get_entity", 201, json!({})), "status: is 201, not 200");
    assert_eq!(says("packet", "create_device", 200, json!({})), "status: is 200, not 201");
}

#[test]
fn no_content_means_no_content() {
    assert_eq!(says("packet", "delete_device", 204, Value::Null), "");
    assert_eq!(says("packet", "delete_device", 204, json!({"id": 1})), "body: is an object of 1 keys, not no body");
}

mod pureport {
    use super::*;

    fn network() -> Value {
        json!({
            "id": "network-EhlpJLhAcHMOmY75J91H3g", "href": "/networks/network-EhlpJLhAcHMOmY75J91H3g",
            "name": "Blue", "description": null, "account": {"href": "/accounts/ac-8QVPmcPb_EhapbGHBMAo6Q"}
        })
    }

    #[test]
    fn a_whole_network_keeps_the_contract() {
        assert_eq!(says("pureport", "addNetwork", 201, network()), "");
        assert_eq!(says("pureport", "findNetworks", 200, json!([network(), network()])), "");
    }

    #[test]
    fn absent_null_mistyped_and_unknown_fields_are_problems() {
        let mut bad = network();
        bad["name"] = Value::Null;
        bad["state"] = json!("SLEEPING");
        bad["account"] = json!({"id": "ac-1"});
        bad["colour"] = json!("blue");
        let said = says("pureport", "findNetworks", 200, json!([network(), bad]));
        for wanted in [
            "body[1].name: is null, not a string",
            "body[1].state: is \"SLEEPING\", not one of ",
            "body[1].account.href: is absent",
            "body[1].colour: is not in the contract",
        ] {
            assert!(said.contains(wanted), "{wanted} in:\n{said}");
        }
        assert_eq!(said.lines().count(), 4, "{said}");
    }

    #[test]
    fn the_type_of_a_connection_chooses_its_schema() {
        let connection = |kind: &str| {
            json!({
                "id": "conn-1", "name": "c", "type": kind, "speed": 50, "highAvailability": false,
                "location": {"href": "/locations/us-ral"}, "billingTerm": "HOURLY", "peering": {"type": "PRIVATE"},
                "awsAccountId": "123456789012", "awsRegion": "us-east-1", "network": {"href": "/networks/n"}
            })
        };
        assert_eq!(says("pureport", "getConnection", 200, connection("AWS_DIRECT_CONNECT")), "");
        let said = says("pureport", "getConnection", 200, connection("GOOGLE_CLOUD_INTERCONNECT"));
        assert!(said.contains("body.awsAccountId: is not in the contract"), "{said}");
        let said = says("pureport", "getConnection", 200, connection("CARRIER_PIGEON"));
        assert!(said.contains("body.type: is \"CARRIER_PIGEON\""), "{said}");
    }

    #[test]
    fn a_deletion_answers_an_empty_object() {
        assert_eq!(says("pureport", "deleteNetwork", 200, json!({})), "");
        assert_eq!(says("pureport", "deleteNetwork", 200, Value::Null), "body: is null, not an object");
        assert_eq!(says("pureport", "deleteNetwork", 200, json!({"ok": true})), "body.ok: is not in the contract");
    }

    #[test]
    fn a_refusal_carries_status_code_and_message() {
        let good = json!({"status": 404, "code": "NOT_FOUND", "message": "There is no such network."});
        assert_eq!(says("pureport", "getNetwork", 404, good), "");
        let said = says("pureport", "getNetwork", 404, json!({"status": "404", "message": "no"}));
        assert_eq!(said, "body.status: is \"404\", not an integer\nbody.code: is absent");
        let said = says("pureport", "getNetwork", 404, json!({"status": 404, "code": "GONE_FISHING", "message": "no"}));
        assert!(said.starts_with("body.code: is \"GONE_FISHING\", not one of BAD_REQUEST, "), "{said}");
    }
}

mod megaport {
    use super::*;

    fn envelope(data: &Value) -> Value {
        json!({"message": "ok", "terms": "terms", "data": data})
    }

    #[test]
    fn an_envelope_with_a_whole_region_keeps_the_contract() {
        let region = json!({"networkRegion": "MP1", "countries": [{"code": "AU", "name": "Australia", "prefix": "AU", "siteCount": 3}]});
        assert_eq!(says("megaport", "v2.networkRegions", 200, envelope(&json!([region]))), "");
        let said = says("megaport", "v2.networkRegions", 200, envelope(&json!([{"networkRegion": 1}])));
        assert_eq!(said, "body.data[0].countries: is absent\nbody.data[0].networkRegion: is 1, not a string");
    }

    #[test]
    fn the_envelope_is_message_terms_and_data() {
        let said = says("megaport", "v2.networkRegions", 200, json!({"message": "ok", "data": [], "count": 0}));
        assert_eq!(said, "body.terms: is absent\nbody.count: is not in the contract");
    }

    #[test]
    fn a_field_may_be_null_or_absent_only_where_the_contract_says_so() {
        let order = json!({"access_token": "x", "token_type": "Bearer", "expires_in": 3600});
        assert_eq!(says("megaport", "oauth.token", 200, order), "");
        let said = says("megaport", "oauth.token", 200, json!({"access_token": null, "token_type": "Bearer"}));
        assert_eq!(said, "body.access_token: is null, not a string\nbody.expires_in: is absent");
    }

    #[test]
    fn an_oddly_shaped_field_takes_each_of_its_forms() {
        let schema = contract("megaport").schemas.get("VXCResources").expect("a schema");
        let Shape::Object { fields, closed: false } = schema else { panic!("{schema:?}") };
        let shape = |name: &str| fields.iter().find(|field| field.name == name).expect("a field").shape.describe();
        assert_eq!(shape("csp_connection"), "a list of CspConnection or CspConnection");
        assert_eq!(shape("vll"), "VLLConfig or a list of nothing");
        let cloud = contract("megaport").schemas.get("CspConnection").expect("a schema");
        assert!(
            matches!(cloud, Shape::Tagged { cases, .. } if cases.contains(&("IBM".into(), "CSPConnectionIBM".into())))
        );
    }

    #[test]
    fn refusals_carry_a_message_and_the_token_endpoint_an_error() {
        assert_eq!(says("megaport", "v2.product", 404, json!({"message": "gone", "terms": "t", "data": null})), "");
        let said = says("megaport", "v2.product", 404, json!({"message": "gone", "data": {"why": 1}}));
        assert_eq!(said, "body.data: is an object of 1 keys, not a string");
        assert_eq!(says("megaport", "oauth.token", 401, json!({"error": "invalid_client"})), "");
        assert_eq!(says("megaport", "oauth.token", 401, json!({"message": "no"})), "body.error: is absent");
    }
}

mod peering_manager {
    use super::*;

    fn community() -> Value {
        json!({
            "id": 1, "url": "http://meetme.example/api/bgp/communities/1/",
            "display_url": "http://meetme.example/bgp/communities/1/", "display": "Blackhole", "name": "Blackhole",
            "slug": "blackhole", "description": "", "value": "64500:666", "type": null, "kind": "standard",
            "local_context_data": null, "config_context": null, "tags": [],
            "created": "2024-01-01T00:00:00.000001Z", "updated": null
        })
    }

    fn page(results: &Value) -> Value {
        json!({"count": 1, "next": null, "previous": null, "results": results})
    }

    #[test]
    fn one_many_and_a_page_keep_the_contract() {
        assert_eq!(says("peering-manager", "bgp_communities_list", 200, page(&json!([community()]))), "");
        assert_eq!(says("peering-manager", "bgp_communities_create", 201, community()), "");
        assert_eq!(says("peering-manager", "bgp_communities_create", 201, json!([community(), community()])), "");
    }

    #[test]
    fn a_serializer_writes_all_of_its_fields_and_no_other() {
        let mut bad = community();
        bad.as_object_mut().expect("an object").shift_remove("kind");
        bad["colour"] = json!("red");
        bad["created"] = json!("yesterday");
        bad["type"] = json!("");
        let said = says("peering-manager", "bgp_communities_list", 200, page(&json!([bad])));
        assert_eq!(
            said,
            "body.results[0].kind: is absent\n\
             body.results[0].created: is \"yesterday\", not a string (date-time)\n\
             body.results[0].colour: is not in the contract"
        );
    }

    #[test]
    fn a_choice_reads_as_value_and_label() {
        let shape = Shape::Ref("BGPGroup".into());
        let Some(Shape::Object { fields, .. }) = contract("peering-manager").schemas.get("BGPGroup") else {
            panic!("{shape:?} is an object")
        };
        let status = fields.iter().find(|field| field.name == "status").expect("a status");
        let Shape::Object { fields, closed: true } = &status.shape else { panic!("{:?}", status.shape) };
        assert_eq!(
            fields[1].shape.describe(),
            "one of Enabled, Pre-maintenance, Maintenance, Post-maintenance, Disabled"
        );
    }

    #[test]
    fn a_password_in_an_answer_is_a_leak() {
        let user = contract("peering-manager").schemas.get("User").expect("a schema");
        let Shape::Object { fields, closed: true } = user else { panic!("{user:?}") };
        assert!(fields.iter().all(|field| field.name != "password"));
    }

    #[test]
    fn a_refusal_is_a_detail_or_a_list_for_each_field() {
        let id = "bgp_communities_create";
        assert_eq!(says("peering-manager", id, 403, json!({"detail": "You do not have permission."})), "");
        assert_eq!(says("peering-manager", id, 400, json!({"name": ["This field is required."]})), "");
        assert_eq!(says("peering-manager", id, 400, json!([{}, {"slug": ["Enter a valid slug."]}])), "");
        assert_ne!(says("peering-manager", id, 400, json!({"name": "This field is required."})), "");
        assert_ne!(says("peering-manager", id, 403, json!({"name": ["This field is required."]})), "");
    }
}

mod port {
    use super::*;

    fn entity() -> Value {
        json!({
            "identifier": "edge1", "title": "Edge 1", "icon": null, "blueprint": "router", "team": [],
            "properties": {"asn": 64500}, "relations": {"site": "ral", "peers": ["a", "b"], "rack": null},
            "createdAt": "2024-01-01T00:00:00.000Z", "updatedAt": "2024-01-01T00:00:00.000Z",
            "createdBy": "auth0|1", "updatedBy": "auth0|1"
        })
    }

    #[test]
    fn an_entity_keeps_the_contract() {
        assert_eq!(says("port", "get_entity", 200, json!({"ok": true, "entity": entity()})), "");
        assert_eq!(says("port", "create_entity", 200, json!({"ok": true, "entity": entity()})), "");
    }

    #[test]
    fn the_envelope_is_ok_beside_one_key() {
        let said = says("port", "get_entity", 200, json!({"ok": false, "entity": entity(), "took": 3}));
        assert_eq!(said, "body.ok: is false, not true\nbody.took: is not in the contract");
    }

    #[test]
    fn unions_and_maps_are_checked_inside() {
        let mut bad = entity();
        bad["relations"]["site"] = json!(7);
        bad["relations"]["peers"] = json!(["a", 7]);
        bad["createdAt"] = json!(1_700_000_000);
        let said = says("port", "get_entity", 200, json!({"ok": true, "entity": bad}));
        assert_eq!(
            said,
            "body.entity.relations.site: is 7, not a string or a list of a string or null\n\
             body.entity.relations.peers[1]: is 7, not a string\n\
             body.entity.createdAt: is 1700000000, not a string (date-time)"
        );
    }

    #[test]
    fn an_optional_key_drawn_by_example_may_be_absent() {
        let id = "search_blueprint_entities";
        assert_eq!(says("port", id, 200, json!({"ok": true, "entities": [], "next": "abc"})), "");
        assert_eq!(says("port", id, 200, json!({"ok": true, "entities": []})), "");
        assert_eq!(says("port", id, 200, json!({"ok": true})), "body.entities: is absent");
    }

    #[test]
    fn a_refusal_is_not_ok_and_names_its_code() {
        assert_eq!(says("port", "get_entity", 404, json!({"ok": false, "error": "not_found", "message": "no"})), "");
        assert_eq!(
            says("port", "get_entity", 404, json!({"ok": true})),
            "body.ok: is true, not false\nbody.error: is absent"
        );
    }
}

mod packet {
    use super::*;

    fn key() -> Value {
        json!({
            "id": "7b1d2a7c-1c3e-4b7e-9f5d-3a6b1c2d4e5f", "label": "laptop", "key": "ssh-ed25519 AAAA",
            "fingerprint": "00:11", "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z",
            "entity": {"href": "/users/7b1d2a7c-1c3e-4b7e-9f5d-3a6b1c2d4e5f"}, "href": "/ssh-keys/7b1d2a7c"
        })
    }

    #[test]
    fn a_key_keeps_the_contract_and_may_say_more() {
        let mut more = key();
        more["tags"] = json!(["blue"]);
        more["colour"] = json!("blue");
        assert_eq!(says("packet", "list_ssh_keys", 200, json!({"ssh_keys": [key(), more], "meta": {}})), "");
    }

    #[test]
    fn an_included_object_may_stand_for_a_link() {
        let mut included = key();
        included["entity"] = json!({"href": "/users/7b1d2a7c", "id": "7b1d2a7c", "email": "noc@example.net"});
        assert_eq!(says("packet", "get_ssh_key", 200, included), "");
    }

    #[test]
    fn fields_of_the_seed_must_be_there_and_nulls_be_announced() {
        let mut bad = key();
        bad.as_object_mut().expect("an object").shift_remove("label");
        bad["fingerprint"] = Value::Null;
        bad["entity"] = json!({"id": "7b1d2a7c"});
        let said = says("packet", "get_ssh_key", 200, bad);
        assert_eq!(said, "body.label: is absent\nbody.fingerprint: is null, not a string\nbody.entity.href: is absent");
    }

    #[test]
    fn a_link_may_stand_for_an_object_but_not_for_the_answer_itself() {
        let facility = json!({"href": "/facilities/ewr1"});
        assert_eq!(says("packet", "list_metros", 200, json!({"metros": [facility]})), "");
        assert_ne!(says("packet", "list_facilities", 200, json!({"facilities": [facility]})), "");
        let volume = json!({"volumes": [{"plan": {"href": "/plans/storage_1"}, "description": null}], "meta": page()});
        assert_eq!(says("packet", "list_project_volumes", 200, volume), "");
    }

    fn page() -> Value {
        json!({"first": null, "previous": null, "self": null, "next": null, "last": null, "total": 1})
    }

    #[test]
    fn maps_by_place_are_checked_to_the_bottom() {
        let capacity = |level: &str| json!({"capacity": {"ewr1": {"c3.small": {"level": level}}}});
        assert_eq!(says("packet", "get_capacity", 200, capacity("normal")), "");
        let said = says("packet", "get_capacity", 200, capacity("plenty"));
        assert_eq!(said, "body.capacity.ewr1.c3.small.level: is \"plenty\", not one of unavailable, limited, normal");
    }

    #[test]
    fn a_refusal_lists_errors_or_names_one() {
        assert_eq!(says("packet", "get_ssh_key", 404, json!({"errors": ["Not found"]})), "");
        assert_eq!(says("packet", "get_ssh_key", 401, json!({"error": "Invalid token"})), "");
        assert_ne!(says("packet", "get_ssh_key", 404, json!({"errors": "Not found"})), "");
        assert_ne!(says("packet", "get_ssh_key", 404, json!({})), "");
    }
}

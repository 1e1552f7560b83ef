//! What lists can be filtered by.

use serde_json::{Value, json};

use crate::world::{self, World};

const AS: &str = "/api/peering/autonomous-systems/";
const SESSIONS: &str = "/api/peering/internet-exchange-peering-sessions/";

/// The AS numbers of a filtered list.
async fn asns(w: &World, query: &str) -> Vec<i64> {
    let said = w.ask(&format!("GET {AS}?{query}")).await;
    let rows = said.is(200).body["results"].as_array().unwrap();
    rows.iter().map(|row| row["asn"].as_i64().unwrap()).collect()
}

async fn some(w: &World) {
    w.make("extras/tags", json!({"name": "Core", "slug": "core"})).await;
    w.make("extras/tags", json!({"name": "Edge", "slug": "edge"})).await;
    for (asn, name, set, tags) in [
        (64498, "Stark Industries", Some("MARVEL::STARK"), json!([{"slug": "core"}])),
        (64500, "Some Networks", None, json!([{"slug": "core"}, {"slug": "edge"}])),
        (64501, "Awesome Networks", Some(""), json!([])),
    ] {
        let body = json!({"asn": asn, "name": name, "irr_as_set": set, "tags": tags, "ipv6_max_prefixes": asn - 64490});
        w.make("peering/autonomous-systems", body).await;
    }
}

#[tokio::test]
async fn every_suffix_compares_in_its_way() {
    for w in world::both().await {
        some(&w).await;
        for (query, want) in [
            ("name=Some+Networks", vec![64500]),
            ("name=some+networks", vec![]),
            ("name__ie=some+networks", vec![64500]),
            ("name__nie=some+networks", vec![64498, 64501]),
            ("name__ic=NETWORKS", vec![64500, 64501]),
            ("name__nic=networks", vec![64498]),
            ("name__isw=a&name__isw=st", vec![64498, 64501]),
            ("name__nisw=a&name__nisw=st", vec![64500]),
            ("name__iew=industries", vec![64498]),
            ("name__niew=industries", vec![64500, 64501]),
            ("name__n=Some+Networks&name__n=Awesome+Networks", vec![64498]),
            ("irr_as_set__empty=true", vec![64500, 64501]),
            ("irr_as_set__empty=false", vec![64498]),
            ("asn=64498&asn=64501", vec![64498, 64501]),
            ("asn__n=64498", vec![64500, 64501]),
            ("asn__gt=64498&asn__lt=64501", vec![64500]),
            ("asn__gte=64500", vec![64500, 64501]),
            ("asn__lte=64498&asn__lte=64500", vec![64498, 64500]),
            ("ipv6_max_prefixes__gt=9", vec![64500, 64501]),
            ("affiliated=true", vec![]),
            ("affiliated=perhaps&nosuch=1&name=", vec![64498, 64500, 64501]),
            ("tag=core", vec![64498, 64500]),
            ("tag=core&tag=edge", vec![64500]),
            ("tag__n=edge", vec![64498, 64501]),
            ("q=stark", vec![64498]),
            ("q=6450", vec![64500, 64501]),
            ("created__gte=2020-01-01", vec![64498, 64500, 64501]),
            ("updated__lt=2020-01-01T00:00:00Z", vec![]),
        ] {
            assert_eq!(asns(&w, query).await, want, "{} {query}", w.make);
        }
    }
}

#[tokio::test]
async fn rows_are_found_by_their_ids_and_by_ranges_of_them() {
    for w in world::both().await {
        let ids = [w.autonomous_system(1).await, w.autonomous_system(2).await, w.autonomous_system(3).await];
        assert_eq!(asns(&w, &format!("id={}&id={}", ids[0], ids[2])).await, [1, 3]);
        assert_eq!(asns(&w, &format!("id__gt={}", ids[0])).await, [2, 3]);
        assert_eq!(asns(&w, &format!("id__lte={}", ids[1])).await, [1, 2]);
        assert_eq!(asns(&w, &format!("id__n={}", ids[1])).await, [1, 3]);
    }
}

#[tokio::test]
async fn values_that_name_nothing_are_refused() {
    let w = world::one().await;
    let choice = |value: &str| format!("Select a valid choice. {value} is not one of the available choices.");
    for (line, says) in [
        (format!("{AS}?asn=x"), json!({"asn": ["Enter a whole number."]})),
        (format!("{AS}?tag=nosuch"), json!({"tag": [choice("nosuch")]})),
        (format!("{AS}?created_by_request=x"), json!({"created_by_request": ["Enter a valid UUID."]})),
        (
            format!("{AS}?created=x&asn=y"),
            json!({
                "created": ["Enter a valid date/time."], "asn": ["Enter a whole number."],
            }),
        ),
        ("/api/net/connections/?router_id=99999".to_owned(), json!({"router_id": [choice("99999")]})),
        ("/api/net/connections/?router=nosuch".to_owned(), json!({"router": [choice("nosuch")]})),
        (format!("{SESSIONS}?status=bogus"), json!({"status": [choice("bogus")]})),
        (format!("{SESSIONS}?address_family=5"), json!({"address_family": [choice("5")]})),
    ] {
        w.ask(&format!("GET {line}")).await.is(400).says(says);
    }
}

#[tokio::test]
async fn sessions_are_found_by_what_they_refer_to() {
    for w in world::both().await {
        let at = w.exchange().await;
        let four = w.session(&at, 64500, "192.0.2.143").await;
        let six = w.session(&at, 64501, "2001:db8:13:37::2").await;
        let change = json!({"is_route_server": true, "service_reference": "X-1", "bgp_state": "established"});
        w.tell(&format!("PATCH {SESSIONS}{six}/"), change).await.is(200);
        let (exchange, connection) = (at.exchange, at.connection);
        for (query, want) in [
            ("address_family=4".to_owned(), vec![four]),
            ("address_family=6".to_owned(), vec![six]),
            ("is_route_server=true".to_owned(), vec![six]),
            ("bgp_state=established".to_owned(), vec![six]),
            ("bgp_state__n=established".to_owned(), vec![four]),
            ("autonomous_system_asn=64500".to_owned(), vec![four]),
            ("autonomous_system=Network+64501".to_owned(), vec![six]),
            ("q=192.0.2.143".to_owned(), vec![four]),
            ("q=x-1".to_owned(), vec![six]),
            ("q=some-ix".to_owned(), vec![four, six]),
            ("q=edge1.example".to_owned(), vec![four, six]),
            (format!("internet_exchange_id={exchange}"), vec![four, six]),
            (format!("ixp_connection_id={connection}&address_family=6"), vec![six]),
            (format!("internet_exchange_id__n={exchange}"), vec![]),
            ("internet_exchange=Some+IX".to_owned(), vec![four, six]),
            ("exists_in_peeringdb=true".to_owned(), vec![]),
            ("exists_in_peeringdb=false".to_owned(), vec![four, six]),
        ] {
            let mut ids = w.ask(&format!("GET {SESSIONS}?{query}")).await.ids();
            ids.sort_unstable();
            assert_eq!(ids, want, "{} {query}", w.make);
        }
    }
}

#[tokio::test]
async fn a_policy_for_both_directions_is_found_under_either() {
    let w = world::one().await;
    for (slug, word) in [("in", "import-policy"), ("out", "export-policy"), ("both", "import-export-policy")] {
        w.make("peering/routing-policies", json!({"name": slug, "slug": slug, "type": word})).await;
    }
    let said = w.ask("GET /api/peering/routing-policies/?type=import-policy&fields=name").await;
    assert_eq!(said.body["results"], json!([{"name": "both"}, {"name": "in"}]));
}

#[tokio::test]
async fn rows_are_found_by_the_request_that_made_or_changed_them() {
    for w in world::both().await {
        let row = w.tell(&format!("POST {AS}"), json!({"asn": 1, "name": "A"})).await;
        w.autonomous_system(2).await;
        let made = row.header("x-request-id").to_owned();
        let line = format!("PATCH {AS}{}/", row.body["id"]);
        let changed = w.tell(&line, json!({"name": "B"})).await.header("x-request-id").to_owned();
        assert_eq!(asns(&w, &format!("created_by_request={made}")).await, [1], "{}", w.make);
        assert_eq!(asns(&w, &format!("updated_by_request={changed}")).await, [1]);
        assert_eq!(asns(&w, &format!("updated_by_request={made}")).await, [0i64; 0]);
    }
}

#[tokio::test]
async fn filters_answer_to_their_former_names() {
    let w = world::one().await;
    let at = w.router().await;
    w.ask(&format!("GET /api/devices/routers/{}/test-napalm-connection/", at.router)).await.is(202);
    for (query, count) in
        [("obj_type=devices.router", 1), ("obj_type=net.connection", 0), ("obj_type__n=devices.router", 0)]
    {
        for path in ["core/jobs", "extras/job-results"] {
            let said = w.ask(&format!("GET /api/{path}/?{query}")).await;
            assert_eq!(said.is(200).body["count"], count, "{path} {query}");
        }
    }
    assert!(w.ask("GET /api/core/jobs/?obj_type=nosuch.thing").await.is(400).body["obj_type"].is_array());
}

#[tokio::test]
async fn routers_are_found_by_host_name_and_by_name() {
    let w = world::one().await;
    let at = w.exchange().await;
    for query in ["router=edge1.example.net", "router_name=edge1", "q=ae4", "q=192.0.2.11", "vlan__gt=600"] {
        assert_eq!(w.ask(&format!("GET /api/net/connections/?{query}")).await.ids(), [at.connection], "{query}");
    }
    let said = w.ask("GET /api/devices/routers/?q=box&platform_id=null").await;
    assert_eq!(said.body["count"], Value::from(0));
}

//! The access walk: every operation of every dialect as nobody, with a wrong credential, and as a stranger who asks for somebody
//! else's things by their real ids; and every read with ids that are none.

mod tables;
mod world;

use tables::{AMBIGUOUS, OPEN, SHARED, SOMETIMES, UNFILLED};
use world::{Operation, Reply, World};

use crate::kit::{Server, refused};

/// Collects what is wrong, so that one run names everything.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn check(&mut self, right: bool, what: &str, operation: &Operation, path: &str, reply: &Reply) {
        if !right {
            let body: String = reply.text.chars().take(200).collect();
            self.0
                .push(format!("{what}: {} {} {path} -> {} {body}", operation.dialect, operation.method, reply.status));
        }
    }

    #[track_caller]
    fn none(self) {
        assert!(self.0.is_empty(), "{} faults:\n{}", self.0.len(), self.0.join("\n"));
    }
}

fn listed(list: &[(&str, &str, &str)], operation: &Operation) -> bool {
    list.iter().any(|(dialect, method, path)| {
        let same = path.strip_suffix('*').map_or(operation.path == *path, |start| operation.path.starts_with(start));
        *dialect == operation.dialect && (*method == "*" || *method == operation.method) && same
    })
}

/// What a dialect answers to one it does not know: the Peering Manager has always said 403.
fn unknown(dialect: &str) -> u16 {
    if dialect == "peering-manager" { 403 } else { 401 }
}

#[tokio::test]
async fn nobody_gets_nothing_but_the_open_operations() {
    let world = World::new().await;
    let mut faults = Faults::default();
    for (who, credentials) in [("nobody", world.nobody()), ("wrong credential", world.wrong())] {
        for operation in &world.operations {
            let path = world.fill(operation).unwrap_or_else(|| operation.path.replace(['{', '}'], ""));
            let reply = world.send(&credentials, operation, &path, None).await;
            if listed(OPEN, operation) {
                faults.check(reply.status < 500, who, operation, &path, &reply);
                continue;
            }
            faults.check(reply.status == unknown(&operation.dialect), who, operation, &path, &reply);
            let other = who == "nobody" && listed(AMBIGUOUS, operation) && reply.has_form("pureport");
            faults.check(other || reply.has_form(&operation.dialect), "form", operation, &path, &reply);
        }
    }
    faults.none();
}

#[tokio::test]
async fn a_stranger_sees_and_changes_nothing_of_others() {
    let world = World::new().await;
    let mut faults = Faults::default();
    let mut unfilled = Vec::new();
    let before = world.photograph().await;
    for operation in &world.operations {
        let Some(path) = world.fill(operation) else {
            unfilled.push(format!("{} {}", operation.dialect, operation.path));
            continue;
        };
        let body = world.body_for(operation, &path).await;
        let reply = world.send(&world.stranger, operation, &path, body.as_ref()).await;
        faults.check(reply.status < 500, "stranger", operation, &path, &reply);
        if reply.status < 400 {
            let found = world.markers.iter().find(|m| reply.text.contains(m.as_str()));
            faults.check(found.is_none(), &format!("leak of {found:?}"), operation, &path, &reply);
        } else {
            let right = listed(OPEN, operation) || reply.has_form(&operation.dialect);
            faults.check(right, "form", operation, &path, &reply);
            faults.check(!world::NAMES.iter().any(|n| reply.text.contains(n)), "name", operation, &path, &reply);
        }
        if operation.path.contains('{') && !listed(OPEN, operation) {
            let read_of_shared = listed(SHARED, operation) && reply.status < 300;
            // A part of a bulk that was not found is said item by item.
            let none_found = reply.status == 207 && reply.text.starts_with(r#"{"ok":false,"entities":[],"#);
            // A built-in role is everybody's to read, and a conflict for whoever would change it.
            let builtin = reply.status == 409 && reply.text.contains(r#""code":"builtin""#);
            let right = matches!(reply.status, 403 | 404) || read_of_shared || none_found || builtin;
            faults.check(right, "not hidden", operation, &path, &reply);
        }
    }
    unfilled.sort();
    unfilled.dedup();
    unfilled.retain(|path| !SOMETIMES.contains(&path.as_str()));
    println!("{} paths cannot be filled", unfilled.len());
    let known: Vec<&str> = UNFILLED.to_vec();
    faults.0.extend(unfilled.iter().filter(|u| !known.contains(&u.as_str())).map(|u| format!("cannot be filled: {u}")));
    faults
        .0
        .extend(known.iter().filter(|k| !unfilled.iter().any(|u| u == *k)).map(|k| format!("can be filled now: {k}")));
    let after = world.photograph().await;
    faults.0.extend(before.iter().filter(|(at, _)| !after.contains_key(*at)).map(|(at, _)| format!("gone: {at}")));
    let changed = before.iter().filter(|(at, spec)| after.get(*at).is_some_and(|now| now != *spec));
    faults.0.extend(changed.map(|(at, spec)| format!("changed: {at} from {spec} to {}", after[at])));
    faults.none();
}

#[tokio::test]
async fn a_stranger_adds_nothing_to_the_operators_supply() {
    let world = World::new().await;
    let mut faults = Faults::default();
    for (kind, body) in world.supply().await {
        let path = format!("/meetme/v1/{kind}");
        let post = Operation { dialect: "native".to_owned(), method: "POST".to_owned(), path: path.clone() };
        let reply = world.send(&world.stranger, &post, &path, Some(&body)).await;
        faults.check(reply.status == 403, "supply", &post, &path, &reply);
    }
    faults.none();
}

#[tokio::test]
async fn ids_that_are_none_are_the_callers_mistake() {
    let world = World::new().await;
    let mut faults = Faults::default();
    let long = "a".repeat(4000);
    for operation in world.operations.iter().filter(|o| o.method == "GET" && o.path.contains('{') && !listed(OPEN, o)) {
        for bad in ["xyz", "999999999999", "99999999999999999999999", "-1", "..%2F..", "%00", "%FF", "0", &long] {
            let Some((all, last)) = world.spoil(operation, bad) else { continue };
            for path in [all, last] {
                let reply = world.send(&world.demo, operation, &path, None).await;
                let short: String = path.chars().take(120).collect();
                faults.check((400..500).contains(&reply.status), "malformed", operation, &short, &reply);
                faults.check(reply.has_form(&operation.dialect), "form", operation, &short, &reply);
            }
        }
    }
    faults.none();
}

#[tokio::test]
async fn a_book_that_is_open_is_so_at_its_own_door_only() {
    let server = Server::with(&[("MEETME__ACCESS__ANONYMOUS_READS", "Demo Customer")]).await;
    let list = server.call("GET", "/api/devices/routers/", &[], None).await.is(200);
    assert!(list["count"].as_u64().is_some_and(|count| count > 0), "{list}");
    let made = server.call("POST", "/api/devices/routers/", &[], Some(&serde_json::json!({}))).await.is(403);
    assert_eq!(made["detail"], "Authentication credentials were not provided.");
    for path in ["/meetme/v1/router", "/accounts", "/v1/blueprints", "/projects", "/v2/company/x"] {
        assert_eq!(server.call("GET", path, &[], None).await.status, 401, "{path}");
    }
}

#[test]
fn a_book_of_nobody_keeps_the_server_from_starting() {
    let said = refused(&[("MEETME__ACCESS__ANONYMOUS_READS", "Nobody Limited")]);
    assert!(said.contains("access.anonymous_reads") && said.contains("No organization Nobody Limited"), "{said}");
}

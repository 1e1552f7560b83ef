//! From a request at the peering portal to a session that is up.

use meetme_app::{
    identity::{self, Credential, Door, Giver, NewKey},
    peering::portal::{self, Wish, WishedSession},
};
use meetme_base::{Secret, Uid};
use meetme_model::{
    BgpState,
    access::Role,
    routing::{AutonomousSystem, Exchange, ExchangeLink, RequestedSession},
};
use meetme_store::{Filter, Query};
use serde_json::json;

use crate::world::{World, of};

#[tokio::test]
async fn a_request_that_is_accepted_comes_up_and_the_portal_says_so() {
    let world = World::new().await;
    let (router, _) = world.router("edge1").await;
    let local = world.get(router).await.spec.local.unwrap();
    let exchange = json!({"name": "Some IX", "slug": "some-ix", "local": local, "pdb_lan": 42});
    let exchange = world.make::<Exchange>(exchange).await;
    let link = json!({"exchange": exchange, "router": router, "ip4": "192.0.2.11/24", "interface": "ae4"});
    world.make::<ExchangeLink>(link).await;
    let remote = world.make::<AutonomousSystem>(json!({"asn": 64501, "name": "Them", "max4": 100})).await;

    // Who asks has a key that is limited to their AS.
    let (app, operator) = (world.app.clone(), world.operator);
    let secret = world.write(move |tx| {
        let rights =
            [("autonomous_system", "see"), ("peering_request", "see create"), ("requested_session", "see create act")];
        let grants: Vec<_> =
            rights.iter().map(|(k, v)| json!({"kinds": [k], "verbs": v.split(' ').collect::<Vec<_>>()})).collect();
        let role: Role = of(json!({"name": "asks", "grants": grants}));
        let roles = vec![tx.create(operator, role)?.id];
        let objects = vec![remote.any()];
        let new = NewKey { name: "them".into(), roles, objects, ..NewKey::default() };
        Ok(identity::create_key(&app, tx, Giver::System, operator, &new)?.secret.expose().clone())
    });
    let door = Door { dialect: "test", request: Uid::random(), ip: None };
    let by = identity::authenticate(&world.app, door, Credential::Secret(&secret.await.unwrap())).await.unwrap();
    let wish = Wish {
        asn: 64501.try_into().unwrap(),
        email: String::new(),
        sessions: vec![WishedSession {
            theirs: "192.0.2.50".parse().unwrap(),
            ours: None,
            location: "pdb:ix:42".into(),
            secret: Some(Secret::new("s3cret".into())),
        }],
    };
    let (app, asking) = (world.app.clone(), by.clone());
    world.app.write(&by, move |tx| portal::submit(&app, tx, &asking, &wish)).await.unwrap();

    let waiting = world.write(move |tx| Ok(tx.list::<RequestedSession>(&Query::of(Filter::All))?)).await.unwrap();
    assert_eq!(waiting.len(), 1);
    let id = waiting[0].id;
    let accepted = world.write(move |tx| portal::accept(tx, id)).await.unwrap();
    let session = accepted.spec.session.unwrap();
    let up = world.until(session, "up", |s| s.status.state == Some(BgpState::Established)).await;
    assert_eq!((up.spec.ip.to_string(), up.spec.peer.asn.get()), ("192.0.2.50".into(), 64501));
    let password = up.spec.peer.password.as_ref().map(|sealed| world.app.sealer().open(sealed).unwrap());
    assert!(password.is_some());

    let (app, uid, asking) = (world.app.clone(), accepted.uid, by.clone());
    let shown = world.app.read(&by, move |tx| portal::session(&app, tx, &asking, uid)).await.unwrap();
    assert_eq!((shown.state.word(), shown.bgp), ("accepted", Some(BgpState::Established)));
    world.end().await;
}

//! Locations and partner ports.

use serde_json::json;

use crate::world::{World, on_each};

#[tokio::test]
async fn locations_are_shown_to_everybody_with_what_is_sold_there() {
    on_each(async |world: World| {
        let old = world.raw("GET /v2/locations", &[], "").await.proves("v2.locations");
        assert_eq!((&old[0]["id"], &old[0]["products"]["megaport"]), (&7.into(), &json!([1, 10])));
        let new =
            world.raw("GET /v3/locations?metro=brisbane&locationStatuses=Active", &[], "").await.proves("v3.locations");
        assert_eq!(new[0]["diversityZones"]["red"]["megaportSpeedMbps"], json!([1000, 10_000]));
        assert_eq!(world.get("/v2/locations").await.proves("v2.locations"), old);
        assert_eq!(
            world.raw("GET /v3/locations?locationStatuses=Expired", &[], "").await.is(200).body["data"],
            json!([])
        );
        world.raw("GET /v2/locations", &[("x-auth-token", "wrong")], "").await.refuses(401);
        let regions = world.raw("GET /v2/networkRegions", &[], "").await.proves("v2.networkRegions");
        assert_eq!(
            regions[0]["countries"],
            json!([{"code": "AU", "name": "Australia", "prefix": "AU", "siteCount": 1}])
        );
    })
    .await;
}

#[tokio::test]
async fn partner_ports_are_offers_and_other_companies_visible_ports() {
    on_each(async |world: World| {
        let (theirs, own) = (world.port(world.at.stranger, "theirs").await, world.port(world.at.company, "own").await);
        world.port(world.at.stranger, "hidden").await;
        for uid in [theirs.clone(), own] {
            world
                .system(move |_, tx| {
                    let mut port = tx.by_uid::<meetme_model::fabric::Port>(uid.parse().unwrap())?;
                    let spec = meetme_model::fabric::Port { visible: true, ..port.spec.clone() };
                    Ok(tx.save(&mut port, spec)?)
                })
                .await;
        }
        let all = world.get("/v2/dropdowns/partner/megaports").await.proves("v2.partnerPorts");
        let seen: Vec<_> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|p| (p["connectType"].as_str().unwrap(), p["title"].as_str().unwrap()))
            .collect();
        assert_eq!(seen, [("AWS", "Cloud On-ramp"), ("AWSHC", "Cloud On-ramp"), ("DEFAULT", "theirs")]);
        assert_eq!((&all[0]["productUid"], &all[0]["locationId"]), (&world.at.offer.as_str().into(), &7.into()));
        let some = world
            .get("/v2/dropdowns/partner/megaports?connectType=default&vxcPermitted=true")
            .await
            .proves("v2.partnerPorts");
        assert_eq!((some.as_array().unwrap().len(), &some[0]["productUid"]), (1, &theirs.into()));
    })
    .await;
}

//! What can be had where.

use crate::world::on_each;

#[tokio::test]
async fn the_catalogue_is_open_to_every_account() {
    on_each(async |world| {
        for (list, one, path) in [
            ("findLocations", "getLocation", "/locations"),
            ("findFacilities", "getFacility", "/facilities"),
            ("getCloudRegions", "getCloudRegion", "/cloudRegions"),
        ] {
            let found = world.get(path).await.is(200).proves(list);
            let first = found.body[0].clone();
            let single = world.get(first["href"].as_str().unwrap()).await.is(200).proves(one);
            assert_eq!(single.body, first);
            world.get(&format!("{path}/nowhere")).await.refuses(404, "NOT_FOUND");
        }
    })
    .await;
}

#[tokio::test]
async fn an_offer_is_shown_for_each_speed_and_redundancy() {
    on_each(async |world| {
        let path = format!("/accounts/{}/supportedConnections", world.customer.account);
        let list = world.get(&path).await.is(200).proves("getAccountSupportedConnections");
        let aws: Vec<_> = list.body.as_array().unwrap().iter().filter(|s| s["type"] == "AWS_DIRECT_CONNECT").collect();
        assert_eq!(aws.len(), 6);
        assert_eq!(aws[0]["id"], "us-ral-aws-50-noha");
        // Half a dollar an hour is twelve dollars a day.
        assert_eq!(
            (&aws[0]["billingPlans"][0]["amount"], &aws[0]["billingPlans"][0]["billingInterval"]),
            (&1200.0.into(), &"DAY".into())
        );
        let one = world.get("/supportedConnections/us-ral-aws-50-noha").await.is(200).proves("getSupportedConnection");
        assert_eq!(&one.body, aws[0]);
        world.get("/supportedConnections/us-ral-aws-51-noha").await.refuses(404, "NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn options_are_listed_by_name() {
    on_each(async |world| {
        let all = world.get("/options").await.is(200).proves("getOptions");
        assert_eq!(all.body.as_object().unwrap().len(), 13);
        let two = world.get("/options?type=IKEV2IKEPRF&type=IKEV1IKEEncryption").await.is(200);
        assert_eq!(two.body.as_object().unwrap().len(), 2);
        let one = world.get("/options/IKEV2IKEPRF").await.is(200).proves("getOption");
        assert_eq!(one.body, two.body["IKEV2IKEPRF"]);
        world.get("/options/x").await.refuses(404, "NOT_FOUND");
    })
    .await;
}

#[tokio::test]
async fn the_document_names_every_operation() {
    on_each(async |world| {
        let document = world.get("/openapi.json").await.is(200);
        let text = document.body.to_string();
        assert!(text.contains("\"operationId\":\"addConnection\""));
    })
    .await;
}

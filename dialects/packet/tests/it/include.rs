//! What is a link, and what is spelled out.

use crate::world::{World, everywhere};

#[tokio::test]
async fn a_device_holds_its_place_and_links_to_its_project() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        for name in ["plan", "operating_system", "facility", "metro"] {
            assert!(device[name]["name"].is_string(), "{name}");
        }
        assert!(device["ip_addresses"][0]["address"].is_string() && device["network_ports"][0]["name"].is_string());
        assert_eq!(device["project"], serde_json::json!({"href": format!("/projects/{}", world.project)}));
    })
    .await;
}

#[tokio::test]
async fn links_are_followed_three_deep_and_no_further() {
    everywhere(async |world: World| {
        world.device("web1").await;
        let path = "/user?include=projects.devices.project.organization";
        let device = &world.get(path).await.is(200).body["projects"][0]["devices"][0];
        assert_eq!(device["project"]["name"], "First");
        let organization = device["project"]["organization"].as_object().unwrap();
        assert_eq!(organization.keys().collect::<Vec<_>>(), ["href"]);
        let user = world.get("/user?include=memberships.projects").await.is(200).body;
        let names = user["memberships"].as_array().unwrap().iter().filter_map(|m| m["project"]["name"].as_str());
        assert_eq!(names.collect::<Vec<_>>(), ["First"]);
    })
    .await;
}

#[tokio::test]
async fn exclude_leaves_links() {
    everywhere(async |world: World| {
        let device = world.device("web1").await;
        let path = format!("/devices/{}?exclude=plan,facility.metro,ip_addresses", device["id"].as_str().unwrap());
        let drawn = world.get(&path).await.is(200).body;
        assert_eq!(drawn["plan"].as_object().unwrap().len(), 1);
        assert_eq!(drawn["ip_addresses"][0].as_object().unwrap().len(), 1);
        assert!(drawn["facility"]["code"].is_string() && drawn["facility"]["metro"]["code"].is_null());
        assert!(drawn["metro"]["code"].is_string());
    })
    .await;
}

#[tokio::test]
async fn names_nobody_knows_are_ignored() {
    everywhere(async |world: World| {
        for path in ["/projects?include=", "/projects?include=False", "/projects?include=None&exclude=a.b.c.d.e"] {
            world.get(path).await.is(200);
        }
    })
    .await;
}

#[tokio::test]
async fn links_keep_the_prefix_they_were_asked_under() {
    everywhere(async |world: World| {
        let body = world.get("/metal/v1/projects?per_page=1&include=members").await.is(200).body;
        assert_eq!(body["projects"][0]["href"], format!("/metal/v1/projects/{}", world.project));
        assert_eq!(body["meta"]["self"]["href"], "/metal/v1/projects?page=1&per%5Fpage=1&include=members");
        let sites = world.get("/metal/v1/facilities").await.is(200).body;
        assert_eq!(sites["facilities"][0]["features"], serde_json::json!(["baremetal"]));
        assert_eq!(world.get("/facilities").await.body["facilities"][0]["features"].as_array().unwrap().len(), 2);
    })
    .await;
}

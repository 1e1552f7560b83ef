use serde_json::json;

use crate::kit::World;

#[tokio::test]
async fn a_token_is_a_json_web_token_of_a_machine_and_ends_after_three_hours() {
    for world in World::all().await {
        let login = world.login().await.proves("create_access_token", 200);
        let token = login["accessToken"].as_str().unwrap().to_owned();
        assert_eq!((token.split('.').count(), &login["expiresIn"]), (3, &json!(10_800)));
        let bearer = format!("Bearer {token}");
        world.raw("GET", "/v1/organization", &[("authorization", &bearer)], "").await.proves("get_organization", 200);
        world.clock.step_seconds(10_800);
        let late = world.raw("GET", "/v1/organization", &[("authorization", &bearer)], "").await.is(401);
        assert_eq!((&late["ok"], &late["error"]), (&json!(false), &json!("unauthorized")));
    }
}

#[tokio::test]
async fn wrong_credentials_and_forged_tokens_are_refused_in_the_dialects_form() {
    for world in World::all().await {
        let wrong = json!({"clientId": "x", "clientSecret": "y"}).to_string();
        assert_eq!(world.raw("POST", "/v1/auth/access_token", &[], &wrong).await.is(401)["ok"], false);
        world.raw("POST", "/v1/auth/access_token", &[], "{").await.is(422);
        for bearer in ["", "Bearer x.y.z", "Token abc"] {
            world.raw("GET", "/v1/blueprints", &[("authorization", bearer)], "").await.is(401);
        }
        assert_eq!(world.call("GET", "/v1/nothing", json!(null)).await.is(404)["error"], "not_found");
        world.call("PUT", "/v1/blueprints", json!({})).await.is(405);
    }
}

//! What NetBox's webhooks say of a device.

use meetme_app::peering::inventory::{Device, Event};
use meetme_base::Invalid;
use meetme_http::Problem;
use serde_json::Value as Json;

/// The core's names, and those of the webhook.
pub(super) const NAMES: &[(&str, &str)] =
    &[("role", "device_role"), ("hardware_name", "name"), ("hostname", "name"), ("context", "local_context_data")];

/// `{"event": "updated", "data": {"id": 7, "name": "edge1", ...}}`; names every field that is missing or not understood.
pub(super) fn read(body: &Json) -> Result<(Event, Device), Problem> {
    let mut bad = Vec::new();
    let mut wrong = |field: &str, text: &str| bad.push(Invalid::new(field, "wire", text));
    const MISSING: &str = "This field is required.";
    let event = match body.get("event").map(Json::as_str) {
        None => {
            wrong("event", MISSING);
            None
        }
        Some(Some("created" | "updated")) => Some(Event::There),
        Some(Some("deleted")) => Some(Event::Gone),
        Some(_) => {
            wrong("event", "It is created, updated or deleted.");
            None
        }
    };
    let data = body.get("data").unwrap_or(&Json::Null);
    if !data.is_object() {
        wrong("data", if data.is_null() { MISSING } else { "Expected a dictionary of items." });
        return Err(meetme_app::Error::Invalid(bad).into());
    }
    // The role of a device had another name before NetBox 3.6.
    let role = data.get("device_role").filter(|v| !v.is_null()).or_else(|| data.get("role"));
    let said = [("name", data.get("name")), ("device_role", role)];
    let given = ["platform", "status", "tags", "local_context_data"].map(|name| (name, data.get(name)));
    for (name, _) in said.into_iter().chain(given).filter(|(_, value)| value.is_none()) {
        wrong(name, MISSING);
    }
    let number = data.get("id").and_then(Json::as_i64).filter(|n| (1..=i64::from(i32::MAX)).contains(n));
    if number.is_none() {
        wrong("id", if data.get("id").is_some() { "A valid integer is required." } else { MISSING });
    }
    let name = data.get("name").and_then(Json::as_str).unwrap_or_default();
    if data.get("name").is_some() && name.is_empty() {
        wrong("name", "A device without a name does not become a router.");
    }
    let tags = match data.get("tags") {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(tags)) => tags.iter().filter_map(slug).collect(),
        Some(_) => {
            wrong("tags", "Expected a list of items.");
            Vec::new()
        }
    };
    let context = data.get("local_context_data").filter(|data| !data.is_null());
    if context.is_some_and(|context| !context.is_object()) {
        wrong("local_context_data", "Expected a dictionary of items.");
    }
    let status = data.get("status").unwrap_or(&Json::Null);
    let status = status.get("value").unwrap_or(status).as_str();
    let (Some(event), Some(number), true) = (event, number, bad.is_empty()) else {
        return Err(meetme_app::Error::Invalid(bad).into());
    };
    let device = Device {
        number,
        name: name.to_owned(),
        platform: data.get("platform").and_then(slug),
        role: role.and_then(slug),
        tags,
        is_active: status == Some("active"),
        context: context.cloned(),
    };
    Ok((event, device))
}

/// The slug of a row that NetBox shows inside another.
fn slug(of: &Json) -> Option<String> {
    of.get("slug").unwrap_or(of).as_str().map(str::to_owned)
}

//! How a device's hardware feels. There are no pictures of screens: no management controller is asked for them.

use meetme_app::{Error, devices};
use meetme_model::metal::Device;
use serde_json::json;

use crate::work::{Gives, Out, Row, Work};

pub fn rows() -> Vec<Row> {
    vec![Row::get("get_device_health", "/devices/{id}/diagnostics/health/rollup", Gives::Free, health)]
}

fn health(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device = work.named::<Device>("id")?;
    let health = devices::health(work.tx, device.id)?;
    let href = work.show().href::<Device>(device.uid);
    Ok(Out::Json(json!({ "health_rollup": health.word(), "href": format!("{href}/diagnostics/health/rollup") })))
}

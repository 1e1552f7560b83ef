//! The way to a piece of equipment, as its agent is told.

use meetme_agent::Target;
use meetme_app::{App, Error};
use meetme_base::RawId;
use meetme_model::ops::Equipment;

use crate::desired::settings;

/// How what is driven as `id` is reached: over its equipment, or, where none is known, by the usual agent under the name `otherwise`.
///
/// # Errors
/// When the credential cannot be opened.
pub(crate) fn target(app: &App, id: RawId, equipment: Option<&Equipment>, otherwise: &str) -> Result<Target, Error> {
    let Some(equipment) = equipment else {
        return Ok(Target {
            id: id.get(),
            name: otherwise.to_owned(),
            address: String::new(),
            settings: serde_json::Value::Null,
            access: None,
            repair: false,
        });
    };
    Ok(Target {
        id: id.get(),
        name: equipment.name.clone(),
        address: equipment.address.clone(),
        settings: settings(&equipment.settings),
        access: equipment.access.as_ref().map(|sealed| app.sealer().open(sealed)).transpose()?.map(Into::into),
        repair: equipment.repair,
    })
}

//! What every installation begins with besides its roles: the platforms of routers, in the operator's book, open to everybody below.

use meetme_app::Error;
use meetme_base::{Id, RawId};
use meetme_model::routing::Platform;
use meetme_store::Tx;
use serde_json::json;

/// Name, slug, driver, how passwords are enciphered. The first five are those that network automation tools know.
const PLATFORMS: &[(&str, &str, &str, Option<&str>)] = &[
    ("Arista EOS", "arista-eos", "eos", Some("arista-type7")),
    ("Juniper Junos", "juniper-junos", "junos", Some("juniper-type9")),
    ("Cisco IOS XR", "cisco-iosxr", "iosxr", Some("cisco-type7")),
    ("Cisco NX-OS", "cisco-nxos", "nxos", Some("cisco-type7")),
    ("Cisco IOS", "cisco-ios", "ios", Some("cisco-type7")),
    ("BIRD 2", "bird", "bird", None),
    ("Simulated", "sim", "sim", None),
];

/// Makes the platforms; answers the simulated one.
pub fn platforms(tx: &mut Tx<'_>, operator: RawId) -> Result<Id<Platform>, Error> {
    let mut last = None;
    for (name, slug, driver, form) in PLATFORMS {
        let document = json!({"name": name, "slug": slug, "driver": driver, "password_form": form});
        let platform: Platform =
            serde_json::from_value(document).map_err(|e| Error::Bug(format!("a built-in platform: {e}")))?;
        last = Some(tx.create(operator, platform)?.id);
    }
    last.ok_or_else(|| Error::Bug("there are no built-in platforms".to_owned()))
}

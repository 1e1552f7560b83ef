//! Products as they are shown.

mod csp;
mod port;
mod router;
mod vxc;

pub use port::port;
pub use router::{SPEEDS, network, router};
pub use vxc::{name, other_name, vxc};

use meetme_base::Time;
use meetme_model::{Life, LifeStatus, Lock};
use serde_json::{Map, Value};

use crate::words;

/// Adds what all products have in common: state, contract, locks.
fn life(out: &mut Map<String, Value>, created: Time, life: &Life, seen: &LifeStatus) {
    let term = life.term;
    out.insert("provisioningStatus".to_owned(), words::status(seen).into());
    out.insert("createDate".to_owned(), created.0.into());
    out.insert("liveDate".to_owned(), words::millis(seen.ready_at).into());
    out.insert("contractStartDate".to_owned(), words::millis(seen.ready_at).into());
    out.insert("contractEndDate".to_owned(), words::millis(words::contract_end(seen.ready_at, term)).into());
    out.insert("contractTermMonths".to_owned(), words::months(term).into());
    out.insert("terminateDate".to_owned(), words::millis(life.gone_at.or(seen.ended_at)).into());
    out.insert("costCentre".to_owned(), life.cost_centre.clone().unwrap_or_default().into());
    out.insert("locked".to_owned(), (life.lock != Lock::None).into());
    out.insert("adminLocked".to_owned(), (life.lock == Lock::Operator).into());
    out.insert("createdBy".to_owned(), "".into());
    out.insert("secondaryName".to_owned(), "".into());
}

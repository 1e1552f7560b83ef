//! The kinds of the peering book go through the rules that reach beyond their own rows.

use meetme_base::{Kind, RawId};
use meetme_model::{
    mirror::HiddenPeer,
    ops::{Contact, ContactAssignment, ContactRole, Journal, Tag},
    routing::{
        AutonomousSystem, Bfd, Community, ConfigContext, ConfigContextAssignment, DirectSession, Exchange,
        ExchangeLink, ExchangeSession, IxApi, PeerGroup, PeeringRequest, Platform, Policy, Relationship,
        RequestedSession, Router, Template,
    },
};
use meetme_store::{AnyObject, KindInfo, Tx};
use serde_json::Value as Json;

use super::{By, Create, Hooks, Made, Remove, Replace, read};
use crate::{
    Error,
    peering::{self, Ruled},
};

/// The kinds of the area.
pub(super) const HOOKS: &[(Kind, Hooks)] = &[
    of::<AutonomousSystem>(),
    of::<Bfd>(),
    of::<Community>(),
    of::<ConfigContext>(),
    of::<ConfigContextAssignment>(),
    of::<Contact>(),
    of::<ContactAssignment>(),
    of::<ContactRole>(),
    of::<DirectSession>(),
    of::<Exchange>(),
    of::<ExchangeLink>(),
    of::<ExchangeSession>(),
    of::<IxApi>(),
    of::<Journal>(),
    of::<HiddenPeer>(),
    of::<PeerGroup>(),
    of::<PeeringRequest>(),
    of::<Platform>(),
    of::<Policy>(),
    of::<Relationship>(),
    of::<RequestedSession>(),
    of::<Router>(),
    of::<Tag>(),
    of::<Template>(),
];

pub(super) const fn of<R: Ruled>() -> (Kind, Hooks) {
    let hooks =
        Hooks { create: Create::By(create::<R>), replace: Replace::By(replace::<R>), remove: Remove::By(remove::<R>) };
    (R::KIND, hooks)
}

fn create<R: Ruled>(
    by: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    tenant: Option<RawId>,
    spec: Json,
) -> Result<Made, Error> {
    let tenant = tenant.unwrap_or(by.caller.home().any());
    Ok(Tx::erased(&peering::create::<R>(tx, tenant, read(&spec)?, R::Status::default())?).into())
}

fn replace<R: Ruled>(
    _: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    old: &AnyObject,
    spec: Json,
) -> Result<AnyObject, Error> {
    let mut object = tx.get::<R>(old.id.of())?;
    let spec = Tx::sent_for(&object, spec)?;
    peering::save(tx, &mut object, spec)?;
    Ok(Tx::erased(&object))
}

fn remove<R: Ruled>(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject) -> Result<(), Error> {
    peering::remove::<R>(tx, old.id.of())
}

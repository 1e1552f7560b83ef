//! Kinds of running the place: work, where texts come from, who is told.

use meetme_base::{Kind, RawId};
use meetme_model::{
    metal::{License, SnapshotPolicy},
    ops::{DataFile, DataSource, Hook, Job, Notification, Receipt},
    place::Billing,
};
use meetme_store::{AnyObject, KindInfo, Resource as _, Tx};
use serde_json::Value as Json;

use super::{By, Create, Hooks, Made, Remove, Replace, peering::of, read};
use crate::{Error, billing, licenses, notifications, volumes};

/// What is said of a file of a data source.
const MIRRORED: &str = "The files of a data source come, change and go by synchronising it.";

/// The kinds of the area with a policy.
pub(super) const HOOKS: &[(Kind, Hooks)] = &[
    of::<DataSource>(),
    of::<Hook>(),
    (
        DataFile::KIND,
        Hooks {
            create: Create::Refused(MIRRORED),
            replace: Replace::Refused(MIRRORED),
            remove: Remove::Refused(MIRRORED),
        },
    ),
    (
        Job::KIND,
        Hooks {
            // A job does its work without asking again who may have it done.
            create: Create::Refused("It comes from the operation whose work it is."),
            replace: Replace::Refused("What a job does is settled when it is made."),
            remove: Remove::Plain,
        },
    ),
    (
        Notification::KIND,
        Hooks {
            create: Create::By(create_notification),
            replace: Replace::By(replace_notification),
            remove: Remove::Plain,
        },
    ),
    (
        Receipt::KIND,
        Hooks {
            create: Create::Refused("It comes of reading."),
            replace: Replace::Refused("What was read was read."),
            remove: Remove::Plain,
        },
    ),
    (
        Billing::KIND,
        Hooks {
            create: Create::By(create_billing),
            replace: Replace::By(replace_billing),
            remove: Remove::By(remove_billing),
        },
    ),
    (
        License::KIND,
        Hooks { create: Create::By(create_license), replace: Replace::By(replace_license), remove: Remove::Plain },
    ),
    (
        SnapshotPolicy::KIND,
        Hooks {
            create: Create::By(create_snapshot_policy),
            replace: Replace::By(replace_snapshot_policy),
            remove: Remove::Plain,
        },
    ),
];

fn create_notification(
    by: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    tenant: Option<RawId>,
    spec: Json,
) -> Result<Made, Error> {
    let mut new: Notification = read(&spec)?;
    notifications::settle(tx, &mut new)?;
    Ok(Tx::erased(&tx.create(tenant.unwrap_or(by.caller.home().any()), new)?).into())
}

fn replace_notification(
    _: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    old: &AnyObject,
    spec: Json,
) -> Result<AnyObject, Error> {
    let mut row = tx.get::<Notification>(old.id.of())?;
    let mut new: Notification = Tx::sent_for(&row, spec)?;
    notifications::settle(tx, &mut new)?;
    tx.save(&mut row, new)?;
    Ok(Tx::erased(&row))
}

/// A row as the organization's ways to pay are kept: the first, and only one, is the usual one.
fn create_billing(by: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    billing::refuse_card_data("", &spec)?;
    let mut new: Billing = read(&spec)?;
    let node = super::access::on(tenant, new.organization.any(), "organization")?;
    let is_default = std::mem::take(&mut new.default);
    new.by = by.caller.subject.user;
    let made = tx.create(node, new)?;
    let made = billing::settle_default(tx, made, is_default)?;
    Ok(Tx::erased(&made).into())
}

fn replace_billing(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    billing::refuse_card_data("", &spec)?;
    let row = tx.get::<Billing>(old.id.of())?;
    let new: Billing = Tx::sent_for(&row, spec)?;
    let is_default = (new.default != row.spec.default).then_some(new.default);
    Ok(Tx::erased(&billing::change(tx, row.id, is_default, |billing| *billing = new)?))
}

fn remove_billing(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject) -> Result<(), Error> {
    billing::remove(tx, old.id.of())
}

fn create_license(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    let new: License = read(&spec)?;
    super::access::on(tenant, new.project.any(), "project")?;
    let mut made = licenses::ask(tx, new.project, new.product, new.size, new.description.clone())?;
    if new.key.is_some() {
        licenses::may_enter_key(tx)?;
    }
    if made.spec != new {
        tx.save(&mut made, new)?;
    }
    Ok(Tx::erased(&made).into())
}

/// Names are the customer's, keys are the operator's to enter.
fn replace_license(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    let mut row = tx.get::<License>(old.id.of())?;
    let new: License = Tx::sent_for(&row, spec)?;
    if new.key != row.spec.key {
        licenses::may_enter_key(tx)?;
    }
    tx.save(&mut row, new)?;
    Ok(Tx::erased(&row))
}

/// A rule takes snapshots in the volume's project, so it takes rights there to make one.
fn create_snapshot_policy(
    _: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    tenant: Option<RawId>,
    spec: Json,
) -> Result<Made, Error> {
    let new: SnapshotPolicy = read(&spec)?;
    let volume = tx.get(new.volume)?;
    super::access::on(tenant, volume.tenant, "volume's project")?;
    Ok(Tx::erased(&volumes::add_policy(tx, &volume, new.every, new.keep)?).into())
}

fn replace_snapshot_policy(
    _: By<'_>,
    tx: &mut Tx<'_>,
    _: &KindInfo,
    old: &AnyObject,
    spec: Json,
) -> Result<AnyObject, Error> {
    let mut row = tx.get::<SnapshotPolicy>(old.id.of())?;
    let new: SnapshotPolicy = Tx::sent_for(&row, spec)?;
    tx.save(&mut row, new)?;
    Ok(Tx::erased(&row))
}

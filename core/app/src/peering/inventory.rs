//! Routers that follow an inventory of devices, which tells of each change by a call of its own.
//!
//! Rule: the inventory decides what a router is called, what it is made of, whether it is in service, and its data for templates;
//! everything else of a router is the book's. The inventory says nothing of a maintenance, so a router in one stays in it.

use meetme_base::{Id, Invalid, RawId};
use meetme_model::{
    Admin,
    routing::{AutonomousSystem, Flavour, Platform, Router, RouterStatus},
};
use meetme_store::{Filter, Object, Query, Resource as _, Tx};
use serde_json::Value as Json;

use crate::{App, AuthFailure, Error, access};

/// Which devices of the inventory become routers, by the slugs of their roles and tags; where nothing is named, every device that the
/// inventory tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Its role must be one of these.
    pub roles: Vec<String>,
    /// It must have one of these tags.
    pub tags: Vec<String>,
}

/// What happened to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is there, new or changed.
    There,
    /// It is gone.
    Gone,
}

/// A device as the inventory tells of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Device {
    /// Its number in the inventory, above 0.
    pub number: i64,
    /// Its name.
    pub name: String,
    /// The slug of its platform, if it has one.
    pub platform: Option<String>,
    /// The slug of its role, if it has one.
    pub role: Option<String>,
    /// The slugs of its tags.
    pub tags: Vec<String>,
    /// Whether it is in service.
    pub is_active: bool,
    /// Its data for templates; where it has none, the router keeps what it has.
    pub context: Option<Json>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A router was made.
    Made(Id<Router>),
    /// A router was changed, or is as it was told already.
    Changed(Id<Router>),
    /// A router was removed.
    Removed,
    /// There is no platform of that slug, so nothing was done.
    NoPlatform,
}

/// Whether the caller may tell of an organization's inventory: whoever does must be allowed to make, change and remove routers there,
/// whatever comes of it.
///
/// # Errors
/// [`Error::Unauthenticated`] for nobody, [`Error::Denied`].
pub fn may(tx: &mut Tx<'_>, home: RawId) -> Result<(), Error> {
    if tx.actor().by.is_none() {
        return Err(Error::Unauthenticated(AuthFailure::Absent));
    }
    ["create", "change", "remove"].iter().try_for_each(|verb| access::require(tx, Router::KIND, verb, home))
}

/// Brings the routers of an organization in line with what its inventory tells.
///
/// # Errors
/// As [`may`]; [`Error::Invalid`] for a device that is not to become a router; [`Error::Missing`] for one that is gone
/// and was none; as [`super::create`], [`super::save`] and [`super::remove`].
pub fn take(app: &App, tx: &mut Tx<'_>, home: RawId, event: Event, device: &Device) -> Result<Taken, Error> {
    may(tx, home)?;
    is_wanted(&app.settings().inventory, device)?;
    let known = known(tx, home, device.number)?;
    match (event, known) {
        (Event::Gone, None) => Err(Error::missing(Router::KIND, device.number)),
        (Event::Gone, Some(row)) => super::remove(tx, row.id).map(|()| Taken::Removed),
        (Event::There, known) => {
            let Some(platform) = platform(tx, home, device)? else { return Ok(Taken::NoPlatform) };
            match known {
                Some(mut row) => {
                    let spec = told(row.spec.clone(), device, platform);
                    super::save(tx, &mut row, spec)?;
                    Ok(Taken::Changed(row.id))
                }
                None => {
                    let new = Router { local: ours(tx, home)?, inventory: Some(device.number), ..Router::default() };
                    let made = super::create(tx, home, told(new, device, platform), RouterStatus::default())?;
                    Ok(Taken::Made(made.id))
                }
            }
        }
    }
}

fn is_wanted(wanted: &Inventory, device: &Device) -> Result<(), Error> {
    let has = |list: &[String], slug: &str| list.iter().any(|one| one == slug);
    if !wanted.roles.is_empty() && !device.role.as_deref().is_some_and(|role| has(&wanted.roles, role)) {
        return Err(Invalid::rule("role", "Devices of this role do not become routers here.").into());
    }
    if !wanted.tags.is_empty() && !device.tags.iter().any(|tag| has(&wanted.tags, tag)) {
        return Err(Invalid::rule("tags", "Devices without one of the agreed tags do not become routers here.").into());
    }
    Ok(())
}

/// The organization's router with this number in the inventory.
fn known(tx: &mut Tx<'_>, home: RawId, number: i64) -> Result<Option<Object<Router>>, Error> {
    let boxes = Filter::eq("tenant", home).and(Filter::eq("flavour", Flavour::Hardware.word()));
    Ok(tx.list::<Router>(&Query::of(boxes.and(Filter::eq("inventory", number))).page(1, 0))?.into_iter().next())
}

/// The platform of this slug: the organization's own before one that it may use.
fn platform(tx: &mut Tx<'_>, home: RawId, device: &Device) -> Result<Option<Id<Platform>>, Error> {
    let Some(slug) = &device.platform else { return Ok(None) };
    let found = tx.list::<Platform>(&Query::of(Filter::eq("slug", slug.as_str())).page(100, 0))?;
    let own = found.iter().find(|row| row.tenant == home);
    Ok(own.or(found.first()).map(|row| row.id))
}

/// The AS that a new router speaks for: ours, where we have one only.
fn ours(tx: &mut Tx<'_>, home: RawId) -> Result<Option<Id<AutonomousSystem>>, Error> {
    let ours = Filter::eq("tenant", home).and(Filter::eq("ours", true));
    let found = tx.list::<AutonomousSystem>(&Query::of(ours).page(2, 0))?;
    Ok(if let [only] = &found[..] { Some(only.id) } else { None })
}

/// A router as the inventory has it. The name under which it is reached follows its own, until somebody gives it another.
fn told(before: Router, device: &Device, platform: Id<Platform>) -> Router {
    let admin = match (device.is_active, before.admin) {
        (false, _) => Admin::Disabled,
        (true, Admin::Disabled) => Admin::Enabled,
        (true, other) => other,
    };
    let follows = before.hostname.is_empty() || before.hostname == before.name;
    Router {
        hostname: if follows { device.name.clone() } else { before.hostname.clone() },
        name: device.name.clone(),
        platform: Some(platform),
        admin,
        context: device.context.clone().or(before.context),
        ..before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_devices_of_the_named_roles_and_tags_become_routers() {
        let device = |role: &str, tags: &[&str]| Device {
            role: Some(role.to_owned()),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            ..Device::default()
        };
        let wanted = |roles: &[&str], tags: &[&str]| Inventory {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        let field = |wanted: &Inventory, device: &Device| match is_wanted(wanted, device) {
            Err(Error::Invalid(bad)) => Some(bad[0].field.to_string()),
            _ => None,
        };
        assert_eq!(field(&Inventory::default(), &Device::default()), None);
        assert_eq!(field(&wanted(&["router", "edge"], &["a", "b"]), &device("edge", &["x", "b"])), None);
        assert_eq!(field(&wanted(&["router"], &[]), &device("switch", &[])).as_deref(), Some("role"));
        assert_eq!(field(&wanted(&["router"], &[]), &Device::default()).as_deref(), Some("role"));
        assert_eq!(field(&wanted(&[], &["a"]), &device("router", &["b"])).as_deref(), Some("tags"));
    }
}

//! A router on a platform whose driver we have is driven: it gets equipment of its own, kept in line with what the router
//! and its platform say. Equipment that somebody linked by hand is left alone.

use meetme_base::{RawId, Uid};
use meetme_model::{
    ops::{Equipment, Family},
    routing::{Platform, Router},
};
use meetme_store::{Filter, Object, Query, Tx};
use serde_json::{Map, Value};

use super::Ruled;
use crate::Error;

/// The drivers that are agents of ours.
pub const DRIVERS: &[&str] = &["bird", "frr", "gobgp", "sim"];

/// How the names of equipment begin that was made for a router.
const MADE: &str = "router-";

impl Ruled for Router {
    fn settle(&mut self, tx: &mut Tx<'_>, tenant: RawId, before: Option<&Self>) -> Result<(), Error> {
        let same = |b: &Self| {
            b.platform == self.platform
                && b.equipment == self.equipment
                && b.hostname == self.hostname
                && b.driver == self.driver
                && b.site == self.site
        };
        if before.is_some_and(same) {
            return Ok(());
        }
        link(self, tx, tenant)
    }

    fn follow(tx: &mut Tx<'_>, now: &Object<Self>, before: &Self) -> Result<(), Error> {
        if before.equipment == now.spec.equipment { Ok(()) } else { Self::leave(tx, before) }
    }

    fn leave(tx: &mut Tx<'_>, gone: &Self) -> Result<(), Error> {
        let Some(id) = gone.equipment else { return Ok(()) };
        tx.as_system(|tx| match tx.find(id)? {
            Some(row) if row.spec.name.starts_with(MADE) => Ok(tx.remove(id)?),
            _ => Ok(()),
        })
    }
}

impl Ruled for Platform {
    fn follow(tx: &mut Tx<'_>, now: &Object<Self>, before: &Self) -> Result<(), Error> {
        if now.spec.driver == before.driver && now.spec.args == before.args {
            return Ok(());
        }
        tx.as_system(|tx| {
            for mut row in tx.list::<Router>(&Query::of(Filter::eq("platform", now.id)))? {
                let old = row.spec.clone();
                let mut spec = old.clone();
                link(&mut spec, tx, row.tenant)?;
                tx.save(&mut row, spec)?;
                Router::follow(tx, &row, &old)?;
            }
            Ok(())
        })
    }
}

/// Makes, updates or takes away the equipment behind a router.
fn link(router: &mut Router, tx: &mut Tx<'_>, tenant: RawId) -> Result<(), Error> {
    let Some(platform) = router.platform else { return Ok(()) };
    // A platform that is not there is refused when the router is written.
    let Some(platform) = tx.find(platform)? else { return Ok(()) };
    tx.as_system(|tx| {
        let row = match router.equipment {
            Some(id) => tx.find(id)?,
            None => None,
        };
        if row.as_ref().is_some_and(|row| !row.spec.name.starts_with(MADE)) {
            return Ok(());
        }
        let wanted = DRIVERS.contains(&platform.spec.driver.as_str());
        router.equipment = match (wanted, row) {
            (true, Some(mut row)) => {
                let spec = described(router, &platform.spec, row.spec.clone());
                tx.save(&mut row, spec)?;
                Some(row.id)
            }
            (true, None) => {
                let name = format!("{MADE}{}", Uid::random());
                let blank = Equipment::new(name, Family::Router, platform.spec.driver.as_str(), "");
                Some(tx.create(tenant, described(router, &platform.spec, blank))?.id)
            }
            // The row itself goes once no router points at it.
            (false, _) => None,
        };
        Ok(())
    })
}

fn described(router: &Router, platform: &Platform, equipment: Equipment) -> Equipment {
    let mut settings = Map::new();
    for args in [&platform.args, &router.driver.args] {
        if let Some(Value::Object(args)) = args {
            settings.extend(args.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    if let Some(user) = &router.driver.user {
        settings.insert("user".to_owned(), user.as_str().into());
    }
    Equipment {
        make: platform.driver.clone(),
        address: router.hostname.clone(),
        access: router.driver.password.clone(),
        settings: if settings.is_empty() { Value::Null } else { Value::Object(settings) },
        site: router.site,
        zone: router.zone,
        ..equipment
    }
}

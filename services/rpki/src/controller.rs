//! The controller that keeps the table fresh. It looks after the operator, whose the table is.

use meetme_app::{App, Error, rpki};
use meetme_base::RawId;
use meetme_control::{Controller, Fence, Next, Soon};
use meetme_model::{
    access::Organization,
    routing::{Policy, RoaTable, RoaTableStatus, Router},
};
use meetme_store::{Filter, Object, Op, Tx};

use crate::{
    Config,
    fetch::{self, Fetched},
};

/// The name under which work is queued.
pub(crate) const NAME: &str = "rpki";

/// Keeps the table of validated ROAs fresh.
pub struct RpkiController {
    app: App,
    config: Config,
}

impl RpkiController {
    /// A controller that reads as configured.
    pub const fn new(app: App, config: Config) -> Self {
        Self { app, config }
    }
}

/// The one table, if there is one.
fn row(tx: &mut Tx<'_>) -> Result<Option<Object<RoaTable>>, Error> {
    Ok(tx.one::<RoaTable>(&Filter::All)?)
}

/// Whether any policy asks for filters made of ROAs.
fn is_asked_for(tx: &mut Tx<'_>) -> Result<bool, Error> {
    let mut found = false;
    tx.each::<Policy>(&meetme_store::Query::of(Filter::All), |policy| {
        found |= meetme_app::routers::Asks::of([&policy]).rpki;
        Ok(())
    })?;
    Ok(found)
}

impl Controller for RpkiController {
    const NAME: &'static str = NAME;
    type Job = RoaTableStatus;
    type Outcome = Result<Fetched, String>;

    fn plan(&self, tx: &mut Tx<'_>, id: RawId) -> Result<Next<RoaTableStatus>, Error> {
        if tx.find::<Organization>(id.of())?.is_none() {
            return Ok(Next::Gone);
        }
        let known = row(tx)?.filter(|row| Some(&row.spec.source) == self.config.source.as_ref()).map(|row| row.status);
        Ok(Next::Drive(known.unwrap_or_default()))
    }

    fn drive(&self, known: RoaTableStatus, _: Fence) -> Soon<'_, Self::Outcome> {
        Box::pin(async move { fetch::fetch(&self.config, &known).await })
    }

    fn record(&self, tx: &mut Tx<'_>, id: RawId, outcome: &Self::Outcome) -> Result<Next<()>, Error> {
        let source = self.config.source.clone().unwrap_or_default();
        let mut row = match row(tx)? {
            Some(row) => row,
            None => tx.create(id, RoaTable { source: source.clone() })?,
        };
        if row.spec.source != source {
            tx.save(&mut row, RoaTable { source })?;
        }
        let now = tx.now();
        let mut status = RoaTableStatus { tried_at: Some(now), failure: None, ..row.status.clone() };
        let look_again = Some(self.config.refresh());
        let next = match outcome {
            Err(why) => {
                status.failure = Some(why.clone());
                Next::Wait { why: why.clone(), at_most: self.config.refresh() }
            }
            Ok(Fetched::Same) => {
                status.fetched_at = Some(now);
                Next::Settled { look_again }
            }
            Ok(Fetched::New { export, etag, modified }) => {
                status.fetched_at = Some(now);
                status.etag.clone_from(etag);
                status.modified.clone_from(modified);
                status.left_out = export.left_out;
                if row.status.version == 0 || *rpki::table(&self.app, tx)? != export.table {
                    status.version += 1;
                    let (count4, count6) = export.table.counts();
                    status.count4 = u32::try_from(count4).unwrap_or(u32::MAX);
                    status.count6 = u32::try_from(count6).unwrap_or(u32::MAX);
                    rpki::store(tx, &row, &export.table, status.version)?;
                    if is_asked_for(tx)? {
                        for router in tx.ids::<Router>(&Filter::is("equipment", Op::Empty(false)))? {
                            tx.enqueue("router", router.any(), now)?;
                        }
                    }
                    tracing::info!(
                        roas.v4 = count4,
                        roas.v6 = count6,
                        version = status.version,
                        "validated ROAs were read"
                    );
                }
                Next::Settled { look_again }
            }
        };
        tx.observe(&mut row, status, None)?;
        Ok(next)
    }
}

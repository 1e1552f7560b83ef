//! The work: bringing our copy up to date, and taking over the sessions of an exchange.

use std::{collections::BTreeMap, sync::Arc};

use meetme_app::{
    App, Error,
    mirror::{self, Batch, Kept, Type},
    peering::import,
};
use meetme_base::Time;
use meetme_control::{
    Soon,
    jobs::{Done, Log, Work, Worker},
};
use meetme_model::mirror::PdbSync;
use meetme_store::Context;

use crate::{
    Settings,
    client::{Answer, Client},
};

/// How far back a change counts as recent: what it refers to may only have come after it was asked for.
const RECENT_SECONDS: i64 = 24 * 3600;
/// How often a step is done again because somebody changed the same rows.
const TRIES: u32 = 5;

/// Does the work around the public peering database.
pub struct PeeringDb {
    app: App,
    client: Result<Client, String>,
    /// One synchronisation at a time.
    turn: tokio::sync::Mutex<()>,
}

/// What a synchronisation came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many rows came.
    pub made: u64,
    /// How many rows changed.
    pub changed: u64,
    /// How many rows went.
    pub removed: u64,
    /// How many rows were passed over.
    pub refused: u64,
    /// What linking changed.
    pub linked: mirror::Linked,
}

impl Summary {
    fn add(&mut self, kept: &Kept) {
        self.made += kept.made;
        self.changed += kept.changed;
        self.removed += kept.removed;
        self.refused += kept.refused;
    }

    /// The summary as a sentence.
    pub fn sentence(&self) -> String {
        let Self { made, changed, removed, refused, linked } = self;
        format!(
            "{made} rows came, {changed} changed, {removed} went, {refused} were passed over; {} connections and {} exchanges \
             were linked anew, {} autonomous systems follow their networks.",
            linked.connections, linked.exchanges, linked.systems
        )
    }
}

impl PeeringDb {
    /// As an operator decided. A wrong address shows when the work is asked for.
    pub fn new(app: App, settings: &Settings) -> Self {
        Self { app, client: Client::new(settings).map_err(|e| e.to_string()), turn: tokio::sync::Mutex::new(()) }
    }

    /// Brings the copy up to date, and links what is in the books to it. Types are kept one by one: what is there when one fails,
    /// stays and is linked.
    ///
    /// # Errors
    /// A sentence for whoever asked.
    pub async fn synchronise(&self, context: &Context, log: &Log) -> Result<Summary, String> {
        let client = self.client.as_ref().map_err(Clone::clone)?;
        let _turn = self.turn.lock().await;
        let begun = self.app.now();
        let last = self.app.store().read::<_, Error, _>(Context::system(), mirror::last).await;
        let before = last.map_err(|e| e.to_string())?.map(|row| row.spec.again).unwrap_or_default();
        let (mut summary, mut again, mut failed) = (Summary::default(), BTreeMap::new(), None);
        for each in mirror::TYPES {
            let asked = before.get(each.name).copied();
            match self.one(client, each, asked, begun, context, log).await {
                Ok(kept) => {
                    summary.add(&kept);
                    again.extend(kept.again.map(|at| (each.name.to_owned(), at)));
                }
                Err(why) => {
                    // It will be asked for again, from where it stood.
                    again.extend(asked.map(|at| (each.name.to_owned(), at)));
                    failed = Some(why);
                    break;
                }
            }
        }
        summary.linked = self.write(context, mirror::link).await?;
        let linked = summary.linked;
        if linked != mirror::Linked::default() {
            log.info(format!(
                "{} connections, {} exchanges and {} autonomous systems follow the database.",
                linked.connections, linked.exchanges, linked.systems
            ));
        }
        let Summary { made, changed, removed, .. } = summary;
        if made + changed + removed > 0 || again != before {
            let row = PdbSync { time: begun, made, changed, removed, again };
            let keep = move |tx: &mut meetme_store::Tx<'_>| {
                let operator = mirror::operator(tx)?;
                Ok(tx.create(operator.any(), row.clone())?.id)
            };
            self.write(context, keep).await?;
        }
        failed.map_or(Ok(summary), Err)
    }

    async fn one(
        &self,
        client: &Client,
        each: &'static Type,
        again: Option<Time>,
        begun: Time,
        context: &Context,
        log: &Log,
    ) -> Result<Kept, String> {
        let newest = self.app.store().read::<_, Error, _>(Context::system(), each.newest).await;
        let newest = newest.map_err(|e| e.to_string())?;
        let since = newest.map(|newest| again.map_or(newest, |again| again.min(newest)));
        let clock = self.app.clock();
        let (mut body, mark) =
            match client.fetch(each.name, since, clock.as_ref(), log).await.map_err(|e| e.to_string())? {
                Answer::Same => return Ok(Kept::default()),
                Answer::Rows(body, mark) => (body, mark),
            };
        // Reading tens of megabytes takes its time, which other work on this thread should not wait for.
        let read = tokio::task::spawn_blocking(move || (each.read)(&mut body)).await.map_err(|e| e.to_string())?;
        let batch: Arc<dyn Batch> = read?.into();
        // A row that was passed over before is not asked for a third time.
        let recent = begun.plus_seconds(-RECENT_SECONDS);
        let recent = newest.map_or(recent, |newest| recent.max(newest.plus_millis(1)));
        let kept = self.write(context, move |tx| batch.keep(tx, recent)).await?;
        client.remember(each.name, mark);
        let Kept { made, changed, removed, refused, .. } = kept;
        if made + changed + removed > 0 {
            log.info(format!("{}: {made} rows came, {changed} changed, {removed} went.", each.name));
        }
        kept.lines.iter().for_each(|line| log.warning(line.as_str()));
        let more = refused.saturating_sub(kept.lines.len() as u64);
        if more > 0 {
            log.warning(format!("{}: {more} more rows were passed over.", each.name));
        }
        Ok(kept)
    }

    /// Writes, again when somebody else changed the same rows meanwhile.
    async fn write<T, F>(&self, context: &Context, f: F) -> Result<T, String>
    where
        T: Send + 'static,
        F: Fn(&mut meetme_store::Tx<'_>) -> Result<T, Error> + Clone + Send + 'static,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.app.store().write(context.clone(), f.clone()).await {
                Err(Error::Stale { .. }) if tries < TRIES => {}
                done => return done.map_err(|e| e.to_string()),
            }
        }
    }

    async fn import(&self, work: &Work) -> Result<Done, String> {
        let exchange = work.job.spec.subject.ok_or("The exchange is gone.")?;
        let imported = self.write(&work.context(), move |tx| import::import(tx, exchange.of())).await?;
        imported.passed_over.iter().for_each(|line| work.log.info(line.as_str()));
        let text = format!("{} sessions and {} autonomous systems were made.", imported.sessions, imported.systems);
        work.log.success(text.as_str());
        Ok(Done::said(text))
    }
}

impl Worker for PeeringDb {
    fn what(&self) -> &'static [&'static str] {
        &[mirror::SYNCHRONISE, import::IMPORT]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        Box::pin(async move {
            if work.job.spec.what == import::IMPORT {
                return self.import(work).await;
            }
            let summary = self.synchronise(&work.context(), &work.log).await?;
            let text = summary.sentence();
            work.log.success(text.as_str());
            Ok(Done::said(text))
        })
    }
}

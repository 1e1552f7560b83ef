//! The worker: does what was asked for at an IX-API, with credentials that are opened only here.

use meetme_app::{
    App,
    ixapis::{ACCOUNTS, Access, MAC, Registration},
};
use meetme_control::{
    Soon,
    jobs::{Done, Work, Worker},
};
use serde_json::Value as Json;

use crate::client::{Account, Client};

/// Speaks to IX-APIs.
pub struct IxApiWorker {
    app: App,
    client: Client,
}

impl IxApiWorker {
    /// Over this way.
    pub fn new(app: App, client: Client) -> Self {
        Self { app, client }
    }

    fn account(&self, access: &Access) -> Result<Account, String> {
        let open = |sealed| self.app.sealer().open(sealed).map_err(|e| e.to_string());
        Ok(Account { url: access.url.clone(), key: open(&access.key)?, secret: open(&access.secret)? })
    }
}

impl Worker for IxApiWorker {
    fn what(&self) -> &'static [&'static str] {
        &[ACCOUNTS, MAC]
    }

    fn run<'a>(&'a self, work: &'a Work) -> Soon<'a, Result<Done, String>> {
        Box::pin(async move {
            let inputs = work.job.spec.inputs.clone();
            let unread = |e: serde_json::Error| format!("What is to be done cannot be read: {e}");
            if work.job.spec.what == ACCOUNTS {
                let access: Access = serde_json::from_value(inputs).map_err(unread)?;
                let accounts = self.client.accounts(&self.account(&access)?).await?;
                let said = format!("The IX-API names {} accounts.", accounts.len());
                work.log.success(said.clone());
                return Ok(Done { output: said, answer: Json::Array(accounts) });
            }
            let wish: Registration = serde_json::from_value(inputs).map_err(unread)?;
            let account = self.account(&wish.access)?;
            let said = self.client.register(&account, &wish.identity, &wish.addresses, wish.mac).await?;
            work.log.success(said.clone());
            Ok(Done::said(said))
        })
    }
}

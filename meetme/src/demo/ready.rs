//! When the server may be used: the store answers, and the demo's world, if there is to be one, is all there.

use std::{future::Future, pin::Pin};

use meetme_app::{App, Error};
use meetme_model::{
    metal::Server,
    place::{Image, Metro, Plan, Site},
    routing::Router,
};
use meetme_store::{Context, Filter};

/// The checks behind `/readyz`.
#[derive(Clone)]
pub struct Readiness {
    app: App,
    demo: bool,
}

type Told = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

impl Readiness {
    /// Over a core; `demo` says whether a demo world must be there.
    pub fn new(app: App, demo: bool) -> Self {
        Self { app, demo }
    }

    /// The store answers a read.
    pub fn store(&self) -> impl Fn() -> Told + Send + Sync + 'static {
        let app = self.app.clone();
        move || -> Told {
            let app = app.clone();
            Box::pin(async move {
                let read = app.store().read::<_, Error, _>(Context::system(), |tx| Ok(tx.last_cursor().map(drop)?));
                read.await.map_err(|e| e.to_string())
            })
        }
    }

    /// Everything the demo promises can be used.
    pub fn demo(&self) -> impl Fn() -> Told + Send + Sync + 'static {
        let (app, wanted) = (self.app.clone(), self.demo);
        move || -> Told {
            let app = app.clone();
            Box::pin(async move {
                if !wanted {
                    return Ok(());
                }
                let read = app.store().read::<_, Error, _>(Context::system(), |tx| {
                    let there = [
                        ("the location us-ral", tx.exists::<Metro>(&Filter::eq("slug", "us-ral"))?),
                        ("facilities", tx.exists::<Site>(&Filter::All)?),
                        ("plans", tx.exists::<Plan>(&Filter::All)?),
                        ("images", tx.exists::<Image>(&Filter::All)?),
                        ("a simulated router", tx.exists::<Router>(&Filter::eq("name", "edge1.demo"))?),
                        ("servers", tx.exists::<Server>(&Filter::All)?),
                    ];
                    Ok(there.into_iter().find(|(_, there)| !there).map(|(what, _)| what))
                });
                match read.await {
                    Ok(None) => Ok(()),
                    Ok(Some(what)) => Err(format!("{what} is missing")),
                    Err(e) => Err(e.to_string()),
                }
            })
        }
    }
}

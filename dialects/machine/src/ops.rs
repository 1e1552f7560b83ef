//! The table.

use std::{future::Future, sync::Arc};

use http::StatusCode;
use meetme_app::{
    Error,
    devices::machine::{self, MachineDoor, Report, Start},
};
use meetme_base::Invalid;
use meetme_http::{Cx, Op, Problem, Reply, Verb};
use meetme_model::place::{Plan, Site};

use crate::{Settings, files, script, seed};

/// The longest thing a machine has to say here.
const LONGEST: usize = 16 * 1024;

type Shared = Arc<Settings>;

/// Every operation. None takes a credential: who asks is known by the address they ask from.
pub fn table(settings: &Shared) -> Vec<Op> {
    let get = |id, path, summary| Op::get(id, path).group("start").summary(summary).open();
    let post = |id, path, summary| {
        Op::post(id, path).group("report").summary(summary).verb(Verb::Act).open().success(204).body_limit(LONGEST)
    };
    vec![
        get("script", "/auto.ipxe", "What the machine is to start from, as a script for iPXE.")
            .gives_media("text/plain")
            .run(with(settings, start)),
        get("plan", "/install/plan", "What the system in memory is to do.")
            .gives_media("text/plain")
            .run(with(settings, plan)),
        get("keys", "/install/keys", "Who may log in to the system in memory.")
            .gives_media("text/plain")
            .run(with(settings, keys)),
        get("seed", "/install/seed/{file}", "A file that the installed system reads at its first start.")
            .gives_media("text/plain")
            .run(with(settings, seed_file)),
        get("file", "/files/{name}", "A file of the installation system.")
            .gives_media("application/octet-stream")
            .run(with(settings, file)),
        post("step", "/install/step/{code}", "A step of the installation is done.").run(with(settings, step)),
        post("failed", "/install/failed", "What the machine is at cannot go on.").run(with(settings, failed)),
        post("wiped", "/install/wiped", "Everything that was stored on the machine is removed.")
            .run(with(settings, wiped)),
    ]
}

fn with<F, Fut>(settings: &Shared, run: F) -> impl Fn(Cx) -> Fut + Send + Sync + 'static
where
    F: Fn(Cx, Shared) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Reply, Problem>> + Send + 'static,
{
    let settings = Arc::clone(settings);
    move |cx| run(cx, Arc::clone(&settings))
}

fn door(cx: &Cx, settings: &Settings) -> MachineDoor {
    MachineDoor { from: cx.peer, site: settings.site.clone(), request: cx.request_id }
}

fn base(cx: &Cx, settings: &Settings) -> String {
    settings.url.clone().unwrap_or_else(|| cx.base_url.clone()).trim_end_matches('/').to_owned()
}

fn plain(text: impl Into<String>) -> Reply {
    Reply::bytes(StatusCode::OK, "text/plain; charset=utf-8", text.into())
        .header(http::header::CACHE_CONTROL, "no-store")
}

async fn start(cx: Cx, settings: Shared) -> Result<Reply, Problem> {
    let app = cx.app.clone();
    // A customer's script is all that is known of the machine's end: fetching it is the end.
    let told = machine::write(&cx.app, door(&cx, &settings), move |tx, device| {
        let start = machine::start(tx, &device)?;
        let (site, plan) = (tx.get::<Site>(device.spec.site)?, tx.get::<Plan>(device.spec.plan)?);
        machine::started(&app, tx, device, &start)?;
        Ok((start, site.spec.slug, plan.spec.slug))
    });
    let (start, site, plan) = told.await?;
    let place = script::Place { site: &site, plan: &plan };
    Ok(plain(script::script(&start, &base(&cx, &settings), &settings.arguments, &place)))
}

async fn plan(cx: Cx, settings: Shared) -> Result<Reply, Problem> {
    let app = cx.app.clone();
    let text = machine::read(&cx.app, door(&cx, &settings), move |tx, device| match machine::start(tx, &device)? {
        Start::Install => {
            let installation = machine::installation(&app, tx, &device)?;
            seed::plan(&installation).ok_or_else(|| {
                let text = "The image says nowhere from where it is fetched: give it a source.";
                Error::conflict("state", text)
            })
        }
        Start::Wipe => Ok("action=wipe\n".to_owned()),
        Start::Rescue => Ok("action=rescue\n".to_owned()),
        Start::Wait | Start::Disk | Start::Script { .. } => Ok("action=restart\n".to_owned()),
    });
    Ok(plain(text.await?))
}

async fn keys(cx: Cx, settings: Shared) -> Result<Reply, Problem> {
    let text = machine::read(&cx.app, door(&cx, &settings), |tx, device| {
        if machine::start(tx, &device)? != Start::Rescue {
            return Err(Error::conflict("state", "This machine is not to be rescued."));
        }
        Ok(machine::keys(tx, &device)?.iter().map(|key| format!("{key}\n")).collect::<String>())
    });
    Ok(plain(text.await?))
}

async fn seed_file(cx: Cx, settings: Shared) -> Result<Reply, Problem> {
    let (app, name, base) = (cx.app.clone(), cx.param("file").to_owned(), base(&cx, &settings));
    let text = machine::read(&cx.app, door(&cx, &settings), move |tx, device| {
        let installation = machine::installation(&app, tx, &device)?;
        Ok(match name.as_str() {
            "meta-data" => Some(seed::meta_data(&installation)),
            "user-data" => Some(seed::user_data(&installation)),
            "vendor-data" => Some(seed::vendor_data(&installation, &base)),
            "network-config" => Some(seed::network_config(&installation)),
            _ => None,
        })
    });
    Ok(plain(text.await?.ok_or(Problem::NoRoute)?))
}

async fn file(cx: Cx, settings: Shared) -> Result<Reply, Problem> {
    // Only for machines that are somebody's: the answer shows nothing, the asking for it is work.
    machine::read(&cx.app, door(&cx, &settings), |_, _| Ok(())).await?;
    files::send(settings.files.as_deref(), cx.param("name")).await
}

async fn report(cx: &Cx, settings: &Settings, report: Report) -> Result<Reply, Problem> {
    let app = cx.app.clone();
    machine::write(&cx.app, door(cx, settings), move |tx, device| machine::report(&app, tx, device, &report)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

async fn step(cx: Cx, settings: Shared) -> Result<Reply, Problem> {
    let code = cx.param("code").to_owned();
    report(&cx, &settings, Report::Step(code)).await
}

async fn failed(cx: Cx, settings: Shared) -> Result<Reply, Problem> {
    let why = String::from_utf8_lossy(&cx.body).trim().to_owned();
    if why.is_empty() {
        return Err(Error::from(Invalid::required("why")).into());
    }
    report(&cx, &settings, Report::Failed(why)).await
}

async fn wiped(cx: Cx, settings: Shared) -> Result<Reply, Problem> {
    report(&cx, &settings, Report::Wiped).await
}

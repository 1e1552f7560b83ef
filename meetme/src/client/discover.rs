//! `meetme discover`: asks for the look at a server's management controller and waits for its end.

use std::{
    io::Write,
    time::{Duration, Instant},
};

use anyhow::bail;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    DiscoverArgs,
    api::{Api, Call},
    show,
};

/// How often the job is looked at.
const POLL: Duration = Duration::from_millis(250);

/// Runs the command.
///
/// # Errors
/// When the server refuses, or the controller cannot be asked.
pub async fn run(args: DiscoverArgs, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
    let api = Api::new(&args.connection)?;
    let wish = args.plan.as_ref().map_or_else(|| json!({}), |plan| json!({ "plan": plan }));
    let call = Call::new(Method::POST, ["equipment", &args.equipment, "discover"]).body(wish);
    let mut job = api.send(call).await?;
    let id = job["id"].to_string();
    let end = Instant::now() + Duration::from_secs(args.wait);
    while Instant::now() < end && matches!(state(&job), "queued" | "running") {
        tokio::time::sleep(POLL).await;
        job = api.send(Call::get(["job", &id])).await?;
    }
    match state(&job) {
        "ok" => show(out, &args.connection, &job["status"]["answer"]),
        // Without waiting, the job itself is the answer.
        "queued" | "running" if args.wait == 0 => show(out, &args.connection, &job),
        "queued" | "running" => bail!("the controller has not answered yet; look at job {id}"),
        _ => bail!("{}", job["status"]["output"].as_str().unwrap_or("it failed without a word")),
    }
}

fn state(job: &Value) -> &str {
    // A fresh job's status has nothing to tell and may leave it out.
    job["status"]["state"].as_str().unwrap_or("queued")
}

//! Keeping what was seen of a device.

use std::time::Duration;

use meetme_agent::{
    AgentError, WireSecret,
    server::{Counters, Health as Felt, Observed},
};
use meetme_app::{
    App, Error,
    devices::{self, usage},
    nics,
};
use meetme_base::Time;
use meetme_model::{
    LifeStatus, Phase, Reason, Wanted,
    fabric::{Address, Landing},
    living,
    metal::{Device, DeviceStatus, Health, Power, RootPassword, Server, ServerStatus, Traffic},
    place::Image,
};
use meetme_store::{Filter, Moved, Object, Resource as _, Tx};

use super::{Intent, complaint, is_over, memory};
use crate::{controller::Next, life, pace::Pace};

/// How long a first password is kept, in seconds.
const PASSWORD_SECONDS: i64 = 24 * 3600;

/// Something begins: says so, and for an installation makes its list of steps and its password.
pub(super) fn begun(
    app: &App,
    tx: &mut Tx<'_>,
    mut device: Object<Device>,
    intent: Intent,
    password: &WireSecret,
) -> Result<Next<()>, Error> {
    let now = tx.now();
    let mut status = device.status.clone();
    status.life = life::moved(&status.life, intent.phase, intent.step, None, now);
    if intent.phase == Phase::Removing {
        // A device that ends on its day was taken off by nobody.
        nics::take_all(tx, device.id)?;
    }
    if intent.installs() {
        let sealed = app.sealer().seal(password.expose())?;
        status.root_password = Some(RootPassword { value: sealed, until: now.plus_seconds(PASSWORD_SECONDS) });
        if status.steps.is_empty() || intent.step == Some("reinstall") {
            let image = tx.get::<Image>(device.spec.image)?;
            let addresses = tx.all::<Address>(Filter::eq("device", device.id))?;
            let addresses: Vec<&Address> = addresses.iter().map(|a| &a.spec).collect();
            status.steps = devices::steps(&image.spec, &addresses);
        }
    }
    let line = line(&device, &status.life);
    tx.observe(&mut device, status, line)?;
    Ok(Next::Drive(()))
}

/// The equipment answered.
pub(super) fn seen(
    tx: &mut Tx<'_>,
    mut device: Object<Device>,
    key: &str,
    seen: &Observed,
    pace: &Pace,
) -> Result<Next<()>, Error> {
    let now = tx.now();
    let is_ours = seen.key.as_deref() == Some(key);
    if is_over(tx, &device) {
        return if is_ours { wiping(tx, device, seen, pace) } else { bury(tx, device, pace) };
    }
    if !is_ours {
        // It was told a moment ago and does not hold it: told again, less and less often.
        let at_most = pace.patience(device.status.life.since, now);
        return Ok(Next::Wait { why: "The server does not do what it is told.".to_owned(), at_most });
    }
    steps(tx, &mut device, seen)?;
    server(tx, &device, seen)?;
    let mut status = device.status.clone();
    // What the machine says after it was told something else is not about this.
    let complaint = complaint(&status).map(|said| said.text.clone()).filter(|_| seen.busy.is_some());
    status.told = memory(status.told.as_ref(), seen, now);
    status.life.reason = seen.last_error.clone().map(|text| Reason { code: "server".to_owned(), text });
    status.power = Some(if seen.power { Power::On } else { Power::Off });
    if status.root_password.as_ref().is_some_and(|p| p.until <= now) {
        status.root_password = None;
    }
    if let Some(counted) = seen.counters {
        status.traffic = Some(count(tx, &device, counted, pace)?);
    }
    if seen.busy.is_none() {
        let is_installed = seen.installed > device.spec.reinstalls;
        if is_installed && status.life.ready_at.is_none() {
            status.life.ready_at = Some(now);
        }
        status.reinstalls = if is_installed { device.spec.reinstalls } else { status.reinstalls };
        status.restarts = seen.starts.max(status.restarts);
    }
    let left = Intent::of(&device.spec, &status, false);
    match left {
        None => {
            let phase = match device.spec.life.wanted {
                Wanted::Off => Phase::Off,
                _ if device.spec.life.gone_at.is_some() => Phase::Ending,
                _ => Phase::Up,
            };
            let reason = status.life.reason.clone();
            status.life = life::moved(&status.life, phase, None, reason, now);
        }
        Some(_) if complaint.is_some() => {
            let text = format!("The machine says: {}", complaint.unwrap_or_default());
            return fail(tx, device, Reason { code: "machine".to_owned(), text }, pace);
        }
        Some(_) if pace.is_too_long(status.life.since, now) => {
            let text = late("This takes too long; the operator has to look after the server.", &device.status);
            return fail(tx, device, Reason { code: "late".to_owned(), text }, pace);
        }
        // It does again what it had failed to do. Of equipment that remembers nothing that is known only when it was told again.
        Some(intent)
            if status.life.phase == Phase::Failed
                && (seen.remembers || status.told.as_ref().map(|t| t.at) > device.status.life.since) =>
        {
            status.life = life::moved(&status.life, intent.phase, intent.step, None, now);
        }
        Some(_) if status.life.phase == Phase::Failed => status.life.reason.clone_from(&device.status.life.reason),
        Some(_) => {}
    }
    let line = line(&device, &status.life);
    let since = status.life.since;
    tx.observe(&mut device, status, line)?;
    Ok(match left {
        None => Next::Settled { look_again: Some(look_again(&device, now, pace)) },
        Some(intent) if intent.is_under_way(&device.status) => {
            Next::Wait { why: "The server is at work.".to_owned(), at_most: pace.patience(since, now) }
        }
        Some(_) => Next::Drive(()),
    })
}

/// The line in the log for a move of a device: steps of power have codes of their own.
fn line(device: &Object<Device>, after: &LifeStatus) -> Option<Moved> {
    let (before, title) = (&device.status.life, device.spec.title());
    let usual = life::line(&title, before, after)?;
    let is_running = matches!(after.phase, Phase::Up | Phase::Ending);
    let (code, text) = match (before.phase, before.step.as_deref(), after.step.as_deref()) {
        (_, _, Some("stop")) if after.phase == Phase::Changing => ("power.201", "is being switched off"),
        (_, _, Some("start")) if after.phase == Phase::Changing => ("power.201", "is being switched on"),
        (_, _, Some("reboot")) if after.phase == Phase::Changing => ("power.201", "is being started again"),
        (Phase::Changing, Some("stop"), _) if after.phase == Phase::Off => ("power.202", "is switched off"),
        (Phase::Changing, Some("reboot"), _) if is_running => ("power.203", "was started again"),
        (Phase::Changing, Some("start"), _) if is_running => ("power.204", "is switched on"),
        _ => return Some(usual),
    };
    Some(Moved::new(code, format!("{title} {text}.")))
}

/// When to look again at what is as wished: in time for its end, when it has one.
fn look_again(device: &Object<Device>, now: Time, pace: &Pace) -> Duration {
    let left = device.spec.life.gone_at.map(|end| Duration::from_millis(u64::try_from(end.0 - now.0).unwrap_or(0)));
    left.map_or(pace.watch, |left| left.min(pace.watch))
}

/// Keeps what the server's interfaces counted, but not at every look while something is going on.
fn count(tx: &mut Tx<'_>, device: &Object<Device>, counted: Counters, pace: &Pace) -> Result<Traffic, Error> {
    let now = Traffic { inbound: counted.inbound, outbound: counted.outbound, at: tx.now() };
    let pause = i64::try_from((pace.watch / 5).as_millis()).unwrap_or(i64::MAX);
    match device.status.traffic {
        Some(before) if now.at.0 - before.at.0 < pause => Ok(before),
        before => usage::read(tx, device.id.any(), before, now),
    }
}

/// Keeps what the equipment says of the server itself.
fn server(tx: &mut Tx<'_>, device: &Object<Device>, seen: &Observed) -> Result<(), Error> {
    let Some(mut server) = device.spec.server.map(|id| tx.find::<Server>(id)).transpose()?.flatten() else {
        return Ok(());
    };
    let health = seen.health.map(|health| match health {
        Felt::Ok => Health::Ok,
        Felt::Warning => Health::Warning,
        Felt::Critical => Health::Critical,
    });
    let power = Some(if seen.power { Power::On } else { Power::Off });
    let status = ServerStatus { power, health, ..server.status.clone() };
    Ok(tx.observe(&mut server, status, None)?)
}

/// The server is still being wiped. What does not come to its end is begun again after a while: until it does, the server is nobody's.
fn wiping(tx: &mut Tx<'_>, mut device: Object<Device>, seen: &Observed, pace: &Pace) -> Result<Next<()>, Error> {
    let now = tx.now();
    let mut status = device.status.clone();
    let complaint = complaint(&status).map(|said| said.text.clone());
    status.told = memory(status.told.as_ref(), seen, now);
    let began = status.told.as_ref().map(|t| t.at);
    let why = match complaint {
        Some(text) => Some(Reason { code: "machine".to_owned(), text: format!("The machine says: {text}") }),
        None if pace.is_too_long(began.or(status.life.since), now) => {
            let text = late("The server does not say that it is wiped.", &status);
            Some(Reason { code: "late".to_owned(), text })
        }
        None => None,
    };
    let Some(reason) = why else {
        let since = status.life.since;
        tx.observe(&mut device, status, None)?;
        return Ok(Next::Wait { why: "The server is being wiped.".to_owned(), at_most: pace.patience(since, now) });
    };
    // It is told again at the next look.
    if let Some(told) = &mut status.told {
        told.busy = None;
    }
    tx.observe(&mut device, status, None)?;
    fail(tx, device, reason, pace)
}

/// A sentence about something that did not happen in time, and what the machine said last.
fn late(text: &str, status: &DeviceStatus) -> String {
    let last = status.said.as_ref().map_or_else(
        || "It has not been heard of at all.".to_owned(),
        |said| format!("The last that was heard of it, at {}: {}", said.at, said.text),
    );
    format!("{text} {last}")
}

/// Marks the steps that are done, each with a line in the log.
fn steps(tx: &mut Tx<'_>, device: &mut Object<Device>, seen: &Observed) -> Result<(), Error> {
    for (code, at) in &seen.done {
        let mut status = device.status.clone();
        let Some(step) = status.steps.iter_mut().find(|s| s.code == *code && s.at.is_none()) else { continue };
        step.at = Some(*at);
        let moved = Moved::new(step.code.clone(), step.text.clone());
        tx.observe(device, status, Some(moved))?;
    }
    Ok(())
}

/// Nothing of the device is left on any server: everything it held is free.
fn bury(tx: &mut Tx<'_>, mut device: Object<Device>, pace: &Pace) -> Result<Next<()>, Error> {
    let now = tx.now();
    // Whoever gets the server next must not find it in a network of this one's owner.
    let landings = tx.all::<Landing>(Filter::eq("port.device", device.id).and(living()))?;
    if landings.iter().any(|landing| !landing.status.on.is_empty()) {
        let why = "The switches are taking the device's networks off.".to_owned();
        return Ok(Next::Wait { why, at_most: pace.patience(device.status.life.since, now) });
    }
    if let Some(server) = device.spec.server
        && let Some(mut server) = tx.find::<Server>(server)?
    {
        let mut status = server.status.clone();
        status.wiped_at = Some(now);
        status.power = Some(Power::Off);
        tx.observe(&mut server, status, None)?;
    }
    devices::finish(tx, &mut device)?;
    tx.release_all(device.id.any())?;
    let life = life::moved(&device.status.life, Phase::Gone, None, None, now);
    let line = line(&device, &life);
    let status =
        DeviceStatus { life, power: Some(Power::Off), root_password: None, told: None, ..device.status.clone() };
    tx.observe(&mut device, status, line)?;
    Ok(Next::Gone)
}

/// The equipment did not do it. What does not answer is asked again; what refuses has failed, at the step it was at.
pub(super) fn failed(
    tx: &mut Tx<'_>,
    mut device: Object<Device>,
    error: &AgentError,
    pace: &Pace,
) -> Result<Next<()>, Error> {
    let reason = life::reason(error);
    if !error.is_passing() && !matches!(error, AgentError::Fenced { .. }) {
        return fail(tx, device, reason, pace);
    }
    let why = reason.text.clone();
    let mut status = device.status.clone();
    status.life.reason = Some(reason);
    tx.observe(&mut device, status, None)?;
    Ok(Next::Wait { why, at_most: pace.retry })
}

fn fail(tx: &mut Tx<'_>, mut device: Object<Device>, reason: Reason, pace: &Pace) -> Result<Next<()>, Error> {
    let step = match Intent::of(&device.spec, &device.status, is_over(tx, &device)).map(|i| i.phase) {
        Some(Phase::Removing) => "removal",
        Some(Phase::Building) => "build",
        _ => "change",
    };
    let why = reason.text.clone();
    let mut status = device.status.clone();
    status.life = life::moved(&status.life, Phase::Failed, Some(step), Some(reason), tx.now());
    let line = line(&device, &status.life);
    tx.observe(&mut device, status, line)?;
    Ok(Next::Stuck { why, look_again: Some(pace.retry) })
}

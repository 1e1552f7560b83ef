//! Simulated storage. Volumes are made, copied, put back and taken down, each in its time; what a volume holds is a text that changes
//! whenever a snapshot is taken, so that a test sees what was copied and what was put back.

use std::net::{IpAddr, Ipv4Addr};

use meetme_agent::{
    Agent, AgentError, Fence, Soon, Target,
    storage::{Action, Desired, Observed, Plan, Seen, Storage},
};
use meetme_base::Time;

use crate::{Settings, Sim, broke_off, steady};

/// How long a volume takes to be made, copied, put back or taken down.
const USUAL: i64 = 250;

/// One volume as it is.
#[derive(Clone)]
pub(crate) struct Disk {
    key: String,
    seen: Seen,
    /// What each snapshot holds.
    kept: Vec<(String, String)>,
    /// Since when something is under way, and whether it is the volume's end.
    busy: Option<(Time, bool)>,
}

impl Disk {
    fn new(want: &Desired, of: &meetme_agent::storage::Volume, content: String, now: Time) -> Self {
        let number = steady(&want.key, 250);
        let third = u8::try_from(number).unwrap_or(0);
        Self {
            key: want.key.clone(),
            seen: Seen {
                size_gb: of.size_gb,
                class: of.class.clone(),
                iqn: format!("iqn.2026-01.net.meetme:sim.{}", want.key),
                portals: vec![
                    IpAddr::V4(Ipv4Addr::new(198, 18, 0, third)),
                    IpAddr::V4(Ipv4Addr::new(198, 18, 1, third)),
                ],
                snapshots: Vec::new(),
                initiators: Vec::new(),
                restored: 0,
                busy: true,
                content: Some(content),
            },
            kept: Vec::new(),
            busy: Some((now, false)),
        }
    }

    /// Does one step of a change to a volume that is there.
    fn act(&mut self, action: &Action, want: &Desired, now: Time) {
        let Some(wish) = &want.volume else { return self.end(now) };
        match action {
            Action::Grow => {
                self.seen.size_gb = wish.size_gb;
                self.busy = Some((now, false));
            }
            Action::Reclass => {
                self.seen.class.clone_from(&wish.class);
                self.busy = Some((now, false));
            }
            Action::Take(name) => {
                let content = self.seen.content.clone().unwrap_or_default();
                self.kept.push((name.clone(), content.clone()));
                self.seen.snapshots.push((name.clone(), now));
                // Its machine goes on writing.
                self.seen.content = Some(format!("{content}, written after {name}"));
            }
            Action::Restore => {
                if let Some(restore) = &wish.restore {
                    let kept = self.kept.iter().find(|(name, _)| *name == restore.snapshot);
                    if let Some((_, content)) = kept {
                        self.seen.content = Some(content.clone());
                        self.seen.restored = restore.number;
                        self.busy = Some((now, false));
                    }
                }
            }
            Action::Drop(name) => {
                self.kept.retain(|(known, _)| known != name);
                self.seen.snapshots.retain(|(known, _)| known != name);
            }
            Action::Admit => self.seen.initiators.clone_from(&wish.initiators),
            Action::Remove => self.end(now),
            Action::Create => {}
        }
    }

    /// Begins its end. Who is told again what is under way goes on, and does not begin anew.
    fn end(&mut self, now: Time) {
        if !self.busy.is_some_and(|(_, is_end)| is_end) {
            self.busy = Some((now, true));
        }
    }

    fn is_over(&self, settings: &Settings, now: Time) -> bool {
        self.busy.is_some_and(|(since, is_end)| is_end && now >= since.plus_millis(settings.delay(USUAL)))
    }

    fn observed(&mut self, settings: &Settings, now: Time) -> Seen {
        if self.busy.is_some_and(|(since, is_end)| !is_end && now >= since.plus_millis(settings.delay(USUAL))) {
            self.busy = None;
        }
        self.seen.busy = self.busy.is_some();
        self.seen.clone()
    }
}

impl Sim {
    /// What another volume holds, for a copy of it.
    fn content_of(disks: &[Disk], want: &Desired) -> Result<String, AgentError> {
        let Some(origin) = want.volume.as_ref().and_then(|volume| volume.copy_of.as_ref()) else {
            return Ok(format!("{} from its beginning", want.key));
        };
        let gone = || AgentError::refused(format!("There is no {} to copy.", origin.volume));
        let disk = disks.iter().find(|disk| disk.key == origin.volume).ok_or_else(gone)?;
        match &origin.snapshot {
            None => Ok(disk.seen.content.clone().unwrap_or_default()),
            Some(name) => {
                let kept = disk.kept.iter().find(|(known, _)| known == name);
                kept.map(|(_, content)| content.clone()).ok_or_else(gone)
            }
        }
    }

    async fn apply_storage(&self, target: &Target, plan: Plan, fence: Fence) -> Result<Observed, AgentError> {
        let settings = self.reach(target).await?;
        self.admit(target, &settings, fence)?;
        let now = self.now();
        let mut world = self.lock();
        let disks = world.disks.entry(target.name.clone()).or_default();
        let mut next = disks.clone();
        next.retain(|disk| !disk.is_over(&settings, now));
        let most = if settings.half_apply { plan.actions.len().div_ceil(2) } else { plan.actions.len() };
        for action in plan.actions.iter().take(most) {
            if let (Action::Create, Some(wish)) = (action, &plan.want.volume) {
                let content = Self::content_of(&next, &plan.want)?;
                next.push(Disk::new(&plan.want, wish, content, now));
            } else if let Some(disk) = next.iter_mut().find(|disk| disk.key == plan.want.key) {
                disk.act(action, &plan.want, now);
            }
        }
        let found = next.iter_mut().find(|disk| disk.key == plan.want.key);
        let seen = found.map(|disk| disk.observed(&settings, now));
        if !settings.lie {
            *disks = next;
        }
        if settings.half_apply && plan.actions.len() > 1 {
            return Err(broke_off(target));
        }
        Ok(Observed { version: VERSION.to_owned(), volume: seen })
    }
}

const VERSION: &str = "Meetme simulated storage 1";

impl Agent<Storage> for Sim {
    fn observe<'a>(&'a self, target: &'a Target) -> Soon<'a, Observed> {
        Box::pin(async move {
            let settings = self.reach(target).await?;
            let now = self.now();
            let mut world = self.lock();
            let disks = world.disks.entry(target.name.clone()).or_default();
            disks.retain(|disk| !disk.is_over(&settings, now));
            let key = format!("v{}", target.id);
            let found = disks.iter_mut().find(|disk| disk.key == key);
            Ok(Observed { version: VERSION.to_owned(), volume: found.map(|disk| disk.observed(&settings, now)) })
        })
    }

    fn plan(&self, want: &Desired, seen: &Observed) -> Result<Plan, AgentError> {
        Ok(Plan::between(want, seen))
    }

    fn apply<'a>(&'a self, target: &'a Target, plan: Plan, fence: Fence) -> Soon<'a, Observed> {
        Box::pin(self.apply_storage(target, plan, fence))
    }
}

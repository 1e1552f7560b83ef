//! Moving things through the phases of their lives, and saying so in the change log.

use meetme_agent::AgentError;
use meetme_base::Time;
use meetme_model::{LifeStatus, Phase, Reason};
use meetme_store::Moved;

/// The same life in another phase, for a reason or none.
pub(crate) fn moved(
    life: &LifeStatus,
    phase: Phase,
    step: Option<&str>,
    reason: Option<Reason>,
    now: Time,
) -> LifeStatus {
    let mut next = life.moved(phase, step, now);
    next.reason = reason;
    if next.since.is_none() {
        next.since = Some(now);
    }
    if next.ready_at.is_none() && matches!(phase, Phase::Ready | Phase::Up | Phase::Off) {
        next.ready_at = Some(now);
    }
    if phase == Phase::Gone {
        next.ended_at = Some(now);
    }
    next
}

/// The line in the change log for a move; none when neither phase nor step changed.
pub(crate) fn line(title: &str, before: &LifeStatus, after: &LifeStatus) -> Option<Moved> {
    if (before.phase, &before.step) == (after.phase, &after.step) {
        return None;
    }
    let word = match after.phase {
        Phase::Draft => "is a draft",
        Phase::Asking => "waits for an approval",
        Phase::Queued => "waits to be built",
        Phase::Building => "is being built",
        Phase::Ready => "is ready and waits for the far side",
        Phase::Up => "is up",
        Phase::Down => "is down",
        Phase::Off => "is switched off",
        Phase::Changing => "is being changed",
        Phase::Failed => "has failed",
        Phase::Ending => "is going to end",
        Phase::Removing => "is being removed",
        Phase::Gone => "is gone",
    };
    let why = after.reason.as_ref().map(|r| format!(" {}", r.text)).unwrap_or_default();
    Some(Moved::new(format!("phase.{}", after.phase.word()), format!("{title} {word}.{why}")))
}

/// What an agent's complaint means to people.
pub(crate) fn reason(error: &AgentError) -> Reason {
    Reason { code: error.metric_label().to_owned(), text: sentence(error) }
}

/// An agent's complaint as one sentence.
pub(crate) fn sentence(error: &AgentError) -> String {
    let text = match error {
        AgentError::Unreachable { why } => format!("The equipment cannot be reached: {why}"),
        AgentError::Refused { why } => format!("The equipment refuses: {why}"),
        AgentError::Fenced { .. } => "Somebody else is changing the equipment".to_owned(),
        AgentError::Unsupported { what } => format!("The equipment cannot do this: {what}"),
        AgentError::Broken { why } => format!("The equipment is in a state that is not understood: {why}"),
    };
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

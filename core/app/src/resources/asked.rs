//! What customers ask for and the operator answers: blocks of addresses, the permission to speak BGP, and the quotas that say what
//! needs no asking.

use meetme_base::{Invalid, Kind, RawId};
use meetme_model::{
    access::Quota,
    fabric::{Address, Block},
    routing::{Answer, BgpConfig, BgpReach},
};
use meetme_store::{AnyObject, KindInfo, Resource as _, Tx};
use serde_json::Value as Json;

use super::{By, Create, Hooks, Made, Remove, Replace, WORDS, only, read};
use crate::{Error, access, bgp, blocks};

/// These kinds.
pub(super) const HOOKS: &[(Kind, Hooks)] = &[
    (
        Block::KIND,
        Hooks {
            replace: Replace::By(replace_block),
            remove: Remove::By(|_, tx, _, old| blocks::release(tx, old.id.of())),
            ..Hooks::ORDERED
        },
    ),
    (Address::KIND, Hooks { remove: Remove::By(|_, tx, _, old| blocks::unassign(tx, old.id.of())), ..Hooks::ORDERED }),
    (
        BgpConfig::KIND,
        Hooks { create: Create::By(create_config), replace: Replace::By(replace_config), remove: Remove::Plain },
    ),
    (Quota::KIND, Hooks { create: Create::By(create_quota), ..Hooks::PLAIN }),
];

/// Its owner changes what is said about a block; the operator answers it.
fn replace_block(_: By<'_>, tx: &mut Tx<'_>, _: &KindInfo, old: &AnyObject, spec: Json) -> Result<AnyObject, Error> {
    let answer = spec.get("answer").cloned().unwrap_or_default();
    if old.spec.get("answer").cloned().unwrap_or_default() != answer {
        only(old, &spec, &["answer"], "A block is answered by itself; change the rest before or after.")?;
        let is_yes = match read::<Option<Answer>>(&answer)? {
            Some(Answer::Yes) => true,
            Some(Answer::No) => false,
            _ => return Err(Invalid::choice("answer", answer).into()),
        };
        return Ok(Tx::erased(&blocks::answer(tx, old.id.of(), is_yes)?));
    }
    let words: Vec<&str> = WORDS.iter().copied().chain(["details", "ext"]).collect();
    only(old, &spec, &words, "This was fixed when the block was asked for.")?;
    let new: Block = Tx::sent_for(&tx.get(old.id.of())?, spec)?;
    Ok(Tx::erased(&blocks::change(tx, old.id.of(), None, |block| *block = new)?))
}

/// A permission that nobody has to give is given; any other is asked for, unless the operator makes the row.
fn create_config(
    _: By<'_>,
    tx: &mut Tx<'_>,
    kind: &KindInfo,
    tenant: Option<RawId>,
    mut spec: Json,
) -> Result<Made, Error> {
    let new: BgpConfig = read(&spec)?;
    let project = new.project.any();
    if tenant.is_some_and(|node| node != project) {
        return Err(Invalid::rule("tenant", "The row hangs on the project.").into());
    }
    bgp::check_number(new.reach, new.asn)?;
    match (new.reach, new.answer) {
        (BgpReach::Local, Answer::Open) => spec["answer"] = Answer::Yes.word().into(),
        (BgpReach::Global, Answer::Yes) => access::require_operator(tx, BgpConfig::KIND, "answer")?,
        _ => {}
    }
    if new.max_prefix != bgp::MAX_PREFIX {
        access::require_operator(tx, BgpConfig::KIND, "answer")?;
    }
    Ok(tx.create_any(kind, project, spec)?.into())
}

/// What was agreed is for this number and this reach: whoever changes them asks anew, and only the operator answers.
fn replace_config(
    _: By<'_>,
    tx: &mut Tx<'_>,
    kind: &KindInfo,
    old: &AnyObject,
    spec: Json,
) -> Result<AnyObject, Error> {
    let before = tx.get::<BgpConfig>(old.id.of())?.spec;
    let new: BgpConfig = Tx::sent_for(&tx.get(old.id.of())?, spec.clone())?;
    bgp::check_number(new.reach, new.asn)?;
    let is_new = (before.reach, before.asn, before.answer) != (new.reach, new.asn, new.answer);
    let is_given = new.answer == Answer::Yes && new.reach == BgpReach::Global;
    // A refusal is the operator's too: nobody talks themselves out of it by asking again.
    let was_refused = before.answer == Answer::No && new.answer != Answer::No;
    if (is_new && is_given) || was_refused || before.max_prefix != new.max_prefix {
        access::require_operator(tx, BgpConfig::KIND, "answer")?;
    }
    Ok(tx.replace_any(kind, old.id, Some(old.version), spec)?)
}

/// A quota is kept on the operator's own node, whatever it is for.
fn create_quota(_: By<'_>, tx: &mut Tx<'_>, kind: &KindInfo, tenant: Option<RawId>, spec: Json) -> Result<Made, Error> {
    access::require_operator(tx, Quota::KIND, "create")?;
    let operator = access::operator(tx)?.ok_or_else(|| Error::Bug("there is no operator".to_owned()))?;
    if tenant.is_some_and(|node| node != operator) {
        return Err(Invalid::rule("tenant", "A quota hangs on the operator's node.").into());
    }
    Ok(tx.create_any(kind, operator, spec)?.into())
}

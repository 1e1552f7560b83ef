//! Segments: layer 2 networks of a project at a site or in a metro, each with a VLAN of its own there.

use std::ops::RangeInclusive;

use meetme_base::{Id, Invalid, RawId, Uid, VlanId};
use meetme_model::{
    Ext, LifeStatus, Phase, Wanted,
    fabric::{Landing, Leg, Segment},
    living,
};
use meetme_store::{Filter, Moved, Object, Resource as _, Tx};

use crate::{Error, access, addresses::Within, allocate, tags};

/// The VLANs that a project may choose.
pub const CHOICE: RangeInclusive<u16> = 2..=3999;
/// Where it begins to be chosen for it, so that the numbers people like stay free.
const FIRST: i64 = 1000;

/// What is wished of a new segment.
#[derive(Clone, Debug)]
pub struct NewSegment {
    /// Where it reaches: a site or a metro.
    pub at: RawId,
    /// Its VLAN, 2..=3999; the lowest free one from 1000 on when absent.
    pub vlan: Option<VlanId>,
    /// A line for people.
    pub description: Option<String>,
    /// Its tags, by name.
    pub tags: Vec<String>,
    /// What only one dialect can mean.
    pub ext: Ext,
}

/// Makes a segment that hangs on `node`, in phase `queued`. No two of a node in one metro have the same VLAN, wherever in it they
/// reach: a port may carry both.
///
/// # Errors
/// [`Error::Conflict`] `vlan_taken`, [`Error::Exhausted`], [`Error::Invalid`], [`Error::Denied`].
pub fn create(tx: &mut Tx<'_>, node: RawId, new: &NewSegment) -> Result<Object<Segment>, Error> {
    access::require(tx, Segment::KIND, "create", node)?;
    let tags = tags::ensure(tx, node, &new.tags)?;
    let metro = tx.as_system(|tx| Within::of(tx, new.at))?.metro;
    let pool = format!("segments.{node}.{metro}");
    // A claim names its owner, and a segment cannot be made before it has its number: the node holds it for a moment.
    let item = match new.vlan {
        Some(vlan) => {
            if !CHOICE.contains(&vlan.get()) {
                return Err(Invalid::range("vlan", CHOICE.start(), CHOICE.end()).into());
            }
            let item = i64::from(vlan.get());
            tx.claim_exact(&pool, item, 1, node).map_err(|e| match e {
                meetme_store::Error::Exhausted { .. } => {
                    Error::conflict("vlan_taken", format!("VLAN {vlan} is in use in this metro."))
                }
                other => other.into(),
            })?;
            item
        }
        None => lowest(tx, &pool, node)?,
    };
    let spec = Segment {
        description: new.description.clone(),
        tags,
        ext: new.ext.clone(),
        ..Segment::new(new.at, VlanId::try_from(item)?)
    };
    let status = LifeStatus { since: Some(tx.now()), ..LifeStatus::default() };
    let mut made = tx.create_as(node, Uid::random(), spec, status)?;
    tx.release(&pool, item)?;
    tx.claim_exact(&pool, item, 1, made.id.any())?;
    let vni = allocate::vni(tx, made.id.any())?;
    let spec = Segment { vni: Some(vni), ..made.spec.clone() };
    tx.as_system(|tx| tx.save(&mut made, spec))?;
    Ok(made)
}

/// Takes the lowest free number, from where they are chosen for people on; those below only when nothing else is left.
fn lowest(tx: &mut Tx<'_>, pool: &str, owner: RawId) -> Result<i64, Error> {
    let (low, high) = (i64::from(*CHOICE.start()), i64::from(*CHOICE.end()));
    for range in [FIRST..=high, low..=FIRST - 1] {
        match tx.claim(pool, range, 1, &[], owner) {
            Ok(item) => return Ok(item),
            Err(meetme_store::Error::Exhausted { .. }) => {}
            Err(e) => return Err(e.into()),
        }
    }
    Err(Error::Exhausted { pool: "the VLANs of this project in the metro".to_owned() })
}

/// The rows of segments that nobody wished gone.
pub fn wanted() -> Filter {
    living().and(Filter::eq("wanted", Wanted::Gone.word()).not())
}

/// Changes what is said about a segment; with `tags`, its tags become these.
///
/// # Errors
/// [`Error::Missing`], [`Error::Denied`].
pub fn change(
    tx: &mut Tx<'_>,
    id: Id<Segment>,
    description: Option<String>,
    tags: Option<&[String]>,
) -> Result<Object<Segment>, Error> {
    let mut segment = tx.get(id)?;
    let mut spec = segment.spec.clone();
    spec.description = description.or(spec.description);
    if let Some(names) = tags {
        tx.may_change(&segment, &spec)?;
        spec.tags = tags::ensure(tx, segment.tenant, names)?;
    }
    tx.save(&mut segment, spec)?;
    Ok(segment)
}

/// Wishes a segment gone. Its VLAN is free once nothing carries it any more.
///
/// # Errors
/// [`Error::Conflict`] `attached` while it is on a port, has a gateway or a circuit ends in it; [`Error::Denied`].
pub fn remove(tx: &mut Tx<'_>, id: Id<Segment>) -> Result<(), Error> {
    let mut segment = tx.get(id)?;
    access::require(tx, Segment::KIND, "remove", segment.tenant)?;
    tx.as_system(|tx| {
        let title = segment.spec.title();
        let landings = tx.count::<Landing>(&Filter::eq("segment", id).and(wanted()))?;
        let legs = tx.count::<Leg>(&Filter::eq("a_end", id).or(Filter::eq("z_end", id)).and(living()))?;
        if landings + legs > 0 {
            let text = format!("{title} is still attached in {} places.", landings + legs);
            return Err(Error::conflict("attached", text));
        }
        let mut spec = segment.spec.clone();
        spec.life.wanted = Wanted::Gone;
        tx.save(&mut segment, spec)?;
        let status = segment.status.moved(Phase::Removing, None, tx.now());
        let line = Moved::new("phase.removing", format!("{title} is being removed."));
        Ok(tx.observe(&mut segment, status, Some(line))?)
    })
}

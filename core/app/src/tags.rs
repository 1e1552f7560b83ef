//! Tags by name: doors that know tags as mere texts find or make the rows behind them here.

use meetme_base::{Id, RawId};
use meetme_model::ops::Tag;
use meetme_store::{Filter, Tx};

use crate::Error;

/// The tags of these names on a node, in this order, made where they are missing. A name given twice counts once. Whoever may
/// change the thing that is tagged may do this: the caller checks that.
///
/// # Errors
/// When a name is none.
pub fn ensure(tx: &mut Tx<'_>, node: RawId, names: &[String]) -> Result<Vec<Id<Tag>>, Error> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    tx.as_system(|tx| {
        let known =
            tx.all::<Tag>(Filter::eq("tenant", node).and(Filter::is_in("name", names.iter().map(String::as_str))))?;
        let mut out: Vec<Id<Tag>> = Vec::with_capacity(names.len());
        let mut made: Vec<(String, Id<Tag>)> = known.into_iter().map(|t| (t.spec.name, t.id)).collect();
        for name in names {
            let id = match made.iter().find(|(n, _)| n == name) {
                Some((_, id)) => *id,
                None => {
                    let slug = free_slug(tx, node, name)?;
                    let id = tx.create(node, Tag::new(name.as_str(), slug))?.id;
                    made.push((name.clone(), id));
                    id
                }
            };
            if !out.contains(&id) {
                out.push(id);
            }
        }
        Ok(out)
    })
}

/// A short name for links that no other tag of the node has: two names may differ only in characters that links leave out.
fn free_slug(tx: &mut Tx<'_>, node: RawId, name: &str) -> Result<String, Error> {
    let plain: String = name
        .to_lowercase()
        .chars()
        .take(80)
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
        .collect();
    let plain = match plain.trim_matches('-') {
        "" => "tag",
        some => some,
    };
    let mut slug = plain.to_owned();
    for n in 2.. {
        if !tx.exists::<Tag>(&Filter::eq("tenant", node).and(Filter::eq("slug", slug.as_str())))? {
            break;
        }
        slug = format!("{plain}-{n}");
    }
    Ok(slug)
}

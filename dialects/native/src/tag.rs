//! ETags: `"4"` is version 4 of a spec; `"4.2"` is the same with the second observation of its status. A write asks only whether the
//! spec is still the same, so that a chatty agent never makes a user's write stale; a read asks for both.

use meetme_app::Error;
use meetme_base::Invalid;
use meetme_http::{Parts, Problem};
use meetme_store::AnyObject;

/// The tag of a row.
pub fn of(object: &AnyObject) -> String {
    match object.seen {
        0 => format!("\"{}\"", object.version),
        seen => format!("\"{}.{seen}\"", object.version),
    }
}

/// The version that the row must still have.
///
/// # Errors
/// When `If-Match` holds no tag of ours.
pub fn if_match(parts: &Parts) -> Result<Option<u64>, Problem> {
    let Some(text) = parts.header("if-match") else { return Ok(None) };
    if text.trim() == "*" {
        return Ok(None);
    }
    let version = plain(text).and_then(|tag| tag.split('.').next()).and_then(|version| version.parse().ok());
    match version {
        Some(version) => Ok(Some(version)),
        None => Err(Error::from(Invalid::format("If-Match", "one tag, such as \"4\"")).into()),
    }
}

/// Whether the client has this very state already.
pub fn none_match(parts: &Parts, tag: &str) -> bool {
    let Some(text) = parts.header("if-none-match") else { return false };
    text.trim() == "*" || text.split(',').any(|one| plain(one).is_some() && plain(one) == plain(tag))
}

/// The text between the quotes; a weak tag serves as well, proxies make them.
fn plain(tag: &str) -> Option<&str> {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_weakness_are_taken_off() {
        assert_eq!(plain(" W/\"4.2\" "), Some("4.2"));
        assert_eq!(plain("\"4\""), Some("4"));
        assert_eq!(plain("4"), None);
    }
}

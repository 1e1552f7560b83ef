//! The mark by which the daemon tells which text it runs.
//!
//! OpenBGPD does not say what configuration it holds, but it lists its sets. A text therefore opens with an empty set of AS numbers
//! whose name is made from the hash of what follows. This tells a daemon that was reloaded from another file, or not at all.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// What the set's name begins with.
const PREFIX: &str = "meetme_";
/// How many hexadecimal digits of the hash make the mark.
const DIGITS: usize = 32;

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes everything");
        out
    })
}

/// The text with its mark in front, below the comments.
pub fn marked(comments: &str, body: &str) -> String {
    let mark = &sha256(&format!("{comments}{body}"))[..DIGITS];
    format!("{comments}as-set \"{PREFIX}{mark}\" {{ 0 }}\n\n{body}")
}

/// The name of a text's mark; none in one that was not written by us.
pub fn of(config: &str) -> Option<&str> {
    let line = config.lines().find(|line| !line.starts_with('#'))?;
    let name = line.strip_prefix("as-set \"")?.strip_suffix("\" { 0 }")?;
    let mark = name.strip_prefix(PREFIX)?;
    let is_mark = mark.len() == DIGITS && mark.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_mark.then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_carries_its_mark() {
        let text = marked("# x\n", "AS 1\n");
        assert_eq!(of(&text), Some(&*format!("meetme_{}", &sha256("# x\nAS 1\n")[..32])));
        assert_eq!(of("AS 1\n"), None);
        assert_eq!(of("as-set \"meetme_x\" { 0 }\n"), None);
    }
}

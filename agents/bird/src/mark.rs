//! The mark by which the daemon tells which generated text it runs.
//!
//! BIRD does not say what configuration it holds. A generated text therefore opens with a constant whose name is made from
//! the hash of what follows, and the daemon can be asked whether it knows that constant. This tells a daemon that was
//! reloaded from another file. It does not tell one that was reloaded from a copy of our text with the mark left in and
//! something else changed; such a copy in the place of our own file is seen by its text.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// What the constant's name begins with.
const PREFIX: &str = "meetme_";

/// How many hexadecimal digits of the hash make the mark: BIRD's names end at 64 characters.
const DIGITS: usize = 32;

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut out, byte| {
        write!(out, "{byte:02x}").expect("a String takes everything");
        out
    })
}

/// The text with its mark in front.
pub fn marked(title: &str, body: &str) -> String {
    let mark = &sha256(body)[..DIGITS];
    format!("# {title}\n# Edits by hand are seen and undone.\ndefine {PREFIX}{mark} = 1;\n\n{body}")
}

/// The mark a text carries; none in one that was not generated.
pub fn of(config: &str) -> Option<&str> {
    config.lines().take(8).find_map(|line| {
        let mark = line.strip_prefix("define ")?.strip_prefix(PREFIX)?.strip_suffix(" = 1;")?;
        let is_mark = mark.len() == DIGITS && mark.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_mark.then_some(mark)
    })
}

/// The name of the mark's constant in the daemon.
pub fn symbol(mark: &str) -> String {
    format!("{PREFIX}{mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_carries_the_mark_of_its_body() {
        let text = marked("Written for x.", "router id 1.2.3.4;\n");
        assert_eq!(of(&text), Some(&sha256("router id 1.2.3.4;\n")[..32]));
        assert_eq!(of("router id 1.2.3.4;\n"), None);
    }

    #[test]
    fn a_mark_that_would_be_a_command_is_no_mark() {
        assert_eq!(of("define meetme_x; configure = 1;\n"), None);
    }
}

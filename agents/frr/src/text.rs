//! Writing values into FRR's language so that none can become anything else than a value.
//!
//! FRR reads lines of words: there are no strings and no escapes, what is at the end of a line is taken as it is, and blanks
//! are one blank. What cannot be said that way is refused; nothing is dropped silently.

use meetme_agent::AgentError;

/// The longest key TCP MD5 takes (TCP_MD5SIG_MAXKEYLEN of Linux).
const LONGEST_PASSWORD: usize = 80;
/// FRR reads lines of up to 4,095 bytes and 255 words (seen in 8.4.4); this leaves room for the words before.
const LONGEST_TEXT: usize = 3_000;
const MOST_WORDS: usize = 250;

/// A text at the end of a line, its words apart by one blank, as FRR keeps it. None when there is nothing in it.
pub fn rest(what: &str, text: &str) -> Result<Option<String>, AgentError> {
    let refuse = |why: &str| Err(AgentError::refused(format!("{what} {why}, which FRR cannot take.")));
    if text.chars().any(char::is_control) {
        return refuse("holds a control character or line break");
    }
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // FRR takes what follows for a filter of its output, in files too.
    if words.contains("| ") {
        return refuse("holds a vertical bar before a blank");
    }
    if words.len() > LONGEST_TEXT || words.split(' ').count() > MOST_WORDS {
        return refuse(&format!("is longer than {LONGEST_TEXT} bytes or {MOST_WORDS} words"));
    }
    Ok((!words.is_empty()).then_some(words))
}

/// A single word: a file's name.
pub fn word(what: &str, text: &str) -> Result<String, AgentError> {
    match text.chars().any(|c| c.is_control() || c.is_whitespace()) || text.is_empty() || text.len() > LONGEST_TEXT {
        false => Ok(text.to_owned()),
        true => Err(AgentError::refused(format!("{what} must be one word without blanks for FRR."))),
    }
}

/// A TCP MD5 password.
pub fn password(what: &str, text: &str) -> Result<String, AgentError> {
    if !(1..=LONGEST_PASSWORD).contains(&text.len()) {
        return Err(AgentError::refused(format!("{what} must have 1 to {LONGEST_PASSWORD} bytes.")));
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(AgentError::refused(format!("{what} holds a blank or control character, which FRR cannot take.")));
    }
    Ok(text.to_owned())
}

/// A text inside a comment that ends with the line.
pub fn comment(what: &str, text: &str) -> Result<String, AgentError> {
    match text.chars().any(char::is_control) {
        false => Ok(text.to_owned()),
        true => Err(AgentError::refused(format!("{what} holds a control character or line break."))),
    }
}

/// Words after which a secret may follow, in any of FRR's daemons.
const ANNOUNCE: &[&str] =
    &["password", "key-string", "authentication", "authentication-key", "message-digest-key", "secret", "psk"];

/// A configuration, or words that quote one, with passwords hidden: everything that follows such a word on its line.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        match secret(body) {
            Some(at) => {
                out.push_str(&body[..at]);
                out.push_str(" (secret)");
            }
            None => out.push_str(body),
        }
        out.push_str(end);
    }
    out
}

/// Where in a line the words end after which nothing may be shown.
fn secret(line: &str) -> Option<usize> {
    let mut at = 0;
    for word in line.split_inclusive(char::is_whitespace) {
        at += word.len();
        if ANNOUNCE.contains(&word.trim_end()) && !line[at..].trim().is_empty() {
            return Some(at - (word.len() - word.trim_end().len()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_would_be_more_than_a_text_is_refused() {
        for bad in ["a\nb", "a\rb", "a\0b", "a\u{85}b", "a | include x", "a| b", &"é".repeat(2000), &"a ".repeat(251)]
        {
            assert_eq!(rest("The description", bad).unwrap_err().metric_label(), "refused", "{bad:?}");
        }
        let odd = "é; } # ! \\ \"x' ? $y |z|";
        assert_eq!(rest("x", odd).unwrap().as_deref(), Some(odd));
        assert_eq!(rest("x", "  a   b ").unwrap().as_deref(), Some("a b"));
        assert_eq!(rest("x", " ").unwrap(), None);
    }

    #[test]
    fn a_password_is_one_word() {
        for bad in ["", "a b", "a\nb", "a\u{a0}b", &"p".repeat(81)] {
            assert_eq!(password("The password", bad).unwrap_err().metric_label(), "refused", "{bad:?}");
        }
        assert_eq!(password("x", "s3|c#!?\"'é").unwrap(), "s3|c#!?\"'é");
    }

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        let shown = masked(concat!(
            " neighbor 192.0.2.2 password one\n neighbor 192.0.2.2 description open\n",
            "line 4: % Unknown command[25]:  neighbor x password two three\n",
            "  key-string four\nenable password 8 five\n ip ospf authentication\n password",
        ));
        insta::assert_snapshot!(shown, @r"
         neighbor 192.0.2.2 password (secret)
         neighbor 192.0.2.2 description open
        line 4: % Unknown command[25]:  neighbor x password (secret)
          key-string (secret)
        enable password (secret)
         ip ospf authentication
         password
        ");
    }
}

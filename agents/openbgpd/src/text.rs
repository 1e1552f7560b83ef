//! Writing values into bgpd.conf so that none can become anything else than a value.

use meetme_agent::AgentError;

/// The longest description the daemon takes, in bytes (seen in 7.7).
const LONGEST_DESCRIPTION: usize = 31;

/// A string. It ends at the next quotation mark, and a backslash is an escape before some characters and none before others,
/// so a text that holds either, or any control character, cannot be said and is refused; nothing is dropped silently.
pub fn quoted(what: &str, text: &str) -> Result<String, AgentError> {
    let refuse = |why: &str| Err(AgentError::refused(format!("{what} holds {why}, which OpenBGPD cannot take.")));
    match text.chars().find(|c| matches!(c, '"' | '\\') || c.is_control()) {
        None => Ok(format!("\"{text}\"")),
        Some('"') => refuse("a quotation mark"),
        Some('\\') => refuse("a backslash"),
        Some(_) => refuse("a control character or line break"),
    }
}

/// As much of a description as the daemon takes.
pub fn short(description: &str) -> &str {
    let mut end = description.len().min(LONGEST_DESCRIPTION);
    while !description.is_char_boundary(end) {
        end -= 1;
    }
    &description[..end]
}

/// A text inside a comment that ends with the line. A backslash at the end would take the next line in.
pub fn comment(what: &str, text: &str) -> Result<String, AgentError> {
    match text.chars().any(char::is_control) || text.ends_with('\\') {
        false => Ok(text.to_owned()),
        true => Err(AgentError::refused(format!(
            "{what} holds a control character or line break, or ends with a backslash."
        ))),
    }
}

/// A configuration, or words that quote one, with passwords hidden: what follows `password` or `key`, and every macro, because one
/// may be used as a password later.
pub fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        match secret(body) {
            Some(at) => out.push_str(&format!("{} (secret)", &body[..at])),
            None => out.push_str(body),
        }
        out.push_str(end);
    }
    out
}

/// Where in a line the words end after which nothing may be shown.
fn secret(line: &str) -> Option<usize> {
    if let Some((name, _)) = line.split_once('=')
        && !name.trim().is_empty()
        && name.trim().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return Some(name.len() + 1);
    }
    let mut at = 0;
    for word in line.split_inclusive(|c: char| c.is_whitespace() || c == '"') {
        at += word.len();
        let name = word.trim_end_matches(|c: char| c.is_whitespace() || c == '"');
        if matches!(name, "password" | "key" | "sha1" | "md5" | "aes" | "3des") && !line[at..].trim().is_empty() {
            return Some(at - (word.len() - name.len()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_could_end_its_string_is_refused() {
        for bad in ["a\"b", "a\\", "a\\ b", "a\nb", "a\rb", "a\0b", "a\u{85}b"] {
            assert_eq!(quoted("The description", bad).unwrap_err().metric_label(), "refused", "{bad:?}");
        }
        assert_eq!(quoted("x", "é; } # $y /* 'x' | z").unwrap(), "\"é; } # $y /* 'x' | z\"");
        assert!(comment("x", "a\nb").is_err() && comment("x", "a\\").is_err());
    }

    #[test]
    fn a_description_is_cut_between_letters() {
        assert_eq!(short(&"é".repeat(20)), "é".repeat(15));
        assert_eq!(short("short"), "short");
    }

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        let shown = masked(concat!(
            "descr \"open\"\n  tcp md5sig password \"one\"\n tcp md5sig password two\n tcp md5sig key deadbeef\n",
            "bgpd.conf:4: syntax error near password\"x\"\nmine = \"three\"\nprefixlen = 24\n",
            "# tcp md5sig password four\nprefix 10.0.0.0/8 prefixlen = 9",
        ));
        insta::assert_snapshot!(shown, @r#"
        descr "open"
          tcp md5sig password (secret)
         tcp md5sig password (secret)
         tcp md5sig key (secret)
        bgpd.conf:4: syntax error near password (secret)
        mine = (secret)
        prefixlen = (secret)
        # tcp md5sig password (secret)
        prefix 10.0.0.0/8 prefixlen = 9
        "#);
    }
}

//! Writing values into BIRD's language so that none can become anything else than a value.

use meetme_agent::AgentError;

/// A string literal. BIRD's strings end at the next quote or line end and know no escapes, so a text that holds either, or
/// any other control character, cannot be said and is refused; nothing is dropped silently.
pub fn quoted(what: &str, text: &str) -> Result<String, AgentError> {
    match text.chars().find(|c| *c == '"' || c.is_control()) {
        None => Ok(format!("\"{text}\"")),
        Some('"') => Err(AgentError::refused(format!("{what} holds a quotation mark, which BIRD cannot take."))),
        Some(_) => {
            Err(AgentError::refused(format!("{what} holds a control character or line break, which BIRD cannot take.")))
        }
    }
}

/// A text inside a comment that ends with the line.
pub fn comment(what: &str, text: &str) -> Result<String, AgentError> {
    match text.chars().any(char::is_control) {
        false => Ok(text.to_owned()),
        true => Err(AgentError::refused(format!("{what} holds a control character or line break."))),
    }
}

/// A configuration with its passwords hidden, line by line the same otherwise.
///
/// Hidden are strings that follow `password` or `key`, and all strings inside a `define`, because a constant may be used as
/// a password later. Comments are treated like code: a password that was commented out is still a password.
pub fn masked(config: &str) -> String {
    let mut out = String::with_capacity(config.len());
    let (mut word, mut last_word) = (String::new(), String::new());
    let (mut in_define, mut string): (bool, Option<bool>) = (false, None);
    for c in config.chars() {
        if let Some(is_hidden) = string {
            // A string that is not closed ends with its line, as it does for BIRD.
            if c == '"' || c == '\n' {
                string = None;
            } else if is_hidden {
                continue;
            }
            out.push(c);
            continue;
        }
        out.push(c);
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            last_word = std::mem::take(&mut word);
            in_define |= last_word == "define";
        }
        match c {
            '"' => {
                let is_hidden = in_define || matches!(last_word.as_str(), "password" | "key");
                if is_hidden {
                    out.push_str("(secret)");
                }
                string = Some(is_hidden);
                last_word.clear();
            }
            ';' | '{' | '}' => {
                in_define = false;
                last_word.clear();
            }
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_could_end_its_string_is_refused() {
        for bad in ["a\"b", "a\nb", "a\rb", "a\0b", "a\u{85}b", "a\u{7f}b"] {
            assert_eq!(quoted("The description", bad).unwrap_err().metric_label(), "refused", "{bad:?}");
        }
        assert_eq!(quoted("x", r"é; } # \ /* 'x'").unwrap(), "\"é; } # \\ /* 'x'\"");
    }

    #[test]
    fn passwords_are_hidden_wherever_they_stand() {
        let shown = masked(concat!(
            "description \"open\";\n password \"one\"; key\n  \"two\";\n",
            "# password \"three\";\ndefine p = \"four\";\nlog \"file\" all;\npassword \"five\n description \"open\";\n",
            "passwords { password \"six\" { id 1; }; };"
        ));
        insta::assert_snapshot!(shown, @r#"
        description "open";
         password "(secret)"; key
          "(secret)";
        # password "(secret)";
        define p = "(secret)";
        log "file" all;
        password "(secret)
         description "open";
        passwords { password "(secret)" { id 1; }; };
        "#);
    }
}

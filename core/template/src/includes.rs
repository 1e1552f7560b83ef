//! The tags `include_configuration`, `include_email` and `include_exporttemplate`, which name a template by name or id.
//!
//! They become what the engine knows: an `include` of `configuration::name`, and a call for the text of an export, which was
//! rendered before. Lines stay where they are, so that errors name the right one.

/// What follows `include_` in the tags.
const SORTS: [&str; 3] = ["configuration", "email", "exporttemplate"];

/// The template with our tags in the engine's words.
pub(crate) fn rewritten(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = next_open(rest) {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let taken = if tag.starts_with("{#") {
            through(tag, "#}")
        } else if tag.starts_with("{{") {
            closed(tag, "}}")
        } else {
            let length = closed(tag, "%}");
            match own(&tag[..length]) {
                Some(new) => {
                    out.push_str(&new);
                    rest = &tag[length..];
                    continue;
                }
                None if word(&tag[2..]) == "raw" => raw(tag, length),
                None => length,
            }
        };
        out.push_str(&tag[..taken]);
        rest = &tag[taken..];
    }
    out.push_str(rest);
    out
}

/// The export templates that a template includes, by name or id.
pub fn exports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("include_exporttemplate") {
        rest = &rest[at + "include_exporttemplate".len()..];
        let argument = rest.trim_start_matches(['(', ' ', '\t']);
        if let Some(name) = argument_of(argument) {
            found.push(name);
        }
    }
    found
}

fn next_open(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (0..bytes.len().saturating_sub(1)).find(|i| bytes[*i] == b'{' && matches!(bytes[*i + 1], b'%' | b'{' | b'#'))
}

/// How far the tag goes, its end included; to the end of the text when it is not closed.
fn through(tag: &str, end: &str) -> usize {
    tag.find(end).map_or(tag.len(), |at| at + end.len())
}

/// The same for a tag that may hold strings with the end in them.
fn closed(tag: &str, end: &str) -> usize {
    let (bytes, mut at, mut quote) = (tag.as_bytes(), 2, None);
    while at < bytes.len() {
        match quote {
            Some(_) if bytes[at] == b'\\' => at += 1,
            Some(q) if bytes[at] == q => quote = None,
            Some(_) => {}
            None if matches!(bytes[at], b'"' | b'\'') => quote = Some(bytes[at]),
            None if bytes[at..].starts_with(end.as_bytes()) => return at + end.len(),
            None => {}
        }
        at += 1;
    }
    tag.len()
}

/// How far a raw block goes.
fn raw(tag: &str, opened: usize) -> usize {
    let mut at = opened;
    while let Some(next) = tag[at..].find("{%") {
        let end = &tag[at + next..];
        let length = closed(end, "%}");
        at += next + length;
        if word(&end[2..]) == "endraw" {
            return at;
        }
    }
    tag.len()
}

/// The first word of a tag's inside.
fn word(inside: &str) -> &str {
    let inside = inside.trim_start_matches(['-', '+']).trim_start();
    let end = inside.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inside.len());
    &inside[..end]
}

/// One of our tags in the engine's words.
fn own(tag: &str) -> Option<String> {
    let sort = word(tag.get(2..)?).strip_prefix("include_").filter(|sort| SORTS.contains(sort))?;
    let inside = tag.strip_prefix("{%")?.strip_suffix("%}")?;
    let (open, inside) = control(inside, |s, c| s.strip_prefix(c));
    let (close, inside) = control(inside, |s, c| s.strip_suffix(c));
    let argument = inside.trim_start().strip_prefix("include_")?.strip_prefix(sort)?;
    let name = argument_of(argument.trim())?;
    let breaks: String = inside.chars().filter(|c| *c == '\n').collect();
    let quoted = serde_json::Value::from(name.as_str()).to_string();
    Some(if sort == "exporttemplate" {
        format!("{{{{{open} include_exporttemplate({quoted}){breaks} {close}}}}}")
    } else {
        let name = serde_json::Value::from(format!("{sort}::{name}")).to_string();
        format!("{{%{open} include {name}{breaks} {close}%}}")
    })
}

fn control<'t>(inside: &'t str, strip: fn(&'t str, char) -> Option<&'t str>) -> (&'static str, &'t str) {
    for (mark, text) in [('-', "-"), ('+', "+")] {
        if let Some(rest) = strip(inside, mark) {
            return (text, rest);
        }
    }
    ("", inside)
}

/// A string, a number or a bare word.
fn argument_of(text: &str) -> Option<String> {
    let quote = text.chars().next()?;
    if matches!(quote, '"' | '\'') {
        let inside = &text[1..];
        return inside.find(quote).map(|end| inside[..end].to_owned());
    }
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_tags_become_includes_and_lines_stay() {
        for (before, after) in [
            (r#"{% include_configuration "BGP Groups" %}"#, r#"{% include "configuration::BGP Groups" %}"#),
            ("{%- include_email 1 -%}", r#"{%- include "email::1" -%}"#),
            ("a\n{% include_configuration\n 'x' %}\nb", "a\n{% include \"configuration::x\"\n %}\nb"),
            ("{% include_exporttemplate IXPs %}", r#"{{ include_exporttemplate("IXPs") }}"#),
        ] {
            assert_eq!(rewritten(before), after);
        }
    }

    #[test]
    fn what_only_looks_like_a_tag_is_left_alone() {
        for text in [
            "{# {% include_email 1 %} #}",
            "{% raw %}{% include_email 1 %}{% endraw %}",
            r#"{{ "{% include_email 1 %}" }}"#,
            "{% set include_email = 1 %}",
            "{% include_nothing 'x' %}",
            "{% include_email %}",
            "{% include_email",
            "{{",
            "é{",
        ] {
            assert_eq!(rewritten(text), text);
        }
    }

    #[test]
    fn exports_are_found_in_both_spellings() {
        let text =
            r#"{% include_exporttemplate "A b" %}{{ include_exporttemplate('c') }}{%- include_exporttemplate 7 %}"#;
        assert_eq!(exports(text), ["A b", "c", "7"]);
    }
}

//! The difference between two configurations, as people read it.

use similar::{Algorithm, ChangeTag, TextDiff};

/// The unified difference from `before` to `after` with three lines of context, every line as `mask` shows it; empty when
/// the texts are the same.
///
/// Lines are compared in the clear and printed masked, so a changed password is seen to have changed and not seen. `mask`
/// gets a whole text, because a secret may stand on another line than the word that announces it; it must keep the number
/// of lines. If it does not, the lines of that text are not shown at all.
pub fn unified(before: &str, after: &str, mask: impl Fn(&str) -> String) -> String {
    let (shown_before, shown_after) = (Shown::new(before, &mask), Shown::new(after, &mask));
    // Configurations are full of lines that are there once, such as names: between these the work stays small where a
    // whole-text comparison of thousands of new sessions would take minutes.
    let changes = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(before, after);
    let mut out = String::new();
    for hunk in changes.unified_diff().context_radius(3).iter_hunks() {
        out.push_str(&format!("{}\n", hunk.header()));
        for change in hunk.iter_changes() {
            let (sign, line) = match change.tag() {
                ChangeTag::Equal => (' ', shown_after.line(change.new_index())),
                ChangeTag::Delete => ('-', shown_before.line(change.old_index())),
                ChangeTag::Insert => ('+', shown_after.line(change.new_index())),
            };
            out.push(sign);
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// A text as it may be shown, line by line.
struct Shown {
    lines: Vec<String>,
}

impl Shown {
    fn new(text: &str, mask: impl Fn(&str) -> String) -> Self {
        let masked = mask(text);
        let same_length = masked.lines().count() == text.lines().count();
        Self { lines: if same_length { masked.lines().map(str::to_owned).collect() } else { Vec::new() } }
    }
    fn line(&self, index: Option<usize>) -> &str {
        index.and_then(|i| self.lines.get(i)).map_or("(not shown)", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_differ_in_nothing() {
        assert_eq!(unified("a\nb\n", "a\nb\n", str::to_owned), "");
    }

    #[test]
    fn a_changed_secret_is_seen_to_change_and_not_seen() {
        let diff = unified("x\nkey one\n", "x\nkey two\n", |t| t.replace("one", "*").replace("two", "*"));
        assert_eq!(diff, "@@ -1,2 +1,2 @@\n x\n-key *\n+key *\n");
    }

    #[test]
    fn a_mask_that_loses_lines_shows_none() {
        let diff = unified("key one\n", "key two\n", |_| String::new());
        assert_eq!(diff, "@@ -1 +1 @@\n-(not shown)\n+(not shown)\n");
    }
}

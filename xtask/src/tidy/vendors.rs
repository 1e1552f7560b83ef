//! No vendor's word in the core: what only one dialect knows sits under `ext.<dialect>`, and one core serves all.
//!
//! Code is read, comments are not: a comment may well say what a vendor calls a thing. Lines that handle `ext` may name
//! its keys. Exceptions are a list beside this crate, each with its reason, and an exception that is no longer needed is
//! itself a finding, so the list can only shrink.

use super::Finding;
use crate::workspace::{File, Workspace};

const WORDS: &[&str] = &["pureport", "megaport", "packet_", "equinix", "peeringdb"];

/// Words that belong to the model all the same: PeeringDB is the trade's public register, and the model mirrors it.
const AT_HOME: &[(&str, &str)] = &[("core/model/", "peeringdb")];

/// Where the exceptions are written: `path word reason`.
const EXCEPTIONS: &str = "xtask/vendor-words.txt";

struct Exception<'t> {
    line: usize,
    path: &'t str,
    word: &'t str,
}

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let text = workspace.file(EXCEPTIONS).map_or("", |file| file.text.as_str());
    let (exceptions, mut findings) = exceptions(text);
    let mut used = vec![false; exceptions.len()];
    let core = workspace.files.iter().filter(|file| file.path.starts_with("core/") && file.path.ends_with(".rs"));
    for (file, line, word) in core.flat_map(uses) {
        match exceptions.iter().position(|exception| exception.path == file.path && exception.word == word) {
            Some(at) => used[at] = true,
            None => {
                let place = format!("{}:{line}", file.path);
                findings.push(Finding::new(place, format!("{word} is a vendor's word: say it in ours, or under ext")));
            }
        }
    }
    for exception in exceptions.iter().zip(used).filter_map(|(exception, used)| (!used).then_some(exception)) {
        let place = format!("{EXCEPTIONS}:{}", exception.line);
        findings.push(Finding::new(place, format!("{} no longer says {}", exception.path, exception.word)));
    }
    findings
}

fn exceptions(text: &str) -> (Vec<Exception<'_>>, Vec<Finding>) {
    let mut exceptions = Vec::new();
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
        match text.splitn(3, ' ').collect::<Vec<_>>()[..] {
            [path, word, reason] if WORDS.contains(&word) && !reason.trim().is_empty() => {
                exceptions.push(Exception { line, path, word });
            }
            _ => findings.push(Finding::new(format!("{EXCEPTIONS}:{line}"), "is not `path word reason`")),
        }
    }
    (exceptions, findings)
}

/// The vendor's words in a file's code, with their lines.
fn uses(file: &File) -> Vec<(&File, usize, &'static str)> {
    let mut found = Vec::new();
    for (line, text) in (1..).zip(file.text.lines()) {
        let code = text.trim_start();
        if code.starts_with("//") || handles_ext(code) {
            continue;
        }
        let lower = code.to_lowercase();
        let is_at_home = |word: &str| AT_HOME.iter().any(|(start, home)| file.path.starts_with(start) && *home == word);
        let words = WORDS.iter().copied().filter(|word| lower.contains(word) && !is_at_home(word));
        found.extend(words.map(|word| (file, line, word)));
    }
    found
}

/// Whether a line names `ext` as a word of its own.
fn handles_ext(code: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "ext")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_files(files: &[(&str, &str)], wanted: &[&str]) {
        let files = files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() }).collect();
        let found = check(&Workspace { files, ..Workspace::default() });
        assert_eq!(found.iter().map(Finding::to_string).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn a_vendors_word_in_the_code_of_the_core_is_found() {
        check_files(
            &[("core/app/src/order.rs", "fn order() {\n    MegaportOrder::new()\n}\n")],
            &["core/app/src/order.rs:2: megaport is a vendor's word: say it in ours, or under ext"],
        );
    }

    #[test]
    fn comments_ext_other_folders_and_words_at_home_are_free() {
        check_files(
            &[
                ("core/app/src/a.rs", "// what Megaport calls a VXC\nlet x = ext.megaport;\nlet packet = filter;\n"),
                ("dialects/megaport/src/lib.rs", "struct Megaport;"),
                ("core/model/src/mirror.rs", "pub struct PeeringDbNetwork;"),
            ],
            &[],
        );
        check_files(
            &[("core/app/src/sync.rs", "fetch_peeringdb()")],
            &["core/app/src/sync.rs:1: peeringdb is a vendor's word: say it in ours, or under ext"],
        );
    }

    #[test]
    fn an_exception_has_a_reason_and_a_use() {
        let list = "# path word reason\ncore/app/src/a.rs pureport the key's prefix is on disk\n\
                    core/app/src/b.rs equinix was needed once\ncore/app/src/c.rs equinix\n";
        check_files(
            &[(EXCEPTIONS, list), ("core/app/src/a.rs", "\"pureport\"")],
            &[
                "xtask/vendor-words.txt:4: is not `path word reason`",
                "xtask/vendor-words.txt:3: core/app/src/b.rs no longer says equinix",
            ],
        );
    }
}

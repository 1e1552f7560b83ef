//! What can be said of a file by reading it alone: its opening, its size, unfinished work, paths of one person's machine.

use regex::Regex;

use super::Finding;
use crate::workspace::{File, Workspace};

/// Lines from which a file is asked why it is so long, and from which it is split.
const LONG: usize = 500;
const TOO_LONG: usize = 800;

/// Written in pieces, so that this file does not find itself.
const UNFINISHED: &str = concat!(r"\bTO", r"DO\b|\bFIX", r"ME\b|\bto", r"do!|\bunimple", r"mented!|#\[igno", r"re\b");

/// Paths that mean something on one machine only, and what lies beside the checkout.
const PRIVATE: &[&str] = &[concat!("/wo", "rk/"), concat!("/fa", "rm/"), concat!("../sha", "red")];

/// Endings of the files that are programs.
const PROGRAMS: &[&str] = &[".rs", ".ts", ".tsx", ".sh"];

/// Endings of the files whose lines are counted.
const COUNTED: &[&str] = &[".rs", ".ts", ".tsx"];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let unfinished = Regex::new(UNFINISHED).expect("a pattern that a test compiles");
    let mut findings: Vec<Finding> =
        workspace.crates.iter().flat_map(|each| &each.openings).filter_map(|path| opening(workspace, path)).collect();
    for file in &workspace.files {
        let lines = file.text.lines().count();
        if ends(file, COUNTED) && lines > TOO_LONG {
            findings.push(Finding::new(&file.path, format!("has {lines} lines, more than {TOO_LONG}: split it")));
        }
        for (line, text) in (1..).zip(file.text.lines()) {
            let place = || format!("{}:{line}", file.path);
            if ends(file, PROGRAMS)
                && let Some(word) = unfinished.find(text)
            {
                findings.push(Finding::new(place(), format!("{} is unfinished work", word.as_str())));
            }
            if let Some(path) = private(text) {
                findings.push(Finding::new(place(), format!("{path} is a path of one machine")));
            }
        }
    }
    findings
}

/// Files that are asked why they are so long, with their lines; no finding, but listed.
pub(super) fn long(workspace: &Workspace) -> Vec<String> {
    let counted = workspace.files.iter().filter(|file| ends(file, COUNTED));
    let sizes = counted.map(|file| (file, file.text.lines().count()));
    let long = sizes.filter(|(_, lines)| (LONG + 1..=TOO_LONG).contains(lines));
    long.map(|(file, lines)| format!("{} has {lines} lines, more than {LONG}", file.path)).collect()
}

fn ends(file: &File, endings: &[&str]) -> bool {
    endings.iter().any(|ending| file.path.ends_with(ending))
}

fn opening(workspace: &Workspace, path: &str) -> Option<Finding> {
    let text = workspace.file(path).map_or("", |file| file.text.as_str());
    if !text.starts_with("//! ") {
        return Some(Finding::new(path, "does not open with what the crate is for (`//! `)"));
    }
    let promised = text.lines().any(|line| line.starts_with("//! Promise: "));
    (!promised).then(|| Finding::new(path, "does not say what the crate promises (`//! Promise: `)"))
}

/// The private path a line names, if it stands there as a path and not inside a longer one.
fn private(text: &str) -> Option<&'static str> {
    PRIVATE.iter().copied().find(|path| {
        text.match_indices(path).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | ')' | '*' | '~'))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Crate;

    fn workspace(files: &[(&str, &str)]) -> Workspace {
        let files = files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() }).collect();
        Workspace { files, ..Workspace::default() }
    }

    #[track_caller]
    fn says(path: &str, text: &str, wanted: &[&str]) {
        let found: Vec<String> = check(&workspace(&[(path, text)])).iter().map(Finding::to_string).collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn unfinished_work_is_found_in_programs_only() {
        for (text, word) in [
            (concat!("// TO", "DO: this"), concat!("TO", "DO")),
            (concat!("    to", "do!()"), concat!("to", "do!")),
            (concat!("#[igno", "re = \"slow\"]"), concat!("#[igno", "re")),
            (concat!("/* FIX", "ME */"), concat!("FIX", "ME")),
        ] {
            says("a.rs", text, &[&format!("a.rs:1: {word} is unfinished work")]);
            says("a.json", text, &[]);
        }
        says("a.rs", concat!("let auto", "dos = TO", "DOS;"), &[]);
    }

    #[test]
    fn paths_of_one_machine_are_found_in_every_text() {
        let path = concat!("/wo", "rk/");
        says("a.md", &format!("see `{path}main`"), &[&format!("a.md:1: {path} is a path of one machine")]);
        says("a.rs", &format!("\"https://example.net{path}flow\""), &[]);
        says(
            "a.rs",
            concat!("include_str!(\"../sha", "red/x\")"),
            &[concat!("a.rs:1: ../sha", "red is a path of one machine")],
        );
        says("a.rs", concat!("\"../../sha", "red\""), &[concat!("a.rs:1: ../sha", "red is a path of one machine")]);
    }

    #[test]
    fn a_long_file_is_listed_and_a_longer_one_is_split() {
        let lines = |count: usize| "x\n".repeat(count);
        let sizes =
            workspace(&[("a.rs", &lines(500)), ("b.tsx", &lines(501)), ("c.ts", &lines(801)), ("d.json", &lines(900))]);
        assert_eq!(long(&sizes), ["b.tsx has 501 lines, more than 500"]);
        let found: Vec<String> = check(&sizes).iter().map(Finding::to_string).collect();
        assert_eq!(found, ["c.ts: has 801 lines, more than 800: split it"]);
    }

    #[test]
    fn a_crate_opens_with_its_purpose_and_its_promise() {
        let opened = |text: &str| {
            let mut workspace = workspace(&[("core/base/src/lib.rs", text)]);
            workspace.crates = vec![Crate { openings: vec!["core/base/src/lib.rs".into()], ..Crate::default() }];
            check(&workspace).into_iter().map(|finding| finding.what).collect::<Vec<_>>()
        };
        assert!(opened("//! Words.\n//!\n//! Promise: it knows nothing.\n").is_empty());
        assert!(opened("//! Words.\n")[0].contains("promises"));
        assert!(opened("use std::fmt;\n//! Words.\n")[0].contains("what the crate is for"));
    }
}

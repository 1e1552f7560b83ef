//! Documents that agree with the tree: links and paths lead somewhere, and every crate is on the map.

use regex::Regex;

use super::Finding;
use crate::workspace::{File, Workspace};

const MAP: &str = "ARCHITECTURE.md";

/// Folders of the root. A word in backticks that begins with one of them is read as a path.
const FOLDERS: &[&str] = &[
    "core",
    "agents",
    "dialects",
    "meetme",
    "console",
    "contracts",
    "tests",
    "xtask",
    "docs",
    "bench",
    ".ci",
    ".config",
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in workspace.files.iter().filter(|file| is_document(&file.path)) {
        findings.extend(broken(workspace, file));
    }
    match workspace.file(MAP) {
        None => findings.push(Finding::new(MAP, "is not there: it is the map of the crates")),
        Some(map) => {
            for each in &workspace.crates {
                if !names(&map.text, &each.folder) && !names(&map.text, &each.name) {
                    findings.push(Finding::new(MAP, format!("does not name the crate {}", each.folder)));
                }
            }
        }
    }
    findings
}

fn is_document(path: &str) -> bool {
    path == "README.md" || path == MAP || (path.starts_with("docs/") && path.ends_with(".md"))
}

/// Whether a text names a folder or package as a whole, not as a part of another name.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/');
    text.match_indices(name).any(|(at, _)| {
        let after = text[at + name.len()..].trim_start_matches('/').chars().next();
        !text[..at].chars().next_back().is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

fn broken(workspace: &Workspace, file: &File) -> Vec<Finding> {
    let link = Regex::new(r"\]\(<?([^)\s>]+)>?[^)]*\)").expect("a pattern that a test compiles");
    let code = Regex::new("`([^`\n]+)`").expect("a pattern that a test compiles");
    let mut findings = Vec::new();
    let mut in_block = false;
    for (line, text) in (1..).zip(file.text.lines()) {
        if text.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        if in_block {
            continue;
        }
        let links = link.captures_iter(text).filter_map(|found| target(&file.path, found.get(1)?.as_str()));
        let paths = code.captures_iter(text).filter_map(|found| path(found.get(1)?.as_str()));
        for missing in links.chain(paths).filter(|path| !workspace.has(path)) {
            findings.push(Finding::new(format!("{}:{line}", file.path), format!("{missing} is not there")));
        }
    }
    findings
}

/// The path below the root that a link leads to; none when it leads elsewhere.
fn target(document: &str, link: &str) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") || link.starts_with('#') {
        return None;
    }
    let link = link.split('#').next()?;
    let mut parts: Vec<&str> = match link.strip_prefix('/') {
        Some(_) => Vec::new(),
        None => document.split('/').collect::<Vec<_>>().split_last()?.1.to_vec(),
    };
    for part in link.split('/').filter(|part| !part.is_empty()) {
        match part {
            "." => {}
            // A link may not leave the checkout; the name that remains is not there, and so is found.
            ".." if parts.pop().is_none() => return Some(link.to_owned()),
            ".." => {}
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The path that a word in backticks is; none when it is something else.
fn path(word: &str) -> Option<String> {
    let first = word.split('/').next()?;
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-'));
    (word.contains('/') && plain && FOLDERS.contains(&first)).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Crate;

    #[track_caller]
    fn check_document(path: &str, text: &str, wanted: &[&str]) {
        let others = [("ARCHITECTURE.md", ""), ("docs/run.md", ""), ("core/base/src/lib.rs", "")];
        let file = |(path, text): (&str, &str)| File { path: path.into(), text: text.into() };
        let mut files: Vec<File> = others.into_iter().filter(|other| other.0 != path).map(file).collect();
        files.push(file((path, text)));
        let root = "a root that is not there".into();
        let found = check(&Workspace { root, files, crates: Vec::new() });
        assert_eq!(found.iter().map(Finding::to_string).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn links_lead_from_the_folder_of_their_document() {
        check_document("README.md", "[run](docs/run.md#start) [web](https://example.net/x) [here](#here)", &[]);
        check_document(
            "docs/more.md",
            "[run](run.md) [base](../core/base) [root](/README.md)",
            &["docs/more.md:1: README.md is not there"],
        );
        check_document("README.md", "\n[gone](docs/gone.md)", &["README.md:2: docs/gone.md is not there"]);
        check_document("docs/more.md", "[out](../../secret)", &["docs/more.md:1: ../../secret is not there"]);
    }

    #[test]
    fn paths_in_backticks_exist_and_other_words_are_left_alone() {
        check_document("README.md", "`core/base/src/lib.rs`, `core/base/`, `agents/*`, `a/b`, `/meetme/v1/kinds`", &[]);
        check_document("README.md", "`core/gone/src/lib.rs`", &["README.md:1: core/gone/src/lib.rs is not there"]);
        check_document("README.md", "```\ncat `core/gone`\n```\n", &[]);
    }

    #[test]
    fn every_crate_is_on_the_map() {
        let each = |folder: &str, name: &str| Crate { folder: folder.into(), name: name.into(), ..Crate::default() };
        let map = File { path: MAP.into(), text: "`core/base` | words\nmeetme-store | rows\ncore/apple/".into() };
        let base = File { path: "core/base/src/lib.rs".into(), text: String::new() };
        let crates =
            vec![each("core/base", "meetme-base"), each("core/store", "meetme-store"), each("core/app", "meetme-app")];
        let found = check(&Workspace { crates, files: vec![base, map], ..Workspace::default() });
        let found: Vec<String> = found.iter().map(Finding::to_string).collect();
        assert_eq!(found, ["ARCHITECTURE.md: does not name the crate core/app"]);
    }
}

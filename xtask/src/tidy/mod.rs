//! `cargo xtask tidy`: invariants that no compiler checks. One line for each finding, and failure if there is any.

mod documents;
mod edges;
mod sources;
mod vendors;

use std::fmt;
use std::io::Write;

use anyhow::Result;

use crate::workspace::Workspace;

/// Something that must be changed before a change is handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: a file, a file with its line, or a crate's folder.
    pub place: String,
    /// What is wrong, and what to do where that is not plain.
    pub what: String,
}

impl Finding {
    fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { place: place.into(), what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.what)
    }
}

/// Everything that is wrong with a workspace.
pub fn findings(workspace: &Workspace) -> Vec<Finding> {
    let mut all = edges::check(&workspace.crates);
    all.extend(sources::check(workspace));
    all.extend(vendors::check(workspace));
    all.extend(documents::check(workspace));
    all
}

/// Prints what is wrong; true when nothing is.
pub fn run(workspace: &Workspace) -> Result<bool> {
    let mut out = std::io::stdout().lock();
    for warning in sources::long(workspace) {
        writeln!(out, "warning: {warning}")?;
    }
    let findings = findings(workspace);
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    let verdict = if findings.is_empty() { "ok".to_owned() } else { format!("{} findings", findings.len()) };
    writeln!(out, "tidy: {} crates, {} files, {verdict}", workspace.crates.len(), workspace.files.len())?;
    Ok(findings.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::File;

    #[test]
    fn a_finding_is_one_line_with_its_place_first() {
        let finding = Finding::new("core/base", "may not depend on meetme-app");
        assert_eq!(finding.to_string(), "core/base: may not depend on meetme-app");
    }

    #[test]
    fn every_check_is_asked() {
        let file = |path: &str, text: String| File { path: path.into(), text };
        let unfinished = concat!("// TO", "DO: later\n");
        let workspace = Workspace {
            files: vec![
                file("core/store/src/lib.rs", format!("//! It.\n//! Promise: none.\n{unfinished}let megaport = 1;\n")),
                file("README.md", "[gone](docs/gone.md)\n".into()),
                file("ARCHITECTURE.md", String::new()),
            ],
            crates: vec![crate::workspace::Crate {
                name: "meetme-store".into(),
                folder: "core/store".into(),
                dependencies: vec![crate::workspace::Dependency { name: "tokio".into(), is_dev: false }],
                openings: vec!["core/store/src/lib.rs".into()],
            }],
            ..Workspace::default()
        };
        let places: Vec<_> = findings(&workspace).into_iter().map(|finding| finding.place).collect();
        assert_eq!(
            places,
            ["core/store", "core/store/src/lib.rs:3", "core/store/src/lib.rs:4", "README.md:1", "ARCHITECTURE.md"]
        );
    }
}

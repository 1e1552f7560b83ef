//! What there is: the crates with their dependencies, and the files. Every check works on this value, so that a test can
//! make one up.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Folders that hold nothing written by hand.
const SKIPPED: [&str; 5] = ["target", ".git", "node_modules", "dist", "test-results"];

/// The crates and files of a checkout.
#[derive(Debug, Default)]
pub struct Workspace {
    /// Where it is.
    pub root: PathBuf,
    /// Its crates, in the order of their folders.
    pub crates: Vec<Crate>,
    /// Its text files, in the order of their paths.
    pub files: Vec<File>,
}

/// A crate of the workspace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crate {
    /// Its package name.
    pub name: String,
    /// Its folder below the root, such as `core/base`.
    pub folder: String,
    /// What it depends on.
    pub dependencies: Vec<Dependency>,
    /// The files its targets begin with, below the root, libraries and programs only.
    pub openings: Vec<String>,
}

/// An edge between crates.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependency {
    /// The package depended on.
    pub name: String,
    /// Whether only tests, examples and benchmarks need it.
    pub is_dev: bool,
}

/// A text file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    /// Its path below the root, with `/`.
    pub path: String,
    /// What is in it.
    pub text: String,
}

impl Workspace {
    /// Reads the workspace at a root.
    pub fn read(root: &Path) -> Result<Self> {
        let mut files = Vec::new();
        collect(root, root, &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { root: root.to_owned(), crates: crates(root, &metadata(root)?)?, files })
    }

    /// The file at a path.
    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is a file or a folder at a path.
    pub fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let inside = |file: &File| file.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        self.files.iter().any(|file| file.path == path || inside(file)) || self.root.join(path).exists()
    }
}

fn metadata(root: &Path) -> Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(root)
        .output()
        .context("cargo metadata does not run")?;
    if !output.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("cargo metadata is not JSON")
}

/// Reads the crates out of what `cargo metadata` says.
fn crates(root: &Path, metadata: &Value) -> Result<Vec<Crate>> {
    let below = |path: &Value| -> Result<String> {
        let path = Path::new(path.as_str().context("a path of cargo metadata is a text")?);
        let path = path.strip_prefix(root).with_context(|| format!("{} is outside", path.display()))?;
        Ok(path.to_string_lossy().replace('\\', "/"))
    };
    let mut found = Vec::new();
    for package in metadata["packages"].as_array().context("cargo metadata has no packages")? {
        let manifest = below(&package["manifest_path"])?;
        let folder = manifest.trim_end_matches("Cargo.toml").trim_end_matches('/').to_owned();
        let dependencies = package["dependencies"].as_array().into_iter().flatten().filter_map(|dependency| {
            let is_dev = dependency["kind"].as_str() == Some("dev");
            Some(Dependency { name: dependency["name"].as_str()?.to_owned(), is_dev })
        });
        let dependencies = dependencies.collect();
        let mut openings = Vec::new();
        for target in package["targets"].as_array().into_iter().flatten() {
            let kinds = target["kind"].as_array().into_iter().flatten();
            if kinds.filter_map(Value::as_str).any(|kind| matches!(kind, "lib" | "bin")) {
                openings.push(below(&target["src_path"])?);
            }
        }
        let name = package["name"].as_str().context("a package has a name")?.to_owned();
        found.push(Crate { name, folder, dependencies, openings });
    }
    found.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(found)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<File>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        let name = entry.file_name();
        // A demo's database lives in `data` of the root; a folder of that name elsewhere is source.
        let is_skipped = SKIPPED.iter().any(|skipped| name == *skipped) || path == root.join("data");
        if is_skipped || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(text) = String::from_utf8(std::fs::read(&path)?) {
            let below = path.strip_prefix(root).context("a file of the root is below it")?;
            files.push(File { path: below.to_string_lossy().replace('\\', "/"), text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_are_read_with_folder_openings_and_kinds_of_dependency() {
        let metadata = serde_json::json!({"packages": [{
            "name": "meetme-store",
            "manifest_path": "/somewhere/core/store/Cargo.toml",
            "dependencies": [
                {"name": "meetme-base", "kind": null}, {"name": "tempfile", "kind": "dev"}, {"name": "cc", "kind": "build"}
            ],
            "targets": [
                {"kind": ["lib"], "src_path": "/somewhere/core/store/src/lib.rs"},
                {"kind": ["test"], "src_path": "/somewhere/core/store/tests/suite.rs"}
            ]
        }]});
        let found = crates(Path::new("/somewhere"), &metadata).expect("one crate");
        assert_eq!((found[0].folder.as_str(), found[0].name.as_str()), ("core/store", "meetme-store"));
        assert_eq!(found[0].openings, ["core/store/src/lib.rs"]);
        let dev: Vec<bool> = found[0].dependencies.iter().map(|dependency| dependency.is_dev).collect();
        assert_eq!(dev, [false, true, false]);
    }

    #[test]
    fn what_is_built_or_fetched_is_not_read() {
        let root = tempfile::tempdir().expect("a directory of our own");
        for path in
            ["src/lib.rs", "target/debug/x.rs", "console/node_modules/y.ts", "data/demo/z.txt", "core/data/w.rs"]
        {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, "text").expect("a file");
        }
        let mut files = Vec::new();
        collect(root.path(), root.path(), &mut files).expect("readable files");
        let mut paths: Vec<_> = files.into_iter().map(|file| file.path).collect();
        paths.sort();
        assert_eq!(paths, ["core/data/w.rs", "src/lib.rs"]);
    }
}

//! A directory of the server.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use meetme_model::ops::DataFile;

use crate::files::Basket;

/// How deep directories are followed.
const DEPTH: usize = 32;

/// The directory that a source's address means: below the operator's own, whatever links there are on the way.
///
/// # Errors
/// A sentence that says nothing of what is there and what is not outside.
pub(crate) fn place(root: Option<&Path>, url: &str) -> Result<(PathBuf, PathBuf), String> {
    let root = root.ok_or("The operator has opened no directory for local sources.")?;
    let root = fs::canonicalize(root).map_err(|_| "The directory for local sources is not there.")?;
    let path = Path::new(url.strip_prefix("file://").unwrap_or(url));
    let none = "There is no such directory below the one that the operator opened.";
    let path = fs::canonicalize(root.join(path)).map_err(|_| none)?;
    if !path.starts_with(&root) || !path.is_dir() {
        return Err(none.to_owned());
    }
    Ok((root, path))
}

/// Writes a file of a directory, whole or not at all; the answer is whether it is another than before. Directories on the way are made.
///
/// # Errors
/// A sentence for whoever asked.
pub(crate) fn write(root: Option<&Path>, url: &str, path: &str, text: &str) -> Result<bool, String> {
    let (root, top) = place(root, url)?;
    let broken = |e: std::io::Error| format!("{path} cannot be written: {}.", e.kind());
    let file = top.join(path);
    let (Some(directory), Some(name)) = (file.parent(), file.file_name()) else {
        return Err(format!("{path} is no file."));
    };
    // The part of the way that is there must not lead out before anything is made below it.
    let there = directory.ancestors().find(|part| part.exists()).unwrap_or(&top);
    if !fs::canonicalize(there).map_err(broken)?.starts_with(&root) {
        return Err(format!("{path} leads out of the directory that the operator opened."));
    }
    fs::create_dir_all(directory).map_err(broken)?;
    let directory = fs::canonicalize(directory).map_err(broken)?;
    if !directory.starts_with(&root) {
        return Err(format!("{path} leads out of the directory that the operator opened."));
    }
    let target = directory.join(name);
    if fs::read(&target).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(false);
    }
    let mut new = tempfile::NamedTempFile::new_in(&directory).map_err(broken)?;
    new.write_all(text.as_bytes()).map_err(broken)?;
    // A link of that name is replaced, not followed.
    new.persist(&target).map_err(|e| broken(e.error))?;
    Ok(true)
}

/// Reads a directory. Links are passed over: they lead elsewhere.
///
/// # Errors
/// A sentence for whoever asked.
pub(crate) fn read(root: Option<&Path>, url: &str, mut basket: Basket) -> Result<Basket, String> {
    let (root, top) = place(root, url)?;
    let mut open = vec![(top.clone(), 0)];
    while let Some((directory, depth)) = open.pop() {
        let shown = directory.strip_prefix(&top).unwrap_or(&directory).display().to_string();
        let entries =
            fs::read_dir(&directory).map_err(|e| format!("The directory {shown:?} cannot be read: {}.", e.kind()))?;
        for entry in entries {
            let entry = entry.map_err(|e| format!("The directory {shown:?} cannot be read: {}.", e.kind()))?;
            let path = entry.path();
            let Some(name) = path.strip_prefix(&top).ok().and_then(Path::to_str).map(str::to_owned) else {
                basket.pass(&path.to_string_lossy(), "its name is no text");
                continue;
            };
            // Of the entry itself, not of what a link leads to.
            let Ok(about) = entry.metadata() else { continue };
            if about.is_symlink() {
                basket.pass(&name, "it is a link");
            } else if about.is_dir() {
                if depth >= DEPTH {
                    return Err(format!("The directories are more than {DEPTH} deep."));
                }
                if !name.rsplit('/').next().is_some_and(|last| last.starts_with('.')) {
                    open.push((path, depth + 1));
                }
            } else if about.is_file() && basket.wants(&name, about.len())? {
                // Somebody may have put a link there a moment ago.
                if !fs::canonicalize(&path).is_ok_and(|real| real.starts_with(&root)) {
                    continue;
                }
                let mut bytes = Vec::new();
                let file = fs::File::open(&path).map_err(|e| format!("{name} cannot be read: {}.", e.kind()))?;
                file.take(DataFile::MOST + 1)
                    .read_to_end(&mut bytes)
                    .map_err(|e| format!("{name} cannot be read: {}.", e.kind()))?;
                if bytes.len() as u64 > DataFile::MOST {
                    basket.pass(&name, "it grew while it was read");
                    continue;
                }
                basket.put(name, bytes);
            }
        }
    }
    basket.found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(basket)
}

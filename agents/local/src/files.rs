//! The configuration file: read, checked and replaced in one step, and put back when the daemon does not want the new one.

use std::{
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt as _, PermissionsExt, chown},
    path::Path,
    time::Duration,
};

use meetme_agent::AgentError;
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use crate::program;

/// How much of the checker's words is kept.
const LONGEST_WORDS: usize = 2000;

/// A configuration file as it was found.
#[derive(Debug)]
pub struct Kept {
    /// What it says. Bytes that are no text become a mark that no generated text holds.
    pub text: String,
    pub(crate) bytes: Vec<u8>,
    mode: u32,
}

/// The file as it is; none where there is none.
///
/// # Errors
/// When there is one that cannot be read.
pub async fn read(path: &Path) -> Result<Option<Kept>, AgentError> {
    let owned_path = path.to_owned();
    let read = spawn_blocking(move || {
        let bytes = std::fs::read(&owned_path)?;
        let mode = std::fs::metadata(&owned_path)?.mode() & 0o777;
        Ok(Kept { text: String::from_utf8_lossy(&bytes).into_owned(), bytes, mode })
    });
    match read.await.map_err(io::Error::other).and_then(|read| read) {
        Ok(kept) => Ok(Some(kept)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(AgentError::broken(format!("{} cannot be read: {e}", path.display()))),
    }
}

/// Writes a new text beside the file, on disk. It belongs to whom the file belongs to, because the daemon often reads it as a
/// user of its own, and is closed to everybody beyond the file's group, because it may hold passwords.
///
/// # Errors
/// When its directory cannot be written.
pub async fn write_beside(path: &Path, text: &str) -> Result<NamedTempFile, AgentError> {
    beside(path, text.as_bytes().to_owned(), None).await
}

async fn beside(path: &Path, bytes: Vec<u8>, mode: Option<u32>) -> Result<NamedTempFile, AgentError> {
    let owned_path = path.to_owned();
    blocking(path, move || {
        let directory = owned_path.parent().unwrap_or(Path::new("/"));
        let mut beside = tempfile::Builder::new().prefix(".meetme-").suffix(".conf").tempfile_in(directory)?;
        beside.write_all(&bytes)?;
        if let Ok(old) = std::fs::metadata(&owned_path) {
            let new = beside.as_file().metadata()?;
            if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
                chown(beside.path(), Some(old.uid()), Some(old.gid()))?;
            }
            let mode = mode.unwrap_or(0o600 | (old.mode() & 0o040));
            beside.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
        }
        beside.as_file().sync_all()?;
        Ok(beside)
    })
    .await
}

/// Puts the new file in the place of the old one, in one step and on disk.
///
/// # Errors
/// When its directory cannot be written.
pub async fn replace(path: &Path, beside: NamedTempFile) -> Result<(), AgentError> {
    let owned_path = path.to_owned();
    blocking(path, move || {
        beside.persist(&owned_path).map_err(|e| e.error)?;
        sync_directory(owned_path.parent().unwrap_or(Path::new("/")))
    })
    .await
}

/// Puts back what was there before, byte for byte and as readable as it was.
///
/// # Errors
/// When its directory cannot be written.
pub async fn restore(path: &Path, old: Option<&Kept>) -> Result<(), AgentError> {
    match old {
        Some(old) => replace(path, beside(path, old.bytes.clone(), Some(old.mode)).await?).await,
        None => {
            let owned_path = path.to_owned();
            blocking(path, move || {
                std::fs::remove_file(&owned_path)?;
                sync_directory(owned_path.parent().unwrap_or(Path::new("/")))
            })
            .await
        }
    }
}

/// Writes a new file that belongs to whom `model` belongs to and is as readable, on disk.
pub(crate) fn write_like(path: &Path, model: &Path, bytes: &[u8]) -> io::Result<()> {
    write_synced(path, bytes)?;
    let (old, new) = (std::fs::metadata(model)?, std::fs::metadata(path)?);
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        chown(path, Some(old.uid()), Some(old.gid()))?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(old.mode() & 0o777))
}

/// Writes a new file for its owner alone, on disk.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Has a directory's own entries on disk.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    std::fs::File::open(directory)?.sync_all()
}

pub(crate) async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, AgentError> {
    let done = spawn_blocking(work).await.map_err(io::Error::other).and_then(|done| done);
    done.map_err(|e| AgentError::broken(format!("{} cannot be written: {e}", path.display())))
}

/// Has the daemon's own checker read the file `beside`, whose name is added to `command`. A refusal comes back in the checker's
/// words, cut to a length that can be shown, with the file's real name in them and as `mask` shows them.
///
/// # Errors
/// [`AgentError::Refused`] with those words; [`AgentError::Broken`] when there is no checker to be had.
pub async fn check(
    command: &[String],
    beside: &Path,
    path: &Path,
    within: Duration,
    mask: impl Fn(&str) -> String,
) -> Result<(), AgentError> {
    let mut command = command.to_vec();
    command.push(beside.to_string_lossy().into_owned());
    let ran = program::run(&command, within)
        .await
        .map_err(|trouble| AgentError::broken(format!("the file cannot be checked: {trouble}")))?;
    match (ran.is_success, ran.words()) {
        (true, _) => Ok(()),
        (false, said) if said.is_empty() => {
            Err(AgentError::broken(format!("{} refused the file without a word ({})", command[0], ran.status)))
        }
        (false, said) => {
            let said = said.replace(&*beside.to_string_lossy(), &path.to_string_lossy());
            Err(AgentError::refused(mask(&said).chars().take(LONGEST_WORDS).collect::<String>()))
        }
    }
}

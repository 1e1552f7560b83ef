//! The configuration file: read, checked and replaced in one step, and put back when the daemon does not want the new one.

use std::{
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::Path,
    process::Stdio,
    time::Duration,
};

use meetme_agent::AgentError;
use tempfile::NamedTempFile;
use tokio::{process::Command, task::spawn_blocking, time::timeout};

use crate::{settings::Settings, text::masked};

/// How much of the checker's words is kept.
const LONGEST_WORDS: usize = 2000;

/// A configuration file as it was found.
#[derive(Debug)]
pub struct Kept {
    /// What it says. Bytes that are no text become a mark that no generated text holds.
    pub text: String,
    bytes: Vec<u8>,
    mode: u32,
}

/// The file as it is; none where there is none.
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
pub async fn replace(path: &Path, beside: NamedTempFile) -> Result<(), AgentError> {
    let owned_path = path.to_owned();
    blocking(path, move || {
        beside.persist(&owned_path).map_err(|e| e.error)?;
        sync_directory(&owned_path)
    })
    .await
}

/// Puts back what was there before, byte for byte and as readable as it was.
pub async fn restore(path: &Path, old: Option<&Kept>) -> Result<(), AgentError> {
    match old {
        Some(old) => replace(path, beside(path, old.bytes.clone(), Some(old.mode)).await?).await,
        None => {
            let owned_path = path.to_owned();
            blocking(path, move || {
                std::fs::remove_file(&owned_path)?;
                sync_directory(&owned_path)
            })
            .await
        }
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    std::fs::File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

async fn blocking<T: Send + 'static>(
    path: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, AgentError> {
    let done = spawn_blocking(work).await.map_err(io::Error::other).and_then(|done| done);
    done.map_err(|e| AgentError::broken(format!("{} cannot be written: {e}", path.display())))
}

/// Has the daemon's own checker read the file. Its refusal comes back in its words, with the file's real name in them.
pub async fn check(settings: &Settings, beside: &Path) -> Result<(), AgentError> {
    let [program, arguments @ ..] = &settings.check_command[..] else {
        return Err(AgentError::refused("check_command names no program."));
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(beside).stdin(Stdio::null()).kill_on_drop(true);
    let within: Duration = settings.answer_time();
    let done = match timeout(within, command.output()).await {
        Err(_) => {
            return Err(AgentError::broken(format!("{program} did not check the file within {} s", within.as_secs())));
        }
        Ok(Err(e)) => return Err(AgentError::broken(format!("{program}, which checks files, cannot be run: {e}"))),
        Ok(Ok(done)) => done,
    };
    if done.status.success() {
        return Ok(());
    }
    let said = [done.stderr, done.stdout].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).join("\n");
    match said.trim() {
        "" => Err(AgentError::broken(format!("{program} refused the file without a word ({})", done.status))),
        said => Err(AgentError::refused(words(said, beside, &settings.config_path))),
    }
}

/// What the daemon or its checker said, fit to be shown.
fn words(said: &str, beside: &Path, path: &Path) -> String {
    let said = said.replace(&*beside.to_string_lossy(), &path.to_string_lossy());
    masked(&said).chars().take(LONGEST_WORDS).collect()
}

//! Commit-confirm for daemons that have none of their own.
//!
//! Before a change, everything that is needed to go back is written into a directory beside the configuration file: the old
//! file, whatever else the daemon needs, and a small shell script. A process of its own runs the script, which counts down and
//! then goes back, unless the directory has gone by then: to confirm is to take the directory away. So the daemon returns to
//! its old configuration also when the process that made the change hangs or dies. When the whole machine dies the directory
//! is still there, and the next look at the daemon goes back ([`recover`]).
//!
//! Whoever makes the directory `taken` inside has the last word, confirmation or return; there is no third way for the two to
//! meet. The script does no harm when it is run twice, and may be run by hand.

use std::{
    io::{self, ErrorKind},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use meetme_agent::AgentError;
use tokio::{
    process::Command,
    time::{Instant, interval, timeout},
};

use crate::{
    files::{self, blocking},
    program,
};

/// What is in the way of a return that another process has begun is looked at this often.
const POLL: Duration = Duration::from_millis(100);

/// How long one program of a return may take, in seconds.
const ONE_PROGRAM: u32 = 120;

/// How to go back, beside putting the file back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undo {
    /// Files that the programs need: name and text. They are kept in the guard's directory.
    pub files: Vec<(String, String)>,
    /// The programs that bring the daemon back once its file is as it was, in order. The last one's success is the return's.
    pub commands: Vec<Vec<String>>,
}

/// A change that is taken back unless it is confirmed.
#[derive(Debug)]
pub struct Guard {
    directory: PathBuf,
    config_path: PathBuf,
}

impl Guard {
    /// Keeps what it takes to go back from a change of `config_path` that is about to be made, and starts the countdown: the
    /// change is taken back after `within`, in whole seconds, unless it is confirmed before. `undo` is told the directory its
    /// files will be in.
    ///
    /// # Errors
    /// When any of it cannot be written or started; the change must not be made then, and nothing is left behind.
    pub async fn arm(
        config_path: &Path,
        within: Duration,
        undo: impl FnOnce(&Path) -> Undo,
    ) -> Result<Self, AgentError> {
        let old = files::read(config_path).await?.map(|kept| kept.bytes);
        let path = config_path.to_owned();
        let directory = blocking(config_path, move || {
            let directory =
                tempfile::Builder::new().prefix(&prefix(&path)).permissions(private()).tempdir_in(parent(&path))?;
            if let Some(old) = old {
                files::write_like(&directory.path().join("old"), &path, &old)?;
            }
            Ok(directory)
        })
        .await?;
        let undo = undo(directory.path());
        let script = script(config_path, directory.path(), &undo.commands);
        let at = directory.path().to_owned();
        blocking(config_path, move || {
            for (name, text) in &undo.files {
                files::write_synced(&at.join(name), text.as_bytes())?;
            }
            files::write_synced(&at.join("undo.sh"), script.as_bytes())?;
            files::sync_directory(&at)?;
            files::sync_directory(&at.join(".."))
        })
        .await?;
        count_down(directory.path(), within)?;
        // From here on the directory must outlive this process.
        Ok(Self { directory: directory.keep(), config_path: config_path.to_owned() })
    }

    /// Sees a change through: confirms it once `made` has come to a good end, and takes it back when it has not, or has not within
    /// `within`. Taking back may take as long as `undo`; where it takes longer, the next look at the daemon goes on with it.
    ///
    /// # Errors
    /// What `made` says, or that it came to no end; as [`Guard::confirm`].
    pub async fn see_through(
        self,
        within: Duration,
        undo: Duration,
        made: impl Future<Output = Result<(), AgentError>>,
    ) -> Result<(), AgentError> {
        let made = timeout(within, made).await.unwrap_or_else(|_| {
            Err(AgentError::broken(format!("the change was not made and proved within {} s", within.as_secs())))
        });
        let Err(error) = made else { return self.confirm().await };
        let path = self.config_path.display().to_string();
        tracing::warn!(%error, config = path, "a daemon did not take a configuration and is brought back");
        if let Err(undo) = self.undo(undo).await {
            tracing::warn!(error = %undo, config = path, "the daemon is not back yet");
        }
        Err(error)
    }

    /// The change stays.
    ///
    /// # Errors
    /// When it was too late: the daemon has gone back or is about to.
    pub async fn confirm(self) -> Result<(), AgentError> {
        let directory = self.directory;
        let is_ours = blocking(&self.config_path, move || {
            let is_ours = take(&directory)?;
            if is_ours {
                std::fs::remove_dir_all(&directory)?;
            }
            Ok(is_ours)
        })
        .await?;
        if is_ours {
            return Ok(());
        }
        Err(AgentError::broken(format!(
            "the change of {} took too long and was taken back before it was confirmed",
            self.config_path.display()
        )))
    }

    /// Takes the change back now.
    ///
    /// # Errors
    /// When the daemon did not go back `within` the time, with the words of what was tried. What is needed is still there,
    /// and [`recover`] tries again.
    pub async fn undo(self, within: Duration) -> Result<(), AgentError> {
        go_back(&self.config_path, &self.directory, within).await
    }
}

/// Takes back every change of `config_path` that an earlier process made and did not confirm. True when there was one. The
/// caller sees to it that no change is being made by this process.
///
/// # Errors
/// When a change could not be taken back yet; the next call tries again.
pub async fn recover(config_path: &Path, within: Duration) -> Result<bool, AgentError> {
    let path = config_path.to_owned();
    let left = blocking(config_path, move || {
        let prefix = prefix(&path);
        let entries = match std::fs::read_dir(parent(&path)) {
            Ok(entries) => entries,
            // No directory, no daemon's file, no change of it.
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let mut left = Vec::new();
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                left.push(entry.path());
            }
        }
        Ok(left)
    })
    .await?;
    for directory in &left {
        tracing::warn!(file = %config_path.display(), "a change was not confirmed and is taken back");
        go_back(config_path, directory, within).await?;
    }
    Ok(!left.is_empty())
}

async fn go_back(config_path: &Path, directory: &Path, within: Duration) -> Result<(), AgentError> {
    let failed = |why: String| {
        AgentError::unreachable(format!(
            "an unconfirmed change of {} is not taken back yet: {why}",
            config_path.display()
        ))
    };
    let at = directory.to_owned();
    let is_ours = blocking(config_path, move || take(&at)).await?;
    if !is_ours && has_ended(directory, within).await {
        return Ok(());
    }
    let script = directory.join("undo.sh").to_string_lossy().into_owned();
    let command = ["/bin/sh".to_owned(), script, "now".to_owned()];
    match program::run(&command, within).await {
        Ok(ran) if ran.is_success => Ok(()),
        Ok(ran) => Err(failed(format!("{} ({})", ran.words(), ran.status))),
        Err(trouble) => Err(failed(trouble.to_string())),
    }
}

/// Waits while another process goes back. True once it has; false when it gave up, died or takes longer than `within`.
async fn has_ended(directory: &Path, within: Duration) -> bool {
    let deadline = Instant::now() + within;
    let mut poll = interval(POLL);
    loop {
        poll.tick().await;
        if !directory.exists() {
            return true;
        }
        let by = std::fs::read_to_string(directory.join("taken/by")).unwrap_or_default();
        let is_at_work =
            by.trim().parse::<u32>().is_ok_and(|process| Path::new("/proc").join(process.to_string()).exists());
        if !is_at_work || Instant::now() >= deadline {
            return !directory.exists();
        }
    }
}

/// Takes the last word on a change; false when somebody else has it.
fn take(directory: &Path) -> io::Result<bool> {
    match std::fs::create_dir(directory.join("taken")) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.kind(), ErrorKind::AlreadyExists | ErrorKind::NotFound) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Starts the countdown in a process group of its own, so that what ends this process does not end it.
fn count_down(directory: &Path, within: Duration) -> Result<(), AgentError> {
    let failed = |e: io::Error| AgentError::broken(format!("the guard of a change cannot be started: {e}"));
    let log = std::fs::File::create(directory.join("log")).map_err(failed)?;
    let again = log.try_clone().map_err(failed)?;
    Command::new("/bin/sh")
        .arg(directory.join("undo.sh"))
        .arg("wait")
        .arg(within.as_secs().to_string())
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(again)
        .spawn()
        .map_err(failed)?;
    Ok(())
}

/// Its owner's alone: what is kept holds passwords.
fn private() -> std::fs::Permissions {
    std::fs::Permissions::from_mode(0o700)
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_owned()
}

fn prefix(path: &Path) -> String {
    format!(".meetme-undo-{}-", path.file_name().unwrap_or_default().to_string_lossy())
}

/// What goes back. It needs a shell and the basic programs of a system, and nothing of ours.
fn script(config_path: &Path, directory: &Path, commands: &[Vec<String>]) -> String {
    let [config, directory] = [config_path, directory].map(|path| quoted(&path.to_string_lossy()));
    let mut out = format!(
        "#!/bin/sh
# Takes back a change that nobody confirmed. Written by Meetme; may be run by hand: sh undo.sh now
directory={directory}
config={config}
if [ \"$1\" = wait ]; then
  left=\"$2\"
  while [ \"$left\" -gt 0 ]; do
    sleep 1
    [ -d \"$directory\" ] || exit 0
    left=$((left - 1))
  done
  mkdir \"$directory/taken\" 2>/dev/null || exit 0
fi
mkdir -p \"$directory/taken\"
echo $$ >\"$directory/taken/by\"
if [ -e \"$directory/old\" ]; then
  cp -p \"$directory/old\" \"$config.meetme-back\" || exit 1
  sync \"$config.meetme-back\" 2>/dev/null
  mv -f \"$config.meetme-back\" \"$config\" || exit 1
else
  rm -f \"$config\" || exit 1
fi
logger -t meetme \"an unconfirmed change of $config is taken back\" 2>/dev/null
"
    );
    for (number, command) in commands.iter().enumerate() {
        let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
        let otherwise = if number + 1 == commands.len() { " || exit 1" } else { "" };
        out.push_str(&format!("timeout {ONE_PROGRAM} {}{otherwise}\n", words.join(" ")));
    }
    out.push_str("rm -rf \"$directory\"\n");
    out
}

/// A word that the shell takes as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    const SOON: Duration = Duration::from_secs(20);

    /// A daemon's file that says `old`, and a file that its reload writes to.
    struct Room {
        directory: tempfile::TempDir,
        config: PathBuf,
    }

    impl Room {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let config = directory.path().join("it's.conf");
            std::fs::write(&config, "old").unwrap();
            std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o640)).unwrap();
            Self { directory, config }
        }

        /// A guard whose return copies the file it brought to `reloaded`, then ends as told.
        async fn arm(&self, seconds: u64, last: &str) -> Guard {
            let reloaded = self.directory.path().join("reloaded").to_string_lossy().into_owned();
            let guard = Guard::arm(&self.config, Duration::from_secs(seconds), |at| Undo {
                files: vec![("back".to_owned(), "go back".to_owned())],
                commands: vec![
                    vec!["cp".to_owned(), at.join("back").to_string_lossy().into_owned(), reloaded],
                    vec![last.to_owned()],
                ],
            });
            let guard = guard.await.unwrap();
            assert_eq!(std::fs::metadata(&guard.directory).unwrap().mode() & 0o777, 0o700);
            std::fs::write(&self.config, "new").unwrap();
            guard
        }

        fn says(&self) -> String {
            std::fs::read_to_string(&self.config).unwrap()
        }

        fn is_reloaded(&self) -> bool {
            std::fs::read_to_string(self.directory.path().join("reloaded")).is_ok_and(|said| said == "go back")
        }

        fn left(&self) -> usize {
            std::fs::read_dir(self.directory.path())
                .unwrap()
                .filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with(".meetme"))
                .count()
        }

        async fn until(&self, condition: impl Fn() -> bool) {
            let deadline = Instant::now() + SOON;
            let mut poll = interval(Duration::from_millis(20));
            while !condition() {
                assert!(Instant::now() < deadline, "it says {:?}, {} left", self.says(), self.left());
                poll.tick().await;
            }
        }
    }

    #[tokio::test]
    async fn a_confirmed_change_stays_and_nothing_is_left() {
        let room = Room::new();
        room.arm(1, "true").await.confirm().await.unwrap();
        assert_eq!((room.says().as_str(), room.left()), ("new", 0));
        // The countdown of the first must not be taken for one of a second.
        let second = room.arm(600, "true").await;
        let mut poll = interval(Duration::from_millis(700));
        for _ in 0..3 {
            poll.tick().await;
        }
        assert_eq!(room.says(), "new");
        second.confirm().await.unwrap();
    }

    #[tokio::test]
    async fn a_change_that_nobody_confirms_is_taken_back_by_itself() {
        let room = Room::new();
        let guard = room.arm(1, "true").await;
        room.until(|| room.says() == "old" && room.left() == 0).await;
        assert!(room.is_reloaded());
        assert_eq!(std::fs::metadata(&room.config).unwrap().mode() & 0o777, 0o640);
        assert_eq!(guard.confirm().await.unwrap_err().metric_label(), "broken");
        assert_eq!(room.says(), "old");
    }

    #[tokio::test]
    async fn a_change_can_be_taken_back_at_once() {
        let room = Room::new();
        room.arm(600, "true").await.undo(SOON).await.unwrap();
        assert!(room.is_reloaded());
        assert_eq!((room.says().as_str(), room.left()), ("old", 0));
    }

    #[tokio::test]
    async fn what_an_earlier_process_left_unconfirmed_is_taken_back() {
        let room = Room::new();
        assert!(!recover(&room.config, SOON).await.unwrap());
        drop(room.arm(600, "true").await);
        assert!(recover(&room.config, SOON).await.unwrap());
        assert_eq!((room.says().as_str(), room.left()), ("old", 0));
    }

    #[tokio::test]
    async fn a_return_that_died_half_way_is_begun_again() {
        let room = Room::new();
        let guard = room.arm(600, "true").await;
        std::fs::create_dir(guard.directory.join("taken")).unwrap();
        std::fs::write(guard.directory.join("taken/by"), "4294967295").unwrap();
        assert!(recover(&room.config, SOON).await.unwrap());
        assert_eq!(room.says(), "old");
    }

    #[tokio::test]
    async fn a_daemon_that_does_not_go_back_is_asked_again_later() {
        let room = Room::new();
        let error = room.arm(600, "false").await.undo(SOON).await.unwrap_err();
        assert!(error.is_passing(), "{error}");
        assert_eq!((room.says().as_str(), room.left()), ("old", 1));
        assert!(recover(&room.config, SOON).await.is_err());
    }

    #[tokio::test]
    async fn a_file_that_was_not_there_is_taken_away_again() {
        let room = Room::new();
        std::fs::remove_file(&room.config).unwrap();
        room.arm(600, "true").await.undo(SOON).await.unwrap();
        assert!(!room.config.exists());
    }
}

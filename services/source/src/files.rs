//! What is taken of a source, and how much.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use meetme_app::sources::Found;
use meetme_model::ops::DataFile;
use sha2::{Digest as _, Sha256};

use crate::pattern;

/// How much of a source is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most files.
    pub files: usize,
    /// The most bytes of all files together.
    pub bytes: u64,
    /// For how many seconds a call of a repository goes on.
    pub seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { files: 2000, bytes: 16 * 1024 * 1024, seconds: 60 }
    }
}

/// Collects files up to the limits.
pub(crate) struct Basket {
    pub limits: Limits,
    pub ignore: String,
    /// What was taken.
    pub found: Vec<Found>,
    /// What was passed over though nobody asked for that, a sentence each.
    pub passed: Vec<String>,
    files: usize,
    bytes: u64,
}

impl Basket {
    pub fn new(limits: Limits, ignore: &str) -> Self {
        Self { limits, ignore: ignore.to_owned(), found: Vec::new(), passed: Vec::new(), files: 0, bytes: 0 }
    }

    /// Notes that a file is passed over.
    pub fn pass(&mut self, path: &str, why: &str) {
        self.passed.push(format!("{path:?} is passed over: {why}."));
    }

    /// Whether a file of this path and size is wanted; the reason is said where people would look for the file.
    ///
    /// # Errors
    /// When there are too many files or bytes: half a source would be taken for the whole.
    pub fn wants(&mut self, path: &str, size: u64) -> Result<bool, String> {
        let hidden = path.split('/').any(|part| part.starts_with('.'));
        if hidden || self.ignore.lines().any(|line| pattern::fits(line.trim(), path)) {
            return Ok(false);
        }
        if path.len() > 1000 || path.chars().any(char::is_control) {
            self.pass(path, "its path is too long or holds control characters");
            return Ok(false);
        }
        if size > DataFile::MOST {
            self.pass(path, &format!("it has more than {} bytes", DataFile::MOST));
            return Ok(false);
        }
        self.files += 1;
        self.bytes += size;
        if self.files > self.limits.files || self.bytes > self.limits.bytes {
            return Err(format!(
                "The source has more than {} files or {} bytes. Ignore what is not needed.",
                self.limits.files, self.limits.bytes
            ));
        }
        Ok(true)
    }

    pub fn put(&mut self, path: String, bytes: Vec<u8>) {
        let hash = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        // A database keeps no zero bytes in texts.
        let (text, base64) = match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => (Some(text), None),
            Ok(text) => (None, Some(STANDARD.encode(text))),
            Err(bytes) => (None, Some(STANDARD.encode(bytes.into_bytes()))),
        };
        self.found.push(Found { path, size, hash, text, base64 });
    }
}

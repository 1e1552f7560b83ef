//! Data sources: directories of the server and Git repositories, read into the store.
//!
//! Promise: nothing outside the directory that the operator opened is read, no program of a repository is run, and no address inside is
//! called. What the files mean, and who follows them, is `app`'s affair.
//!
//! Repositories are read by the `git` program, without a working tree: files are taken out of the object store, so nothing of a
//! repository ever lies on the disk under a name of its choosing. Road not taken: a Git library. None that is written in Rust can push,
//! and two ways of speaking to one repository would differ sooner or later.

mod files;
mod git;
mod local;
mod pattern;
mod worker;

use std::path::PathBuf;

use meetme_base::Reach;

pub use files::Limits;
pub use worker::SourceWorker;

/// What the operator opened.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The directory below which local sources and `file://` repositories are; none when absent.
    pub root: Option<PathBuf>,
    /// Which addresses repositories may be at.
    pub reach: Reach,
    /// The file with the certificates that repositories over HTTPS are trusted by, instead of the system's.
    pub certificates: Option<PathBuf>,
    /// The private key that opens repositories over SSH.
    pub ssh_key: Option<PathBuf>,
    /// The keys of the hosts that are trusted over SSH; without it there is no SSH.
    pub known_hosts: Option<PathBuf>,
    /// How much is read.
    pub limits: Limits,
}

//! What agents share whose equipment is a daemon on the machine they run on: its configuration file, its programs, and the
//! guard that takes a change back by itself when nobody confirms it.
//!
//! Promise: this crate knows no make of equipment. Every program it runs has a deadline and a size beyond which it is given
//! up; every file it replaces is replaced in one step; what it needs to take a change back is on disk before the change is
//! made, and does not need this process to live.

mod files;
mod guard;
mod program;

pub use files::{Kept, check, read, replace, restore, write_beside};
pub use guard::{Guard, Undo, recover};
pub use program::{Ran, Trouble, prove, run};

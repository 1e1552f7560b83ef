//! What machines themselves ask while they start: what to start from, what to install, and who they are to say it is done.
//!
//! Promise: no policy. A machine is known by the address it asks from and nothing else (`meetme_app::devices::machine`), and gets
//! what is its own. Whatever is answered here goes over a network without encryption; what must not is not answered here, but for
//! the first password of the very installation that asks for it.
//!
//! It belongs on a listener of its own, which only machines reach: `[metal]` in the configuration.

mod files;
mod ops;
mod script;
mod seed;

use std::{path::PathBuf, sync::Arc};

use meetme_http::{Claim, Dialect, Slash};

/// How machines are answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// The site whose machines ask here, by its short name; every site's when absent.
    pub site: Option<String>,
    /// The address under which machines reach this listener; what each asked for when absent.
    pub url: Option<String>,
    /// The directory with the installation system (`vmlinuz`, `initrd`) and whatever else machines may fetch.
    pub files: Option<PathBuf>,
    /// What the installation system's kernel is told besides.
    pub arguments: String,
}

/// The dialect.
pub fn dialect(settings: Settings) -> Dialect {
    Dialect {
        title: "Machines that start",
        version: "1",
        mine: |_| Claim::Possible,
        slash: Slash::Ignore,
        normalise: meetme_http::single_slashes,
        ..Dialect::new("machine", ops::table(&Arc::new(settings)))
    }
}

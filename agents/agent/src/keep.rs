//! Files that an agent must find again after a crash.

use std::{
    io::{self, Write as _},
    path::Path,
};

/// Makes `text` what the file says, in one step and on disk: a crash leaves the old text or the new one. The file is its
/// owner's alone, because it may hold secrets.
///
/// # Errors
/// When the directory cannot be written; the file is then what it was.
pub fn keep(file: &Path, text: &[u8]) -> io::Result<()> {
    let directory = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(directory)?;
    beside.write_all(text)?;
    beside.as_file().sync_all()?;
    beside.persist(file).map_err(|e| e.error)?;
    std::fs::File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_kept_file_is_its_owners_alone_whatever_was_there_before() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("kept");
        std::fs::write(&file, "old").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        keep(&file, b"new").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}

//! Files that results are written to.

use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::BatchError;

/// A file that appears only when it is complete: it is written beside its place and then renamed. Devices and pipes are
/// written directly.
#[derive(Debug)]
pub struct OutputFile {
    /// The path as it was typed, for messages.
    path: PathBuf,
    /// The place behind symbolic links.
    target: PathBuf,
}

/// Permissions of new files, before the process's mask.
#[cfg(unix)]
const NEW_FILE_MODE: u32 = 0o666;

impl OutputFile {
    /// Checks that the file can be written, without changing it. Called before the work that fills it begins.
    pub fn prepare(path: &Path) -> Result<Self, BatchError> {
        let file = OutputFile { path: path.to_owned(), target: fs::canonicalize(path).unwrap_or(path.to_owned()) };
        let attempt = match fs::metadata(&file.target) {
            Ok(found) if found.is_dir() => Err(io::Error::from(io::ErrorKind::IsADirectory)),
            Ok(found) if found.is_file() => {
                OpenOptions::new().write(true).open(&file.target).and_then(|_| file.beside()).map(|_| ())
            }
            Ok(_) => Ok(()),
            Err(_) => file.beside().map(|_| ()),
        };
        attempt.map_err(BatchError::writing(path))?;
        Ok(file)
    }

    /// Writes the whole content.
    pub fn write(&self, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), BatchError> {
        let is_special = fs::metadata(&self.target).is_ok_and(|found| !found.is_file());
        let written = if is_special { self.write_directly(content) } else { self.write_and_rename(content) };
        written.map_err(BatchError::writing(&self.path))
    }

    fn write_directly(&self, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut writer = BufWriter::new(OpenOptions::new().write(true).open(&self.target)?);
        content(&mut writer)?;
        writer.flush()
    }

    fn write_and_rename(&self, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        let mut writer = BufWriter::new(self.beside()?);
        content(&mut writer)?;
        let file = writer.into_inner().map_err(|e| e.into_error())?;
        file.as_file().sync_all()?;
        file.persist(&self.target).map_err(|e| e.error)?;
        Ok(())
    }

    /// A temporary file in the folder of the target, removed when dropped.
    fn beside(&self) -> io::Result<NamedTempFile> {
        let folder = self.target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = Builder::new();
        builder.prefix(".bartizan-").suffix(".part");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(NEW_FILE_MODE));
        // Without the name of the temporary file, which nobody knows.
        builder.tempfile_in(folder).map_err(|e| fs::metadata(folder).err().unwrap_or(e.kind().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_complete_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.json");
        let output = OutputFile::prepare(&path).unwrap();
        assert!(!path.exists());
        let failing = output.write(|w| w.write_all(b"half").and_then(|()| Err(io::Error::other("no more"))));
        assert_eq!(failing.unwrap_err().to_string(), format!("{}: cannot write: no more", path.display()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        output.write(|w| w.write_all(b"whole")).unwrap();
        output.write(|w| w.write_all(b"again")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"again");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn places_that_cannot_be_written_are_found_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let message = |path: &Path| OutputFile::prepare(path).unwrap_err().to_string();
        let missing = folder.path().join("no/r.json");
        assert_eq!(
            message(&missing),
            format!("{}: cannot write: No such file or directory (os error 2)", missing.display())
        );
        assert_eq!(message(folder.path()), format!("{}: cannot write: is a directory", folder.path().display()));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_reported_and_devices_stay_devices() {
        let output = OutputFile::prepare(Path::new("/dev/full")).unwrap();
        let message = output.write(|w| w.write_all(b"x")).unwrap_err().to_string();
        assert_eq!(message, "/dev/full: cannot write: No space left on device (os error 28)");
        OutputFile::prepare(Path::new("/dev/null")).unwrap().write(|w| w.write_all(b"x")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (link, file) = (folder.path().join("link"), folder.path().join("file"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        OutputFile::prepare(&link).unwrap().write(|w| w.write_all(b"new")).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}

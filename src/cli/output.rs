//! Standard output.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::CliError;

/// Writes to standard output. A reader that has gone away is not an error.
pub fn print(content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CliError> {
    let mut writer = BufWriter::new(io::stdout().lock());
    match content(&mut writer).and_then(|()| writer.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::writing(Path::new("standard output"))(error))
        }
        _ => Ok(()),
    }
}

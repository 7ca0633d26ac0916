//! Regular files only, read without waiting for anybody, and not further than the caller allows.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Opens a regular file. Looked at before, because opening a device may set something going, and
/// after, because something else may stand there by then: neither waits for a writer.
///
/// # Errors
/// What the system says; `IsADirectory` and `InvalidInput` for what is no regular file.
pub fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    regular(&fs::metadata(path)?)?;
    let file = open_seen(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

/// Opens a file of which the caller has just seen that it is a regular one. Something else may
/// stand there by then: it is refused, and nothing waits for a writer.
///
/// # Errors
/// As [`open_regular`].
pub fn open_seen(path: &Path) -> io::Result<File> {
    let file = without_waiting().open(path)?;
    regular(&file.metadata()?)?;
    Ok(file)
}

/// The bytes of a regular file, if there are no more than `most`.
///
/// # Errors
/// As [`open_regular`]; `FileTooLarge` for a file that is larger, or grows past it meanwhile.
pub fn read_at_most(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, metadata) = open_regular(path)?;
    let too_large = || {
        let message = format!("it is larger than {most} bytes, the most that is read of it");
        io::Error::new(ErrorKind::FileTooLarge, message)
    };
    if metadata.len() > most {
        return Err(too_large());
    }
    // The size is a hint only: files of /proc say 0.
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > most {
        true => Err(too_large()),
        false => Ok(bytes),
    }
}

fn regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        let message = "it is a pipe, socket or device, not a regular file";
        return Err(io::Error::new(ErrorKind::InvalidInput, message));
    }
    Ok(())
}

/// A pipe then opens at once, a terminal does not become ours, and files of the kernel that
/// hold back until there is something to say (`/proc/kmsg`) give an error.
#[cfg(any(target_os = "linux", target_os = "macos"))]
fn without_waiting() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;

    use rustix::fs::OFlags;
    let mut options = OpenOptions::new();
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    options.read(true).custom_flags(flags.bits().cast_signed());
    options
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn without_waiting() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true);
    options
}

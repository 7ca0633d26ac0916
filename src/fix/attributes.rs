//! Owner, mode and extended attributes (ACLs and SELinux labels are such) of a replaced
//! file: kept, or the replacement is refused.

use std::fs::{File, Metadata};
use std::path::Path;

use crate::fix::FixError;

/// Gives `new` what `old` has. `path` names the file in errors.
pub(super) fn copy(path: &Path, old: &File, new: &File) -> Result<(), FixError> {
    let metadata = old
        .metadata()
        .map_err(|source| FixError::io(path, "read", source))?;
    own(path, &metadata, new)?;
    extended::copy(old, new).map_err(|source| FixError::Attributes {
        path: path.to_path_buf(),
        what: "extended attributes",
        source,
    })?;
    // Last: a new owner clears bits, and an ACL's mask is the group's mode.
    new.set_permissions(metadata.permissions())
        .map_err(|source| FixError::Attributes {
            path: path.to_path_buf(),
            what: "mode",
            source,
        })
}

/// Number of names that the file's bytes have.
pub(super) fn links(metadata: &Metadata) -> u64 {
    #[cfg(unix)]
    return std::os::unix::fs::MetadataExt::nlink(metadata);
    #[cfg(not(unix))]
    {
        let _ = metadata;
        1
    }
}

/// The file system that a file lies on, where the system says.
pub(super) fn device(metadata: &Metadata) -> Option<u64> {
    #[cfg(unix)]
    return Some(std::os::unix::fs::MetadataExt::dev(metadata));
    #[cfg(not(unix))]
    {
        let _ = metadata;
        None
    }
}

#[cfg(unix)]
fn own(path: &Path, old: &Metadata, new: &File) -> Result<(), FixError> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let is = new
        .metadata()
        .map_err(|source| FixError::io(path, "read", source))?;
    let user = (is.uid() != old.uid()).then(|| old.uid());
    let group = (is.gid() != old.gid()).then(|| old.gid());
    if user.is_none() && group.is_none() {
        return Ok(());
    }
    fchown(new, user, group).map_err(|source| FixError::Attributes {
        path: path.to_path_buf(),
        what: "owner",
        source,
    })
}

#[cfg(not(unix))]
fn own(_: &Path, _: &Metadata, _: &File) -> Result<(), FixError> {
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
mod extended {
    use std::fs::File;
    use std::io;

    use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
    use rustix::io::Errno;

    /// Largest list or value that the systems allow.
    const LARGEST: usize = 64 * 1024;

    /// A label that the directory gave already is not set again: that may need a privilege
    /// which keeping it does not. What the directory gave beyond that goes away.
    pub(super) fn copy(old: &File, new: &File) -> io::Result<()> {
        let wanted = names(old)?;
        for name in names(new)? {
            if !wanted.contains(&name) {
                fremovexattr(new, name.as_slice())?;
            }
        }
        for name in wanted {
            let value = value(old, &name)?;
            if self::value(new, &name).ok().as_ref() != Some(&value) {
                fsetxattr(new, name.as_slice(), &value, XattrFlags::empty())?;
            }
        }
        Ok(())
    }

    fn names(file: &File) -> io::Result<Vec<Vec<u8>>> {
        let mut list = vec![0u8; LARGEST];
        let length = match flistxattr(file, list.as_mut_slice()) {
            Ok(length) => length,
            Err(Errno::NOTSUP) => 0,
            Err(error) => return Err(error.into()),
        };
        let used = list.get(..length).unwrap_or_default();
        let names = used
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty());
        Ok(names.map(<[u8]>::to_vec).collect())
    }

    fn value(file: &File, name: &[u8]) -> io::Result<Vec<u8>> {
        let mut value = vec![0u8; LARGEST];
        let length = fgetxattr(file, name, value.as_mut_slice())?;
        value.truncate(length);
        Ok(value)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
mod extended {
    use std::fs::File;
    use std::io;

    /// Nothing that this system's std can see.
    pub(super) fn copy(_: &File, _: &File) -> io::Result<()> {
        Ok(())
    }
}

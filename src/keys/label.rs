//! The SELinux label of a folder of keys: set so that the server may read what lies there, and
//! read for the doctor. Where files carry no labels nothing is done. Knows no key.

use std::path::Path;

use rustix::fs::{XattrFlags, getxattr, setxattr};
use rustix::io::Errno;

use super::KeysError;

const NAME: &str = "security.selinux";
/// What every policy lets web servers read below /run, and other services not.
pub(super) const READABLE: &str = "httpd_var_run_t";
/// What a tmpfs is until somebody says otherwise: servers may not even enter it.
const BARE: &str = "tmpfs_t";
/// No label is longer.
const LONGEST: usize = 512;

/// The label, without the zero at its end; `None` where there is none.
pub(super) fn of(path: &Path) -> Option<String> {
    read(path).ok().flatten()
}

fn read(path: &Path) -> Result<Option<String>, Errno> {
    let mut value = [0; LONGEST];
    match getxattr(path, NAME, &mut value) {
        Ok(length) => {
            let text = String::from_utf8_lossy(&value[..length]).into_owned();
            Ok(Some(text.trim_end_matches('\0').to_owned()))
        }
        Err(Errno::NODATA | Errno::NOTSUP | Errno::PERM) => Ok(None),
        Err(why) => Err(why),
    }
}

/// The third field of a label: what rules are about.
pub(super) fn kind(label: &str) -> &str {
    label.split(':').nth(2).unwrap_or("")
}

fn with_kind(label: &str, kind: &str) -> String {
    let mut fields: Vec<&str> = label.splitn(4, ':').collect();
    if let Some(field) = fields.get_mut(2) {
        *field = kind;
    }
    fields.join(":")
}

/// Has the server's domain read a folder of keys, where labels are in use: a folder that was
/// just made carries one then. The mount around it too, if it is a bare one. Gives what was
/// set, one sentence each.
///
/// # Errors
/// [`KeysError::File`] where the policy does not know the type, or does not let it be set.
pub(super) fn admit(dir: &Path, wanted: Option<&str>) -> Result<Vec<String>, KeysError> {
    let wanted = wanted.unwrap_or(READABLE);
    let mut said = Vec::new();
    if wanted.is_empty() {
        return Ok(said);
    }
    let around = dir.parent().filter(|dir| bare(dir));
    for path in [Some(dir), around].into_iter().flatten() {
        // A folder on a file system that hands no labels on is as the one around it.
        let label = of(path).or_else(|| of(path.parent()?));
        let Some(label) = label.map(|label| with_kind(&label, wanted)) else {
            continue;
        };
        if give(path, &label)? {
            said.push(format!("{} is labelled {label}", path.display()));
        }
    }
    Ok(said)
}

fn bare(dir: &Path) -> bool {
    of(dir).is_some_and(|label| kind(&label) == BARE)
}

/// A new file is labelled as the folder is, whatever the rules for new files say.
pub(super) fn as_folder(dir: &Path, file: &Path) -> Result<(), KeysError> {
    match of(dir) {
        Some(label) => give(file, &label).map(drop),
        None => Ok(()),
    }
}

/// False where it was so already.
fn give(path: &Path, label: &str) -> Result<bool, KeysError> {
    if of(path).as_deref() == Some(label) {
        return Ok(false);
    }
    let value = [label.as_bytes(), b"\0"].concat();
    let set = setxattr(path, NAME, &value, XattrFlags::empty());
    set.map_err(|why| KeysError::file("label (--selinux-type names another type)", path, why))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_type_of_a_label_changes() {
        for (label, expected) in [
            (
                "system_u:object_r:tmpfs_t:s0",
                "system_u:object_r:httpd_var_run_t:s0",
            ),
            ("u:r:var_run_t:s0:c1,c2", "u:r:httpd_var_run_t:s0:c1,c2"),
            ("u:r:var_run_t", "u:r:httpd_var_run_t"),
        ] {
            assert_eq!(with_kind(label, READABLE), expected);
        }
        assert_eq!(kind("u:r:tmpfs_t:s0"), BARE);
    }
}

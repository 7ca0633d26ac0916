//! What lies under a folder of keys: a file system in memory that is never swapped, or not.

use std::fs;
use std::path::{Path, PathBuf};

use super::KeysError;

/// Where a folder's bytes go.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct Ground {
    /// The kind of file system: `tmpfs`, `ext4`.
    pub kind: String,
    /// The mount point.
    pub mounted: PathBuf,
    /// It is mounted with `noswap`.
    pub noswap: bool,
    /// Devices and files that memory is swapped to; memory that is only compressed counts too,
    /// where it may be written back.
    pub swaps: Vec<String>,
}

impl Ground {
    /// What lies under this folder, or under the nearest one that exists.
    ///
    /// # Errors
    /// [`KeysError::File`] where the system does not say.
    pub fn under(folder: &Path) -> Result<Self, KeysError> {
        let read = |path: &str| {
            fs::read_to_string(path).map_err(|why| KeysError::file("read", Path::new(path), why))
        };
        let existing = folder
            .ancestors()
            .find_map(|path| fs::canonicalize(path).ok());
        let existing = existing.unwrap_or_else(|| folder.to_owned());
        // A kernel without swap has no such file.
        let swaps = fs::read_to_string("/proc/swaps").unwrap_or_default();
        Ok(Self::from_tables(&existing, &read("/proc/mounts")?, &swaps))
    }

    fn from_tables(folder: &Path, mounts: &str, swaps: &str) -> Self {
        let mut best = Self {
            kind: "unknown".to_owned(),
            mounted: PathBuf::from("/"),
            noswap: false,
            swaps: swaps
                .lines()
                .skip(1)
                .filter_map(|line| line.split_whitespace().next())
                .map(str::to_owned)
                .collect(),
        };
        for line in mounts.lines() {
            let mut fields = line.split(' ').skip(1);
            let (Some(at), Some(kind), Some(options)) =
                (fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let at = PathBuf::from(unescaped(at));
            // A later mount on the same place hides the earlier one.
            if !folder.starts_with(&at) || at.as_os_str().len() < best.mounted.as_os_str().len() {
                continue;
            }
            best.kind = kind.to_owned();
            best.noswap = options.split(',').any(|option| option == "noswap");
            best.mounted = at;
        }
        best
    }

    /// True when nothing that lies here reaches a disk.
    pub fn is_memory_only(&self) -> bool {
        self.why_not().is_none()
    }

    /// Why keys must not lie here.
    pub fn why_not(&self) -> Option<String> {
        match self.kind.as_str() {
            "tmpfs" if self.noswap || self.swaps.is_empty() => None,
            "ramfs" => None,
            "tmpfs" => Some(format!(
                "its tmpfs may be swapped to {}: mount a tmpfs with noswap (Linux 6.4), or turn \
                 swap off",
                self.swaps.join(", ")
            )),
            kind => Some(format!(
                "keys would be written to {kind} at {}: mount a tmpfs there",
                self.mounted.display()
            )),
        }
    }
}

/// `\040` and its like, as the kernel writes spaces.
fn unescaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        let octal = behind
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(value) if byte == b'\\' => {
                out.push(value);
                rest = &behind[3..];
            }
            _ => {
                out.push(byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "/dev/vda / ext4 rw 0 0\n\
        tmpfs /run tmpfs rw,nosuid,mode=755 0 0\n\
        tmpfs /run/keys tmpfs rw,mode=700,noswap 0 0\n\
        /dev/vdb /run/a\\040b ext4 rw 0 0\n";
    const SWAPS: &str = "Filename\tType\tSize\tUsed\tPriority\n/dev/vdb partition 1 0 -2\n";

    #[test]
    fn the_nearest_mount_decides() {
        let ground = |path: &str, swaps| Ground::from_tables(Path::new(path), MOUNTS, swaps);
        assert!(ground("/run/keys/nginx", SWAPS).is_memory_only());
        assert!(ground("/run/keysish", "").is_memory_only());
        assert!(!ground("/run/keysish", SWAPS).is_memory_only());
        assert_eq!(ground("/run/a b/c", "").kind, "ext4");
        assert_eq!(
            ground("/var", "").why_not().unwrap(),
            "keys would be written to ext4 at /: mount a tmpfs there"
        );
    }
}

//! Units of systemd: keys made before the server starts, rotated by a timer, on a tmpfs of
//! their own; and a scheduled reload for servers that keep their keys in memory. Pure text.

mod agent;
#[cfg(feature = "fleet")]
mod generator;

use std::path::{Path, PathBuf};

pub use agent::AgentUnit;
#[cfg(feature = "fleet")]
pub use generator::{GeneratorUnit, generator_unit};

/// What the units are for.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct UnitOptions {
    /// This program.
    pub program: PathBuf,
    /// The server's unit without `.service`.
    pub service: String,
    /// The folder of keys.
    pub folder: PathBuf,
    /// Arguments of `keys init` that were given.
    pub arguments: Vec<String>,
    /// Folders beside the keys that a run writes into.
    pub writes: Vec<PathBuf>,
    /// The server takes one key, which is proven as it runs: none is made before it starts.
    pub one_key: bool,
    /// How long one key encrypts, in seconds.
    pub interval: u64,
    /// The kernel knows tmpfs without swap (Linux 6.4).
    pub noswap: bool,
    /// An agent of a fleet brings the keys.
    pub agent: Option<AgentUnit>,
    /// Only this: reload the server that often, in seconds.
    pub scheduled_reload: Option<u64>,
}

/// Units by file name.
pub fn units(options: &UnitOptions) -> Vec<(String, String)> {
    if let Some(seconds) = options.scheduled_reload {
        return scheduled(options, seconds);
    }
    let mount = mount_point(&options.folder);
    let mount_unit = format!("{}.mount", escaped(&mount));
    if let Some(agent) = &options.agent {
        return vec![
            (mount_unit.clone(), tmpfs(options, &mount)),
            (
                format!("stekguard-agent-{}.service", options.service),
                agent::unit(options, agent, &mount_unit),
            ),
        ];
    }
    let name = format!("stekguard-keys-{}", options.service);
    let mut units = vec![
        (mount_unit.clone(), tmpfs(options, &mount)),
        (format!("{name}-boot.service"), boot(options, &mount_unit)),
        (format!("{name}.service"), rotation(options, &mount_unit)),
        (format!("{name}.timer"), timer(options)),
    ];
    units.retain(|(unit, _)| !(options.one_key && unit.ends_with("-boot.service")));
    units
}

/// The folder above the keys, so that several servers share one mount; the folder itself where
/// that would hide other things.
fn mount_point(folder: &Path) -> PathBuf {
    let parent = folder
        .parent()
        .filter(|parent| parent.components().count() > 3);
    parent.unwrap_or(folder).to_owned()
}

fn tmpfs(options: &UnitOptions, mount: &Path) -> String {
    let noswap = if options.noswap { ",noswap" } else { "" };
    let remark = match options.noswap {
        true => "",
        false => "# This kernel has no tmpfs without swap (Linux 6.4): turn swap off.\n",
    };
    format!(
        "[Unit]\nDescription=Memory for TLS ticket keys\nBefore={}.service\n\n\
         {remark}[Mount]\nWhat=tmpfs\nWhere={}\nType=tmpfs\n\
         Options=mode=0700,size=1m,nosuid,nodev,noexec{noswap}\n\n\
         [Install]\nWantedBy=multi-user.target\n",
        options.service,
        mount.display()
    )
}

/// The server is neither waited for nor touched here, and starts whatever comes of it.
fn boot(options: &UnitOptions, mount: &str) -> String {
    format!(
        "[Unit]\nDescription=TLS ticket keys before {service} starts\nRequires={mount}\n\
         After={mount}\nBefore={service}.service\n\n\
         [Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={}\n{}\n\
         [Install]\nWantedBy=multi-user.target\n",
        command(options, "init", &["--leave-server"]),
        sandbox(options),
        service = options.service,
    )
}

fn rotation(options: &UnitOptions, mount: &str) -> String {
    format!(
        "[Unit]\nDescription=Rotate the TLS ticket keys of {service}\nRequires={mount}\n\
         After={mount} {service}.service\n\n\
         [Service]\nType=oneshot\nExecStart={}\nTimeoutStartSec=5min\n{}",
        command(options, "init", &[]),
        sandbox(options),
        service = options.service,
    )
}

fn timer(options: &UnitOptions) -> String {
    // Several looks a slot, one of them at its start: the run itself waits for the last seconds.
    let when = match options.interval {
        3600 => "OnCalendar=*:0/5".to_owned(),
        interval => format!("OnBootSec=1s\nOnUnitActiveSec={}s", (interval / 12).max(1)),
    };
    format!(
        "[Unit]\nDescription=Rotate the TLS ticket keys of {}\n\n\
         [Timer]\n{when}\nAccuracySec=1s\n\n[Install]\nWantedBy=timers.target\n",
        options.service
    )
}

fn scheduled(options: &UnitOptions, seconds: u64) -> Vec<(String, String)> {
    let service = &options.service;
    let name = format!("stekguard-reload-{service}");
    let unit = format!(
        "[Unit]\nDescription=New TLS ticket keys for {service} by a reload\n\
         After={service}.service\n\n\
         [Service]\nType=oneshot\nExecStart=systemctl --no-block reload {service}.service\n\
         NoNewPrivileges=yes\nProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\n\
         MemoryDenyWriteExecute=yes\nLimitCORE=0\n"
    );
    let timer = format!(
        "[Unit]\nDescription=New TLS ticket keys for {service} by a reload\n\n\
         [Timer]\nOnBootSec={seconds}s\nOnUnitActiveSec={seconds}s\nAccuracySec=1min\n\n\
         [Install]\nWantedBy=timers.target\n"
    );
    vec![
        (format!("{name}.service"), unit),
        (format!("{name}.timer"), timer),
    ]
}

/// `nginx -t` opens logs, the pid file and temporary folders, and binds ports: those stay open.
fn sandbox(options: &UnitOptions) -> String {
    let more = options
        .writes
        .iter()
        .map(|path| format!(" -{}", path.display()));
    let more: String = more.collect();
    format!(
        "NoNewPrivileges=yes\nProtectSystem=strict\n\
         ReadWritePaths=-{} -/run -/var/log -/var/lib/nginx -/var/cache/nginx{more}\n\
         ProtectHome=yes\nPrivateTmp=yes\nPrivateDevices=yes\nProtectKernelTunables=yes\n\
         ProtectKernelModules=yes\nProtectKernelLogs=yes\nProtectControlGroups=yes\n\
         ProtectHostname=yes\nProtectClock=yes\nRestrictNamespaces=yes\n\
         RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\nRestrictRealtime=yes\n\
         RestrictSUIDSGID=yes\nLockPersonality=yes\nMemoryDenyWriteExecute=yes\n\
         SystemCallArchitectures=native\n\
         CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_IPC_LOCK CAP_KILL \
         CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID\n\
         UMask=0077\nLimitCORE=0\nLimitMEMLOCK=infinity\n",
        options.folder.display()
    )
}

fn command(options: &UnitOptions, what: &str, more: &[&str]) -> String {
    let program = options.program.display().to_string();
    let fixed = ["keys", what].map(str::to_owned);
    let more = more.iter().map(|argument| (*argument).to_owned());
    let words = [program]
        .into_iter()
        .chain(fixed)
        .chain(options.arguments.iter().cloned());
    let words: Vec<String> = words.chain(more).map(|word| quoted(&word)).collect();
    words.join(" ")
}

/// A word as systemd reads it: `%` and `$` stand for themselves, quotes where needed.
fn quoted(word: &str) -> String {
    let word = word.replace('%', "%%").replace('$', "$$");
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%$+[]".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word;
    }
    let word = word
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{word}\"")
}

/// A path as the name of a unit, as `systemd-escape --path` writes it.
fn escaped(path: &Path) -> String {
    let text = path.display().to_string();
    let mut out = String::new();
    for (at, byte) in text.trim_matches('/').bytes().enumerate() {
        match byte {
            b'/' => out.push('-'),
            b'.' if at == 0 => out.push_str("\\x2e"),
            b':' | b'_' | b'.' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_words_are_as_systemd_reads_them() {
        assert_eq!(
            escaped(Path::new("/run/stekguard/keys")),
            "run-stekguard-keys"
        );
        assert_eq!(escaped(Path::new("/run/a-b/.c")), "run-a\\x2db-.c");
        assert_eq!(quoted("a b\"c"), "\"a b\\\"c\"");
        assert_eq!(quoted("100%"), "100%%");
        assert_eq!(
            mount_point(Path::new("/run/stekguard/keys/nginx")),
            Path::new("/run/stekguard/keys")
        );
        assert_eq!(
            mount_point(Path::new("/run/keys/nginx")),
            Path::new("/run/keys/nginx")
        );
    }
}

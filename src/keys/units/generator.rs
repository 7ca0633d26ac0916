//! The unit of a fleet's generator: a service without rights, with its private keys as
//! credentials where the settings say so. Pure text.

use std::path::PathBuf;

use super::quoted;

/// What the unit is for.
#[derive(Clone, Eq, PartialEq, Debug)]
pub struct GeneratorUnit {
    /// This program.
    pub program: PathBuf,
    /// The fleet's name.
    pub fleet: String,
    /// Arguments of `keys generate`.
    pub arguments: Vec<String>,
    /// Credentials by name, and the files that they are loaded from.
    pub credentials: Vec<(String, PathBuf)>,
    /// The socket of the ssh-agent that signs.
    pub agent: Option<PathBuf>,
    /// Folders that it writes into: a store, metrics.
    pub writes: Vec<PathBuf>,
    /// It needs no file that only root can read or write: it runs as a user of its own.
    pub own_user: bool,
}

/// The unit and its name.
pub fn generator_unit(unit: &GeneratorUnit) -> (String, String) {
    let name = format!("stekguard-generate-{}.service", unit.fleet);
    let command = [unit.program.display().to_string()]
        .into_iter()
        .chain(["keys", "generate"].map(str::to_owned))
        .chain(unit.arguments.iter().cloned());
    let command: Vec<String> = command.map(|word| quoted(&word)).collect();
    let mut more = String::new();
    for (name, path) in &unit.credentials {
        more.push_str(&format!("LoadCredential={name}:{}\n", path.display()));
    }
    if let Some(socket) = &unit.agent {
        let word = quoted(&format!("SSH_AUTH_SOCK={}", socket.display()));
        more.push_str(&format!("Environment={word}\n"));
    }
    for path in &unit.writes {
        more.push_str(&format!("ReadWritePaths={}\n", path.display()));
    }
    more.push_str(match unit.own_user {
        true => "DynamicUser=yes\n",
        false => "# Its files belong to root; it has no other right of root's.\nUser=root\n",
    });
    let text = format!(
        "[Unit]\nDescription=TLS ticket keys for the fleet {fleet}\n\
         Wants=network-online.target\nAfter=network-online.target\n\
         # A restart loses the seeds: never give up, and never restart without need.\n\
         StartLimitIntervalSec=0\n\n\
         [Service]\nType=exec\nExecStart={command}\nRestart=always\nRestartSec=1s\n{more}\
         NoNewPrivileges=yes\nProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\n\
         PrivateDevices=yes\nProtectKernelTunables=yes\nProtectKernelModules=yes\n\
         ProtectKernelLogs=yes\nProtectControlGroups=yes\nProtectHostname=yes\nProtectClock=yes\n\
         ProtectProc=invisible\nRestrictNamespaces=yes\n\
         RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\nRestrictRealtime=yes\n\
         RestrictSUIDSGID=yes\nLockPersonality=yes\nMemoryDenyWriteExecute=yes\n\
         SystemCallArchitectures=native\nCapabilityBoundingSet=\nUMask=0077\nLimitCORE=0\n\
         LimitMEMLOCK=infinity\nMemorySwapMax=0\n\n\
         [Install]\nWantedBy=multi-user.target\n",
        fleet = unit.fleet,
        command = command.join(" "),
    );
    (name, text)
}

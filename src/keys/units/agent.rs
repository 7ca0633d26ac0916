//! The unit of a fleet's agent: it starts before the web server, which does not wait for it.
//! Pure text.

use std::path::{Path, PathBuf};

use super::{UnitOptions, command, sandbox};

/// Where the state of services lies, which systemd makes for them.
const STATE: &str = "/var/lib";

/// What the unit of an agent has to let it do, beside its work on the keys.
#[derive(Clone, Eq, PartialEq, Debug, Default)]
pub struct AgentUnit {
    /// Secrets that systemd hands over, with the files that they are in.
    pub credentials: Vec<(String, PathBuf)>,
    /// Where the highest generation is remembered.
    pub memory: PathBuf,
}

pub(super) fn unit(options: &UnitOptions, agent: &AgentUnit, mount: &str) -> String {
    let service = &options.service;
    let mut more = String::new();
    for (name, file) in &agent.credentials {
        more.push_str(&format!("LoadCredential={name}:{}\n", file.display()));
    }
    // systemd makes the folder where it can; elsewhere somebody else did.
    match state(&agent.memory) {
        Some(name) => more.push_str(&format!("StateDirectory={name}\nStateDirectoryMode=0700\n")),
        None => more.push_str(&format!("ReadWritePaths=-{}\n", agent.memory.display())),
    }
    format!(
        "[Unit]\nDescription=Ticket keys of a fleet for {service}\nRequires={mount}\n\
         After={mount} network.target\n\
         # {service} starts as soon as this program runs, whether there are keys or not.\n\
         Before={service}.service\n\n\
         [Service]\nType=exec\nExecStart={}\nRestart=always\nRestartSec=1s\n{more}{}\n\
         [Install]\nWantedBy=multi-user.target\n",
        command(options, "agent", &[]),
        sandbox(options),
    )
}

fn state(memory: &Path) -> Option<String> {
    let name = memory.strip_prefix(STATE).ok()?.to_str()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    (!name.is_empty() && name.bytes().all(plain)).then(|| name.to_owned())
}

//! A call: which module, in which mode, with which arguments.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::arguments::Arguments;
use super::loose;
#[cfg(target_os = "linux")]
use super::ticket_keys::KeysArguments;

/// The form of the documents on stdin and stdout. The collection says which one it speaks.
pub const PROTOCOL: u64 = 1;

/// A module of the collection.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Module {
    /// Brings a host's configuration to a policy.
    Resumption,
    /// Says what is found and what resumes.
    ResumptionInfo,
    /// Makes and rotates ticket keys.
    TicketKeys,
}

/// One call of a module with its own arguments.
#[derive(Clone, Debug)]
pub(super) struct Call<A = Arguments> {
    /// Change nothing, say what would change.
    pub(super) check: bool,
    /// Show what changes.
    pub(super) diff: bool,
    /// The module's own arguments.
    pub(super) arguments: A,
}

/// A call of one of the modules.
#[derive(Clone, Debug)]
pub(super) enum Task {
    Resumption(Call),
    ResumptionInfo(Call),
    #[cfg(target_os = "linux")]
    TicketKeys(Call<KeysArguments>),
}

/// A call that cannot be understood.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub(super) enum CallError {
    /// Not the JSON of a call.
    #[error("standard input is not a module call: {0}")]
    Form(String),
    /// The collection is of another time than the binary.
    #[error(
        "the collection speaks protocol {0}, this stekguard speaks {PROTOCOL}: install the collection and \
         the program of the same release"
    )]
    Protocol(u64),
    /// An argument that does not exist or has no such value.
    #[error("arguments: {0}")]
    Arguments(String),
    /// Keys lie in memory that is a folder.
    #[cfg(not(target_os = "linux"))]
    #[error("ticket_keys works on Linux only")]
    Platform,
    /// A binary module of another name.
    #[error(
        "`{0}` is not a module of stekguard: put the binary into library/ under a name that ends in \
         `resumption`, `resumption_info` or `ticket_keys`"
    )]
    Name(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    protocol: u64,
    module: Module,
    #[serde(default)]
    check_mode: bool,
    #[serde(default)]
    diff: bool,
    arguments: Map<String, Value>,
}

/// What Ansible adds to a binary module's arguments, as far as it matters here.
#[derive(Deserialize)]
struct Mode {
    #[serde(
        default,
        rename = "_ansible_check_mode",
        deserialize_with = "loose::boolean"
    )]
    check: bool,
    #[serde(default, rename = "_ansible_diff", deserialize_with = "loose::boolean")]
    diff: bool,
}

impl Task {
    /// The document that the collection's modules send.
    ///
    /// # Errors
    /// [`CallError`] says what is wrong with it.
    pub(super) fn read(document: &[u8]) -> Result<Self, CallError> {
        // Asked first: another protocol may have other fields.
        let value: Value = parse(document)?;
        let protocol = value.get("protocol").and_then(Value::as_u64);
        if let Some(other) = protocol.filter(|other| *other != PROTOCOL) {
            return Err(CallError::Protocol(other));
        }
        let document: Document = serde_json::from_value(value).map_err(form)?;
        debug_assert_eq!(document.protocol, PROTOCOL);
        let call = Call {
            check: document.check_mode,
            diff: document.diff,
            arguments: document.arguments,
        };
        call.of(document.module)
    }

    /// The argument file of a binary module that was started under this name.
    ///
    /// # Errors
    /// [`CallError`] says what is wrong with it.
    pub(super) fn read_binary(arguments: &[u8], program: &str) -> Result<Self, CallError> {
        let mut fields: Map<String, Value> = parse(arguments)?;
        let module = named(program).ok_or_else(|| CallError::Name(program.to_owned()))?;
        let mode: Mode = serde_json::from_value(Value::Object(fields.clone())).map_err(form)?;
        fields.retain(|name, _| !name.starts_with("_ansible_"));
        let call = Call {
            check: mode.check,
            diff: mode.diff,
            arguments: fields,
        };
        call.of(module)
    }
}

impl Call<Map<String, Value>> {
    fn of(self, module: Module) -> Result<Task, CallError> {
        Ok(match module {
            Module::Resumption => Task::Resumption(self.read()?),
            Module::ResumptionInfo => Task::ResumptionInfo(self.read()?),
            #[cfg(target_os = "linux")]
            Module::TicketKeys => Task::TicketKeys(self.read()?),
            #[cfg(not(target_os = "linux"))]
            Module::TicketKeys => return Err(CallError::Platform),
        })
    }

    /// Reads the arguments. A null stands for one that was not given.
    fn read<A: DeserializeOwned>(mut self) -> Result<Call<A>, CallError> {
        self.arguments.retain(|_, value| !value.is_null());
        let read = serde_json::from_value(Value::Object(self.arguments));
        Ok(Call {
            check: self.check,
            diff: self.diff,
            arguments: read.map_err(|error| CallError::Arguments(error.to_string()))?,
        })
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(bytes).map_err(form)
}

fn form(error: serde_json::Error) -> CallError {
    CallError::Form(error.to_string())
}

/// Which module a program of this name is.
fn named(program: &str) -> Option<Module> {
    let name = program.strip_suffix(".exe").unwrap_or(program);
    if name.ends_with("resumption_info") {
        return Some(Module::ResumptionInfo);
    }
    if name.ends_with("ticket_keys") {
        return Some(Module::TicketKeys);
    }
    name.ends_with("resumption").then_some(Module::Resumption)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_module_is_known_by_its_name() {
        assert_eq!(named("stekguard_resumption"), Some(Module::Resumption));
        assert_eq!(named("tls_resumption_info"), Some(Module::ResumptionInfo));
        assert_eq!(named("stekguard_ticket_keys"), Some(Module::TicketKeys));
        assert_eq!(named("stekguard"), None);
    }

    #[test]
    fn the_modes_of_a_binary_module_are_not_arguments() {
        let text = br#"{"path": "/etc/a.conf, /etc/b.conf", "unsafe_fixes": "yes",
            "_ansible_check_mode": true, "_ansible_version": "2.19"}"#;
        let Task::Resumption(call) = Task::read_binary(text, "resumption").unwrap() else {
            panic!("another module");
        };
        assert!(call.check && !call.diff && call.arguments.unsafe_fixes);
        assert_eq!(call.arguments.path, ["/etc/a.conf", "/etc/b.conf"]);
    }

    #[test]
    fn another_protocol_is_named_whatever_else_it_sends() {
        let error = Task::read(br#"{"protocol": 2, "new": 1}"#).unwrap_err();
        assert_eq!(error, CallError::Protocol(2));
    }

    #[test]
    fn what_is_no_call_is_an_error() {
        for text in [
            &b""[..],
            b"[]",
            b"{}",
            b"\xff",
            br#"{"protocol": 1, "module": "other", "arguments": {}}"#,
            br#"{"protocol": 1, "module": "resumption", "arguments": {}, "more": 1}"#,
        ] {
            assert!(matches!(Task::read(text), Err(CallError::Form(_))));
        }
        for arguments in [
            r#"{"polcy": "sound"}"#,
            r#"{"policy": "none"}"#,
            r#"{"path": {"a": 1}}"#,
            r#"{"force": "perhaps"}"#,
            r#"{"force": 3}"#,
        ] {
            let text =
                format!(r#"{{"protocol": 1, "module": "resumption", "arguments": {arguments}}}"#);
            let error = Task::read(text.as_bytes()).unwrap_err();
            assert!(matches!(error, CallError::Arguments(_)), "{error}");
        }
    }
}

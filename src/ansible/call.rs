//! A call: which module, in which mode, with which arguments.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::arguments::Arguments;
use super::loose;

/// The form of the documents on stdin and stdout. The collection says which one it speaks.
pub const PROTOCOL: u64 = 1;

/// A module of the collection.
#[derive(Copy, Clone, Eq, PartialEq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Module {
    /// Brings a host's configuration to a policy.
    Resumption,
    /// Says what is found and what resumes.
    ResumptionInfo,
}

/// One call of a module.
#[derive(Clone, Debug)]
pub struct Call {
    /// Which.
    pub module: Module,
    /// Change nothing, say what would change.
    pub check: bool,
    /// Show what changes.
    pub diff: bool,
    /// The module's own arguments.
    pub(super) arguments: Arguments,
}

/// A call that cannot be understood.
#[derive(Clone, Eq, PartialEq, Debug, thiserror::Error)]
pub enum CallError {
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
    /// A binary module of another name.
    #[error(
        "`{0}` is not a module of stekguard: put the binary into library/ under a name that ends in \
         `resumption` or `resumption_info`"
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

impl Call {
    /// The document that the collection's modules send.
    ///
    /// # Errors
    /// [`CallError`] says what is wrong with it.
    pub fn read(document: &[u8]) -> Result<Self, CallError> {
        // Asked first: another protocol may have other fields.
        let value: Value = parse(document)?;
        let protocol = value.get("protocol").and_then(Value::as_u64);
        if let Some(other) = protocol.filter(|other| *other != PROTOCOL) {
            return Err(CallError::Protocol(other));
        }
        let document: Document = serde_json::from_value(value).map_err(form)?;
        debug_assert_eq!(document.protocol, PROTOCOL);
        Ok(Self {
            module: document.module,
            check: document.check_mode,
            diff: document.diff,
            arguments: Arguments::read(document.arguments).map_err(CallError::Arguments)?,
        })
    }

    /// The argument file of a binary module that was started under this name.
    ///
    /// # Errors
    /// [`CallError`] says what is wrong with it.
    pub fn read_binary(arguments: &[u8], program: &str) -> Result<Self, CallError> {
        let mut fields: Map<String, Value> = parse(arguments)?;
        let module = named(program).ok_or_else(|| CallError::Name(program.to_owned()))?;
        let mode: Mode = serde_json::from_value(Value::Object(fields.clone())).map_err(form)?;
        fields.retain(|name, _| !name.starts_with("_ansible_"));
        Ok(Self {
            module,
            check: mode.check,
            diff: mode.diff,
            arguments: Arguments::read(fields).map_err(CallError::Arguments)?,
        })
    }
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, CallError> {
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
    name.ends_with("resumption").then_some(Module::Resumption)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_module_is_known_by_its_name() {
        assert_eq!(named("stekguard_resumption"), Some(Module::Resumption));
        assert_eq!(named("tls_resumption_info"), Some(Module::ResumptionInfo));
        assert_eq!(named("stekguard"), None);
    }

    #[test]
    fn the_modes_of_a_binary_module_are_not_arguments() {
        let text = br#"{"path": "/etc/a.conf, /etc/b.conf", "unsafe_fixes": "yes",
            "_ansible_check_mode": true, "_ansible_version": "2.19"}"#;
        let call = Call::read_binary(text, "resumption").unwrap();
        assert!(call.check && !call.diff && call.arguments.unsafe_fixes);
        assert_eq!(call.arguments.path, ["/etc/a.conf", "/etc/b.conf"]);
    }

    #[test]
    fn another_protocol_is_named_whatever_else_it_sends() {
        let error = Call::read(br#"{"protocol": 2, "new": 1}"#).unwrap_err();
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
            assert!(matches!(Call::read(text), Err(CallError::Form(_))));
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
            let error = Call::read(text.as_bytes()).unwrap_err();
            assert!(matches!(error, CallError::Arguments(_)), "{error}");
        }
    }
}

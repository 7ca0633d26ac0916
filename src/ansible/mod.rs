//! The Ansible skin: a module's arguments as JSON in, its result as JSON out.
//!
//! Two callers: the collection's modules, which send a call to `stekguard ansible run`, and
//! Ansible itself where the binary lies in `library/` as a module of its own. Judges nothing,
//! prints nothing and reads no file; what a module does is in the file of its name.

mod answer;
mod arguments;
mod call;
mod loose;
mod resumption;
mod resumption_info;
#[cfg(target_os = "linux")]
mod ticket_keys;

pub use answer::Answer;
pub use call::PROTOCOL;

use call::Task;

/// Answers a call as the collection's modules send it.
pub fn run(document: &[u8]) -> Answer {
    match Task::read(document) {
        Ok(task) => answer(&task),
        Err(error) => Answer::failed(error.to_string()),
    }
}

/// True for what Ansible hands to a binary module: a JSON object with keys of Ansible's own.
pub fn is_argument_file(bytes: &[u8]) -> bool {
    let fields: Option<serde_json::Map<String, serde_json::Value>> =
        serde_json::from_slice(bytes).ok();
    fields.is_some_and(|fields| fields.keys().any(|name| name.starts_with("_ansible_")))
}

/// Answers Ansible's binary-module protocol: the bytes of the argument file, and the name
/// under which the binary was started.
pub fn binary_module(arguments: &[u8], program: &str) -> Answer {
    match Task::read_binary(arguments, program) {
        Ok(task) => answer(&task),
        Err(error) => Answer::failed(error.to_string()),
    }
}

/// Reads a call and does nothing: of the collection, or of a binary module that was started under
/// this name.
///
/// # Errors
/// The sentence with which [`run`] or [`binary_module`] would fail.
pub fn understands(document: &[u8], program: Option<&str>) -> Result<(), String> {
    let read = match program {
        None => Task::read(document),
        Some(program) => Task::read_binary(document, program),
    };
    read.map(drop).map_err(|error| error.to_string())
}

fn answer(task: &Task) -> Answer {
    match task {
        Task::Resumption(call) => resumption::run(call),
        Task::ResumptionInfo(call) => resumption_info::run(call),
        #[cfg(target_os = "linux")]
        Task::TicketKeys(call) => ticket_keys::run(call),
    }
}

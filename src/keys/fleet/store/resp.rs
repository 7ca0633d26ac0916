//! The protocol of Redis on a [`Wire`]: crate `redis` writes commands and reads answers; when to
//! stop waiting and reading is the wire's business.

use redis::{Cmd, Parser, Value};

use super::failed::{Failed, words};
use super::wire::Wire;

/// What an answer may have beside its records, in bytes.
pub(super) const FRAME: usize = 1024;

/// What is remembered of a connection: bytes that were read and not used yet.
#[derive(Default)]
pub(super) struct Resp(Parser);

impl Resp {
    /// Sends commands, and gives as many answers; what the server refuses is an answer too.
    pub(super) fn ask(
        &mut self,
        wire: &mut Wire,
        commands: &[Cmd],
        most: usize,
    ) -> Result<Vec<Value>, Failed> {
        let mut packed = Vec::new();
        for command in commands {
            packed.extend(command.get_packed_command());
        }
        wire.send(&packed, most + FRAME * commands.len())?;
        commands.iter().map(|_| self.answer(wire)).collect()
    }

    /// The same for one command; a refusal is an error.
    pub(super) fn one(
        &mut self,
        wire: &mut Wire,
        command: &Cmd,
        most: usize,
    ) -> Result<Value, Failed> {
        let mut answers = self.ask(wire, std::slice::from_ref(command), most)?;
        granted(answers.pop().unwrap_or(Value::Nil))
    }

    fn answer(&mut self, wire: &mut Wire) -> Result<Value, Failed> {
        self.0.parse_value(&mut *wire).map_err(|_| {
            // The words of a codec may hold what the server sent.
            let no_answer = || Failed::Garbled("what it answers is not Redis".to_owned());
            wire.why().unwrap_or_else(no_answer)
        })
    }
}

/// An answer that is no refusal.
pub(super) fn granted(answer: Value) -> Result<Value, Failed> {
    let Value::ServerError(error) = answer else {
        return Ok(answer);
    };
    let code = error.code();
    let detail = error.details().unwrap_or_default();
    let said = words(format!("{code} {detail}").trim());
    Err(match code {
        "LOADING" | "MASTERDOWN" | "BUSY" | "TRYAGAIN" | "CLUSTERDOWN" => Failed::Busy(said),
        _ => Failed::Refused(said),
    })
}

/// An answer that is none to what was asked.
pub(super) fn unexpected() -> Failed {
    Failed::Garbled("its answer does not fit the question".to_owned())
}

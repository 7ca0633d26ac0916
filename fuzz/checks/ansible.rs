//! The documents that Ansible hands over: refused with a sentence in a document of one line, or
//! understood, the same twice. A call that is understood is not carried out: it would read and
//! write files.

use serde_json::{Map, Value};
use stekguard::ansible::{Answer, binary_module, is_argument_file, run, understands};

const PROGRAMS: [&str; 4] = [
    "stekguard_resumption",
    "resumption_info",
    "library/ticket_keys",
    "stekguard",
];

/// The first byte chooses the protocol and the module's name.
pub(crate) fn all(bytes: &[u8]) {
    let [how, document @ ..] = bytes else {
        return;
    };
    let program = PROGRAMS[usize::from(*how >> 1) % PROGRAMS.len()];
    let by_collection = how & 1 == 0;
    let name = (!by_collection).then_some(program);
    let verdict = understands(document, name);
    let fields: Option<Map<String, Value>> = serde_json::from_slice(document).ok();
    let own = |name: &String| name.starts_with("_ansible_");
    let is_file = fields.as_ref().is_some_and(|fields| fields.keys().any(own));
    assert_eq!(is_argument_file(document), is_file);
    match verdict {
        Ok(()) => {
            let fields = fields.expect("what is understood is an object");
            assert!(by_collection || program != "stekguard");
            // Spelled by another writer, it says the same.
            let again = Value::Object(fields).to_string();
            assert_eq!(understands(again.as_bytes(), name), Ok(()), "{again}");
        }
        Err(sentence) => {
            let answer = match name {
                None => run(document),
                Some(name) => binary_module(document, name),
            };
            refused(&answer, &sentence);
        }
    }
}

fn refused(answer: &Answer, sentence: &str) {
    assert!(answer.is_failure() && !sentence.is_empty());
    let text = answer.json();
    let line = text.strip_suffix('\n');
    assert!(line.is_some_and(|line| !line.contains('\n')), "one line");
    let value: Value = serde_json::from_str(&text).expect("an answer is JSON");
    assert_eq!(value["failed"], true);
    assert_eq!(value["changed"], false);
    assert_eq!(value["msg"], sentence);
}

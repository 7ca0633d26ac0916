//! Directives that httpd carries out while it reads.
//!
//! Those that change how later lines are read, and no others.

use crate::source::{DirectiveId, ProblemKind, path};
use crate::syntax::apache::{Expanded, Head};

use super::Expander;
use super::emit::arguments;
use super::facts::{ALWAYS, other_name};
use super::reader::{RawLine, Reader};

impl Expander<'_> {
    pub(super) fn execute(
        &mut self,
        reader: &mut Reader,
        raw: &RawLine,
        head: &Head<'_>,
        expanded: &Expanded<'_>,
        id: DirectiveId,
    ) {
        let name = head.name.to_ascii_lowercase();
        let done = match name.as_slice() {
            b"define" => self.define(&arguments(head, expanded)),
            b"undefine" => self.undefine(&arguments(head, expanded)),
            b"loadmodule" => self.load_module(&arguments(head, expanded)),
            b"serverroot" => self.set_server_root(&arguments(head, expanded)),
            b"include" => self.include(raw, id, &arguments(head, expanded), false),
            b"includeoptional" => self.include(raw, id, &arguments(head, expanded), true),
            b"use" => self.use_macro(reader, raw, id, &arguments(head, expanded)),
            b"undefmacro" => self.undefine_macro(&arguments(head, expanded)),
            _ => Ok(()),
        };
        if let Err(message) = done {
            self.report(raw, ProblemKind::Syntax, message, true);
        }
    }

    fn define(&mut self, arguments: &[Vec<u8>]) -> Result<(), String> {
        let (name, value) = match arguments {
            [name] if !name.is_empty() => (name, None),
            [name, value] if !name.is_empty() => (name, Some(value)),
            _ => return Err("Define takes 1-2 arguments".to_owned()),
        };
        if name.contains(&b':') {
            return Err("variable name must not contain ':'".to_owned());
        }
        self.defines
            .state(name.clone(), Some(Vec::new()), self.when);
        // An empty value is none: httpd takes it for a missing argument.
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.variables
                .state(name.to_ascii_lowercase(), Some(value.clone()), self.when);
        }
        Ok(())
    }

    fn undefine(&mut self, arguments: &[Vec<u8>]) -> Result<(), String> {
        let name = one(arguments, "UnDefine")?;
        if name.contains(&b':') {
            return Err("variable name must not contain ':'".to_owned());
        }
        self.defines.state(name.to_vec(), None, self.when);
        self.variables
            .state(name.to_ascii_lowercase(), None, self.when);
        Ok(())
    }

    fn load_module(&mut self, arguments: &[Vec<u8>]) -> Result<(), String> {
        let [symbol, _file] = arguments else {
            return Err("LoadModule takes two arguments".to_owned());
        };
        self.loads_modules |= self.when == ALWAYS;
        let names = other_name(symbol).into_iter().chain([symbol.clone()]);
        for name in names {
            self.modules.state(name, Some(Vec::new()), self.when);
        }
        Ok(())
    }

    fn set_server_root(&mut self, arguments: &[Vec<u8>]) -> Result<(), String> {
        let name = one(arguments, "ServerRoot")?;
        let named = path::below(&self.server_root, name);
        let finder = self.finder(false);
        let place = finder.place(&named);
        if !self.files.is_directory(&place) && !finder.is_elsewhere(&place) {
            return Err("ServerRoot must be a valid directory".to_owned());
        }
        self.server_root = named;
        Ok(())
    }
}

/// The one argument of a directive that takes one.
pub(super) fn one<'v>(arguments: &'v [Vec<u8>], name: &str) -> Result<&'v [u8], String> {
    match arguments {
        [one] if !one.is_empty() => Ok(one),
        _ => Err(format!("{name} takes one argument")),
    }
}

//! Conditions answered from what was read so far: yes, no, or a question for the model.

use crate::catalog::{self, Server};
use crate::source::{AtomKind, Literal, RootKind, path};

use super::Expander;
use super::condition::{self, Question};
use super::facts::{Answer, Known, is_built_in, may_be_built_in};

impl Expander<'_> {
    /// Whether a condition holds where it stands.
    pub(super) fn answer(&mut self, name: &'static str, question: &Question) -> Answer {
        if name == "IfVersion" {
            return self.version(question);
        }
        let answer = match name {
            "IfModule" => self.module(&question.operand),
            "IfDefine" => self.definition(&question.operand),
            "IfFile" => self.exists(&question.operand),
            _ => self.knows(name, &question.operand),
        };
        self.settle(name, question, answer)
    }

    /// Applies `!` and what the conditions around already say.
    fn settle(&mut self, name: &str, question: &Question, answer: Answer) -> Answer {
        let mut literals = match (answer, question.negated) {
            (Answer::Yes, negated) => return if negated { Answer::No } else { Answer::Yes },
            (Answer::No, negated) => return if negated { Answer::Yes } else { Answer::No },
            (Answer::Open(literals), _) => literals,
        };
        if question.negated && literals.len() != 1 {
            // A negated conjunction is a question of its own.
            literals = vec![self.question(AtomKind::Other, name, &question.operand)];
        }
        for literal in &mut literals {
            literal.holds ^= question.negated;
        }
        match self.conditions.open(self.when, &literals) {
            None => Answer::No,
            Some(left) if left.is_empty() => Answer::Yes,
            Some(left) => Answer::Open(left),
        }
    }

    fn question(&mut self, kind: AtomKind, name: &str, operand: &[u8]) -> Literal {
        let text = format!("{name} {}", String::from_utf8_lossy(operand));
        Literal {
            atom: self.conditions.atom(kind, text),
            holds: true,
        }
    }

    fn version(&mut self, question: &Question) -> Answer {
        if let Some(holds) = condition::decided(question, catalog::oldest(Server::Apache)) {
            return if holds { Answer::Yes } else { Answer::No };
        }
        let operator = String::from_utf8_lossy(&question.operator).into_owned();
        let operand = String::from_utf8_lossy(&question.operand).into_owned();
        let text = [operator.as_bytes(), b" ", &question.operand].concat();
        let kind = AtomKind::Version { operator, operand };
        let literal = self.question(kind, "IfVersion", &text);
        self.settle("IfVersion", question, Answer::Open(vec![literal]))
    }

    fn module(&mut self, name: &[u8]) -> Answer {
        if is_built_in(name) {
            return Answer::Yes;
        }
        match self.modules.known(name, self.when, &self.conditions) {
            Known::Value(Some(_)) => return Answer::Yes,
            Known::Perhaps(literals, Some(_)) => return Answer::Open(literals),
            _ => {}
        }
        if self.options.modules.is_some() {
            return Answer::No;
        }
        let main = self.root.kind == RootKind::Root;
        if main && self.loads_modules && !may_be_built_in(name) {
            return Answer::No;
        }
        let kind = AtomKind::Module(String::from_utf8_lossy(name).into_owned());
        Answer::Open(vec![self.question(kind, "IfModule", name)])
    }

    fn definition(&mut self, name: &[u8]) -> Answer {
        let known = self.defines.known(name, self.when, &self.conditions);
        let known = match known {
            Known::Value(Some(_)) => return Answer::Yes,
            Known::Value(None) => return Answer::No,
            Known::Perhaps(literals, Some(_)) => Some(literals),
            Known::Nothing if self.options.defines_known => return Answer::No,
            _ => None,
        };
        let kind = AtomKind::Define(String::from_utf8_lossy(name).into_owned());
        let given = self.question(kind, "IfDefine", name);
        match known {
            None => Answer::Open(vec![given]),
            // Defined below `<IfDefine !NAME>`: one way or the other it is.
            Some(literals)
                if literals
                    == [Literal {
                        holds: false,
                        ..given
                    }] =>
            {
                Answer::Yes
            }
            Some(literals) => Answer::Open(literals),
        }
    }

    fn exists(&mut self, name: &[u8]) -> Answer {
        let finder = self.finder(true);
        let place = finder.place(&path::below(&self.server_root, name));
        if self.files.kind(&place).is_some() {
            return Answer::Yes;
        }
        if !finder.is_elsewhere(&place) {
            return Answer::No;
        }
        Answer::Open(vec![self.question(AtomKind::File(place), "IfFile", name)])
    }

    /// IfDirective and IfSection: known where the catalog has it and its module is there.
    fn knows(&mut self, condition: &str, name: &[u8]) -> Answer {
        let oldest = catalog::oldest(Server::Apache);
        let row = catalog::apache(name).filter(|row| {
            let section = row.opens.is_some() || row.body != catalog::Body::None;
            row.exists(oldest) && section == (condition == "IfSection")
        });
        match row.map(|row| row.module) {
            Some("core") => Answer::Yes,
            Some(module) => self.module(format!("{module}.c").as_bytes()),
            None => Answer::Open(vec![self.question(AtomKind::Other, condition, name)]),
        }
    }
}

//! Facts about directives, generated from grammars/.

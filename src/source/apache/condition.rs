//! The questions of conditional sections, read as httpd reads them.
//!
//! Only the reading and what versions alone decide; the answers that need files, modules or
//! definitions are the expander's.

use crate::catalog::Version;
use crate::syntax::apache::words;

/// A condition's question.
#[derive(Clone, Eq, PartialEq, Debug)]
pub(super) struct Question {
    /// Led by `!`.
    pub(super) negated: bool,
    /// Its operand (for a version: the operator in front).
    pub(super) operand: Vec<u8>,
    /// `IfVersion` only.
    pub(super) operator: Vec<u8>,
}

/// Reads what stands behind the name of any conditional but `IfVersion`, up to the line's
/// end. The error is httpd's clause behind `<Name>`.
pub(super) fn simple(rest: &[u8]) -> Result<Question, &'static str> {
    let rest = if rest.is_empty() {
        b">".as_slice()
    } else {
        rest
    };
    let Some(end) = rest.iter().rposition(|byte| *byte == b'>') else {
        return Err("directive missing closing '>'");
    };
    let negated = rest.first() == Some(&b'!');
    let inner = rest.get(usize::from(negated)..end).unwrap_or_default();
    let operand = words(inner)
        .into_iter()
        .next()
        .map(|word| word.value.into_owned());
    match operand.filter(|operand| !operand.is_empty()) {
        Some(operand) => Ok(Question {
            negated,
            operand,
            operator: Vec::new(),
        }),
        None => Err("directive requires additional arguments"),
    }
}

const BAD_VERSION: &str = "version appears to be invalid. It must have the format \
                           major[.minor[.patch]] where major, minor and patch are numbers.";
const COUNT: &str = "<IfVersion takes one, two or three arguments, a comparison operator, a \
                     version (and a delimiter)";

/// Reads what stands behind `<IfVersion` (httpd `modules/metadata/mod_version.c`). The
/// error is httpd's sentence.
pub(super) fn version(rest: &[u8]) -> Result<Question, String> {
    let rest = if rest.is_empty() {
        b">".as_slice()
    } else {
        rest
    };
    let found = words(rest);
    let values: Vec<&[u8]> = found.iter().map(|word| word.value.as_ref()).collect();
    let (mut first, mut second, mut third) = match values.as_slice() {
        [] | [b"", ..] => return Err(COUNT.to_owned()),
        [one] => (b"=".as_slice(), *one, None),
        [one, two] => (*one, *two, None),
        [one, two, three] => (*one, *two, Some(*three)),
        _ => return Err(COUNT.to_owned()),
    };
    if third.is_none() && second == b">" {
        third = Some(b">");
        second = first;
        first = b"=";
    }
    let operand = match third {
        Some(b">") => second,
        _ => second.strip_suffix(b">").unwrap_or_default(),
    };
    if operand.is_empty() {
        return Err("<IfVersion> directive missing closing '>'".to_owned());
    }
    let negated = first.starts_with(b"!");
    let operator = if negated && first.len() > 1 {
        first.get(1..)
    } else {
        Some(first)
    };
    let operator = operator.unwrap_or_default();
    let known = matches!(operator, b"=" | b"==" | b"~" | b"<" | b"<=" | b">" | b">=");
    if !known {
        let first = String::from_utf8_lossy(first);
        return Err(format!("unrecognized operator '{first}'"));
    }
    let regex = operator == b"~" || (operator.starts_with(b"=") && operand.starts_with(b"/"));
    if regex && operator != b"~" && (operand.len() < 2 || !operand.ends_with(b"/")) {
        return Err("missing delimiting / of regular expression".to_owned());
    }
    if !regex && number(operand).is_none() {
        return Err(BAD_VERSION.to_owned());
    }
    Ok(Question {
        negated,
        operand: operand.to_vec(),
        operator: operator.to_vec(),
    })
}

/// The numbers of a version: missing ones are 0, further ones are refused.
fn number(operand: &[u8]) -> Option<[u64; 3]> {
    let text = std::str::from_utf8(operand).ok()?;
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let mut numbers = [0; 3];
    let mut parts = text.split('.');
    for number in &mut numbers {
        let Some(part) = parts.next() else {
            break;
        };
        if !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = if part.is_empty() {
            0
        } else {
            part.parse().unwrap_or(u64::MAX)
        };
    }
    parts.next().is_none().then_some(numbers)
}

/// Whether a version question has the same answer for every version that is modelled:
/// `oldest` and all later ones. Regular expressions never do.
pub(super) fn decided(question: &Question, oldest: Version) -> Option<bool> {
    if question.operator == b"~" || question.operand.starts_with(b"/") {
        return None;
    }
    let [major, minor, patch] = number(&question.operand)?;
    let oldest = [
        oldest.major.into(),
        oldest.minor.into(),
        oldest.patch.into(),
    ];
    let reached = match question.operator.as_slice() {
        b">=" => oldest >= [major, minor, patch],
        _ => oldest > [major, minor, patch],
    };
    if !reached {
        return None;
    }
    let holds = question.operator.starts_with(b">");
    Some(holds != question.negated)
}

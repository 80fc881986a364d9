//! A policy document as the proof reads it.

use std::cell::OnceCell;
use std::collections::HashSet;

use secateur_analyzer::action::ActionPattern;

use super::ProofError;
use super::json::Json;

/// A document.
#[derive(Debug)]
pub(super) struct Document {
    /// All but `Statement`.
    pub elements: Vec<(String, Json)>,
    /// The statements in order.
    pub statements: Vec<Statement>,
}

/// A statement: its actions, and all else.
#[derive(Debug)]
pub(super) struct Statement {
    pub denies: bool,
    pub kind: Kind,
    pub patterns: Vec<ActionPattern>,
    /// The patterns without wildcards, in lower case, when they are first looked for: most lists are names, and looking one up
    /// must not take long.
    names: OnceCell<HashSet<String>>,
    /// All but `Action` and `NotAction`, as an object.
    pub rest: Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Action,
    NotAction,
}

/// How far behind the last pattern that was found the next is looked for, before it is looked for everywhere.
const NEAR: usize = 64;

impl Statement {
    fn names(&self) -> &HashSet<String> {
        self.names.get_or_init(|| {
            let names = self.patterns.iter().filter(|pattern| !pattern.has_wildcard());
            names.map(|pattern| pattern.folded().to_owned()).collect()
        })
    }

    /// Whether one of the patterns matches the name.
    pub fn lists(&self, name: &str) -> bool {
        self.names().contains(&name.to_ascii_lowercase())
            || self.patterns.iter().any(|pattern| pattern.has_wildcard() && pattern.matches(name))
    }

    /// Whether one of the patterns includes the other pattern.
    pub fn includes(&self, other: &ActionPattern) -> bool {
        (!other.has_wildcard() && self.names().contains(other.folded()))
            || self.patterns.iter().any(|pattern| pattern.has_wildcard() && pattern.includes(other))
    }

    /// The first of some patterns that none of this statement's includes.
    pub fn first_not_included<'o>(&self, others: &'o [ActionPattern]) -> Option<&'o ActionPattern> {
        // A pattern includes itself, and what stays of a list stays in its order, mostly.
        let mut rest = self.patterns.as_slice();
        others.iter().find(|other| match rest.iter().take(NEAR).position(|own| own == *other) {
            Some(at) => {
                rest = rest.get(at + 1..).unwrap_or_default();
                false
            }
            None => !self.includes(other),
        })
    }

    /// Whether both are of one kind, with the same patterns in order, and equal in all else.
    pub fn is_same(&self, other: &Statement) -> bool {
        self.denies == other.denies
            && self.kind == other.kind
            && self.rest == other.rest
            && self.patterns.len() == other.patterns.len()
            && self.patterns.iter().zip(&other.patterns).all(|(a, b)| a.as_str() == b.as_str())
    }
}

pub(super) fn read(which: &'static str, text: &str) -> Result<Document, ProofError> {
    let refuse = |detail: String| ProofError::Unreadable { which, detail };
    let json: Json = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
    let Json::Object(members) = json else { return Err(refuse("not an object".to_owned())) };
    let mut elements = Vec::new();
    let mut statements = None;
    for (key, value) in members {
        if key == "Statement" { statements = Some(value) } else { elements.push((key, value)) }
    }
    let list = match statements {
        Some(Json::Array(list)) => list,
        Some(single @ Json::Object(_)) => vec![single],
        _ => return Err(refuse("`Statement` is missing, or neither a list nor an object".to_owned())),
    };
    let statements = list.into_iter().map(statement).collect::<Result<_, _>>().map_err(refuse)?;
    Ok(Document { elements, statements })
}

fn statement(json: Json) -> Result<Statement, String> {
    let Json::Object(members) = json else { return Err("a statement is not an object".to_owned()) };
    let mut actions = None;
    let mut rest = Vec::new();
    for (key, value) in members {
        let kind = match key.as_str() {
            "Action" => Kind::Action,
            "NotAction" => Kind::NotAction,
            _ => {
                rest.push((key, value));
                continue;
            }
        };
        if actions.replace((kind, patterns(&value)?)).is_some() {
            return Err("a statement has both `Action` and `NotAction`".to_owned());
        }
    }
    let (kind, patterns) = actions.ok_or("a statement has neither `Action` nor `NotAction`")?;
    let rest = Json::Object(rest);
    let denies = match rest.get("Effect") {
        Some(Json::String(effect)) if effect == "Allow" => false,
        Some(Json::String(effect)) if effect == "Deny" => true,
        _ => return Err("`Effect` is neither `Allow` nor `Deny`".to_owned()),
    };
    Ok(Statement { denies, kind, names: OnceCell::new(), patterns, rest })
}

fn patterns(value: &Json) -> Result<Vec<ActionPattern>, String> {
    let one = |value: &Json| match value {
        Json::String(text) => Ok(ActionPattern::new(text)),
        _ => Err("an action is not a string".to_owned()),
    };
    match value {
        Json::Array(values) => values.iter().map(one).collect(),
        single => Ok(vec![one(single)?]),
    }
}

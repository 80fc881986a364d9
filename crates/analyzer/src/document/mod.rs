//! Policy documents, read from their exact text.
//!
//! A document keeps its text and knows where every action stands in it, so that a rewrite can cut actions out and leave
//! all else as its author wrote it. Nothing is dropped on reading: what secateur does not know makes the document
//! [irregular](Irregularity), and an irregular document is never rewritten.
//!
//! The grammar: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>.

mod checked;
mod error;
mod fingerprint;
mod layout;
mod normal;
mod parse;
mod plain;
mod size;
mod tree;

use std::ops::Range;
use std::sync::Arc;

pub use error::{DocumentError, Irregularity, Position};
pub use fingerprint::{Sha256, Sha256Writer, fingerprint, sha256_of};
pub use layout::indented;
pub use plain::{plain_prefix, white_prefix};
pub use size::counted_characters;

use crate::action::ActionPattern;

/// A policy document that was read whole.
#[derive(Clone, Debug)]
pub struct PolicyDocument {
    text: Arc<str>,
    /// The `Version` element, if any; without it, or with `2008-10-17`, `${...}` is literal text.
    pub version: Option<String>,
    /// The statements in the author's order.
    pub statements: Vec<Statement>,
    /// Why the document must not be rewritten; empty for nearly all.
    pub irregularities: Vec<Irregularity>,
    /// Whether `Statement` is a list; AWS also takes a single object.
    pub statements_are_a_list: bool,
    /// Where the value of `Statement` stands in the text, in bytes.
    pub statements_span: Range<usize>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The statement's name, if it has one.
    pub sid: Option<String>,
    /// Whether the statement allows or denies.
    pub effect: Effect,
    /// The `Action` or `NotAction` element.
    pub actions: ActionBlock,
    /// Whether there is a `Condition` element.
    pub has_condition: bool,
    /// The strings of `Resource`; empty when the statement has none.
    pub resources: Vec<ResourceEntry>,
    /// Whether there is a `NotResource` element.
    pub has_not_resource: bool,
    /// The service principals of a trust policy (`lambda.amazonaws.com`).
    pub service_principals: Vec<String>,
    /// Whether the statement has `Principal: "*"`, `NotPrincipal`, or a form of `Principal` that is not understood.
    pub open_principal: bool,
    /// Where the statement's object stands in the text, in bytes.
    pub span: Range<usize>,
}

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
}

/// Which actions a statement is about.
#[derive(Clone, Debug)]
pub enum ActionBlock {
    /// These actions.
    Action(ActionList),
    /// All actions but these.
    NotAction(ActionList),
}

/// The value of an `Action` or `NotAction` element.
#[derive(Clone, Debug)]
pub struct ActionList {
    /// The patterns in the author's order.
    pub entries: Vec<ActionEntry>,
    /// Where the value, a string or a list, stands in the text, in bytes.
    pub span: Range<usize>,
    /// Whether the value is a list.
    pub is_list: bool,
}

/// One pattern and its place.
#[derive(Clone, Debug)]
pub struct ActionEntry {
    /// The pattern.
    pub pattern: ActionPattern,
    /// Where its JSON string stands in the text, quotes included, in bytes.
    pub span: Range<usize>,
}

/// One string of a `Resource` element and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceEntry {
    /// The string, unescaped.
    pub text: String,
    /// Where its JSON string stands in the text, quotes included, in bytes.
    pub span: Range<usize>,
}

impl PolicyDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// When the text is not JSON, is nested deeper than 127 levels, or is not of the shape of a policy; the error names the
    /// line and the column.
    pub fn parse(text: impl Into<Arc<str>>) -> Result<PolicyDocument, DocumentError> {
        parse::document(text.into())
    }

    /// Returns the exact text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the text, shared.
    pub fn shared_text(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// Returns whether any statement denies.
    pub fn has_deny(&self) -> bool {
        self.statements.iter().any(|statement| statement.effect == Effect::Deny)
    }
}

impl ActionBlock {
    /// Returns the patterns, of either kind of block.
    pub fn list(&self) -> &ActionList {
        match self {
            ActionBlock::Action(list) | ActionBlock::NotAction(list) => list,
        }
    }

    /// Returns whether the block is about `service:action`, both in lower case.
    pub fn covers_folded(&self, service: &str, action: &str) -> bool {
        let listed = self.list().entries.iter().any(|entry| entry.pattern.matches_folded(service, action));
        match self {
            ActionBlock::Action(_) => listed,
            ActionBlock::NotAction(_) => !listed,
        }
    }
}

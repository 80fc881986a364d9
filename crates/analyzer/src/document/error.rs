//! What can be wrong with a policy document.

use std::fmt;

/// A place in a text; lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Position {
    /// Returns the place of byte `offset` of `text`.
    pub fn of(text: &str, offset: usize) -> Position {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text could not be read as a policy document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// The text is not JSON.
    #[error("not JSON at {position}: {detail}")]
    NotJson {
        /// Where.
        position: Position,
        /// What the parser says.
        detail: String,
    },
    /// The JSON is not of the shape of a policy.
    #[error("{detail} at {position}")]
    NotAPolicy {
        /// Where.
        position: Position,
        /// What was expected, and what was found.
        detail: String,
    },
}

/// Why a document that was read must not be rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Irregularity {
    /// A key occurs twice in one object. IAM refuses such documents now, but keeps old ones: the last `Effect` wins,
    /// several `Action` or `Resource` elements are merged. See
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html>.
    DuplicateKey {
        /// The key.
        key: String,
        /// Where it occurs again.
        position: Position,
    },
    /// A key that the policy grammar does not have.
    UnknownKey {
        /// The key.
        key: String,
        /// Where.
        position: Position,
    },
}

impl fmt::Display for Irregularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Irregularity::DuplicateKey { key, position } => write!(f, "duplicate key `{key}` at {position}"),
            Irregularity::UnknownKey { key, position } => write!(f, "unknown key `{key}` at {position}"),
        }
    }
}

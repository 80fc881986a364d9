//! From a plan file to a plan whose digests are its own.

use secateur_analyzer::document::Sha256;
use serde::Deserialize;
use thiserror::Error;

use super::{FORMAT_VERSION, Plan, changes_digest, digest};

/// Why a plan file is refused.
#[derive(Debug, Error)]
pub enum ReadPlanError {
    /// The file is not JSON, or not a plan.
    #[error("not a plan: {0}")]
    NotAPlan(serde_json::Error),
    /// The file is of another format.
    #[error("the plan is of format {found}, and this secateur reads {FORMAT_VERSION}")]
    OtherFormat {
        /// The file's format.
        found: String,
    },
    /// The plan is not the one that its digest is of.
    #[error("the plan was edited: its digest is {found}, and its content's is {expected}")]
    Edited {
        /// The digest in the file.
        found: Sha256,
        /// The digest of the file's content.
        expected: Sha256,
    },
    /// The changes are not those that their digest is of.
    #[error("the plan was edited: its changes_digest is {found}, and its changes' is {expected}")]
    ChangesEdited {
        /// The digest in the file.
        found: Sha256,
        /// The digest of the changes.
        expected: Sha256,
    },
}

impl ReadPlanError {
    /// Returns a word for programs.
    pub fn name(&self) -> &'static str {
        match self {
            ReadPlanError::NotAPlan(_) => "not-a-plan",
            ReadPlanError::OtherFormat { .. } => "other-format",
            ReadPlanError::Edited { .. } | ReadPlanError::ChangesEdited { .. } => "edited-plan",
        }
    }

    /// Returns the command that mends it.
    pub fn help(&self) -> &'static str {
        match self {
            ReadPlanError::NotAPlan(_) => "make a plan with `secateur plan`, and give the file that it wrote",
            ReadPlanError::OtherFormat { .. } => {
                "use the secateur that made the plan, or make a new plan with `secateur plan`"
            }
            ReadPlanError::Edited { .. } | ReadPlanError::ChangesEdited { .. } => {
                "make a new plan with `secateur plan`, and review it again"
            }
        }
    }
}

#[derive(Deserialize)]
struct Head {
    format_version: String,
}

/// Reads a plan file.
///
/// # Errors
/// When it is not a plan, is of another format, or was edited.
pub fn read(bytes: &[u8]) -> Result<Plan, ReadPlanError> {
    // The format first: a newer plan may have members that this one does not know.
    let head: Head = serde_json::from_slice(bytes).map_err(ReadPlanError::NotAPlan)?;
    if head.format_version != FORMAT_VERSION {
        return Err(ReadPlanError::OtherFormat { found: head.format_version });
    }
    let plan: Plan = serde_json::from_slice(bytes).map_err(ReadPlanError::NotAPlan)?;
    // Over the file's own JSON, and not over what was made of it: a list can be read where an object belongs.
    let expected = digest::digest_of_file(bytes).map_err(ReadPlanError::NotAPlan)?;
    if plan.digest != expected {
        return Err(ReadPlanError::Edited { found: plan.digest, expected });
    }
    let expected = changes_digest(&plan.changes);
    if plan.changes_digest != expected {
        return Err(ReadPlanError::ChangesEdited { found: plan.changes_digest, expected });
    }
    Ok(plan)
}

//! Why a run stops.

use super::cloud::CallError;

/// The word for a write that does not show in reads.
pub(super) const NOT_SEEN: &str = "not-seen";

/// Why a run stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The state is not what was approved.
    Drifted {
        /// Which step.
        step: usize,
        /// What differs.
        detail: String,
    },
    /// Somebody else did what the step would have done.
    DoneByOthers {
        /// Which step.
        step: usize,
    },
    /// A call failed.
    Call {
        /// Which step.
        step: usize,
        /// Why.
        error: CallError,
    },
    /// A write does not show in reads.
    NotSeen {
        /// Which step.
        step: usize,
    },
    /// The journal cannot be written.
    Journal(String),
    /// Somebody asked to stop.
    Interrupted,
}

impl Stop {
    /// Returns a word for programs.
    pub fn reason(&self) -> &'static str {
        match self {
            Stop::Drifted { .. } => "drifted",
            Stop::DoneByOthers { .. } => "done-by-others",
            Stop::Call { error: CallError::Refused { code, .. }, .. } if is_expired(code) => "session-expired",
            Stop::Call { error: CallError::Refused { code, .. }, .. } if is_denied(code) => "access-denied",
            Stop::Call { error: CallError::Throttled(_), .. } => "throttled",
            Stop::Call { .. } => "call-failed",
            Stop::NotSeen { .. } => NOT_SEEN,
            Stop::Journal(_) => "journal",
            Stop::Interrupted => "interrupted",
        }
    }

    /// Returns the step at which it stopped.
    pub fn step(&self) -> Option<usize> {
        match self {
            Stop::Drifted { step, .. }
            | Stop::DoneByOthers { step }
            | Stop::Call { step, .. }
            | Stop::NotSeen { step } => Some(*step),
            Stop::Journal(_) | Stop::Interrupted => None,
        }
    }

    /// Returns a sentence for people.
    pub fn detail(&self) -> String {
        match self {
            Stop::Drifted { detail, .. } => detail.clone(),
            Stop::DoneByOthers { .. } => "somebody else has done it already".to_owned(),
            Stop::Call { error, .. } => error.to_string(),
            Stop::NotSeen { .. } => "AWS took the write, and reads do not show it".to_owned(),
            Stop::Journal(detail) => detail.clone(),
            Stop::Interrupted => "interrupted".to_owned(),
        }
    }
}

fn is_expired(code: &str) -> bool {
    matches!(code, "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "InvalidClientTokenId")
}

fn is_denied(code: &str) -> bool {
    matches!(code, "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation")
}

/// Puts several reasons into the order in which they are told, whichever came first: the journal, then by steps.
pub(super) fn in_order(stops: &mut Vec<Stop>) {
    let rank = |stop: &Stop| match stop {
        Stop::Journal(_) => (0, None),
        Stop::Interrupted => (2, None),
        other => (1, other.step()),
    };
    stops.sort_by_key(rank);
    stops.dedup();
}

//! Faults, by operation and by count.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::emulator::wire::Params;

/// A fault to come.
#[derive(Clone, Debug, Deserialize)]
pub struct Fault {
    /// The operation; `*` for any, `reads` and `writes` for all of a kind.
    pub operation: String,
    /// Parameters that the call must have.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// How many such calls go well before.
    #[serde(default)]
    pub skip: u64,
    /// How many calls it strikes.
    #[serde(default = "one")]
    pub count: u64,
    /// What happens.
    #[serde(flatten)]
    pub effect: Effect,
}

const fn one() -> u64 {
    1
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "effect", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum Effect {
    /// Nothing is done; `Throttling`.
    Throttle,
    /// Nothing is done; an error.
    Error {
        /// The code.
        #[serde(default = "service_failure")]
        code: String,
        /// The HTTP status.
        #[serde(default = "five_hundred")]
        status: u16,
        /// The message.
        #[serde(default)]
        message: String,
    },
    /// Nothing is done; somebody on the way answers, or AWS as nobody expects.
    Answer {
        /// The HTTP status.
        #[serde(default = "two_hundred")]
        status: u16,
        /// Headers.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body: a text as it is, anything else as JSON.
        #[serde(default)]
        body: Value,
    },
    /// Nothing is done; the connection is reset.
    Reset,
    /// It is done; the connection closes in the middle of the answer.
    Truncate,
    /// It is done, and answered later.
    Slow {
        /// How much later.
        millis: u64,
    },
    /// It is done; the connection is reset without an answer.
    AnswerLost,
    /// Nothing is done; the caller's session ends now.
    ExpireSession,
    /// It is done; then something is deleted with all that hangs on it, as if somebody else had done so.
    Delete {
        /// The ARN of a user, group, role or policy.
        arn: String,
    },
    /// The job that the call starts fails.
    FailJob {
        /// The code of the failure.
        #[serde(default = "service_failure")]
        code: String,
        /// The message of the failure.
        #[serde(default)]
        message: String,
    },
    /// The job that the call starts takes its own time.
    SlowJob {
        /// How long, in seconds.
        seconds: f64,
    },
    /// The write is not seen by reads for some time.
    Late {
        /// How long, in seconds.
        seconds: f64,
    },
    /// The call waits until it is released; who goes away meanwhile is not waited for.
    Hold {
        /// Whether the call is done first.
        #[serde(default)]
        after: bool,
    },
    /// A process is killed, as by `kill -9`.
    Kill {
        /// The id of the process.
        pid: u32,
        /// Whether the call is done first.
        #[serde(default)]
        after: bool,
    },
}

fn service_failure() -> String {
    String::from("ServiceFailure")
}

const fn two_hundred() -> u16 {
    200
}

const fn five_hundred() -> u16 {
    500
}

/// All faults to come, the first that fits is taken.
#[derive(Clone, Debug, Default)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Adds a fault.
    pub fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many strikes are left.
    pub fn left(&self) -> u64 {
        self.0.iter().map(|fault| fault.count).sum()
    }

    /// What strikes a call, if anything does. What strikes before it and what strikes jobs is taken elsewhere.
    pub fn strike(&mut self, operation: &str, writes: bool, params: &Params) -> Option<Effect> {
        self.take(Stage::Call, operation, writes, params)
    }

    /// Whether a call is held before it is done.
    pub fn holds(&mut self, operation: &str, writes: bool, params: &Params) -> bool {
        self.take(Stage::Before, operation, writes, params).is_some()
    }

    fn take(&mut self, stage: Stage, operation: &str, writes: bool, params: &Params) -> Option<Effect> {
        let mut struck = None;
        for fault in self.0.iter_mut().filter(|fault| fault.effect.stage() == stage) {
            let names = match fault.operation.as_str() {
                "*" => true,
                "reads" => !writes,
                "writes" => writes,
                own => own == operation,
            };
            let fits = fault.parameters.iter().all(|(name, value)| params.get(name) == Some(value));
            if names && fits && fault.hits() {
                struck = Some(fault.effect.clone());
                break;
            }
        }
        self.0.retain(|fault| fault.count > 0);
        struck
    }

    /// What strikes a job about an ARN.
    pub fn strike_job(&mut self, arn: &str) -> Vec<Effect> {
        let is_about = |fault: &&mut Fault| {
            fault.effect.stage() == Stage::Job && fault.parameters.get("Arn").is_none_or(|wanted| wanted == arn)
        };
        let mut struck = Vec::new();
        for fault in self.0.iter_mut().filter(is_about) {
            if fault.hits() {
                struck.push(fault.effect.clone());
            }
        }
        self.0.retain(|fault| fault.count > 0);
        struck
    }
}

/// When a fault strikes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before anybody looks at the call.
    Before,
    /// While it is answered.
    Call,
    /// Not the call, but the job that it starts.
    Job,
}

impl Effect {
    const fn stage(&self) -> Stage {
        match self {
            Self::Hold { after: false } => Stage::Before,
            Self::FailJob { .. } | Self::SlowJob { .. } => Stage::Job,
            _ => Stage::Call,
        }
    }
}

impl Fault {
    /// Counts a call that fits; says whether it is struck.
    const fn hits(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        let is_left = self.count > 0;
        self.count = self.count.saturating_sub(1);
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_strikes_by_operation_and_count() {
        let mut faults = Faults::default();
        let json = r#"{"operation":"writes","skip":1,"count":2,"effect":"slow","millis":5}"#;
        faults.add(serde_json::from_str(json).unwrap());
        let none = Params::default();
        assert_eq!(faults.strike("GetUser", false, &none), None);
        assert_eq!(faults.strike("PutUserPolicy", true, &none), None);
        assert_eq!(faults.strike("PutUserPolicy", true, &none), Some(Effect::Slow { millis: 5 }));
        assert_eq!(faults.left(), 1);
        assert_eq!(faults.strike("DeleteUser", true, &none), Some(Effect::Slow { millis: 5 }));
        assert_eq!(faults.strike("DeleteUser", true, &none), None);
    }
}

//! The log of every call received.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::emulator::server::{Outcome, Then};
use crate::emulator::state::Caller;
use crate::emulator::time::Time;
use crate::emulator::wire::Request;

/// More calls than this are not kept; those before are counted.
const KEPT: usize = 100_000;

/// Longer values than this are cut: documents are in the state.
const LONGEST: usize = 256;

/// A call received.
#[derive(Clone, Debug)]
pub struct Received {
    time: Time,
    service: Arc<str>,
    operation: Arc<str>,
    caller: Option<Arc<str>>,
    access_key: Option<Arc<str>>,
    region: Option<Arc<str>>,
    parameters: BTreeMap<String, String>,
    status: u16,
    error: Option<String>,
    then: Then,
    request_id: String,
    user_agent: Arc<str>,
}

impl Received {
    /// What is kept of a call and its outcome.
    pub fn new(request: &Request, caller: Option<&Caller>, outcome: &Outcome, time: Time, request_id: String) -> Self {
        let own = request.params.iter().filter(|(name, _)| !matches!(*name, "Action" | "Version"));
        let cut = |value: &str| value.chars().take(LONGEST).collect::<String>();
        let signature = request.signature.as_ref().ok();
        Self {
            time,
            service: request.service.as_str().into(),
            operation: request.operation.as_str().into(),
            caller: caller.map(|caller| caller.arn.as_str().into()),
            access_key: signature.map(|signature| signature.access_key.as_str().into()),
            region: signature.map(|signature| signature.region.as_str().into()),
            parameters: own.map(|(name, value)| (name.to_owned(), cut(value))).collect(),
            status: outcome.answer.status,
            error: outcome.answer.error.clone(),
            then: outcome.then,
            request_id,
            user_agent: request.user_agent.as_str().into(),
        }
    }

    fn json(&self, number: usize) -> Value {
        let then = match self.then {
            Then::Answer => "answered",
            Then::Reset => "reset",
            Then::Truncate => "truncated",
        };
        json!({
            "number": number,
            "time": self.time.to_string(),
            "service": &*self.service,
            "operation": &*self.operation,
            "caller": self.caller.as_deref(),
            "access_key": self.access_key.as_deref(),
            "region": self.region.as_deref(),
            "parameters": self.parameters,
            "status": self.status,
            "error": self.error,
            "outcome": then,
            "request_id": self.request_id,
            "user_agent": &*self.user_agent,
        })
    }
}

/// The log of calls.
#[derive(Clone, Debug, Default)]
pub struct CallLog {
    calls: VecDeque<Received>,
    dropped: usize,
    /// Texts that stand in many calls, so that they are held once.
    shared: BTreeSet<Arc<str>>,
}

/// More shared texts than this are not looked for.
const SHARED: usize = 4_096;

impl CallLog {
    /// Adds a call.
    pub fn add(&mut self, mut call: Received) {
        if self.shared.len() > SHARED {
            self.shared.clear();
        }
        let optional = [&mut call.caller, &mut call.access_key, &mut call.region];
        let all = [&mut call.service, &mut call.operation, &mut call.user_agent];
        for text in all.into_iter().chain(optional.into_iter().flatten()) {
            match self.shared.get(&**text) {
                Some(known) => *text = Arc::clone(known),
                None => drop(self.shared.insert(Arc::clone(text))),
            }
        }
        if self.calls.len() >= KEPT {
            self.calls.pop_front();
            self.dropped += 1;
        }
        self.calls.push_back(call);
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.dropped + self.calls.len()
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The calls after a number, which begin with 1.
    pub fn after(&self, number: usize) -> Value {
        let numbered = self.calls.iter().enumerate().map(|(at, call)| (self.dropped + at + 1, call));
        let later = numbered.filter(|(own, _)| *own > number);
        later.map(|(own, call)| call.json(own)).collect()
    }

    /// How often each operation was called, and how often each error was answered.
    pub fn counts(&self) -> Value {
        let mut operations: BTreeMap<String, usize> = BTreeMap::new();
        let mut errors: BTreeMap<String, usize> = BTreeMap::new();
        for call in &self.calls {
            *operations.entry(format!("{}:{}", call.service, call.operation)).or_default() += 1;
            if let Some(error) = &call.error {
                *errors.entry(error.clone()).or_default() += 1;
            }
        }
        json!({"calls": self.count(), "operations": operations, "errors": errors})
    }
}

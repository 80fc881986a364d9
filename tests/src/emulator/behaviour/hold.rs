//! Calls that are held until they are released, so that a test can look, and kill, while nothing moves.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio::sync::watch;

/// The calls that are held.
#[derive(Debug)]
pub struct Holds {
    waiting: BTreeMap<u64, Value>,
    next: u64,
    released: watch::Sender<u64>,
}

impl Default for Holds {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), next: 1, released: watch::Sender::new(0) }
    }
}

impl Holds {
    /// Holds a call: returns its number, and what changes when it is released.
    pub fn begin(&mut self, call: Value) -> (u64, watch::Receiver<u64>) {
        let number = self.next;
        self.next += 1;
        self.waiting.insert(number, call);
        (number, self.released.subscribe())
    }

    /// Forgets a call: it was released, or whoever made it is gone.
    pub fn end(&mut self, number: u64) {
        self.waiting.remove(&number);
    }

    /// Lets all calls go on; returns how many.
    pub fn release(&self) -> usize {
        self.released.send_modify(|times| *times += 1);
        self.waiting.len()
    }

    /// The calls that are held, the first first.
    pub fn list(&self) -> Value {
        self.waiting.values().cloned().collect()
    }
}

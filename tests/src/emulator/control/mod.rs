//! The control endpoint, `/_emulator/...`: what is not AWS's. See `docs/emulator.md`.

mod answer;
mod behaviour;
mod calls;
mod life;
mod usage;

pub use answer::answer;
pub use calls::{CallLog, Received};
pub use life::{delete_with_all, kill};
pub use usage::record_use;

use super::wire::{Error, signature::SignatureError};

/// The error that AWS answers a bad signature with.
pub fn signature_error(error: &SignatureError) -> Error {
    error.error()
}

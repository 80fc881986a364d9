//! KMS: keys with their replicas, and their last use.
//!
//! See <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html>.

mod key;
mod operations;

pub use key::{Key, KeyUsage, Keys, is_cryptographic};
pub use operations::OPERATIONS;

use super::time::Time;

/// Since when KMS records the use of keys: the day that the API appeared.
pub const TRACKED_SINCE: Time = Time(1_777_248_000_000);

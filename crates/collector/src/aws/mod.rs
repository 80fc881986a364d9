//! The read side of AWS.
//!
//! A [`Session`] is who calls, and the way that every call goes: paced, retried, told of. Nothing here writes to AWS, and
//! nothing here judges what AWS says.

mod access;
pub(crate) mod account;
mod call;
pub(crate) mod cloudtrail;
mod endpoint;
mod error;
mod http;
mod identity;
mod json;
pub(crate) mod kms;
mod line;
mod pacing;
mod profile;
mod runtime;
mod session;
mod watch;

pub use access::Access;
pub use call::Call;
pub use error::{AwsError, ErrorKind};
pub use identity::Identity;
pub use pacing::{Rate, RateError};
pub use runtime::{block_on, runtime};
pub(crate) use session::LOOKUPS;
pub use session::{Clients, Session};
pub use watch::{CallEvent, Outcome, Silent, Watch};

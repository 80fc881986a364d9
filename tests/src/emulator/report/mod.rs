//! Last-accessed reports, derived from the policies in force and the usage log as AWS derives them.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html> and
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateServiceLastAccessedDetails.html>.

mod allowed;
mod catalogue;
mod frozen;
mod granting;
mod jobs;
mod operations;
mod overlap;
mod subject;

pub use allowed::Derivation;
pub use granting::granting;
pub use jobs::Jobs;
pub use operations::{generate, get, with_entities};

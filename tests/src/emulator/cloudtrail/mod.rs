//! CloudTrail: the event history of the IAM and STS calls that change something.
//!
//! See <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>.

mod event;
mod lookup;

pub use event::{Event, Trail, home_region};
pub use lookup::OPERATIONS;

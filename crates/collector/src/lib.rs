//! The read side of secateur: the snapshot of an AWS account on disk, and the calls that make one.
//!
//! [`read`] makes an [`Account`](secateur_analyzer::account::Account) of a snapshot, whether secateur or the AWS CLI wrote
//! it; [`SnapshotWriter`] writes one. Nothing here judges what it reads: whether a report counts is the analyzer's business.
//! The modules `aws` and `collect` (feature `aws`) ask AWS, and write nothing there.

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "aws")]
pub mod collect;
#[cfg(feature = "aws")]
pub mod live;
mod snapshot;

pub use snapshot::{
    FORMAT_VERSION, Manifest, ReadOptions, SnapshotError, SnapshotWriter, account_dirs, read, read_with,
};

//! The operations of IAM.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>.

mod access_key;
mod account;
mod attachment;
mod boundary;
mod check;
mod details;
mod document;
mod entity;
mod inline;
mod membership;
mod policy;
mod policy_list;
mod policy_version;
mod shape;
mod table;
mod tag;

pub use check::names as check_names;
pub use table::OPERATIONS;

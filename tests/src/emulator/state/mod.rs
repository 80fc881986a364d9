//! The account in memory, and what surrounds it: the clock, the usage log, jobs, sessions, keys, and what is to go wrong.

mod account;
pub mod entity;
mod kind;
mod policy;
mod quotas;
mod sessions;
pub mod stored;
mod usage;
mod world;

pub use account::Account;
pub use entity::{AccessKey, Entity, Inline, KeyUse, Tag};
pub use kind::Kind;
pub use policy::{Policy, Version};
pub use quotas::Quotas;
pub use sessions::{Caller, Identity, Session};
pub use usage::{UsageLog, Use};
pub use world::World;

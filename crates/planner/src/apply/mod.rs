//! Apply and rollback: what was reviewed, exactly, or nothing.
//!
//! A plan that was proved again ([`Proved`]) gives a [`Proposal`] of typed steps; somebody's yes makes it [`Approved`]; from
//! there a [`journal::Journal`] begins; and only what stands in it as about to be made ([`journal::Intended`]) can be
//! written to AWS. All of this is free of AWS: two traits, [`Reads`] and [`Writes`], are all that it knows of it.

mod approval;
#[cfg(all(feature = "aws", feature = "cli"))]
pub mod aws;
mod borne;
mod closing;
mod cloud;
mod derive;
mod engine;
mod exchange;
mod fault;
mod final_writes;
mod gone;
mod identity;
mod inverse;
pub mod journal;
mod kept;
mod lanes;
mod left;
mod look;
mod mend;
mod reached;
mod refusals;
mod resuming;
mod rollback;
mod standing;
mod step;
mod stop;
mod surroundings;
mod unseen;
mod widened;

pub use approval::{Approval, Approved, Destination, NotApproved, Origin, Proposal, Proved};
pub use borne::{Bearing, bearing};
pub use cloud::{CallError, EntityKind, EntityRef, LiveEntity, LiveKey, LivePolicy, Reads, Write, Writes, Wrote};
pub use derive::{DeriveError, Place, steps};
pub use engine::{Clock, Patience, Run};
pub use exchange::{Held, moves};
pub use final_writes::final_writes;
pub use left::Left;
pub use look::{Stand, is_as_left, look};
pub use resuming::{ResumeError, resume_plan, resume_rollback};
pub use rollback::{Kept, Rollback, RollbackError, rollback};
pub use step::{Effect, Step, Version, VersionRef};
pub use stop::Stop;
pub use surroundings::surroundings;
pub use unseen::Unseen;
pub use widened::{Direction, marks};

#[cfg(test)]
mod tests;

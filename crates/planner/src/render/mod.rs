//! A plan, shown. Renderings read nothing but the plan; only the order of names in a list that is cut is this build's catalogue's.

mod analyze;
mod diff;
mod evidence;
mod explain;
mod keys;
mod markdown;
mod redact;
mod riskiest;
mod text;
mod words;

pub use analyze::analyze;
pub use explain::explain;
pub use markdown::{MAX_BYTES, markdown};
pub use redact::redact;
#[cfg(feature = "cli")]
pub(crate) use text::text_on;
pub use text::{Style, text};
pub use words::{count, visible};

#[cfg(test)]
mod tests;

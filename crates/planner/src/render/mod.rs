//! A plan, shown. Renderings read nothing but the plan.

mod evidence;
mod text;
mod words;

pub use text::{Style, text};
pub use words::visible;

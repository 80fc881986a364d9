//! The days that the catalogue's facts are from.

use crate::time::UnixTime;

/// The days that the catalogue's facts are from, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogDates {
    /// The day on which the list of names was complete. A pattern that is replaced by names is frozen at this day.
    pub names: UnixTime,
    /// The day of the facts on what is tracked.
    pub flags: UnixTime,
}

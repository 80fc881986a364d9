//! Pages: whether there is another, and whether what AWS says of it makes sense.

use std::collections::BTreeSet;

use crate::aws::{AwsError, Call};

/// More pages than anything has.
const MANY: usize = 100_000;

/// The markers that were seen.
#[derive(Debug, Default)]
pub(super) struct Pages {
    seen: BTreeSet<String>,
}

impl Pages {
    /// Returns the marker of the next page; none after the last.
    ///
    /// Half a list would pass for the whole, so whatever AWS does not say clearly is an error: another page without a marker,
    /// a marker after the last page, a marker that came before.
    pub fn next(
        &mut self,
        call: &Call<'_>,
        is_truncated: bool,
        marker: Option<&str>,
    ) -> Result<Option<String>, AwsError> {
        // An empty element is how some say that there is none.
        let marker = marker.filter(|marker| !marker.is_empty());
        let marker = match (is_truncated, marker) {
            (false, None) => return Ok(None),
            (true, Some(marker)) => marker,
            (true, None) => return Err(AwsError::answer(call, "a page says that there is another, and not which")),
            (false, Some(_)) => return Err(AwsError::answer(call, "a page is the last one, and names another")),
        };
        if !self.seen.insert(marker.to_owned()) || self.seen.len() > MANY {
            return Err(AwsError::answer(call, "a page names one that was read already as the next"));
        }
        Ok(Some(marker.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_contradict_themselves_are_errors() {
        let call = Call::new("iam:ListPolicyTags");
        let mut pages = Pages::default();
        assert_eq!(pages.next(&call, true, Some("a")).unwrap().as_deref(), Some("a"));
        assert_eq!(pages.next(&call, true, Some("b")).unwrap().as_deref(), Some("b"));
        assert!(pages.next(&call, true, Some("a")).is_err());
        assert!(pages.next(&call, true, None).is_err());
        assert!(pages.next(&call, true, Some("")).is_err());
        assert!(pages.next(&call, false, Some("c")).is_err());
        assert_eq!(pages.next(&call, false, None).unwrap(), None);
        assert_eq!(pages.next(&call, false, Some("")).unwrap(), None);
    }
}

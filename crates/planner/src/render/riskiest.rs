//! Names in the order of their risk, for lists that are cut.

use std::borrow::Cow;
use std::cmp::Reverse;

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::catalog::Catalog;
use secateur_analyzer::risk::risk;

/// Returns the names riskiest first, a pattern by the riskiest of what it matches; equals stay in their order.
pub(super) fn riskiest_first(names: &[String]) -> Cow<'_, [String]> {
    let catalog = Catalog::embedded();
    let worst = |name: &String| catalog.matches(&ActionPattern::new(name)).iter().map(|id| risk(catalog, id)).max();
    let mut ordered = names.to_vec();
    ordered.sort_by_cached_key(|name| Reverse(worst(name)));
    Cow::Owned(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_riskiest_come_first_and_equals_stay_in_order() {
        let names =
            ["s3:ListBucket", "s3:DeleteBucket", "s3:PutBucketAcl", "s3:CreateBucket", "iam:*"].map(str::to_owned);
        let ordered = riskiest_first(&names);
        let place = |name: &str| ordered.iter().position(|own| own == name);
        assert!(place("s3:PutBucketAcl") < place("s3:DeleteBucket"), "{ordered:?}");
        assert!(
            place("iam:*") < place("s3:DeleteBucket") && place("s3:CreateBucket") < place("s3:ListBucket"),
            "{ordered:?}"
        );
        assert_eq!(ordered.len(), names.len());
    }
}

//! Which stars are written, and what stays readable.

use super::super::slot::{Way, Wildcards};
use super::super::{Slot, fit};
use super::{listed, within};

fn objects() -> Slot {
    within(
        "s3:*",
        &[
            ("s3:DeleteObject", false, 10),
            ("s3:GetBucketAcl", true, 0),
            ("s3:GetBucketPolicy", false, 1),
            ("s3:GetObject", true, 0),
            ("s3:GetObjectAcl", true, 0),
            ("s3:GetObjectVersion", true, 0),
            ("s3:ListBucket", true, 0),
            ("s3:ListBuckets", true, 0),
            ("s3:PutBucketPolicy", false, 100),
            ("s3:PutObject", true, 0),
        ],
    )
}

fn written(slot: Slot, budget: usize, wildcards: Wildcards) -> (Way, String) {
    let fit = fit(&[slot], budget, wildcards).unwrap();
    assert!(fit.size <= budget);
    (fit.way, listed(&fit.writings[0]).join(" "))
}

#[test]
fn as_few_stars_as_fit() {
    let check = |budget: usize, way: Way, expect: &str| {
        assert_eq!(written(objects(), budget, Wildcards::Fit), (way, expect.to_owned()), "{budget}");
    };
    let all =
        "s3:GetBucketAcl s3:GetObject s3:GetObjectAcl s3:GetObjectVersion s3:ListBucket s3:ListBuckets s3:PutObject";
    check(121, Way::Names, all);
    // The smallest star that suffices, where one does.
    check(120, Way::Exact, "s3:GetBucketAcl s3:GetObject s3:GetObjectAcl s3:GetObjectVersion s3:List* s3:PutObject");
    check(90, Way::Exact, "s3:GetBucketAcl s3:GetObject* s3:ListBucket s3:ListBuckets s3:PutObject");
    check(80, Way::Exact, "s3:GetBucketAcl s3:GetObject* s3:List* s3:PutObject");
    check(7, Way::Fitted, "as written");
}

#[test]
fn no_wildcards_where_none_are_wanted() {
    assert_eq!(fit(&[objects()], 110, Wildcards::Never).unwrap_err(), 11);
    assert!(fit(&[objects()], 10, Wildcards::Exact).is_err());
    assert_eq!(fit(&[objects()], 7, Wildcards::Fit).unwrap().risk, 111);
    assert_eq!(fit(&[objects()], 4, Wildcards::Fit).unwrap_err(), 3);
}

#[test]
fn budgets_are_shared_and_never_exceeded() {
    let slots = [objects(), objects()];
    let mut last = u64::MAX;
    for budget in 0..250 {
        if let Ok(fit) = fit(&slots, budget, Wildcards::Fit) {
            assert!(fit.size <= budget && fit.risk <= last, "{budget}");
            last = fit.risk;
        }
    }
    assert_eq!(last, 0);
}

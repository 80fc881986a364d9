//! Where calls fail, and what a failure says of the calls after it.
//!
//! IAM and STS are what a collection is about: when they take no credentials, or cannot be reached, it ends. Every other
//! service in every Region stands for itself: what fails there is a gap, and says nothing of anything else.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::aws::{AwsError, Call, ErrorKind};

/// After so many calls in a row that failed, whoever is called is looked into.
const FAILURES: usize = 10;

/// A service, and the Region where it is asked.
type Place = (String, String);

/// What a failed call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is a gap, and the rest goes on.
    Gap,
    /// The collection ends.
    End,
    /// The collection ends if AWS does not take the credentials elsewhere either.
    AskWhoCalls,
    /// The collection ends if IAM answers nothing at all.
    AskIam,
}

/// The failures in a row, for each place.
#[derive(Debug, Default)]
pub(super) struct Outages(Mutex<BTreeMap<Place, (usize, AwsError)>>);

fn service<'a>(call: &Call<'a>) -> &'a str {
    call.operation.split(':').next().unwrap_or_default()
}

/// Returns whether there is no collection without the service of an operation.
pub(super) fn is_vital(operation: &str) -> bool {
    matches!(operation.split(':').next(), Some("iam" | "sts"))
}

fn place(call: &Call<'_>) -> Place {
    (service(call).to_owned(), call.region.to_owned())
}

/// Returns whether an error is about whom is called, and not about what is called for.
fn is_of_place(error: &AwsError) -> bool {
    is_down(error) || matches!(error.kind(), ErrorKind::Credentials | ErrorKind::Expired | ErrorKind::Clock)
}

/// Returns whether nobody answered, or somebody else than AWS.
pub(super) fn is_down(error: &AwsError) -> bool {
    matches!(error.kind(), ErrorKind::Transient | ErrorKind::Answer)
}

impl Outages {
    /// Returns why a call is not made, when so many failed there that it would too.
    pub fn instead(&self, call: &Call<'_>) -> Option<AwsError> {
        if is_vital(call.operation) {
            return None;
        }
        let places = self.places();
        let (_, last) = places.get(&place(call)).filter(|(failures, _)| *failures >= FAILURES)?;
        let of_region = if call.region.is_empty() { String::new() } else { format!(" in {}", call.region) };
        let message = format!(
            "not asked, since {FAILURES} calls in a row to {}{of_region} failed, the last with: {}",
            service(call),
            last.message()
        );
        Some(AwsError::instead(call, last.kind().clone(), message))
    }

    /// A call was answered.
    pub fn answered(&self, call: &Call<'_>) {
        self.places().remove(&place(call));
    }

    /// A call failed.
    pub fn failed(&self, call: &Call<'_>, error: &AwsError) -> Verdict {
        if !is_of_place(error) {
            self.answered(call);
            return Verdict::Gap;
        }
        let failures = {
            let mut places = self.places();
            let entry = places.entry(place(call)).or_insert_with(|| (0, error.clone()));
            *entry = (entry.0 + 1, error.clone());
            entry.0
        };
        match (is_vital(call.operation), is_down(error)) {
            (true, false) => Verdict::End,
            (true, true) if failures.is_multiple_of(FAILURES) => Verdict::AskIam,
            (false, false) => Verdict::AskWhoCalls,
            (_, true) => Verdict::Gap,
        }
    }

    fn places(&self) -> MutexGuard<'_, BTreeMap<Place, (usize, AwsError)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DESCRIBE: Call<'_> = Call { operation: "kms:DescribeKey", subject: "k", region: "eu-west-1" };

    fn error(call: &Call<'_>, kind: ErrorKind) -> AwsError {
        AwsError::instead(call, kind, "HTTP status 500".to_owned())
    }

    #[test]
    fn a_region_that_fails_says_nothing_of_another() {
        let outages = Outages::default();
        let down = error(&DESCRIBE, ErrorKind::Transient);
        for _ in 0..FAILURES {
            assert_eq!(outages.instead(&DESCRIBE).map(|error| error.to_string()), None);
            assert_eq!(outages.failed(&DESCRIBE, &down), Verdict::Gap);
        }
        let next = DESCRIBE.on("another");
        assert_eq!(
            outages.instead(&next).unwrap().to_string(),
            "kms:DescribeKey of another: not asked, since 10 calls in a row to kms in eu-west-1 failed, the last with: \
             HTTP status 500"
        );
        assert!(outages.instead(&next.at("us-east-1")).is_none());
        assert!(outages.instead(&Call::new("iam:ListAccessKeys")).is_none());
    }

    #[test]
    fn an_answer_of_any_kind_ends_an_outage() {
        let outages = Outages::default();
        let down = error(&DESCRIBE, ErrorKind::Transient);
        for _ in 1..FAILURES {
            outages.failed(&DESCRIBE, &down);
        }
        assert_eq!(outages.failed(&DESCRIBE, &error(&DESCRIBE, ErrorKind::NotFound)), Verdict::Gap);
        outages.failed(&DESCRIBE, &down);
        assert!(outages.instead(&DESCRIBE).is_none());
    }

    #[test]
    fn credentials_that_one_region_does_not_take_are_looked_into() {
        let outages = Outages::default();
        for kind in [ErrorKind::Credentials, ErrorKind::Expired, ErrorKind::Clock] {
            assert_eq!(outages.failed(&DESCRIBE, &error(&DESCRIBE, kind.clone())), Verdict::AskWhoCalls);
            for operation in ["iam:ListAccessKeys", "sts:GetCallerIdentity"] {
                let call = Call::new(operation);
                assert_eq!(outages.failed(&call, &error(&call, kind.clone())), Verdict::End);
            }
        }
    }

    #[test]
    fn iam_is_asked_whether_it_is_there_before_a_collection_ends() {
        let outages = Outages::default();
        let call = Call::new("iam:ListPolicyTags");
        // Nobody answers, or somebody else.
        for kind in [ErrorKind::Transient, ErrorKind::Answer] {
            let down = error(&call, kind);
            let verdicts: Vec<Verdict> = (0..FAILURES).map(|_| outages.failed(&call, &down)).collect();
            assert_eq!(verdicts.iter().position(|verdict| *verdict != Verdict::Gap), Some(FAILURES - 1));
            assert_eq!(verdicts.last(), Some(&Verdict::AskIam));
            assert!(outages.instead(&call).is_none());
        }
    }
}

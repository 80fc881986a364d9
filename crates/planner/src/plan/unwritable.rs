//! Documents that cannot be changed, since AWS takes no new document with one of their patterns.

use secateur_analyzer::account::ManagedPolicy;
use secateur_analyzer::analysis::Analysis;
use secateur_analyzer::graph::PolicyId;

use super::build::wanted;
use super::{PlanOptions, Withheld};
use crate::rewrite::lacks_colon;

/// The reason of what is left for want of a colon.
pub(super) const WITHOUT_COLON: &str = "without-colon";

/// Why a pattern without a colon stays in a document of which nothing else goes, with how many actions it matches that may go.
pub(super) fn left_as_written(pattern: &str, number: usize) -> String {
    format!(
        "`{pattern}` is left as written: AWS takes no new pattern without a colon, so what it allows is not certain; write `*` \
         or SERVICE:ACTION in its place, and plan again: {} could go",
        actions(number)
    )
}

/// Returns the entry for a policy of which something could go, if a pattern did not stand there.
pub(super) fn withheld(
    analysis: &Analysis<'_>,
    policy: PolicyId,
    address: String,
    pattern: &str,
    options: &PlanOptions,
) -> Withheld {
    let (reason, what) = if lacks_colon(pattern) {
        (WITHOUT_COLON, "no new pattern without a colon")
    } else if pattern.split_once(':').is_some_and(|(service, _)| service.contains(['*', '?'])) {
        ("refused-pattern", "no new pattern with a wildcard before the colon")
    } else {
        ("refused-pattern", "no new pattern without the prefix of a service before the colon and a name after it")
    };
    let judged = analysis.policy(policy);
    let wanted = judged.map(|own| wanted(analysis, policy, &own.holders, own.removable.clone(), options).len());
    let number = wanted.filter(|number| *number > 0).map(|number| format!(": {} could go", actions(number)));
    let managed = analysis.graph().policy(policy).and_then(|policy| policy.managed());
    let instead = if managed.is_some_and(ManagedPolicy::is_aws_managed) {
        "AWS owns it: attach a policy of your own in its place, with `*` or SERVICE:ACTION there, and plan again"
    } else {
        "write `*` or SERVICE:ACTION in its place, and plan again"
    };
    let detail = format!(
        "`{pattern}` stands in it, and AWS takes {what}, so that no changed document with it can be written; {instead}{}",
        number.unwrap_or_default()
    );
    Withheld { address, reason: reason.to_owned(), detail }
}

fn actions(number: usize) -> String {
    if number == 1 { "1 action".to_owned() } else { format!("{number} actions") }
}

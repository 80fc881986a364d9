//! Documents that AWS keeps and would, or may, take no more: what replaces or removes one cannot be taken back.

use std::fmt;

use secateur_analyzer::document::{Irregularity, PolicyDocument};

use super::rollback::Kept;
use super::step::{Effect, Step};

/// What is known against a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// What stands in it, in words.
    what: String,
    /// Whether it is known that AWS takes no new document with it; else it may be.
    pub(super) is_certain: bool,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let takes = if self.is_certain { "takes" } else { "may take" };
        write!(f, "AWS {takes} no new document with {}", self.what)
    }
}

/// Returns what stands in a document so that AWS takes it no more, or may not; none where nothing is known against it.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html> and
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html>.
pub(super) fn taken_no_more(document: &str) -> Option<Refused> {
    let document = PolicyDocument::parse(document).ok()?;
    let is_double = |own: &&Irregularity| matches!(own, Irregularity::DuplicateKey { .. });
    if let Some(double) = document.irregularities.iter().find(is_double) {
        return Some(Refused { what: double.to_string(), is_certain: true });
    }
    let entries = document.statements.iter().flat_map(|statement| &statement.actions.list().entries);
    let mut refused: Vec<&str> =
        entries.map(|entry| entry.pattern.as_str()).filter(|pattern| !is_taken(pattern)).collect();
    // What is certain is told first.
    refused.sort_by_key(|pattern| is_unproven(pattern));
    let pattern = refused.first()?;
    Some(Refused { what: format!("`{pattern}`"), is_certain: !is_unproven(pattern) })
}

/// Whether AWS takes a pattern in a new document: `*`, or a service in letters, a colon, and a name.
fn is_taken(pattern: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    pattern == "*"
        || pattern
            .split_once(':')
            .is_some_and(|(service, name)| !service.is_empty() && service.bytes().all(is_plain) && !name.is_empty())
}

/// Whether nobody has seen what AWS does with a pattern: `*:*` has a wildcard for the service, and says no more than `*`.
fn is_unproven(pattern: &str) -> bool {
    pattern == "*:*"
}

/// Returns the steps that no rollback can take back, or perhaps none, each with the reason.
pub fn final_writes(steps: &[Step]) -> Vec<Kept> {
    let of = |step: &Step| {
        let before = match &step.effect {
            Effect::PutInline { before: Some(before), .. } | Effect::DeleteInline { before, .. } => before,
            // The version in force before stays, and comes into force again as it is.
            Effect::DeleteVersion { version, .. } => &version.document,
            _ => return None,
        };
        let refused = taken_no_more(before)?;
        let can =
            if refused.is_certain { "no rollback can take it back" } else { "perhaps no rollback can take it back" };
        let detail = format!("{}: {can}: {refused}", step.effect);
        Some(Kept { address: step.address.clone(), detail })
    };
    steps.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_proven_is_not_said_for_certain() {
        let document = |actions: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{actions}],"Resource":"*"}}]}}"#
            )
        };
        let cases = [
            (r#""*","s3:*","s3:Get*""#, None),
            (r#""*:*""#, Some("AWS may take no new document with `*:*`")),
            (r#""*:*","sq*:CreateQueue""#, Some("AWS takes no new document with `sq*:CreateQueue`")),
            (r#""sqs""#, Some("AWS takes no new document with `sqs`")),
        ];
        for (actions, said) in cases {
            assert_eq!(taken_no_more(&document(actions)).map(|own| own.to_string()).as_deref(), said, "{actions}");
        }
        let before = document(r#""*:*""#);
        let effect = Effect::DeleteInline {
            entity: crate::apply::EntityRef::of_address("role/ci").unwrap(),
            policy: "p".to_owned(),
            before,
        };
        let step = Step {
            address: "role/ci/inline/p".to_owned(),
            unit: "u".to_owned(),
            effect,
            unique_id: None,
            entity_id: None,
            expects: None,
            versions: Vec::new(),
            beside: Vec::new(),
        };
        let said = &final_writes(&[step])[0].detail;
        assert!(
            said.ends_with("perhaps no rollback can take it back: AWS may take no new document with `*:*`"),
            "{said}"
        );
    }
}

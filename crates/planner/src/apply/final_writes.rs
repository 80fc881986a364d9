//! Documents that AWS keeps and would take no more: what replaces or removes one cannot be taken back.

use secateur_analyzer::document::{Irregularity, PolicyDocument};

use super::rollback::Kept;
use super::step::{Effect, Step};

/// Returns what stands in a document so that AWS takes it no more, in words; none where nothing is known against it.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html> and
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_policies.html>.
pub(super) fn taken_no_more(document: &str) -> Option<String> {
    let document = PolicyDocument::parse(document).ok()?;
    let is_double = |own: &&Irregularity| matches!(own, Irregularity::DuplicateKey { .. });
    if let Some(double) = document.irregularities.iter().find(is_double) {
        return Some(double.to_string());
    }
    let mut entries = document.statements.iter().flat_map(|statement| &statement.actions.list().entries);
    let refused = entries.find(|entry| !is_taken(entry.pattern.as_str()))?;
    Some(format!("`{}`", refused.pattern.as_str()))
}

/// Whether AWS takes a pattern in a new document: `*`, or a service in letters, a colon, and a name.
fn is_taken(pattern: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    pattern == "*"
        || pattern
            .split_once(':')
            .is_some_and(|(service, name)| !service.is_empty() && service.bytes().all(is_plain) && !name.is_empty())
}

/// Returns the steps that no rollback can take back, each with the reason.
pub fn final_writes(steps: &[Step]) -> Vec<Kept> {
    let of = |step: &Step| {
        let before = match &step.effect {
            Effect::PutInline { before: Some(before), .. } | Effect::DeleteInline { before, .. } => before,
            // The version in force before stays, and comes into force again as it is.
            Effect::DeleteVersion { version, .. } => &version.document,
            _ => return None,
        };
        let what = taken_no_more(before)?;
        let detail = format!("{}: no rollback can take it back: AWS takes no new document with {what}", step.effect);
        Some(Kept { address: step.address.clone(), detail })
    };
    steps.iter().filter_map(of).collect()
}

//! Access keys and KMS keys, in words.

use std::collections::BTreeSet;

use super::evidence::levels;
use super::words::{count, visible};
use crate::plan::{Change, ChangeAction, KeyEvidence, Plan, RemovedResource, RemovedStatement};

/// Returns why an access key is made inactive.
pub(super) fn access_key(key: &KeyEvidence) -> String {
    let switched_on = if key.since > key.last_used.unwrap_or(key.created) {
        format!(", last changed on {}", key.since.date())
    } else {
        String::new()
    };
    match key.last_used {
        None => format!("never used since its creation on {}{switched_on}", key.created.date()),
        Some(time) => {
            let with = |text: &Option<String>| text.clone().filter(|text| !text.is_empty() && text != "N/A");
            let service = with(&key.service).map(|service| format!(" with {}", visible(&service))).unwrap_or_default();
            let region = with(&key.region).map(|region| format!(" in {}", visible(&region))).unwrap_or_default();
            format!("last used on {}{service}{region}{switched_on}", time.date())
        }
    }
}

/// Returns which KMS key leaves which statement, and why.
pub(super) fn kms_key(removed: &RemovedResource) -> String {
    let sid = removed.sid.as_ref().map(|sid| format!(" \"{}\"", visible(sid))).unwrap_or_default();
    let why = match removed.last_used {
        None => format!("never used since its creation on {}", removed.since.date()),
        Some(time) => format!("last used on {}", time.date()),
    };
    format!("{} leaves statement {}{sid}: {why}", visible(removed.arn.as_str()), removed.statement)
}

/// Returns which statement goes with its keys, and how much is lost by that.
pub(super) fn statement(removed: &RemovedStatement) -> String {
    let sid = removed.sid.as_ref().map(|sid| format!(" \"{}\"", visible(sid))).unwrap_or_default();
    let end = match removed.count {
        0 => "; other statements allow its actions on other resources".to_owned(),
        number => {
            let levels = levels(&removed.risk);
            format!(", and {} ({levels}) that nothing else in the document allows", count(number, "action"))
        }
    };
    format!("statement {}{sid} goes with its KMS keys{end}", removed.statement)
}

/// Returns how many KMS keys leave; one that leaves several statements is one.
pub(super) fn kms_keys(changes: &[Change]) -> usize {
    let arns = changes.iter().flat_map(|change| &change.resources).map(|resource| &resource.arn);
    arns.collect::<BTreeSet<_>>().len()
}

/// Returns what the plan does beside removing actions, as the end of a sentence; empty when that is nothing.
pub(super) fn summary(plan: &Plan) -> String {
    let keys = plan.changes.iter().filter(|change| change.action == ChangeAction::Deactivate).count();
    let resources = kms_keys(&plan.changes);
    let mut words = String::new();
    if keys > 0 {
        words.push_str(&format!(", deactivates {}", count(keys, "access key")));
    }
    if resources > 0 {
        words.push_str(&format!(", takes {} out of Resource lists", count(resources, "KMS key")));
    }
    words + &statements(&plan.changes)
}

/// Returns how many statements go with their keys, as the end of a sentence; empty when none does.
pub(super) fn statements(changes: &[Change]) -> String {
    let all: Vec<&RemovedStatement> = changes.iter().flat_map(|change| &change.statements).collect();
    let actions: usize = all.iter().map(|statement| statement.count).sum();
    if all.is_empty() {
        return String::new();
    }
    let with = if actions > 0 { format!(" and {}", count(actions, "action")) } else { String::new() };
    format!(", with {}{with}", count(all.len(), "whole statement"))
}

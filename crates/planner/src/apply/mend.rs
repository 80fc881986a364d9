//! Which edit by hand mends what somebody else has changed: what a refusal names, for whoever wants it as it was.

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::{Sha256, fingerprint};

use super::borne::SLOTS;
use super::cloud::{CallError, EntityKind, EntityRef, Reads};

/// Says how somebody gets a policy again.
pub(super) fn attach(entity: &EntityRef, policy: &Arn) -> String {
    let kind = match entity.kind {
        EntityKind::User => "user",
        EntityKind::Role => "role",
        EntityKind::Group => "group",
    };
    let (name, arn) = (quoted(&entity.name), quoted(policy.as_str()));
    format!("`aws iam attach-{kind}-policy --{kind}-name {name} --policy-arn {arn}` gives it back")
}

/// Says how a policy comes to say again what it said: by the version that does, if there is one still.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn says_again(reads: &impl Reads, policy: &Arn, document: Option<Sha256>) -> Result<String, CallError> {
    let arn = quoted(policy.as_str());
    let Some(live) = reads.policy(policy)? else {
        return Ok("that policy is gone, and nothing gives it back".to_owned());
    };
    if let Some(mends) = by_version(reads, policy, document)? {
        return Ok(mends);
    }
    let number = |id: &&String| id.strip_prefix('v').and_then(|number| number.parse::<u64>().ok());
    let oldest = live.versions.iter().filter(|id| **id != live.default_version).min_by_key(number);
    let room = match oldest.filter(|_| live.versions.len() >= SLOTS) {
        Some(id) => {
            format!("`aws iam delete-policy-version --policy-arn {arn} --version-id {id}` makes room, and then ")
        }
        None => String::new(),
    };
    Ok(format!(
        "{room}`aws iam create-policy-version --policy-arn {arn} --set-as-default --policy-document file://before.json` makes it say that \
         again: before.json is to have the `document` of `from` that the first line of the apply's journal has for it"
    ))
}

/// Says how a policy comes to say again what it said, if a version of it does still.
///
/// # Errors
/// When AWS does not answer.
pub(super) fn by_version(
    reads: &impl Reads,
    policy: &Arn,
    document: Option<Sha256>,
) -> Result<Option<String>, CallError> {
    for id in reads.policy(policy)?.map(|live| live.versions).unwrap_or_default() {
        if reads.version(policy, &id)?.map(|text| fingerprint(&text)) == document {
            let call = "aws iam set-default-policy-version";
            let arn = quoted(policy.as_str());
            return Ok(Some(format!("`{call} --policy-arn {arn} --version-id {id}` makes it say that again")));
        }
    }
    Ok(None)
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-:/".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

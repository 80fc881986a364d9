//! Which edit by hand mends what somebody else has changed: what a refusal names, for whoever wants it as it was.

use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::{Sha256, fingerprint};

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
    for id in reads.policy(policy)?.map(|live| live.versions).unwrap_or_default() {
        if reads.version(policy, &id)?.map(|text| fingerprint(&text)) == document {
            let call = "aws iam set-default-policy-version";
            return Ok(format!("`{call} --policy-arn {arn} --version-id {id}` makes it say that again"));
        }
    }
    Ok(format!(
        "`aws iam create-policy-version --policy-arn {arn} --set-as-default --policy-document file://before.json` makes it say that \
         again, with the document that the journal of the apply has"
    ))
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-:/".contains(c);
    match word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

//! Access keys that are made inactive. None is ever deleted: what was inactive can be made active again.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html>.

use secateur_analyzer::account::KeyLastUsed;
use secateur_analyzer::analysis::{AccessKeyAnalysis, Analysis};
use secateur_analyzer::parallel;
use secateur_analyzer::rules::KeepRule;
use secateur_analyzer::time::UnixTime;
use secateur_analyzer::verdict::{AccessKeyVerdict, ExpiredRule, SetAside};

use serde::{Deserialize, Serialize};

use super::calls::{call, pair};
use super::{
    Change, ChangeAction, ExpectedHolder, Expects, PlanOptions, PlanProof, Refusal, Target, Withheld, withheld,
};
use crate::proof::{KeyProof, ProofError, prove_key};

/// An access key that must be found as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedKey {
    /// `Active`
    pub status: String,
    /// When it was created.
    pub created: UnixTime,
}

/// What is known of an access key that is made inactive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEvidence {
    /// `unused-key` or `idle-key`.
    pub reason: String,
    /// When it was created.
    pub created: UnixTime,
    /// When it was last used, to within 15 minutes; none if never.
    pub last_used: Option<UnixTime>,
    /// The service that it was last used with.
    pub service: Option<String>,
    /// The Region that it was last used in; `N/A` of a service that has none.
    pub region: Option<String>,
    /// Since when it is idle: its last use, its creation, or when it was last switched on.
    pub since: UnixTime,
}

/// What is to become of access keys.
#[derive(Default)]
pub(super) struct Keys {
    pub changes: Vec<Change>,
    pub withheld: Vec<Withheld>,
    pub unproved: Vec<(String, ProofError)>,
}

/// Returns the changes of all idle keys, proved, and what is withheld of them. `--only` asks for reasons of actions.
pub(super) fn keys(analysis: &Analysis<'_>, options: &PlanOptions) -> Keys {
    let mut keys = Keys::default();
    if !options.selection.only.is_empty() {
        return keys;
    }
    let judged = analysis.access_keys();
    let derived = parallel::map(analysis.inputs().threads, &judged, |judged| {
        matches!(judged.verdict, AccessKeyVerdict::Deactivate(_)).then(|| derive(&judged.address, analysis))
    });
    for (judged, derived) in judged.into_iter().zip(derived) {
        if let Some(derived) = derived {
            match derived {
                Ok(change) => keys.changes.push(change),
                Err(error) => {
                    let detail = format!("the deactivation could not be proved, which is a bug of secateur: {error}");
                    let address = judged.address.clone();
                    keys.withheld.push(Withheld { address, reason: "unproved".to_owned(), detail });
                    keys.unproved.push((judged.address, error));
                }
            }
        } else if let Some(detail) = withheld_because(analysis, &judged) {
            let reason = judged.verdict.as_str().to_owned();
            keys.withheld.push(Withheld { address: judged.address, reason, detail });
        }
    }
    keys
}

/// Why an idle key, or one of which nobody can tell, stays active; none when that needs no words.
fn withheld_because(analysis: &Analysis<'_>, judged: &AccessKeyAnalysis<'_>) -> Option<String> {
    let rules = analysis.inputs().rules;
    let keep = |at: &usize| rules.keep.get(*at).map_or("", |rule: &KeepRule| rule.reason.as_str());
    let described = |set_aside: SetAside| Some(withheld::describe(analysis, &set_aside));
    match &judged.verdict {
        AccessKeyVerdict::NotActive
        | AccessKeyVerdict::Used(_)
        | AccessKeyVerdict::TooRecent { .. }
        | AccessKeyVerdict::Deactivate(_) => None,
        AccessKeyVerdict::NoEvidence(why) => Some(why.to_string()),
        AccessKeyVerdict::LeftAlone(why) => described(SetAside::LeftAlone(why.clone())),
        AccessKeyVerdict::Ignored(rule) => described(SetAside::Ignored(*rule)),
        AccessKeyVerdict::RuleExpired(ExpiredRule::Ignore(rule)) => described(SetAside::RuleExpired(*rule)),
        AccessKeyVerdict::RuleExpired(ExpiredRule::Keep(rule)) => {
            Some(format!("keep[{rule}] ({}) has just expired; it kept the user's keys", keep(rule)))
        }
        AccessKeyVerdict::Kept(rule) => Some(format!("keep[{rule}]: {}", keep(rule))),
        AccessKeyVerdict::Dormant => Some(format!(
            "its user used nothing within {} days: delete the user, or set dormant = \"prune\"",
            analysis.inputs().settings.min_idle_days
        )),
    }
}

/// Takes `user/NAME/key/ID` apart.
fn parts(address: &str) -> Option<(&str, &str)> {
    match address.split('/').collect::<Vec<_>>().as_slice() {
        ["user", name, "key", id] => Some((name, id)),
        _ => None,
    }
}

/// Proves the deactivation of a key, and derives all that the plan says of it.
fn derive(address: &str, analysis: &Analysis<'_>) -> Result<Change, ProofError> {
    let (user, id) = parts(address).ok_or_else(|| ProofError::NoKeyEvidence {
        key: address.to_owned(),
        user: String::new(),
        detail: "the address is not that of an access key".to_owned(),
    })?;
    let proof = prove_key(user, id, analysis)?;
    let update = |status: &str| {
        call("iam:UpdateAccessKey", [pair("UserName", user), pair("AccessKeyId", id), pair("Status", status)])
    };
    let owner = proof.user();
    let target = Target {
        kind: "aws_iam_access_key".to_owned(),
        arn: owner.arn.clone(),
        name: id.to_owned(),
        unique_id: owner.unique_id.clone(),
        owner: Some(owner.address()),
        default_version: None,
        versions: Vec::new(),
    };
    Ok(Change {
        address: address.to_owned(),
        expects: Expects {
            holders: vec![ExpectedHolder { arn: owner.arn.clone(), unique_id: owner.unique_id.clone() }],
            access_key: Some(ExpectedKey { status: "Active".to_owned(), created: proof.created() }),
            ..Expects::default()
        },
        key: Some(evidence(&proof)),
        proof: PlanProof { holders: 1, ..PlanProof::default() },
        calls: vec![update("Inactive")],
        inverse: vec![update("Active")],
        ..Change::new(ChangeAction::Deactivate, target)
    })
}

fn evidence(proof: &KeyProof<'_>) -> KeyEvidence {
    let (created, since) = (proof.created(), proof.since());
    match &proof.key().last_used {
        KeyLastUsed::At { time, service, region } => KeyEvidence {
            reason: "idle-key".to_owned(),
            created,
            last_used: Some(*time),
            service: Some(service.clone()),
            region: Some(region.clone()),
            since,
        },
        KeyLastUsed::NoRecord | KeyLastUsed::Unknown => KeyEvidence {
            reason: "unused-key".to_owned(),
            created,
            last_used: None,
            service: None,
            region: None,
            since,
        },
    }
}

/// Proves a plan's deactivation again, from the snapshot.
pub(super) fn prove_again(change: &Change, analysis: &Analysis<'_>) -> Result<Change, Refusal> {
    let refuse = |name: String, detail: String| Refusal { address: change.address.clone(), name, detail };
    if parts(&change.address).is_none() || change.before.is_some() || change.after.is_some() || change.group.is_some() {
        let detail = "the action does not fit the address and the documents".to_owned();
        return Err(refuse("edited-action".to_owned(), detail));
    }
    derive(&change.address, analysis).map_err(|error| refuse(error.name(), error.to_string()))
}

#[cfg(test)]
mod tests;

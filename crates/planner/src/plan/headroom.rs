//! Whether there is room in an account for what a plan makes.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>. The account's own summary counts where
//! there is one; the numbers here are AWS's documented defaults.

use std::collections::BTreeMap;

use secateur_analyzer::account::{Account, ManagedPolicy, PolicyVersion};
use secateur_analyzer::arn::Arn;
use secateur_analyzer::document::counted_characters;

use super::{Change, ChangeAction, Quotas, Refusal, verify};

/// What is kept of a version that has to make room: id and document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldestVersion {
    /// Its id.
    pub id: String,
    /// Its document.
    pub document: String,
}

/// Whether there is room for the changes.
#[derive(Clone, Debug, Default)]
pub struct Headroom {
    /// What does not fit.
    pub refusals: Vec<Refusal>,
    /// The changed policies whose slots for versions are all taken: by ARN, the oldest version that is not in force.
    pub full: BTreeMap<Arn, OldestVersion>,
}

/// Looks whether there is room for the changes, by the account's own quotas.
pub fn headroom(changes: &[&Change], account: &Account) -> Headroom {
    let mut found = Headroom::default();
    let quotas = Quotas::of(account);
    let slots = quota(account, "VersionsPerPolicyQuota", 5);
    let mut created = 0;
    for change in changes {
        let mut refuse = |name: &str, detail: String| found.refusals.push(verify::refusal(change, name, &detail));
        let is_managed = change.target.kind == "aws_iam_policy";
        let size = change.after.as_deref().map_or(0, counted_characters);
        let before = change.before.as_deref().map_or(0, counted_characters);
        if is_managed && size > quotas.managed && size >= before {
            refuse("quota", format!("{size} characters are more than PolicySizeQuota ({})", quotas.managed));
        }
        match change.action {
            ChangeAction::Create => created += 1,
            ChangeAction::Update if is_managed => {
                let policy = account.policy(&change.target.arn);
                let Some(policy) = policy.filter(|policy| policy.versions.len() >= slots) else { continue };
                match oldest(policy) {
                    Some(oldest) => {
                        found.full.insert(policy.arn.clone(), oldest);
                    }
                    None => refuse("version-slots", format!("all {slots} versions are taken, and none can go")),
                }
            }
            _ => {}
        }
    }
    let own = account.policies.iter().filter(|policy| !policy.is_aws_managed()).count();
    let most = quota(account, "PoliciesQuota", 1_500);
    if let (true, Some(first)) = (created > 0 && own + created > most, changes.first()) {
        let detail = format!("{created} further policies are more than PoliciesQuota ({most}) allows");
        found.refusals.push(verify::refusal(first, "quota", &detail));
    }
    found.refusals.extend(attached(changes, account));
    found.refusals.extend(inline(changes, account, &quotas));
    found
}

/// What the attachments of an entity come to, by unit: a unit is whole before the next begins, and what only detaches is first.
#[derive(Default)]
struct Attachments<'c> {
    /// How many each unit attaches, and how many it detaches.
    units: BTreeMap<&'c str, (usize, usize)>,
}

impl Attachments<'_> {
    /// The most that the entity has at a time, of `has` at first; whatever the order of the units that attach something.
    fn most(&self, has: usize) -> usize {
        let of = |(attached, detached): &(usize, usize)| attached.saturating_sub(*detached);
        let gone: usize =
            self.units.values().filter(|(attached, _)| *attached == 0).map(|(_, detached)| *detached).sum();
        let for_good: usize = self.units.values().map(of).sum();
        let for_a_moment = self.units.values().map(|unit| unit.0 - of(unit)).max().unwrap_or(0);
        has.saturating_sub(gone) + for_good + for_a_moment
    }
}

fn attached(changes: &[&Change], account: &Account) -> Vec<Refusal> {
    let mut by_owner: BTreeMap<&str, Attachments<'_>> = BTreeMap::new();
    for change in changes {
        let own = by_owner.entry(change.target.owner.as_deref().unwrap_or_default()).or_default();
        match change.action {
            ChangeAction::Attach => own.units.entry(change.unit()).or_default().0 += 1,
            ChangeAction::Detach => own.units.entry(change.unit()).or_default().1 += 1,
            _ => {}
        }
    }
    let mut refusals = Vec::new();
    for (owner, own) in by_owner {
        let (has, key) = attachments(account, owner);
        let (quota, most) = (quota(account, key, 10), own.most(has));
        let is_attached =
            |change: &&&Change| change.action == ChangeAction::Attach && change.target.owner.as_deref() == Some(owner);
        if let (true, Some(change)) = (most > quota, changes.iter().find(is_attached)) {
            let detail = format!(
                "{owner} has {has} managed policies, would have {most} for a moment, and may have {quota} ({key})"
            );
            refusals.push(verify::refusal(change, "quota", &detail));
        }
    }
    refusals
}

/// What the inline policies of an entity come to, beside those that stay: by what they are now, which may be less than was
/// planned upon.
fn inline(changes: &[&Change], account: &Account, quotas: &Quotas) -> Vec<Refusal> {
    let mut grown: BTreeMap<&str, i64> = BTreeMap::new();
    let size = |text: &Option<String>| i64::try_from(text.as_deref().map_or(0, counted_characters)).unwrap_or(i64::MAX);
    let is_inline = |change: &&&Change| change.expects.inline_size.is_some();
    for change in changes.iter().filter(is_inline) {
        let owner = change.target.owner.as_deref().unwrap_or_default();
        *grown.entry(owner).or_default() += size(&change.after) - size(&change.before);
    }
    let mut refusals = Vec::new();
    for (owner, grown) in grown {
        let Some(change) = changes.iter().find(|change| change.target.owner.as_deref() == Some(owner)) else {
            continue;
        };
        let quota = match owner.split('/').next() {
            Some("user") => quotas.user,
            Some("group") => quotas.group,
            _ => quotas.role,
        };
        let start = i64::try_from(inline_size(account, owner)).unwrap_or(i64::MAX);
        if grown > 0 && start + grown > i64::try_from(quota).unwrap_or(i64::MAX) {
            let detail = format!("the inline policies of {owner} would have {} characters of {quota}", start + grown);
            refusals.push(verify::refusal(change, "quota", &detail));
        }
    }
    refusals
}

/// The characters of all inline policies of an entity, as AWS counts them.
fn inline_size(account: &Account, owner: &str) -> usize {
    let principal = account.principals.iter().find(|principal| principal.has_address(owner));
    let group = || account.groups.iter().find(|group| owner.strip_prefix("group/") == Some(&group.name));
    let inline = principal.map(|principal| &principal.inline).or_else(|| Some(&group()?.inline));
    inline.into_iter().flatten().map(|policy| counted_characters(policy.document.text())).sum()
}

/// The oldest version that is not in force and whose document is known.
fn oldest(policy: &ManagedPolicy) -> Option<OldestVersion> {
    let number = |version: &PolicyVersion| version.id.strip_prefix('v').and_then(|number| number.parse::<u64>().ok());
    let version = (policy.versions.iter())
        .filter(|version| version.id != policy.default_version)
        .min_by_key(|version| (version.created, number(version)))?;
    let document = version.document.as_ref()?.text().to_owned();
    Some(OldestVersion { id: version.id.clone(), document })
}

fn attachments(account: &Account, owner: &str) -> (usize, &'static str) {
    let principal = account.principals.iter().find(|principal| principal.has_address(owner));
    if let Some(principal) = principal {
        let key =
            if owner.starts_with("role/") { "AttachedPoliciesPerRoleQuota" } else { "AttachedPoliciesPerUserQuota" };
        return (principal.attached.len(), key);
    }
    let group = account.groups.iter().find(|group| owner.strip_prefix("group/") == Some(&group.name));
    (group.map_or(0, |group| group.attached.len()), "AttachedPoliciesPerGroupQuota")
}

fn quota(account: &Account, name: &str, default: usize) -> usize {
    let own = account.summary.as_ref().and_then(|summary| summary.get(name));
    own.and_then(|quota| usize::try_from(*quota).ok()).unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Units as attached and detached, of an entity that has some.
    fn check(has: usize, units: &[(usize, usize)], expect: usize) {
        let names: Vec<String> = (0..units.len()).map(|at| at.to_string()).collect();
        let units = names.iter().map(String::as_str).zip(units.iter().copied()).collect();
        assert_eq!(Attachments { units }.most(has), expect);
    }

    #[test]
    fn the_most_attachments_at_a_time() {
        check(6, &[], 6);
        // Copies take the places of others one after the other.
        check(6, &[(1, 1); 5], 7);
        // What only goes has gone before.
        check(10, &[(0, 1), (1, 1)], 10);
        check(10, &[(1, 1)], 11);
        // Further parts stay; a copy may come before them or after them.
        check(9, &[(1, 0), (1, 1)], 11);
        check(5, &[(2, 0), (1, 0)], 8);
    }
}

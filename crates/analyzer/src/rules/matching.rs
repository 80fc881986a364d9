//! Whom a rule is about.

use super::{Force, IgnoreRule, KeepRule, Rules, SourceRule};
use crate::account::{Principal, Tag};
use crate::graph::PolicyRef;
use crate::time::UnixTime;
use crate::verdict::SetAside;
use crate::wildcard;

/// What rules can say of a principal.
#[derive(Clone, Copy, Debug)]
pub struct PrincipalFacts<'a> {
    /// The ARN.
    pub arn: &'a str,
    /// The name.
    pub name: &'a str,
    /// `role/NAME` or `user/NAME`.
    pub address: &'a str,
    /// The path.
    pub path: &'a str,
    /// The tags.
    pub tags: &'a [Tag],
}

/// What rules can say of a policy.
#[derive(Clone, Copy, Debug)]
pub struct PolicyFacts<'a> {
    /// The ARN of a managed policy.
    pub arn: Option<&'a str>,
    /// The name.
    pub name: &'a str,
    /// `policy/NAME`, `role/NAME/inline/NAME`, ...
    pub address: &'a str,
    /// The path of a managed policy.
    pub path: Option<&'a str>,
    /// The tags of a managed policy; none when they are not known.
    pub tags: Option<&'a [Tag]>,
}

fn any(globs: &[String], texts: &[&str]) -> bool {
    // IAM tells no two names apart by case.
    globs.iter().any(|glob| texts.iter().any(|text| wildcard::matches_ignore_case(glob, text)))
}

fn tagged(globs: &[String], tags: &[Tag]) -> bool {
    tags.iter().any(|tag| any(globs, &[&tag.key, &format!("{}={}", tag.key, tag.value)]))
}

impl<'a> PolicyFacts<'a> {
    /// Returns what rules can say of the policy.
    pub fn of(policy: PolicyRef<'a>, address: &'a str) -> PolicyFacts<'a> {
        let managed = policy.managed();
        PolicyFacts {
            arn: managed.map(|managed| managed.arn.as_str()),
            name: policy.name(),
            address,
            path: managed.map(|managed| managed.path.as_str()),
            tags: match managed {
                Some(managed) => managed.tags.as_deref(),
                None => Some(&[]),
            },
        }
    }
}

impl<'a> PrincipalFacts<'a> {
    /// Returns what rules can say of the principal; `address` is its own.
    pub fn of(principal: &'a Principal, address: &'a str) -> PrincipalFacts<'a> {
        PrincipalFacts {
            arn: principal.arn.as_str(),
            name: &principal.name,
            address,
            path: &principal.path,
            tags: &principal.tags,
        }
    }
}

impl PrincipalFacts<'_> {
    /// Returns whether one of the globs names the principal.
    pub fn is_named(&self, globs: &[String]) -> bool {
        any(globs, &[self.arn, self.name, self.address])
    }
}

impl PolicyFacts<'_> {
    /// Returns whether one of the globs names the policy.
    pub fn is_named(&self, globs: &[String]) -> bool {
        any(globs, &[self.name, self.address]) || self.arn.is_some_and(|arn| any(globs, &[arn]))
    }
}

impl KeepRule {
    /// Returns whether the rule is about this principal and this policy; its actions are not looked at.
    pub fn is_about(&self, principal: &PrincipalFacts<'_>, policy: &PolicyFacts<'_>) -> bool {
        (self.principals.is_empty() || principal.is_named(&self.principals))
            && (self.policies.is_empty() || policy.is_named(&self.policies))
    }
}

impl IgnoreRule {
    /// Returns whether the rule leaves the principal out, whatever its policies.
    pub fn ignores_principal(&self, principal: &PrincipalFacts<'_>) -> bool {
        let says_something = !self.principals.is_empty() || !self.paths.is_empty() || !self.tags.is_empty();
        says_something
            && self.policies.is_empty()
            && (self.principals.is_empty() || principal.is_named(&self.principals))
            && (self.paths.is_empty() || any(&self.paths, &[principal.path]))
            && (self.tags.is_empty() || tagged(&self.tags, principal.tags))
    }

    /// Returns whether the rule leaves the policy out; `owner` is the principal that an inline policy belongs to.
    pub fn ignores_policy(&self, policy: &PolicyFacts<'_>, owner: Option<&PrincipalFacts<'_>>) -> bool {
        let path = policy.path.or(owner.map(|owner| owner.path));
        let says_something = !self.policies.is_empty() || !self.paths.is_empty() || !self.tags.is_empty();
        says_something
            && self.principals.is_empty()
            && (self.policies.is_empty() || policy.is_named(&self.policies))
            && (self.paths.is_empty() || path.is_some_and(|path| any(&self.paths, &[path])))
            && (self.tags.is_empty() || self.may_be_tagged(owner.map_or(policy.tags, |owner| Some(owner.tags))))
    }

    /// Returns whether the rule, which names principals and policies, leaves the policy out for this principal.
    pub fn ignores_together(&self, principal: &PrincipalFacts<'_>, policy: &PolicyFacts<'_>) -> bool {
        let path = |path: &str| any(&self.paths, &[path]);
        !self.principals.is_empty()
            && !self.policies.is_empty()
            && principal.is_named(&self.principals)
            && policy.is_named(&self.policies)
            && (self.paths.is_empty() || path(principal.path) || policy.path.is_some_and(path))
            && (self.tags.is_empty() || tagged(&self.tags, principal.tags) || self.may_be_tagged(policy.tags))
    }

    /// Whether the tags are those of the rule: unknown ones may be.
    fn may_be_tagged(&self, tags: Option<&[Tag]>) -> bool {
        tags.is_none_or(|tags| tagged(&self.tags, tags))
    }
}

impl Rules {
    /// Returns what the first `[[ignore]]` rule in force among those that are about something makes of it, else the first
    /// that has just expired.
    pub fn set_aside(&self, now: UnixTime, is_about: impl Fn(&IgnoreRule) -> bool) -> Option<SetAside> {
        let mut grace = None;
        for (at, rule) in self.ignore.iter().enumerate().filter(|(_, rule)| is_about(rule)) {
            match rule.force(now) {
                Force::InForce => return Some(SetAside::Ignored(at)),
                Force::Grace => grace = grace.or(Some(SetAside::RuleExpired(at))),
                Force::Expired => {}
            }
        }
        grace
    }

    /// Returns the source of the policy with that address.
    pub fn source_of(&self, address: &str) -> Option<&SourceRule> {
        self.source.iter().find(|rule| wildcard::matches_ignore_case(&rule.policy, address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(principals: &[&str], policies: &[&str], paths: &[&str], tags: &[&str]) -> IgnoreRule {
        let own = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        IgnoreRule {
            principals: own(principals),
            policies: own(policies),
            paths: own(paths),
            tags: own(tags),
            reason: "test".into(),
            expires: None,
        }
    }

    #[test]
    fn whom_an_ignore_rule_is_about() {
        let tags = [Tag { key: "team".into(), value: "data".into() }];
        let principal = PrincipalFacts {
            arn: "arn:aws:iam::111122223333:role/jobs/etl",
            name: "etl",
            address: "role/etl",
            path: "/jobs/",
            tags: &tags,
        };
        let inline = PolicyFacts { arn: None, name: "s3", address: "role/etl/inline/s3", path: None, tags: Some(&[]) };
        let check = |rule: IgnoreRule, ignores_principal: bool, ignores_inline: bool| {
            let got = (rule.ignores_principal(&principal), rule.ignores_policy(&inline, Some(&principal)));
            assert_eq!(got, (ignores_principal, ignores_inline), "{rule:?}");
        };
        check(rule(&["role/etl"], &[], &[], &[]), true, false);
        check(rule(&["arn:aws:iam::*:role/jobs/*"], &[], &[], &[]), true, false);
        check(rule(&["other"], &[], &[], &[]), false, false);
        check(rule(&[], &["s3"], &[], &[]), false, true);
        check(rule(&["etl"], &["role/*/inline/s3"], &[], &[]), false, false);
        check(rule(&["ROLE/ETL"], &[], &[], &[]), true, false);
        check(rule(&["other"], &["s3"], &[], &[]), false, false);
        check(rule(&[], &[], &["/jobs/*"], &[]), true, true);
        check(rule(&[], &[], &[], &["team=data"]), true, true);
        check(rule(&[], &[], &["/"], &["team"]), false, false);
        let together = |rule: IgnoreRule| rule.ignores_together(&principal, &inline);
        assert!(together(rule(&["etl"], &["role/*/inline/s3"], &[], &[])));
        assert!(!together(rule(&["other"], &["s3"], &[], &[])) && !together(rule(&["etl"], &["sqs"], &[], &[])));
    }
}

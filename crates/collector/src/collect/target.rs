//! Whom a report is about.

use std::hash::{DefaultHasher, Hash, Hasher};

use secateur_analyzer::time::UnixTime;
use secateur_analyzer::wildcard;

use super::names;

/// What kind of thing a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    User,
    Role,
    Group,
    /// A policy of the account.
    Policy,
    /// A policy of AWS.
    AwsPolicy,
}

/// Whom a report is about.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub kind: Kind,
    pub arn: String,
    pub name: String,
    /// When it was made; a report of before is about somebody else of that name.
    pub created: Option<UnixTime>,
}

/// The users and roles of an account, so that one is recognised. There may be many: of each there is a hash alone.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<u64>);

impl Known {
    pub fn of(targets: &[Target]) -> Known {
        let principals = targets.iter().filter(|target| matches!(target.kind, Kind::User | Kind::Role));
        let mut hashes: Vec<u64> = principals.map(|target| hash_of(&target.arn)).collect();
        hashes.sort_unstable();
        Known(hashes)
    }

    pub fn has(&self, arn: &str) -> bool {
        self.0.binary_search(&hash_of(arn)).is_ok()
    }
}

fn hash_of(arn: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    arn.hash(&mut hasher);
    hasher.finish()
}

impl Target {
    fn folder(&self) -> &'static str {
        match self.kind {
            Kind::User => "user",
            Kind::Role => "role",
            Kind::Group => "group",
            Kind::Policy => "policy",
            Kind::AwsPolicy => "aws-policy",
        }
    }

    /// Returns the address that users name it by, such as `role/ci`.
    pub fn address(&self) -> String {
        let kind = if self.kind == Kind::AwsPolicy { "policy" } else { self.folder() };
        format!("{kind}/{}", self.name)
    }

    /// Returns whether one of the globs names it, by its address or its ARN; without globs everybody is named.
    pub fn is_among(&self, globs: &[String]) -> bool {
        let is_named = |glob: &String| {
            wildcard::matches_ignore_case(glob, &self.address()) || wildcard::matches_ignore_case(glob, &self.arn)
        };
        globs.is_empty() || globs.iter().any(is_named)
    }

    /// Returns the file of its report.
    pub fn report(&self) -> String {
        names::file(&format!("last-accessed/{}", self.folder()), &self.name)
    }

    /// Returns the file of who used a service through it.
    pub fn entities(&self, namespace: &str) -> String {
        // Namespaces have letters, digits and hyphens.
        names::file(&format!("entities/{}/{}", self.folder(), namespace.replace(['/', '.'], "-")), &self.name)
    }

    /// Returns the file of the policies that grant services to it.
    pub fn granting(&self) -> String {
        names::file(&format!("granting/{}", self.folder()), &self.name)
    }

    /// Returns whether AWS tells which policies grant services to it: of users, roles and groups it does.
    pub fn is_granted(&self) -> bool {
        !matches!(self.kind, Kind::Policy | Kind::AwsPolicy)
    }

    /// Returns whether it has members or holders who used a service through it.
    pub fn has_entities(&self) -> bool {
        !matches!(self.kind, Kind::User | Kind::Role)
    }
}

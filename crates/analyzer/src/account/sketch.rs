//! Accounts made in code, for tests and examples.

use std::sync::Arc;

use super::{
    AccessKey, Account, Document, Granularity, Group, InlinePolicy, KeyLastUsed, KeyStatus, KmsKey, KmsLastUsage,
    ManagedPolicy, MultiRegion, PolicyVersion, Principal, PrincipalKind, RegionUses, Report, ReportStatus, ServiceRow,
    Tag,
};
use crate::arn::Arn;
use crate::catalog::Catalog;
use crate::document::sha256_of;
use crate::time::UnixTime;

/// The account that sketches are of.
pub const ACCOUNT: &str = "111122223333";
/// When sketched reports are generated and the collection ends.
pub const NOW: &str = "2026-10-10T06:00:00Z";

/// Trusts the account's own principals.
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}"#;

/// An account that grows by calls. Names stand for ARNs without a path: `role/ci`, `user/ann`, `group/data`, `policy/P`
/// (`policy/aws:P` for AWS's own). What cannot be found is passed over: the test that meant it will miss it.
#[derive(Clone, Debug)]
pub struct Sketch {
    /// The account so far; every field may be changed.
    pub account: Account,
}

impl Default for Sketch {
    fn default() -> Sketch {
        Sketch::new()
    }
}

impl Sketch {
    /// Returns an account without principals, with one enabled Region, `us-east-1`.
    pub fn new() -> Sketch {
        let account = Account {
            catalog: Catalog::shared(),
            id: ACCOUNT.to_owned(),
            partition: "aws".to_owned(),
            endpoint: None,
            caller_arn: None,
            started_at: time(NOW),
            finished_at: time(NOW),
            details_at: None,
            complete: true,
            gaps: Vec::new(),
            snapshot_sha256: sha256_of(b"sketch"),
            principals: Vec::new(),
            groups: Vec::new(),
            policies: Vec::new(),
            reports: std::collections::BTreeMap::new(),
            regions: Some(vec!["us-east-1".to_owned()]),
            summary: None,
            grants: None,
            access_keys: std::collections::BTreeMap::new(),
            kms_keys: std::collections::BTreeMap::new(),
        };
        Sketch { account }
    }

    /// Adds a user or role created in 2020: `user/ann`, `role/ci`.
    #[must_use]
    pub fn principal(mut self, address: &str) -> Sketch {
        let (kind, name) = address.split_once('/').unwrap_or(("role", address));
        let Some(arn) = arn(address) else { return self };
        let kind = if kind == "user" { PrincipalKind::User } else { PrincipalKind::Role };
        self.account.principals.push(Principal {
            kind,
            unique_id: format!("{}-{name}", if kind == PrincipalKind::User { "AIDA" } else { "AROA" }),
            arn,
            name: name.to_owned(),
            path: "/".to_owned(),
            created: time("2020-01-01T00:00:00Z"),
            tags: Vec::new(),
            inline: Vec::new(),
            attached: Vec::new(),
            groups: Vec::new(),
            boundary: None,
            last_used: None,
            last_used_region: None,
            trust: (kind == PrincipalKind::Role).then(|| Document::new(TRUST)),
        });
        self.account.principals.sort_by(|a, b| a.arn.cmp(&b.arn));
        self
    }

    /// Adds a group: `group/data`.
    #[must_use]
    pub fn group(mut self, address: &str) -> Sketch {
        let name = address.trim_start_matches("group/");
        let Some(arn) = arn(address) else { return self };
        self.account.groups.push(Group {
            arn,
            name: name.to_owned(),
            unique_id: format!("AGPA-{name}"),
            path: "/".to_owned(),
            inline: Vec::new(),
            attached: Vec::new(),
        });
        self.account.groups.sort_by(|a, b| a.arn.cmp(&b.arn));
        self
    }

    /// Makes a user a member of a group.
    #[must_use]
    pub fn member(self, user: &str, group: &str) -> Sketch {
        let group = group.trim_start_matches("group/").to_owned();
        self.change(user, |principal| principal.groups.push(group))
    }

    /// Adds an inline policy to a user, role or group.
    #[must_use]
    pub fn inline(mut self, owner: &str, name: &str, text: &str) -> Sketch {
        let policy = InlinePolicy { name: name.to_owned(), document: Document::new(text) };
        if let Some(group) = self.account.groups.iter_mut().find(|group| arn(owner).as_ref() == Some(&group.arn)) {
            group.inline.push(policy);
            return self;
        }
        self.change(owner, |principal| principal.inline.push(policy))
    }

    /// Adds a managed policy with one version of 2020: `policy/P` or `policy/aws:P`.
    #[must_use]
    pub fn managed(mut self, address: &str, text: &str) -> Sketch {
        let Some(arn) = arn(address) else { return self };
        let name = arn.name().to_owned();
        self.account.policies.push(ManagedPolicy {
            unique_id: format!("ANPA-{name}"),
            arn,
            name,
            path: "/".to_owned(),
            default_version: "v1".to_owned(),
            versions: vec![PolicyVersion {
                id: "v1".to_owned(),
                created: time("2020-01-01T00:00:00Z"),
                document: Some(Document::new(text)),
            }],
            attachment_count: None,
            boundary_count: None,
            created: time("2020-01-01T00:00:00Z"),
            tags: None,
            tags_lack_pages: false,
        });
        self.account.policies.sort_by(|a, b| a.arn.cmp(&b.arn));
        self
    }

    /// Attaches a managed policy to a user, role or group.
    #[must_use]
    pub fn attach(mut self, entity: &str, policy: &str) -> Sketch {
        let Some(policy) = arn(policy) else { return self };
        if let Some(group) = self.account.groups.iter_mut().find(|group| arn(entity).as_ref() == Some(&group.arn)) {
            group.attached.push(policy);
            return self;
        }
        self.change(entity, |principal| principal.attached.push(policy))
    }

    /// Adds a completed ACTION_LEVEL report of [`NOW`].
    ///
    /// One line a service: `NAMESPACE LAST: ACTION[=LAST], ...`; times as dates or RFC 3339, `-` for never; without a
    /// colon the row has no list of actions.
    #[must_use]
    pub fn report(mut self, principal: &str, rows: &str) -> Sketch {
        let Some(arn) = arn(principal) else { return self };
        let rows = rows.lines().filter_map(|line| row(&self.account.catalog, line.trim())).collect();
        let report = Report {
            arn: arn.clone(),
            sha256: sha256_of(principal.as_bytes()),
            status: ReportStatus::Completed,
            granularity: Granularity::Action,
            generated_at: time(NOW),
            truncated: false,
            services: Vec::new(),
            regions: RegionUses::default(),
        };
        self.account.reports.insert(arn, report.with_services(rows));
        self
    }

    /// Changes a principal.
    #[must_use]
    pub fn change(mut self, address: &str, change: impl FnOnce(&mut Principal)) -> Sketch {
        let arn = arn(address);
        if let Some(principal) =
            self.account.principals.iter_mut().find(|principal| arn.as_ref() == Some(&principal.arn))
        {
            change(principal);
        }
        self
    }

    /// Changes a principal's report.
    #[must_use]
    pub fn change_report(mut self, address: &str, change: impl FnOnce(&mut Report)) -> Sketch {
        if let Some(report) = arn(address).and_then(|arn| self.account.reports.get_mut(&arn)) {
            change(report);
        }
        self
    }

    /// Changes a managed policy.
    #[must_use]
    pub fn change_policy(mut self, address: &str, change: impl FnOnce(&mut ManagedPolicy)) -> Sketch {
        let arn = arn(address);
        if let Some(policy) = self.account.policies.iter_mut().find(|policy| arn.as_ref() == Some(&policy.arn)) {
            change(policy);
        }
        self
    }

    /// Adds a tag to a principal.
    #[must_use]
    pub fn tag(self, address: &str, key: &str, value: &str) -> Sketch {
        let tag = Tag { key: key.to_owned(), value: value.to_owned() };
        self.change(address, |principal| principal.tags.push(tag))
    }

    /// Adds an active access key of a user, created and last used then; `-` for never.
    #[must_use]
    pub fn access_key(mut self, user: &str, id: &str, created: &str, last_used: &str) -> Sketch {
        let Some(arn) = arn(user) else { return self };
        let last_used = match time(last_used) {
            Some(time) => KeyLastUsed::At { time, service: "s3".to_owned(), region: "us-east-1".to_owned() },
            None => KeyLastUsed::NoRecord,
        };
        let key = AccessKey { id: id.to_owned(), status: KeyStatus::Active, created: time(created), last_used };
        let keys = self.account.access_keys.entry(arn).or_default();
        keys.push(key);
        keys.sort();
        self
    }

    /// Adds a KMS key of one Region, by its ARN; `-` for no last usage.
    #[must_use]
    pub fn kms_key(mut self, arn: &str, created: &str, tracking_start: &str, last_usage: &str) -> Sketch {
        let Ok(arn) = arn.parse::<Arn>() else { return self };
        let key = KmsKey {
            arn: arn.clone(),
            created: time(created),
            tracking_start: time(tracking_start),
            last_usage: time(last_usage).map_or(KmsLastUsage::Nothing, KmsLastUsage::At),
            multi_region: MultiRegion::No,
        };
        self.account.kms_keys.insert(arn, key);
        self
    }

    /// Changes a KMS key.
    #[must_use]
    pub fn change_kms_key(mut self, arn: &str, change: impl FnOnce(&mut KmsKey)) -> Sketch {
        if let Some(key) = arn.parse::<Arn>().ok().and_then(|arn| self.account.kms_keys.get_mut(&arn)) {
            change(key);
        }
        self
    }

    /// Returns the account.
    pub fn build(self) -> Account {
        self.account
    }

    /// Returns the account, with another catalogue; the reports must have been made for it.
    #[must_use]
    pub fn catalog(mut self, catalog: Arc<Catalog>) -> Sketch {
        self.account.catalog = catalog;
        self
    }
}

/// Returns the ARN of `role/ci`, `policy/aws:P`, ...
pub fn arn(address: &str) -> Option<Arn> {
    match address.strip_prefix("policy/aws:") {
        Some(name) => format!("arn:aws:iam::aws:policy/{name}").parse().ok(),
        None => format!("arn:aws:iam::{ACCOUNT}:{address}").parse().ok(),
    }
}

/// Returns the time that a date or an RFC 3339 text stands for.
pub fn time(text: &str) -> Option<UnixTime> {
    text.parse().ok().or_else(|| text.parse().ok().map(UnixTime::from_date))
}

fn row(catalog: &Catalog, line: &str) -> Option<ServiceRow> {
    let (head, actions) = match line.split_once(": ").or_else(|| line.strip_suffix(':').map(|head| (head, ""))) {
        Some((head, actions)) => (head, Some(actions)),
        None => (line, None),
    };
    let (namespace, last) = head.split_once(' ')?;
    let mut row = ServiceRow::new(catalog, namespace, time(last));
    if let Some(actions) = actions {
        row.lists_actions = true;
        for action in actions.split(',').map(str::trim).filter(|action| !action.is_empty()) {
            let (name, last) = action.split_once('=').unwrap_or((action, "-"));
            row.push(catalog, name, time(last));
        }
    }
    Some(row)
}

//! Who is in the account, and what it is granted.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Seek, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_iam::operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput as Page;
use aws_sdk_iam::operation::get_account_summary::GetAccountSummaryOutput;
use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::types::{AttachedPermissionsBoundary, AttachedPolicy, SummaryKeyType};
use secateur_analyzer::account::Gap;
use secateur_analyzer::time::UnixTime;
use serde::Serialize;

use super::kms;
use super::pages::Pages;
use super::run::{Run, is_contradiction};
use super::target::{Kind, Target};
use super::wire::{GroupDetail, PolicyDetail, RoleDetail, Summary, UserDetail};
use super::{CollectError, Counts, Include, gap};
use crate::aws::{AwsError, Call, ErrorKind, Session};

const DETAILS: &str = "account-authorization-details.json";
const SUMMARY: &str = "account-summary.json";

/// The most entities of a page. A page stands in memory.
const PAGE: i32 = 200;

/// How often the details are read when what they say does not fit together.
const READINGS: u32 = 3;

/// What the rest of the collection needs to know of the account.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Whom reports are about.
    pub targets: Vec<Target>,
    pub users: Vec<Target>,
    /// The account's own policies.
    pub own_policies: Vec<Target>,
    /// The literal KMS keys that policies name.
    pub key_arns: BTreeSet<String>,
    pub counts: Counts,
    /// When the last page was read.
    pub read_at: Option<UnixTime>,
    /// Whether nobody is known to be missing.
    pub is_complete: bool,
    /// How many pages it took.
    pub pages: usize,
    /// How many roles are linked to services.
    service_linked: usize,
    /// What came twice, since pages show the account at different moments: what should have come instead may be missing.
    torn: BTreeSet<String>,
    groups: BTreeSet<String>,
    /// The groups that users say they are members of.
    memberships: BTreeSet<String>,
    /// The managed policies that somebody has, attached or as permissions boundary, and those that are listed.
    held: BTreeSet<String>,
    policies: BTreeSet<String>,
}

/// Asks for the summary: the first call to IAM.
///
/// # Errors
/// When AWS does not take the credentials, or cannot be reached. A summary that the caller may not read is none, and so is one
/// that AWS fails to make: the details follow, and without them there is no snapshot.
pub(super) async fn summary(session: &Session) -> Result<Result<GetAccountSummaryOutput, AwsError>, CollectError> {
    let call = Call::new("iam:GetAccountSummary");
    match session.call(&call, |aws| aws.iam.get_account_summary().send()).await {
        Ok(answer) if answer.summary_map().is_none_or(|map| map.is_empty()) => {
            Ok(Err(AwsError::answer(&call, "the summary is empty")))
        }
        Ok(answer) => Ok(Ok(answer)),
        Err(error) if matches!(error.kind(), ErrorKind::Denied(_) | ErrorKind::Throttled | ErrorKind::Refused(_)) => {
            Ok(Err(error))
        }
        Err(error) if error.is_of_server() => Ok(Err(error)),
        Err(error) => Err(error.into()),
    }
}

/// Asks IAM for one item of the details: whether it answers at all what every collection needs.
pub(super) async fn ask_one(session: &Session) -> Result<(), AwsError> {
    let call = Call::new("iam:GetAccountAuthorizationDetails");
    session.call(&call, |aws| aws.iam.get_account_authorization_details().max_items(1).send()).await.map(drop)
}

/// Collects summary and details.
///
/// # Errors
/// When the details cannot be read whole: without them there is no snapshot.
pub(super) async fn collect(
    run: &Arc<Run>,
    first: Result<GetAccountSummaryOutput, AwsError>,
) -> Result<Account, CollectError> {
    let mut summary = first;
    for reading in 1.. {
        let (mut account, lists) = whole(run).await?;
        let summary_map = summary.as_ref().ok().and_then(GetAccountSummaryOutput::summary_map);
        let (doubts, is_complete) = account.doubts(summary_map);
        if doubts.is_empty() || reading >= READINGS {
            account.is_complete = is_complete;
            doubts.into_iter().for_each(|gap| run.gap(gap));
            account.uncounted(summary_map, summary.as_ref().err()).into_iter().for_each(|gap| run.gap(gap));
            write(run, &summary, lists).await?;
            return Ok(account);
        }
        // Somebody was made or deleted meanwhile: the next reading shows them all, or none of them.
        tokio::time::sleep(Duration::from_secs(1)).await;
        summary = self::summary(&run.session).await?;
    }
    Err(CollectError::Unfinished)
}

/// What the account's summary counts.
type SummaryMap = HashMap<SummaryKeyType, i32>;

/// What is counted both by the summary and by the details.
const COUNTED: [(&str, SummaryKeyType); 3] =
    [("users", SummaryKeyType::Users), ("groups", SummaryKeyType::Groups), ("roles", SummaryKeyType::Roles)];

fn counted(summary: Option<&SummaryMap>, key: &SummaryKeyType) -> Option<usize> {
    usize::try_from(*summary?.get(key)?).ok()
}

/// The lists of the details, each in a file of its own until all pages are there.
pub(super) struct Lists {
    /// Where they will stand together.
    path: PathBuf,
    users: List,
    groups: List,
    roles: List,
    policies: List,
}

struct List {
    file: BufWriter<File>,
    is_empty: bool,
}

impl List {
    fn new(run: &Run) -> Result<List, CollectError> {
        Ok(List { file: BufWriter::new(run.stage(|stage| stage.scratch())?), is_empty: true })
    }

    fn push(&mut self, row: &impl Serialize) -> io::Result<()> {
        self.file.write_all(if self.is_empty { b"\n        " } else { b",\n        " })?;
        self.is_empty = false;
        Ok(serde_json::to_writer(&mut self.file, row)?)
    }

    fn pour(mut self, name: &str, into: &mut dyn Write) -> io::Result<()> {
        write!(into, "    \"{name}\": [")?;
        self.file.flush()?;
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.rewind()?;
        io::copy(&mut BufReader::new(file), into)?;
        into.write_all(if self.is_empty { b"]" } else { b"\n    ]" })
    }
}

/// Reads all pages, anew when one contradicts the others.
async fn whole(run: &Arc<Run>) -> Result<(Account, Lists), CollectError> {
    let mut readings = 1;
    loop {
        let mut lists = Lists::new(run)?;
        match read(&run.session, run.options.include, Some(&mut lists)).await {
            Err(CollectError::Aws(error)) if is_contradiction(&error) && readings < READINGS => readings += 1,
            result => return Ok((result?, lists)),
        }
    }
}

/// Reads all pages once, into lists if there are any.
pub(super) async fn read(
    session: &Session,
    include: Include,
    mut lists: Option<&mut Lists>,
) -> Result<Account, CollectError> {
    let call = Call::new("iam:GetAccountAuthorizationDetails");
    let (mut account, mut seen) = (Account::default(), BTreeSet::new());
    let (mut pages, mut marker) = (Pages::default(), None::<String>);
    loop {
        let page = session
            .call(&call, |aws| {
                aws.iam.get_account_authorization_details().max_items(PAGE).set_marker(marker.clone()).send()
            })
            .await?;
        let next = pages.next(&call, page.is_truncated(), page.marker())?;
        account.add(include, &call, &page, &mut seen)?;
        if let Some(lists) = lists.as_deref_mut() {
            let written = lists.add(&page);
            written.map_err(|source| CollectError::Io { doing: "write", path: lists.path.clone(), source })?;
        }
        account.pages += 1;
        match next {
            Some(next) => marker = Some(next),
            None => {
                account.read_at = Some(session.now());
                return Ok(account);
            }
        }
    }
}

impl Lists {
    fn new(run: &Run) -> Result<Lists, CollectError> {
        let path = run.stage(|stage| stage.folder().join(DETAILS));
        Ok(Lists {
            path,
            users: List::new(run)?,
            groups: List::new(run)?,
            roles: List::new(run)?,
            policies: List::new(run)?,
        })
    }

    fn add(&mut self, page: &Page) -> io::Result<()> {
        for user in page.user_detail_list() {
            self.users.push(&UserDetail::from(user))?;
        }
        for group in page.group_detail_list() {
            self.groups.push(&GroupDetail::from(group))?;
        }
        for role in page.role_detail_list() {
            self.roles.push(&RoleDetail::from(role))?;
        }
        for policy in page.policies() {
            self.policies.push(&PolicyDetail::from(policy))?;
        }
        Ok(())
    }

    fn pour(self, into: &mut dyn Write) -> io::Result<()> {
        into.write_all(b"{\n")?;
        let lists = [
            ("UserDetailList", self.users),
            ("GroupDetailList", self.groups),
            ("RoleDetailList", self.roles),
            ("Policies", self.policies),
        ];
        for (name, list) in lists {
            list.pour(name, into)?;
            into.write_all(b",\n")?;
        }
        into.write_all(b"    \"IsTruncated\": false\n}\n")
    }
}

/// What a row of the details is about.
struct Row<'a> {
    kind: Kind,
    arn: Option<&'a str>,
    name: Option<&'a str>,
    created: Option<&'a DateTime>,
}

impl Account {
    /// Returns whether that is the number of roles; nobody documents whether the summary counts those that are linked to services.
    fn has_roles(&self, count: usize) -> bool {
        count == self.counts.roles || count == self.counts.roles - self.service_linked
    }

    /// Returns what does not fit together, and whether nobody is known to be missing all the same.
    fn doubts(&self, summary: Option<&SummaryMap>) -> (Vec<Gap>, bool) {
        let mut gaps = Vec::new();
        // Somebody who is not listed may be a holder, and is then missed as one.
        let mut is_complete = true;
        for (name, key) in &COUNTED {
            let Some(count) = counted(summary, key) else { continue };
            let (fits, lacks, listed) = match key {
                SummaryKeyType::Users => (count == self.counts.users, count > self.counts.users, self.counts.users),
                SummaryKeyType::Groups => (count == self.counts.groups, count > self.counts.groups, self.counts.groups),
                _ => (self.has_roles(count), count > self.counts.roles - self.service_linked, self.counts.roles),
            };
            if !fits {
                is_complete &= !lacks;
                let detail = format!("the account has {count} {name} by its summary, and {listed} by its details");
                gaps.push(gap(DETAILS, "counts-differ", detail));
            }
        }
        for arn in &self.torn {
            let detail =
                "listed twice in each reading: the account changed meanwhile, and somebody else may be missing";
            gaps.push(gap(arn, "torn-pages", detail));
        }
        for group in self.memberships.difference(&self.groups) {
            gaps.push(gap(
                DETAILS,
                "torn-pages",
                format!("a user is a member of the group `{group}`, which is not listed"),
            ));
        }
        is_complete &= gaps.iter().all(|gap| gap.kind != "torn-pages");
        for arn in self.held.difference(&self.policies) {
            gaps.push(gap(arn, "not-listed", "somebody has it, and the authorization details do not list it"));
        }
        (gaps, is_complete)
    }

    /// Returns a gap when the details cannot be compared with a count.
    fn uncounted(&self, summary: Option<&SummaryMap>, error: Option<&AwsError>) -> Option<Gap> {
        let unknown: Vec<&str> =
            COUNTED.iter().filter(|(_, key)| counted(summary, key).is_none()).map(|(name, _)| *name).collect();
        let why = match error.map(AwsError::kind) {
            Some(ErrorKind::Denied(permission)) => format!(" (the permission {permission} is missing)"),
            _ => String::new(),
        };
        let detail = format!(
            "the account's summary{why} does not tell how many {} there are: nothing shows that the details list them all",
            unknown.join(", ")
        );
        (!unknown.is_empty()).then(|| gap(DETAILS, "not-counted", detail))
    }

    fn add(
        &mut self,
        include: Include,
        call: &Call<'_>,
        page: &Page,
        seen: &mut BTreeSet<String>,
    ) -> Result<(), AwsError> {
        for user in page.user_detail_list() {
            let row = Row { kind: Kind::User, arn: user.arn(), name: user.user_name(), created: user.create_date() };
            self.memberships.extend(user.group_list().iter().cloned());
            self.note_held(user.attached_managed_policies(), user.permissions_boundary());
            if let Some(target) = self.target(call, &row, seen)? {
                self.counts.users += 1;
                self.users.push(target.clone());
                self.targets.push(target);
            }
            self.note_keys(user.user_policy_list().iter().filter_map(|policy| policy.policy_document()));
        }
        for group in page.group_detail_list() {
            let row =
                Row { kind: Kind::Group, arn: group.arn(), name: group.group_name(), created: group.create_date() };
            self.note_held(group.attached_managed_policies(), None);
            if let Some(target) = self.target(call, &row, seen)? {
                self.counts.groups += 1;
                self.groups.insert(target.name.clone());
                self.targets.extend(include.groups.then_some(target));
            }
            self.note_keys(group.group_policy_list().iter().filter_map(|policy| policy.policy_document()));
        }
        for role in page.role_detail_list() {
            let row = Row { kind: Kind::Role, arn: role.arn(), name: role.role_name(), created: role.create_date() };
            self.note_held(role.attached_managed_policies(), role.permissions_boundary());
            if let Some(target) = self.target(call, &row, seen)? {
                let is_linked = role.path().is_some_and(|path| path.starts_with("/aws-service-role/"));
                self.counts.roles += 1;
                self.service_linked += usize::from(is_linked);
                self.targets.push(target);
            }
            self.note_keys(role.role_policy_list().iter().filter_map(|policy| policy.policy_document()));
        }
        for policy in page.policies() {
            self.policies.extend(policy.arn().map(str::to_owned));
            let is_of_aws = policy.arn().is_some_and(|arn| arn.split(':').nth(4) == Some("aws"));
            let kind = if is_of_aws { Kind::AwsPolicy } else { Kind::Policy };
            let row = Row { kind, arn: policy.arn(), name: policy.policy_name(), created: policy.create_date() };
            if let Some(target) = self.target(call, &row, seen)? {
                self.counts.policies += 1;
                self.targets.extend(include.policies.then(|| target.clone()));
                self.own_policies.extend((!is_of_aws).then_some(target));
            }
            let default = policy.policy_version_list().iter().filter(|version| version.is_default_version());
            self.note_keys(default.filter_map(|version| version.document()));
        }
        Ok(())
    }

    /// Returns whom a row is about, unless that came before.
    fn target(
        &mut self,
        call: &Call<'_>,
        row: &Row<'_>,
        seen: &mut BTreeSet<String>,
    ) -> Result<Option<Target>, AwsError> {
        let (Some(arn), Some(name)) = (row.arn, row.name) else {
            return Err(AwsError::answer(call, "a row says neither who nor what it is about"));
        };
        if !seen.insert(arn.to_owned()) {
            self.torn.insert(arn.to_owned());
            return Ok(None);
        }
        Ok(Some(Target {
            kind: row.kind,
            arn: arn.to_owned(),
            name: name.to_owned(),
            created: row.created.map(|time| UnixTime(time.secs())),
        }))
    }

    fn note_held(&mut self, attached: &[AttachedPolicy], boundary: Option<&AttachedPermissionsBoundary>) {
        let boundary = boundary.and_then(AttachedPermissionsBoundary::permissions_boundary_arn);
        let attached = attached.iter().filter_map(AttachedPolicy::policy_arn);
        self.held.extend(attached.chain(boundary).map(str::to_owned));
    }

    fn note_keys<'a>(&mut self, documents: impl Iterator<Item = &'a str>) {
        documents.for_each(|document| kms::find_keys(document, &mut self.key_arns));
    }
}

async fn write(
    run: &Arc<Run>,
    summary: &Result<GetAccountSummaryOutput, AwsError>,
    lists: Lists,
) -> Result<(), CollectError> {
    match summary {
        Ok(answer) => {
            let all = answer.summary_map().into_iter().flatten();
            let content = Summary { summary_map: all.map(|(key, count)| (key.as_str(), *count)).collect() };
            run.put(SUMMARY.to_owned(), &content).await?;
        }
        Err(error) => run.gap_of(SUMMARY, error),
    }
    run.stage(|stage| stage.put_with(DETAILS, |into| lists.pour(into)))
}

#[cfg(test)]
mod tests;

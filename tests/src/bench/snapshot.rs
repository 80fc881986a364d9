//! The account on disk, as `docs/formats.md` tells, and what was written.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::account::{ACCOUNT, Account, DAY, NOW, Principal, Size};
use super::details;
use super::random::Random;
use super::report::{self, Rows};
use super::text;

/// What makes an account other than the one on disk: raise it with every change of what is generated.
const GENERATION: u32 = 2;

/// An account's snapshot on disk.
#[derive(Debug)]
pub struct Snapshot {
    /// The folder.
    pub dir: PathBuf,
    /// What is in it, for people.
    pub mix: String,
    /// How many bytes there are in all.
    pub bytes: u64,
}

impl Snapshot {
    /// Returns the snapshot of an account of that size, which is made in a folder of its own below `below`, unless it is there.
    ///
    /// # Errors
    /// When files cannot be read or written.
    pub fn of(size: Size, below: &Path) -> io::Result<Snapshot> {
        let Size { roles, users, policies, shared, seed } = size;
        let own = below.join(format!("account-{GENERATION}-{roles}-{users}-{policies}-{shared}-{seed}"));
        let dir = own.join("snapshot");
        let told = own.join("mix.txt");
        // Written last: without it the snapshot is not whole.
        if let Ok(mix) = fs::read_to_string(&told) {
            let first = mix.lines().next().and_then(|line| line.split(' ').next());
            if let Some(bytes) = first.and_then(|bytes| bytes.parse().ok()) {
                return Ok(Snapshot { dir, mix, bytes });
            }
        }
        if own.exists() {
            fs::remove_dir_all(&own)?;
        }
        let account = Account::new(size);
        let mut writing = Writing { dir: dir.clone(), digests: BTreeMap::new(), by_kind: BTreeMap::new() };
        let rows = writing.write(&account)?;
        let bytes = writing.by_kind.values().map(|(_, bytes)| bytes).sum();
        let mix = mix(&account, &writing, rows, bytes);
        fs::write(told, &mix)?;
        Ok(Snapshot { dir, mix, bytes })
    }
}

struct Writing {
    dir: PathBuf,
    digests: BTreeMap<String, String>,
    /// Files and bytes.
    by_kind: BTreeMap<String, (u64, u64)>,
}

impl Writing {
    fn write(&mut self, account: &Account) -> io::Result<Vec<Rows>> {
        self.json("account-authorization-details.json", &details::details(account))?;
        self.json("account-summary.json", &summary(account))?;
        self.json("regions.json", &regions())?;
        self.json("grants.json", &grants(account))?;
        for policy in account.policies.iter().filter(|policy| !policy.is_aws) {
            let tags = json!({"Tags": [], "IsTruncated": false, "Arn": policy.arn()});
            self.json(&format!("policy-tags/{}.json", policy.name), &tags)?;
        }
        for user in account.principals.iter().filter(|principal| principal.is_user) {
            self.json(&format!("access-keys/{}.json", user.name), &access_keys(user))?;
        }
        let mut rows = Vec::new();
        for (number, principal) in account.principals.iter().enumerate() {
            let (bytes, own) = report::report(account, number, principal)?;
            rows.push(own);
            let folder = if principal.is_user { "user" } else { "role" };
            self.file(&format!("last-accessed/{folder}/{}.json", principal.name), &bytes)?;
        }
        let manifest = json!({
            "format_version": 1,
            "account_id": ACCOUNT,
            "partition": "aws",
            "caller_arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/collector/nightly"),
            "started_at": text::zulu(NOW - 7_200),
            "finished_at": text::zulu(NOW),
            "complete": true,
            "gaps": [],
            "files": self.digests,
        });
        self.json("manifest.json", &manifest)?;
        Ok(rows)
    }

    fn json(&mut self, name: &str, value: &Value) -> io::Result<()> {
        self.file(name, &text::printed(value)?)
    }

    fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.dir.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(path, bytes)?;
        let mut digest = String::new();
        for byte in Sha256::digest(bytes) {
            // Writing to a `String` cannot fail.
            let _ = write!(digest, "{byte:02x}");
        }
        self.digests.insert(name.to_owned(), digest);
        let kind = self.by_kind.entry(name.split('/').next().unwrap_or(name).to_owned()).or_default();
        kind.0 += 1;
        kind.1 += bytes.len() as u64;
        Ok(())
    }
}

fn summary(account: &Account) -> Value {
    json!({"SummaryMap": {
        "Users": account.size.users,
        "Roles": account.size.roles,
        "Policies": account.size.policies,
        "Groups": account.groups.len(),
        "PolicySizeQuota": 6_144,
        "UserPolicySizeQuota": 2_048,
        "RolePolicySizeQuota": 10_240,
        "GroupPolicySizeQuota": 5_120,
        "VersionsPerPolicyQuota": 5,
        "AttachedPoliciesPerRoleQuota": 20,
        "AttachedPoliciesPerUserQuota": 20,
        "AttachedPoliciesPerGroupQuota": 10,
    }})
}

fn regions() -> Value {
    let enabled = ["eu-west-1", "eu-central-1", "us-east-1"];
    let one = |name: &str| json!({"RegionName": name, "RegionOptStatus": "ENABLED_BY_DEFAULT"});
    json!({"Regions": enabled.iter().map(|name| one(name)).collect::<Vec<_>>()})
}

fn grants(account: &Account) -> Value {
    let mut events: Vec<(i64, Value)> = Vec::new();
    for (number, principal) in account.principals.iter().enumerate() {
        let random = &mut Random::part(account.size.seed, "grant", number);
        if !random.per_mille(150) {
            continue;
        }
        let time = random.time(NOW - 90 * DAY, NOW - DAY);
        let (kind, key) = if principal.is_user { ("User", "user_name") } else { ("Role", "role_name") };
        let policy = principal.attached.first().and_then(|at| account.policies.get(*at));
        let mut event = Map::new();
        let mut set = |key: &str, value: String| event.insert(key.to_owned(), Value::from(value));
        set("event_time", text::zulu(time));
        set("event_id", format!("{:08x}-0000-4000-8000-{number:012x}", random.below(u32::MAX as usize)));
        set(key, principal.name.clone());
        match policy {
            Some(policy) => {
                set("event_name", format!("Attach{kind}Policy"));
                set("policy_arn", policy.arn());
            }
            None => {
                set("event_name", format!("Tag{kind}"));
            }
        }
        events.push((time, Value::Object(event)));
    }
    events.sort_by_key(|(time, _)| *time);
    let events: Vec<Value> = events.into_iter().map(|(_, event)| event).collect();
    json!({"format_version": 1, "from": text::zulu(NOW - 90 * DAY), "to": text::zulu(NOW), "events": events})
}

fn access_keys(user: &Principal) -> Value {
    let suffix = user.id.get(4..20).unwrap_or_default();
    let key = json!({
        "UserName": user.name,
        "AccessKeyId": format!("AKIA{suffix}"),
        "Status": "Active",
        "CreateDate": text::time(user.created),
        "AccessKeyLastUsed": {"ServiceName": "N/A", "Region": "N/A"},
    });
    json!({"AccessKeyMetadata": [key], "IsTruncated": false, "Arn": user.arn()})
}

/// Tells what is in an account; the first word is how many bytes there are.
fn mix(account: &Account, writing: &Writing, mut rows: Vec<Rows>, bytes: u64) -> String {
    let mut mix = format!("{bytes} bytes, seed {}\n", account.size.seed);
    // Writing to a `String` cannot fail.
    let mut line = |text: String| {
        let _ = writeln!(mix, "  {text}");
    };
    for (kind, (files, bytes)) in &writing.by_kind {
        line(format!("{kind:<36} {files:>6} files {:>9.2} MB", *bytes as f64 / 1e6));
    }
    let holders: Vec<usize> = (0..account.policies.len()).map(|policy| account.holders(policy)).collect();
    let wide = holders.iter().filter(|holders| **holders >= 50).count();
    line(format!(
        "{} roles, {} users, {} groups, {} managed policies ({} of AWS), {wide} of them with 50 holders or more, at most {}",
        account.size.roles,
        account.size.users,
        account.groups.len(),
        account.policies.len(),
        account.policies.iter().filter(|policy| policy.is_aws).count(),
        holders.iter().max().unwrap_or(&0),
    ));
    let inline = account.principals.iter().map(|principal| principal.inline.len()).sum::<usize>();
    line(format!("{inline} inline policies of principals; {} principals use nothing", {
        account.principals.iter().filter(|principal| principal.is_dormant).count()
    }));
    let patterns = |part: fn(&super::documents::Patterns) -> usize| -> usize {
        account.all_documents().map(|document| part(&document.patterns)).sum()
    };
    line(format!(
        "patterns: {} names, {} `svc:Verb*`, {} `svc:*`, {} `*`, {} in NotAction, {} Deny statements",
        patterns(|own| own.names),
        patterns(|own| own.prefixes),
        patterns(|own| own.services),
        patterns(|own| own.everything),
        patterns(|own| own.not_actions),
        patterns(|own| own.denies),
    ));
    let mut spread = |what: &str, part: fn(&Rows) -> usize| {
        rows.sort_by_key(part);
        let at = |percent: usize| rows.get(rows.len().saturating_sub(1) * percent / 100).map_or(0, part);
        let sum: usize = rows.iter().map(part).sum();
        line(format!(
            "{what} a report: {} / {} / {} / {} (5 / 50 / 95 / 100 %), {sum} in all",
            at(5),
            at(50),
            at(95),
            at(100)
        ));
    };
    spread("services", |own| own.services);
    spread("used services", |own| own.services_used);
    spread("tracked actions", |own| own.actions);
    spread("used tracked actions", |own| own.actions_used);
    mix
}

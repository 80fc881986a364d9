//! Writes an account as a snapshot, in the shapes of the AWS CLI.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::keys;
use super::scene::{ACCOUNT, Bearer, Document, EventKind, Inline, Managed, Principal, Report, Scene, State};
use crate::judge::time;

/// Writes the files of a snapshot, with a manifest if it has one.
///
/// # Errors
/// When a file cannot be written.
pub fn write(scene: &Scene, folder: &Path) -> Result<(), String> {
    let mut files: Vec<(String, Value)> = vec![("account-authorization-details.json".to_owned(), details(scene))];
    for (at, principal) in scene.principals.iter().enumerate() {
        if let Some(report) = &principal.report {
            files.push((format!("last-accessed/{at}.json"), last_accessed(scene, at, report)));
        }
    }
    // Of all or of none: those that lack theirs beside others would be left alone.
    let are_tagged = scene.managed.iter().any(|managed| managed.is_owned);
    for (at, managed) in scene.managed.iter().enumerate().filter(|(_, managed)| are_tagged && !managed.is_aws) {
        let tags = json!({"Arn": managed_arn(managed), "Tags": tags(managed.is_owned), "IsTruncated": false});
        files.push((format!("policy-tags/{at}.json"), tags));
    }
    if let Some(regions) = &scene.regions {
        let regions: Vec<Value> =
            regions.iter().map(|name| json!({"RegionName": name, "RegionOptStatus": "ENABLED"})).collect();
        files.push(("regions.json".to_owned(), json!({"Regions": regions})));
    }
    files.push(("account-summary.json".to_owned(), summary(scene)));
    if scene.history.is_some() {
        files.push(("grants.json".to_owned(), grants(scene)));
    }
    files.extend(keys::files(scene, arn));
    let mut digests = serde_json::Map::new();
    for (name, value) in &files {
        let text = value.to_string();
        let digest: String = Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        digests.insert(name.clone(), Value::from(digest));
        put(folder, name, &text)?;
    }
    if scene.has_manifest {
        let mut manifest = json!({
            "format_version": 1, "account_id": ACCOUNT, "partition": "aws", "started_at": time::format(scene.started()),
            "finished_at": time::format(scene.now), "complete": true, "gaps": [], "files": digests,
        });
        if let (Some(at), Some(members)) = (scene.caller, manifest.as_object_mut()) {
            members.insert("caller_arn".to_owned(), Value::from(caller_arn(scene, at)));
        }
        put(folder, "manifest.json", &manifest.to_string())?;
    }
    Ok(())
}

fn put(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = folder.join(name);
    let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
    path.parent().map_or(Ok(()), fs::create_dir_all).map_err(wrong)?;
    fs::write(&path, text).map_err(wrong)
}

fn details(scene: &Scene) -> Value {
    let numbered = || scene.principals.iter().enumerate();
    let users = numbered().filter(|(_, own)| !own.is_role).map(|(at, own)| user(scene, at, own));
    let roles = numbered().filter(|(_, own)| own.is_role).map(|(at, own)| role(scene, at, own));
    let groups = scene.groups.iter().enumerate().map(|(at, own)| {
        json!({
            "Path": "/", "GroupName": own.name, "GroupId": format!("AGPA{at}"), "Arn": format!("arn:aws:iam::{ACCOUNT}:group/{}", own.name),
            "CreateDate": "2020-01-01T00:00:00Z", "GroupPolicyList": inline(&own.inline),
            "AttachedManagedPolicies": attached(scene, Bearer::Group(at)),
        })
    });
    json!({
        "UserDetailList": users.collect::<Vec<_>>(),
        "GroupDetailList": groups.collect::<Vec<_>>(),
        "RoleDetailList": roles.collect::<Vec<_>>(),
        "Policies": (0..scene.managed.len()).filter_map(|at| policy(scene, at)).collect::<Vec<_>>(),
        "IsTruncated": false,
    })
}

fn user(scene: &Scene, at: usize, own: &Principal) -> Value {
    let groups = own.groups.iter().filter_map(|at| scene.groups.get(*at)).map(|group| group.name.as_str());
    let mut user = json!({
        "Path": own.path, "UserName": own.name, "UserId": format!("AIDA{at}"), "Arn": arn(own),
        "CreateDate": time::format(own.created), "GroupList": groups.collect::<Vec<_>>(),
        "UserPolicyList": inline(&own.inline), "AttachedManagedPolicies": attached(scene, Bearer::Principal(at)),
        "Tags": tags(own.is_owned),
    });
    add_boundary(scene, own, &mut user);
    user
}

fn role(scene: &Scene, at: usize, own: &Principal) -> Value {
    let principal = if own.trusts.is_empty() {
        json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root")})
    } else {
        json!({"Service": own.trusts})
    };
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]});
    let last_used =
        own.last_used.map_or(json!({}), |last| json!({"LastUsedDate": time::format(last), "Region": "eu-west-1"}));
    let mut role = json!({
        "Path": own.path, "RoleName": own.name, "RoleId": format!("AROA{at}"), "Arn": arn(own),
        "CreateDate": time::format(own.created), "AssumeRolePolicyDocument": encoded(&trust.to_string()),
        "InstanceProfileList": [], "RolePolicyList": inline(&own.inline),
        "AttachedManagedPolicies": attached(scene, Bearer::Principal(at)), "Tags": tags(own.is_owned),
        "RoleLastUsed": last_used,
    });
    add_boundary(scene, own, &mut role);
    role
}

fn add_boundary(scene: &Scene, own: &Principal, detail: &mut Value) {
    let managed = own.boundary.and_then(|at| scene.managed.get(at));
    if let (Some(managed), Some(members)) = (managed, detail.as_object_mut()) {
        let arn = managed_arn(managed);
        let boundary = json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn});
        members.insert("PermissionsBoundary".to_owned(), boundary);
    }
}

/// A managed policy; AWS's only where they are attached or a boundary.
fn policy(scene: &Scene, at: usize) -> Option<Value> {
    let own = scene.managed.get(at)?;
    let bearers =
        scene.bearers().into_iter().filter(|bearer| scene.attached_to(*bearer).any(|other| other == at)).count();
    let boundaries = scene.principals.iter().filter(|principal| principal.boundary == Some(at)).count();
    if own.is_aws && bearers + boundaries == 0 {
        return None;
    }
    let version = |id: &str, document: &Document, created: i64, is_default: bool| {
        json!({
            "Document": encoded(&document.text), "VersionId": id, "IsDefaultVersion": is_default,
            "CreateDate": time::format(created),
        })
    };
    let (versions, default, first) = match &own.previous {
        Some((before, created)) => {
            let versions =
                json!([version("v2", &own.document, own.created, true), version("v1", before, *created, false)]);
            (versions, "v2", *created)
        }
        None => (json!([version("v1", &own.document, own.created, true)]), "v1", own.created),
    };
    Some(json!({
        "PolicyName": own.name, "PolicyId": format!("ANPA{at}"), "Arn": managed_arn(own), "Path": "/",
        "DefaultVersionId": default, "AttachmentCount": bearers, "PermissionsBoundaryUsageCount": boundaries,
        "IsAttachable": true, "CreateDate": time::format(first), "UpdateDate": time::format(own.created),
        "PolicyVersionList": versions,
    }))
}

fn last_accessed(scene: &Scene, at: usize, report: &Report) -> Value {
    let arn = scene.principals.get(at).map(arn).unwrap_or_default();
    let state = match report.state {
        State::Failed => "FAILED",
        State::Unfinished => "IN_PROGRESS",
        State::Whole | State::ServicesOnly | State::Truncated => "COMPLETED",
    };
    let mut value = json!({"Arn": arn, "JobStatus": state, "JobCreationDate": time::format(report.generated - 9)});
    let Some(members) = value.as_object_mut() else { return value };
    if report.state == State::Failed {
        members.insert("Error".to_owned(), json!({"Code": "INTERNAL", "Message": "drawn"}));
    }
    if matches!(report.state, State::Failed | State::Unfinished) {
        return value;
    }
    let with_actions = report.state != State::ServicesOnly;
    let rows: Vec<Value> = report.rows.iter().map(|(service, row)| {
        let mut value = json!({"ServiceName": service, "ServiceNamespace": service, "TotalAuthenticatedEntities": u8::from(row.last.is_some())});
        let Some(members) = value.as_object_mut() else { return value };
        if let Some(last) = row.last {
            members.insert("LastAuthenticated".to_owned(), Value::from(time::format(last)));
            members.insert("LastAuthenticatedRegion".to_owned(), Value::from("eu-west-1"));
        }
        if with_actions && !row.actions.is_empty() {
            let action = |(name, time): (&String, &Option<i64>)| match time {
                Some(last) => json!({"ActionName": name, "LastAccessedTime": time::format(*last), "LastAccessedRegion": "eu-west-1"}),
                None => json!({"ActionName": name}),
            };
            members.insert("TrackedActionsLastAccessed".to_owned(), row.actions.iter().map(action).collect());
        }
        value
    }).collect();
    members.insert("JobType".to_owned(), Value::from(if with_actions { "ACTION_LEVEL" } else { "SERVICE_LEVEL" }));
    members.insert("ServicesLastAccessed".to_owned(), Value::from(rows));
    members.insert("JobCompletionDate".to_owned(), Value::from(time::format(report.generated)));
    members.insert("IsTruncated".to_owned(), Value::from(report.state == State::Truncated));
    value
}

fn grants(scene: &Scene) -> Value {
    let Some(history) = &scene.history else { return Value::Null };
    let event = |event: &super::scene::Event| {
        let principal = scene.principals.get(event.principal)?;
        let kind = if principal.is_role { "Role" } else { "User" };
        let mut value = json!({"event_time": time::format(event.time), "event_name": format!("Tag{kind}")});
        let members = value.as_object_mut()?;
        members.insert(format!("{}_name", kind.to_ascii_lowercase()), Value::from(principal.name.clone()));
        match event.kind {
            EventKind::Attach(at) => {
                members.insert("event_name".to_owned(), Value::from(format!("Attach{kind}Policy")));
                members.insert("policy_arn".to_owned(), Value::from(managed_arn(scene.managed.get(at)?)));
            }
            EventKind::Put(at) => {
                members.insert("event_name".to_owned(), Value::from(format!("Put{kind}Policy")));
                members.insert("policy_name".to_owned(), Value::from(principal.inline.get(at)?.name.clone()));
            }
            EventKind::Tag => {}
        }
        Some(value)
    };
    let events: Vec<Value> = history.events.iter().filter_map(event).collect();
    json!({"format_version": 1, "from": time::format(history.from), "to": time::format(scene.now), "events": events})
}

/// The quotas, those of other things than sizes as AWS documents them.
fn summary(scene: &Scene) -> Value {
    let sizes = scene.quotas();
    json!({"SummaryMap": {
        "PolicySizeQuota": sizes.managed, "RolePolicySizeQuota": sizes.role, "UserPolicySizeQuota": sizes.user, "GroupPolicySizeQuota": sizes.group,
        "VersionsPerPolicyQuota": 5, "AttachedPoliciesPerRoleQuota": 10, "AttachedPoliciesPerUserQuota": 10,
        "AttachedPoliciesPerGroupQuota": 10, "PoliciesQuota": 1_500,
    }})
}

fn arn(own: &Principal) -> String {
    let kind = if own.is_role { "role" } else { "user" };
    format!("arn:aws:iam::{ACCOUNT}:{kind}{}{}", own.path, own.name)
}

fn caller_arn(scene: &Scene, at: usize) -> String {
    match scene.principals.get(at) {
        Some(own) if own.is_role => format!("arn:aws:sts::{ACCOUNT}:assumed-role/{}/soak", own.name),
        Some(own) => arn(own),
        None => String::new(),
    }
}

fn managed_arn(own: &Managed) -> String {
    let account = if own.is_aws { "aws" } else { ACCOUNT };
    format!("arn:aws:iam::{account}:policy/{}", own.name)
}

fn tags(is_owned: bool) -> Value {
    if is_owned { owner_tags() } else { json!([{"Key": "team", "Value": "x"}]) }
}

fn owner_tags() -> Value {
    json!([{"Key": "ManagedBy", "Value": "terraform"}])
}

fn inline(policies: &[Inline]) -> Value {
    let one = |own: &Inline| json!({"PolicyName": own.name, "PolicyDocument": encoded(&own.document.text)});
    policies.iter().map(one).collect()
}

fn attached(scene: &Scene, bearer: Bearer) -> Value {
    let managed = scene.attached_to(bearer).filter_map(|at| scene.managed.get(at));
    managed.map(|own| json!({"PolicyName": own.name, "PolicyArn": managed_arn(own)})).collect()
}

/// A text percent-encoded as IAM does, see <https://datatracker.ietf.org/doc/html/rfc3986#section-2>.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

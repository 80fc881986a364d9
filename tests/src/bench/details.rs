//! The authorization details, as `aws iam get-account-authorization-details` prints them, with documents as IAM's API
//! returns them: percent-encoded.

use serde_json::{Value, json};

use super::account::{Account, DAY, Group, Managed, NOW, Principal};
use super::documents::Document;
use super::random::Random;
use super::text;

/// Returns the details.
pub(super) fn details(account: &Account) -> Value {
    let numbered = || account.principals.iter().enumerate();
    let users: Vec<Value> =
        numbered().filter(|(_, one)| one.is_user).map(|(_, user)| self::user(account, user)).collect();
    let roles: Vec<Value> =
        numbered().filter(|(_, one)| !one.is_user).map(|(number, role)| self::role(account, number, role)).collect();
    let groups: Vec<Value> = account.groups.iter().map(|group| self::group(account, group)).collect();
    let policies: Vec<Value> =
        account.policies.iter().enumerate().map(|(number, policy)| self::policy(account, number, policy)).collect();
    json!({
        "UserDetailList": users,
        "GroupDetailList": groups,
        "RoleDetailList": roles,
        "Policies": policies,
        "IsTruncated": false,
    })
}

fn user(account: &Account, user: &Principal) -> Value {
    let groups: Vec<&str> =
        user.groups.iter().filter_map(|group| account.groups.get(*group)).map(|group| group.name.as_str()).collect();
    json!({
        "Path": "/",
        "UserName": user.name,
        "UserId": user.id,
        "Arn": user.arn(),
        "CreateDate": text::time(user.created),
        "UserPolicyList": inline(&user.inline),
        "GroupList": groups,
        "AttachedManagedPolicies": attached(account, user.attached.iter()),
        "Tags": [],
    })
}

fn role(account: &Account, number: usize, role: &Principal) -> Value {
    let last = account.usage(number, role).into_values().flatten().max();
    let last_used = last.map_or(json!({}), |last| json!({"LastUsedDate": text::time(last), "Region": "eu-west-1"}));
    json!({
        "Path": "/",
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn(),
        "CreateDate": text::time(role.created),
        "AssumeRolePolicyDocument": text::percent_encoded(&trust(number)),
        "InstanceProfileList": [],
        "RolePolicyList": inline(&role.inline),
        "AttachedManagedPolicies": attached(account, role.attached.iter()),
        "Tags": [{"Key": "team", "Value": format!("team-{:03}", number % 250)}],
        "RoleLastUsed": last_used,
    })
}

fn trust(number: usize) -> String {
    let principal = match number % 5 {
        0 => json!({"Service": "lambda.amazonaws.com"}),
        1 => json!({"Service": "ec2.amazonaws.com"}),
        2 => json!({"Service": ["ecs-tasks.amazonaws.com"]}),
        _ => json!({"AWS": format!("arn:aws:iam::{}:root", super::account::ACCOUNT)}),
    };
    let statement = json!([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]);
    json!({"Version": "2012-10-17", "Statement": statement}).to_string()
}

fn group(account: &Account, group: &Group) -> Value {
    json!({
        "Path": "/",
        "GroupName": group.name,
        "GroupId": group.id,
        "Arn": format!("arn:aws:iam::{}:group/{}", super::account::ACCOUNT, group.name),
        "CreateDate": text::time(NOW - 1_900 * DAY),
        "GroupPolicyList": inline(&group.inline),
        "AttachedManagedPolicies": attached(account, group.attached.iter()),
    })
}

fn policy(account: &Account, number: usize, policy: &Managed) -> Value {
    let random = &mut Random::part(account.size.seed, "versions", number);
    let version = |id: &str, is_default: bool, text: &str, created: i64| {
        json!({
            "Document": text::percent_encoded(text),
            "VersionId": id,
            "IsDefaultVersion": is_default,
            "CreateDate": text::time(created),
        })
    };
    let text = policy.document.text.as_str();
    let has_older = !policy.is_aws && random.per_mille(200);
    let mut versions = vec![version(if has_older { "v2" } else { "v1" }, true, text, policy.created)];
    if has_older {
        let older = text.replacen("2012-10-17", "2008-10-17", 1);
        versions.push(version("v1", false, &older, policy.created - 30 * DAY));
    }
    json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn(),
        "Path": "/",
        "DefaultVersionId": if has_older { "v2" } else { "v1" },
        "AttachmentCount": account.attachments(number),
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": true,
        "CreateDate": text::time(policy.created - 30 * DAY),
        "UpdateDate": text::time(policy.created),
        "PolicyVersionList": versions,
    })
}

fn inline(policies: &[(String, Document)]) -> Vec<Value> {
    let one = |(name, document): &(String, Document)| json!({"PolicyName": name, "PolicyDocument": text::percent_encoded(&document.text)});
    policies.iter().map(one).collect()
}

fn attached<'a>(account: &Account, places: impl Iterator<Item = &'a usize>) -> Vec<Value> {
    let one = |policy: &Managed| json!({"PolicyName": policy.name, "PolicyArn": policy.arn()});
    places.filter_map(|at| account.policies.get(*at)).map(one).collect()
}

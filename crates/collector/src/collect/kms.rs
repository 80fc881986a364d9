//! KMS keys that policies name, each in every Region where it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use secateur_analyzer::arn::Arn;
use serde_json::Value;

use super::run::{Answer, Run};
use super::wire::KeyUsage;
use super::{CollectError, gap, names};
use crate::aws::kms::{KeyMetadata, LastUsage, Relative};
use crate::aws::{AwsError, Call, ErrorKind, Identity};

/// Adds the KMS keys that a document names by a literal ARN.
pub(super) fn find_keys(document: &str, found: &mut BTreeSet<String>) {
    let decoded = percent_decode_str(document).decode_utf8_lossy();
    let Ok(document) = serde_json::from_str::<Value>(&decoded) else { return };
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    for statement in statements {
        let resources = match statement.get("Resource") {
            Some(Value::Array(resources)) => resources.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let literal = resources.iter().filter_map(Value::as_str).filter(|text| is_key(text));
        found.extend(literal.map(str::to_owned));
    }
}

/// Returns whether a text is the ARN of one key: no alias, no wildcard, no variable.
fn is_key(text: &str) -> bool {
    let Ok(arn) = text.parse::<Arn>() else { return false };
    let is_plain =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    arn.service() == "kms"
        && is_plain(arn.partition())
        && is_plain(arn.region())
        && is_plain(arn.account())
        && arn.resource().strip_prefix("key/").is_some_and(is_plain)
}

/// Returns the keys of the caller's account: of another one's, the use is not told.
pub(super) fn own_keys(named: BTreeSet<String>, identity: &Identity) -> Vec<String> {
    named.into_iter().filter(|arn| arn.parse::<Arn>().is_ok_and(|arn| is_own(&arn, identity))).collect()
}

fn is_own(arn: &Arn, identity: &Identity) -> bool {
    arn.account() == identity.account && arn.partition() == identity.partition()
}

/// Collects the last use of keys.
pub(super) async fn collect(run: Arc<Run>, named: BTreeSet<String>) -> Result<(), CollectError> {
    let keys = own_keys(named, run.session.identity());
    // Families of a multi-Region key meet: whoever comes first reads a key.
    let seen = Arc::new(std::sync::Mutex::new(BTreeSet::new()));
    run.each(keys, move |run, arn| family(run, arn, Arc::clone(&seen))).await
}

type Seen = Arc<std::sync::Mutex<BTreeSet<String>>>;

async fn family(run: Arc<Run>, arn: String, seen: Seen) -> Result<(), CollectError> {
    let mut waiting = vec![(arn, NamedBy::Policy)];
    while let Some((arn, named_by)) = waiting.pop() {
        let is_new = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(arn.clone());
        if is_new {
            let relatives = one(&run, &arn, named_by).await?;
            waiting.extend(relatives.into_iter().map(|relative| (relative, NamedBy::Kms)));
        }
    }
    Ok(())
}

/// Who says that there is a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NamedBy {
    /// A policy, which may be older than the end of the key.
    Policy,
    /// KMS itself, a moment ago.
    Kms,
}

/// Returns the file of a key.
pub(super) fn file(arn: &Arn) -> String {
    names::file(&format!("kms/{}", arn.region()), arn.name())
}

/// Collects one key, and returns those that belong to it.
async fn one(run: &Arc<Run>, arn: &str, named_by: NamedBy) -> Result<Vec<String>, CollectError> {
    let Ok(parsed) = arn.parse::<Arn>() else { return Ok(Vec::new()) };
    let name = file(&parsed);
    if run.keeps(&name, arn, None)? {
        return Ok(run.existing(&name).map(|existing| relatives_on_file(&existing.content)).unwrap_or_default());
    }
    if run.is_off(parsed.region()) {
        run.gap(gap(
            arn,
            "region-off",
            format!("not asked: the Region {} is not enabled for the account", parsed.region()),
        ));
        return Ok(Vec::new());
    }
    let metadata = match describe(run, arn, parsed.region()).await? {
        Ok(metadata) => metadata,
        // A key that is gone is no gap: there is nothing to read of it, now or later.
        Err(error) if *error.kind() == ErrorKind::NotFound && named_by == NamedBy::Policy => {
            run.gone(arn);
            return Ok(Vec::new());
        }
        Err(error) => {
            run.gap_of(arn, &error);
            return Ok(Vec::new());
        }
    };
    let call = Call::new("kms:GetKeyLastUsage").on(arn).at(parsed.region());
    let region = parsed.region();
    let answer = run.call(&call, async |aws| aws.get_key_last_usage(region, arn).await).await?;
    match answer.map(|answer| answer.value) {
        Ok(usage) => match usage.key_id.as_deref() {
            None => run.gap_of(arn, &AwsError::answer(&call, "the answer has no `KeyId`")),
            Some(id) if id != arn && id != parsed.name() => {
                run.gap_of(arn, &AwsError::answer(&call, "the answer is about another key"));
            }
            Some(_) if usage.key_last_usage.as_ref().is_some_and(LastUsage::is_torn) => {
                run.gap_of(arn, &AwsError::answer(&call, "`KeyLastUsage` tells of a use and not when it was"));
            }
            Some(_) => run.put(name, &KeyUsage::new(arn, &metadata, &usage)).await?,
        },
        // There is the key: `DescribeKey` has just told of it.
        Err(error) => run.gap_of(arn, &error),
    }
    Ok(relatives(&metadata).filter_map(|key| key.arn.clone()).collect())
}

async fn describe(run: &Run, arn: &str, region: &str) -> Answer<KeyMetadata> {
    let call = Call::new("kms:DescribeKey").on(arn).at(region);
    let answer = run.call(&call, async |aws| aws.describe_key(region, arn).await).await?;
    Ok(answer.and_then(|answer| {
        let metadata = answer.value.key_metadata.ok_or("the answer has no `KeyMetadata`".to_owned());
        let metadata = metadata.and_then(|metadata| match flaw(&metadata, arn, run.session.identity()) {
            Some(flaw) => Err(flaw),
            None => Ok(metadata),
        });
        metadata.map_err(|flaw| AwsError::answer(&call, flaw))
    }))
}

/// Returns the primary key and the replicas that KMS names.
fn relatives(metadata: &KeyMetadata) -> impl Iterator<Item = &Relative> {
    let configuration = metadata.multi_region_configuration.iter();
    configuration.flat_map(|it| it.primary_key.iter().chain(it.replica_keys.iter().flatten()))
}

/// Returns what is wrong with what KMS says of a key. The keys of a family differ in nothing but the Region.
///
/// See <https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>.
fn flaw(metadata: &KeyMetadata, arn: &str, identity: &Identity) -> Option<String> {
    if metadata.arn.as_deref() != Some(arn) {
        return Some("the answer is about another key".to_owned());
    }
    let key = arn.parse::<Arn>().ok()?;
    relatives(metadata).find_map(|relative| {
        let Some(text) = &relative.arn else { return Some("a replica has no `Arn`".to_owned()) };
        let is_relative = |arn: &Arn| is_key(text) && is_own(arn, identity) && arn.resource() == key.resource();
        let is_good = text.parse::<Arn>().is_ok_and(|arn| is_relative(&arn));
        (!is_good).then(|| format!("it names {text} as a replica, which is not this key in another Region"))
    })
}

fn relatives_on_file(content: &[u8]) -> Vec<String> {
    let Ok(file) = serde_json::from_slice::<Value>(content) else { return Vec::new() };
    let configuration = file.get("MultiRegionConfiguration");
    let primary = configuration.and_then(|configuration| configuration.get("PrimaryKey"));
    let replicas = configuration.and_then(|configuration| configuration.get("ReplicaKeys")?.as_array());
    let arn = |key: &Value| key.get("Arn")?.as_str().filter(|arn| is_key(arn)).map(str::to_owned);
    primary.into_iter().chain(replicas.into_iter().flatten()).filter_map(arn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_keys_are_found_and_nothing_else() {
        let mut found = BTreeSet::new();
        let document = r#"{"Statement": {"Resource": ["arn:aws:kms:eu-west-1:111122223333:key/1a-b", "*",
            "arn:aws:kms:eu-west-1:111122223333:alias/x", "arn:aws:kms:*:111122223333:key/1", "arn:aws:s3:::b",
            "arn:aws:kms:eu-west-1:111122223333:key/*", "arn:aws:kms:eu-west-1:111122223333:key/${a}"]}}"#;
        find_keys(document, &mut found);
        let encoded =
            r#"%7B%22Statement%22:[%7B%22Resource%22:%22arn:aws:kms:eu-west-1:111122223333:key%2Fmrk-2%22%7D]%7D"#;
        find_keys(encoded, &mut found);
        find_keys("{", &mut found);
        let found: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(
            found,
            ["arn:aws:kms:eu-west-1:111122223333:key/1a-b", "arn:aws:kms:eu-west-1:111122223333:key/mrk-2"]
        );
    }

    #[test]
    fn only_the_same_key_elsewhere_is_a_replica() {
        const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1";
        let caller = "arn:aws:sts::111122223333:assumed-role/audit/nightly".parse().unwrap();
        let identity = Identity { account: "111122223333".to_owned(), arn: caller, user_id: String::new() };
        let told = |replicas: Value| {
            let metadata = serde_json::json!({"Arn": KEY, "MultiRegion": true,
                "MultiRegionConfiguration": {"PrimaryKey": {"Arn": KEY}, "ReplicaKeys": replicas}});
            flaw(&serde_json::from_value(metadata).unwrap(), KEY, &identity)
        };
        let named = |arn: &str| told(serde_json::json!([{"Arn": arn, "Region": "x"}]));
        assert_eq!(named("arn:aws:kms:us-east-1:111122223333:key/mrk-1"), None);
        assert_eq!(told(Value::Null), None);
        assert_eq!(told(serde_json::json!([{"Region": "x"}])).as_deref(), Some("a replica has no `Arn`"));
        for other in [
            "arn:aws:kms:us-east-1:999999999999:key/mrk-1",
            "arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1",
            "arn:aws:kms:us-east-1:111122223333:key/mrk-2",
            "arn:aws:kms:*:111122223333:key/mrk-1",
            "arn:aws:iam::111122223333:role/ci",
            "x",
        ] {
            let expected = format!("it names {other} as a replica, which is not this key in another Region");
            assert_eq!(named(other), Some(expected));
        }
    }
}

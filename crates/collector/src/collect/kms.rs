//! KMS keys that policies name, each in every Region where it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use secateur_analyzer::arn::Arn;
use serde_json::Value;

use super::run::{Answer, Run};
use super::wire::KeyUsage;
use super::{CollectError, gap, names};
use crate::aws::kms::KeyMetadata;
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
    let is_own = |arn: &String| {
        arn.parse::<Arn>().is_ok_and(|arn| arn.account() == identity.account && arn.partition() == identity.partition())
    };
    named.into_iter().filter(is_own).collect()
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
    let mut waiting = vec![arn];
    while let Some(arn) = waiting.pop() {
        let is_new = seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(arn.clone());
        if is_new {
            waiting.extend(one(&run, &arn).await?);
        }
    }
    Ok(())
}

/// Returns the file of a key.
pub(super) fn file(arn: &Arn) -> String {
    names::file(&format!("kms/{}", arn.region()), arn.name())
}

/// Collects one key, and returns those that belong to it.
async fn one(run: &Arc<Run>, arn: &str) -> Result<Vec<String>, CollectError> {
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
        Err(error) => {
            lacks(run, arn, &error);
            return Ok(Vec::new());
        }
    };
    let call = Call::new("kms:GetKeyLastUsage").on(arn).at(parsed.region());
    let region = parsed.region();
    let answer = run.call(&call, async |aws| aws.get_key_last_usage(region, arn).await).await?;
    match answer.map(|answer| answer.value) {
        Ok(usage) if usage.key_id.as_ref().is_none_or(|id| id != arn && id != parsed.name()) => {
            run.gap_of(arn, &AwsError::answer(&call, "the answer is about another key"));
        }
        Ok(usage) => run.put(name, &KeyUsage::new(arn, &metadata, &usage)).await?,
        Err(error) => lacks(run, arn, &error),
    }
    let Some(configuration) = metadata.multi_region_configuration else { return Ok(Vec::new()) };
    let keys = configuration.primary_key.into_iter().chain(configuration.replica_keys.into_iter().flatten());
    Ok(keys.filter_map(|key| key.arn).filter(|arn| is_key(arn)).collect())
}

/// A key that is gone is no gap: there is nothing to read of it, now or later.
fn lacks(run: &Run, arn: &str, error: &AwsError) {
    match error.kind() {
        ErrorKind::NotFound => run.gone(arn),
        _ => run.gap_of(arn, error),
    }
}

async fn describe(run: &Run, arn: &str, region: &str) -> Answer<KeyMetadata> {
    let call = Call::new("kms:DescribeKey").on(arn).at(region);
    let answer = run.call(&call, async |aws| aws.describe_key(region, arn).await).await?;
    Ok(answer.and_then(|answer| {
        let is_it = |metadata: &KeyMetadata| metadata.arn.as_deref() == Some(arn);
        answer
            .value
            .key_metadata
            .filter(is_it)
            .ok_or_else(|| AwsError::answer(&call, "the answer is about another key"))
    }))
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
}

//! A plan without account ids, unique ids and sessions, for those who may see what changes and not where.

use serde_json::Value;

use crate::plan::Plan;

/// The format version of a redacted plan: it can be read by people, and no secateur takes it for a plan.
const REDACTED: &str = "1.0-redacted";
const ACCOUNT: &str = "000000000000";

/// The prefixes of IAM's unique ids. See
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes>.
const PREFIXES: [&str; 12] =
    ["ABIA", "ACCA", "AGPA", "AIDA", "AIPA", "AKIA", "ANPA", "ANVA", "APKA", "AROA", "ASCA", "ASIA"];

/// Returns the plan with every twelve-digit account id as zeros, every unique id cut to its prefix, and the caller's session
/// taken out. The digests stay those of the whole plan, so that both can be matched.
pub fn redact(plan: &Plan) -> Option<Plan> {
    let mut value = serde_json::to_value(plan).ok()?;
    let digests = (plan.digest, plan.changes_digest);
    if plan.account.id.is_empty() {
        return None;
    }
    walk(&mut value, &plan.account.id);
    let mut redacted: Plan = serde_json::from_value(value).ok()?;
    (redacted.digest, redacted.changes_digest) = digests;
    redacted.format_version = REDACTED.to_owned();
    redacted.account.caller_arn = None;
    redacted.account.endpoint = None;
    Some(redacted)
}

fn walk(value: &mut Value, account: &str) {
    match value {
        Value::String(text) if is_digest(text) => {}
        Value::String(text) => *text = redacted(text).replace(account, ACCOUNT),
        Value::Array(values) => values.iter_mut().for_each(|value| walk(value, account)),
        Value::Object(members) => members.values_mut().for_each(|value| walk(value, account)),
        _ => {}
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn redacted(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        result.push_str(&redacted_word(&word));
        word.clear();
        if c != '\0' {
            result.push(c);
        }
    }
    result
}

/// A run of letters and digits.
fn redacted_word(word: &str) -> String {
    let is_id = word.len() >= 16 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if let Some(prefix) = PREFIXES.iter().find(|prefix| is_id && word.starts_with(*prefix)) {
        return format!("{prefix}{}", "X".repeat(word.len() - prefix.len()));
    }
    if word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_digit()) {
        return ACCOUNT.to_owned();
    }
    word.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_out_and_names_stay() {
        let check = |text: &str, expect: &str| assert_eq!(redacted(text), expect);
        check("arn:aws:iam::111122223333:role/ci", "arn:aws:iam::000000000000:role/ci");
        check("bucket-111122223333", "bucket-000000000000");
        check("1111222233334", "1111222233334");
        check("AROAEXAMPLEEXAMPLE12", "AROAXXXXXXXXXXXXXXXX");
        check("role/AROAM", "role/AROAM");
        check("2026-10-10T06:00:00Z", "2026-10-10T06:00:00Z");
    }
}

//! The digests of a plan.

use secateur_analyzer::document::{Sha256, sha256_of};
use serde::Serialize;
use serde_json::Value;

use super::{Change, ChangeAction, Expects, Plan};

/// Returns the SHA-256 over the RFC 8785 form of the plan without its `digest`.
pub fn digest(plan: &Plan) -> Sha256 {
    digest_of_json(value_of(plan))
}

/// Returns the digest of a plan as it stands in its file.
pub(super) fn digest_of_json(mut value: Value) -> Sha256 {
    if let Value::Object(members) = &mut value {
        members.remove("digest");
    }
    canonical_sha256(&value)
}

/// Returns the SHA-256 over what the changes do: address, action, expectations, the text after, and the removed names.
pub fn changes_digest(changes: &[Change]) -> Sha256 {
    #[derive(Serialize)]
    struct Essence<'a> {
        address: &'a str,
        action: ChangeAction,
        expects: &'a Expects,
        after: Option<&'a str>,
        removed: Vec<&'a str>,
    }
    let essence = |change: &'_ Change| -> Value {
        let mut removed: Vec<&str> =
            change.removed.iter().flat_map(|removed| &removed.actions).map(String::as_str).collect();
        removed.sort_unstable();
        let essence = Essence {
            address: &change.address,
            action: change.action,
            expects: &change.expects,
            after: change.after.as_deref(),
            removed,
        };
        value_of(&essence)
    };
    canonical_sha256(&Value::Array(changes.iter().map(essence).collect()))
}

#[expect(clippy::expect_used, reason = "these types hold strings, integers and string keys: nothing that JSON lacks")]
fn value_of(data: &impl Serialize) -> Value {
    serde_json::to_value(data).expect("plain data is JSON")
}

#[expect(
    clippy::expect_used,
    reason = "writing to memory cannot fail, and a digest of something else must not come out"
)]
fn canonical_sha256(value: &Value) -> Sha256 {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, canon_json::CanonicalFormatter::new());
    value.serialize(&mut serializer).expect("memory can be written to");
    sha256_of(&bytes)
}

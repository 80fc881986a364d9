//! A key of a Region.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::TRACKED_SINCE;
use crate::emulator::time::Time;

/// A key. Primary and replicas are keys of their own, and record their use each by itself.
#[derive(Clone, Debug)]
pub struct Key {
    /// The ARN.
    pub arn: String,
    /// The id, which replicas share.
    pub id: String,
    /// The Region.
    pub region: String,
    /// When it was made.
    pub created: Time,
    /// Since when its use is recorded: since it was made, or since KMS records.
    pub tracked: Time,
    /// The last successful cryptographic use.
    pub usage: Option<KeyUsage>,
    /// `MultiRegionConfiguration`, of a multi-Region key.
    pub multi_region: Option<Value>,
    /// The ids of aliases, without `alias/`.
    pub aliases: Vec<String>,
}

/// The use of a key.
#[derive(Clone, Debug)]
pub struct KeyUsage {
    /// The operation.
    pub operation: String,
    /// When.
    pub time: Time,
    /// The id of the event.
    pub event_id: String,
    /// The id of the request.
    pub request_id: String,
}

/// All keys, by ARN.
#[derive(Clone, Debug, Default)]
pub struct Keys(pub BTreeMap<String, Key>);

/// Whether an operation counts as use of a key.
pub fn is_cryptographic(operation: &str) -> bool {
    const COUNTED: [&str; 15] = [
        "Decapsulate",
        "Decrypt",
        "DeriveSharedSecret",
        "Encapsulate",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "GenerateMac",
        "ReEncrypt",
        "ReEncryptFrom",
        "ReEncryptTo",
        "Sign",
        "Verify",
    ];
    COUNTED.contains(&operation) || operation == "VerifyMac"
}

impl Key {
    /// A key that was never used.
    pub fn new(arn: &str, created: Time) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, _, "kms", region, _, resource] = parts[..] else { return None };
        Some(Self {
            arn: arn.to_owned(),
            id: resource.strip_prefix("key/")?.to_owned(),
            region: region.to_owned(),
            created,
            tracked: created.max(TRACKED_SINCE),
            usage: None,
            multi_region: None,
            aliases: Vec::new(),
        })
    }

    /// Records a use, if it is the last.
    pub fn record(&mut self, operation: &str, time: Time, event_id: String, request_id: String) {
        // ReEncrypt is one operation, for which there are two permissions.
        let operation = if operation.starts_with("ReEncrypt") { "ReEncrypt" } else { operation };
        if self.usage.as_ref().is_none_or(|last| last.time <= time) {
            self.usage = Some(KeyUsage { operation: operation.to_owned(), time, event_id, request_id });
        }
    }

    /// `KeyMetadata` of `DescribeKey`.
    pub fn metadata(&self, account: &str) -> Value {
        let mut metadata = json!({
            "AWSAccountId": account,
            "KeyId": self.id,
            "Arn": self.arn,
            "CreationDate": self.created.epoch(),
            "Enabled": true,
            "Description": "",
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": "Enabled",
            "Origin": "AWS_KMS",
            "KeyManager": "CUSTOMER",
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": self.multi_region.is_some(),
        });
        if let (Some(configuration), Some(members)) = (&self.multi_region, metadata.as_object_mut()) {
            members.insert(String::from("MultiRegionConfiguration"), configuration.clone());
        }
        metadata
    }
}

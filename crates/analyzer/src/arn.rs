//! Amazon Resource Names.
//!
//! The partition is whatever the ARN says (`aws`, `aws-cn`, `aws-us-gov`, `aws-iso`, `aws-eusc`, ...): none is assumed.
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// An ARN, printed as it was read: `arn:partition:service:region:account:resource`.
///
/// The resource may hold further colons. Compared and ordered by its text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    text: Arc<str>,
}

/// A text that is not an ARN.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an ARN (arn:partition:service:region:account:resource)")]
pub struct ParseArnError {
    text: String,
}

impl Arn {
    /// Returns the ARN as it was read.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the partition: `aws`, `aws-cn`, `aws-us-gov`, ...
    pub fn partition(&self) -> &str {
        self.part(1)
    }

    /// Returns the service: `iam`, `s3`, ...
    pub fn service(&self) -> &str {
        self.part(2)
    }

    /// Returns the Region; empty for IAM, which is global.
    pub fn region(&self) -> &str {
        self.part(3)
    }

    /// Returns the account id; `aws` for AWS-managed policies, empty for some resources.
    pub fn account(&self) -> &str {
        self.part(4)
    }

    /// Returns all after the fifth colon: `role/service/ci`.
    pub fn resource(&self) -> &str {
        self.part(5)
    }

    /// Returns the resource's type: `role` of `role/service/ci`; empty without a slash.
    pub fn resource_type(&self) -> &str {
        self.resource().split_once('/').map_or("", |(kind, _)| kind)
    }

    /// Returns the last part of the resource's path: `ci` of `role/service/ci`.
    pub fn name(&self) -> &str {
        let resource = self.resource();
        resource.rsplit_once('/').map_or(resource, |(_, name)| name)
    }

    /// Returns whether the policy is AWS's own: its account is the word `aws`.
    ///
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html>.
    pub fn is_aws_managed_policy(&self) -> bool {
        self.service() == "iam" && self.account() == "aws" && self.resource_type() == "policy"
    }

    fn part(&self, index: usize) -> &str {
        self.text.splitn(6, ':').nth(index).unwrap_or_default()
    }
}

impl FromStr for Arn {
    type Err = ParseArnError;

    fn from_str(text: &str) -> Result<Arn, ParseArnError> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", partition, service, _, _, resource]
                if !partition.is_empty() && !service.is_empty() && !resource.is_empty() =>
            {
                Ok(Arn { text: text.into() })
            }
            _ => Err(ParseArnError { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for Arn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Arn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Arn, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_every_partition_are_taken_apart() {
        let check = |text: &str, expect: [&str; 7]| {
            let arn: Arn = text.parse().unwrap();
            let got =
                [arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource(), arn.resource_type()];
            assert_eq!(
                (got, arn.name(), arn.to_string()),
                (expect[..6].try_into().unwrap(), expect[6], text.to_owned())
            );
        };
        check("arn:aws:iam::111122223333:role/a/b/ci", ["aws", "iam", "", "111122223333", "role/a/b/ci", "role", "ci"]);
        check("arn:aws-cn:iam::aws:policy/P", ["aws-cn", "iam", "", "aws", "policy/P", "policy", "P"]);
        check(
            "arn:aws-us-gov:lambda:us-gov-west-1:111122223333:function:f:1",
            ["aws-us-gov", "lambda", "us-gov-west-1", "111122223333", "function:f:1", "", "function:f:1"],
        );
        check("arn:aws:iam::111122223333:root", ["aws", "iam", "", "111122223333", "root", "", "root"]);
    }

    #[test]
    fn what_is_not_an_arn_is_refused() {
        for text in ["", "arn", "arn:aws:iam", "arn::iam::1:x", "urn:aws:iam::1:role/x", "arn:aws:iam::1:"] {
            assert_eq!(text.parse::<Arn>(), Err(ParseArnError { text: text.to_owned() }));
        }
    }
}

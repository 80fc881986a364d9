//! Who calls.

use secateur_analyzer::arn::Arn;

/// Who calls, as AWS says. The partition comes from the ARN, and is never assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account id.
    pub account: String,
    /// The caller's ARN; of a role, that of its session.
    pub arn: Arn,
    /// The caller's unique id; of a role, with the session's name after a colon.
    pub user_id: String,
}

impl Identity {
    /// Returns the partition: `aws`, `aws-cn`, `aws-us-gov` and so on.
    pub fn partition(&self) -> &str {
        self.arn.partition()
    }

    /// Returns the Region where CloudTrail keeps the events of IAM, which is one for a whole partition.
    ///
    /// See <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events>.
    pub(crate) fn home_region(&self) -> &'static str {
        match self.partition() {
            "aws-cn" => "cn-north-1",
            "aws-us-gov" => "us-gov-west-1",
            "aws-eusc" => "eusc-de-east-1",
            "aws-iso" => "us-iso-east-1",
            "aws-iso-b" => "us-isob-east-1",
            "aws-iso-e" => "eu-isoe-west-1",
            "aws-iso-f" => "us-isof-south-1",
            _ => "us-east-1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_a_home_for_the_events_of_iam() {
        for (partition, home) in [
            ("aws", "us-east-1"),
            ("aws-cn", "cn-north-1"),
            ("aws-us-gov", "us-gov-west-1"),
            ("aws-eusc", "eusc-de-east-1"),
            ("aws-iso", "us-iso-east-1"),
            ("aws-iso-b", "us-isob-east-1"),
            ("aws-iso-e", "eu-isoe-west-1"),
            ("aws-iso-f", "us-isof-south-1"),
        ] {
            let arn = format!("arn:{partition}:sts::111122223333:assumed-role/audit/nightly").parse().unwrap();
            let identity = Identity { account: "111122223333".to_owned(), arn, user_id: String::new() };
            assert_eq!((identity.partition(), identity.home_region()), (partition, home));
        }
    }
}

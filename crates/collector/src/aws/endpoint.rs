//! Where the services are that are called without a crate of their own.

/// A service, as endpoints and signatures name it.
#[derive(Debug)]
pub(super) struct Service {
    /// The name in hosts and signatures, and of the service in permissions.
    pub name: &'static str,
    /// The name of `AWS_ENDPOINT_URL_...`, and of the section of the configuration file.
    pub id: &'static str,
    /// Whether it is one for a whole partition, and not one for each Region.
    pub is_global: bool,
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Endpoint {
    pub url: String,
    /// The Region that the signature is for.
    pub region: String,
}

/// Which kind of endpoint is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kind {
    /// With cryptography that is validated by FIPS 140.
    pub fips: bool,
    /// With IPv6.
    pub dual_stack: bool,
}

/// Regions with one set of names.
struct Partition {
    /// How the names of its Regions begin.
    regions: &'static str,
    suffix: &'static str,
    dual_stack_suffix: &'static str,
    /// The Region whose name the services bear that are one for the whole partition.
    home: &'static str,
}

const AWS: Partition =
    Partition { regions: "", suffix: "amazonaws.com", dual_stack_suffix: "api.aws", home: "us-east-1" };

/// Returns whether a host is one of AWS's, in any partition.
pub(super) fn is_of_aws(host: &str) -> bool {
    let is_below = |suffix: &str| host.strip_suffix(suffix).is_some_and(|head| head.ends_with('.'));
    let mut partitions = PARTITIONS.iter().chain([&AWS]);
    partitions.any(|partition| is_below(partition.suffix) || is_below(partition.dual_stack_suffix))
}

/// The partitions beside AWS's first one.
///
/// See <https://docs.aws.amazon.com/general/latest/gr/rande.html> and
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html>.
const PARTITIONS: [Partition; 7] = [
    Partition {
        regions: "cn-",
        suffix: "amazonaws.com.cn",
        dual_stack_suffix: "api.amazonwebservices.com.cn",
        home: "cn-northwest-1",
    },
    Partition { regions: "us-gov-", suffix: "amazonaws.com", dual_stack_suffix: "api.aws", home: "us-gov-west-1" },
    Partition {
        regions: "eusc-",
        suffix: "amazonaws.eu",
        dual_stack_suffix: "api.amazonwebservices.eu",
        home: "eusc-de-east-1",
    },
    Partition { regions: "us-iso-", suffix: "c2s.ic.gov", dual_stack_suffix: "api.aws.ic.gov", home: "us-iso-east-1" },
    Partition {
        regions: "us-isob-",
        suffix: "sc2s.sgov.gov",
        dual_stack_suffix: "api.aws.scloud",
        home: "us-isob-east-1",
    },
    Partition {
        regions: "eu-isoe-",
        suffix: "cloud.adc-e.uk",
        dual_stack_suffix: "api.cloud-aws.adc-e.uk",
        home: "eu-isoe-west-1",
    },
    Partition {
        regions: "us-isof-",
        suffix: "csp.hci.ic.gov",
        dual_stack_suffix: "api.aws.hci.ic.gov",
        home: "us-isof-south-1",
    },
];

impl Service {
    /// Returns AWS's own endpoint of the service in a Region; of a service that is one for the partition, that one.
    pub fn endpoint(&self, region: &str, kind: Kind) -> Endpoint {
        let partition = PARTITIONS.iter().find(|partition| region.starts_with(partition.regions)).unwrap_or(&AWS);
        let region = if self.is_global { partition.home } else { region };
        let suffix = if kind.dual_stack { partition.dual_stack_suffix } else { partition.suffix };
        // CloudTrail's endpoints of the partition for governments are validated under their plain names.
        let is_validated = self.name == "cloudtrail" && partition.regions == "us-gov-" && !kind.dual_stack;
        let fips = if kind.fips && !is_validated { "-fips" } else { "" };
        Endpoint { url: format!("https://{}{fips}.{region}.{suffix}", self.name), region: region.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KMS: Service = Service { name: "kms", id: "KMS", is_global: false };
    const CLOUDTRAIL: Service = Service { name: "cloudtrail", id: "CloudTrail", is_global: false };
    const ACCOUNT: Service = Service { name: "account", id: "Account", is_global: true };

    const PLAIN: Kind = Kind { fips: false, dual_stack: false };
    const FIPS: Kind = Kind { fips: true, dual_stack: false };
    const DUAL: Kind = Kind { fips: false, dual_stack: true };
    const BOTH: Kind = Kind { fips: true, dual_stack: true };

    /// As AWS's own SDKs have them.
    #[test]
    fn endpoints_are_those_of_the_sdk() {
        for (service, region, kind, url, signed_for) in [
            (KMS, "eu-west-1", PLAIN, "https://kms.eu-west-1.amazonaws.com", "eu-west-1"),
            (KMS, "mx-central-1", FIPS, "https://kms-fips.mx-central-1.amazonaws.com", "mx-central-1"),
            (KMS, "us-east-1", DUAL, "https://kms.us-east-1.api.aws", "us-east-1"),
            (KMS, "us-east-1", BOTH, "https://kms-fips.us-east-1.api.aws", "us-east-1"),
            (KMS, "cn-north-1", PLAIN, "https://kms.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            (KMS, "cn-north-1", DUAL, "https://kms.cn-north-1.api.amazonwebservices.com.cn", "cn-north-1"),
            (KMS, "us-gov-east-1", PLAIN, "https://kms.us-gov-east-1.amazonaws.com", "us-gov-east-1"),
            (KMS, "us-gov-west-1", FIPS, "https://kms-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            (KMS, "us-iso-east-1", FIPS, "https://kms-fips.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
            (KMS, "us-isob-east-1", PLAIN, "https://kms.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1"),
            (CLOUDTRAIL, "us-east-1", PLAIN, "https://cloudtrail.us-east-1.amazonaws.com", "us-east-1"),
            (CLOUDTRAIL, "us-east-1", FIPS, "https://cloudtrail-fips.us-east-1.amazonaws.com", "us-east-1"),
            (CLOUDTRAIL, "us-gov-west-1", FIPS, "https://cloudtrail.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            (CLOUDTRAIL, "us-gov-east-1", BOTH, "https://cloudtrail-fips.us-gov-east-1.api.aws", "us-gov-east-1"),
            (CLOUDTRAIL, "cn-north-1", PLAIN, "https://cloudtrail.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            (ACCOUNT, "eu-west-1", PLAIN, "https://account.us-east-1.amazonaws.com", "us-east-1"),
            (ACCOUNT, "ap-south-1", BOTH, "https://account-fips.us-east-1.api.aws", "us-east-1"),
            (ACCOUNT, "cn-north-1", PLAIN, "https://account.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1"),
            (ACCOUNT, "us-gov-east-1", PLAIN, "https://account.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            (ACCOUNT, "us-gov-west-1", FIPS, "https://account-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            (ACCOUNT, "eusc-de-east-1", PLAIN, "https://account.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
            (ACCOUNT, "us-isof-south-1", PLAIN, "https://account.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1"),
            (ACCOUNT, "eu-isoe-west-1", PLAIN, "https://account.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1"),
        ] {
            let expected = Endpoint { url: url.to_owned(), region: signed_for.to_owned() };
            assert_eq!(service.endpoint(region, kind), expected);
        }
    }
}

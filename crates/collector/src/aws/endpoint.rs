//! Where the services are: at AWS, or where the environment or the profile says.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

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

/// Returns where the environment or the profile says that a service is.
///
/// # Errors
/// When that is no URL: which setting it is, and what is wrong with it.
pub(super) fn configured(config: &SdkConfig, id: &str) -> Result<Option<String>, String> {
    let key = ServiceConfigKey::builder().service_id(id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let key = key.map_err(|error| error.to_string())?;
    let own = config.service_config().and_then(|config| config.load_config(key));
    let Some(url) = own.or_else(|| config.endpoint_url().map(str::to_owned)) else { return Ok(None) };
    match usable(&url) {
        Ok(url) => Ok(Some(url)),
        Err(flaw) => Err(format!("{} is no URL that can be asked: {flaw}", setting(id))),
    }
}

/// Returns the setting that says where a service is.
fn setting(id: &str) -> String {
    let own = format!("AWS_ENDPOINT_URL_{}", id.to_ascii_uppercase());
    match [own.as_str(), "AWS_ENDPOINT_URL"].into_iter().find(|name| std::env::var_os(name).is_some()) {
        Some(name) => name.to_owned(),
        None => format!("the `endpoint_url` of {id} in the profile"),
    }
}

/// Returns a URL as the HTTP client takes it, or what is wrong with it. Nothing of it is quoted: it may hold a password.
fn usable(url: &str) -> Result<String, &'static str> {
    let begins_as = |scheme: &&str| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    let scheme = ["http://", "https://"].into_iter().find(begins_as);
    let scheme = scheme.ok_or("it begins neither with http:// nor with https://")?;
    let rest = url.get(scheme.len()..).unwrap_or_default();
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("it has a space, or a character that no URL has");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    // An address of IPv6 has colons of its own, in brackets.
    let after = host.rfind(']').map_or(0, |at| at + 1);
    let (name, port) = match host.get(after..).unwrap_or_default().rfind(':') {
        Some(at) => (host.get(..after + at), host.get(after + at + 1..)),
        None => (Some(host), None),
    };
    if name.is_none_or(str::is_empty) {
        return Err("it names no host");
    }
    match port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0)) {
        true => Ok(format!("{scheme}{rest}")),
        false => Err("its port is no number from 1 to 65535"),
    }
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

    #[test]
    fn urls_are_taken_in_any_case_and_what_is_wrong_with_others_is_told() {
        for (url, expected) in [
            ("http://127.0.0.1:4566", Ok("http://127.0.0.1:4566")),
            ("HTTP://Host/Path", Ok("http://Host/Path")),
            ("Https://[::1]:443/", Ok("https://[::1]:443/")),
            ("https://bob:pw@host:1/?a=b:c", Ok("https://bob:pw@host:1/?a=b:c")),
            ("", Err("it begins neither with http:// nor with https://")),
            ("127.0.0.1:4566", Err("it begins neither with http:// nor with https://")),
            ("ftp://host", Err("it begins neither with http:// nor with https://")),
            ("http://host ", Err("it has a space, or a character that no URL has")),
            ("http://h\u{f6}st", Err("it has a space, or a character that no URL has")),
            ("http://", Err("it names no host")),
            ("http://bob@:80", Err("it names no host")),
            ("http://host:99999", Err("its port is no number from 1 to 65535")),
            ("http://host:", Err("its port is no number from 1 to 65535")),
            ("http://[::1]:x", Err("its port is no number from 1 to 65535")),
        ] {
            assert_eq!(usable(url), expected.map(str::to_owned), "{url}");
        }
    }

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

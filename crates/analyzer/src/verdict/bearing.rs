//! What the IAM calls of an event history bear on, by their names.
//!
//! See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html>.

/// What a call may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bearing {
    /// What policies let somebody do; a call that is not known may have.
    Permissions,
    /// Whether conditions on who somebody is are met.
    Terms,
    /// Whether a user can call AWS at all.
    Credentials,
    /// Whether somebody can get the credentials of roles by an identity provider.
    Federation,
    /// None of these.
    Nothing,
}

/// Parts of the names of calls about what a user signs in or signs with.
const CREDENTIALS: [&str; 5] =
    ["AccessKey", "LoginProfile", "SSHPublicKey", "SigningCertificate", "ServiceSpecificCredential"];

impl Bearing {
    /// Returns what a call of this name bears on.
    pub(super) fn of(name: &str) -> Bearing {
        if name.contains("Tag") || name.starts_with("Untag") || name.contains("MFADevice") {
            return Bearing::Terms;
        }
        if name.contains("SAMLProvider") || name.contains("OpenIDConnectProvider") {
            let takes_away = name.starts_with("Delete") || name.starts_with("Remove");
            return if takes_away { Bearing::Nothing } else { Bearing::Federation };
        }
        // Nobody changes a password without one.
        if name == "ChangePassword" {
            return Bearing::Nothing;
        }
        match CREDENTIALS.iter().any(|part| name.contains(part)) {
            true if name.starts_with("Delete") => Bearing::Nothing,
            true => Bearing::Credentials,
            false => Bearing::Permissions,
        }
    }
}

/// Whether a document may depend on the tags of who asks, or on how it signed in: by a condition, or by a variable.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.
pub(super) fn may_depend_on_who(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    // Escaped letters may spell either.
    ["principaltag", "multifactorauth", "\\u"].iter().any(|part| text.contains(part))
}

/// Whether a document may depend on how who asks has signed in.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>.
pub(super) fn may_depend_on_mfa(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["multifactorauth", "\\u"].iter().any(|part| text.contains(part))
}

/// Whether a trust policy may trust whom an identity provider vouches for: it names some, or anybody.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>.
pub(super) fn may_trust_providers(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["federated", "\"*\"", "notprincipal", "\\u"].iter().any(|part| text.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_by_what_they_bear_on() {
        for (names, expect) in [
            ("PutRolePolicy AttachUserPolicy CreateUser UpdateAssumeRolePolicy NewOfTomorrow", Bearing::Permissions),
            ("TagUser UntagRole EnableMFADevice DeactivateMFADevice", Bearing::Terms),
            ("CreateAccessKey UpdateAccessKey CreateLoginProfile UploadSSHPublicKey", Bearing::Credentials),
            ("DeleteAccessKey DeleteLoginProfile ChangePassword", Bearing::Nothing),
            ("CreateSAMLProvider UpdateSAMLProvider CreateOpenIDConnectProvider", Bearing::Federation),
            ("AddClientIDToOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint", Bearing::Federation),
            ("DeleteSAMLProvider RemoveClientIDFromOpenIDConnectProvider", Bearing::Nothing),
            ("TagSAMLProvider", Bearing::Terms),
        ] {
            names.split(' ').for_each(|name| assert_eq!(Bearing::of(name), expect, "{name}"));
        }
    }

    #[test]
    fn documents_by_what_they_depend_on() {
        assert!(may_depend_on_who(r#"{"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}"#));
        assert!(may_depend_on_mfa(r#"{"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}"#));
        assert!(!may_depend_on_mfa(r#"{"Resource": "arn:aws:s3:::b/${AWS:principalTAG/team}/*"}"#));
        assert!(may_depend_on_who(r#"{"Resource": "arn:aws:s3:::b/${AWS:principalTAG/team}/*"}"#));
        assert!(may_depend_on_who(r#"{"Resource": "arn:aws:s3:::b/${aws:\u0050rincipalTag/team}/*"}"#));
        assert!(!may_depend_on_who(r#"{"Condition": {"StringEquals": {"aws:ResourceTag/team": "a"}}}"#));
    }
}

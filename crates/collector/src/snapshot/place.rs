//! The places of a snapshot: which file may stand where, and what makes it.

use std::path::Path;

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const DETAILS: &str = "account-authorization-details.json";

/// What mends a file that only secateur makes.
pub(super) const RESTORE: &str = "restore the file, or collect the snapshot again";

/// Where a file stands, which decides how it is read; its name within a folder is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Manifest,
    Details,
    Summary,
    Regions,
    Grants,
    LastAccessed,
    Entities,
    Granting,
    AccessKeys,
    Kms,
    PolicyTags,
    Catalog,
}

impl Place {
    /// Returns the place of a file by its path from the snapshot's root, with `/`; none for what a snapshot ignores.
    pub(super) fn of(name: &str) -> Option<Place> {
        if !name.ends_with(".json") || name.split('/').any(|part| !is_visible(part)) {
            return None;
        }
        match name.split_once('/') {
            Some((folder, _)) => Place::of_folder(folder),
            None => match name {
                MANIFEST => Some(Place::Manifest),
                DETAILS => Some(Place::Details),
                "account-summary.json" => Some(Place::Summary),
                "regions.json" => Some(Place::Regions),
                "grants.json" => Some(Place::Grants),
                _ => None,
            },
        }
    }

    /// Returns the place of all files below a folder of the snapshot's root.
    pub(super) fn of_folder(folder: &str) -> Option<Place> {
        match folder {
            "last-accessed" => Some(Place::LastAccessed),
            "entities" => Some(Place::Entities),
            "granting" => Some(Place::Granting),
            "access-keys" => Some(Place::AccessKeys),
            "kms" => Some(Place::Kms),
            "policy-tags" => Some(Place::PolicyTags),
            "catalog" => Some(Place::Catalog),
            _ => None,
        }
    }

    /// Returns how to make a file of this place anew: with a command of the AWS CLI, if its output belongs here.
    pub(super) fn remedy(self, path: &Path) -> String {
        let (command, add_arn) = match self {
            Place::Manifest | Place::Grants | Place::Catalog => return RESTORE.to_owned(),
            Place::Details => ("iam get-account-authorization-details", false),
            Place::Summary => ("iam get-account-summary", false),
            Place::Regions => ("account list-regions", false),
            Place::LastAccessed => ("iam get-service-last-accessed-details --job-id JOB_ID", true),
            Place::Entities => (
                "iam get-service-last-accessed-details-with-entities --job-id JOB_ID --service-namespace SERVICE",
                true,
            ),
            Place::Granting => {
                ("iam list-policies-granting-service-access --arn ARN --service-namespaces SERVICE", true)
            }
            Place::AccessKeys => ("iam list-access-keys --user-name USER", false),
            Place::Kms => ("kms get-key-last-usage --key-id KEY", true),
            Place::PolicyTags => ("iam list-policy-tags --policy-arn ARN", true),
        };
        let addition = match self {
            Place::AccessKeys => {
                ", and add `AccessKeyLastUsed` to each key, as `aws iam get-access-key-last-used` prints it"
            }
            Place::Kms => ", and add `Arn` and `MultiRegionConfiguration`, as `aws kms describe-key` prints them",
            _ if add_arn => ", and add the member `Arn`",
            _ => "",
        };
        format!("`aws {command} --output json > {}`{addition}", path.display())
    }
}

/// Returns whether a part of a path is one that a snapshot looks at: not hidden, and neither empty, `.` nor `..`.
pub(super) fn is_visible(part: &str) -> bool {
    !part.is_empty() && !part.starts_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_by_the_path() {
        let check = |name: &str, expect: Option<Place>| assert_eq!(Place::of(name), expect, "{name}");
        check("manifest.json", Some(Place::Manifest));
        check("account-authorization-details.json", Some(Place::Details));
        check("last-accessed/a.json", Some(Place::LastAccessed));
        check("last-accessed/a/b/c.json", Some(Place::LastAccessed));
        check("kms/eu-central-1/k.json", Some(Place::Kms));
        check("policy-tags/a.json", Some(Place::PolicyTags));
        for ignored in [
            "",
            "notes.json",
            "other/a.json",
            "last-accessed/a.txt",
            "last-accessed/.a.json",
            "last-accessed/.git/a.json",
            "last-accessed/../manifest.json",
            "last-accessed//a.json",
            "/manifest.json",
            "../manifest.json",
        ] {
            check(ignored, None);
        }
    }
}

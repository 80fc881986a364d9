//! Snapshots whose files are missing, broken or something else.

use std::fs;

use super::scene::{CI_REPORT, DETAILS, MANIFEST, SNAPSHOT, Scene};

const PLAN: [&str; 3] = ["plan", "--snapshot", SNAPSHOT];
const REGIONS: &str = "snap/regions.json";
/// Every file of the account whose text secateur reads.
const FILES: [&str; 5] = [DETAILS, CI_REPORT, REGIONS, "snap/account-summary.json", "snap/grants.json"];

/// Writes a file in the place of another and expects an error that names it and all of `words`.
#[track_caller]
fn check(name: &str, bytes: impl AsRef<[u8]>, words: &[&str]) {
    let scene = Scene::unsealed();
    scene.write(name, bytes);
    let quoted = format!("`{name}`");
    scene.check_error(&PLAN, 1, &[&[quoted.as_str()], words].concat());
}

#[test]
fn what_is_not_json_is_named_with_its_place() {
    for name in FILES {
        check(name, "nonsense", &["is not JSON at line 1, column 2: "]);
        check(name, "", &["is not JSON at line 1, column 0: "]);
        check(name, "{\n  \"Arn\": \"a\n\"}", &["is not JSON at line "]);
        check(name, "{\"Arn\": 1,}", &["at line 1, column "]);
    }
    check(MANIFEST, "", &["is not JSON at line 1, column 0: ", "collect the snapshot again"]);
    check(MANIFEST, "[", &["is not JSON"]);
    check("snap/kms/eu-west-1/key.json", "nonsense", &["is not JSON"]);
    check("snap/policy-tags/a.json", "nonsense", &["is not JSON"]);
}

#[test]
fn the_remedy_is_the_command_that_makes_the_file() {
    check(
        DETAILS,
        "",
        &["`aws iam get-account-authorization-details --output json > snap/account-authorization-details.json`"],
    );
    check(REGIONS, "", &["`aws account list-regions --output json > snap/regions.json`"]);
    check(CI_REPORT, "", &["`aws iam get-service-last-accessed-details --job-id JOB_ID", "and add the member `Arn`"]);
}

#[test]
fn json_of_another_shape_is_named_with_its_place() {
    for name in FILES {
        check(name, "7", &["at line 1, column 1", "integer `7`"]);
        check(name, "[\"x\"]", &["at line 1, column "]);
        check(name, "\"text\"", &["at line 1, column 6"]);
        check(name, "null", &["at line 1, column "]);
    }
    check(DETAILS, "{\"UserDetailList\": {}}", &["has another shape than expected at line 1, column "]);
    check(CI_REPORT, "{}", &["has no member `Arn`", "add the member `Arn`"]);
    check(CI_REPORT, "{\"Arn\": \"role/ci\"}", &["has another shape than expected at line 1, column "]);
    check(REGIONS, "{\"Regions\": [1]}", &["has another shape than expected at line 1, column "]);
    check("snap/grants.json", "{\"format_version\": 1, \"extra\": 2}", &["`extra`"]);
    check("snap/grants.json", "{\"format_version\": 2}", &["has format version 2, and this secateur reads version 1"]);
    check(MANIFEST, "{\"format_version\": 2}", &["has format version 2", "newer secateur"]);
}

#[test]
fn text_that_is_not_utf8_is_named() {
    check(CI_REPORT, b"{\"Arn\": \"\xff\xfe\"}", &["is not JSON at line 1, column "]);
    check(DETAILS, b"\xff\xfe{\0}\0", &["UTF-16"]);
    check(REGIONS, b"{\"Regions\": [{\"RegionName\": \"\xff\"}]}", &["is not JSON at line 1, column "]);
}

#[test]
fn deep_nesting_is_no_crash() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for name in FILES {
        check(name, &deep, &["at line 1, column "]);
    }
    check(MANIFEST, &deep, &["at line 1, column "]);
    check(DETAILS, format!("{{\"UserDetailList\": {deep}}}"), &["at line 1, column "]);
    // A member that nobody reads is passed over, whatever it holds.
    let scene = Scene::unsealed();
    let report = scene.text(CI_REPORT).replacen('{', &format!("{{\"Unknown\": {deep},"), 1);
    scene.write(CI_REPORT, report);
    assert_eq!(scene.plan(&[])["changes"].as_array().unwrap().len(), 7);
}

#[test]
fn a_folder_in_the_place_of_a_file_is_named() {
    for name in FILES {
        let scene = Scene::unsealed();
        scene.remove(name);
        fs::create_dir(scene.path(name)).unwrap();
        if name == CI_REPORT {
            // A folder of reports may be called like a file; there is no report in it.
            let without = Scene::unsealed();
            without.remove(name);
            assert_eq!(scene.plan(&[])["gaps"], without.plan(&[])["gaps"]);
        } else {
            scene.check_error(&PLAN, 1, &[name]);
        }
    }
}

#[test]
fn a_file_that_the_manifest_lists_and_that_is_gone_or_altered_is_named() {
    for name in FILES {
        let scene = Scene::small();
        let text = scene.text(name);
        scene.write(name, format!("{text}\n"));
        scene.check_error(&PLAN, 1, &[&format!("`{name}` was altered"), "collect the snapshot again"]);
        scene.remove(name);
        scene.check_error(&PLAN, 1, &[name, "is missing", "collect"]);
    }
    let scene = Scene::small();
    scene.write("snap/last-accessed/extra.json", "{}");
    scene.check_error(&PLAN, 1, &["`snap/last-accessed/extra.json` was added", "remove the file"]);
}

#[test]
fn what_is_no_snapshot_is_named() {
    let scene = Scene::small();
    fs::create_dir(scene.path("empty")).unwrap();
    scene.check_error(&["plan", "--snapshot", "empty"], 1, &["`empty` holds no snapshot"]);
    scene.check_error(&["plan", "--snapshot", "nowhere"], 1, &["`nowhere` is not a directory"]);
    scene.check_error(&["plan", "--snapshot", REGIONS], 1, &["`snap/regions.json` is not a directory"]);
    scene.check_error(&["plan"], 1, &["there is no snapshot at `.secateur/snapshot`", "--snapshot DIR"]);
    scene.check_error(&[&PLAN[..], &["--older-snapshot", "empty"]].concat(), 1, &["`empty"]);
}

#[test]
fn an_account_that_the_snapshot_is_not_of_is_named() {
    let scene = Scene::small();
    let plan = [&PLAN[..], &["--account", "444455556666"]].concat();
    scene.check_error(&plan, 1, &["of account 111122223333, not of `444455556666`"]);
}

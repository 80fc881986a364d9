//! What a collection without faults is.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use super::scene::{Scene, acme, assert_same, content};
use crate::workspace::root;

/// What the sample's files say, read as a collection is.
fn sample() -> super::scene::Content {
    content(&acme())
}

/// The principals whose reports the sample lacks.
const WITHOUT_REPORT: [&str; 3] = [
    "arn:aws:iam::111122223333:role/datadog-integration",
    "arn:aws:iam::111122223333:role/service-role/backup-operator",
    "arn:aws:iam::111122223333:user/people/maria.lopez",
];

fn plan(scene: &Scene, snapshot: &str, out: &str) -> Value {
    let config = root().join("docs/examples/acme/secateur.toml");
    let config = config.to_str().unwrap();
    let now = "2026-10-10T06:30:00Z";
    let answer = scene.run(&["plan", "--config", config, "--snapshot", snapshot, "--now", now, "--out", out]);
    assert_eq!(answer.code, 0, "{answer:?}");
    serde_json::from_slice(&fs::read(scene.dir.path().join(out)).unwrap()).unwrap()
}

/// The changes, without what says when and from which files their evidence comes.
fn changes(plan: &Value) -> Vec<Value> {
    let principals = plan["principals"].as_array().unwrap();
    let name = |index: &Value| principals[usize::try_from(index.as_u64().unwrap()).unwrap()].clone();
    let mut changes = plan["changes"].as_array().unwrap().clone();
    for change in &mut changes {
        for holder in change["holders"].as_array_mut().unwrap() {
            *holder = name(holder);
        }
        for removed in change["removed"].as_array_mut().unwrap() {
            for evidence in removed["evidence"].as_array_mut().unwrap() {
                let evidence = evidence.as_object_mut().unwrap();
                let principal = name(&evidence["principal"]);
                evidence.insert("principal".to_owned(), principal);
                evidence.remove("report");
                // A report of another minute reaches as far back.
                let day = evidence["since"].as_str().map(|since| Value::from(since.split('T').next()));
                evidence.insert("since".to_owned(), day.unwrap_or_default());
            }
        }
    }
    changes
}

#[test]
fn the_sample_account_collected_gives_the_plan_of_its_files() {
    let scene = Scene::acme();
    for arn in WITHOUT_REPORT {
        let fault = json!({"operation": "GenerateServiceLastAccessedDetails", "parameters": {"Arn": arn}, "effect": "fail-job"});
        scene.control("faults", fault);
    }
    let answer = scene.collect(&[]);
    assert_eq!(answer.code, 4, "{answer:?}");
    let expected: Vec<_> = WITHOUT_REPORT.iter().map(|arn| ((*arn).to_owned(), "report-failed".to_owned())).collect();
    assert_eq!(scene.gaps(), expected);
    // The sample has a report by service alone.
    let answer = scene.collect(&["--principal", "role/glue-nightly", "--granularity", "service"]);
    assert_eq!(answer.code, 4, "{answer:?}");
    assert_eq!(scene.gaps(), expected);
    let collected = plan(&scene, "snap", "plan.json");
    let written = plan(&scene, acme().to_str().unwrap(), "sample.json");
    let (found, expected) = (changes(&collected), changes(&written));
    for (found, expected) in found.iter().zip(&expected) {
        assert!(found == expected, "{found:#}\nis not\n{expected:#}");
    }
    assert_eq!(found.len(), expected.len());
    for member in ["withheld", "blocked", "advice"] {
        // The clock went on by a second while it was collected.
        let counts = |entry: &&Value| entry["kind"] != "now";
        let count = |plan: &Value| plan[member].as_array().unwrap().iter().filter(counts).count();
        assert_eq!(count(&collected), count(&written), "{member}");
    }
    let verified = scene.run(&["verify", "plan.json", "--snapshot", "snap"]);
    assert_eq!(verified.code, 3, "another configuration is another plan: {verified:?}");
}

#[test]
fn the_files_are_those_that_the_command_line_prints() {
    let scene = Scene::acme();
    let found = scene.collect_all(&[]);
    let sample = sample();
    let same = |folder: &str| {
        let files = |content: &super::scene::Content| -> Vec<(String, Value)> {
            let of_folder = content.iter().filter(|(name, _)| name.starts_with(folder));
            of_folder.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        assert_eq!(files(&found), files(&sample), "{folder}");
    };
    same("access-keys/");
    same("kms/");
    same("policy-tags/");
    let lists = |content: &super::scene::Content| {
        let details = &content["account-authorization-details.json"];
        ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"]
            .map(|name| details[name].as_array().unwrap().len())
    };
    assert_eq!(lists(&found), lists(&sample));
    assert_eq!(found.keys().filter(|name| name.starts_with("last-accessed/")).count(), 49);
    let manifest = scene.manifest();
    assert_eq!(manifest["account_id"], "111122223333");
    assert_eq!(manifest["partition"], "aws");
    assert_eq!(manifest["endpoint"], scene.cloud.running.url());
    assert_eq!(manifest["caller_arn"], "arn:aws:sts::111122223333:assumed-role/security-audit/nightly");
    assert_eq!(manifest["complete"], true);
    // The clock is AWS's, not this machine's.
    assert_eq!(manifest["started_at"], "2026-10-10T06:30:00Z");
}

#[test]
fn pages_of_any_size_give_the_same() {
    let all = ["--max-age", "0", "--include", "groups,policies,granting"];
    let scene = Scene::small();
    let expected = scene.collect_all(&all);
    for size in 1..=7 {
        scene.control("behaviour", json!({"page_size": size}));
        assert_same(&scene.collect_all(&all), &expected);
    }
}

#[test]
fn a_second_collection_reads_nothing_that_is_young() {
    let scene = Scene::acme();
    let expected = scene.collect_all(&[]);
    scene.cloud.running.control("DELETE", "calls", &Value::Null).unwrap();
    assert_same(&scene.collect_all(&[]), &expected);
    for operation in ["GenerateServiceLastAccessedDetails", "ListAccessKeys", "ListPolicyTags", "DescribeKey"] {
        assert_eq!(scene.calls(operation), 0, "{operation}");
    }
    // Who holds what was read anew, so when it was granted must be, too.
    assert!(scene.calls("GetAccountAuthorizationDetails") > 0 && scene.calls("LookupEvents") >= 33);
    // Evidence ages; who is there is read anew each time.
    scene.control("clock", json!({"advance_seconds": 7 * 3600}));
    scene.collect_all(&[]);
    assert_eq!(scene.calls("GenerateServiceLastAccessedDetails"), 49);
    assert_eq!(scene.calls("ListAccessKeys"), 10);
    scene.collect_all(&["--max-age", "0"]);
    assert_eq!(scene.calls("GenerateServiceLastAccessedDetails"), 98);
}

#[test]
fn a_check_says_what_is_there_already_and_changes_nothing() {
    let scene = Scene::acme();
    let calls = |checked: &str| -> Vec<(String, u64)> {
        let words = checked.lines().filter_map(|line| line.trim().split_once("  "));
        words.filter_map(|(count, operation)| Some((operation.trim().to_owned(), count.parse().ok()?))).collect()
    };
    let of = |counts: &[(String, u64)], name: &str| counts.iter().find(|(operation, _)| operation == name).unwrap().1;
    let before = scene.collect(&["--check"]);
    assert_eq!(before.code, 0, "{before:?}");
    assert!(before.stdout.contains("\n49 reports would be read, by about"), "{before:?}");
    assert!(!scene.snapshot().exists());
    let all = calls(&before.stdout);
    let expected = scene.collect_all(&[]);
    scene.control("clock", json!({"advance_seconds": 3600}));
    let after = scene.collect(&["--check"]);
    assert!(
        after
            .stdout
            .contains("\n0 reports would be read and 49 taken over, which are younger than --max-age, by about"),
        "{after:?}"
    );
    let left = calls(&after.stdout);
    for operation in ["GenerateServiceLastAccessedDetails", "ListAccessKeys", "ListPolicyTags"] {
        let operation = format!("iam:{operation}");
        assert!(of(&all, &operation) > 0 && of(&left, &operation) == 0, "{operation}: {after:?}");
    }
    assert!(of(&all, "kms:DescribeKey") > 0 && of(&left, "kms:DescribeKey") == 0, "{after:?}");
    assert_eq!(of(&left, "cloudtrail:LookupEvents"), 33);
    assert_same(&scene.content(), &expected);
    // Too old is as good as nothing.
    let anew = scene.collect(&["--check", "--max-age", "0"]);
    assert_eq!(calls(&anew.stdout), all);
    // What may not be replaced is refused before anything is asked for.
    fs::remove_file(scene.snapshot().join("manifest.json")).unwrap();
    let refused = scene.collect(&["--check"]);
    assert_eq!(refused.code, 3, "{refused:?}");
}

#[test]
fn groups_policies_and_grants_are_read_when_they_are_asked_for() {
    let scene = Scene::acme();
    let found = scene.collect_all(&["--include", "groups,policies,granting"]);
    for folder in ["last-accessed/group/", "last-accessed/policy/", "last-accessed/aws-policy/", "entities/policy/ssm/"]
    {
        assert!(found.keys().any(|name| name.starts_with(folder)), "{folder}");
    }
    let sample = sample();
    let mut entities = found["entities/policy/ssm/service-baseline.json"].clone();
    let mut expected = sample["entities/service-baseline-ssm.json"].clone();
    for list in [&mut entities, &mut expected] {
        let rows = list["EntityDetailsList"].as_array_mut().unwrap();
        rows.sort_by_key(|row| row["EntityInfo"]["Arn"].as_str().unwrap().to_owned());
    }
    assert_eq!(entities, expected);
    let granting = &found["granting/role/checkout-task.json"]["PoliciesGrantingServiceAccess"];
    assert!(granting.as_array().unwrap().iter().any(|entry| entry["ServiceNamespace"] == "ssm"), "{granting}");
    assert_same(&scene.collect_all(&["--include", "groups,policies,granting"]), &found);
}

#[test]
fn a_scope_reads_some_and_keeps_the_others() {
    let scene = Scene::acme();
    let everybody = scene.collect_all(&[]);
    scene.cloud.running.control("DELETE", "calls", &Value::Null).unwrap();
    scene.control("clock", json!({"advance_seconds": 8 * 3600}));
    let found = scene.collect_all(&["--principal", "role/checkout-*", "--principal", "arn:*:user/people/li.wei"]);
    assert_eq!(scene.calls("GenerateServiceLastAccessedDetails"), 2);
    assert_eq!(found.keys().collect::<Vec<_>>(), everybody.keys().collect::<Vec<_>>());
    assert_eq!(scene.manifest()["scope"], json!(["role/checkout-*", "arn:*:user/people/li.wei"]));
    // Access keys have no time of their own: they are as old as the oldest.
    assert_eq!(scene.manifest()["started_at"], "2026-10-10T06:30:00Z");
}

#[test]
fn a_scope_that_asks_for_more_takes_nothing_from_the_others() {
    let scene = Scene::acme();
    let everybody = scene.collect_all(&[]);
    let mine = ["--principal", "role/checkout-task"];
    let found = scene.collect_all(&[&mine[..], &["--include", "granting"]].concat());
    let mut more = found.clone();
    more.retain(|name, _| !everybody.contains_key(name));
    assert_eq!(more.keys().collect::<Vec<_>>(), ["granting/role/checkout-task.json"]);
    assert!(everybody.keys().all(|name| found.contains_key(name)));
    // What somebody asked for once stays, too, with what could be read of what hangs on it.
    let (operation, of) = ("GetServiceLastAccessedDetailsWithEntities", json!({"ServiceNamespace": "states"}));
    scene.control("faults", json!({"operation": operation, "parameters": of, "count": 100_000, "effect": "error"}));
    let include = ["--include", "groups,policies,granting"];
    assert_eq!(scene.collect(&[&include[..], &["--max-age", "0"]].concat()).code, 4);
    let (all, gaps) = (scene.content(), scene.gaps());
    let told = scene.collect(&[&mine[..], &include].concat());
    assert_eq!((told.code, scene.gaps()), (4, gaps), "{told:?}");
    assert!(told.stdout.contains("of everybody else there is what earlier collections read"), "{told:?}");
    assert_same(&scene.content(), &all);
    let limited = scene.collect(&mine);
    assert!(limited.code == 0 || limited.code == 4, "{limited:?}");
    assert!(scene.content().keys().any(|name| name.starts_with("granting/user/")));
}

/// The plan from what was collected, at the sample's configuration.
fn planned(scene: &Scene) -> (Vec<(String, String)>, Value) {
    let plan = plan(scene, "snap", "plan.json");
    let text = |change: &Value, name: &str| change[name].as_str().unwrap().to_owned();
    let actions = plan["changes"].as_array().unwrap().iter();
    (actions.map(|change| (text(change, "action"), text(change, "address"))).collect(), plan)
}

#[test]
fn what_a_scope_leaves_out_is_told_and_is_no_evidence_of_disuse() {
    let whole = Scene::acme();
    whole.collect_all(&[]);
    let (everything, _) = planned(&whole);
    let is_of_key = |(action, address): &&(String, String)| action == "deactivate" && address.contains("/key/");
    let idle: Vec<&String> = everything.iter().filter(is_of_key).map(|(_, address)| address).collect();
    assert!(!idle.is_empty(), "the sample has an idle key: {everything:?}");

    // Nothing is there of anybody else.
    let scene = Scene::acme();
    let told = scene.collect(&["--principal", "role/checkout-*"]);
    assert_eq!(told.code, 0, "{told:?}");
    let counts = "  Limited by --principal: of everybody else 48 have no report here, and 10 of the users no access-key data; every \
                  plan keeps what is theirs\n";
    assert!(told.stdout.contains(counts), "{told:?}");
    assert!(told.stdout.contains("  Nothing is missing of whoever --principal names\n"), "{told:?}");
    assert!(!scene.content().keys().any(|name| name.starts_with("access-keys/")));
    let (changes, plan) = planned(&scene);
    assert!(!changes.iter().any(|(action, _)| action == "deactivate"), "{changes:?}");
    let principals = plan["principals"].as_array().unwrap();
    for change in plan["changes"].as_array().unwrap() {
        for holder in change["holders"].as_array().unwrap() {
            let arn = principals[usize::try_from(holder.as_u64().unwrap()).unwrap()].as_str().unwrap();
            assert!(arn.contains(":role/checkout-"), "{change:#}");
        }
    }
    let words = ["analyze", "--snapshot", "snap", "--format", "json", "--now", "2026-10-10T06:30:00Z"];
    let analyzed: Value = serde_json::from_str(&scene.run(&words).stdout).unwrap();
    let judged = analyzed["principals"].as_array().unwrap().iter();
    let removable = judged.filter(|principal| principal["actions"]["removable"] != 0);
    let addresses: Vec<&Value> = removable.map(|principal| &principal["address"]).collect();
    assert_eq!(addresses, [&json!("role/checkout-task")]);
    let gaps = plan["gaps"].as_array().unwrap();
    let kinds = |kind: &str| gaps.iter().filter(|gap| gap["kind"] == kind).count();
    assert_eq!(kinds("no-access-keys"), 1);
    assert!(kinds("no-report") > 30, "{gaps:?}");

    // What is there of the others stays, and says as much as before.
    scene.collect_all(&[]);
    let again = scene.collect(&["--principal", "role/checkout-*", "--max-age", "0"]);
    assert!(
        again.stdout.contains("  Limited by --principal: of everybody else there is what earlier collections read\n"),
        "{again:?}"
    );
    let all = scene.collect(&["--principal", "*"]);
    assert!(all.stdout.contains("  --principal names everybody: nobody is left out\n"), "{all:?}");
    assert!(all.stdout.contains("  Nothing is missing\n"), "{all:?}");
    assert_eq!(planned(&scene).0, everything);
}

#[test]
fn a_key_that_was_switched_on_again_lately_is_not_idle() {
    let scene = Scene::acme();
    scene.collect_all(&[]);
    let keys = |changes: Vec<(String, String)>| -> Vec<String> {
        changes.into_iter().filter(|(action, _)| action == "deactivate").map(|(_, address)| address).collect()
    };
    let idle = keys(planned(&scene).0);
    let address = idle.first().unwrap();
    let [_, user, _, id] = address.split('/').collect::<Vec<_>>()[..] else { panic!("{address}") };
    for status in ["Inactive", "Active"] {
        scene.cloud.iam("UpdateAccessKey", &[("UserName", user), ("AccessKeyId", id), ("Status", status)]);
    }
    let found = scene.collect_all(&["--max-age", "0"]);
    let events = found["grants.json"]["events"].as_array().unwrap();
    assert_eq!(events.iter().filter(|event| event["event_name"] == "UpdateAccessKey").count(), 2);
    let left = keys(planned(&scene).0);
    assert!(!left.contains(address) && left.len() == idle.len() - 1, "{left:?}");
}

#[test]
fn the_keys_of_somebody_who_came_under_an_old_name_are_not_taken_over() {
    let scene = Scene::acme();
    let everybody = scene.collect_all(&[]);
    assert!(everybody.contains_key("access-keys/sam.jones.json"));
    let details = &everybody["account-authorization-details.json"];
    let users = details["UserDetailList"].as_array().unwrap();
    let user = users.iter().find(|user| user["UserName"] == "sam.jones").unwrap();
    scene.control("clock", json!({"advance_seconds": 3600}));
    scene.control("delete", json!({"arn": user["Arn"]}));
    scene.cloud.iam("CreateUser", &[("UserName", "sam.jones"), ("Path", user["Path"].as_str().unwrap())]);
    let found = scene.collect_all(&["--principal", "role/checkout-task"]);
    assert!(!found.contains_key("access-keys/sam.jones.json"));
    assert!(found.contains_key("access-keys/li.wei.json"));
    let planned = scene.run(&["plan", "--snapshot", "snap", "--out", "plan.json"]);
    assert_eq!(planned.code, 0, "{planned:?}");
    let plan: Value = serde_json::from_slice(&fs::read(scene.dir.path().join("plan.json")).unwrap()).unwrap();
    let kinds: Vec<&str> = plan["gaps"].as_array().unwrap().iter().filter_map(|gap| gap["kind"].as_str()).collect();
    assert!(kinds.contains(&"no-access-keys"), "{kinds:?}");
    // Whatever comes with it, the event history ends after all that it is asked about.
    assert!(!kinds.contains(&"grants-end-early"), "{kinds:?}");
}

/// Serves files to whoever asks, until the test ends.
fn serve(files: impl Fn(&str, &str) -> Option<String> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let own = root.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            let mut header = String::new();
            while reader.read_line(&mut header).unwrap() > 2 {
                header.clear();
            }
            let path = line.split(' ').nth(1).unwrap_or_default();
            let (status, body) = files(&own, path).map_or(("404 Not Found", String::new()), |body| ("200 OK", body));
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    root
}

#[test]
fn the_service_reference_is_taken_whole_or_not_at_all() {
    let scene = Scene::small();
    let reference = serve(|root, path| {
        match path {
        "/" => Some(json!([{"service": "sqs", "url": format!("{root}/v1/sqs/sqs.json")}]).to_string()),
        "/broken" => Some(json!([{"service": "sqs", "url": format!("{root}/gone")}]).to_string()),
        "/v1/sqs/sqs.json" => Some(
            json!({"Name": "sqs", "Version": "v1.4", "Actions": [{"Name": "FlyQueue", "Annotations": {"Properties": {"IsWrite": true}},
                "SupportedBy": {"IAM Action Last Accessed": true}}], "Resources": [], "Operations": []})
            .to_string(),
        ),
        _ => None,
    }
    });
    let found = scene.collect_all(&["--service-reference", &format!("{reference}/")]);
    assert_eq!(found["catalog/sqs.json"]["Actions"][0]["Name"], "FlyQueue");
    let planned = scene.run(&["plan", "--snapshot", "snap"]);
    assert_eq!(planned.code, 0, "{planned:?}");
    let without = scene.collect(&["--max-age", "0", "--service-reference", &format!("{reference}/broken")]);
    assert_eq!(without.code, 0, "{without:?}");
    assert!(without.stdout.contains("Note: the service reference was left out"), "{without:?}");
    assert!(without.stdout.contains("sqs: HTTP status 404"), "{without:?}");
    assert!(!scene.content().keys().any(|name| name.starts_with("catalog/")));
}

#[test]
fn reports_by_service_are_read_when_they_are_asked_for() {
    let scene = Scene::small();
    let found = scene.collect_all(&["--granularity", "service"]);
    let report = found.iter().find(|(name, _)| name.starts_with("last-accessed/role/")).unwrap().1;
    assert_eq!(report["JobType"], "SERVICE_LEVEL");
    let finer = scene.collect_all(&[]);
    let report = finer.iter().find(|(name, _)| name.starts_with("last-accessed/role/")).unwrap().1;
    assert_eq!(report["JobType"], "ACTION_LEVEL");
}

#[test]
fn more_services_than_one_call_takes_are_asked_for_in_several() {
    let scene = Scene::small();
    let all = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let words = [("RoleName", "ci"), ("PolicyName", "everything"), ("PolicyDocument", all)];
    scene.cloud.iam("PutRolePolicy", &words);
    scene.cloud.running.control("DELETE", "calls", &Value::Null).unwrap();
    let found = scene.collect_all(&["--include", "granting", "--principal", "role/ci"]);
    let names = |file: &str, list: &str| -> Vec<String> {
        let rows = found[file][list].as_array().unwrap().iter();
        rows.map(|row| row["ServiceNamespace"].as_str().unwrap().to_owned()).collect()
    };
    let services = names("last-accessed/role/ci.json", "ServicesLastAccessed");
    assert!(services.len() > 400, "{}", services.len());
    assert_eq!(names("granting/role/ci.json", "PoliciesGrantingServiceAccess"), services);
    assert_eq!(scene.first_pages("ListPoliciesGrantingServiceAccess"), services.len().div_ceil(200));
}

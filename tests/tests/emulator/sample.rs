//! The sample account, loaded and derived: its files are what the emulator, as AWS, answers.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::cloud::{Cloud, Reply};
use crate::acme::{Acme, example};

/// Members of a row and of an action, in the order in which the AWS CLI prints them.
const ROW: [&str; 6] = [
    "ServiceName",
    "LastAuthenticated",
    "ServiceNamespace",
    "LastAuthenticatedEntity",
    "LastAuthenticatedRegion",
    "TotalAuthenticatedEntities",
];
const ACTION: [&str; 4] = ["ActionName", "LastAccessedEntity", "LastAccessedTime", "LastAccessedRegion"];

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// The reports of a snapshot, by file.
fn reports(snapshot: &Path) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    files(&snapshot.join("last-accessed"), &mut found);
    found.sort();
    found.into_iter().map(|path| (path.clone(), read(&path))).collect()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The text of an element, as the AWS CLI prints it.
fn member(element: &str, name: &str) -> Option<Value> {
    let (_, rest) = element.split_once(&format!("<{name}>"))?;
    let text = rest.split_once("</")?.0.replace("&amp;", "&").replace("&apos;", "'");
    assert!(!text.contains('&'), "{text}");
    Some(match name {
        "TotalAuthenticatedEntities" => text.parse::<u64>().unwrap().into(),
        "LastAuthenticated" | "LastAccessedTime" | "JobCreationDate" | "JobCompletionDate" => {
            text.strip_suffix('Z').map(|text| format!("{text}+00:00")).unwrap().into()
        }
        _ => text.into(),
    })
}

fn members(element: &str, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), member(element, name)?))).collect()
}

/// The rows of an answer as the AWS CLI prints them.
fn rows(reply: &Reply) -> Vec<Value> {
    let row = |text: &str| {
        let text = format!("<ServiceName>{text}");
        let (own, actions) = text.split_once("<TrackedActionsLastAccessed>").unwrap_or((&text, ""));
        let mut row = members(own, &ROW);
        let action = |text: &str| Value::from(members(&format!("<ActionName>{text}"), &ACTION));
        let actions: Vec<Value> = actions.split("<ActionName>").skip(1).map(action).collect();
        if !actions.is_empty() {
            row.insert(String::from("TrackedActionsLastAccessed"), actions.into());
        }
        row.into()
    };
    reply.body.split("<ServiceName>").skip(1).map(row).collect()
}

/// Has a report made; reads the state of its job, and its rows if it has any.
fn report(cloud: &Cloud, arn: &str, granularity: &str) -> Value {
    let params = [("Arn", arn), ("Granularity", granularity)];
    let job = cloud.iam("GenerateServiceLastAccessedDetails", &params).text("JobId");
    let reply = cloud.iam("GetServiceLastAccessedDetails", &[("JobId", &job), ("MaxItems", "1000")]);
    let mut report = members(&reply.body, &["JobStatus", "JobType", "JobCreationDate", "JobCompletionDate"]);
    if reply.has("Error") {
        report.insert(String::from("Error"), members(&reply.body, &["Message", "Code"]).into());
    }
    if report["JobStatus"] != "IN_PROGRESS" {
        report.insert(String::from("ServicesLastAccessed"), rows(&reply).into());
    }
    report.insert(String::from("Arn"), arn.into());
    report.into()
}

/// A report as a file: an action a line.
fn text(report: &Value) -> String {
    let names = ["JobStatus", "JobType", "JobCreationDate", "JobCompletionDate", "Error", "Arn"];
    let mut text = String::from("{");
    for name in names.iter().filter(|name| report.get(**name).is_some()) {
        write!(text, "{}\"{name}\": {}", if text == "{" { "" } else { ",\n" }, report[*name]).unwrap();
    }
    let Some(rows) = report["ServicesLastAccessed"].as_array() else { return text + "}\n" };
    text += ",\n\"IsTruncated\": false,\n\"ServicesLastAccessed\": [";
    for (at, row) in rows.iter().enumerate() {
        text += if at > 0 { ",\n" } else { "\n" };
        write_members(&mut text, row, &ROW);
        if let Some(actions) = row["TrackedActionsLastAccessed"].as_array() {
            text += ",\"TrackedActionsLastAccessed\":[";
            for (at, action) in actions.iter().enumerate() {
                text += if at > 0 { ",\n" } else { "\n" };
                write_members(&mut text, action, &ACTION);
                text += "}";
            }
            text += "]";
        }
        text += "}";
    }
    text + "]}\n"
}

fn write_members(text: &mut String, value: &Value, names: &[&str]) {
    let mut separator = "{";
    for name in names.iter().filter(|name| value.get(**name).is_some()) {
        write!(text, "{separator}\"{name}\":{}", value[*name]).unwrap();
        separator = ",";
    }
}

/// Writes the digests of the files into the manifest.
fn write_digests(snapshot: &Path) {
    let path = snapshot.join("manifest.json");
    let mut manifest = fs::read_to_string(&path).unwrap();
    let known = read(&path);
    for (name, digest) in known["files"].as_object().unwrap() {
        let now: String =
            Sha256::digest(fs::read(snapshot.join(name)).unwrap()).iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            });
        let entry = |digest: &str| format!("\"{name}\": \"{digest}\"");
        manifest = manifest.replace(&entry(digest.as_str().unwrap()), &entry(&now));
    }
    fs::write(path, manifest).unwrap();
}

#[test]
fn the_reports_of_the_sample_are_what_the_emulator_derives() {
    let cloud = Cloud::acme(|_| ());
    let snapshot = example().join("snapshot");
    let mut same = 0;
    for (path, recorded) in reports(&snapshot).iter().filter(|(_, report)| report["JobStatus"] == "COMPLETED") {
        let mut derived = report(&cloud, recorded["Arn"].as_str().unwrap(), recorded["JobType"].as_str().unwrap());
        for name in ["JobCreationDate", "JobCompletionDate"] {
            derived[name] = recorded[name].clone();
        }
        if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
            fs::write(path, text(&derived)).unwrap();
        }
        assert_eq!(derived["ServicesLastAccessed"], read(path)["ServicesLastAccessed"], "{}", path.display());
        same += 1;
    }
    if std::env::var_os("UPDATE").is_some_and(|update| update == "1") {
        write_digests(&snapshot);
    }
    assert_eq!(same, 46, "of 49 principals one has no report, one has a FAILED one, one is not finished");
}

/// Leaves the day of when evidence begins.
fn to_days(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(to_days),
        Value::Object(members) => {
            for (name, value) in members {
                match value
                    .as_str()
                    .filter(|_| name == "since")
                    .and_then(|since| since.split('T').next())
                    .map(str::to_owned)
                {
                    Some(day) => *value = day.into(),
                    None => to_days(value),
                }
            }
        }
        _ => {}
    }
}

#[test]
fn the_plan_from_derived_reports_is_that_of_the_samples_files() {
    // Before the moment up to which the sample's event history tells of grants.
    let cloud = Cloud::acme(|options| options.now = Some(String::from("2026-10-10T06:25:00Z")));
    let acme = Acme::copy();
    let snapshot = acme.path("snapshot");
    for (path, recorded) in reports(&snapshot) {
        let arn = recorded["Arn"].as_str().unwrap();
        let fault = |more: Value| {
            let mut fault = json!({"operation": "GenerateServiceLastAccessedDetails", "parameters": {"Arn": arn}});
            fault.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            cloud.control("faults", fault);
        };
        match recorded["JobStatus"].as_str().unwrap() {
            "FAILED" => {
                let error = &recorded["Error"];
                fault(json!({"effect": "fail-job", "code": error["Code"], "message": error["Message"]}));
            }
            "IN_PROGRESS" => fault(json!({"effect": "slow-job", "seconds": 3600})),
            _ => {}
        }
        let granularity = recorded["JobType"].as_str().unwrap_or("ACTION_LEVEL");
        fs::write(path, text(&report(&cloud, arn, granularity))).unwrap();
    }
    write_digests(&snapshot);
    let (mut of_files, mut of_derived) = (Acme::copy().plan(), acme.plan());
    assert_eq!(of_derived["changes_digest"], of_files["changes_digest"]);
    // Reports of other minutes have other digests, and what is 400 days before them is another minute.
    for plan in [&mut of_files, &mut of_derived] {
        for name in ["digest", "inputs", "reports"] {
            plan.as_object_mut().unwrap().remove(name).unwrap();
        }
        to_days(plan);
    }
    assert_eq!(of_derived, of_files);
    let without_digest = |text: &str| text.lines().filter(|line| !line.starts_with("Digest: ")).count();
    let page = fs::read_to_string(example().join("plan.txt")).unwrap();
    let text = String::from_utf8(acme.plan_with(&[]).stdout).unwrap();
    let other = text.lines().zip(page.lines()).find(|(own, other)| own != other && !own.starts_with("Digest: "));
    assert_eq!((other, without_digest(&text)), (None, without_digest(&page)));
}

#[test]
fn a_snapshot_made_by_hand_of_details_alone_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/small/account-authorization-details.json");
    fs::copy(sample, folder.path().join("account-authorization-details.json")).unwrap();
    let options = secateur_tests::emulator::Options { account: Some(folder.path().into()), ..Default::default() };
    let cloud = Cloud::with(options);
    assert_eq!(cloud.iam("GetUser", &[("UserName", "ann")]).text("UserId"), "AIDAEXAMPLEANN");
}

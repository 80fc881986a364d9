//! Plans and journals that somebody forged: exit code 3, with the reason, and no write.

use std::fs;

use serde_json::{Value, json};

use super::stage::{PLAN, Play, Stage};
use super::town::{Kind, essence};
use crate::cli::planfile::{seal, sha256_hex};

const SEVERAL: Kind =
    Kind { name: "several", config: "", target: &["role/put/inline/*", "policy/shared", "user/keyed/*"] };

#[test]
fn a_forged_plan_is_refused_though_its_digests_are_true() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let before = essence(&play.cloud);
    let plan = play.plan();
    let at = |address: &str| {
        plan["changes"].as_array().unwrap().iter().position(|change| change["address"] == address).unwrap()
    };
    let role = at("role/put/inline/p");
    type Edit<'a> = (&'a str, Box<dyn Fn(&mut Value) + 'a>);
    let edits: Vec<Edit<'_>> = vec![
        ("calls", Box::new(|plan| plan["changes"][role]["calls"][0]["operation"] = "iam:PutUserPolicy".into())),
        ("inverse", Box::new(|plan| plan["changes"][role]["inverse"] = json!([]))),
        (
            "after",
            Box::new(|plan| {
                let after = plan["changes"][role]["after"].as_str().unwrap().replace("ListFunctions", "*");
                plan["changes"][role]["after"] = after.into();
            }),
        ),
        ("removed", Box::new(|plan| plan["changes"][role]["removed"] = json!([]))),
        ("expects", Box::new(|plan| plan["changes"][role]["expects"]["inline_size"] = json!(1))),
        ("target", Box::new(|plan| plan["changes"][role]["target"]["owner"] = "role/large".into())),
        ("account", Box::new(|plan| plan["account"]["id"] = "999999999999".into())),
        ("endpoint", Box::new(|plan| plan["account"]["endpoint"] = Value::Null)),
        ("now", Box::new(|plan| plan["window"]["now"] = "2026-01-01T00:00:00Z".into())),
    ];
    // Without true digests it is refused before anything else.
    fs::write(play.path(PLAN), plan.to_string().replacen("lambda:DeleteFunction", "lambda:ListFunctions", 1)).unwrap();
    let answer = play.apply(&["--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "edited-plan", "{answer}");
    for (what, edit) in edits {
        let mut forged = plan.clone();
        edit(&mut forged);
        seal(&mut forged);
        fs::write(play.path(PLAN), forged.to_string()).unwrap();
        let answer = play.apply(&["--format", "json"]);
        assert_eq!(answer.code, 3, "{what}: {answer}");
        println!("{what}: {}", answer.reason());
        assert_eq!(essence(&play.cloud), before, "{what}");
        assert_eq!(play.journals(), [""; 0], "{what}");
    }
}

#[test]
fn a_plan_of_another_endpoint_or_account_does_not_reach_this_one() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let other = Stage::new();
    let elsewhere = other.play(&SEVERAL);
    let before = essence(&elsewhere.cloud);
    let mut command = play.command(&["apply", PLAN, "--auto-approve", "--no-recheck", "--format", "json"]);
    let output = command.env("AWS_ENDPOINT_URL", elsewhere.cloud.running.url()).output().unwrap();
    let answer = super::stage::answer(output).ended_with(3);
    assert_eq!(answer.reason(), "other-endpoint");
    assert_eq!(essence(&elsewhere.cloud), before);
}

fn forge(play: &Play, id: &str, edit: impl Fn(&mut Value)) {
    write_anew(play, id, |entry| edit(&mut entry["record"]));
}

/// Writes the entries of a journal anew, with a chain of its own.
pub fn write_anew(play: &Play, id: &str, edit: impl Fn(&mut Value)) {
    let path = play.path(&format!(".secateur/journal/{id}.jsonl"));
    let mut prev = "0".repeat(64);
    let mut forged = String::new();
    for line in fs::read_to_string(&path).unwrap().lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        edit(&mut line["entry"]);
        line["entry"]["prev"] = prev.clone().into();
        // In the order of the file, members of tagged records come first; any order is read.
        let entry = line["entry"].to_string();
        prev = sha256_hex(entry.as_bytes());
        forged.push_str(&format!("{{\"hash\":\"{prev}\",\"entry\":{entry}}}\n"));
    }
    fs::write(path, forged).unwrap();
}

#[test]
fn a_forged_journal_is_not_gone_on_with_and_its_rollback_has_another_digest() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let id = play.stop_after_one_write();
    let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
    let head = rows[0]["head"].as_str().unwrap().to_owned();
    let honest = play.run(&["rollback", &id, "--approve", &"0".repeat(64), "--settle", "0"]);
    let digest = |page: &str| page.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned();
    let honest = digest(&honest.stdout);
    let before = essence(&play.cloud);
    forge(&play, &id, |record| {
        if record["record"] == "begin" {
            let steps = record["steps"].to_string().replace("lambda:DeleteFunction", "iam:CreateAccessKey");
            record["steps"] = serde_json::from_str(&steps).unwrap();
        }
    });
    let answer = play.run(&["apply", "--resume", "--auto-approve", "--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "edited-journal", "{answer}");
    let pinned = play.run(&["rollback", &id, "--auto-approve", "--expect-head", &head]).ended_with(3);
    assert!(pinned.stderr.contains("the head of"), "{pinned}");
    let approved = play.run(&["rollback", &id, "--approve", &honest, "--settle", "0"]).ended_with(3);
    assert!(!approved.stdout.contains(&honest), "{approved}");
    assert_eq!(essence(&play.cloud), before);
}

/// The document of a role's inline policy, as AWS has it.
fn document_of(play: &Play) -> String {
    let answer = play.cloud.iam("GetRolePolicy", &[("RoleName", "put"), ("PolicyName", "p")]);
    let document = answer.body.split("<PolicyDocument>").nth(1).unwrap();
    document.split('<').next().unwrap().to_owned()
}

#[test]
fn a_forged_journal_is_not_taken_back_on_its_word() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    play.apply(&["--target", "role/put/*"]).ended_with(0);
    let id = play.journals().remove(0);
    let before = document_of(&play);
    let path = play.path(&format!(".secateur/journal/{id}.jsonl"));
    let honest = fs::read(&path).unwrap();
    let to_admin = |with_expects: bool| {
        forge(&play, &id, |record| {
            if record["record"] == "begin" {
                let admin = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
                record["steps"][0]["effect"]["before"] = admin.into();
                if with_expects {
                    record["steps"][0]["expects"]["document"] = Value::Null;
                }
            }
        });
    };
    // What it expected is another document; and without that, it is not what the plan bears.
    for with_expects in [false, true] {
        to_admin(with_expects);
        let answer = play.rollback(&["--format", "json"]).ended_with(3);
        assert_eq!(answer.reason(), "edited-journal", "{answer}");
        fs::write(&path, &honest).unwrap();
    }
    // Without the plan nobody can tell: then somebody has to look, or to have pinned it.
    let head = |play: &Play| {
        let rows: Value = serde_json::from_str(&play.run(&["history", "--format", "json"]).stdout).unwrap();
        rows[0]["head"].as_str().unwrap().to_owned()
    };
    let pinned = head(&play);
    fs::remove_file(play.path(PLAN)).unwrap();
    to_admin(true);
    let answer = play.rollback(&["--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "unapproved", "{answer}");
    play.rollback(&["--expect-head", &pinned]).ended_with(3);
    assert_eq!(document_of(&play), before);
    fs::write(&path, &honest).unwrap();
    play.rollback(&["--expect-head", &pinned]).ended_with(0);
    assert_ne!(document_of(&play), before);
}

#[test]
fn a_plan_and_its_journal_that_were_forged_together_are_not_taken_back_unlooked_at() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    play.apply(&["--target", "role/put/*"]).ended_with(0);
    let id = play.journals().remove(0);
    let before = document_of(&play);
    let (plan, journal) = (play.path(PLAN), play.path(&format!(".secateur/journal/{id}.jsonl")));
    let honest = [fs::read(&plan).unwrap(), fs::read(&journal).unwrap()];
    let admin = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
    let mut forged = play.plan();
    let of_role = |change: &&mut Value| change["address"] == "role/put/inline/p";
    let change = forged["changes"].as_array_mut().unwrap().iter_mut().find(of_role).unwrap();
    (change["before"], change["expects"]["document"]) = (admin.into(), Value::Null);
    seal(&mut forged);
    fs::write(&plan, forged.to_string()).unwrap();
    forge(&play, &id, |record| {
        if record["record"] == "begin" {
            record["steps"][0]["effect"]["before"] = admin.into();
            record["steps"][0]["expects"]["document"] = Value::Null;
            record["origin"]["digest"] = forged["digest"].clone();
        }
    });
    let unlooked_at = |words: &str| {
        let answer = play.rollback(&["--format", "json"]).ended_with(3);
        assert_eq!(answer.reason(), "unapproved", "{answer}");
        assert!(answer.stderr.contains("its plan cannot be proved again") && answer.stderr.contains(words), "{answer}");
        assert_eq!(document_of(&play), before);
    };
    unlooked_at("role/put/inline/p");
    fs::write(&plan, &honest[0]).unwrap();
    fs::write(&journal, &honest[1]).unwrap();
    // Where a newer snapshot lies in the place of the plan's, the old one is named.
    fs::rename(play.path(".secateur/snapshot"), play.path("kept")).unwrap();
    play.run(&["collect", "--rate", "max", "-q"]).ended_with(0);
    unlooked_at("is not the snapshot that the plan was made from");
    play.rollback(&["--snapshot", "kept"]).ended_with(0);
    assert_ne!(document_of(&play), before);
}

#[test]
fn a_version_that_need_not_go_does_not_go() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let id = play.stop_after_one_write();
    forge(&play, &id, |record| {
        if record["record"] == "begin" {
            let mut steps = record["steps"].as_array().unwrap().clone();
            let at = steps.iter().position(|step| step["effect"]["effect"] == "create-version").unwrap();
            let mut more = steps[at].clone();
            let (policy, document) = (more["effect"]["policy"].clone(), more["effect"]["document"].clone());
            let version = json!({ "version": { "id": "v1" }, "document": document });
            more["effect"] = json!({ "effect": "delete-version", "policy": policy, "version": version });
            steps.insert(at, more);
            record["steps"] = steps.into();
        }
    });
    let answer = play.run(&["apply", "--resume", "--auto-approve", "--format", "json"]).ended_with(3);
    assert_eq!(answer.reason(), "edited-journal", "{answer}");
    assert!(answer.stderr.contains("there is room"), "{answer}");
}

#[test]
fn a_journal_of_another_format_is_named_as_such_and_what_to_do_about_it() {
    let stage = Stage::new();
    for format in ["1.0", "2.0"] {
        let play = stage.play(&SEVERAL);
        let id = play.stop_after_one_write();
        let before = essence(&play.cloud);
        forge(&play, &id, |record| {
            if record["record"] == "begin" {
                record["format_version"] = format.into();
                // A later one may have what this build does not know, and lack what it does.
                if format == "2.0" {
                    record["steps"] = json!({ "more": 1 });
                }
            }
        });
        for arguments in [&["apply", "--resume", "--auto-approve"][..], &["rollback", &id, "--auto-approve"]] {
            let answer = play.run(&[arguments, &["--format", "json"]].concat()).ended_with(3);
            assert_eq!(answer.reason(), "other-format", "{answer}");
            let said = format!("the journal is of format {format}, and this secateur reads 1.2");
            assert!(answer.stderr.contains(&said) && !answer.stderr.contains("edited"), "{answer}");
            assert!(answer.stderr.contains("move the file out of the folder"), "{answer}");
        }
        assert_eq!(essence(&play.cloud), before);
        // What is named works.
        let file = play.path(&format!(".secateur/journal/{id}.jsonl"));
        fs::rename(&file, play.path("kept.jsonl")).unwrap();
        assert!(play.run(&["status"]).ended_with(0).stdout.contains("plan"));
    }
}

//! Open rollbacks whose journal somebody edited, with a chain and a digest of its own: what must follow from the journal below is
//! compared with it, and what was read when it was planned is looked at again, by somebody's eye where it matters.

use serde_json::{Value, json};

use super::chains::{BOTH, last, mixed_team, shown_digest};
use super::exchange::{kind, refused, sealed};
use super::stage::{Play, Stage, answer};
use super::town::{ACCOUNT, essence};
use crate::emulator::cloud::allow;

const RESUME: [&str; 3] = ["apply", "--resume", "--auto-approve"];

/// Starts a rollback, and kills it when so many writes are done. Returns its id.
fn killed(play: &Play, arguments: &[&str], writes: usize) -> String {
    let child = play.start(&[arguments, &["--settle", "2", "--parallelism", "1"]].concat());
    let fault = json!({ "operation": "writes", "skip": writes, "effect": "kill", "pid": child.id(), "after": false });
    play.cloud.control("faults", fault);
    assert_eq!(answer(child.wait_with_output().unwrap()).code, -1);
    play.cloud.running.control("DELETE", "faults", &json!({})).unwrap();
    last(play)
}

fn is(step: &Value, effect: &str) -> bool {
    step["effect"]["effect"] == effect
}

/// Edits the steps of one effect.
fn each(record: &mut Value, effect: &str, edit: impl Fn(&mut Value)) {
    record["steps"].as_array_mut().unwrap().iter_mut().filter(|step| is(step, effect)).for_each(edit);
}

fn without(record: &mut Value, effect: &str) {
    record["steps"].as_array_mut().unwrap().retain(|step| !is(step, effect));
}

#[test]
fn a_forged_rollback_of_a_rollback_leaves_nobody_with_neither() {
    let stage = Stage::with(Box::new(mixed_team));
    let play = stage.play(kind("replace"));
    play.apply(&[]).ended_with(0);
    play.rollback(&[]).ended_with(0);
    let back = last(&play);
    let again = killed(&play, &["rollback", &back, "--auto-approve", "--no-recheck"], 1);
    let file = play.path(&format!(".secateur/journal/{again}.jsonl"));
    let honest = std::fs::read(&file).unwrap();
    let resume = [&RESUME[..], &["--no-recheck"]].concat();
    type Edit = fn(&mut Value);
    let edits: [(Edit, &str); 5] = [
        // The holders would lose the original, and not get the copy.
        (
            |record| {
                without(record, "attach");
                each(record, "detach", |step| drop(step.as_object_mut().unwrap().remove("beside")));
            },
            "was edited",
        ),
        (|record| each(record, "detach", |step| drop(step.as_object_mut().unwrap().remove("beside"))), "its beside"),
        (|record| without(record, "attach"), "it is left out"),
        (|record| each(record, "attach", |step| step["entity_id"] = Value::Null), "its entity_id"),
        (|record| each(record, "detach", |step| step["expects"]["document"] = Value::Null), "its expects"),
    ];
    for (edit, words) in edits {
        sealed(&play, &again, edit);
        refused(&play, &resume, "edited-journal", words);
        refused(&play, &["rollback", &again, "--auto-approve"], "edited-journal", words);
        std::fs::write(&file, &honest).unwrap();
    }
    play.run(&[&resume[..], &["--settle", "2"]].concat()).ended_with(0);
}

#[test]
fn what_was_split_is_not_said_to_be_whole_again() {
    let stage = Stage::new();
    let play = stage.play(kind("split"));
    let start = essence(&play.cloud);
    play.apply(&[]).ended_with(0);
    let id = last(&play);
    let steps = play.records(&id)[0]["steps"].as_array().unwrap().clone();
    let choice = steps.iter().position(|step| is(step, "set-default")).unwrap();
    let back = killed(&play, &["rollback", &id, "--auto-approve"], 0);
    let file = play.path(&format!(".secateur/journal/{back}.jsonl"));
    let honest = std::fs::read(&file).unwrap();
    sealed(&play, &back, |record| {
        without(record, "set-default");
        record["origin"]["kept"] = json!([choice]);
    });
    refused(&play, &RESUME, "drifted", "it was as before when this was planned, and is not now");
    std::fs::write(&file, &honest).unwrap();
    sealed(&play, &back, |record| without(record, "set-default"));
    refused(&play, &RESUME, "edited-journal", "it is left out");
    std::fs::write(&file, honest).unwrap();
    play.resume().ended_with(0);
    assert_eq!(essence(&play.cloud), start);
}

#[test]
fn a_unit_that_a_rollback_says_it_kept_is_not_passed_over_unseen() {
    let stage = Stage::new();
    let play = stage.play(&BOTH);
    play.apply(&[]).ended_with(0);
    let id = last(&play);
    let steps = play.records(&id)[0]["steps"].as_array().unwrap().clone();
    let address = "role/put/inline/p";
    let at = steps.iter().position(|step| step["address"] == address).unwrap();
    let back = killed(&play, &["rollback", &id, "--auto-approve"], 0);
    sealed(&play, &back, |record| {
        record["steps"].as_array_mut().unwrap().retain(|step| step["address"] != address);
        record["origin"]["kept"] = json!([at]);
    });
    let told =
        "role/put/inline/p: rewrite inline policy p of role/put: it was as before when this was planned, and is done";
    refused(&play, &RESUME, "unapproved", told);
    let page = play.run(&["apply", "--resume", "--settle", "2"]).ended_with(3);
    assert!(page.stdout.contains(&format!("  = {told}")), "{page}");
    let digest = page.stdout.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned();
    play.run(&["apply", "--resume", "--approve", &digest, "--settle", "2"]).ended_with(0);
}

#[test]
fn a_version_that_a_forged_rollback_names_comes_into_force_on_no_way() {
    let stage = Stage::new();
    let play = stage.play(kind("update"));
    play.apply(&[]).ended_with(0);
    let id = last(&play);
    let back = killed(&play, &["rollback", &id, "--auto-approve"], 0);
    // Everything is allowed by a version that is not in force; the journal says that it says what was in force before.
    let shared = format!("arn:aws:iam::{ACCOUNT}:policy/shared");
    let wide = allow(&["*"]);
    play.cloud.iam("CreatePolicyVersion", &[("PolicyArn", &shared), ("PolicyDocument", &wide)]);
    let live = play.cloud.iam("ListPolicyVersions", &[("PolicyArn", &shared)]).body;
    let newest = live.split("<VersionId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    sealed(&play, &back, |record| {
        each(record, "set-default", |step| step["effect"]["to"]["version"] = json!({ "id": newest }));
    });
    refused(&play, &RESUME, "edited-journal", "its versions");
    refused(&play, &["rollback", &back, "--auto-approve"], "edited-journal", "its versions");
    // Where nothing is left to compare it with, it is read before it comes into force, whoever approved of it.
    std::fs::remove_file(play.path(&format!(".secateur/journal/{id}.jsonl"))).unwrap();
    let page = play.run(&["apply", "--resume", "--settle", "2"]).ended_with(3);
    let digest = page.stdout.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned();
    let before = essence(&play.cloud);
    let answer = play.run(&["apply", "--resume", "--approve", &digest, "--no-recheck", "--settle", "2"]);
    assert!(answer.code == 4 && answer.stderr.contains(&format!("the document of {newest} is another")), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn who_came_since_gets_nothing_by_a_resume_that_nobody_looked_at() {
    let stage = Stage::new();
    let shared = format!("arn:aws:iam::{ACCOUNT}:policy/shared");
    let come = |play: &Play| {
        play.cloud.iam("AttachRolePolicy", &[("RoleName", "queues"), ("PolicyArn", &shared)]);
    };
    let says = |play: &Play, marks: &str| {
        refused(play, &[&RESUME[..], &["--no-recheck"]].concat(), "unapproved", marks);
        let answer = play.run(&["apply", "--resume", "--no-recheck", "--auto-approve", "--settle", "2"]).ended_with(3);
        assert!(answer.stdout.contains(&format!("  ! policy/shared: {marks}")), "{answer}");
        // What is named works.
        let digest = answer.stdout.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned();
        assert!(answer.stderr.contains(&format!("--approve {digest}")), "{answer}");
        play.run(&["apply", "--resume", "--no-recheck", "--approve", &digest, "--settle", "2"]).ended_with(0);
    };
    let gets = "role/queues has got it since, and gets this too";

    // The journal says that whoever came was expected.
    let play = stage.play(kind("update"));
    play.apply(&[]).ended_with(0);
    let back = killed(&play, &["rollback", &last(&play), "--auto-approve"], 0);
    come(&play);
    sealed(&play, &back, |record| {
        each(record, "set-default", |step| {
            let expects = &mut step["expects"];
            expects["attachments"].as_array_mut().unwrap().push("role/queues".into());
            expects["attachments"].as_array_mut().unwrap().sort_by_key(|own| own.to_string());
            let mut own = expects["holders"][0].clone();
            own["arn"] = format!("arn:aws:iam::{ACCOUNT}:role/queues").into();
            let live = play.cloud.iam("GetRole", &[("RoleName", "queues")]).body;
            own["unique_id"] = live.split("<RoleId>").nth(1).unwrap().split('<').next().unwrap().into();
            expects["holders"].as_array_mut().unwrap().push(own);
        });
    });
    says(&play, gets);
    drop(play);

    // They were seen by whoever approved of the rollback, and by nobody who goes on with it.
    let play = stage.play(kind("update"));
    play.apply(&[]).ended_with(0);
    come(&play);
    let id = last(&play);
    let digest = shown_digest(&play, &id, &[]);
    killed(&play, &["rollback", &id, "--approve", &digest], 0);
    says(&play, gets);

    drop(play);

    // Nor do they lose it so.
    let play = stage.play(kind("update"));
    play.apply(&[]).ended_with(0);
    play.rollback(&[]).ended_with(0);
    come(&play);
    let back = last(&play);
    let digest = shown_digest(&play, &back, &["--no-recheck"]);
    killed(&play, &["rollback", &back, "--no-recheck", "--approve", &digest], 0);
    says(&play, "role/queues has got it since, and loses this too");
}

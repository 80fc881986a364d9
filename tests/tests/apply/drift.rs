//! What somebody else does between plan and apply, and between check and write: refused or stopped, and their work stands.

use serde_json::json;

use super::stage::{PLAN, Play, Stage, answer};
use super::town::{ACCOUNT, Kind, essence, used_now};
use crate::emulator::cloud::{Cloud, allow};

const SEVERAL: Kind = Kind {
    name: "several",
    config: "",
    target: &["role/put/inline/*", "user/writer/inline/*", "group/team/inline/*", "policy/shared", "role/del/inline/q"],
};

fn shared() -> String {
    format!("arn:aws:iam::{ACCOUNT}:policy/shared")
}

type Act = fn(&Cloud);

/// Everything that may have happened, and the word that says so.
const ACTS: [(&str, &str, Act); 9] = [
    ("edits an inline policy", "document", |cloud| {
        let theirs = allow(&["lambda:ListFunctions", "s3:CreateBucket"]);
        cloud.iam("PutRolePolicy", &[("RoleName", "put"), ("PolicyName", "p"), ("PolicyDocument", &theirs)]);
    }),
    ("deletes an inline policy", "gone", |cloud| {
        cloud.iam("DeleteRolePolicy", &[("RoleName", "put"), ("PolicyName", "p")]);
    }),
    ("sets another version in force", "version", |cloud| {
        let (arn, theirs) = (shared(), allow(&["lambda:ListFunctions"]));
        let params = [("PolicyArn", arn.as_str()), ("PolicyDocument", &theirs), ("SetAsDefault", "true")];
        cloud.iam("CreatePolicyVersion", &params);
    }),
    ("detaches", "attachments", |cloud| {
        cloud.iam("DetachRolePolicy", &[("RoleName", "two"), ("PolicyArn", &shared())]);
    }),
    ("adds a holder", "holders", |cloud| {
        cloud.iam("AttachRolePolicy", &[("RoleName", "queues"), ("PolicyArn", &shared())]);
    }),
    ("adds a member", "memberships", |cloud| {
        cloud.iam("AddUserToGroup", &[("GroupName", "team"), ("UserName", "keyed")]);
    }),
    ("makes it a boundary", "boundary-use", |cloud| {
        cloud.iam("PutUserPermissionsBoundary", &[("UserName", "keyed"), ("PermissionsBoundary", &shared())]);
    }),
    ("deletes a user and makes another of the name", "recreated", |cloud| {
        cloud.control("delete", json!({ "arn": format!("arn:aws:iam::{ACCOUNT}:user/writer") }));
        cloud.user("writer", &allow(&["lambda:ListFunctions", "lambda:DeleteFunction"]));
    }),
    ("deletes a group and makes it again as it was", "recreated", make_the_group_again),
];

/// The same members, the same inline policies, the same attachment: only its unique id is another.
fn make_the_group_again(cloud: &Cloud) {
    let (queues, both) =
        (allow(&["sqs:CreateQueue", "sqs:DeleteQueue"]), allow(&["lambda:ListFunctions", "lambda:DeleteFunction"]));
    cloud.control("delete", json!({ "arn": format!("arn:aws:iam::{ACCOUNT}:group/team") }));
    cloud.iam("CreateGroup", &[("GroupName", "team")]);
    cloud.iam("AddUserToGroup", &[("GroupName", "team"), ("UserName", "member")]);
    cloud.iam("PutGroupPolicy", &[("GroupName", "team"), ("PolicyName", "g"), ("PolicyDocument", &both)]);
    cloud.iam("PutGroupPolicy", &[("GroupName", "team"), ("PolicyName", "q"), ("PolicyDocument", &queues)]);
    let idle = format!("arn:aws:iam::{ACCOUNT}:policy/idle");
    cloud.iam("AttachGroupPolicy", &[("GroupName", "team"), ("PolicyArn", &idle)]);
}

#[test]
fn an_attachment_of_a_group_that_was_made_again_is_left_as_it_is() {
    let stage = Stage::new();
    let kind = Kind { name: "off", config: "", target: &["group/team/attached/*"] };
    let play = stage.play(&kind);
    assert!(play.plan()["changes"][0]["expects"]["group_id"].is_string(), "{}", play.plan());
    make_the_group_again(&play.cloud);
    let before = essence(&play.cloud);
    let answer = play.apply(&[]).ended_with(3);
    assert!(answer.stderr.contains("the group was deleted and made again"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    drop(play);
    // Between the apply and its rollback: it is another group's.
    let play = stage.play(&kind);
    play.apply(&[]).ended_with(0);
    make_the_group_again(&play.cloud);
    play.cloud.iam(
        "DetachGroupPolicy",
        &[("GroupName", "team"), ("PolicyArn", &format!("arn:aws:iam::{ACCOUNT}:policy/idle"))],
    );
    let answer = play.rollback(&[]).ended_with(3);
    assert!(answer.stderr.contains("was deleted and made again"), "{answer}");
}

#[test]
fn a_policy_of_a_group_that_was_made_again_is_left_as_it_is() {
    let attach = |cloud: &Cloud| cloud.iam("AttachGroupPolicy", &[("GroupName", "team"), ("PolicyArn", &shared())]);
    let stage = Stage::with(Box::new(move |cloud, _| drop(attach(cloud))));
    let kind = Kind { name: "shared", config: "", target: &["policy/shared"] };
    let play = stage.play(&kind);
    let groups = play.plan()["changes"][0]["expects"]["groups"].clone();
    assert_eq!(groups[0]["arn"], format!("arn:aws:iam::{ACCOUNT}:group/team"), "{groups}");
    make_the_group_again(&play.cloud);
    attach(&play.cloud);
    let before = essence(&play.cloud);
    let answer = play.apply(&[]).ended_with(3);
    assert!(answer.stderr.contains(": recreated: ") && answer.stderr.contains("group/team was deleted"), "{answer}");
    assert_eq!((essence(&play.cloud), play.journals().len()), (before, 0));
    let live = play.run(&["verify", PLAN, "--live", "--detailed-exitcode"]).ended_with(2);
    assert!(live.stdout.contains("recreated"), "{live}");
    drop(play);
    // Between the apply and its rollback: somebody has to have seen that it is another one.
    let play = stage.play(&kind);
    play.apply(&[]).ended_with(0);
    make_the_group_again(&play.cloud);
    attach(&play.cloud);
    let answer = play.rollback(&[]).ended_with(3);
    assert!(answer.stdout.contains("  ! policy/shared: group/team was made anew since"), "{answer}");
}

#[test]
fn what_moved_since_the_plan_is_refused_before_the_first_write() {
    let stage = Stage::new();
    for (what, word, act) in ACTS {
        let play = stage.play(&SEVERAL);
        act(&play.cloud);
        let theirs = essence(&play.cloud);
        let answer = play.apply(&[]).ended_with(3);
        assert!(answer.stderr.contains("no longer match"), "{what}: {answer}");
        assert!(answer.stderr.contains(&format!(": {word}: ")), "{what}: {answer}");
        assert_eq!(essence(&play.cloud), theirs, "{what}: their work stands");
        assert_eq!(play.journals(), [""; 0], "{what}: nothing was begun");
        let live = play.run(&["verify", PLAN, "--live", "--detailed-exitcode"]).ended_with(2);
        assert!(live.stdout.contains("Drift"), "{live}");
    }
    let play = stage.play(&SEVERAL);
    let live = play.run(&["verify", PLAN, "--live", "--detailed-exitcode"]).ended_with(0);
    assert!(live.stdout.contains("No drift"), "{live}");
}

/// Holds the first write, lets somebody act, and lets it go on.
fn meanwhile(play: &Play, act: impl FnOnce(&Cloud)) -> crate::cli::Answer {
    play.cloud.control("faults", json!({ "operation": "writes", "effect": "hold", "after": true }));
    // One at a time: which one is held, and which come after it, is known.
    let apply = ["apply", PLAN, "--auto-approve", "--no-recheck", "--settle", "1", "--parallelism", "1"];
    let child = play.start(&apply);
    play.wait_until_held();
    act(&play.cloud);
    play.cloud.running.control("POST", "release", &json!({})).unwrap();
    answer(child.wait_with_output().unwrap())
}

#[test]
fn what_moves_between_check_and_write_stops_it_and_stands() {
    let stage = Stage::new();
    // The order is that of entities, so that the writes of `user/writer` come last.
    let acts: [(&str, Act); 3] = [
        ("edits", |cloud| {
            let theirs = allow(&["lambda:ListFunctions", "s3:CreateBucket"]);
            cloud.iam("PutUserPolicy", &[("UserName", "writer"), ("PolicyName", "p"), ("PolicyDocument", &theirs)]);
        }),
        ("deletes", |cloud| {
            cloud.iam("DeleteUserPolicy", &[("UserName", "writer"), ("PolicyName", "p")]);
        }),
        ("recreates", |cloud| {
            cloud.control("delete", json!({ "arn": format!("arn:aws:iam::{ACCOUNT}:user/writer") }));
            cloud.user("writer", &allow(&["lambda:ListFunctions", "lambda:DeleteFunction"]));
        }),
    ];
    for (what, act) in acts {
        let play = stage.play(&SEVERAL);
        let before = essence(&play.cloud);
        let answer = meanwhile(&play, act).ended_with(4);
        assert!(answer.stderr.contains("user/writer/inline/p"), "{what}: {answer}");
        // What works comes first: it is not gone on with before that is mended.
        let back = format!("help: `secateur rollback {}` goes back", play.journals()[0]);
        assert!(answer.stderr.contains(&back), "{what}: {answer}");
        let is_theirs = |key: &String| key.starts_with("UserName writer");
        let theirs: Vec<_> = essence(&play.cloud).into_iter().filter(|(key, _)| is_theirs(key)).collect();
        play.rollback(&[]).ended_with(0);
        let after = essence(&play.cloud);
        for (key, value) in before.iter().filter(|(key, _)| !is_theirs(key)) {
            assert_eq!(after.get(key), Some(value), "{what}: {key}");
        }
        let left: Vec<_> = after.into_iter().filter(|(key, _)| is_theirs(key)).collect();
        assert_eq!(left, theirs, "{what}: their work stands, and what was deleted stays deleted");
    }
}

#[test]
fn a_holder_who_comes_between_check_and_write_stops_it() {
    let stage = Stage::new();
    let play = stage.play(&Kind { target: &["group/team/inline/*", "policy/shared"], ..SEVERAL });
    let answer = meanwhile(&play, |cloud| {
        cloud.iam("AttachRolePolicy", &[("RoleName", "queues"), ("PolicyArn", &shared())]);
    })
    .ended_with(4);
    assert!(answer.stderr.contains("role/queues has got it since the plan"), "{answer}");
}

#[test]
fn a_removed_action_that_was_used_since_the_plan_is_withheld_with_its_time() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    used_now(&play.cloud, "role/put", "lambda:DeleteFunction");
    let checked = ["apply", PLAN, "--auto-approve", "--settle", "2"];
    let answer = play.run(&checked).ended_with(0);
    assert!(answer.stderr.contains("Withheld: role/put/inline/p"), "{answer}");
    assert!(answer.stderr.contains("last used by role/put at 20"), "{answer}");
    assert!(answer.stdout.contains("5 changes made, 1 withheld"), "{answer}");
    let text = essence(&play.cloud)["RoleName put inline p"].clone();
    assert!(text.contains("DeleteFunction"), "{text}");
    drop(play);

    let play = stage.play(&Kind { name: "one", target: &["role/put/inline/*"], ..SEVERAL });
    used_now(&play.cloud, "role/put", "lambda:DeleteFunction");
    let before = essence(&play.cloud);
    let answer = play.run(&checked).ended_with(3);
    assert!(answer.stderr.contains("nothing of what was planned"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    play.apply(&[]).ended_with(0);
}

#[test]
fn a_rollback_refuses_what_somebody_else_has_changed_since() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    play.apply(&[]).ended_with(0);
    let theirs = allow(&["s3:CreateBucket"]);
    play.cloud.iam("PutRolePolicy", &[("RoleName", "put"), ("PolicyName", "p"), ("PolicyDocument", &theirs)]);
    let before = essence(&play.cloud);
    let answer = play.rollback(&[]).ended_with(3);
    assert!(answer.stderr.contains("somebody else has changed"), "{answer}");
    assert_eq!(essence(&play.cloud), before);
    let answer = play.rollback(&["--target", "policy/shared", "--target", "user/*"]).ended_with(0);
    assert!(answer.stdout.contains("2 changes made"), "{answer}");
    assert_eq!(essence(&play.cloud)["RoleName put inline p"], before["RoleName put inline p"]);
}

#[test]
fn what_was_used_since_it_stopped_is_passed_over_when_it_goes_on() {
    let stage = Stage::new();
    let play = stage.play(&SEVERAL);
    let before = essence(&play.cloud);
    let fault = json!({ "operation": "writes", "skip": 1, "effect": "error", "code": "AccessDenied", "status": 403 });
    play.cloud.control("faults", fault);
    play.apply(&["--parallelism", "1"]).ended_with(4);
    used_now(&play.cloud, "user/writer", "lambda:DeleteFunction");
    let answer = play.resume().ended_with(0);
    assert!(answer.stderr.contains("Withheld: user/writer/inline/p"), "{answer}");
    assert!(answer.stdout.contains("5 changes made, 1 withheld"), "{answer}");
    assert_eq!(essence(&play.cloud)["UserName writer inline p"], before["UserName writer inline p"]);
    play.rollback(&[]).ended_with(0);
    assert_eq!(essence(&play.cloud), before);
}

#[test]
fn of_several_stops_before_anything_was_done_all_are_named() {
    let stage = Stage::new();
    let kind = Kind { name: "roles", config: "", target: &["role/put/inline/*", "role/del/inline/q"] };
    let play = stage.play(&kind);
    play.cloud.control("faults", json!({ "operation": "GetRolePolicy", "effect": "hold", "count": 2 }));
    let child = play.start(&["apply", PLAN, "--auto-approve", "--no-recheck", "--settle", "2"]);
    for _ in 0..1_200 {
        if play.cloud.running.control("GET", "held", &json!({})).unwrap().as_array().is_some_and(|held| held.len() == 2)
        {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let theirs = allow(&["s3:CreateBucket"]);
    for (role, policy) in [("put", "p"), ("del", "q")] {
        play.cloud.iam("PutRolePolicy", &[("RoleName", role), ("PolicyName", policy), ("PolicyDocument", &theirs)]);
    }
    let before = essence(&play.cloud);
    play.cloud.running.control("POST", "release", &json!({})).unwrap();
    let answer = answer(child.wait_with_output().unwrap()).ended_with(3);
    assert!(answer.stdout.contains("stopped before anything was changed"), "{answer}");
    for address in ["role/put/inline/p", "role/del/inline/q"] {
        assert!(answer.stdout.contains(address) || answer.stderr.contains(address), "{address}: {answer}");
    }
    assert!(answer.stdout.contains("Stopped too: "), "{answer}");
    assert_eq!(essence(&play.cloud), before);
}

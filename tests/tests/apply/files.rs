//! The files: their owner's alone, and without a credential.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::stage::{PLAN, Stage, answer};
use super::town::KINDS;

#[test]
fn files_are_their_owners_alone_and_hold_no_credential() {
    let stage = Stage::new();
    for kind in KINDS.iter().filter(|kind| ["update", "deactivate"].contains(&kind.name)) {
        let play = stage.play(kind);
        let secret = "never-on-any-disk";
        let mut command = play.command(&["apply", PLAN, "--auto-approve", "--settle", "2"]);
        answer(command.env("AWS_SECRET_ACCESS_KEY", secret).output().unwrap()).ended_with(0);
        play.rollback(&[]).ended_with(0);
        let mut seen = 0;
        visit(&play.path(".secateur/journal"), &mut |path, bytes| {
            seen += 1;
            let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", path.display());
            let text = String::from_utf8_lossy(bytes);
            for word in [secret, "AKIAEMULATOROPERATOR", "Signature"] {
                assert!(!text.contains(word), "{word} in {}", path.display());
            }
        });
        assert!(seen >= 3, "{seen}");
        assert_eq!(fs::metadata(play.path(".secateur/journal")).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(play.path(PLAN)).unwrap().permissions().mode() & 0o777, 0o600);
        let left: Vec<_> =
            fs::read_dir(play.path(".secateur")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("fresh")), "{left:?}");
    }
}

#[test]
fn snapshot_plan_and_journal_are_their_owners_alone() {
    let stage = Stage::new();
    let play = stage.open("");
    fs::remove_dir_all(play.path(".secateur")).unwrap();
    let secret = "never-on-any-disk-of-ours";
    let run = |arguments: &[&str]| {
        let mut command = play.command(arguments);
        // Whoever has no mask of their own, and a secret.
        let line = "umask 000; exec \"$0\" \"$@\"";
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).arg(command.get_program()).args(command.get_args());
        shell.current_dir(command.get_current_dir().unwrap()).env_clear();
        command.env("AWS_SECRET_ACCESS_KEY", secret);
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        answer(shell.output().unwrap())
    };
    run(&["collect", "-q"]).ended_with(0);
    run(&["plan", "-q"]).ended_with(0);
    run(&["apply", ".secateur/plan.json", "--auto-approve", "--settle", "2", "--target", "role/put/*"]).ended_with(0);
    let mut seen: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    visit(&play.path(".secateur"), &mut |path, bytes| {
        let own = path.strip_prefix(play.path(".secateur")).unwrap();
        *seen.entry(own.components().next().unwrap().as_os_str().to_string_lossy().into_owned()).or_default() += 1;
        let mode = fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert!(mode == 0o600 || own == Path::new(".gitignore"), "{}: {mode:o}", path.display());
        let text = String::from_utf8_lossy(bytes);
        assert!(
            !text.contains(secret) && !text.contains(secateur_tests::emulator::OPERATOR_SECRET),
            "{}",
            path.display()
        );
    });
    assert!(seen["snapshot"] > 5 && seen["plan.json"] == 1 && seen["journal"] >= 2, "{seen:?}");
    for folder in ["journal", "snapshot"] {
        let mode = fs::metadata(play.path(".secateur").join(folder)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{folder}: {mode:o}");
    }
}

fn visit(folder: &Path, see: &mut impl FnMut(&Path, &[u8])) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => visit(&path, see),
            false => see(&path, &fs::read(&path).unwrap()),
        }
    }
}

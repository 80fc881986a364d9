//! `tests/user-repo`, the repository of a user: copied elsewhere, built and run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::workspace::root;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap).filter(|entry| entry.file_name() != "target") {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

struct UserRepo {
    dir: TempDir,
}

impl UserRepo {
    /// A copy whose dependency leads back here, with the versions of this workspace's lock file.
    fn copy() -> UserRepo {
        let dir = TempDir::new().unwrap();
        copy(&root().join("tests/user-repo"), dir.path());
        let manifest = dir.path().join("xtask/Cargo.toml");
        let planner = root().join("crates/planner").display().to_string();
        let text = fs::read_to_string(&manifest).unwrap().replace("../../../crates/planner", &planner);
        fs::write(manifest, text).unwrap();
        fs::copy(root().join("Cargo.lock"), dir.path().join("Cargo.lock")).unwrap();
        copy(&root().join("tests/fixtures/small"), &dir.path().join(".secateur/snapshot"));
        UserRepo { dir }
    }

    fn xtask(&self, folder: &str, arguments: &[&str]) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.arg("xtask").args(arguments).current_dir(self.dir.path().join(folder));
        // What cargo says of the package that runs the tests is not about this one.
        for (name, _) in std::env::vars_os() {
            let name_text = name.to_string_lossy();
            if name_text.starts_with("CARGO_") && name_text != "CARGO_HOME" || name_text.starts_with("SECATEUR_") {
                cargo.env_remove(&name);
            }
        }
        cargo.env("CARGO_TARGET_DIR", root().join("target/user-repo")).env("CARGO_NET_OFFLINE", "true");
        cargo.env("NO_COLOR", "1").output().unwrap()
    }
}

#[test]
fn three_lines_make_secateur_a_task_of_another_repository() {
    let repo = UserRepo::copy();
    let check = |folder: &str, arguments: &[&str], code: i32| {
        let output = repo.xtask(folder, arguments);
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{arguments:?} in {folder:?}\n{stdout}\n{stderr}");
        stdout.into_owned()
    };
    let plan = check("infra", &["plan", "--detailed-exitcode"], 2);
    assert!(plan.contains("# role/ci/inline/deploy will be updated in-place"), "{plan}");
    // The repository's own secateur.toml was found from the subdirectory.
    assert!(!plan.contains("lambda:DeleteFunction\n"), "{plan}");
    assert!(repo.dir.path().join(".secateur/plan.json").is_file());
    let verified = check("", &["verify", ".secateur/plan.json"], 0);
    assert!(verified.starts_with("Verified: "), "{verified}");
    check("infra", &["plan", "--no-such-flag"], 64);
    check("", &["show", "none.json"], 1);
}

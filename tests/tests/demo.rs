//! `cargo xtask demo`, the first command of the README.

use std::process::Command;

use crate::workspace::root;

#[test]
fn the_demo_goes_to_its_end() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["xtask", "demo"]).current_dir(root()).env("NO_COLOR", "1");
    for name in ["SECATEUR_CONFIG", "SECATEUR_SNAPSHOT", "SECATEUR_ACCOUNT"] {
        cargo.env_remove(name);
    }
    let output = cargo.output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    for part in [
        "\nCollected account 111122223333 into ",
        "  # policy/service-baseline will be updated in-place",
        "protected (row 3)",
        "\nVerified: ",
        "\nApply complete! 2 changes made.",
        "\nRollback complete! 2 changes made.",
    ] {
        assert!(stdout.contains(part), "{part:?} is not in\n{stdout}\n{stderr}");
    }
    assert!(stderr.contains("2 of 2 changes no longer match"), "{stderr}");
}

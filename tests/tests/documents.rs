//! The commands of README and guide print what these say. `TRYCMD=overwrite` writes the output anew, for review.
//!
//! A target of its own: the commands run in the folder of the repository, which is the folder of the whole process.

use std::path::Path;

use secateur_tests::binary;

#[test]
fn what_the_documents_show_is_what_runs() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::env::set_current_dir(tests.join("..")).expect("the folder of the repository");
    let cases = trycmd::TestCases::new();
    for (name, value) in [("NO_COLOR", "1"), ("LC_ALL", "C")] {
        cases.env(name, value);
    }
    cases.register_bin("secateur", binary()).case("README.md").case("docs/guide.md").run();
}

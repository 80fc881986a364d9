//! `docs/emulator.md` names the test of each fact, and there is such a test.

use std::collections::BTreeSet;

use crate::workspace::text;

/// The facts that the emulator is to be true to.
fn wanted() -> BTreeSet<u32> {
    (16..=37).chain(43..=60).chain(81..=90).collect()
}

#[test]
fn every_fact_has_a_test_or_a_reason() {
    let page = text("docs/emulator.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let mut known: BTreeSet<u32> = BTreeSet::new();
    for cell in rows {
        known.extend(cell.split(", ").filter_map(|number| number.trim().parse::<u32>().ok()));
    }
    let missing: Vec<_> = wanted().difference(&known).copied().collect();
    assert_eq!(missing, [0; 0], "facts without a row in docs/emulator.md");
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let page = text("docs/emulator.md");
    let names: Vec<&str> = page.split('`').filter(|word| word.contains("::") && !word.contains(' ')).collect();
    assert!(names.len() > 50, "{names:?}");
    for name in names {
        let path: Vec<&str> = name.split("::").collect();
        let (file, test) = match path[..] {
            ["Running", _] | [_, "*"] => continue,
            ["clients", module, test] => (format!("tests/tests/clients/{module}.rs"), test),
            [folder, module, "tests"] => (format!("tests/src/emulator/{folder}/{module}.rs"), "tests"),
            [module, test] => (format!("tests/tests/emulator/{module}.rs"), test),
            _ => panic!("{name}"),
        };
        let source = text(&file);
        let is_there = source.contains(&format!("fn {test}()")) || source.contains(&format!("mod {test} {{"));
        assert!(is_there, "{name} is not in {file}");
    }
}

//! Covers of real services.

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::catalog::{AccessLevel, Catalog};

use super::super::slot::{Kind, Name, Slot, Wildcards, Writing, cost};
use super::super::{check, exact, explicit, fit, shortest, tree};
use super::{Random, listed};

/// Returns a slot of all that a pattern matches; `stays` is asked with the place and the name.
pub(super) fn slot(pattern: &str, mut stays: impl FnMut(usize, &str) -> bool) -> Slot {
    let catalog = Catalog::embedded();
    let pattern = ActionPattern::new(pattern);
    let mut names = Vec::new();
    catalog.each_match(&pattern, |id| {
        let risk = match catalog.access_level(id) {
            AccessLevel::Write => 10,
            AccessLevel::Tagging => 3,
            AccessLevel::List | AccessLevel::Read => 1,
            _ => 100,
        };
        names.push((catalog.full_name(id), risk));
    });
    names.sort_by_key(|(text, _)| text.to_ascii_lowercase());
    let names = names.into_iter().enumerate().map(|(at, (text, risk))| {
        let stays = stays(at, &text);
        Name { text, stays, risk: if stays { 0 } else { risk } }
    });
    Slot { names: names.collect(), written: pattern.as_str().len(), kind: Kind::Within(pattern) }
}

fn size(writing: &Writing) -> usize {
    listed(writing).iter().map(|pattern| cost(pattern)).sum()
}

#[test]
fn every_other_action_of_ec2() {
    let slot = slot("ec2:*", |at, _| at.is_multiple_of(2));
    let patterns = shortest(&slot);
    let prefixes: usize = tree::trees(0, &slot, false).iter().map(exact::least_size).sum();
    let found = size(&Writing::Patterns(patterns.clone()));
    let names = size(&explicit(&slot));
    println!("ec2: {} names, {names} characters; prefix-stars {prefixes}, with infixes {found}", slot.names.len());
    assert!(found <= prefixes && prefixes < names);
}

#[test]
fn a_few_reads_of_s3_stay_names_while_they_fit() {
    let kept = [
        "s3:GetObject",
        "s3:GetObjectAcl",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:PutObject",
    ];
    let slot = slot("s3:*", |_, name| kept.contains(&name) || name.starts_with("s3:GetObject"));
    let written = |budget: usize| {
        let fit = fit(std::slice::from_ref(&slot), budget, Wildcards::Fit).unwrap();
        format!("{:?} {} {} {}", fit.way, fit.size, fit.risk, listed(&fit.writings[0]).join(" "))
    };
    for budget in [1_000, 300, 100, 50, 40, 30, 20, 14, 8] {
        println!("{budget}: {}", written(budget));
    }
    assert_eq!(written(100), "Exact 47 0 s3:GetObject* s3:ListBucket s3:PutObject");
}

#[test]
fn everything_with_a_few_thousand_that_stay() {
    let mut random = Random(7);
    let slot = slot("*", |_, _| random.below(7) == 0);
    let budgets = [100_000, 30_000, 10_240, 60_000, 6_144, 2_048, 300];
    // Without optimisation each takes seconds.
    let most = if cfg!(debug_assertions) { 3 } else { budgets.len() };
    for budget in budgets.into_iter().take(most) {
        let found = fit(std::slice::from_ref(&slot), budget, Wildcards::Fit);
        match found {
            Ok(fit) => {
                println!("{budget}: {:?} {} {}", fit.way, fit.size, fit.risk);
                let counted = check::count(&slot, &fit.writings[0]).unwrap();
                assert_eq!((counted.size, counted.risk), (fit.size, fit.risk));
                assert!(fit.size <= budget);
            }
            Err(too_many) => println!("{budget}: {too_many} too many"),
        }
    }
}

#[test]
fn twenty_used_actions_in_eight_services() {
    let kept = |at: usize, name: &str| {
        ["s3:get", "ec2:describei", "iam:listr", "sqs:send", "sns:pub", "kms:decrypt", "logs:putl", "lambda:invokef"]
            .iter()
            .any(|start| name.to_ascii_lowercase().starts_with(start))
            && at.is_multiple_of(3)
    };
    let mut slot = slot("*", kept);
    for budget in [2_048, 400, 200] {
        let fit = fit(std::slice::from_ref(&slot), budget, Wildcards::Fit).unwrap();
        println!("{budget}: {:?} {} {} {}", fit.way, fit.size, fit.risk, listed(&fit.writings[0]).join(" "));
        assert!(fit.size <= budget);
    }
    // The same in the place of a `NotAction`, and added to one.
    let old = vec![ActionPattern::new("iam:*"), ActionPattern::new("organizations:*"), ActionPattern::new("account:*")];
    slot.names.retain(|name| !old.iter().any(|old| old.matches(&name.text)));
    slot.kind = Kind::Outside(old);
    slot.written = 29;
    let inverted = fit(std::slice::from_ref(&slot), 300, Wildcards::Fit).unwrap();
    println!(
        "inverted: {:?} {} {} {}",
        inverted.way,
        inverted.size,
        inverted.risk,
        listed(&inverted.writings[0]).join(" ")
    );
    slot.kind = Kind::Exempt;
    slot.written = 0;
    let extended = fit(std::slice::from_ref(&slot), 5_500, Wildcards::Fit).unwrap();
    println!("extended: {:?} {} {}", extended.way, extended.size, extended.risk);
    assert!(extended.size <= 5_500);
}

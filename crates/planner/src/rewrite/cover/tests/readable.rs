//! What a reader sees: whole words, few wildcards, and a budget that is used.

use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::wildcard;

use super::super::slot::{Kind, Slot, Way, Wildcards, Writing};
use super::super::{explicit, fit};
use super::{Random, catalog, listed, within};

/// The words of a name: `Get|DB|Instance|2`.
fn words(name: &str) -> Vec<&str> {
    let action = &name[name.find(':').unwrap() + 1..];
    let bytes = action.as_bytes();
    let mut starts: Vec<usize> = (1..bytes.len())
        .filter(|&at| {
            let ends_capitals = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            bytes[at].is_ascii_uppercase() && (!bytes[at - 1].is_ascii_uppercase() || ends_capitals)
                || bytes[at].is_ascii_digit() && !bytes[at - 1].is_ascii_digit()
        })
        .collect();
    starts.insert(0, 0);
    starts.push(bytes.len());
    starts.windows(2).map(|pair| &action[pair[0]..pair[1]]).collect()
}

/// Asserts that what stands behind the first star stands in all that is matched as words of its own.
fn assert_of_words(slot: &Slot, pattern: &str) {
    let action = &pattern[pattern.find(':').unwrap() + 1..];
    let behind = action.split('*').skip(1).filter(|piece| !piece.is_empty());
    for piece in behind {
        assert!(piece.len() >= 3, "{pattern}");
        for name in slot.names.iter().filter(|name| name.stays && ActionPattern::new(pattern).matches(&name.text)) {
            let words = words(&name.text);
            let runs = (0..words.len()).flat_map(|from| (from..words.len()).map(move |to| (from, to)));
            let mut runs = runs.map(|(from, to)| words[from..=to].concat());
            assert!(runs.any(|run| run.eq_ignore_ascii_case(piece)), "{pattern} for {}", name.text);
        }
    }
}

fn patterns(writing: &Writing) -> Vec<&str> {
    listed(writing).into_iter().filter(|pattern| pattern.contains('*')).collect()
}

#[test]
fn only_whole_words_stand_behind_a_star() {
    let services =
        if cfg!(debug_assertions) { &["s3:*", "sqs:*", "rds:*"][..] } else { &["s3:*", "ec2:*", "iam:*", "rds:*"] };
    let mut infixes = 0;
    for (at, service) in services.iter().enumerate() {
        for share in [2, 3, 8] {
            let mut random = Random(at as u64 * 10 + share);
            let slot = catalog::slot(service, |_, _| random.below(share as usize) > 0);
            let names: usize = listed(&explicit(&slot)).iter().map(|name| name.len() + 3).sum();
            for part in [90, 70, 50, 30, 10] {
                let budget = names * part / 100;
                let fit = fit(std::slice::from_ref(&slot), budget, Wildcards::Fit).unwrap();
                for pattern in patterns(&fit.writings[0]) {
                    assert_of_words(&slot, pattern);
                    infixes += usize::from(pattern.find('*') != pattern.len().checked_sub(1));
                }
            }
        }
    }
    assert!(infixes > 10);
}

#[test]
fn most_of_the_list_stays_names() {
    let mut random = Random(5);
    let slot = catalog::slot("ec2:*", |_, _| random.below(8) == 0);
    let names = listed(&explicit(&slot)).len();
    let size: usize = listed(&explicit(&slot)).iter().map(|name| name.len() + 3).sum();
    let fit = fit(std::slice::from_ref(&slot), size * 3 / 4, Wildcards::Exact).unwrap();
    let wildcards = patterns(&fit.writings[0]).len();
    let plain = listed(&fit.writings[0]).len() - wildcards;
    println!(
        "{names} names; {plain} and {wildcards} patterns at three quarters of the budget: {:?}",
        patterns(&fit.writings[0])
    );
    assert_eq!(fit.way, Way::Exact);
    assert!(plain > wildcards && fit.size * 10 > size * 3 / 4 * 9);
}

fn written(slot: &Slot, budget: usize) -> String {
    listed(&fit(std::slice::from_ref(slot), budget, Wildcards::Fit).unwrap().writings[0]).join(" ")
}

#[test]
fn the_last_star_is_the_smallest_that_suffices() {
    let slot = within(
        "s3:*",
        &[
            ("s3:DeleteObject", false, 1),
            ("s3:GetObject", true, 0),
            ("s3:GetObjectAcl", true, 0),
            ("s3:GetObjectVersionAcl", true, 0),
            ("s3:GetObjectVersionTagging", true, 0),
        ],
    );
    assert_eq!(written(&slot, 70), "s3:GetObject s3:GetObjectAcl s3:GetObjectVersion*");
    assert_eq!(written(&slot, 40), "s3:GetObject*");
}

#[test]
fn words_at_the_end_and_within_save_more_than_beginnings() {
    let slot = within(
        "ec2:*",
        &[
            ("ec2:CopySnapshot", true, 0),
            ("ec2:CreateSnapshot", true, 0),
            ("ec2:CreateVpc", false, 10),
            ("ec2:DeleteSnapshot", true, 0),
            ("ec2:DeleteVpc", false, 10),
            ("ec2:DescribeImages", false, 1),
            ("ec2:DescribeVpcs", true, 0),
            ("ec2:ModifySnapshotAttribute", true, 0),
            ("ec2:ModifyVpcAttribute", false, 10),
            ("ec2:RunInstances", true, 0),
        ],
    );
    assert_eq!(written(&slot, 100), "ec2:*Snapshot ec2:DescribeVpcs ec2:ModifySnapshotAttribute ec2:RunInstances");
    assert_eq!(written(&slot, 56), "ec2:*Snapshot* ec2:DescribeVpcs ec2:RunInstances");
}

#[test]
fn a_word_within_another_is_none() {
    let slot = within(
        "s:*",
        &[("s:AddTagNow", true, 0), ("s:AddVantage", true, 0), ("s:GetTagNow", true, 0), ("s:PutObject", false, 1)],
    );
    for budget in 10..50 {
        assert!(!written(&slot, budget).contains("*Tag*"), "{budget}");
    }
}

#[test]
fn what_is_left_of_the_budget_makes_beginnings_whole() {
    let names =
        [("s:CreateItem", true, 0), ("s:CreateStock", true, 0), ("s:CopyItem", false, 1), ("s:DeleteItem", false, 1)];
    let slot = within("s:*", &names);
    assert_eq!(written(&slot, 12), "s:Create*");
    assert_eq!(written(&slot, 8), "s:Cr*");
    assert_eq!(written(&slot, 11), "s:Cr*");
}

#[test]
fn a_star_that_matches_one_name_is_that_name() {
    let names = [
        ("acm:AddTags", false, 100),
        ("acm:DescribeCertificate", true, 0),
        ("acm:DescribeAccount", false, 100),
        ("acm:GetCertificate", true, 0),
        ("acm:GetAccount", false, 100),
    ];
    let slot = within("acm:*", &names);
    for budget in 26..47 {
        let one = written(&slot, budget);
        assert!(one.contains("Certificate"), "{budget}: {one}");
    }
}

/// Nothing is matched that must not be, and a star for one name is there only where the name has no room.
#[test]
fn a_star_for_one_name_is_there_for_want_of_room() {
    for seed in 0..300 {
        let slot = Random(seed).slot(9);
        if matches!(slot.kind, Kind::Exempt) {
            continue;
        }
        let all: usize = listed(&explicit(&slot)).iter().map(|name| name.len() + 3).sum();
        for budget in (0..all).step_by(5) {
            let Ok(fit) = fit(std::slice::from_ref(&slot), budget, Wildcards::Exact) else { continue };
            for pattern in patterns(&fit.writings[0]) {
                let matched = slot.names.iter().filter(|name| {
                    let folded = name.text.to_ascii_lowercase();
                    wildcard::matches(pattern.to_ascii_lowercase().as_bytes(), folded.as_bytes())
                });
                let matched: Vec<_> = matched.collect();
                assert!(matched.iter().all(|name| name.stays), "seed {seed}: {pattern}");
                if let [only] = matched.as_slice() {
                    let more = only.text.len().saturating_sub(pattern.len());
                    assert!(fit.size + more > budget, "seed {seed}: {pattern} for {} in {budget}", only.text);
                }
            }
        }
    }
}

//! The shortest exact cover.

use secateur_analyzer::action::ActionPattern;

use super::super::slot::{Slot, cost};
use super::super::{exact, shortest, tree};
use super::{Random, brute, within};

fn size(patterns: &[String]) -> usize {
    patterns.iter().map(|pattern| cost(pattern)).sum()
}

fn assert_exact(slot: &Slot, patterns: &[String]) {
    for name in &slot.names {
        let is_matched = patterns.iter().any(|pattern| ActionPattern::new(pattern).matches(&name.text));
        assert_eq!(is_matched, name.stays != slot.is_exempt(), "{} in {patterns:?} for {slot:?}", name.text);
    }
    for pattern in patterns {
        assert!(brute::may_be_written(slot, pattern), "{pattern} for {slot:?}");
    }
}

#[test]
fn equals_brute_force() {
    let (mut names, mut prefixes, mut found, mut rich) = (0, 0, 0, 0);
    let mut shorter = 0;
    let seeds = if cfg!(debug_assertions) { 1_000 } else { 1_500 };
    for seed in 0..seeds {
        let mut random = Random(seed);
        let most = 1 + random.below(12);
        let slot = random.slot(most);
        let best = brute::shortest(&slot, &brute::prefix_language(&slot));
        let trees = tree::trees(0, &slot, false);
        let by_prefixes: Vec<String> = trees.iter().flat_map(exact::shortest_prefixes).collect();
        assert_exact(&slot, &by_prefixes);
        assert_eq!(size(&by_prefixes), best, "seed {seed}: {by_prefixes:?} for {slot:?}");
        assert_eq!(trees.iter().map(exact::least_size).sum::<usize>(), best, "seed {seed}");
        let patterns = shortest(&slot);
        assert_exact(&slot, &patterns);
        assert!(size(&patterns) <= best, "seed {seed}: {patterns:?} for {slot:?}");
        shorter += usize::from(size(&patterns) < best);
        if slot.names.len() <= 9 && seed < 300 {
            names += size(
                &slot
                    .names
                    .iter()
                    .filter(|name| slot.is_exempt() != name.stays)
                    .map(|name| name.text.clone())
                    .collect::<Vec<_>>(),
            );
            prefixes += best;
            found += size(&patterns);
            rich += brute::shortest(&slot, &brute::rich_language(&slot));
        }
    }
    println!("shorter than names and prefix-stars: {shorter} of {seeds}");
    println!("characters: names {names}, prefix-stars {prefixes}, with infixes {found}, best of that language {rich}");
}

#[test]
fn a_star_matches_the_name_that_begins_another() {
    let slot = within("s3:*", &[("s3:GetObject", true, 0), ("s3:GetObjectAcl", true, 0), ("s3:PutObject", false, 1)]);
    assert_eq!(shortest(&slot), ["s3:G*"]);
    let slot =
        within("s3:*", &[("s3:GetObject", true, 0), ("s3:GetObjectAcl", false, 1), ("s3:GetObjectTagging", true, 0)]);
    assert_eq!(shortest(&slot), ["s3:*g", "s3:*t"]);
}

#[test]
fn what_follows_the_first_star_stays() {
    let slot = within(
        "s3:Get*Acl",
        &[("s3:GetBucketAcl", false, 1), ("s3:GetObjectAcl", true, 0), ("s3:GetObjectVersionAcl", true, 0)],
    );
    assert_eq!(shortest(&slot), ["s3:GetO*Acl"]);
}

#[test]
fn case_is_folded_and_kept() {
    let slot = within("S3:get*", &[("s3:GetObject", true, 0), ("s3:getBucket", false, 1), ("s3:GETOther", true, 0)]);
    assert_eq!(shortest(&slot), ["s3:GetO*"]);
}

#[test]
fn a_name_that_is_a_pattern_is_a_text() {
    let slot = within("*", &[("new:*", true, 0), ("s3:GetObject", false, 1), ("s3:PutObject", true, 0)]);
    assert_eq!(shortest(&slot), ["new:*", "s3:P*"]);
}

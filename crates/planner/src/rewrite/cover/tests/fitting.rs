//! Fitting against brute force.

use super::super::slot::{Role, Slot, Way, Wildcards, Writing};
use std::rc::Rc;

use super::super::{Fitting, check, fit, fitted, tree};
use super::{Random, brute};

const SEEDS: u64 = if cfg!(debug_assertions) { 500 } else { 600 };

fn case(seed: u64) -> (Vec<Slot>, usize) {
    let mut random = Random(seed + 100_000);
    let slots: Vec<Slot> = match random.below(3) {
        0 => vec![random.slot(14)],
        1 => vec![random.slot(7), random.slot(7)],
        _ => vec![random.slot(5), random.slot(5), random.slot(4)],
    };
    let names: usize = slots
        .iter()
        .flat_map(|slot| slot.names.iter().map(move |name| (slot, name)))
        .filter(|(slot, name)| slot.role(name) == Role::Must)
        .map(|(_, name)| name.text.len() + 3)
        .sum();
    let budget = random.below(names + 2);
    (slots, budget)
}

#[test]
fn the_least_risk_equals_brute_force() {
    let (mut fitted, mut refused) = (0, 0);
    for seed in 0..SEEDS {
        let (slots, budget) = case(seed);
        let best = brute::fit(&slots, brute::prefix_language, budget);
        let mut trees = Vec::new();
        for (at, slot) in slots.iter().enumerate() {
            trees.extend(tree::trees(at, slot, false).into_iter().map(Rc::new));
        }
        let none = vec![None; trees.len()];
        let decided = fitted::decide(&slots, &trees, &none, budget);
        assert_eq!(decided.map(|decided| (decided.risk, decided.size)), best, "seed {seed}: {budget} for {slots:?}");
        match best {
            Ok(_) => fitted += 1,
            Err(_) => refused += 1,
        }
    }
    println!("{fitted} fitted, {refused} do not fit");
}

#[test]
fn what_is_known_of_one_budget_holds_for_the_next() {
    for seed in 0..SEEDS {
        let (slots, budget) = case(seed);
        for wildcards in [Wildcards::Exact, Wildcards::Fit] {
            let mut fitting = Fitting::new(&slots);
            // Down and up again, as far as it goes.
            for budget in [budget, budget.saturating_sub(2), budget / 2, budget.saturating_sub(1), budget + 3, budget] {
                let known = fitting.fit(budget, wildcards).map(|fit| (fit.way, fit.writings, fit.size, fit.risk));
                let anew = fit(&slots, budget, wildcards).map(|fit| (fit.way, fit.writings, fit.size, fit.risk));
                assert_eq!(known, anew, "seed {seed}: {budget} for {slots:?}");
            }
        }
    }
}

#[test]
fn a_fit_is_what_it_says_and_never_worse_than_brute_force() {
    let (mut names, mut exact, mut fitted, mut refused) = (0, 0, 0, 0);
    for seed in 0..SEEDS {
        let (slots, budget) = case(seed);
        let best = brute::fit(&slots, brute::prefix_language, budget);
        for wildcards in [Wildcards::Never, Wildcards::Exact, Wildcards::Fit] {
            let found = match fit(&slots, budget, wildcards) {
                Ok(found) => found,
                Err(too_many) => {
                    assert!(too_many > 0);
                    if wildcards == Wildcards::Fit {
                        refused += 1;
                        let best = best.expect_err("it fits");
                        assert!(too_many <= best, "seed {seed}: {too_many} and not {best}");
                    }
                    continue;
                }
            };
            let counted: Vec<_> = slots
                .iter()
                .zip(&found.writings)
                .map(|(slot, writing)| check::count(slot, writing).expect("sound"))
                .collect();
            assert_eq!(counted.iter().map(|counted| counted.size).sum::<usize>(), found.size);
            assert_eq!(counted.iter().map(|counted| counted.risk).sum::<u64>(), found.risk);
            assert!(found.size <= budget, "seed {seed}");
            assert!(found.way == Way::Fitted || counted.iter().all(|counted| !counted.readmits), "seed {seed}");
            for (slot, writing) in slots.iter().zip(&found.writings) {
                if let Writing::Patterns(patterns) = writing {
                    assert!(
                        patterns.iter().all(|pattern| brute::may_be_written(slot, pattern)),
                        "seed {seed} {patterns:?}"
                    );
                }
            }
            if wildcards == Wildcards::Fit {
                match found.way {
                    Way::Names => names += 1,
                    Way::Exact => exact += 1,
                    Way::Fitted => fitted += 1,
                }
                if let Ok((risk, _)) = best {
                    assert!(found.risk <= risk, "seed {seed}: {found:?} and not {risk} in {budget} for {slots:?}");
                }
            }
        }
    }
    println!("{names} by names, {exact} exact, {fitted} fitted, {refused} do not fit");
}

/// Over all `prefix*suffix` and `prefix*infix*`, brute force may re-admit much less in a single case, or nothing where this
/// re-admits something. There are two reasons, and both are meant:
///
/// - What re-admits is a prefix-star, or the whole slot as written; suffixes and infixes are only written where they are
///   exact. Over names and prefix-stars the least risk equals that of brute force, see above.
/// - Suffixes and infixes are of whole words, and most names here have none.
///
/// The budgets are random: where one character decides whether a list fits, nothing or a permission of weight 100 is
/// re-admitted. The gap of one case says little therefore, and none is asserted; it is that of all together that counts.
#[test]
fn the_gap_to_a_richer_language_is_printed() {
    let (mut ours, mut theirs, mut differ, mut far, mut cases) = (0, 0, 0, 0, 0);
    let mut worst: Option<(u64, String)> = None;
    let seeds = if cfg!(debug_assertions) { 100 } else { 600 };
    for seed in 0..seeds {
        let (slots, budget) = case(seed);
        if slots.iter().any(|slot| slot.names.len() > 7) {
            continue;
        }
        let Ok(found) = fit(&slots, budget, Wildcards::Fit) else { continue };
        let (risk, _) = brute::fit(&slots, brute::rich_language, budget).expect("ours fits");
        assert!(risk <= found.risk, "seed {seed}");
        (ours, theirs, cases) = (ours + found.risk, theirs + risk, cases + 1);
        let gap = found.risk - risk;
        differ += usize::from(gap > 0);
        far += usize::from(gap * 10 > risk);
        if worst.as_ref().is_none_or(|(most, _)| gap > *most) {
            let written: Vec<String> = found.writings.iter().map(|own| super::listed(own).join(" ")).collect();
            worst = Some((gap, format!("seed {seed}: {} and not {risk} in {budget}: {written:?}", found.risk)));
        }
    }
    println!(
        "risk {ours}, over the richer language {theirs}; of {cases} cases {differ} differ, {far} by more than a tenth"
    );
    println!("the widest gap: {worst:?}");
}

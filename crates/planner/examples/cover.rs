//! How short a pattern becomes of which every other action goes: by names, by stars, and by wildcards at any character.
//!
//! `cargo run --release -p secateur --no-default-features --example cover -- 'ec2:*'`; `cargo xtask bench` prints the same.

use std::time::Instant;

use secateur::rewrite::cover::{Kind, Name, Slot, Wildcards, Writing, cost, explicit, fit, shortest};
use secateur_analyzer::action::ActionPattern;
use secateur_analyzer::catalog::Catalog;

fn main() {
    let pattern = std::env::args().nth(1).unwrap_or_else(|| "ec2:*".to_owned());
    let slot = every_other(&ActionPattern::new(&pattern));
    let names = match explicit(&slot) {
        Writing::Patterns(names) => names,
        Writing::AsWritten => Vec::new(),
    };
    let slots = std::slice::from_ref(&slot);
    // Nothing fits into no characters: the error says how many the smallest list has.
    let start = Instant::now();
    let readable = fit(slots, 0, Wildcards::Exact).map_or_else(|size| size, |fit| fit.size);
    let readable_time = start.elapsed();
    let start = Instant::now();
    let patterns = shortest(&slot);
    let time = start.elapsed();
    let size = |patterns: &[String]| patterns.iter().map(|pattern| cost(pattern)).sum::<usize>();
    println!("{pattern}, every other of {} actions removable, in characters:", slot.names.len());
    println!("  {:<46} {:>7}", format!("{} names", names.len()), size(&names));
    println!("  {:<46} {readable:>7} {:>7} ms", "as it is written: whole words, prefixes", readable_time.as_millis());
    println!(
        "  {:<46} {:>7} {:>7} ms",
        format!("{} patterns, cut at any character", patterns.len()),
        size(&patterns),
        time.as_millis()
    );
}

/// All that a pattern matches; every other stays.
fn every_other(pattern: &ActionPattern) -> Slot {
    let catalog = Catalog::embedded();
    let mut names = Vec::new();
    catalog.each_match(pattern, |id| names.push(catalog.full_name(id)));
    names.sort_by_key(|name| name.to_ascii_lowercase());
    let name = |(at, text): (usize, String)| {
        let stays = at.is_multiple_of(2);
        Name { text, stays, risk: u32::from(!stays) }
    };
    Slot {
        names: names.into_iter().enumerate().map(name).collect(),
        written: pattern.as_str().len(),
        kind: Kind::Within(pattern.clone()),
    }
}

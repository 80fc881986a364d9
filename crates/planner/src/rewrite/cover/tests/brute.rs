//! All covers there are, over a given language.

use std::collections::BTreeMap;

use secateur_analyzer::action::ActionPattern;

use super::super::slot::{Kind, Slot, cost};

/// Returns whether a pattern may be written, by the algebra alone.
pub(super) fn may_be_written(slot: &Slot, pattern: &str) -> bool {
    let new = ActionPattern::new(pattern);
    match &slot.kind {
        Kind::Within(old) => old.includes(&new),
        Kind::Outside(old) => old.iter().all(|old| old.is_disjoint(&new)),
        Kind::Exempt => true,
    }
}

fn tail(slot: &Slot) -> String {
    match &slot.kind {
        Kind::Within(old) if old.as_str() != "*" => {
            let action = old.as_str().split_once(':').unwrap().1;
            action.find('*').map_or_else(String::new, |star| action[star..].to_owned())
        }
        _ => "*".to_owned(),
    }
}

/// Names, and each prefix of each with what the old pattern has from its first star on.
pub(super) fn prefix_language(slot: &Slot) -> Vec<String> {
    let tail = tail(slot);
    let mut all = Vec::new();
    for name in &slot.names {
        all.push(name.text.clone());
        let service = name.text.find(':').unwrap() + 1;
        all.extend((service..=name.text.len()).map(|to| format!("{}{tail}", &name.text[..to])));
    }
    admissible(slot, all)
}

/// Also all `prefix*infix*` and `prefix*suffix`.
pub(super) fn rich_language(slot: &Slot) -> Vec<String> {
    let mut all = prefix_language(slot);
    for name in &slot.names {
        let text = &name.text;
        for to in text.find(':').unwrap() + 1..=text.len() {
            for from in to..=text.len() {
                all.push(format!("{}*{}", &text[..to], &text[from..]));
                all.extend((from..=text.len()).map(|end| format!("{}*{}*", &text[..to], &text[from..end])));
            }
        }
    }
    admissible(slot, all)
}

fn admissible(slot: &Slot, mut all: Vec<String>) -> Vec<String> {
    all.sort_by_key(|pattern| pattern.to_ascii_lowercase());
    all.dedup_by_key(|pattern| pattern.to_ascii_lowercase());
    let own = |pattern: &str| slot.names.iter().any(|name| name.text == pattern);
    all.retain(|pattern| own(pattern) || may_be_written(slot, pattern));
    all
}

/// Returns the least size for each set of names (a bit each) that patterns can match.
fn sizes(slot: &Slot, language: &[String]) -> BTreeMap<u32, usize> {
    let mut masks: BTreeMap<u32, usize> = BTreeMap::new();
    for pattern in language {
        let matcher = ActionPattern::new(pattern);
        let bits = slot.names.iter().enumerate().filter(|(_, name)| matcher.matches(&name.text));
        let mask = bits.fold(0, |mask, (at, _)| mask | 1 << at);
        let size = masks.entry(mask).or_insert(usize::MAX);
        *size = cost(pattern).min(*size);
    }
    let mut best = vec![usize::MAX; 1 << slot.names.len()];
    best[0] = 0;
    for (mask, cost) in masks {
        // Upwards: what this pattern has been added to already is not bettered by adding it again.
        for from in 0..best.len() {
            if best[from] < usize::MAX {
                let to = from | mask as usize;
                best[to] = best[to].min(best[from] + cost);
            }
        }
    }
    best.into_iter()
        .enumerate()
        .filter(|(_, size)| *size < usize::MAX)
        .map(|(mask, size)| (mask as u32, size))
        .collect()
}

/// Returns the least characters that match all they must and nothing else.
pub(super) fn shortest(slot: &Slot, language: &[String]) -> usize {
    let must = (slot.names.iter().enumerate())
        .filter(|(_, name)| name.stays != slot.is_exempt())
        .fold(0, |mask, (at, _)| mask | 1 << at);
    sizes(slot, language)[&must]
}

/// Returns each size and risk that a slot can have, with what was written among them.
pub(super) fn points(slot: &Slot, language: &[String]) -> Vec<(usize, u64)> {
    let mut all = vec![(slot.whole_cost(), slot.whole_risk())];
    for (mask, size) in sizes(slot, language) {
        let kept = |at: usize| (mask >> at & 1 == 1) != slot.is_exempt();
        if slot.names.iter().enumerate().all(|(at, name)| !name.stays || kept(at)) {
            let readmitted = slot.names.iter().enumerate().filter(|(at, name)| !name.stays && kept(*at));
            all.push((size, readmitted.map(|(_, name)| u64::from(name.risk)).sum()));
        }
    }
    all.sort_unstable();
    let mut best: Vec<(usize, u64)> = Vec::new();
    for point in all {
        if best.last().is_none_or(|last| point.1 < last.1) {
            best.push(point);
        }
    }
    best
}

/// Returns the least risk, and the least size for it, that fits; or by how much the smallest does not.
pub(super) fn fit(
    slots: &[Slot],
    language: impl Fn(&Slot) -> Vec<String>,
    budget: usize,
) -> Result<(u64, usize), usize> {
    let mut sums = vec![(0, 0)];
    for slot in slots {
        let own = points(slot, &language(slot));
        sums = sums.iter().flat_map(|a| own.iter().map(move |b| (a.0 + b.0, a.1 + b.1))).collect();
    }
    let fits = sums.iter().filter(|(size, _)| *size <= budget).map(|(size, risk)| (*risk, *size)).min();
    fits.ok_or_else(|| sums.iter().map(|(size, _)| size - budget).min().unwrap())
}

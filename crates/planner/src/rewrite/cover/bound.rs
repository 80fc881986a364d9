//! What cannot be part of the least risky choice that fits.
//!
//! One point is to be chosen of each frontier. A price for each character turns the budget into a bound: no choice that fits has less
//! risk than the cheapest points together, at risk and price, less the price of the whole budget. A point that lifts this bound above
//! the risk of a choice that is known to fit is in no better one. The price is that of the character for which the choice of fractions
//! of points runs out of room, where the bound is highest; any price is right.

use std::cmp::{Ordering, Reverse};

use super::frontier::{Frontier, Point};

/// A bound on the risk of choices, in units that make the price a whole number.
pub(super) struct Bound {
    /// What a unit of risk, and a character, count.
    per_risk: u128,
    per_size: u128,
    /// The most that a choice may come to.
    most: u128,
    /// The least of each part.
    least: Vec<u128>,
    /// The least of all parts together.
    all: u128,
}

/// A step from one point of a frontier to a larger and less risky one.
struct Step {
    part: usize,
    to: Point,
    size: usize,
    risk: u64,
}

impl Bound {
    /// Finds the bound of some frontiers; none where one is empty, or even the smallest points do not fit.
    pub(super) fn new(parts: &[Frontier], budget: usize) -> Option<Bound> {
        let (known, price) = choice(parts, budget)?;
        let (per_size, per_risk) = price.map_or((0, 1), |step| (u128::from(step.risk), wide(step.size)));
        let most = (per_risk.saturating_mul(known)).saturating_add(per_size.saturating_mul(wide(budget)));
        let mut bound = Bound { per_risk, per_size, most, least: Vec::new(), all: 0 };
        let least = |part: &Frontier| part.iter().map(|point| bound.value(point)).min().unwrap_or(0);
        bound.least = parts.iter().map(least).collect();
        bound.all = bound.least.iter().copied().fold(0, u128::saturating_add);
        Some(bound)
    }

    fn value(&self, point: &Point) -> u128 {
        let risk = self.per_risk.saturating_mul(u128::from(point.risk));
        risk.saturating_add(self.per_size.saturating_mul(wide(point.size)))
    }

    /// Leaves of a part what may be chosen.
    pub(super) fn leave(&self, at: usize, part: &mut Frontier) {
        let others = self.all.saturating_sub(self.least.get(at).copied().unwrap_or(0));
        part.retain(|point| self.value(point).saturating_add(others) <= self.most);
    }
}

/// Returns the risk of a choice that fits, and the first step that was worth most and for which there was no room.
fn choice(parts: &[Frontier], budget: usize) -> Option<(u128, Option<Step>)> {
    let mut chosen: Vec<Point> = parts.iter().map(|part| part.first().copied()).collect::<Option<_>>()?;
    let mut room = budget.checked_sub(chosen.iter().map(|point| point.size).sum())?;
    let mut steps: Vec<Step> = parts.iter().enumerate().flat_map(|(at, part)| steps(at, part)).collect();
    // The sort is stable: the steps of a part stay in their order, since each is worth less than the one before.
    steps.sort_by_key(|step| Reverse(Worth { risk: step.risk, size: step.size }));
    let mut is_full = vec![false; parts.len()];
    let mut price = None;
    for step in steps {
        let (Some(is_full), Some(chosen)) = (is_full.get_mut(step.part), chosen.get_mut(step.part)) else { continue };
        match room.checked_sub(step.size) {
            _ if *is_full => {}
            Some(left) => (room, *chosen) = (left, step.to),
            None => {
                *is_full = true;
                price.get_or_insert(step);
            }
        }
    }
    // What is left is spent where it is of use.
    for (chosen, part) in chosen.iter_mut().zip(parts) {
        let fits = part.partition_point(|point| point.size <= chosen.size + room);
        let largest = fits.checked_sub(1).and_then(|last| part.get(last));
        if let Some(better) = largest.filter(|own| own.risk < chosen.risk) {
            room -= better.size - chosen.size;
            *chosen = *better;
        }
    }
    Some((chosen.iter().map(|point| u128::from(point.risk)).sum(), price))
}

/// What is saved of risk for each character.
struct Worth {
    risk: u64,
    size: usize,
}

impl Ord for Worth {
    fn cmp(&self, other: &Worth) -> Ordering {
        let product = |risk: u64, size: usize| u128::from(risk) * wide(size);
        product(self.risk, other.size).cmp(&product(other.risk, self.size))
    }
}

impl PartialEq for Worth {
    fn eq(&self, other: &Worth) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Worth {}

impl PartialOrd for Worth {
    fn partial_cmp(&self, other: &Worth) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The steps from the smallest point of a part to the least risky, those left out that are worth less than the next.
fn steps(part: usize, points: &[Point]) -> Vec<Step> {
    let step = |from: &Point, to: &Point| Step { part, to: *to, size: to.size - from.size, risk: from.risk - to.risk };
    let worth = |from: &Point, to: &Point| Worth { risk: from.risk - to.risk, size: to.size - from.size };
    let mut corners: Vec<&Point> = Vec::new();
    for point in points {
        while let [.., before, last] = corners.as_slice()
            && worth(before, last) <= worth(last, point)
        {
            corners.pop();
        }
        corners.push(point);
    }
    corners.windows(2).filter_map(|pair| Some(step(pair.first()?, pair.get(1)?))).collect()
}

fn wide(size: usize) -> u128 {
    size as u128
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rewrite::cover::frontier::{Traces, best, merge};

    fn chance(seed: &mut u64, below: u64) -> u64 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % below
    }

    /// Points by growing size and falling risk.
    fn part(seed: &mut u64) -> Frontier {
        let count = 1 + chance(seed, 6);
        let (mut size, mut risk) = (usize::try_from(chance(seed, 9)).unwrap(), 90 + chance(seed, 60));
        let mut points = Vec::new();
        for _ in 0..count {
            points.push(Point { size, risk, trace: 0 });
            size += 1 + usize::try_from(chance(seed, 12)).unwrap();
            risk = risk.saturating_sub(1 + chance(seed, 40));
        }
        points.dedup_by_key(|point| point.risk);
        points
    }

    fn chosen(mut parts: Vec<Frontier>, budget: usize) -> Option<(u64, usize)> {
        let mut traces = Traces::new();
        let last = parts.pop().unwrap();
        let nothing = vec![Point::NOTHING];
        let sum = parts.into_iter().fold(nothing, |sum, part| merge(sum, part, budget, &mut traces));
        best(&sum, &last, budget, budget, &mut traces).map(|point| (point.risk, point.size))
    }

    #[test]
    fn what_is_left_out_is_in_no_better_choice() {
        let mut seed = 41;
        let (mut all, mut left) = (0, 0);
        for _ in 0..2_000 {
            let count = 1 + chance(&mut seed, 7);
            let parts: Vec<Frontier> = (0..count).map(|_| part(&mut seed)).collect();
            let budget = usize::try_from(chance(&mut seed, 120)).unwrap();
            let Some(bound) = Bound::new(&parts, budget) else {
                assert_eq!(chosen(parts, budget), None);
                continue;
            };
            let mut fewer = parts.clone();
            fewer.iter_mut().enumerate().for_each(|(at, part)| bound.leave(at, part));
            let count = |parts: &[Frontier]| parts.iter().map(Vec::len).sum::<usize>();
            (all, left) = (all + count(&parts), left + count(&fewer));
            assert_eq!(chosen(fewer, budget), chosen(parts, budget));
        }
        assert!(left * 3 < all * 2, "{left} of {all}");
    }
}

//! Work on several threads, with results in the order of the items: nothing depends on how many there are.

use std::cmp::Reverse;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Applies `work` to every item.
pub fn map<I: Sync, O: Send>(threads: NonZeroUsize, items: &[I], work: impl Fn(&I) -> O + Sync) -> Vec<O> {
    map_with(threads, items, || (), |(), item| work(item))
}

/// Applies `work` to every item; each thread makes one state, which it hands to all its calls.
pub fn map_with<S, I: Sync, O: Send>(
    threads: NonZeroUsize,
    items: &[I],
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &I) -> O + Sync,
) -> Vec<O> {
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let (mut state, mut done) = (state(), Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, work(&mut state, item)));
        }
    };
    let mut results: Vec<Option<O>> = items.iter().map(|_| None).collect();
    let mut place = |done: Vec<(usize, O)>| {
        for (at, result) in done {
            if let Some(place) = results.get_mut(at) {
                *place = Some(result);
            }
        }
    };
    thread::scope(|scope| {
        // A thread that cannot be had is done without: this one takes what the others leave.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, take_turns).ok();
        let others: Vec<_> = (1..threads.get().min(items.len())).filter_map(spawn).collect();
        place(take_turns());
        for other in others {
            match other.join() {
                Ok(done) => place(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    results.into_iter().flatten().collect()
}

/// Does what [`map`] does, beginning with the items of which `length` is the largest: what takes long and comes last leaves the
/// other threads with nothing to do.
pub fn map_longest_first<I: Sync, O: Send>(
    threads: NonZeroUsize,
    items: &[I],
    length: impl Fn(&I) -> usize,
    work: impl Fn(&I) -> O + Sync,
) -> Vec<O> {
    let mut order: Vec<(usize, &I)> = items.iter().enumerate().collect();
    order.sort_by_cached_key(|(_, item)| Reverse(length(item)));
    let mut done = map(threads, &order, |(at, item)| (*at, work(item)));
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Does what [`map`] does with items that are of no use afterwards: each gives its memory back as soon as `work` is done with it.
pub fn map_into<I: Send, O: Send>(threads: NonZeroUsize, items: Vec<I>, work: impl Fn(I) -> O + Sync) -> Vec<O> {
    let items: Vec<Mutex<Option<I>>> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    // Nobody else takes it, and nobody panics with the lock.
    let take = |item: &Mutex<Option<I>>| item.lock().unwrap_or_else(PoisonError::into_inner).take();
    map(threads, &items, |item| take(item).map(&work)).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        for threads in [1, 2, 8, 2000] {
            let doubled = map(NonZeroUsize::new(threads).unwrap(), &items, |item| item * 2);
            assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
        assert!(map(NonZeroUsize::MIN, &[] as &[usize], |item| *item).is_empty());
    }

    #[test]
    fn items_are_given_away_once_and_in_order() {
        for threads in [1, 2, 8] {
            let items: Vec<String> = (0..1000).map(|item| item.to_string()).collect();
            let results = map_into(NonZeroUsize::new(threads).unwrap(), items, |item| item + "!");
            assert_eq!(results, (0..1000).map(|item| format!("{item}!")).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_comes_first_does_not_change_the_order_of_results() {
        let items = [3, 1, 4, 1, 5, 9, 2, 6];
        for threads in [1, 2, 8] {
            let begun = Mutex::new(Vec::new());
            let results = map_longest_first(
                NonZeroUsize::new(threads).unwrap(),
                &items,
                |item| *item,
                |item| {
                    begun.lock().unwrap().push(*item);
                    item * 2
                },
            );
            assert_eq!(results, [6, 2, 8, 2, 10, 18, 4, 12]);
            if threads == 1 {
                assert_eq!(begun.into_inner().unwrap(), [9, 6, 5, 4, 3, 2, 1, 1]);
            }
        }
    }
}

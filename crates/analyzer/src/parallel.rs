//! Work on several threads, with results in the order of the items: nothing depends on how many there are.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    let mut done = thread::scope(|scope| {
        // A thread that cannot be had is done without: this one takes what the others leave.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, take_turns).ok();
        let others: Vec<_> = (1..threads.get().min(items.len())).filter_map(spawn).collect();
        let mut done = take_turns();
        for other in others {
            match other.join() {
                Ok(more) => done.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
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
}

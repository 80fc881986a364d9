//! Points at which a test ends the process, as by a loss of power. Without the feature `fault-points`, which no release has,
//! there is nothing here.

#[cfg(all(feature = "fault-points", not(debug_assertions)))]
compile_error!("fault points are for tests: a release build has none");

#[cfg(feature = "fault-points")]
pub(super) fn point(name: &str) {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static PASSED: AtomicUsize = AtomicUsize::new(0);
    let Ok(wanted) = std::env::var("SECATEUR_FAULT_POINT") else { return };
    let (wanted, times) = wanted.split_once(':').unwrap_or((&wanted, "0"));
    if name == wanted && PASSED.fetch_add(1, Ordering::SeqCst).to_string() == times {
        std::process::abort();
    }
}

#[cfg(not(feature = "fault-points"))]
pub(super) const fn point(_: &str) {}

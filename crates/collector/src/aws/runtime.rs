//! Where the calls run.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

/// Threads for what would hold up calls: one writes files, the others look up names.
const BESIDE: usize = 4;

/// How long is waited for them when all else has ended. Whatever they write is written aside.
const LAST: Duration = Duration::from_secs(2);

/// Makes the threads that calls need. Each has memory of its own, which the allocator does not give back, so they are few.
///
/// # Errors
/// When the operating system gives no threads.
pub fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).max_blocking_threads(BESIDE).enable_all().build()
}

/// Runs a future to its end. The threads that it needs are made here: a command that calls nobody has none of them.
///
/// # Errors
/// When the operating system gives no threads.
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = runtime()?;
    let output = runtime.block_on(future);
    // A name that nobody resolves holds up nobody who is done.
    runtime.shutdown_timeout(LAST);
    Ok(output)
}

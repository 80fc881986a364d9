//! Where the calls run.

use std::future::Future;
use std::io;

/// Runs a future to its end. The threads that it needs are made here: a command that calls nobody has none of them.
///
/// # Errors
/// When the operating system gives no threads.
pub fn block_on<F: Future>(future: F) -> io::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    Ok(runtime.block_on(future))
}

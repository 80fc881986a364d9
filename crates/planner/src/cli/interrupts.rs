//! Ctrl-C and SIGTERM.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::{Exit, output};

/// Does something at each of them from here on, on a thread of its own. Where they cannot be listened to, they end the process.
pub(super) fn on_each(act: impl Fn() + Clone + Send + 'static) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    #[cfg(unix)]
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        // Now, and not when the thread has its turn.
        let signals = {
            let _inside = runtime.enter();
            signal(kind)
        };
        let Ok(mut signals) = signals else { continue };
        let act = act.clone();
        runtime.spawn(async move {
            while signals.recv().await.is_some() {
                act();
            }
        });
    }
    #[cfg(not(unix))]
    runtime.spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            act();
        }
    });
    std::thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
}

/// Does something until it is done, or until the first of them; none then. The second ends the process at once: for what may
/// be cut off anywhere.
pub(super) async fn until_interrupted<T>(doing: impl Future<Output = T>) -> Option<T> {
    let (first, is_second) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let told = Arc::clone(&first);
    on_each(move || {
        if is_second.swap(true, Ordering::SeqCst) {
            output::note("\nTwo interrupts received: ending at once.");
            std::process::exit(Exit::Error as i32);
        }
        // Kept for whoever is not waiting just now.
        told.notify_one();
    });
    let (mut doing, mut interrupted) = (pin!(doing), pin!(first.notified()));
    // What is done is done, even when somebody wanted it to stop.
    poll_fn(|context| match doing.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => interrupted.as_mut().poll(context).map(|()| None),
    })
    .await
}

//! AWS behind the two traits of apply: reads by collector, and the writes, which are here and nowhere else.

mod reads;
mod writes;

use std::future::Future;
use std::io;
use std::sync::Arc;

use secateur_collector::aws::{AwsError, ErrorKind, Session};
use tokio::runtime::Runtime;

use super::cloud::CallError;

/// A session with AWS, and the threads that its connections live on.
pub struct Cloud {
    runtime: Runtime,
    session: Arc<Session>,
}

impl Cloud {
    /// Opens a session.
    ///
    /// # Errors
    /// When the operating system gives no threads; the inner one when AWS does not take the credentials.
    pub fn open<E>(opening: impl Future<Output = Result<Session, E>>) -> io::Result<Result<Cloud, E>> {
        let runtime = secateur_collector::aws::runtime()?;
        Ok(runtime.block_on(opening).map(|session| Cloud { runtime, session: Arc::new(session) }))
    }

    /// Returns the session.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Waits for something that is done on this session's threads.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }
}

/// What a failed call means for whoever made it.
fn call_error(error: &AwsError) -> CallError {
    let message = || error.to_string();
    let refused = |word: &str| {
        let permission = match error.kind() {
            ErrorKind::Denied(permission) => Some(permission.clone()),
            _ => None,
        };
        let code = error.code().unwrap_or(word).to_owned();
        CallError::Refused { code, message: message(), permission }
    };
    match error.kind() {
        ErrorKind::Throttled => CallError::Throttled(message()),
        ErrorKind::Transient | ErrorKind::Answer => CallError::Ambiguous(message()),
        ErrorKind::Expired => refused("ExpiredToken"),
        ErrorKind::Credentials => refused("InvalidClientTokenId"),
        ErrorKind::Clock => refused("SignatureDoesNotMatch"),
        ErrorKind::Denied(_) => refused("AccessDenied"),
        ErrorKind::NotFound => refused("NoSuchEntity"),
        ErrorKind::Refused(own) => CallError::Refused { code: own.clone(), message: message(), permission: None },
        ErrorKind::Request => refused("Request"),
    }
}

//! The way of every call: its turn, its attempts, and new credentials when the old ones have expired.

use std::error::Error;
use std::future::Future;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_iam::operation::RequestId;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use secateur_analyzer::time::UnixTime;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::call::wait;
use super::http::{self, Seen};
use super::pacing::Pacing;
use super::session::LOOKUP;
use super::{Access, AwsError, Call, CallEvent, Clients, ErrorKind, Outcome, Rate, Watch};

/// How many calls are on their way at a time. Each has a connection, which keeps the memory that its longest answers took.
const IN_FLIGHT: usize = 32;

/// How often one call asks for new credentials. Each time AWS took the new ones, so this ends only when it never does.
const RENEWALS: u32 = 5;

/// The time between two attempts to get new credentials.
const BEFORE_RENEWAL: Duration = Duration::from_millis(500);

/// Sends a call, and returns its answer with the id under which AWS finds it again. What comes before and after is the same for
/// all operations, and compiled once.
async fn sent<O, E>(
    call: &Call<'_>,
    sending: impl Future<Output = Result<O, SdkError<E, HttpResponse>>>,
) -> Result<(O, Option<String>), AwsError>
where
    O: RequestId,
    E: Error + ProvideErrorMetadata + 'static,
{
    let output = sending.await.map_err(|error| AwsError::of(call, &error))?;
    let request_id = output.request_id().map(str::to_owned);
    Ok((output, request_id))
}

/// What all calls share.
pub(super) struct Line {
    access: Access,
    connector: SharedHttpConnector,
    seen: Seen,
    clients: Mutex<Arc<Clients>>,
    renewal: tokio::sync::Mutex<()>,
    pacing: Pacing,
    in_flight: Semaphore,
    watch: Arc<dyn Watch>,
    /// The account that new credentials must be of.
    account: OnceLock<String>,
}

impl Line {
    pub(super) async fn open(access: Access, rate: Rate, watch: Arc<dyn Watch>) -> Line {
        let connector = http::connector();
        let seen = Seen::default();
        let config = access.load(&http::client(connector.clone())).await;
        let clients = Clients::new(config, &seen, 0);
        Line {
            access,
            connector,
            seen,
            clients: Mutex::new(Arc::new(clients)),
            renewal: tokio::sync::Mutex::default(),
            pacing: Pacing::new(rate),
            in_flight: Semaphore::new(IN_FLIGHT),
            watch,
            account: OnceLock::new(),
        }
    }

    /// Takes no credentials of another account from now on.
    pub(super) fn stay_in(&self, account: &str) {
        // Said once, by whoever opens the session.
        let _ = self.account.set(account.to_owned());
    }

    pub(super) fn limit(&self, operation: &'static str, rate: f64) {
        self.pacing.limit(operation, rate);
    }

    pub(super) fn endpoint(&self) -> Option<String> {
        self.seen.foreign_endpoint()
    }

    pub(super) fn now(&self) -> UnixTime {
        self.seen.now()
    }

    pub(super) fn generation(&self) -> u64 {
        self.clients().generation
    }

    pub(super) fn connector(&self) -> &SharedHttpConnector {
        &self.connector
    }

    pub(super) fn clients(&self) -> Arc<Clients> {
        Arc::clone(&self.clients.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) async fn call<O, E, F>(&self, call: &Call<'_>, send: impl Fn(Arc<Clients>) -> F) -> Result<O, AwsError>
    where
        O: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>> + Send,
    {
        let (mut attempt, mut renewals) = (0, 0);
        loop {
            attempt += 1;
            let started = Instant::now();
            self.turn(call.operation).await;
            let clients = self.clients();
            let generation = clients.generation;
            let error = match self.attempt(call, attempt, sent(call, send(clients))).await {
                Ok(output) => return Ok(output),
                Err(error) => error,
            };
            self.before_next(call, attempt, generation, &mut renewals, started, error).await?;
        }
    }

    pub(super) async fn once<O, E, F>(
        &self,
        call: &Call<'_>,
        send: impl FnOnce(Arc<Clients>) -> F,
    ) -> Result<O, AwsError>
    where
        O: RequestId,
        E: Error + ProvideErrorMetadata + 'static,
        F: Future<Output = Result<O, SdkError<E, HttpResponse>>> + Send,
    {
        let started = Instant::now();
        let result = self.attempt(call, 1, sent(call, send(self.clients()))).await;
        if let Err(error) = &result {
            self.tell(call, 1, Outcome::Failed(error), error.request_id(), started);
        }
        result
    }

    pub(super) async fn turn(&self, operation: &'static str) {
        self.pacing.turn(operation).await;
    }

    /// Waits until a call that failed is made again, with new credentials where the old ones have expired.
    ///
    /// # Errors
    /// When it is not made again.
    async fn before_next(
        &self,
        call: &Call<'_>,
        attempt: u32,
        generation: u64,
        renewals: &mut u32,
        started: Instant,
        error: AwsError,
    ) -> Result<(), AwsError> {
        if *error.kind() == ErrorKind::Expired && *renewals < RENEWALS {
            *renewals += 1;
            self.tell(call, attempt, Outcome::Retried(&error, Duration::ZERO), error.request_id(), started);
            return self.renew(generation, error).await;
        }
        let Some(delay) = wait(&error, attempt) else {
            let error = error.after(attempt);
            self.tell(call, attempt, Outcome::Failed(&error), error.request_id(), started);
            return Err(error);
        };
        self.tell(call, attempt, Outcome::Retried(&error, delay), error.request_id(), started);
        tokio::time::sleep(delay).await;
        Ok(())
    }

    async fn attempt<O>(
        &self,
        call: &Call<'_>,
        attempt: u32,
        sending: impl Future<Output = Result<(O, Option<String>), AwsError>>,
    ) -> Result<O, AwsError> {
        // The semaphore is never closed, so there is always a permit to wait for.
        let _permit = self.in_flight.acquire().await.ok();
        let since = Instant::now();
        match sending.await {
            Ok((output, request_id)) => {
                self.answered(call, attempt, request_id.as_deref(), since);
                Ok(output)
            }
            Err(error) => Err(self.refused(call, error, since)),
        }
    }

    fn answered(&self, call: &Call<'_>, attempt: u32, request_id: Option<&str>, since: Instant) {
        if call.operation == LOOKUP && self.seen.has_foreign_trail() {
            self.pacing.free(LOOKUP);
        }
        self.tell(call, attempt, Outcome::Done, request_id, since);
    }

    /// Takes note of a failure, and adds what mends it.
    fn refused(&self, call: &Call<'_>, error: AwsError, since: Instant) -> AwsError {
        match error.kind() {
            ErrorKind::Throttled => self.pacing.throttled(call.operation, since),
            ErrorKind::Credentials | ErrorKind::Expired => {
                let help = self.access.renewal(error.message());
                return error.with_help(help);
            }
            _ => {}
        }
        error
    }

    fn tell(&self, call: &Call<'_>, attempt: u32, outcome: Outcome<'_>, request_id: Option<&str>, since: Instant) {
        let elapsed = since.elapsed();
        let Call { operation, subject, .. } = *call;
        self.watch.call(&CallEvent { operation, subject, attempt, outcome, request_id, elapsed });
    }

    /// Loads credentials anew, once for all calls that found them expired.
    async fn renew(&self, generation: u64, error: AwsError) -> Result<(), AwsError> {
        let _one = self.renewal.lock().await;
        if self.clients().generation != generation {
            return Ok(());
        }
        for (attempt, try_again) in [(1, true), (2, true), (3, false)] {
            let config = self.access.load(&http::client(self.connector.clone())).await;
            let clients = Arc::new(Clients::new(config, &self.seen, generation + 1));
            let call = Call::new("sts:GetCallerIdentity");
            let started = Instant::now();
            let answer = match clients.sts.get_caller_identity().send().await {
                Ok(answer) => answer,
                Err(refused) => {
                    let refused = AwsError::of(&call, &refused);
                    let outcome =
                        if try_again { Outcome::Retried(&refused, BEFORE_RENEWAL) } else { Outcome::Failed(&refused) };
                    self.tell(&call, attempt, outcome, refused.request_id(), started);
                    if try_again {
                        tokio::time::sleep(BEFORE_RENEWAL).await;
                    }
                    continue;
                }
            };
            self.tell(&call, attempt, Outcome::Done, answer.request_id(), started);
            // Another account under the same profile would make one snapshot of two accounts.
            if let Some(account) = self.account.get().filter(|account| answer.account() != Some(account)) {
                let help = format!("use credentials of account {account}, then run the same command again");
                return Err(error.with_help(help));
            }
            *self.clients.lock().unwrap_or_else(PoisonError::into_inner) = clients;
            return Ok(());
        }
        Err(error)
    }
}
